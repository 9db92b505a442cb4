//! What the attacker holds and can compute. The search runs over how values were made; a
//! derivation counts only when it is carried out on her bytes and gives the value's bytes.
//! Must not know goals.

use std::collections::{BTreeMap, BTreeSet};

use crate::algebra::{Bytes, Form, Func, How, Part, Private, Public, Value, step, xor};
use crate::crypto::Suite;
use crate::journal::{Journal, What};
use crate::limits::MAX_DERIVATION_STEPS;
use crate::notation::{Kind, Name};
use crate::party::KMS_PROTOCOL;
use crate::wire::{Encoding, Field};

/// How she comes to a value.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Way {
    /// Everybody knows it.
    Public,
    /// It was part of a message on the wire.
    Seen { run: u32, line: u32, from: Name },
    /// She had it from the start.
    Own(String),
    /// She generated it.
    Made,
    /// An event handed it to her.
    Handed(String),
    /// A word of her dictionary that opens or gives `tested`; she tried so many.
    Guessed { term: String, words: usize, tested: Bytes },
    /// It was inside a ciphertext that she can open.
    Inside { sealed: Bytes, key: Bytes },
    /// She computes it from these: `before`, the first ones, `between`, the last.
    Computed { how: &'static str, between: &'static str, from: Vec<Bytes> },
}

/// What people call a value.
#[derive(Clone, Debug)]
enum Called {
    /// A name or a text, which is shown as it is.
    Plainly(String),
    /// A term, which is shown with its fingerprint.
    Value(String),
}

/// Everything that she holds, and how.
#[derive(Clone, Debug)]
pub struct Holdings {
    suite: Suite,
    encoding: Encoding,
    attacker: Option<Name>,
    ways: BTreeMap<Bytes, Way>,
    /// Values made in the play, by their bytes.
    made: BTreeMap<Bytes, Vec<How>>,
    /// Values from which a value follows by undoing a step: results by argument.
    results: BTreeMap<Bytes, Vec<(Bytes, How)>>,
    /// What people call a value.
    names: BTreeMap<Bytes, Called>,
    /// Ciphertexts and private keys that she holds.
    sealed: Vec<Bytes>,
    private: Vec<Value>,
    /// Whole messages, in which untagged fields have no borders.
    blobs: Vec<Bytes>,
    impossible: BTreeSet<Bytes>,
    steps: usize,
}

/// A derivation, step by step, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Derivation {
    /// The steps; the last gives the value.
    pub steps: Vec<String>,
}

impl Holdings {
    /// What the attacker holds at the end of a play, if there is one. `leaked` are long-term
    /// keys that she is given on top of it.
    pub fn of(
        journal: &Journal,
        suite: Suite,
        encoding: &Encoding,
        attacker: Option<&Name>,
        leaked: &[(String, Value)],
    ) -> Holdings {
        let mut her = Holdings {
            suite,
            encoding: encoding.clone(),
            attacker: attacker.cloned(),
            ways: BTreeMap::new(),
            made: BTreeMap::new(),
            results: BTreeMap::new(),
            names: BTreeMap::new(),
            sealed: Vec::new(),
            private: Vec::new(),
            blobs: Vec::new(),
            impossible: BTreeSet::new(),
            steps: 0,
        };
        if attacker.is_none() {
            return her;
        }
        her.index(journal);
        her.collect(journal);
        for (term, value) in leaked {
            her.hold(value, Way::Handed(term.clone()));
        }
        her.saturate();
        her
    }

    fn index(&mut self, journal: &Journal) {
        for maker in journal.made() {
            let (value, how) = (&maker.made.value, &maker.made.how);
            if let How::Computed(of) = how
                && matches!(of.func.definition().form, Form::Step { .. } | Form::Sum)
            {
                for input in &of.inputs {
                    let results = self.results.entry(input.value.bytes.clone()).or_default();
                    results.push((value.bytes.clone(), how.clone()));
                }
            }
            let ways = self.made.entry(value.bytes.clone()).or_default();
            if !ways.contains(how) {
                ways.push(how.clone());
            }
        }
        for event in journal.events() {
            match &event.what {
                What::Concluded { term, value, .. } => self.call(value, term),
                What::Obtained { request, value, .. } => self.call(value, &format!("r{request}")),
                // What a request to the key centre gave is known by its number.
                What::Sent { message } | What::Injected { message, .. }
                    if *message.protocol == *KMS_PROTOCOL => {}
                What::Sent { message } | What::Injected { message, .. } => {
                    for (term, value) in message.shown.named() {
                        self.call(value, &term);
                    }
                }
                What::Compromised { term, value: Some(value), .. } => self.call(value, term),
                What::Guessed { term, value: Some(value), .. } => self.call(value, term),
                _ => {}
            }
        }
    }

