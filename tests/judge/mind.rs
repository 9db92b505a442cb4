//! What an honest part knows, and what it does with a line: docs/NOTATION.md, "What a role
//! knows, and what it does with a line", sentence by sentence.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::file::{CENTRE, Protocol, SECOND, SERVICE, Sort};
use super::term::{Field, Term, Value};

pub const MAX_SKEW: i64 = 300 * SECOND;
pub const LIFETIME: i64 = 36_000 * SECOND;

/// Where new values come from.
#[derive(Clone, Default, Debug)]
pub struct Source(Rc<Cell<u32>>);

impl Source {
    pub fn next(&self) -> u32 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
}

/// The knowledge of one part.
#[derive(Clone, Debug)]
pub struct Mind<'p> {
    protocol: &'p Protocol,
    role: String,
    party: String,
    /// What it has for a term as a whole: names, and parts that arrived or that it made.
    has: BTreeMap<Term, Value>,
    /// What arrived and was neither read nor checked yet.
    kept: Vec<(Term, Value)>,
    /// Whether what could not be checked at once is checked only at the end of a line. Which of
    /// two faults of one line is told first is nobody's business.
    pub is_patient: bool,
    /// What was wrong with the lines so far: all that a patient one finds.
    pub faults: Vec<&'static str>,
    /// Whether every value of one term is the same, as where nothing is random.
    pub is_ideal: bool,
    /// Values of its own that come back to it, and that it does not make.
    returning: BTreeSet<String>,
    /// Long-term values of agents, by name and owner.
    lasting: Rc<BTreeMap<(String, String), Value>>,
    source: Source,
    now: i64,
    /// Whether bytes came in a place where it depends on them what they are.
    pub is_moot: bool,
}

/// What is to be read inside of a part.
type Inside = (Vec<Term>, Vec<Field>);

/// Whether a term is looked up, or built where it can be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Recall,
    Build,
}

impl<'p> Mind<'p> {
    pub fn new(
        protocol: &'p Protocol,
        role: &str,
        party: &str,
        lasting: Rc<BTreeMap<(String, String), Value>>,
        source: Source,
    ) -> Self {
        let mut has = BTreeMap::from([(Term::name(role), Value::Name(party.to_owned()))]);
        if protocol.is_role(SERVICE) {
            has.insert(Term::name(SERVICE), Value::Name(CENTRE.to_owned()));
        }
        let (role, party) = (role.to_owned(), party.to_owned());
        Mind {
            protocol,
            role,
            party,
            has,
            kept: Vec::new(),
            is_patient: false,
            faults: Vec::new(),
            is_ideal: false,
            returning: BTreeSet::new(),
            lasting,
            source,
            now: 0,
            is_moot: false,
        }
    }

    /// Generates what the role generates, and takes what it is given.
    pub fn generate(&mut self, lines: &[usize]) {
        for (name, role) in self.protocol.fresh.iter().chain(&self.protocol.given) {
            if *role == self.role && self.protocol.returns(&self.role, name, lines) {
                self.returning.insert(name.clone());
                continue;
            }
            let is_stamp = matches!(self.protocol.sorts[name], Sort::Time | Sort::Expiry);
            if *role == self.role && !is_stamp && !self.protocol.returns(&self.role, name, lines) {
                let width = self.protocol.sorts[name].width();
                let at = self.protocol.sorts.keys().position(|n| n == name).unwrap_or(0) as u32;
                let number = if self.is_ideal { u32::MAX - at } else { self.source.next() };
                self.has.insert(Term::name(name), Value::Fresh(number, width));
            }
        }
    }

    pub fn tell(&mut self, name: &str, party: &str) {
        self.has.insert(Term::name(name), Value::Name(party.to_owned()));
    }

