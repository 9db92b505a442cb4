//! How a message looks to people: its terms with the names of parties filled in and a
//! fingerprint at each value. Drawn only when somebody looks.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Knowledge;
use crate::algebra::Value;
use crate::notation::{Func, Id, Kind, Node, Table};

/// What a message says.
#[derive(Clone, Debug)]
pub struct Shown(Form);

/// The values that words stand for: mostly one.
pub type Values = SmallVec<[Value; 1]>;

#[derive(Clone, Debug)]
enum Form {
    Terms(Terms),
    /// Outside the notation: words, and the values that they stand for.
    Words(Arc<str>, Values),
}

/// Terms and the values that they had.
#[derive(Clone, Debug)]
struct Terms {
    table: Arc<Table>,
    parts: Arc<[Id]>,
    values: Vec<(Id, Value)>,
}

impl Knowledge {
    /// These terms with the values that they have now.
    pub fn show(&self, parts: Arc<[Id]>) -> Shown {
        let mut values = Vec::with_capacity(parts.len());
        let mut seen = vec![false; self.table().len()];
        for part in parts.iter() {
            self.collect(*part, &mut values, &mut seen);
        }
        Shown(Form::Terms(Terms { table: self.table().clone(), parts, values }))
    }

    fn collect(&self, id: Id, values: &mut Vec<(Id, Value)>, seen: &mut [bool]) {
        if std::mem::replace(&mut seen[id.index()], true) {
            return;
        }
        if let Some(value) = self.get(id) {
            values.push((id, value.clone()));
        }
        for part in self.table().each_part(id) {
            self.collect(part, values, seen);
        }
    }
}

impl Shown {
    /// Words that stand for a message outside the notation.
    pub fn words(text: impl Into<Arc<str>>) -> Shown {
        Shown::with_values(text, Values::new())
    }

    /// Words that stand for a message outside the notation, with the values that it consists of:
    /// the first is what the words stand for.
    pub fn with_values(text: impl Into<Arc<str>>, values: Values) -> Shown {
        Shown(Form::Words(text.into(), values))
    }

    /// The parts' values, as far as they were known.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        let (terms, values) = match &self.0 {
            Form::Terms(terms) => (Some(terms), &[][..]),
            Form::Words(_, values) => (None, &values[..]),
        };
        let of_terms = terms.into_iter().flat_map(|t| t.parts.iter().filter_map(|p| t.value(*p)));
        of_terms.chain(values)
    }

    /// Every value that was known, with its term in the parties' names.
    pub fn named(&self) -> Vec<(String, &Value)> {
        self.names_of(&|_| true)
    }

    /// As `named`, of those values that are wanted.
    pub fn names_of(&self, wanted: &dyn Fn(&Value) -> bool) -> Vec<(String, &Value)> {
        match &self.0 {
            Form::Terms(terms) => terms.names_of(wanted),
            Form::Words(words, values) => {
                let numbered = values.iter().enumerate().filter(|(_, value)| wanted(value));
                numbered.map(|(nth, value)| (part(words, nth), value)).collect()
            }
        }
    }

    /// The text, each value followed by `#` and 16 hex digits.
    pub fn text(&self) -> String {
        match &self.0 {
            Form::Terms(terms) => terms.list(&terms.parts),
            Form::Words(words, values) if values.is_empty() => words.to_string(),
            Form::Words(words, values) => {
                let marked = |(nth, value): (usize, &Value)| mark(part(words, nth), Some(value));
                values.iter().enumerate().map(marked).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// What the words say of their n-th value, from 0.
fn part(words: &str, nth: usize) -> String {
    if nth == 0 { words.to_owned() } else { format!("part {}", nth + 1) }
}

fn mark(text: String, value: Option<&Value>) -> String {
    match value {
        Some(value) => format!("{text} {}", value.fingerprint()),
        None => text,
    }
}

impl Terms {
    fn names_of(&self, wanted: &dyn Fn(&Value) -> bool) -> Vec<(String, &Value)> {
        let wanted: Vec<&(Id, Value)> = self.values.iter().filter(|(_, value)| wanted(value)).collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let names = self.values.iter().filter(|(_, v)| v.kind == Kind::Name).cloned().collect();
        let bare = Terms { table: self.table.clone(), parts: self.parts.clone(), values: names };
        wanted.into_iter().map(|(id, value)| (bare.term(*id), value)).collect()
    }

    fn value(&self, id: Id) -> Option<&Value> {
        self.values.iter().find(|(i, _)| *i == id).map(|(_, v)| v)
    }

    fn list(&self, ids: &[Id]) -> String {
        ids.iter().map(|id| self.term(*id)).collect::<Vec<_>>().join(", ")
    }

    fn term(&self, id: Id) -> String {
        if self.table.shown_name(id).is_some() {
            return self.marked(id, self.table.show(id));
        }
        match self.table.node(id) {
            Node::Name(name) => match self.name(id) {
                Some(party) => party.to_owned(),
                None => self.marked(id, name.to_string()),
            },
            Node::Text(text) => format!("\"{text}\""),
            Node::Exp(_) => self.marked(id, self.table.show(id)),
            Node::Enc(body, key) => {
                let key = match self.table.node(*key) {
                    Node::App(Func::K | Func::Pk | Func::Pw, _) => self.plain(*key),
                    _ => self.table.show(*key),
                };
                self.marked(id, format!("{{{}}}{key}", self.list(body)))
            }
            // A public key or a certificate that travels may be another's than it says.
            Node::App(Func::Pk | Func::Cert, _) => self.marked(id, self.plain(id)),
            Node::App(Func::K | Func::Pw | Func::Sk, _) => self.plain(id),
            Node::App(func, args) => self.marked(id, format!("{}({})", func.name(), self.list(args))),
        }
    }

    /// The party whose name stands for a role.
    fn name(&self, id: Id) -> Option<&str> {
        let value = self.value(id).filter(|value| value.kind == Kind::Name)?;
        if self.table.kind(id) == Some(Kind::Name) { value.text() } else { None }
    }

    /// A function of agents or of a key pair, without a fingerprint.
    fn plain(&self, id: Id) -> String {
        match self.table.node(id) {
            Node::App(func, args) => {
                let args: Vec<String> = args.iter().map(|a| self.plain(*a)).collect();
                format!("{}({})", func.name(), args.join(","))
            }
            Node::Name(name) => self.name(id).unwrap_or(name).to_owned(),
            _ => self.table.show(id),
        }
    }

    fn marked(&self, id: Id, text: String) -> String {
        mark(text, self.value(id))
    }
}
