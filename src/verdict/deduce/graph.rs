//! Every value of a play, and what follows from what: for each computation that anybody carried
//! out the rules by which its result, or what went into it, can be had. Symbols only: no bytes
//! are computed here, but those of a power of `g` that nobody made. Must not know who has what.

use std::collections::BTreeMap;

use smallvec::{SmallVec, smallvec};

use crate::algebra::{Bytes, Form, Func, How, Part, Private, Provenance, Public, Value};
use crate::hashed::Hashed;
use crate::journal::Journal;
use crate::notation::Kind;

/// The number of a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Id(u32);

impl Id {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The number of a rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RuleId(u32);

impl RuleId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Who has all of `from` can have all of `gives`.
#[derive(Clone, Debug)]
pub struct Rule {
    pub from: SmallVec<[Id; 2]>,
    pub gives: SmallVec<[Id; 2]>,
    pub by: By,
}

/// How a rule is carried out.
#[derive(Clone, Debug)]
pub enum By {
    /// The computation of that many-th value that was made, with the same inputs.
    Computing(u32),
    /// A computation that nobody carried out this way.
    Computed(Box<Provenance>),
    /// With the second of `from`, which is the key, the first is opened: that many-th value
    /// that was made.
    Opening(u32),
    /// The step back, from the result to the argument.
    SteppingBack {
        /// Whether the result is the greater.
        up: bool,
    },
    /// With the first of `from`, which is the private key, the text of that many-th value that
    /// was made is signed again.
    Signing(u32),
    /// The first of `from` is of small order: raised to anything it gives zero, as the computation
    /// of that many-th value that was made did.
    Confining(u32),
    /// The public half of a private key.
    Publishing,
    /// The exponent by which that many-th value that was made is a power of the second of `from`, or
    /// of `g`: a quantum computer finds it.
    Logarithm(u32),
    /// The private key of a public one: a quantum computer finds it.
    Factoring,
}

/// A linear relation: the exclusive or of these values is zero.
pub type Relation = SmallVec<[Id; 3]>;

/// A value, and whether it is by its nature known to all.
#[derive(Clone, Debug)]
pub struct Node {
    pub value: Value,
    pub is_public: bool,
    /// The rules that need it.
    pub used_in: SmallVec<[RuleId; 2]>,
    /// The last computation of it.
    computed_by: Option<RuleId>,
}

/// The values of a play and what follows from what.
#[derive(Clone, Default, Debug)]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub rules: Vec<Rule>,
    pub relations: Vec<Relation>,
    /// The event from which on she has a quantum computer, if she ever does.
    pub quantum_since: Option<u64>,
    ids: Hashed<(bool, Bytes), Id>,
    powers: Powers,
    /// Results of what takes a private key, and which values that were made they are.
    asymmetric: Vec<(Id, u32)>,
}

/// Powers of `g` by their base and exponents: a base is `g`, or a share of which nobody knows
/// how it was made.
#[derive(Clone, Default, Debug)]
struct Powers {
    of: BTreeMap<Id, Power>,
    ids: BTreeMap<Power, Id>,
}

type Power = (Option<Id>, SmallVec<[Id; 2]>);

/// How the n-th value that was made was computed.
pub fn provenance(journal: &Journal, nth: u32) -> Option<&Provenance> {
    match &journal.made().get(nth as usize)?.made.how {
        How::Computed(of) => Some(of),
        How::Drawn | How::PublicOf(_) => None,
    }
}

/// Fields that say what everybody knows: names, constants, public keys, certificates.
fn is_document(kind: Kind) -> bool {
    matches!(kind, Kind::Name | Kind::Text | Kind::Public | Kind::Certificate)
}

