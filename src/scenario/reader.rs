//! Reads a table key by key: wrong types, missing keys and unknown ones are problems with
//! a place and the nearest valid word.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::str::FromStr;

use super::problem::Problem;
use super::schema::Table;
use super::toml_tree::{Data, Key, Node};
use crate::limits::MAX_NAME_BYTES;
use crate::notation::Name;
use crate::notation::fault::suggest;
use crate::time::{SPAN_EXPECTED, Span};

type Result<T> = std::result::Result<T, Problem>;

/// A table that is being read. Keys that nobody asked for are reported by `finish`.
pub struct Reader<'a> {
    /// The table's place.
    pub node: &'a Node,
    entries: &'a [(Key, Node)],
    asked: RefCell<BTreeSet<String>>,
    table: Option<&'static Table>,
}

impl<'a> Reader<'a> {
    /// Reads this value as a table of names of the file's own, or a table in part.
    pub fn new(node: &'a Node) -> Result<Reader<'a>> {
        match &node.data {
            Data::Table(entries) => Ok(Reader { node, entries, asked: RefCell::default(), table: None }),
            _ => Err(node.problem(format!("expected a table, found {}", node.describe()))),
        }
    }

    /// Reads this value as this table.
    pub fn of(node: &'a Node, table: &'static Table) -> Result<Reader<'a>> {
        Ok(Reader { table: Some(table), ..Reader::new(node)? })
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        // What is read and what is described (`mallory schema`) are the same keys.
        debug_assert!(self.table.is_none_or(|table| table.has(key)), "`{key}` is not described");
        self.asked.borrow_mut().insert(key.to_owned());
        self.entries.iter().find(|(k, _)| k.name == key).map(|(_, v)| v)
    }

    /// All entries, all of them asked for.
    pub fn entries(&self) -> &'a [(Key, Node)] {
        self.asked.borrow_mut().extend(self.entries.iter().map(|(k, _)| k.name.clone()));
        self.entries
    }

    /// The entries that nobody asked for yet, now asked for.
    pub fn others(&self) -> Vec<&'a (Key, Node)> {
        let mut asked = self.asked.borrow_mut();
        let others: Vec<_> = self.entries.iter().filter(|(k, _)| !asked.contains(&k.name)).collect();
        asked.extend(others.iter().map(|(k, _)| k.name.clone()));
        others
    }

    /// A string.
    pub fn string(&self, key: &str) -> Result<Option<&'a str>> {
        self.get(key).map(string).transpose()
    }

    /// A string that must be there.
    pub fn required(&self, key: &str) -> Result<&'a str> {
        match self.get(key) {
            Some(node) => string(node),
            None => Err(self.missing(key)),
        }
    }

    /// The problem that a key is missing.
    pub fn missing(&self, key: &str) -> Problem {
        self.node.problem(format!("`{key}` is missing"))
    }

    /// True or false.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>> {
        let Some(node) = self.get(key) else { return Ok(None) };
        match node.data {
            Data::Boolean(b) => Ok(Some(b)),
            _ => Err(node.problem(format!("expected true or false, found {}", node.describe()))),
        }
    }

    /// A whole number of at least `least`.
    pub fn integer(&self, key: &str, least: u32) -> Result<Option<u32>> {
        self.get(key).map(|node| integer(node, least)).transpose()
    }

    /// A share between 0 and 1.
    pub fn ratio(&self, key: &str) -> Result<Option<f64>> {
        let Some(node) = self.get(key) else { return Ok(None) };
        let value = match node.data {
            Data::Float(x) => x,
            Data::Integer(i) => i as f64,
            _ => {
                return Err(node.problem(format!("expected a number from 0 to 1, found {}", node.describe())));
            }
        };
        if (0.0..=1.0).contains(&value) {
            Ok(Some(value))
        } else {
            Err(node.problem(format!("expected a number from 0 to 1, found {value}")))
        }
    }

    /// A duration.
    pub fn span(&self, key: &str) -> Result<Option<Span>> {
        self.get(key).map(span).transpose()
    }

    /// An array of strings.
    pub fn strings(&self, key: &str) -> Result<Vec<(&'a str, &'a Node)>> {
        let Some(node) = self.get(key) else { return Ok(Vec::new()) };
        array(node)?.iter().map(|item| Ok((string(item)?, item))).collect()
    }

    /// One of a closed set of words.
    pub fn word<T: FromStr>(&self, key: &str, what: &str, valid: &[&str]) -> Result<Option<T>> {
        let Some(node) = self.get(key) else { return Ok(None) };
        let text = string(node)?;
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(unknown(node, what, text, valid)),
        }
    }

    /// Reports the first key that nobody asked for.
    pub fn finish(&self) -> Result<()> {
        let asked = self.asked.borrow();
        let Some((key, _)) = self.entries.iter().find(|(k, _)| !asked.contains(&k.name)) else {
            return Ok(());
        };
        let described = self.table.into_iter().flat_map(|table| table.keys().map(|key| key.name));
        Err(self.unknown_key(key, asked.iter().map(String::as_str).chain(described)))
    }

    /// The problem that a key is none of `valid`.
    pub fn unknown_key<'b>(&self, key: &Key, valid: impl IntoIterator<Item = &'b str>) -> Problem {
        let mut problem =
            Problem::at(&self.node.file, key.range.clone(), format!("there is no key `{}` here", key.name));
        problem.help = suggest(&key.name, valid);
        problem
    }
}

