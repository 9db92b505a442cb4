//! A derivation, carried out on bytes and told in words.

use std::collections::{BTreeMap, BTreeSet};

use super::Holdings;
use super::graph::{By, Id, Rule, provenance};
use super::held::Way;
use super::untagged::Source;
use crate::algebra::{Bytes, Form, Func, Part, Private, Provenance, Public, Value, encode, step, xor};
use crate::journal::{Gain, Journal, Wire};
use crate::limits::Reached;
use crate::notation::Kind;
use crate::party::KMS_PROTOCOL;

/// A derivation, step by step, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Derivation {
    /// The steps; the last gives the value.
    pub steps: Vec<DerivationStep>,
}

/// A step of a derivation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DerivationStep {
    /// In words.
    pub text: String,
    /// The event from which on it can be done: she may find another way before. None of what takes
    /// keys that leak when the play is over.
    pub since: Option<u64>,
}

impl Derivation {
    /// The steps in words.
    pub fn texts(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.text.clone()).collect()
    }

    /// The event from which on all of it can be done.
    pub fn since(&self) -> Option<u64> {
        self.steps.last().map_or(Some(0), |step| step.since)
    }
}

/// What people call a value.
#[derive(Clone, Debug)]
enum Called {
    /// A name or a text, which is shown as it is.
    Plainly(String),
    /// A term, which is shown with its fingerprint.
    Value(String),
}

/// What people call values, by their bytes: nothing yet, of one for which no name came along.
struct Names(BTreeMap<Bytes, Option<Called>>);

impl Holdings {
    /// How she comes to a value, if she does: carried out on her bytes.
    ///
    /// # Panics
    /// If what follows on symbols does not come out on bytes: a defect, of which no verdict may
    /// be made.
    pub fn derive(&self, journal: &Journal, value: &Value) -> Option<Derivation> {
        if !self.derivable(value) {
            return None;
        }
        let order = self.order(self.graph.find(value)?);
        for id in &order {
            assert!(
                self.comes_out(*id, journal),
                "what is derived must come out on bytes: {:?} by {:?}",
                self.graph.value(*id),
                self.held.way(*id)
            );
        }
        let wanted = order.iter().map(|id| self.graph.value(*id).bytes.clone()).collect();
        let names = Names::of(journal, wanted);
        let mut since: BTreeMap<Id, Option<u64>> = BTreeMap::new();
        let mut steps = Vec::with_capacity(order.len());
        for id in order {
            let of_inputs = self.needs(id).iter().map(|need| since.get(need).copied().flatten()).collect();
            let at = self.since(id, of_inputs);
            since.insert(id, at);
            steps.extend(self.tell(id, &names, journal).map(|text| DerivationStep { text, since: at }));
        }
        Some(Derivation { steps })
    }

    /// The event from which on she can do the last step to a value, with those of what it takes.
    fn since(&self, id: Id, of_inputs: Vec<Option<u64>>) -> Option<u64> {
        let all = || of_inputs.iter().copied().try_fold(0, |last, one| Some(one?.max(last)));
        match self.held.way(id)? {
            Way::Public => Some(0),
            Way::Seen { .. } | Way::Sent { .. } | Way::Own(_) | Way::Made | Way::Handed(_) => {
                self.held.since(id)
            }
            Way::Guessed { .. } | Way::Recovered { .. } => Some(all()?.max(self.held.since(id)?)),
            Way::CutOut { blob } => match self.blobs.get(*blob).source {
                Source::Message { event, .. } => Some(event),
                Source::Opened(_) => all(),
            },
            Way::By(rule) => match self.graph.rules[rule.index()].by {
                By::Logarithm(_) | By::Factoring => Some(all()?.max(self.graph.quantum_since?)),
                _ => all(),
            },
            Way::Sum(_) | Way::Joined(_) | Way::Fits { .. } => all(),
        }
    }

    /// Everything that it takes to come to a value, each after what it takes itself.
    fn order(&self, target: Id) -> Vec<Id> {
        let (mut order, mut done, mut begun) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut open = vec![target];
        while let Some(id) = open.last().copied() {
            if done.contains(&id) {
                open.pop();
            } else if begun.insert(id) {
                let needs = self.needs(id);
                open.extend(needs.into_iter().rev().filter(|need| !done.contains(need)));
            } else {
                open.pop();
                done.insert(id);
                order.push(id);
            }
        }
        order
    }

    /// What a value was come to from.
    fn needs(&self, id: Id) -> Vec<Id> {
        match self.held.way(id) {
            Some(Way::By(rule)) => self.graph.rules[rule.index()].from.to_vec(),
            Some(Way::Sum(from) | Way::Joined(from)) => from.clone(),
            Some(Way::CutOut { blob }) => match self.blobs.get(*blob).source {
                Source::Opened(rule) => self.graph.rules[rule.index()].from.to_vec(),
                Source::Message { .. } => Vec::new(),
            },
            Some(Way::Fits { tested, with, .. }) => std::iter::once(*tested).chain(with.clone()).collect(),
            Some(Way::Guessed { tested, .. }) => {
                self.graph.alike(tested).filter(|id| self.held.has(*id)).take(1).collect()
            }
            Some(Way::Recovered { from, .. }) => {
                let held = |bytes| self.graph.alike(bytes).find(|id| self.held.has(*id));
                from.iter().filter_map(held).collect()
            }
            Some(
                Way::Public | Way::Seen { .. } | Way::Sent { .. } | Way::Own(_) | Way::Made | Way::Handed(_),
            )
            | None => Vec::new(),
        }
    }

