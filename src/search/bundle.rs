//! A bundle: the steps of honest parties that an attack needs so far, in which order as far as it
//! matters, and what the attacker must still make. Must not know how she makes it.

use std::collections::BTreeMap;
use std::rc::Rc;

use smallvec::SmallVec;

use super::role::{Fresh, Moment, Template};
use super::shared::Shared;
use super::sort::{Atom, Sort, Widths};
use super::store::{Slot, Store};
use super::term::{Head, Term, Terms};
use crate::notation::Id;

/// Steps in one bundle at most: as many as a set of their numbers has bits.
pub const MAX_BUNDLE_STEPS: usize = 128;

/// The number of a step in a bundle.
pub type StepId = u8;

/// After everything: what she has in the end.
pub const END: StepId = u8::MAX;

/// What of a party's she comes by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stolen {
    /// All its long-term keys, from the start.
    Keys,
    /// The same, only in the end.
    KeysLater,
    /// Its password, once she has something to check words against.
    WeakPassword,
}

impl Stolen {
    /// Whether a party's long-term keys are hers at a step.
    pub fn gives_keys(self, at: StepId) -> bool {
        match self {
            Stolen::Keys => true,
            Stolen::KeysLater => at == END,
            Stolen::WeakPassword => false,
        }
    }
}

/// A part that a party takes, as its terms stand in a bundle.
#[derive(Debug)]
pub struct Instance {
    /// The part's steps.
    pub steps: Vec<Moment>,
    /// The names of the roles, as it takes them.
    pub names: BTreeMap<Id, Term>,
    /// Its own name, and those that it chooses before it begins: they differ from one another.
    pub chosen: Vec<Term>,
    /// Whom it takes for the other clients' roles.
    pub others: Vec<Term>,
}

/// A part and how far it got.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which role and program.
    pub template: usize,
    /// When it happens.
    pub epoch: u8,
    /// Its terms.
    pub instance: Rc<Instance>,
    /// The numbers of the steps that it did.
    pub done: SmallVec<[StepId; 8]>,
    /// Whether it is a service's session that costs nothing that another may need.
    pub is_free: bool,
}

/// Something that she must make before a step.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The step that takes it.
    pub at: StepId,
    /// What.
    pub term: Term,
    /// Which of the things that she makes it is for, if not for the message itself.
    pub made_for: Option<usize>,
}

/// Something that she can make.
#[derive(Clone, Copy, Debug)]
pub struct Had {
    /// The step for which she made it.
    pub since: StepId,
    /// What.
    pub term: Term,
    /// The step that sent what she has it from, if she did not make it of its parts.
    pub from: Option<StepId>,
}

/// A step of a part.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The part.
    pub part: usize,
    /// Which of its steps.
    pub step: usize,
    /// The steps that come before.
    pub before: u128,
}

/// The parts of a search's bundles, written out for the places that they have.
#[derive(Default, Debug)]
pub struct Cast {
    /// The roles' programs.
    pub templates: Vec<Template>,
    instances: BTreeMap<(usize, usize, usize, u8), Rc<Instance>>,
}

/// What an attack needs so far.
#[derive(Clone, Default, Debug)]
pub struct Bundle {
    /// The parts.
    pub parts: Shared<Part>,
    /// The steps.
    pub places: Shared<Place>,
    /// What variables stand for.
    pub store: Store,
    /// What she must still make.
    pub wanted: Shared<Wanted>,
    /// What she can make.
    pub had: Shared<Had>,
    /// Which of these she needs which other for.
    pub needs: Shared<(u16, u16)>,
    /// Pairs of names that differ.
    pub differ: Shared<(Term, Term)>,
    /// Messages that parties take in it.
    pub taken: usize,
    /// Agents of whose secrets she comes by some.
    pub stolen: Shared<(Term, Stolen)>,
}

impl Bundle {
    /// Nothing yet.
    pub fn new() -> Bundle {
        Bundle::default()
    }

    /// A new part, which did nothing yet.
    pub fn join(
        &mut self,
        terms: &mut Terms,
        widths: &mut Widths,
        cast: &mut Cast,
        template: usize,
        (epoch, good): (u8, Option<u8>),
        self_talk: bool,
    ) -> usize {
        let part = self.parts.len();
        let base = self.store.len();
        for slot in &cast.templates[template].slots {
            let sort = match slot.sort {
                Sort::Time(_) => Sort::Time(good),
                Sort::Expiry(_) => Sort::Expiry(Some(epoch)),
                other => other,
            };
            self.store.var(Slot { sort, ..*slot });
        }
        let key = (template, part, base, epoch);
        let instance = match cast.instances.get(&key) {
            Some(instance) => instance.clone(),
            None => {
                let instance =
                    Rc::new(instantiate(terms, widths, &cast.templates[template], part, base, epoch));
                cast.instances.insert(key, instance.clone());
                instance
            }
        };
        for (nth, a) in instance.chosen.iter().enumerate() {
            self.differ.extend(instance.chosen[nth + 1..].iter().map(|b| (*a, *b)));
        }
        if let (Some(own), false) = (instance.chosen.first(), self_talk) {
            let others = instance.others.iter().filter(|other| !instance.chosen.contains(other));
            self.differ.extend(others.map(|other| (*own, *other)));
        }
        self.parts.push(Part { template, epoch, instance, done: SmallVec::new(), is_free: false });
        part
    }

