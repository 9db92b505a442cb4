//! How a message looks to people: its terms with the names of parties filled in and a
//! fingerprint at each value. Drawn only when somebody looks.

use std::sync::Arc;

use super::{Knowledge, Value};
use crate::notation::{Func, Id, Kind, Node, Table, Term};

/// Terms and the values that they had.
#[derive(Clone, Debug)]
pub struct Shown {
    table: Arc<Table>,
    parts: Arc<[Id]>,
    values: Vec<(Id, Value)>,
}

impl Knowledge {
    /// These terms with the values that they have now.
    pub fn show(&self, parts: Arc<[Id]>) -> Shown {
        let mut values = Vec::with_capacity(parts.len());
        for part in parts.iter() {
            self.collect(*part, &mut values);
        }
        Shown { table: self.table().clone(), parts, values }
    }

    fn collect(&self, id: Id, values: &mut Vec<(Id, Value)>) {
        if values.iter().any(|(i, _)| *i == id) {
            return;
        }
        if let Some(value) = self.get(id) {
            values.push((id, value.clone()));
        }
        for part in self.table().each_part(id) {
            self.collect(part, values);
        }
    }
}

impl Shown {
    /// Words that stand for a message outside the notation.
    pub fn words(text: &str) -> Shown {
        let mut table = Table::default();
        let id = table.intern(&Term::name(text)).expect("one term fits any table");
        Shown { table: Arc::new(table), parts: Arc::from([id]), values: Vec::new() }
    }

    /// Words that stand for a message outside the notation, with the values that it consists of:
    /// the first is what the words stand for.
    pub fn with_values(text: &str, values: &[Value]) -> Shown {
        let mut table = Table::default();
        let mut intern = |name: &str| table.intern(&Term::name(name)).expect("a few terms fit any table");
        let names = [text.to_owned()].into_iter().chain((2..=values.len()).map(|nth| format!("part {nth}")));
        let parts: Arc<[Id]> = names.map(|name| intern(&name)).collect();
        let values = parts.iter().copied().zip(values.iter().cloned()).collect();
        Shown { table: Arc::new(table), parts, values }
    }

    /// The parts' values, as far as they were known.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.parts.iter().filter_map(|p| self.value(*p))
    }

    /// Every value that was known, with its term in the parties' names.
    pub fn named(&self) -> impl Iterator<Item = (String, &Value)> {
        let bare = Shown {
            values: self.values.iter().filter(|(_, v)| v.kind == Kind::Name).cloned().collect(),
            ..self.clone()
        };
        self.values.iter().map(move |(id, value)| (bare.term(*id), value))
    }

    fn value(&self, id: Id) -> Option<&Value> {
        self.values.iter().find(|(i, _)| *i == id).map(|(_, v)| v)
    }

    /// The text, each value followed by `#` and 16 hex digits.
    pub fn text(&self) -> String {
        self.list(&self.parts)
    }

    fn list(&self, ids: &[Id]) -> String {
        ids.iter().map(|id| self.term(*id)).collect::<Vec<_>>().join(", ")
    }

    fn term(&self, id: Id) -> String {
        if self.table.shown_name(id).is_some() {
            return self.marked(id, self.table.show(id));
        }
        match self.table.node(id) {
            Node::Name(name) => match self.value(id) {
                Some(value) if value.kind == Kind::Name && self.table.kind(id) == Some(Kind::Name) => {
                    value.text().unwrap_or(name).to_owned()
                }
                _ => self.marked(id, name.to_string()),
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
            Node::App(Func::K | Func::Pw | Func::Pk | Func::Sk | Func::Cert, _) => self.plain(id),
            Node::App(func, args) => self.marked(id, format!("{}({})", func.name(), self.list(args))),
        }
    }

    /// A function of agents, without a fingerprint.
    fn plain(&self, id: Id) -> String {
        match self.table.node(id) {
            Node::App(func, args) => {
                let args: Vec<String> = args.iter().map(|a| self.term(*a)).collect();
                format!("{}({})", func.name(), args.join(","))
            }
            _ => self.term(id),
        }
    }

    fn marked(&self, id: Id, text: String) -> String {
        match self.value(id) {
            Some(value) => format!("{text} {}", value.fingerprint()),
            None => text,
        }
    }
}