    /// Carries out the last step to a value on bytes.
    fn comes_out(&self, id: Id, journal: &Journal) -> bool {
        let target = &self.graph.value(id).bytes;
        match self.held.way(id) {
            Some(Way::By(rule)) => self.carry_out(&self.graph.rules[rule.index()], target, journal),
            Some(Way::Sum(from)) => {
                let zero = vec![0; target.len()];
                let sum = from.iter().try_fold(zero, |sum, id| xor(&sum, &self.graph.value(*id).bytes));
                sum.is_ok_and(|sum| sum == target.as_slice())
            }
            Some(Way::CutOut { blob }) => {
                self.blobs.get(*blob).bytes.windows(target.len()).any(|w| w == target.as_slice())
            }
            // Padding stands between some of them.
            Some(Way::Joined(from)) => {
                let mut rest = target.as_slice();
                from.iter().all(|id| {
                    let piece = self.graph.value(*id).bytes.as_slice();
                    let at = rest.iter().take_while(|byte| **byte == 0).count();
                    let skipped = (0..=at).find(|skip| rest[*skip..].starts_with(piece));
                    rest = skipped.map_or(rest, |skip| &rest[skip + piece.len()..]);
                    skipped.is_some()
                }) && rest.iter().all(|byte| *byte == 0)
            }
            Some(
                Way::Public
                | Way::Seen { .. }
                | Way::Sent { .. }
                | Way::Own(_)
                | Way::Made
                | Way::Handed(_)
                | Way::Fits { .. }
                | Way::Guessed { .. }
                | Way::Recovered { .. },
            ) => true,
            None => false,
        }
    }

    fn carry_out(&self, rule: &Rule, target: &Bytes, journal: &Journal) -> bool {
        let from = |nth: usize| self.graph.value(rule.from[nth]);
        match &rule.by {
            By::Computing(nth) | By::Confining(nth) => {
                provenance(journal, *nth).is_some_and(|of| gives(of, target))
            }
            By::Computed(of) => gives(of, target),
            // That it is right anybody can see: the power comes of it.
            By::Logarithm(nth) => provenance(journal, *nth).is_some_and(|of| {
                of.inputs.last().is_some_and(|exponent| exponent.value.bytes == *target)
                    && gives(of, &from(0).bytes)
            }),
            By::Factoring => {
                let of = |bytes: &[u8]| Public::from_bytes(bytes).ok();
                let hers = Private::from_bytes(target).map(|private| private.public());
                hers.is_ok_and(|hers| of(&from(0).bytes).is_some_and(|public| public.has(&hers)))
            }
            By::Signing(nth) => provenance(journal, *nth).is_some_and(|of| {
                let hers = std::iter::once(Part::of(from(0).clone()));
                let inputs = hers.chain(of.inputs.iter().skip(1).cloned()).collect();
                gives(&Provenance { inputs, ..of.clone() }, target)
            }),
            By::SteppingBack { up } => step(&from(0).bytes, !up) == target.as_slice(),
            By::Publishing => Private::from_bytes(&from(0).bytes)
                .is_ok_and(|private| private.public().to_value().bytes == *target),
            By::Opening(nth) => {
                let Some(of) = provenance(journal, *nth) else { return false };
                let Form::Cipher(cipher) = of.func.definition().form else { return false };
                let opened = cipher.open(from(1), of.binding.label(), &from(0).bytes, self.suite);
                let inside = encode(&of.binding.encoding(), &of.inputs[1..]);
                // Outside the notation there is more in a message than the values it is about.
                opened.is_ok_and(|plain| {
                    !of.binding.is_notated() || inside.is_ok_and(|inside| inside == **plain)
                })
            }
        }
    }

