//! The attacker at work: what she has beyond what everybody has, and what is hers by right or
//! never hers. Must not know goals, nor how she makes what she lacks.

use super::bundle::{Bundle, Cast, END, StepId, Stolen};
use super::sort::{HER, Sort, Widths};
use super::term::{Args, Head, Term, Terms};
use crate::algebra::Func;
use crate::notation::{Id, Type};

#[derive(Clone, Debug)]
pub struct Powers {
    /// Runs of the protocol.
    pub runs: usize,
    /// Whether she has long-term keys of her own.
    pub insider: bool,
    /// Whether she has all long-term keys in the end.
    pub leaks_at_end: bool,
    /// Roles of whose player she comes by something.
    pub stolen: Vec<(Id, Stolen)>,
    /// Whether a party takes itself for its peer.
    pub self_talk: bool,
    /// Whether session keys of runs that are over come to her later.
    pub old_session_keys: bool,
    /// Whether old readings of clocks are good.
    pub lax_clock: bool,
    /// Long-term exponents whose share is public.
    pub public_shares: Vec<u32>,
    /// Whether anybody computes exclusive ors.
    pub sums: bool,
    /// Whether any message has a long-term key in it: else there is no use in waiting for one.
    pub keys_travel: bool,
}

/// The attacker at work.
pub struct Intruder<'a> {
    /// All terms.
    pub terms: &'a mut Terms,
    /// How long they are.
    pub widths: &'a mut Widths,
    /// The roles.
    pub cast: &'a mut Cast,
    /// What she has.
    pub powers: &'a Powers,
    /// Whether a bundle was left out because it would have had too many steps.
    pub left_out: bool,
}

impl Intruder<'_> {
    /// Whether a term is public, or hers by right.
    pub fn is_everyones(&mut self, bundle: &Bundle, at: StepId, term: Term) -> bool {
        let args = Args::from_slice(self.terms.args(term));
        let args: Args = args.iter().map(|arg| bundle.store.walk(self.terms, *arg)).collect();
        let is_name = |terms: &Terms, arg: Term| !matches!(terms.head(arg), Head::Atom(_));
        match self.terms.head(term) {
            Head::Name(_) | Head::Text(_) => true,
            Head::OfAgents(Func::Pk) => is_name(self.terms, args[0]),
            Head::OfAgents(Func::Cert) => true,
            Head::OfAgents(_) | Head::LongTerm(_) => {
                (at == END && self.powers.leaks_at_end)
                    || args.iter().any(|arg| self.has_keys_of(bundle, at, *arg))
            }
            Head::Power { based: false } => match args.as_slice() {
                [secret] => match self.terms.head(*secret) {
                    Head::LongTerm(value) => self.powers.public_shares.contains(&value),
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a term can never be hers: a long-term key, or what another's encryption drew.
    pub fn is_out_of_reach(&mut self, bundle: &Bundle, at: StepId, term: Term) -> bool {
        if let Head::Atom(atom) = self.terms.head(term)
            && self.widths.atoms[atom as usize].of == Type::Coins
        {
            return true;
        }
        let is_key = matches!(
            self.terms.head(term),
            Head::OfAgents(Func::K | Func::Pw | Func::Sk) | Head::LongTerm(_)
        );
        if !is_key || self.powers.keys_travel || self.is_everyones(bundle, at, term) {
            return false;
        }
        let is_password = matches!(self.terms.head(term), Head::OfAgents(Func::Pw));
        let args = Args::from_slice(self.terms.args(term));
        let may_be_hers = args.iter().any(|arg| {
            let arg = bundle.store.walk(self.terms, *arg);
            match self.terms.head(arg) {
                Head::Var(var) => bundle.store.slot(var).sort != Sort::Honest || !bundle.stolen.is_empty(),
                _ => is_password && self.has_weak_password(bundle, arg),
            }
        });
        !may_be_hers
    }

    fn has_keys_of(&mut self, bundle: &Bundle, at: StepId, agent: Term) -> bool {
        if self.terms.head(agent) == HER {
            return self.powers.insider;
        }
        let mut had = bundle.stolen.iter().filter(|(_, what)| what.gives_keys(at));
        had.any(|(name, _)| bundle.store.walk(self.terms, *name) == agent)
    }

    fn has_weak_password(&mut self, bundle: &Bundle, agent: Term) -> bool {
        let mut weak = bundle.stolen.iter().filter(|(_, what)| *what == Stolen::WeakPassword);
        weak.any(|(name, _)| bundle.store.walk(self.terms, *name) == agent)
    }

    /// Whether one more such part keeps the bound on runs.
    pub fn may_join(&self, bundle: &Bundle, template: usize) -> bool {
        let of = &self.cast.templates[template];
        let is_same = |other: usize| {
            let other = &self.cast.templates[other];
            other.role == of.role && (!of.is_service || other.program == of.program)
        };
        bundle.parts.iter().filter(|part| !part.is_free && is_same(part.template)).count() < self.powers.runs
    }
}
