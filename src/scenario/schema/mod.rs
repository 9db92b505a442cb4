//! What may stand in a scenario's file and in a protocol's: the tables, their keys, and of what
//! shape each value is. Who reads a table is held to it, and `mallory schema` is written from it.

mod attacker;
mod expect;
mod json;
mod parties;
mod protocol;
mod requests;
mod scenario;

pub use attacker::{ATTACKER, CERTIFICATE, MATCH, RULE};
pub use expect::{EXPECT, EXPOSURE, HER, SEARCH};
pub use json::{Of, schema};
pub use parties::{CA, KDC, KEY_CENTRE, PARTY, SERVICES};
pub use protocol::{ENCODING, PROTOCOL};
pub use requests::{REQUEST, asks, asks_of_kdc};
pub use scenario::{CRYPTO, EVENT, LINK, LIVE, NETWORK, RUN, SCENARIO};

/// A table of a file.
pub struct Table {
    /// What a schema calls it.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its keys, in groups that tables share.
    pub keys: &'static [&'static [Key]],
    /// Of what shape the values of other keys are: names of the file's own, such as a role's.
    pub others: Option<Shape>,
}

/// A key of a table.
pub struct Key {
    /// The word.
    pub name: &'static str,
    /// Of what shape its value is.
    pub shape: Shape,
    /// What it means, and what holds without it.
    pub about: &'static str,
    /// Whether the table cannot be without it.
    pub is_needed: bool,
}

/// Of what shape a value is.
pub enum Shape {
    /// A text, with examples.
    Text(&'static [&'static str]),
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// `true` or `false`.
    Flag,
    /// A whole number, at least and at most this.
    Whole(u32, u32),
    /// A number from 0 to 1.
    Share,
    /// A duration, as in `1h 30m`.
    Span,
    /// A table.
    Of(&'static Table),
    /// A table for each name of the file's own.
    Named(&'static Shape),
    /// An array.
    List(&'static Shape),
    /// One of several.
    Either(&'static [Shape]),
}

impl Table {
    /// Whether a key may stand in it.
    pub fn has(&self, key: &str) -> bool {
        self.others.is_some() || self.keys().any(|known| known.name == key)
    }

    /// The words that a key's value may be, or may be like.
    pub fn words(&self, key: &str) -> Vec<&'static str> {
        match self.keys().find(|known| known.name == key).map(|known| &known.shape) {
            Some(Shape::Word(words)) => words(),
            Some(Shape::Text(examples)) => examples.to_vec(),
            _ => Vec::new(),
        }
    }

    /// All keys with words of their own.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().flat_map(|group| group.iter())
    }
}

/// The table at these keys of a file, numbers of lists left out, if it is one of ours.
pub fn table_at(root: &'static Table, path: &[&str]) -> Option<&'static Table> {
    let Some((first, rest)) = path.split_first() else { return Some(root) };
    let key = root.keys().find(|known| known.name == *first);
    let shape = key.map(|known| &known.shape).or(root.others.as_ref())?;
    table_of(shape, rest)
}

fn table_of(shape: &'static Shape, path: &[&str]) -> Option<&'static Table> {
    match shape {
        Shape::Of(table) => table_at(table, path),
        Shape::List(of) => table_of(of, path),
        Shape::Named(of) => table_of(of, path.split_first()?.1),
        Shape::Either(several) => several.iter().find_map(|of| table_of(of, path)),
        _ => None,
    }
}

const fn key(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, about, is_needed: false }
}

const fn needed(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, about, is_needed: true }
}

const ANY_TEXT: Shape = Shape::Text(&[]);
const TEXTS: Shape = Shape::List(&ANY_TEXT);
const RATE: Shape = Shape::Text(&["5 in 30s"]);
