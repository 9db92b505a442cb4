//! How the attacker can make a term: compose it, or find it in what parties send and open what is
//! around it (lazy intruder: Millen & Shmatikov, CCS 2001; bundles with steps in order only as far
//! as it matters, as in Cremers, CCS 2008). A variable alone is never asked for: she has something
//! for it. Must not know goals.

use smallvec::SmallVec;

use super::bundle::{Bundle, Cast, END, Had, StepId, Wanted};
use super::sort::{HER, Sort, Widths};
use super::store::Slot;
use super::term::{Args, Head, Term, Terms};
use crate::algebra::Func;
use crate::notation::{Id, Kind};

/// What bounds a search and what she has beyond what everybody has.
#[derive(Clone, Debug)]
pub struct Powers {
    /// Runs of the protocol.
    pub runs: usize,
    /// Whether she has long-term keys of her own.
    pub insider: bool,
    /// Whether she has all long-term keys in the end.
    pub leaks_at_end: bool,
    /// Roles whose player's long-term keys she has, and whether only in the end.
    pub stolen: Vec<(Id, bool)>,
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

/// What comes next.
pub enum Next {
    /// This is to be made.
    Make(Wanted),
    /// Everything can be made.
    Done,
    /// Something never can.
    Never,
}

/// Whether something is made already.
enum Already {
    /// It is: as this.
    Made(u16),
    /// It would be made with the help of itself.
    ForItself,
    /// It is not.
    Not,
}

/// Where something can be found: what is there, if that is to be the term itself, and what must
/// be had to get at it.
struct Find {
    there: Option<Term>,
    needs: Vec<Term>,
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
    /// The next term that she must make, taken out of what is wanted; none if all that is left
    /// are variables. What everybody has, and what she made before, is dropped.
    pub fn next(&mut self, bundle: &mut Bundle) -> Next {
        let mut best: Option<(u8, usize)> = None;
        let mut at = 0;
        while at < bundle.wanted.len() {
            let term = bundle.store.walk(self.terms, bundle.wanted[at].term);
            bundle.wanted[at].term = term;
            if matches!(self.terms.head(term), Head::Var(_)) {
                at += 1;
                continue;
            }
            if self.is_everyones(bundle, bundle.wanted[at].at, term) {
                bundle.wanted.remove(at);
                continue;
            }
            match self.had(bundle, at) {
                Already::Made(had) => {
                    let wanted = bundle.wanted.remove(at);
                    if let Some(other) = wanted.made_for {
                        bundle.had[other].needs.push(had);
                    }
                    continue;
                }
                Already::ForItself => return Next::Never,
                Already::Not => {}
            }
            if self.is_out_of_reach(bundle, bundle.wanted[at].at, term)
                || self.is_roundabout(bundle, bundle.wanted[at].at, term)
            {
                return Next::Never;
            }
            let rank = self.rank(bundle, term);
            if best.is_none_or(|(least, _)| rank < least) {
                best = Some((rank, at));
            }
            at += 1;
        }
        match best {
            Some((_, at)) => Next::Make(bundle.wanted.remove(at)),
            None => Next::Done,
        }
    }

    /// What has fewest ways to be made comes first.
    fn rank(&mut self, bundle: &Bundle, term: Term) -> u8 {
        match self.terms.head(term) {
            Head::Atom(_) | Head::OfAgents(_) | Head::LongTerm(_) | Head::Inverse => 0,
            Head::OneWay { func: Func::Sign, .. } => 1,
            Head::Joined => 0,
            Head::Seal { asymmetric: false, .. } | Head::OneWay { func: Func::Mac, .. } => {
                let key = self.terms.args(term)[0];
                let key = bundle.store.walk(self.terms, key);
                match self.terms.head(key) {
                    Head::OfAgents(_) | Head::Atom(_) => 2,
                    _ => 4,
                }
            }
            Head::Seal { .. } => 3,
            _ => 5,
        }
    }

    /// Whether she makes a wanted term already, and not with the help of itself.
    fn had(&mut self, bundle: &Bundle, at: usize) -> Already {
        let wanted = &bundle.wanted[at];
        let term = bundle.store.write_out(self.terms, wanted.term);
        let above = bundle.above(wanted.made_for);
        let mut found = Already::Not;
        for (number, had) in bundle.had.iter().enumerate() {
            let is_in_time = had.since == wanted.at || bundle.is_before(had.since, wanted.at);
            if !is_in_time || bundle.store.write_out(self.terms, had.term) != term {
                continue;
            }
            if above.contains(&number) {
                return Already::ForItself;
            }
            found = Already::Made(number as u16);
        }
        found
    }

