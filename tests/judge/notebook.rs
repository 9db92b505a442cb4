//! The attacker's narration: docs/NOTATION.md, "Attacks". What her lines read is bound to
//! names; what they send is built from the notebook.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::file::{Attacker, Encoding, MALLORY, Protocol, Sort, party};
use super::mind::{LIFETIME, Source};
use super::parse::End;
use super::term::{Field, Term, Type, Value};

/// A part of what she reads, and the term that the protocol has in its place.
type Inside = (Term, Field, Option<Term>);

/// A part that waits to be read or checked: the pattern, the value, the term that the protocol
/// has in its place, and the line in which it came.
#[derive(Clone, Debug)]
struct Kept {
    pattern: Term,
    value: Value,
    shape: Option<Term>,
    line: u32,
}

#[derive(Clone, Debug)]
pub struct Notebook<'p> {
    protocol: &'p Protocol,
    insider: bool,
    parties: BTreeSet<String>,
    has: BTreeMap<Term, Field>,
    /// Whole messages that have one name.
    whole: BTreeMap<String, Vec<Field>>,
    /// What she could not read or check yet.
    kept: Vec<Kept>,
    /// Ciphertexts that she made: one term is one ciphertext as long as nothing in it differs.
    made: Vec<(Term, Value)>,
    source: Source,
    line: u32,
    /// Stamps of hers that were not sent yet, and her clock.
    stamps: BTreeMap<String, Sort>,
    pub now: i64,
    /// Whether a line of hers was read or sent of which the definition does not say how.
    pub is_moot: bool,
}

/// The names of her own making: those that stand in a line of hers before any line that she
/// reads has them.
pub fn hers(attacker: &Attacker, given: &[String], parties: &BTreeSet<String>) -> BTreeSet<String> {
    let mut spoken_of: BTreeSet<String> = given.iter().cloned().collect();
    let mut hers = BTreeSet::new();
    for step in &attacker.steps {
        let mut names = Vec::new();
        step.terms.iter().for_each(|t| t.names(&mut names));
        for name in names {
            let is_party = name == "I" || parties.contains(&party(&name));
            let is_first = spoken_of.insert(name.clone()) || attacker.fresh.contains_key(&name);
            if is_first && !given.contains(&name) && !is_party && matches!(step.from, End::Attacker(_)) {
                hers.insert(name);
            }
        }
    }
    hers
}

impl<'p> Notebook<'p> {
    pub fn new(
        protocol: &'p Protocol,
        attacker: &Attacker,
        given: &[String],
        parties: BTreeSet<String>,
        source: Source,
    ) -> Self {
        let mut has = BTreeMap::new();
        let mut stamps = BTreeMap::new();
        for name in hers(attacker, given, &parties) {
            let sort = attacker.fresh.get(&name).cloned().unwrap_or(Sort::Nonce);
            if matches!(sort, Sort::Time | Sort::Expiry) {
                stamps.insert(name, sort);
                continue;
            }
            let value = Value::Fresh(source.next(), sort.width());
            has.insert(Term::Name(name), Field { ty: sort.field_type(), value });
        }
        let first_line = |name: &String| {
            let has = |t: &Term| {
                let mut names = Vec::new();
                t.names(&mut names);
                names.contains(name)
            };
            attacker.steps.iter().find(|s| s.terms.iter().any(has))
        };
        let is_first_read = |name: &String| first_line(name).is_some_and(|s| matches!(s.from, End::Party(_)));
        let is_said = |name: &String| first_line(name).is_some();
        // A reading of her clock is the same bytes as an honest one of that time, and is read when
        // its line is sent: the judge's symbols know neither.
        let reads_clock =
            |(name, sort): (&String, &Sort)| matches!(sort, Sort::Time | Sort::Expiry) && is_said(name);
        let is_moot = attacker.fresh.keys().any(is_first_read) || attacker.fresh.iter().any(reads_clock);
        let insider = attacker.insider;
        Notebook {
            protocol,
            insider,
            parties,
            has,
            whole: BTreeMap::new(),
            kept: Vec::new(),
            made: Vec::new(),
            source,
            line: 0,
            stamps,
            now: 0,
            is_moot,
        }
    }