    /// Takes the claimed sender of a line for a role that it has not heard of.
    pub fn meet(&mut self, role: &str, party: &str) -> Result<(), &'static str> {
        if self.peer(role).is_none() {
            self.tell(role, party);
            return self.settle(0);
        }
        Ok(())
    }

    pub fn at(&mut self, now: i64) {
        self.now = now;
    }

    pub fn peer(&self, role: &str) -> Option<&str> {
        match self.has.get(&Term::name(role)) {
            Some(Value::Name(party)) => Some(party),
            _ => None,
        }
    }

    /// The value that it has for a term, without making anything anew.
    pub fn recall(&mut self, term: &Term) -> Option<Value> {
        self.eval(term, Way::Recall)
    }

    /// The fields of a line that it sends; none if it lacks something.
    pub fn build(&mut self, terms: &[Term]) -> Option<Vec<Field>> {
        self.fields(terms, Way::Build)
    }

    fn fields(&mut self, terms: &[Term], way: Way) -> Option<Vec<Field>> {
        terms
            .iter()
            .map(|t| Some(Field { ty: self.protocol.field_type(t), value: self.eval(t, way)? }))
            .collect()
    }

    fn body(&mut self, terms: &[Term], way: Way) -> Option<Rc<Vec<Field>>> {
        self.fields(terms, way).map(Rc::new)
    }

    fn eval(&mut self, term: &Term, way: Way) -> Option<Value> {
        if let Some(value) = self.has.get(term) {
            return Some(value.clone());
        }
        let made = match (term, way) {
            (Term::Enc(..) | Term::Sign(..), Way::Recall) => return None,
            (Term::Enc(body, key), Way::Build) => {
                let body = self.body(body, way)?;
                let key = Rc::new(self.eval(key, way)?);
                Value::Cipher {
                    key,
                    body,
                    label: self.protocol.label(term),
                    random: if self.is_ideal { 0 } else { self.source.next() },
                }
            }
            (Term::Sign(by, body), Way::Build) => {
                let body = self.body(body, way)?;
                let Value::Private(by) = self.eval(&Term::Sk(by.clone()), way)? else { return None };
                Value::Signature { by, body, label: self.protocol.label(term) }
            }
            (Term::Name(n), Way::Build) if self.stamp(n).is_some() => self.stamp(n)?,
            _ => return self.made_of_parts(term, way),
        };
        self.has.insert(term.clone(), made.clone());
        Some(made)
    }

    /// The clock, for a stamp of its own that it sends for the first time.
    fn stamp(&self, name: &str) -> Option<Value> {
        let is_own = self.protocol.fresh.get(name) == Some(&self.role) && !self.returning.contains(name);
        match self.protocol.sorts.get(name)? {
            Sort::Time if is_own => Some(Value::Time(self.now)),
            Sort::Expiry if is_own => Some(Value::Time(self.now + LIFETIME)),
            _ => None,
        }
    }

    /// The value of a term whose parts determine it.
    fn made_of_parts(&mut self, term: &Term, way: Way) -> Option<Value> {
        match term {
            Term::Name(n) => self.held(n),
            Term::Text(t) => Some(Value::Text(t.clone())),
            Term::Pow(exponents) => self.power(exponents),
            Term::Pk(x) if self.protocol.is_role(x) => {
                let is_configured = *x == self.role || x == SERVICE || self.role == SERVICE;
                if !is_configured && self.protocol.carried.contains(x) {
                    return None;
                }
                Some(Value::Public(Rc::new(Value::Name(self.peer(x)?.to_owned()))))
            }
            Term::Pk(x) => Some(Value::Public(Rc::new(self.eval(&Term::name(x), Way::Recall)?))),
            Term::Sk(x) if self.protocol.is_role(x) => {
                (*x == self.role).then(|| Value::Private(Rc::new(Value::Name(self.party.clone()))))
            }
            Term::Sk(x) => Some(Value::Private(Rc::new(self.eval(&Term::name(x), Way::Recall)?))),
            Term::Key(x, y) => {
                let is_granted = self.protocol.knows.get(&self.role).is_some_and(|all| all.contains(term));
                let is_party = *x == self.role || *y == self.role;
                (is_granted || is_party).then(|| Some(Value::shared(self.peer(x)?, self.peer(y)?)))?
            }
            Term::Mac(list) => {
                Some(Value::Code { body: self.body(list, way)?, label: self.protocol.label(term) })
            }
            Term::Hash(list) => Some(Value::Hash(self.body(list, way)?)),
            Term::Kdf(list) => Some(Value::Derived(self.body(list, way)?)),
            Term::Succ(one) => Some(self.eval(one, way)?.plus(1)),
            Term::Pred(one) => Some(self.eval(one, way)?.plus(-1)),
            Term::Xor(x, y) => {
                let (x, y) = (self.eval(x, way)?, self.eval(y, way)?);
                Some(self.sum(&x, &y))
            }
            Term::Enc(..) | Term::Sign(..) => None,
        }
    }

    /// Both must be equally long; what comes of others is not said.
    fn sum(&mut self, x: &Value, y: &Value) -> Value {
        self.is_moot |= x.width().is_none() || x.width() != y.width();
        x.xor(y)
    }

    /// A long-term value of the agent who plays the role that has it.
    fn held(&self, name: &str) -> Option<Value> {
        let owner = self.protocol.lasting.get(name)?;
        let knows = self.protocol.knows.get(&self.role)?;
        if !knows.contains(&Term::name(name)) {
            return None;
        }
        self.lasting.get(&(name.to_owned(), self.peer(owner)?.to_owned())).cloned()
    }

    /// A share: its own exponents on a share that it has, or on the base.
    fn power(&mut self, exponents: &[String]) -> Option<Value> {
        if exponents.is_empty() {
            return Some(Value::Share(Vec::new()));
        }
        if let Some(share) = self.has.get(&Term::pow(exponents)) {
            return Some(share.clone());
        }
        if let [one] = exponents
            && let Some(owner) = self.protocol.lasting.get(one)
            && self.protocol.knows.get(&self.role).is_some_and(|k| k.contains(&Term::pow(exponents)))
        {
            let value = self.lasting.get(&(one.clone(), self.peer(owner)?.to_owned()))?;
            return Value::Share(Vec::new()).raised(value);
        }
        for (at, own) in exponents.iter().enumerate() {
            let Some(exponent) = self.eval(&Term::name(own), Way::Recall) else { continue };
            let mut rest = exponents.to_vec();
            rest.remove(at);
            if let Some(share) = self.power(&rest) {
                return share.raised(&exponent);
            }
        }
        None
    }

    /// Reads what arrived as this list of patterns.
    pub fn read_all(&mut self, patterns: &[Term], fields: &[Field]) -> Result<(), &'static str> {
        let read = self.read_inside(patterns, fields);
        if read.is_err() && !self.is_patient {
            return read;
        }
        let settled = self.settle(0);
        self.faults.extend(settled.err());
        read.and(settled)
    }

    fn read_inside(&mut self, patterns: &[Term], fields: &[Field]) -> Result<(), &'static str> {
        if let Err(why) = self.split(patterns, fields) {
            self.faults.push(why);
            return Err(why);
        }
        let mut verdict = Ok(());
        for (pattern, field) in patterns.iter().zip(fields) {
            if let Err(why) = self.take(pattern, &field.value) {
                self.faults.push(why);
                verdict = Err(why);
                if !self.is_patient {
                    return verdict;
                }
            }
        }
        verdict
    }

    /// A list comes apart into fields before any is read.
    fn split(&self, patterns: &[Term], fields: &[Field]) -> Result<(), &'static str> {
        for (at, pattern) in patterns.iter().enumerate() {
            if fields.get(at).ok_or("malformed")?.ty != self.protocol.field_type(pattern) {
                return Err("wrong-type");
            }
        }
        if fields.len() > patterns.len() { Err("malformed") } else { Ok(()) }
    }

    fn take(&mut self, pattern: &Term, value: &Value) -> Result<(), &'static str> {
        if let Term::Sign(..) = pattern
            && let Some(verdict) = self.verify(pattern, value)
        {
            self.has.entry(pattern.clone()).or_insert_with(|| value.clone());
            return verdict;
        }
        let is_opened = match pattern {
            Term::Enc(_, key) => self.opener(key).is_some(),
            _ => false,
        };
        if let Some(known) = self.recall(pattern)
            && !is_opened
        {
            return if known == *value { Ok(()) } else { Err(self.reason(pattern)) };
        }
        self.check_shape(pattern, value)?;
        let before = self.kept.len();
        match pattern {
            Term::Name(n) if !self.protocol.is_role(n) => {
                if let (Some(Sort::Time), Value::Time(t)) = (self.protocol.sorts.get(n), value)
                    && (t - self.now).abs() > MAX_SKEW
                {
                    return Err("stale");
                }
                if let (Some(Sort::Expiry), Value::Time(t)) = (self.protocol.sorts.get(n), value)
                    && *t <= self.now
                {
                    return Err("expired");
                }
            }
            Term::Name(_) | Term::Pow(_) | Term::Pk(_) => {}
            _ => self.kept.push((pattern.clone(), value.clone())),
        }
        if self.has.insert(pattern.clone(), value.clone()).is_some_and(|had| had != *value) {
            self.compute_anew(pattern);
        }
        self.settle(if self.is_patient { before } else { 0 })
    }

    /// Forgets what it checked over another value of the term: that is computed with what arrived.
    fn compute_anew(&mut self, term: &Term) {
        let kept: BTreeSet<Term> = self.kept.iter().map(|(pattern, _)| pattern.clone()).collect();
        let is_over = |whole: &Term| {
            matches!(whole, Term::Mac(_) | Term::Hash(_) | Term::Kdf(_)) && whole.any(&mut |t| t == term)
        };
        self.has.retain(|whole, _| kept.contains(whole) || !is_over(whole));
    }

    /// Whether bytes of another kind can be what stands in this place at all: a time has eight,
    /// and a public key and a share are no random ones.
    fn check_shape(&mut self, pattern: &Term, value: &Value) -> Result<(), &'static str> {
        let sort = if let Term::Name(n) = pattern { self.protocol.sorts.get(n) } else { None };
        let fits = match (pattern, sort) {
            (Term::Name(n), _) if self.protocol.is_role(n) => {
                self.is_moot |= !matches!(value, Value::Name(_));
                matches!(value, Value::Name(_))
            }
            (_, Some(Sort::Time | Sort::Expiry)) => matches!(value, Value::Time(_)),
            (Term::Pk(_), _) => matches!(value, Value::Public(_)),
            (Term::Pow(_), _) => {
                // Any 32 bytes can be a share.
                let is_short = match value {
                    Value::Name(_) | Value::Text(_) | Value::Time(_) => true,
                    Value::Fresh(_, width) => *width == 16,
                    _ => false,
                };
                self.is_moot |= !is_short && !matches!(value, Value::Share(_));
                matches!(value, Value::Share(_))
            }
            _ => true,
        };
        if fits { Ok(()) } else { Err("malformed") }
    }

    fn reason(&self, pattern: &Term) -> &'static str {
        match pattern {
            Term::Name(n) if self.protocol.is_role(n) => "wrong-peer",
            Term::Mac(_) => "bad-mac",
            _ => "mismatch",
        }
    }

    /// Opens and checks what was kept and can be opened or checked now.
    fn settle(&mut self, from: usize) -> Result<(), &'static str> {
        let from = from.min(self.kept.len());
        let mut at = from;
        while at < self.kept.len() {
            let (pattern, value) = self.kept[at].clone();
            match self.look_into(&pattern, &value) {
                None => at += 1,
                Some(inner) => {
                    self.kept.remove(at);
                    let (patterns, fields) = inner?;
                    self.read_inside(&patterns, &fields)?;
                    at = from;
                }
            }
        }
        Ok(())
    }

    /// None: not yet. Else what is to be read inside, or why it is refused.
    fn look_into(&mut self, pattern: &Term, value: &Value) -> Option<Result<Inside, &'static str>> {
        let equal = |made: Value, why| Some(if made == *value { Ok(Inside::default()) } else { Err(why) });
        let protocol = self.protocol;
        let inside = |term: &Term, value: Value| {
            Some(Ok((vec![term.clone()], vec![Field { ty: protocol.field_type(term), value }])))
        };
        match pattern {
            Term::Enc(terms, key) => {
                let key = self.opener(key)?;
                match value {
                    Value::Cipher { key: under, body, label, .. }
                        if **under == key && *label == self.protocol.label(pattern) =>
                    {
                        Some(Ok((terms.clone(), body.to_vec())))
                    }
                    _ => Some(Err("decrypt-failed")),
                }
            }
            Term::Sign(..) => self.verify(pattern, value).map(|verdict| verdict.map(|()| Inside::default())),
            Term::Succ(one) | Term::Pred(one) => match self.made_of_parts(pattern, Way::Recall) {
                Some(made) => equal(made, "mismatch"),
                None => inside(one, value.plus(if matches!(pattern, Term::Succ(_)) { -1 } else { 1 })),
            },
            Term::Xor(x, y) => match (self.recall(x), self.recall(y)) {
                (Some(a), Some(b)) => equal(self.sum(&a, &b), "mismatch"),
                (Some(a), None) => inside(y, self.sum(value, &a)),
                (None, Some(b)) => inside(x, self.sum(value, &b)),
                (None, None) => None,
            },
            _ => equal(self.made_of_parts(pattern, Way::Recall)?, self.reason(pattern)),
        }
    }

    /// The value that a ciphertext under this key names as its key, if the part can open it.
    fn opener(&mut self, key: &Term) -> Option<Value> {
        let Term::Pk(x) = key else { return self.recall(key) };
        match self.recall(&Term::Sk(x.clone()))? {
            Value::Private(owner) => Some(Value::Public(owner)),
            _ => None,
        }
    }

    fn verify(&mut self, pattern: &Term, value: &Value) -> Option<Result<(), &'static str>> {
        let Term::Sign(by, body) = pattern else { return None };
        let Value::Public(by) = self.recall(&Term::Pk(by.clone()))? else { return None };
        let made =
            Value::Signature { by, body: self.body(body, Way::Recall)?, label: self.protocol.label(pattern) };
        Some(if made == *value { Ok(()) } else { Err("bad-signature") })
    }

    /// Lets it have a new value for a name: for those who invent protocols.
    pub fn grant(&mut self, term: &Term) {
        let value = Value::Fresh(self.source.next(), 32);
        self.has.entry(term.clone()).or_insert(value);
    }
}
