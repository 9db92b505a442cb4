//! TOML as a tree in which every value knows its place, so that variants can be laid over
//! a file and errors still point into it. Must not know what keys mean.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Problems, Text};
use crate::notation::Quoted;

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// The file.
    pub file: Arc<Text>,
    /// Its bytes in the file.
    pub range: Range<usize>,
    /// What it is.
    pub data: Data,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Data {
    /// A string.
    String(String),
    /// An integer.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// An array.
    Array(Vec<Node>),
    /// A table, in the order of the file.
    Table(Vec<(Key, Node)>),
    /// Something that no key of ours takes: a date, a number out of range.
    Other(&'static str),
}

/// A key and its place.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key.
    pub name: String,
    /// Its bytes in the file.
    pub range: Range<usize>,
}

impl Key {
    /// The key as a value of its own, for keys that name something.
    pub fn as_value(&self, file: &Arc<Text>) -> Node {
        Node { file: file.clone(), range: self.range.clone(), data: Data::String(self.name.clone()) }
    }

    fn shown(&self) -> String {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !self.name.is_empty() && self.name.chars().all(bare) {
            self.name.clone()
        } else {
            format!("{:?}", self.name)
        }
    }
}

impl Node {
    /// Reads a file's text.
    pub fn parse(file: &Arc<Text>) -> Result<Node, Problem> {
        let table = DeTable::parse(&file.text)
            .map_err(|e| Problem::at(file, e.span().unwrap_or(0..0), e.message().to_owned()))?;
        let range = table.span();
        Ok(Node { file: file.clone(), range, data: table_data(file, table.into_inner()) })
    }

    /// The words for what it is.
    pub fn describe(&self) -> &'static str {
        match &self.data {
            Data::String(_) => "a string",
            Data::Integer(_) => "an integer",
            Data::Float(_) => "a number",
            Data::Boolean(_) => "a boolean",
            Data::Array(_) => "an array",
            Data::Table(_) => "a table",
            Data::Other(what) => what,
        }
    }

    /// A problem with this value.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::at(&self.file, self.range.clone(), message)
    }

    /// This value with `over` laid over it: tables merge, everything else is replaced.
    pub fn overlaid(&self, over: &Node) -> Node {
        let (Data::Table(base), Data::Table(more)) = (&self.data, &over.data) else { return over.clone() };
        let mut merged = base.clone();
        for (key, value) in more {
            match merged.iter_mut().find(|(k, _)| k.name == key.name) {
                Some(slot) => *slot = (key.clone(), slot.1.overlaid(value)),
                None => merged.push((key.clone(), value.clone())),
            }
        }
        Node { data: Data::Table(merged), ..self.clone() }
    }

    /// The values below this table, each with its path, as one writes them:
    /// `parties.alice.revocation = "crl"`. Tables under one of the keys `besides` are left out.
    pub fn leaves(&self, besides: &[&str]) -> Vec<String> {
        let Data::Table(entries) = &self.data else { return Vec::new() };
        let mut leaves = Vec::new();
        for (key, value) in entries.iter().filter(|(key, _)| !besides.contains(&key.name.as_str())) {
            let key = key.shown();
            match &value.data {
                Data::Table(inner) if !inner.is_empty() => {
                    leaves.extend(value.leaves(&[]).into_iter().map(|leaf| format!("{key}.{leaf}")));
                }
                _ => leaves.push(format!("{key} = {}", value.written())),
            }
        }
        leaves
    }

    /// This value as one writes it on a line.
    pub fn written(&self) -> String {
        match &self.data {
            Data::Array(items) => {
                format!("[{}]", items.iter().map(Node::written).collect::<Vec<_>>().join(", "))
            }
            Data::Table(entries) => {
                let pairs = entries.iter().map(|(k, v)| format!("{} = {}", k.shown(), v.written()));
                format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
            }
            Data::String(text) if text.contains('"') && !text.contains('\'') => format!("'{text}'"),
            Data::String(text) => format!("{text:?}"),
            _ => self.file.text.get(self.range.clone()).unwrap_or_default().to_owned(),
        }
    }

    /// The keys and numbers that lead to what stands at `range`, as in `run.0.at`, or to the
    /// smallest value that has it; with the character that is meant where it is part of a text.
    pub fn path_to(&self, range: &Range<usize>) -> String {
        let mut path = Vec::new();
        self.walk(range, &mut path);
        path.join(".")
    }

    fn walk(&self, range: &Range<usize>, path: &mut Vec<String>) -> bool {
        match &self.data {
            Data::Table(entries) => {
                for (key, value) in entries {
                    path.push(key.shown());
                    if key.range == *range || value.walk(range, path) {
                        return true;
                    }
                    path.pop();
                }
            }
            Data::Array(items) => {
                for (nth, item) in items.iter().enumerate() {
                    path.push(nth.to_string());
                    if item.walk(range, path) {
                        return true;
                    }
                    path.pop();
                }
            }
            Data::String(text) if self.has(range) && self.range != *range => {
                let starts = |at: &(usize, char)| self.inside(at.0..at.0).start >= range.start;
                let before = text.char_indices().position(|at| starts(&at));
                let nth = before.unwrap_or_else(|| text.chars().count()) + 1;
                if let Some(last) = path.last_mut() {
                    last.push_str(&format!(", character {nth}"));
                }
                return true;
            }
            _ => {}
        }
        // A table's place is its head, which may be that of what stands in it.
        self.range == *range || (!matches!(self.data, Data::Table(_)) && self.has(range))
    }

    fn has(&self, range: &Range<usize>) -> bool {
        self.range.start <= range.start && range.end <= self.range.end
    }

    /// The place in the file of bytes `range` of this string's text, escapes undone.
    pub fn inside(&self, range: Range<usize>) -> Range<usize> {
        let raw = &self.file.text[self.range.clone()];
        let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|q| raw.starts_with(q)).unwrap_or("");
        let escapes = quotes.starts_with('"');
        let mut at = quotes.len();
        if quotes.len() == 3 {
            // TOML drops a line break right after the quotes.
            at += ["\r\n", "\n"].into_iter().find(|end| raw[at..].starts_with(end)).map_or(0, str::len);
        }
        let mut places = Vec::new();
        while places.len() <= range.end && at < raw.len() {
            let (written, read) = match escapes {
                true => escape(&raw[at..]),
                false => None,
            }
            .unwrap_or_else(|| raw[at..].chars().next().map_or((1, 1), |c| (c.len_utf8(), c.len_utf8())));
            places.extend(std::iter::repeat_n(at, read));
            at += written;
        }
        let place = |offset: usize| {
            self.range.start + places.get(offset).copied().unwrap_or(raw.len().saturating_sub(quotes.len()))
        };
        let start = place(range.start);
        start..place(range.end).max(start)
    }
}