    fn call(&mut self, value: &Value, name: &str) {
        let plain = match value.kind {
            Kind::Name => value.text().map(str::to_owned),
            Kind::Text => value.text().map(|t| format!("\"{t}\"")),
            _ => None,
        };
        let named = || plain.map_or_else(|| Called::Value(name.to_owned()), Called::Plainly);
        self.names.entry(value.bytes.clone()).or_insert_with(named);
    }

    fn collect(&mut self, journal: &Journal) {
        for event in journal.events() {
            match &event.what {
                What::Sent { message } | What::Injected { message, .. } => {
                    let way =
                        |_| Way::Seen { run: message.run, line: message.line, from: message.from.clone() };
                    self.blobs.push(message.bytes.clone());
                    let whole = Called::Plainly(format!("message {}.{}", message.run, message.line));
                    self.names.entry(message.bytes.clone()).or_insert(whole);
                    let values: Vec<Value> = message.shown.values().cloned().collect();
                    values.iter().for_each(|v| self.hold(v, way(())));
                }
                What::Equipped { term, value } => self.hold(value, Way::Own(term.clone())),
                What::Compromised { term, value: Some(value), .. } => {
                    self.hold(value, Way::Handed(term.clone()))
                }
                What::Guessed { term, words, tested, value: Some(value), .. } => {
                    let (term, tested) = (term.clone(), tested.bytes.clone());
                    self.hold(value, Way::Guessed { term, words: *words, tested });
                }
                _ => {}
            }
        }
        let her = self.attacker.clone();
        for maker in journal.made().iter().filter(|m| Some(&m.by) == her.as_ref()) {
            if matches!(maker.made.how, How::Drawn) || maker.made.func() == Some(Func::Share) {
                self.hold(&maker.made.value, Way::Made);
            }
        }
    }

    fn hold(&mut self, value: &Value, way: Way) {
        if self.ways.contains_key(&value.bytes) {
            return;
        }
        match value.kind {
            Kind::Private => self.private.push(value.clone()),
            _ if self.made.get(&value.bytes).is_some_and(|ways| {
                ways.iter().any(|w| matches!(w, How::Computed(of) if matches!(of.func.definition().form, Form::Cipher(_))))
            }) =>
            {
                self.sealed.push(value.bytes.clone());
            }
            _ => {}
        }
        self.ways.insert(value.bytes.clone(), way);
        self.impossible.clear();
    }

    /// Opens what can be opened, until nothing new comes to light.
    fn saturate(&mut self) {
        loop {
            let mut opened = false;
            for sealed in std::mem::take(&mut self.sealed) {
                if self.open(&sealed) {
                    opened = true;
                } else {
                    self.sealed.push(sealed);
                }
            }
            if !opened || self.steps > MAX_DERIVATION_STEPS {
                return;
            }
        }
    }

    /// Decrypts a ciphertext of hers with a key of hers, and holds what is inside.
    fn open(&mut self, sealed: &Bytes) -> bool {
        for how in self.made.get(sealed).cloned().unwrap_or_default() {
            let How::Computed(of) = how else { continue };
            let Form::Cipher(cipher) = of.func.definition().form else { continue };
            let (key, parts) = (of.inputs[0].value.clone(), &of.inputs[1..]);
            let keys: Vec<Value> = match cipher.is_asymmetric() {
                true => self.private.iter().filter(|p| is_pair(p, &key)).cloned().collect(),
                false if self.derivable(&key) => vec![key],
                false => Vec::new(),
            };
            for key in keys {
                let plain = cipher.open(&key, of.binding.label(), sealed, self.suite);
                let Ok(plain) = plain else { continue };
                self.blobs.push(Bytes::from(plain.as_slice()));
                for Part { value, .. } in parts {
                    self.hold(value, Way::Inside { sealed: sealed.clone(), key: key.bytes.clone() });
                }
                return true;
            }
        }
        false
    }

    /// Whether she holds or can compute these very bytes.
    pub fn derivable(&mut self, value: &Value) -> bool {
        self.find(value, &mut BTreeSet::new())
    }

    /// How she comes to a value, if she does.
    pub fn derive(&mut self, value: &Value) -> Option<Derivation> {
        if !self.derivable(value) {
            return None;
        }
        let mut steps = Vec::new();
        self.tell(&value.bytes, &mut steps, &mut BTreeSet::new());
        Some(Derivation { steps })
    }