    /// Whether she has this from a step before which she needs it: then there is a shorter way.
    fn is_roundabout(&mut self, bundle: &Bundle, at: StepId, term: Term) -> bool {
        let term = bundle.store.write_out(self.terms, term);
        bundle.had.iter().any(|had| {
            had.from.is_some_and(|from| at == from || bundle.is_before(at, from))
                && bundle.store.write_out(self.terms, had.term) == term
        })
    }

    /// Whether a term is public, or hers by right.
    fn is_everyones(&mut self, bundle: &Bundle, at: StepId, term: Term) -> bool {
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

    /// Whether a term is a long-term key that can never be hers.
    fn is_out_of_reach(&mut self, bundle: &Bundle, at: StepId, term: Term) -> bool {
        let is_key = matches!(
            self.terms.head(term),
            Head::OfAgents(Func::K | Func::Pw | Func::Sk) | Head::LongTerm(_)
        );
        if !is_key || self.powers.keys_travel || self.is_everyones(bundle, at, term) {
            return false;
        }
        let args = Args::from_slice(self.terms.args(term));
        let may_be_hers = args.iter().any(|arg| {
            let arg = bundle.store.walk(self.terms, *arg);
            match self.terms.head(arg) {
                Head::Var(var) => bundle.store.slot(var).sort != Sort::Honest || !bundle.stolen.is_empty(),
                _ => false,
            }
        });
        !may_be_hers
    }

    fn has_keys_of(&mut self, bundle: &Bundle, at: StepId, agent: Term) -> bool {
        if self.terms.head(agent) == HER {
            return self.powers.insider;
        }
        let mut had = bundle.stolen.iter().filter(|(_, later)| !later || at == END);
        had.any(|(name, _)| bundle.store.walk(self.terms, *name) == agent)
    }

    /// Every way to make a term that was taken out of what is wanted.
    pub fn ways(&mut self, bundle: &Bundle, wanted: &Wanted, next: &mut Vec<Bundle>) {
        let mut bundle = bundle.clone();
        let number = bundle.had.len();
        bundle.had.push(Had { since: wanted.at, term: wanted.term, from: None, needs: SmallVec::new() });
        if let Some(other) = wanted.made_for {
            bundle.had[other].needs.push(number as u16);
        }
        let first = next.len();
        self.compose(&bundle, wanted, next);
        self.own(&bundle, wanted, next);
        self.find(&bundle, wanted, next);
        if self.powers.old_session_keys {
            self.leaked(&bundle, wanted, next);
        }
        let mut free: Option<usize> = None;
        for at in first..next.len() {
            if self.is_free(&bundle, &next[at]) && free.is_none_or(|best| next[at].taken < next[best].taken) {
                free = Some(at);
            }
        }
        if let Some(free) = free {
            next.swap(first, free);
            next.truncate(first + 1);
            let joined = &mut next[first].parts[bundle.parts.len()..];
            joined.iter_mut().for_each(|part| part.is_free = true);
        }
    }

    /// Whether a way costs nothing that another may need: it settles no variable, brings no order
    /// that was not there, and takes no more than a session of a service that answers everybody.
    fn is_free(&mut self, before: &Bundle, after: &Bundle) -> bool {
        let joined = &after.parts[before.parts.len()..];
        let are_services = joined.iter().all(|part| self.cast.templates[part.template].is_service);
        let old = before.places.len();
        let in_order =
            before.places.iter().zip(&after.places).all(|(b, a)| a.before & low_bits(old) == b.before);
        are_services
            && in_order
            && after.parts.iter().zip(&before.parts).all(|(a, b)| a.done.len() == b.done.len())
            && after.store.settles_nothing_of(&before.store)
            && after.wanted[before.wanted.len()..].iter().all(|wanted| {
                let term = after.store.walk(self.terms, wanted.term);
                matches!(self.terms.head(term), Head::Var(_)) || self.is_everyones(after, wanted.at, term)
            })
    }

    /// She makes it from its parts.
    fn compose(&mut self, bundle: &Bundle, wanted: &Wanted, next: &mut Vec<Bundle>) {
        let args = Args::from_slice(self.terms.args(wanted.term));
        match self.terms.head(wanted.term) {
            Head::Seal { .. } | Head::OneWay { .. } | Head::Step { .. } | Head::Sum | Head::Joined => {
                next.push(self.with(bundle.clone(), wanted, &args));
            }
            Head::OfAgents(Func::Pk) => next.push(self.with(bundle.clone(), wanted, &args)),
            Head::Inverse => {
                let hers = self.terms.leaf(HER);
                let hers = self.terms.raw(Head::OfAgents(Func::Pk), Args::from_slice(&[hers]));
                if self.powers.insider {
                    self.equal(bundle, wanted, &[(args[0], hers)], &[], next);
                }
            }
            Head::Power { based } => self.raise(bundle, wanted, based, &args, next),
            _ => {}
        }
    }

    /// A power of `g` from one with an exponent less, and that exponent.
    fn raise(&mut self, bundle: &Bundle, wanted: &Wanted, based: bool, args: &Args, next: &mut Vec<Bundle>) {
        let exponents = &args[usize::from(based)..];
        let base = based.then(|| args[0]);
        for (at, exponent) in exponents.iter().enumerate() {
            let mut rest = Args::from_slice(exponents);
            rest.remove(at);
            let mut needs = Args::from_slice(&[*exponent]);
            match (base, rest.is_empty()) {
                (None, true) => {}
                (Some(base), true) => needs.push(base),
                (_, false) => needs.push(self.terms.power(base, &rest)),
            }
            next.push(self.with(bundle.clone(), wanted, &needs));
        }
        // A share that she chose herself.
        if let Some(base) = base
            && let Head::Var(_) = self.terms.head(base)
        {
            let mut bundle = bundle.clone();
            let secret = bundle.store.var(Slot { sort: Sort::Exponent, width: None, hint: None, kind: None });
            let secret = self.terms.leaf(secret);
            let share = self.terms.power(None, &[secret]);
            let known = self.terms.power(None, exponents);
            self.equal(&bundle, wanted, &[(base, share)], &[known], next);
        }
    }

    /// A key that is hers if the agent of whom it is is her, or one whose keys she has.
    fn own(&mut self, bundle: &Bundle, wanted: &Wanted, next: &mut Vec<Bundle>) {
        if !matches!(self.terms.head(wanted.term), Head::OfAgents(_) | Head::LongTerm(_)) {
            return;
        }
        let her = self.terms.leaf(HER);
        let had = bundle.stolen.iter().filter(|(_, later)| !later || wanted.at == END);
        let mut agents: Vec<Term> = had.map(|(name, _)| *name).collect();
        if self.powers.insider {
            agents.push(her);
        }
        let args = Args::from_slice(self.terms.args(wanted.term));
        for arg in args {
            let arg = bundle.store.walk(self.terms, arg);
            if let Head::Var(_) = self.terms.head(arg) {
                for agent in &agents {
                    self.equal(bundle, wanted, &[(arg, *agent)], &[], next);
                }
            }
        }
    }

    /// She finds it in what a party sends: one that is in the bundle, or one that joins.
    fn find(&mut self, bundle: &Bundle, wanted: &Wanted, next: &mut Vec<Bundle>) {
        for part in 0..bundle.parts.len() {
            for step in 0..bundle.parts[part].instance.steps.len() {
                if bundle.parts[part].instance.steps[step].sends {
                    self.find_in(bundle, part, step, wanted, next);
                }
            }
        }
        for template in 0..self.cast.templates.len() {
            if !self.may_join(bundle, template) {
                continue;
            }
            for epoch in 0..=u8::from(self.powers.old_session_keys) {
                if wanted.at != END && bundle.epoch(wanted.at) < epoch {
                    continue;
                }
                let mut with = bundle.clone();
                let part = self.join(&mut with, template, epoch);
                for step in 0..with.parts[part].instance.steps.len() {
                    if with.parts[part].instance.steps[step].sends {
                        self.find_in(&with, part, step, wanted, next);
                    }
                }
            }
        }
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

    fn find_in(
        &mut self,
        bundle: &Bundle,
        part: usize,
        step: usize,
        wanted: &Wanted,
        next: &mut Vec<Bundle>,
    ) {
        let instance = bundle.parts[part].instance.clone();
        let done = bundle.parts[part].done.get(step).copied();
        if let Some(done) = done
            && (wanted.at != END && (done == wanted.at || bundle.is_before(wanted.at, done)))
        {
            return;
        }
        let mut finds = Vec::new();
        for sent in &instance.steps[step].parts {
            self.look(bundle, *sent, &mut Vec::new(), (wanted.at, wanted.term), &mut finds);
        }
        if finds.is_empty() {
            return;
        }
        let mut bundle = bundle.clone();
        let mut equal = Vec::new();
        if done.is_none() && !bundle.advance(part, step, &mut equal) {
            self.left_out = true;
            return;
        }
        let number = bundle.parts[part].done[step];
        if !bundle.order(number, wanted.at) {
            return;
        }
        if let Some(had) = bundle.had.last_mut() {
            had.from = Some(number);
        }
        for Find { there, needs } in finds {
            if let Some(there) = there
                && (self.is_chosen_by_her(&bundle, there)
                    || self.is_of_another_kind(&bundle, there, wanted.term))
            {
                continue;
            }
            let mut pairs = equal.clone();
            pairs.extend(there.map(|there| (there, wanted.term)));
            self.equal(&bundle, wanted, &pairs, &needs, next);
        }
    }

    /// Whether a term is a variable that she fills as she likes: what she has she need not find.
    fn is_chosen_by_her(&mut self, bundle: &Bundle, term: Term) -> bool {
        let term = bundle.store.walk(self.terms, term);
        matches!(self.terms.head(term), Head::Var(_))
            && bundle.wanted.iter().any(|wanted| bundle.store.walk(self.terms, wanted.term) == term)
    }

    /// Whether a term is a variable that stands in fields of another kind than what is looked for.
    /// What she does not have gets there only in fields that honest parties wrote, who wrote its
    /// own kind on it; where an exclusive or is undone, a value may change its kind.
    fn is_of_another_kind(&mut self, bundle: &Bundle, term: Term, target: Term) -> bool {
        if self.widths.is_flat() || self.powers.sums {
            return false;
        }
        let term = bundle.store.walk(self.terms, term);
        let Head::Var(var) = self.terms.head(term) else { return false };
        let Some(kind) = bundle.store.slot(var).kind else { return false };
        self.kind(target).is_some_and(|other| other != kind)
    }

    /// The kind that honest parties write on a value.
    fn kind(&self, term: Term) -> Option<Kind> {
        Some(match self.terms.head(term) {
            Head::Name(_) => Kind::Name,
            Head::Text(_) => Kind::Text,
            Head::Atom(atom) => self.widths.atoms[atom as usize].of.kind(),
            Head::OfAgents(Func::Pk) => Kind::Public,
            Head::OfAgents(Func::Cert) => Kind::Certificate,
            Head::OfAgents(Func::K | Func::Pw) => Kind::Key,
            Head::Seal { .. } => Kind::Cipher,
            Head::OneWay { func, .. } => crate::algebra::kind_of(func, None)?,
            Head::Power { .. } => Kind::Share,
            Head::Step { .. } => return self.kind(self.terms.args(term)[0]),
            _ => return None,
        })
    }

    /// Every place in a term where `target` may be found.
    fn look(
        &mut self,
        bundle: &Bundle,
        term: Term,
        needs: &mut Vec<Term>,
        (at, target): (StepId, Term),
        finds: &mut Vec<Find>,
    ) {
        let term = bundle.store.walk(self.terms, term);
        let (head, args) = (self.terms.head(term), Args::from_slice(self.terms.args(term)));
        if self.may_equal(head, term, target) {
            finds.push(Find { there: Some(term), needs: needs.clone() });
        }
        match head {
            Head::Seal { asymmetric, .. } => {
                let key = bundle.store.walk(self.terms, args[0]);
                let opener = if asymmetric { self.terms.inverse(key) } else { key };
                if self.is_out_of_reach(bundle, at, opener) {
                    return;
                }
                needs.push(opener);
                args[1..].iter().for_each(|arg| self.look(bundle, *arg, needs, (at, target), finds));
                needs.pop();
            }
            Head::Step { .. } | Head::Joined => {
                args.iter().for_each(|arg| self.look(bundle, *arg, needs, (at, target), finds));
            }
            Head::Sum => {
                if self.terms.head(target) == Head::Sum {
                    let rest = self.terms.sum(&[term, target]);
                    let members = match self.terms.head(rest) {
                        Head::Sum => self.terms.args(rest).len(),
                        _ => 1,
                    };
                    // What has nothing in common with it does not help.
                    if members < args.len() + self.terms.args(target).len() {
                        let mut needs = needs.clone();
                        needs.extend((members > 0).then_some(rest));
                        finds.push(Find { there: None, needs });
                    }
                }
                for (nth, arg) in args.iter().enumerate() {
                    let mut others = args.clone();
                    others.remove(nth);
                    needs.push(self.terms.sum(&others));
                    self.look(bundle, *arg, needs, (at, target), finds);
                    needs.pop();
                }
            }
            _ => {}
        }
    }

    /// Whether it is worth while to make two terms equal.
    fn may_equal(&self, head: Head, term: Term, target: Term) -> bool {
        let wanted = self.terms.head(target);
        match head {
            Head::Atom(_) | Head::Name(_) | Head::Text(_) => term == target,
            Head::Var(_) => true,
            Head::Step { .. } => true,
            Head::Sum => wanted == Head::Sum && !(self.terms.is_ground(term) && self.terms.is_ground(target)),
            Head::Joined => wanted == Head::Joined,
            Head::Power { .. } => matches!(wanted, Head::Power { .. }),
            _ => match wanted {
                Head::Step { .. } | Head::Sum | Head::Joined => true,
                Head::Inverse => matches!(head, Head::OfAgents(Func::Sk)),
                _ => wanted == head,
            },
        }
    }

    /// Session keys of runs that were over before.
    fn leaked(&mut self, bundle: &Bundle, wanted: &Wanted, next: &mut Vec<Bundle>) {
        if wanted.at != END && bundle.epoch(wanted.at) == 0 {
            return;
        }
        let mut from = |intruder: &mut Self, bundle: &Bundle, part: usize| {
            if bundle.parts[part].epoch != 0
                || intruder.cast.templates[bundle.parts[part].template].is_service
            {
                return;
            }
            let last = bundle.parts[part].instance.steps.len() - 1;
            let mut bundle = bundle.clone();
            let mut equal = Vec::new();
            if !bundle.advance(part, last, &mut equal) {
                intruder.left_out = true;
                return;
            }
            let keys = intruder.cast.templates[bundle.parts[part].template].session_keys.clone();
            for key in keys {
                if let Some((_, value)) = bundle.value(part, key) {
                    let mut pairs = equal.clone();
                    pairs.push((value, wanted.term));
                    intruder.equal(&bundle, wanted, &pairs, &[], next);
                }
            }
        };
        for part in 0..bundle.parts.len() {
            from(self, bundle, part);
        }
        for template in 0..self.cast.templates.len() {
            if self.may_join(bundle, template) {
                let mut with = bundle.clone();
                let part = self.join(&mut with, template, 0);
                from(self, &with, part);
            }
        }
    }

    /// The bundle in which these pairs are equal and these terms are wanted for `wanted`.
    fn equal(
        &mut self,
        bundle: &Bundle,
        wanted: &Wanted,
        pairs: &[(Term, Term)],
        needs: &[Term],
        next: &mut Vec<Bundle>,
    ) {
        for store in bundle.store.unify(self.terms, self.widths, pairs) {
            let bundle = Bundle { store, ..bundle.clone() };
            if bundle.differs(self.terms) {
                next.push(self.with(bundle, wanted, needs));
            }
        }
    }

    fn with(&mut self, mut bundle: Bundle, wanted: &Wanted, needs: &[Term]) -> Bundle {
        if needs.is_empty() {
            return bundle;
        }
        let made_for = Some(bundle.had.len() - 1);
        let want = |term: &Term| Wanted { at: wanted.at, term: *term, made_for };
        bundle.wanted.extend(needs.iter().map(want));
        bundle
    }
}

/// The set of the first so many steps.
fn low_bits(many: usize) -> u128 {
    1u128.checked_shl(many as u32).map_or(u128::MAX, |bit| bit - 1)
}
