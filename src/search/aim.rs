//! What an attack on a goal must bring about: with which parts a search begins, and whether a
//! bundle in which everything can be made violates the goal (docs/NOTATION.md, Goals). Must not
//! know how the attacker makes anything.

use super::bundle::{Bundle, Cast, END, Wanted};
use super::intruder::Intruder;
use super::sort::Sort;
use super::store::Slot;
use super::term::{Head, Term};
use crate::notation::{Claim, Id, Name, Protocol};

/// A goal, as what a search is to bring about.
#[derive(Clone, Debug)]
pub enum Aim {
    /// She has a value of a part.
    Secret {
        /// The value.
        of: Id,
        /// The roles whose players are honest.
        honest: Vec<Id>,
        /// Whether all long-term keys leak in the end.
        forward: bool,
    },
    /// So many completed parts have fewer partners.
    Agreement {
        /// The role that claims it.
        who: Name,
        /// The role that it claims it of, and the name of that.
        with: (Name, Id),
        /// The name of the claiming role.
        by: Id,
        /// What both agree on.
        on: Vec<Id>,
        /// Whether each needs a partner of its own.
        injective: bool,
    },
}

impl Aim {
    /// The aim of attacks on a goal; none if its terms are nobody's.
    pub fn of(protocol: &Protocol, claim: &Claim) -> Option<Aim> {
        let table = &protocol.table;
        let id = |name: &Name| table.find_name(name);
        Some(match claim {
            Claim::Secret { term, between, forward } => {
                let of = table.find(term)?;
                let roles: Vec<&Name> = match between.as_slice() {
                    [] => protocol.roles_with(of).collect(),
                    some => some.iter().collect(),
                };
                let honest = roles.into_iter().map(id).collect::<Option<_>>()?;
                Aim::Secret { of, honest, forward: *forward }
            }
            Claim::Agreement { who, with, on, injective } => Aim::Agreement {
                who: who.clone(),
                with: (with.clone(), id(with)?),
                by: id(who)?,
                on: on.iter().map(|term| table.find(term)).collect::<Option<_>>()?,
                injective: *injective,
            },
        })
    }

    /// The bundles with which attacks begin, with so many runs at most.
    pub fn starts(&self, protocol: &Protocol, at: &mut Intruder<'_>) -> Vec<Bundle> {
        let mut starts = Vec::new();
        match self {
            Aim::Secret { of, honest, .. } => {
                for template in 0..at.cast.templates.len() {
                    let role = &protocol.roles[at.cast.templates[template].role].name;
                    let steps = &at.cast.templates[template].steps;
                    let has = |step: &super::role::Moment| step.concludes.iter().any(|(id, _)| id == of);
                    let Some(first) = steps.iter().position(has) else { continue };
                    let upto = if protocol.is_own(*of, role) { first } else { steps.len() - 1 };
                    let mut bundle = Bundle::new();
                    let part = at.claim(&mut bundle, template);
                    let mut equal = Vec::new();
                    if !bundle.advance(part, upto, &mut equal) {
                        at.left_out = true;
                        continue;
                    }
                    let Some((_, value)) = bundle.value(part, *of) else { continue };
                    bundle.wanted.push(Wanted { at: END, term: value, made_for: None });
                    at.settle(bundle, equal, &[(part, honest)], &mut starts);
                }
            }
            Aim::Agreement { who, with, on, injective, .. } => {
                let claiming: Vec<usize> = (0..at.cast.templates.len())
                    .filter(|template| protocol.roles[at.cast.templates[*template].role].name == *who)
                    .collect();
                let most = if *injective { at.powers.runs } else { 1 };
                for parts in 1..=most {
                    // Some of them may be over before: what leaks is theirs, too.
                    for early in 0..=(parts - 1) * usize::from(at.last_epoch()) {
                        for templates in choices(&claiming, parts) {
                            self.claims(at, (&templates, early), (with.1, on), &mut starts);
                        }
                    }
                }
            }
        }
        starts
    }

    fn claims(
        &self,
        at: &mut Intruder<'_>,
        (templates, early): (&[usize], usize),
        (with, on): (Id, &[Id]),
        starts: &mut Vec<Bundle>,
    ) {
        let mut bundle = Bundle::new();
        let mut equal = Vec::new();
        let mut first: Option<Vec<Term>> = None;
        let honest = [with];
        let mut honest_in = Vec::new();
        for (nth, template) in templates.iter().enumerate() {
            if !at.may_join(&bundle, *template) {
                return;
            }
            let epoch = if nth < early { 0 } else { at.last_epoch() };
            let part = at.join(&mut bundle, *template, epoch);
            let last = bundle.parts[part].instance.steps.len() - 1;
            if !bundle.advance(part, last, &mut equal) {
                at.left_out = true;
                return;
            }
            honest_in.push((part, &honest[..]));
            let Some(claim) = self.claim(&bundle, part, on) else { return };
            match &first {
                None => first = Some(claim),
                Some(first) => equal.extend(first.iter().copied().zip(claim)),
            }
        }
        at.settle(bundle, equal, &honest_in, starts);
    }

