//! What surrounds a line that the attacker writes, in a narration or a rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::notation::attack::{Says, Scheduled, Setting};
use crate::notation::{Attack, Func, Quoted, Term};
use crate::scenario::problem::Problems;
use crate::scenario::setup::Setup;
use crate::scenario::setup::event::EventDeed;
use crate::scenario::toml_tree::Places;

/// What surrounds the lines that the attacker writes.
pub struct Scope<'a> {
    pub name: &'a str,
    pub insider: bool,
    /// Whether she may come to know a password by trying words.
    pub guesses: bool,
    pub setup: &'a Setup,
    pub runs: BTreeMap<u32, Scheduled<'a>>,
    /// Certificates that she will have, and private keys that she may come to compute.
    pub papers: Vec<Term>,
}

impl Scope<'_> {
    pub fn attack(
        &self,
        lines: &[Quoted],
        says: Says,
        fresh: &[Quoted],
        finds: &[(Quoted, Quoted)],
        places: &Places,
    ) -> Result<Arc<Attack>, Problems> {
        let parties = self.setup.party_names();
        let aliases = self.setup.aliases();
        let handed: Vec<Term> = self
            .setup
            .events
            .iter()
            .flat_map(|e| match &e.deed {
                EventDeed::Compromise { term, .. } => vec![term.clone()],
                EventDeed::Quantum => {
                    self.setup.parties.keys().map(|party| Term::of(Func::Sk, &[party])).collect()
                }
                _ => Vec::new(),
            })
            .chain(self.setup.requests.iter().filter_map(|request| request.term.clone()))
            .chain(self.papers.iter().cloned())
            .chain(self.setup.public_shares().into_iter().map(|(share, _)| share))
            .collect();
        let setting = Setting {
            protocol: self.setup.protocol(),
            runs: &self.runs,
            says,
            attacker: self.name,
            insider: self.insider,
            parties: &parties,
            aliases: &aliases,
            handed: &handed,
            certificates: self.setup.has_certificates(),
            guesses: self.guesses,
            fresh,
            finds,
        };
        Attack::compile(lines, &setting).map(Arc::new).map_err(|faults| Problems(places.problems(&faults)))
    }
}