    fn find(&mut self, value: &Value, on_the_way: &mut BTreeSet<Bytes>) -> bool {
        if self.ways.contains_key(&value.bytes) {
            return true;
        }
        self.steps += 1;
        if self.attacker.is_none()
            || self.steps > MAX_DERIVATION_STEPS
            || self.impossible.contains(&value.bytes)
            || !on_the_way.insert(value.bytes.clone())
        {
            return false;
        }
        let way = self.way_to(value, on_the_way);
        on_the_way.remove(&value.bytes);
        match way {
            Some(way) => {
                self.hold(value, way);
                true
            }
            None => {
                if on_the_way.is_empty() {
                    self.impossible.insert(value.bytes.clone());
                }
                false
            }
        }
    }

    fn way_to(&mut self, value: &Value, on_the_way: &mut BTreeSet<Bytes>) -> Option<Way> {
        if matches!(value.kind, Kind::Name | Kind::Text | Kind::Public | Kind::Certificate) {
            return Some(Way::Public);
        }
        for how in self.made.get(&value.bytes).cloned().unwrap_or_default() {
            if let Some(way) = self.carry_out(value, &how, on_the_way) {
                return Some(way);
            }
        }
        for (result, how) in self.results.get(&value.bytes).cloned().unwrap_or_default() {
            if let Some(way) = self.undo(value, &result, &how, on_the_way) {
                return Some(way);
            }
        }
        if self.encoding.has_tags() { None } else { self.cut_out(value) }
    }

    /// Does a computation on her own bytes; it counts if it gives the value's bytes.
    fn carry_out(&mut self, value: &Value, how: &How, on_the_way: &mut BTreeSet<Bytes>) -> Option<Way> {
        let How::Computed(of) = how else { return None };
        let inputs: Vec<&Value> = of.inputs.iter().map(|p| &p.value).collect();
        let told = of.func.definition().told;
        let computed = |from: Vec<&Value>| Way::Computed {
            how: told.verb,
            between: told.between,
            from: from.into_iter().map(|v| v.bytes.clone()).collect(),
        };
        if of.func == Func::Agree {
            for (secret, share) in self.both_sides(inputs[1], inputs[0]) {
                if self.find(&secret, on_the_way) && self.find(&share, on_the_way) {
                    return Some(computed(vec![&share, &secret]));
                }
            }
            return None;
        }
        if !inputs.iter().all(|v| self.find(v, on_the_way)) {
            return None;
        }
        let result = of.compute().ok()??;
        (result.bytes == value.bytes).then(|| computed(inputs))
    }

    /// g^x^y is (g^x)^y and (g^y)^x: the two ways to compute an agreed value.
    fn both_sides(&self, secret: &Value, share: &Value) -> Vec<(Value, Value)> {
        let mut ways = vec![(secret.clone(), share.clone())];
        for how in self.made.get(&share.bytes).into_iter().flatten() {
            if let How::Computed(of) = how
                && of.func == Func::Share
                && let other = &of.inputs[0].value
                && let Ok(mine) = self.suite.agreement.share(&secret.bytes)
            {
                ways.push((other.clone(), Value::new(Kind::Share, mine)));
            }
        }
        ways
    }

    /// Undoes a step whose result she has.
    fn undo(
        &mut self,
        value: &Value,
        result: &Bytes,
        how: &How,
        on_the_way: &mut BTreeSet<Bytes>,
    ) -> Option<Way> {
        let result = Value { kind: value.kind, bytes: result.clone() };
        let How::Computed(of) = how else { return None };
        let from = match of.func.definition().form {
            Form::Step { up } => {
                let found = self.find(&result, on_the_way) && step(&result.bytes, !up) == *value.bytes;
                if found { vec![result.bytes] } else { return None }
            }
            Form::Sum => {
                let (a, b) = (&of.inputs[0].value, &of.inputs[1].value);
                let other = if a.bytes == value.bytes { b } else { a };
                let found = self.find(&result, on_the_way) && self.find(other, on_the_way);
                let undone = xor(&result.bytes, &other.bytes).ok().filter(|_| found)?;
                if undone == *value.bytes { vec![result.bytes, other.bytes.clone()] } else { return None }
            }
            _ => return None,
        };
        Some(Way::Computed { how: "undoes the step to", between: " with ", from })
    }