    /// What of her own making is on a page from the start.
    pub fn own(&self) -> impl Iterator<Item = Value> + '_ {
        self.has.values().map(|f| f.value.clone())
    }

    /// Something that an event hands over, under its name or as the term that it is.
    pub fn hand(&mut self, term: Term, field: Field) {
        self.has.insert(term, field);
        let _ = self.settle();
    }

    /// Reads a message as a line says that it is; false if it does not read so.
    pub fn read(&mut self, patterns: &[Term], fields: &[Field], line: u32) -> bool {
        if let ([Term::Name(name)], false) = (patterns, fields.len() == 1) {
            return self.whole.entry(name.clone()).or_insert_with(|| fields.to_vec()) == fields;
        }
        self.line = line;
        let lines = &self.protocol.lines;
        let shape =
            lines.get(line as usize - 1).map(|l| l.terms.clone()).filter(|s| s.len() == patterns.len());
        if patterns.len() != fields.len() {
            return false;
        }
        let mut all = patterns.iter().zip(fields).enumerate();
        all.all(|(at, (pattern, field))| self.bind(pattern, field, shape.as_ref().map(|s| &s[at])))
    }

    fn bind(&mut self, pattern: &Term, field: &Field, shape: Option<&Term>) -> bool {
        let pattern = self.plain(pattern);
        let is_kind = match &pattern {
            Term::Enc(..) => field.ty == Type::Cipher,
            Term::Sign(..) => field.ty == Type::Signature,
            Term::Mac(_) => field.ty == Type::Code,
            Term::Hash(_) => field.ty == Type::Hash,
            Term::Pow(_) => field.ty == Type::Share,
            Term::Pk(_) => field.ty == Type::Public,
            _ => true,
        };
        if !is_kind {
            self.is_moot = true;
            return false;
        }
        let is_random = self.is_random(&pattern);
        if self.verify(&pattern, &field.value, shape) == Some(false) {
            return false;
        }
        let is_opened = match &pattern {
            Term::Enc(_, key) => match &**key {
                Term::Pk(x) => self.private(x).is_some(),
                key => self.eval(key, None).is_some(),
            },
            _ => false,
        };
        let has_made = |t: &Term| self.made.iter().any(|(of, _)| of == t);
        self.is_moot |= pattern.inner().into_iter().any(|t| t.any(&mut { has_made }));
        if !is_opened && let Some((_, made)) = self.made.iter().rfind(|(of, _)| *of == pattern) {
            return *made == field.value;
        }
        if !is_random
            && !is_opened
            && let Some(known) = self.eval(&pattern, shape)
        {
            return known.value == field.value;
        }
        self.has.insert(pattern.clone(), field.clone());
        if !matches!(pattern, Term::Name(_) | Term::Pow(_) | Term::Pk(_)) {
            let (value, shape, line) = (field.value.clone(), shape.cloned(), self.line);
            self.kept.push(Kept { pattern, value, shape, line });
        }
        self.settle()
    }

    /// Whether she neither has nor made it, and nobody but its maker can make it again.
    fn is_random(&self, term: &Term) -> bool {
        let plain = self.plain(term);
        !self.has.contains_key(term)
            && !self.made.iter().any(|(made, _)| *made == plain)
            && (matches!(term, Term::Enc(..) | Term::Sign(..))
                || term.inner().into_iter().any(|t| self.is_random(t)))
    }

    /// Whether a signature is what its pattern says; none if she cannot tell yet.
    fn verify(&mut self, pattern: &Term, value: &Value, shape: Option<&Term>) -> Option<bool> {
        let Term::Sign(by, body) = pattern else { return None };
        let by = self.party_of(&Term::name(by))?;
        if body.iter().any(|t| self.is_random(t)) {
            return None;
        }
        let inner = if let Some(Term::Sign(_, inner)) = shape { Some(inner.as_slice()) } else { None };
        let body = self.fields(body, inner)?;
        Some(matches!(value, Value::Signature { by: signer, body: signed, .. }
            if **signer == Value::Name(by) && **signed == body))
    }

    /// What a code or a hash is by what it is of; none if she cannot tell yet.
    fn computed(&mut self, pattern: &Term, shape: Option<&Term>) -> Option<Value> {
        if pattern.inner().into_iter().any(|t| self.is_random(t)) {
            return None;
        }
        let arrived = self.has.remove(pattern);
        let made = self.eval(pattern, shape);
        self.has.extend(arrived.map(|field| (pattern.clone(), field)));
        made.map(|field| field.value)
    }

    /// The term with every name of hers and of services in one spelling.
    fn plain(&self, term: &Term) -> Term {
        term.map(&|_| None, &party)
    }

    fn party_of(&self, term: &Term) -> Option<String> {
        match term {
            Term::Name(n) => Some(party(n)).filter(|p| self.parties.contains(p) || p == MALLORY),
            _ => None,
        }
    }

    /// Reads and checks what she kept and can read or check now, each as in the line in which it
    /// came.
    fn settle(&mut self) -> bool {
        let now = self.line;
        let mut at = 0;
        while at < self.kept.len() {
            let Kept { pattern, value, shape, line } = self.kept[at].clone();
            self.line = line;
            let Some(inner) = self.look_into(&pattern, &value, shape.as_ref()) else {
                at += 1;
                continue;
            };
            self.kept.remove(at);
            let reads = inner.is_some_and(|inner| {
                inner.iter().all(|(pattern, field, shape)| self.bind(pattern, field, shape.as_ref()))
            });
            if !reads {
                self.line = now;
                return false;
            }
            at = 0;
        }
        self.line = now;
        true
    }

    /// None: not yet. Some(None): it is not what it was said to be.
    #[expect(clippy::option_option, reason = "said in the line above")]
    fn look_into(
        &mut self,
        pattern: &Term,
        value: &Value,
        shape: Option<&Term>,
    ) -> Option<Option<Vec<Inside>>> {
        let one = |term: &Term, ty, value| Some(Some(vec![(term.clone(), Field { ty, value }, None)]));
        match pattern {
            Term::Xor(x, y) => match (self.eval(x, None), self.eval(y, None)) {
                (Some(a), None) => one(y, a.ty, a.value.xor(value)),
                (None, Some(b)) => one(x, b.ty, b.value.xor(value)),
                (Some(a), Some(b)) => Some((a.value.xor(&b.value) == *value).then(Vec::new)),
                (None, None) => None,
            },
            Term::Succ(inner) => one(inner, Type::Nonce, value.plus(-1)),
            Term::Pred(inner) => one(inner, Type::Nonce, value.plus(1)),
            Term::Enc(body, key) => {
                let (shapes, under) = match shape {
                    Some(Term::Enc(shapes, under)) => (Some(shapes), Some(&**under)),
                    _ => (None, None),
                };
                let opener = match &**key {
                    Term::Pk(x) => self.private(x).map(|owner| Value::Public(owner.into())),
                    other => self.eval(other, under).map(|f| f.value),
                }?;
                let Value::Cipher { key: sealed, body: fields, .. } = value else { return Some(None) };
                if opener != **sealed || body.len() != fields.len() {
                    return Some(None);
                }
                let shape = |at: usize| shapes.and_then(|s| s.get(at)).cloned();
                let parts = body.iter().cloned().zip(fields.iter().cloned()).enumerate();
                Some(Some(parts.map(|(at, (term, field))| (term, field, shape(at))).collect()))
            }
            Term::Sign(..) => self.verify(pattern, value, shape).map(|fits| fits.then(Vec::new)),
            Term::Mac(_) | Term::Hash(_) | Term::Kdf(_) => {
                self.computed(pattern, shape).map(|made| (made == *value).then(Vec::new))
            }
            Term::Name(_) | Term::Text(_) | Term::Pow(_) | Term::Pk(_) | Term::Sk(_) | Term::Key(..) => None,
        }
    }

    /// The owner of a private key that she has.
    fn private(&self, name: &str) -> Option<Value> {
        let owner = party(name);
        if self.has.contains_key(&Term::Sk(owner.clone())) || self.insider && owner == MALLORY {
            return Some(Value::Name(owner));
        }
        self.has.get(&Term::Name(owner)).filter(|f| f.ty == Type::KeyPair).map(|f| f.value.clone())
    }

    /// The ciphertexts that she made.
    pub fn ciphertexts(&self) -> impl Iterator<Item = Value> {
        self.made.iter().map(|(_, value)| value.clone())
    }

    /// The fields of a line that she sends; none if she lacks something.
    pub fn build(&mut self, terms: &[Term], line: u32) -> Option<Vec<Field>> {
        let lengths = terms.iter().map(|t| match t {
            Term::Name(name) => self.whole.get(name).map(Vec::len),
            _ => None,
        });
        let mut wholes = lengths.flatten();
        self.line = line;
        let shape = self.protocol.lines.get(line as usize - 1)?.terms.clone();
        self.is_moot |= wholes.any(|length| terms.len() > 1 || length != shape.len());
        self.fields(terms, Some(&shape))
    }

    fn fields(&mut self, terms: &[Term], shape: Option<&[Term]>) -> Option<Vec<Field>> {
        let whole = |term: &Term| match term {
            Term::Name(name) => self.whole.get(name).cloned(),
            _ => None,
        };
        let spread: Vec<Result<&Term, Field>> = terms
            .iter()
            .flat_map(|term| match whole(term) {
                Some(fields) => fields.into_iter().map(Err).collect(),
                None => vec![Ok(term)],
            })
            .collect();
        let shape = shape.filter(|s| s.len() == spread.len());
        let mut all = Vec::new();
        for (at, part) in spread.into_iter().enumerate() {
            let expected = shape.map(|s| &s[at]);
            let mut field = match part {
                Ok(term) => self.eval(term, expected)?,
                Err(field) => field,
            };
            if let Some(expected) = expected {
                field.ty = self.protocol.field_type(expected);
            }
            all.push(field);
        }
        Some(all)
    }

    fn label(&self, shape: Option<&Term>) -> Option<u32> {
        match self.protocol.encoding {
            Encoding::Tagged => None,
            Encoding::Labelled => Some(shape.and_then(|s| self.protocol.label(s)).unwrap_or(self.line)),
        }
    }

    fn eval(&mut self, term: &Term, shape: Option<&Term>) -> Option<Field> {
        let term = &self.plain(term);
        if let Some(field) = self.has.get(term) {
            return Some(field.clone());
        }
        if let Term::Name(name) = term
            && let Some(sort) = self.stamps.remove(name)
        {
            let value = Value::Time(self.now + if sort == Sort::Expiry { LIFETIME } else { 0 });
            let field = Field { ty: Type::Time, value };
            self.has.insert(term.clone(), field.clone());
            return Some(field);
        }
        let whole = |ty, value| Some(Field { ty, value });
        match term {
            Term::Name(_) => whole(Type::Name, Value::Name(self.party_of(term)?)),
            Term::Text(t) => whole(Type::Data, Value::Text(t.clone())),
            Term::Pow(exponents) => whole(Type::Share, self.power(exponents)?),
            Term::Pk(x) => {
                let of = match self.has.get(&Term::name(x)) {
                    Some(pair) => (pair.ty == Type::KeyPair).then(|| pair.value.clone())?,
                    None => Value::Name(self.party_of(&Term::name(x))?),
                };
                whole(Type::Public, Value::Public(of.into()))
            }
            Term::Sk(x) => whole(Type::KeyPair, Value::Private(self.private(x)?.into())),
            Term::Key(x, y) => (self.insider && (x == MALLORY || y == MALLORY))
                .then(|| Field { ty: Type::Key, value: Value::shared(x, y) }),
            Term::Enc(body, key) => {
                let (inner, under) = match shape {
                    Some(Term::Enc(inner, under)) => (Some(inner.as_slice()), Some(&**under)),
                    _ => (None, None),
                };
                let body: Rc<Vec<Field>> = self.fields(body, inner)?.into();
                let key: Rc<Value> = self.eval(key, under)?.value.into();
                let label = self.label(shape.filter(|s| matches!(s, Term::Enc(..))));
                let is_same = |made: &Value| matches!(made, Value::Cipher { key: k, body: b, label: l, .. } if (k, b, l) == (&key, &body, &label));
                if let Some((_, made)) = self.made.iter().find(|(of, made)| of == term && is_same(made)) {
                    return whole(Type::Cipher, made.clone());
                }
                let value = Value::Cipher { key, body, label, random: self.source.next() };
                self.made.push((term.clone(), value.clone()));
                whole(Type::Cipher, value)
            }
            Term::Sign(by, body) => {
                let inner =
                    if let Some(Term::Sign(_, inner)) = shape { Some(inner.as_slice()) } else { None };
                let body = self.fields(body, inner)?.into();
                let by = self.private(by)?.into();
                let label = self.label(shape.filter(|s| matches!(s, Term::Sign(..))));
                whole(Type::Signature, Value::Signature { by, body, label })
            }
            Term::Mac(list) => {
                let inner = if let Some(Term::Mac(inner)) = shape { Some(inner.as_slice()) } else { None };
                let body = self.fields(list, inner)?.into();
                let label = self.label(shape.filter(|s| matches!(s, Term::Mac(_))));
                whole(Type::Code, Value::Code { body, label })
            }
            Term::Hash(list) => {
                let inner = if let Some(Term::Hash(inner)) = shape { Some(inner.as_slice()) } else { None };
                whole(Type::Hash, Value::Hash(self.fields(list, inner)?.into()))
            }
            Term::Kdf(list) => {
                let inner = if let Some(Term::Kdf(inner)) = shape { Some(inner.as_slice()) } else { None };
                whole(Type::Key, Value::Derived(self.fields(list, inner)?.into()))
            }
            Term::Succ(one) | Term::Pred(one) => {
                let inner = if let Some(Term::Succ(inner) | Term::Pred(inner)) = shape {
                    Some(&**inner)
                } else {
                    None
                };
                let field = self.eval(one, inner)?;
                whole(field.ty, field.value.plus(if matches!(term, Term::Succ(_)) { 1 } else { -1 }))
            }
            Term::Xor(x, y) => {
                let (x, y) = (self.eval(x, None)?, self.eval(y, None)?);
                self.is_moot |= x.value.width().is_none() || x.value.width() != y.value.width();
                whole(x.ty, x.value.xor(&y.value))
            }
        }
    }

    fn power(&mut self, exponents: &[String]) -> Option<Value> {
        if exponents.is_empty() {
            return Some(Value::Share(Vec::new()));
        }
        if let Some(share) = self.has.get(&Term::pow(exponents)) {
            return Some(share.value.clone());
        }
        for (at, own) in exponents.iter().enumerate() {
            let Some(exponent) = self.has.get(&Term::name(own)).map(|f| f.value.clone()) else { continue };
            let mut rest = exponents.to_vec();
            rest.remove(at);
            if let Some(share) = self.power(&rest) {
                return share.raised(&exponent);
            }
        }
        None
    }
}