/// The bytes of an escape at the start of `raw`, as written and as read.
fn escape(raw: &str) -> Option<(usize, usize)> {
    let rest = raw.strip_prefix('\\')?;
    let digits = match rest.chars().next()? {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        c if c.is_ascii_whitespace() => return Some((raw.len() - rest.trim_start().len(), 0)),
        c => return Some((1 + c.len_utf8(), 1)),
    };
    let code = u32::from_str_radix(rest.get(1..1 + digits)?, 16).ok()?;
    Some((2 + digits, char::from_u32(code).map_or(1, char::len_utf8)))
}

fn table_data(file: &Arc<Text>, table: DeTable<'_>) -> Data {
    let mut entries: Vec<(Key, Node)> = table
        .into_iter()
        .map(|(key, value)| {
            let key = Key { range: key.span(), name: key.into_inner().into_owned() };
            (key, node(file, value))
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.range.start);
    Data::Table(entries)
}

fn node(file: &Arc<Text>, value: Spanned<DeValue<'_>>) -> Node {
    let range = value.span();
    let data = match value.into_inner() {
        DeValue::String(s) => Data::String(s.into_owned()),
        DeValue::Integer(i) => match i64::from_str_radix(i.as_str(), i.radix()) {
            Ok(i) => Data::Integer(i),
            Err(_) => Data::Other("an integer out of range"),
        },
        DeValue::Float(x) => match x.as_str().parse() {
            Ok(x) => Data::Float(x),
            Err(_) => Data::Other("a number out of range"),
        },
        DeValue::Boolean(b) => Data::Boolean(b),
        DeValue::Datetime(_) => Data::Other("a date"),
        DeValue::Array(items) => Data::Array(items.into_iter().map(|item| node(file, item)).collect()),
        DeValue::Table(table) => table_data(file, table),
    };
    Node { file: file.clone(), range, data }
}

impl Problems {
    /// The same of a text that was made of what a program set: each said by its path.
    pub(super) fn by_path(self, whole: &Node) -> Problems {
        let by_path = |problem: Problem| match Arc::ptr_eq(&problem.file, &whole.file) {
            true => Problem { path: Some(whole.path_to(&problem.range).into()), ..problem },
            false => problem,
        };
        Problems(self.0.into_iter().map(by_path).collect())
    }
}

/// Strings that were handed to the notation, by the keys under which it reports faults.
#[derive(Clone, Debug, Default)]
pub struct Places(Vec<Node>);

impl Places {
    /// Hands a string to the notation.
    pub fn quote(&mut self, text: &str, place: &Node) -> Quoted {
        self.0.push(place.clone());
        Quoted { text: text.to_owned(), key: self.0.len() as u32 - 1 }
    }

    /// The problem that a fault of the notation is, in the file.
    pub fn problem(&self, fault: &crate::notation::Fault) -> Option<Problem> {
        let node = self.0.get(fault.key as usize)?;
        let whole = matches!(&node.data, Data::String(s) if fault.range == (0..s.len()));
        let range = match &node.data {
            Data::String(_) if !whole => node.inside(fault.range.clone()),
            _ => node.range.clone(),
        };
        let mut problem = Problem::at(&node.file, range, fault.message.clone());
        problem.help = fault.help.clone();
        Some(problem)
    }

    /// A problem with the first string or key that says these words, spaces apart.
    pub fn problem_at(&self, words: &str, message: String) -> Problem {
        let says = |node: &&Node| {
            let written = match &node.data {
                Data::String(text) => text,
                _ => node.file.text.get(node.range.clone()).unwrap_or_default(),
            };
            written.split_whitespace().eq(words.split_whitespace())
        };
        match self.0.iter().find(says).or(self.0.first()) {
            Some(node) => node.problem(message),
            None => Problem::nowhere(message),
        }
    }

    /// The problems that faults of the notation are.
    pub fn problems(&self, faults: &[crate::notation::Fault]) -> Vec<Problem> {
        faults.iter().filter_map(|f| self.problem(f)).collect()
    }
}