    /// The last step to a value in words; none if everybody knows it.
    fn tell(&self, id: Id, names: &Names, journal: &Journal) -> Option<String> {
        let she = self.attacker.as_deref().unwrap_or("the attacker");
        let name = |id: Id| names.name(&self.graph.value(id).bytes);
        let list =
            |ids: &[Id], between: &str| ids.iter().map(|id| name(*id)).collect::<Vec<_>>().join(between);
        let it = name(id);
        Some(match self.held.way(id)? {
            Way::Public => return None,
            Way::Seen { place, from } => format!("{it} went over the wire in {place} from {from}"),
            Way::Sent { place } => format!("{she} herself put {it} on the wire in {place}"),
            Way::Own(term) => format!("{she} has {term} from the start"),
            Way::Made => format!("{it} is {she}'s own making"),
            Way::Handed(term) => format!("{term} was handed to {she}"),
            Way::Guessed { term, words, tested } => format!(
                "{she} guesses {term} with word {words} of her dictionary, which fits {}",
                names.name(tested)
            ),
            Way::Fits { words, tested, .. } => format!(
                "{she} guesses {it} with word {words} of her dictionary, which fits {}",
                name(*tested)
            ),
            Way::Recovered { how, from } => {
                let from: Vec<String> = from.iter().map(|bytes| names.name(bytes)).collect();
                format!("{she} computes {it} by {how} {}", from.join(" and "))
            }
            Way::Sum(from) => format!("{she} takes the exclusive or of {} and has {it}", list(from, " and ")),
            Way::Joined(from) => format!("{she} puts side by side {} and has {it}", list(from, ", ")),
            Way::CutOut { blob } => match &self.blobs.get(*blob).source {
                Source::Message { run, line, .. } => {
                    format!("{she} cuts bytes out of message {run}.{line} and has {it}")
                }
                Source::Opened(rule) => {
                    let [sealed, key, ..] = self.graph.rules[rule.index()].from[..] else { return None };
                    format!(
                        "{she} opens {} with {}, cuts bytes out of the text and has {it}",
                        name(sealed),
                        self.called(key, names)
                    )
                }
            },
            Way::By(rule) => {
                let rule = &self.graph.rules[rule.index()];
                let computes = |func: Func| {
                    let told = func.definition().told;
                    format!("{she} {} {} and has {it}", told.verb, list(&rule.from, told.between))
                };
                match &rule.by {
                    By::Computing(nth) => computes(provenance(journal, *nth)?.func),
                    By::Computed(of) => computes(of.func),
                    By::Logarithm(_) => {
                        format!("{she}'s quantum computer finds the exponent of {}: {it}", name(rule.from[0]))
                    }
                    By::Factoring => {
                        format!(
                            "{she}'s quantum computer finds {it}, the private key of {}",
                            name(rule.from[0])
                        )
                    }
                    By::Signing(_) => format!(
                        "{she} signs {} with {} and has {it}, the only signature that there is",
                        list(&rule.from[1..], ", "),
                        self.called(rule.from[0], names)
                    ),
                    By::Opening(_) => format!(
                        "{she} opens {} with {} and reads {it}",
                        name(rule.from[0]),
                        self.called(rule.from[1], names)
                    ),
                    By::SteppingBack { .. } => {
                        format!("{she} undoes the step to {} and has {it}", name(rule.from[0]))
                    }
                    By::Confining(_) => {
                        format!("{} is of small order: raised to anything it gives {it}", name(rule.from[0]))
                    }
                    By::Publishing => {
                        format!("{she} takes the public half of {} and has {it}", name(rule.from[0]))
                    }
                }
            }
        })
    }

    /// A key as people call it: one that was handed over, or her own, by its term.
    fn called(&self, key: Id, names: &Names) -> String {
        match self.held.way(key) {
            Some(Way::Own(term) | Way::Handed(term)) => term.clone(),
            _ => names.name(&self.graph.value(key).bytes),
        }
    }
}

/// Whether a computation gives these bytes. Where a limit keeps it from being done again, that
/// says nothing against it: it was done once.
fn gives(of: &Provenance, target: &Bytes) -> bool {
    match of.compute() {
        Ok(value) => value.is_some_and(|value| value.bytes == *target),
        Err(reason) => Reached::behind(reason).is_some(),
    }
}

impl Names {
    /// What people call these.
    fn of(journal: &Journal, wanted: Vec<Bytes>) -> Names {
        let mut names = Names(wanted.into_iter().map(|bytes| (bytes, None)).collect());
        for event in journal.events() {
            let topics = event.what.topics();
            if let Some(Wire::Sent(message) | Wire::Injected(message, _)) = topics.wire
                // What a request to the key centre gave is known by its number.
                && *message.protocol != *KMS_PROTOCOL
            {
                let open = |value: &Value| names.0.get(&value.bytes).is_some_and(Option::is_none);
                let named = message.shown.names_of(&open);
                named.iter().for_each(|(term, value)| names.call(value, term));
            }
            // What she had from the start is called by her own term where it is used.
            if let Some(gain) = topics.gain
                && !matches!(gain, Gain::Equipped(..))
            {
                let (term, value) = gain.named();
                names.call(value, &term);
            }
        }
        names
    }

    fn call(&mut self, value: &Value, name: &str) {
        let plain = match value.kind {
            Kind::Name => value.text().map(str::to_owned),
            Kind::Text => value.text().map(|t| format!("\"{t}\"")),
            _ => None,
        };
        let named = || plain.map_or_else(|| Called::Value(name.to_owned()), Called::Plainly);
        if let Some(place) = self.0.get_mut(&value.bytes) {
            place.get_or_insert_with(named);
        }
    }

    /// A value as people know it: a name or a text as it is, anything else with its fingerprint.
    fn name(&self, bytes: &Bytes) -> String {
        match self.0.get(bytes) {
            Some(Some(Called::Plainly(name))) => name.clone(),
            Some(Some(Called::Value(name))) => format!("{name} {}", bytes.fingerprint()),
            Some(None) | None => format!("a value {}", bytes.fingerprint()),
        }
    }
}