    /// By whom, of whom, and what a part claims to have agreed on.
    fn claim(&self, bundle: &Bundle, part: usize, on: &[Id]) -> Option<Vec<Term>> {
        let Aim::Agreement { with, by, .. } = self else { return None };
        let names = &bundle.parts[part].instance.names;
        let mut claim = vec![*names.get(by)?, *names.get(&with.1)?];
        for id in on {
            claim.push(bundle.value(part, *id)?.1);
        }
        Some(claim)
    }

    /// The bundle as it violates the goal, if it does: with what must come before what.
    pub fn violated(&self, protocol: &Protocol, at: &mut Intruder<'_>, bundle: &Bundle) -> Option<Bundle> {
        let Aim::Agreement { who, with, on, .. } = self else { return Some(bundle.clone()) };
        let role_of = |cast: &Cast, part: usize| {
            protocol.roles[cast.templates[bundle.parts[part].template].role].name.clone()
        };
        // The claims were the first to join.
        let mut claims = Vec::new();
        let mut about: Option<Vec<Term>> = None;
        for part in 0..bundle.parts.len() {
            if role_of(at.cast, part) != *who || !bundle.is_complete(part) {
                break;
            }
            let claim = self.claim(bundle, part, on)?;
            let claim: Vec<Term> = claim.iter().map(|term| bundle.store.write_out(at.terms, *term)).collect();
            match &about {
                None => about = Some(claim),
                Some(about) if *about == claim => {}
                Some(_) => break,
            }
            claims.push(part);
        }
        let about = about?;
        let mut ready = Vec::new();
        for part in 0..bundle.parts.len() {
            if role_of(at.cast, part) != with.0 {
                continue;
            }
            let Some(partner) = self.claim(bundle, part, on) else { continue };
            let partner: Vec<Term> =
                partner.iter().map(|term| bundle.store.write_out(at.terms, *term)).collect();
            if partner != about {
                continue;
            }
            let began = bundle.parts[part].done.first().copied();
            let had = on.iter().filter_map(|id| Some(bundle.value(part, *id)?.0)).max();
            ready.extend(had.or(began));
        }
        let end = |part: usize| bundle.parts[part].done.last().copied();
        for last in &claims {
            let mut bundle = bundle.clone();
            let last_end = end(*last)?;
            let others = claims.iter().filter(|other| *other != last).filter_map(|other| end(*other));
            if !others.collect::<Vec<_>>().into_iter().all(|other| bundle.order(other, last_end)) {
                continue;
            }
            let partners = ready.iter().filter(|had| **had == last_end || bundle.is_before(**had, last_end));
            if partners.count() < claims.len() {
                return Some(bundle);
            }
        }
        None
    }
}

impl Intruder<'_> {
    /// A new part in a bundle.
    pub fn join(&mut self, bundle: &mut Bundle, template: usize, epoch: u8) -> usize {
        let good = if self.powers.lax_clock { None } else { Some(epoch) };
        bundle.join(self.terms, self.widths, self.cast, template, (epoch, good), self.powers.self_talk)
    }

    /// A part of which the goal speaks, in the last epoch: it is not about what leaked.
    fn claim(&mut self, bundle: &mut Bundle, template: usize) -> usize {
        self.join(bundle, template, self.last_epoch())
    }

    fn last_epoch(&self) -> u8 {
        u8::from(self.powers.old_session_keys)
    }

    /// The bundle in which these pairs are equal and these parts take honest parties for these
    /// roles.
    fn settle(
        &mut self,
        bundle: Bundle,
        equal: Vec<(Term, Term)>,
        honest: &[(usize, &[Id])],
        starts: &mut Vec<Bundle>,
    ) {
        let mut bundle = bundle;
        for (role, what) in &self.powers.stolen {
            let name = match bundle.parts[0].instance.names.get(role) {
                Some(name) => *name,
                None => {
                    let slot = Slot { sort: Sort::Honest, width: None, hint: None, kind: None };
                    let name = bundle.store.var(slot);
                    self.terms.leaf(name)
                }
            };
            bundle.stolen.push((name, *what));
        }
        for mut store in bundle.store.unify(self.terms, self.widths, &equal) {
            let names = honest.iter().flat_map(|(part, roles)| {
                roles.iter().filter_map(|role| bundle.parts[*part].instance.names.get(role))
            });
            let are_honest = names.copied().collect::<Vec<_>>().into_iter().all(|name| {
                let settled = store.walk(self.terms, name);
                match self.terms.head(settled) {
                    Head::Name(name) if self.widths.is_service(name) => true,
                    _ => store.restrict(self.terms, self.widths, name, Sort::Honest),
                }
            });
            let bundle = Bundle { store, ..bundle.clone() };
            if are_honest && bundle.differs(self.terms) {
                starts.push(bundle);
            }
        }
    }
}

/// Every choice of so many of these, in order, each as often as one likes.
fn choices(of: &[usize], many: usize) -> Vec<Vec<usize>> {
    if many == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in of.iter().enumerate() {
        for mut rest in choices(&of[at..], many - 1) {
            rest.insert(0, *first);
            all.push(rest);
        }
    }
    all
}