/// A string.
pub fn string(node: &Node) -> Result<&str> {
    match &node.data {
        Data::String(s) => Ok(s),
        _ => Err(node.problem(format!("expected a string, found {}", node.describe()))),
    }
}

/// An array.
pub fn array(node: &Node) -> Result<&[Node]> {
    match &node.data {
        Data::Array(items) => Ok(items),
        Data::Table(_) => Err(node
            .problem("expected an array, found a table")
            .help("a table of an array has two pairs of brackets, as in `[[run]]`")),
        _ => Err(node.problem(format!("expected an array, found {}", node.describe()))),
    }
}

/// A whole number of at least `least`.
pub fn integer(node: &Node, least: u32) -> Result<u32> {
    let fits = match node.data {
        Data::Integer(i) => u32::try_from(i).ok().filter(|i| *i >= least),
        _ => None,
    };
    fits.ok_or_else(|| {
        let found = match node.data {
            Data::Integer(i) => i.to_string(),
            _ => node.describe().to_owned(),
        };
        node.problem(format!("expected a whole number from {least} to {}, found {found}", u32::MAX))
    })
}

/// A duration.
pub fn span(node: &Node) -> Result<Span> {
    let text = string(node).map_err(|p| {
        node.problem(format!("expected {SPAN_EXPECTED}, {}", p.message.rsplit(", ").next().unwrap_or("")))
    })?;
    Span::parse(text).ok_or_else(|| {
        node.problem(format!("`{text}` is not a duration")).help(format!("expected {SPAN_EXPECTED}"))
    })
}

/// A name of the notation.
pub fn name(node: &Node) -> Result<Name> {
    let text = string(node)?;
    if text.len() > MAX_NAME_BYTES {
        let limit = format!("more than the limit MAX_NAME_BYTES, {MAX_NAME_BYTES}");
        return Err(node.problem(format!("this name has {} bytes, {limit}", text.len())));
    }
    if crate::notation::parse::is_name(text) && !text.contains('\'') {
        Ok(text.into())
    } else {
        Err(node
            .problem(format!("`{text}` is not a name"))
            .help("a party's name is a letter followed by letters, digits or `_`"))
    }
}

/// The one of `all`, which are each a `what`, whose word this is.
pub fn one_of<T: Copy>(node: &Node, what: &str, all: &[T], word: impl Fn(T) -> &'static str) -> Result<T> {
    let text = string(node)?;
    let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
    all.iter().copied().find(|one| word(*one) == text).ok_or_else(|| unknown(node, what, text, &words))
}

/// The problem that a word is none of `valid`, which are each a `what`.
pub fn unknown(node: &Node, what: &str, word: &str, valid: &[&str]) -> Problem {
    let mut problem = node.problem(format!("there is no {what} `{word}`"));
    problem.help = suggest(word, valid.iter().copied());
    problem
}

/// A key's problem, for keys that name something.
pub fn key_problem(node: &Node, key: &Key, message: String, valid: &[&str]) -> Problem {
    let mut problem = Problem::at(&node.file, key.range.clone(), message);
    problem.help = crate::notation::fault::suggest(&key.name, valid.iter().copied());
    problem
}