impl Graph {
    /// Reads every computation off a journal; `others` are values of which nobody may have
    /// computed anything.
    pub fn of<'a>(journal: &'a Journal, others: impl IntoIterator<Item = &'a Value>) -> Graph {
        let mut graph = Graph::default();
        others.into_iter().for_each(|value| {
            graph.note(value);
        });
        for (nth, maker) in (0..).zip(journal.made()) {
            let result = graph.note(&maker.made.value);
            match &maker.made.how {
                How::Drawn => graph.nodes[result.index()].is_public = false,
                How::PublicOf(private) => {
                    let private = graph.note(private);
                    graph.nodes[result.index()].is_public = false;
                    graph.rule(smallvec![private], smallvec![result], By::Publishing);
                }
                How::Computed(of) => graph.computation(result, of, nth),
            }
        }
        graph
    }

    /// The number of a value. What everybody knows by its nature, a name for one, is another
    /// value than a secret that happens to have the same bytes.
    pub fn note(&mut self, value: &Value) -> Id {
        let place = (is_document(value.kind), value.bytes.clone());
        if let Some(id) = self.ids.get(&place) {
            return *id;
        }
        let id = Id(self.nodes.len() as u32);
        self.ids.insert(place, id);
        self.nodes.push(Node {
            value: value.clone(),
            is_public: is_document(value.kind),
            used_in: SmallVec::new(),
            computed_by: None,
        });
        id
    }

    /// The number of a value that is there.
    pub fn find(&self, value: &Value) -> Option<Id> {
        self.ids.get(&(is_document(value.kind), value.bytes.clone())).copied()
    }

    /// Every value with these bytes: as a document and as what may be secret.
    pub fn alike(&self, bytes: &Bytes) -> impl Iterator<Item = Id> {
        [false, true].into_iter().filter_map(|document| self.ids.get(&(document, bytes.clone())).copied())
    }

    pub fn value(&self, id: Id) -> &Value {
        &self.nodes[id.index()].value
    }

    pub fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.nodes.len() as u32).map(Id)
    }

    pub fn rule(&mut self, from: SmallVec<[Id; 2]>, gives: SmallVec<[Id; 2]>, by: By) {
        let id = RuleId(self.rules.len() as u32);
        let mut needed = from.clone();
        needed.sort_unstable();
        needed.dedup();
        needed.iter().for_each(|input| self.nodes[input.index()].used_in.push(id));
        self.rules.push(Rule { from, gives, by });
    }

    fn computation(&mut self, result: Id, of: &Provenance, nth: u32) {
        let inputs: SmallVec<[Id; 2]> = of.inputs.iter().map(|part| self.note(&part.value)).collect();
        match of.func.definition().form {
            // Who computes the same as somebody before adds nothing.
            Form::OneWay(_) | Form::Step { .. } | Form::Encapsulation(_)
                if self.is_computed(result, &inputs) => {}
            Form::OneWay(_) | Form::Encapsulation(_) => self.compute(inputs, result, By::Computing(nth)),
            Form::Cipher(cipher) if cipher.is_asymmetric() => self.asymmetric.push((result, nth)),
            Form::Cipher(_) => {
                let gives = inputs[1..].iter().copied().collect();
                self.rule(smallvec![result, inputs[0]], gives, By::Opening(nth));
            }
            Form::Step { up } => {
                let argument = inputs[0];
                self.compute(inputs, result, By::Computing(nth));
                self.rule(smallvec![result], smallvec![argument], By::SteppingBack { up });
            }
            Form::Sum => {
                let relation: Relation = inputs.into_iter().chain([result]).collect();
                self.relations.push(relation);
            }
            // Whoever knows the share knows what comes of it, without an exponent.
            Form::Power if inputs.len() == 2 && self.value(result).bytes.iter().all(|byte| *byte == 0) => {
                self.rule(smallvec![inputs[0]], smallvec![result], By::Confining(nth));
            }
            Form::Power => self.power(result, &inputs, of),
            Form::Signature => self.asymmetric.push((result, nth)),
            // Agents' keys are nobody's computation.
            Form::OfAgents => {}
        }
    }

    /// A computation that gives the same bytes each time.
    fn compute(&mut self, from: SmallVec<[Id; 2]>, result: Id, by: By) {
        self.nodes[result.index()].computed_by = Some(RuleId(self.rules.len() as u32));
        self.rule(from, smallvec![result], by);
    }

    fn is_computed(&self, result: Id, from: &[Id]) -> bool {
        let rule = self.nodes[result.index()].computed_by.map(|rule| &self.rules[rule.index()]);
        rule.is_some_and(|rule| *rule.from == *from)
    }

    /// What takes a private key is done by whoever has one that fits: a ciphertext is opened,
    /// and a signature that is the same each time is made again.
    pub fn pair(&mut self, journal: &Journal) {
        let asymmetric = std::mem::take(&mut self.asymmetric);
        if asymmetric.is_empty() {
            return;
        }
        let mut openers: BTreeMap<Vec<u8>, Vec<Id>> = BTreeMap::new();
        let mut signers: BTreeMap<Vec<u8>, Vec<Id>> = BTreeMap::new();
        let mut only: BTreeMap<Id, Vec<u8>> = BTreeMap::new();
        for id in self.ids() {
            let value = self.value(id);
            if value.kind == Kind::Private
                && let Ok(key) = Private::from_bytes(&value.bytes)
            {
                let Public { encryption, signature } = key.public();
                encryption.into_iter().for_each(|public| openers.entry(public).or_default().push(id));
                if let Some(public) = signature
                    && key.signing.is_some_and(|key| key.suite().is_deterministic())
                {
                    signers.entry(public.clone()).or_default().push(id);
                    only.insert(id, public);
                }
            }
        }
        for (result, nth) in asymmetric {
            let Some(of) = provenance(journal, nth) else { continue };
            let Some((Part { value: key, .. }, inside)) = of.inputs.split_first() else { continue };
            let inside: SmallVec<[Id; 2]> = inside.iter().filter_map(|part| self.find(&part.value)).collect();
            if matches!(of.func.definition().form, Form::Signature) {
                let public = self.find(key).and_then(|key| only.get(&key));
                for signer in public.and_then(|key| signers.get(key)).into_iter().flatten() {
                    let from = std::iter::once(*signer).chain(inside.iter().copied()).collect();
                    self.rule(from, smallvec![result], By::Signing(nth));
                }
            } else {
                let public = Public::from_bytes(&key.bytes).ok().and_then(|key| key.encryption);
                for opener in public.and_then(|key| openers.get(&key)).into_iter().flatten() {
                    self.rule(smallvec![result, *opener], inside.clone(), By::Opening(nth));
                }
            }
        }
    }

    /// `g^x^y` follows from x and `g^y`, and from y and `g^x`.
    fn power(&mut self, result: Id, inputs: &[Id], of: &Provenance) {
        let (base, mut exponents) = match inputs {
            [share, _] => self.powers.of.get(share).cloned().unwrap_or((Some(*share), SmallVec::new())),
            _ => (None, SmallVec::new()),
        };
        exponents.extend(inputs.last().copied());
        exponents.sort_unstable();
        let power = (base, exponents);
        self.powers.of.entry(result).or_insert_with(|| power.clone());
        if self.powers.ids.insert(power.clone(), result).is_some() {
            return;
        }
        let (base, exponents) = power;
        for (at, exponent) in exponents.iter().enumerate() {
            let mut rest = exponents.clone();
            rest.remove(at);
            if let Some(share) = self.smaller(base, rest, of) {
                let (from, by): (SmallVec<[Id; 2]>, _) = match share {
                    Some(share) => (smallvec![share, *exponent], self.powering(Some(share), *exponent, of)),
                    None => (smallvec![*exponent], self.powering(None, *exponent, of)),
                };
                self.rule(from, smallvec![result], By::Computed(Box::new(by)));
            }
        }
    }

    fn powering(&self, share: Option<Id>, exponent: Id, of: &Provenance) -> Provenance {
        let part = |id: Id| Part::of(self.value(id).clone());
        let func = if share.is_some() { Func::Agree } else { Func::Share };
        let inputs = share.into_iter().chain([exponent]).map(part).collect();
        Provenance { func, inputs, binding: of.binding.clone() }
    }

    /// The power with one exponent less, made if nobody made it: `g` itself has no value. None
    /// if there is no such value, as where an agreed secret is no share of its group.
    fn smaller(&mut self, base: Option<Id>, rest: SmallVec<[Id; 2]>, of: &Provenance) -> Option<Option<Id>> {
        if rest.is_empty() {
            return Some(base);
        }
        if let Some(id) = self.powers.ids.get(&(base, rest.clone())) {
            return Some(Some(*id));
        }
        let mut share = base;
        for exponent in &rest {
            let value = self.powering(share, *exponent, of).compute().ok()??;
            let id = self.note(&value);
            let provenance = self.powering(share, *exponent, of);
            let inputs: SmallVec<[Id; 2]> = share.into_iter().chain([*exponent]).collect();
            self.power(id, &inputs, &provenance);
            share = Some(id);
        }
        Some(share)
    }
}