    /// Has a part do its steps up to this one. What it takes is wanted; what must be equal is
    /// added to `equal`. False if the bundle would have too many steps.
    pub fn advance(&mut self, part: usize, upto: usize, equal: &mut Vec<(Term, Term)>) -> bool {
        for step in self.parts[part].done.len()..=upto {
            let number = self.places.len();
            if number >= MAX_BUNDLE_STEPS {
                return false;
            }
            let before = match self.parts[part].done.last() {
                Some(last) => self.places[usize::from(*last)].before | bit(*last),
                None => 0,
            };
            let number = number as StepId;
            self.places.push(Place { part, step, before });
            let moment = &self.parts[part].instance.clone().steps[step];
            if !moment.sends {
                self.taken += 1;
                let wanted = |term: &Term| Wanted { at: number, term: *term, made_for: None };
                self.wanted.extend(moment.parts.iter().map(wanted));
                self.wanted.push(wanted(&moment.peer));
                equal.extend_from_slice(&moment.equal);
            }
            self.parts[part].done.push(number);
        }
        true
    }

    /// Whether a step comes before another.
    pub fn is_before(&self, first: StepId, then: StepId) -> bool {
        then == END
            || (first != END
                && (self.places[usize::from(then)].before & bit(first) != 0
                    || self.epoch(first) < self.epoch(then)))
    }

    /// Has a step come before another. False if it cannot.
    pub fn order(&mut self, first: StepId, then: StepId) -> bool {
        if then == END || self.is_before(first, then) {
            return true;
        }
        if first == then || self.is_before(then, first) || self.epoch(first) > self.epoch(then) {
            return false;
        }
        let earlier = self.places[usize::from(first)].before | bit(first);
        for number in 0..self.places.len() as StepId {
            if number == then || self.is_before(then, number) {
                self.places[usize::from(number)].before |= earlier;
            }
        }
        true
    }

    /// When a step happens.
    pub fn epoch(&self, step: StepId) -> u8 {
        match step {
            END => u8::MAX,
            step => self.parts[self.places[usize::from(step)].part].epoch,
        }
    }

    /// Whether all names that must differ may.
    pub fn differs(&self, terms: &mut Terms) -> bool {
        self.differ.iter().all(|(a, b)| self.store.walk(terms, *a) != self.store.walk(terms, *b))
    }

    /// What is made with the help of this, itself included: nothing of that can help to make it.
    pub fn above(&self, made: Option<usize>) -> SmallVec<[usize; 8]> {
        let mut above: SmallVec<[usize; 8]> = made.into_iter().collect();
        let mut at = 0;
        while at < above.len() {
            let below = above[at] as u16;
            for (maker, need) in self.needs.iter() {
                if *need == below && !above.contains(&usize::from(*maker)) {
                    above.push(usize::from(*maker));
                }
            }
            at += 1;
        }
        above
    }

    /// The value that a part has for a term, and the step since which it has it.
    pub fn value(&self, part: usize, id: Id) -> Option<(StepId, Term)> {
        let part = &self.parts[part];
        let steps = part.done.iter().zip(&part.instance.steps);
        let mut concluded = steps.flat_map(|(number, step)| step.concludes.iter().map(move |c| (*number, c)));
        concluded.find(|(_, (concluded, _))| *concluded == id).map(|(number, (_, term))| (number, *term))
    }

    /// Whether a part did all its steps.
    pub fn is_complete(&self, part: usize) -> bool {
        self.parts[part].done.len() == self.parts[part].instance.steps.len()
    }
}

/// The set of this step alone.
fn bit(step: StepId) -> u128 {
    1 << step
}

/// A part's terms, with the numbers that its variables and values have in a bundle.
fn instantiate(
    terms: &mut Terms,
    widths: &mut Widths,
    template: &Template,
    part: usize,
    base: usize,
    epoch: u8,
) -> Instance {
    let first = widths.atoms.len();
    let atom =
        |fresh: &Fresh| Atom { of: fresh.of, width: fresh.width, part: part as u32, id: fresh.id, epoch };
    widths.atoms.extend(template.atoms.iter().map(atom));
    let mut rename = |term: Term| {
        terms.replace(term, &mut |terms, head| match head {
            Head::Var(var) => Some(terms.leaf(Head::Var(var + base as u32))),
            Head::Atom(atom) => Some(terms.leaf(Head::Atom(atom + first as u32))),
            _ => None,
        })
    };
    let mut moment = |moment: &Moment| Moment {
        line: moment.line,
        sends: moment.sends,
        peer: rename(moment.peer),
        parts: moment.parts.iter().map(|part| rename(*part)).collect(),
        equal: moment.equal.iter().map(|(a, b)| (rename(*a), rename(*b))).collect(),
        concludes: moment.concludes.iter().map(|(id, term)| (*id, rename(*term))).collect(),
    };
    let steps = template.steps.iter().map(&mut moment).collect();
    Instance {
        steps,
        names: template.names.iter().map(|(id, name)| (*id, rename(*name))).collect(),
        chosen: template.chosen.iter().map(|name| rename(*name)).collect(),
        others: template.others.iter().map(|name| rename(*name)).collect(),
    }
}
