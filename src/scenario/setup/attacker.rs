//! Who the attacker of a variant is and what she sets out to do.

use std::collections::{BTreeMap, BTreeSet};

use crate::algebra::Value;
use crate::notation::Name;
use crate::notation::attack::AttackLine;
use crate::party::attacker::{Action, Forgery, Plan, Rule};
use crate::time::SimTime;

/// The attacker of a variant.
#[derive(Clone, Debug)]
pub struct AttackerSpec {
    /// Her name.
    pub name: Name,
    /// Whether she is registered and has a certificate.
    pub insider: bool,
    /// The party whose public key she asks the authority to certify in her name; her own if none.
    pub enrols_key_of: Option<Name>,
    /// What becomes of messages whatever she sets out to do.
    pub rules: Vec<Rule>,
    /// Certificates that she forges.
    pub forgeries: Vec<Forgery>,
    /// What she sets out to do.
    pub plan: Plan,
    /// Whether she plays what a search for an attack finds, with so many runs at most; where it
    /// finds nothing, she only listens.
    pub search: Option<usize>,
    /// Until then she only listens.
    pub from: SimTime,
    /// Data of hers.
    pub given: BTreeMap<Name, Value>,
    /// Words that she tries for passwords, in this order.
    pub dictionary: Vec<String>,
    /// Whether she looks for signatures with one nonce.
    pub compares_nonces: bool,
    /// Whether she looks for keys of RSA with a prime in common.
    pub compares_moduli: bool,
    /// Whether she computes the exponents of shares.
    pub computes_logarithms: bool,
    /// How many hashes she may try for a value that she finds so.
    pub trials: u32,
    /// The time before which she does not send a line of her narration, by run and line.
    pub times: BTreeMap<(u32, u32), SimTime>,
    /// What she sets out to do, line by line as the file has it.
    pub words: Vec<String>,
}

impl AttackerSpec {
    /// Whether she opens runs whose numbers only the play tells: what she repeats, sends back or
    /// begins as another is a run of its own.
    pub fn opens_runs(&self) -> bool {
        self.search.is_some()
            || matches!(
                self.plan,
                Plan::Replay
                    | Plan::Reflect
                    | Plan::Impersonate(_)
                    | Plan::PaddingOracle(_)
                    | Plan::SmallSubgroup(_)
                    | Plan::Bleichenbacher(_)
            )
            || self.rules.iter().any(|rule| matches!(rule.action, Action::Replay(_)))
    }

    /// The runs of which her lines speak.
    pub fn narrated_runs(&self) -> BTreeSet<u32> {
        self.lines().map(|line| line.run).collect()
    }

    /// The times at which she sets out to do something.
    pub fn moments(&self) -> impl Iterator<Item = SimTime> {
        [self.from].into_iter().chain(self.times.values().copied())
    }

    /// The lines that she writes, in a narration or for rules.
    pub fn lines(&self) -> impl Iterator<Item = &AttackLine> {
        let narration = if let Plan::Narration(attack) = &self.plan { Some(attack) } else { None };
        let rules = self.rules.iter().filter_map(|rule| match &rule.action {
            Action::Replace(attack) | Action::Inject(attack) => Some(attack),
            _ => None,
        });
        narration.into_iter().chain(rules).flat_map(|attack| &attack.lines)
    }
}