    /// In fields without tags, bytes that stand side by side are one value as well as two.
    fn cut_out(&self, value: &Value) -> Option<Way> {
        /// Shorter runs of bytes turn up by chance.
        const LEAST: usize = 8;
        let target = value.bytes.as_slice();
        if target.len() < LEAST {
            return None;
        }
        if let Some(blob) = self.blobs.iter().find(|b| b.windows(target.len()).any(|w| w == target)) {
            return Some(Way::Computed { how: "cuts bytes out of", between: "", from: vec![blob.clone()] });
        }
        self.join(target).map(|from| Way::Computed { how: "puts side by side", between: ", ", from })
    }

    /// Held values that make up the bytes one after another.
    fn join(&self, target: &[u8]) -> Option<Vec<Bytes>> {
        let padded = |bytes: &Bytes| match &self.encoding {
            Encoding::Untagged(widths) if bytes.len() < widths.name => {
                let mut out = Vec::new();
                let field = Field { kind: Kind::Name, bytes, width: Some(widths.name) };
                self.encoding.write(field, &mut out).ok().map(|()| out)
            }
            _ => None,
        };
        let mut pieces: Vec<(Vec<u8>, Bytes)> = Vec::new();
        for bytes in self.ways.keys().filter(|b| !b.is_empty() && b.len() < target.len()) {
            pieces.push((bytes.to_vec(), bytes.clone()));
            pieces.extend(padded(bytes).map(|p| (p, bytes.clone())));
        }
        let mut reached: Vec<Option<(usize, Bytes)>> = vec![None; target.len() + 1];
        for at in 0..target.len() {
            if at > 0 && reached[at].is_none() {
                continue;
            }
            for (piece, bytes) in &pieces {
                if target[at..].starts_with(piece) && reached[at + piece.len()].is_none() {
                    reached[at + piece.len()] = Some((at, bytes.clone()));
                }
            }
        }
        let mut from = Vec::new();
        let mut at = target.len();
        while at > 0 {
            let (before, bytes) = reached[at].clone()?;
            from.push(bytes);
            at = before;
        }
        from.reverse();
        Some(from)
    }

    fn tell(&self, bytes: &Bytes, steps: &mut Vec<String>, told: &mut BTreeSet<Bytes>) {
        if !told.insert(bytes.clone()) {
            return;
        }
        let Some(way) = self.ways.get(bytes) else { return };
        let she = self.attacker.as_deref().unwrap_or("the attacker");
        let it = self.name(bytes);
        match way {
            Way::Public => {}
            Way::Seen { run, line, from } => {
                steps.push(format!("{it} went over the wire in {run}.{line} from {from}"))
            }
            Way::Own(term) => steps.push(format!("{she} has {term} of her own")),
            Way::Made => steps.push(format!("{it} is {she}'s own making")),
            Way::Handed(term) => steps.push(format!("{term} was handed to {she}")),
            Way::Guessed { term, words, tested } => {
                self.tell(tested, steps, told);
                let tested = self.name(tested);
                steps.push(format!(
                    "{she} guesses {term} with word {words} of her dictionary, which fits {tested}"
                ));
            }
            Way::Inside { sealed, key } => {
                self.tell(sealed, steps, told);
                let with = match self.ways.get(key) {
                    Some(Way::Own(term) | Way::Handed(term)) => term.clone(),
                    _ => {
                        self.tell(key, steps, told);
                        self.name(key)
                    }
                };
                steps.push(format!("{she} opens {} with {with} and reads {it}", self.name(sealed)));
            }
            Way::Computed { how, between, from } => {
                from.iter().for_each(|f| self.tell(f, steps, told));
                let from: Vec<String> = from.iter().map(|f| self.name(f)).collect();
                steps.push(format!("{she} {how} {} and has {it}", from.join(between)));
            }
        }
    }

    /// A value as people know it: a name or a text as it is, anything else with its fingerprint.
    pub fn name(&self, bytes: &Bytes) -> String {
        let fingerprint = || bytes.fingerprint();
        match self.names.get(bytes) {
            Some(Called::Plainly(name)) => name.clone(),
            Some(Called::Value(name)) => format!("{name} {}", fingerprint()),
            None if self.blobs.contains(bytes) => format!("a message {}", fingerprint()),
            None => format!("a value {}", fingerprint()),
        }
    }
}

fn is_pair(private: &Value, public: &Value) -> bool {
    let Ok(private) = Private::from_bytes(&private.bytes) else { return false };
    let Ok(public) = Public::from_bytes(&public.bytes) else { return false };
    public.encryption.is_some() && private.public().encryption == public.encryption
}
