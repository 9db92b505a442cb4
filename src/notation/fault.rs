//! Faults of a text: what is wrong, where, what was expected. Must not know files:
//! a place is the key of a quoted string and a range inside it.

use std::ops::Range;

/// A string from a file, with the key under which its owner finds the place again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quoted {
    /// The text, after the file format's own escapes.
    pub text: String,
    /// The owner's key of the place where the text stands.
    pub key: u32,
}

impl Quoted {
    /// A text that comes from no file.
    pub fn new(text: impl Into<String>) -> Self {
        Quoted { text: text.into(), key: u32::MAX }
    }

    /// A fault of the whole text.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.key, 0..self.text.len(), message)
    }
}

/// Something wrong (or, as a warning, unwise) in a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The key of the quoted text.
    pub key: u32,
    /// Bytes of that text.
    pub range: Range<usize>,
    /// A lower-case fragment: what is wrong.
    pub message: String,
    /// What would be right, or the nearest valid word.
    pub help: Option<String>,
}

impl Fault {
    /// A fault at `range` of the text with this key.
    pub fn new(key: u32, range: Range<usize>, message: impl Into<String>) -> Self {
        Fault { key, range, message: message.into(), help: None }
    }

    /// The same fault with advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same fault with the nearest of `valid` as advice, or all of them if none is near.
    pub fn nearest<'a>(self, word: &str, valid: impl IntoIterator<Item = &'a str>) -> Self {
        match suggest(word, valid) {
            Some(help) => self.help(help),
            None => self,
        }
    }
}

/// "did you mean `x`?" for the nearest valid word, else the list of valid ones.
pub fn suggest<'a>(word: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<String> {
    const SHOWN: usize = 12;
    let valid: Vec<&str> = valid.into_iter().collect();
    match near(word, valid.iter().copied()) {
        Some(v) => Some(format!("did you mean `{v}`?")),
        None if valid.is_empty() => None,
        None => {
            let list = valid.iter().take(SHOWN).map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", ");
            let more = if valid.len() > SHOWN { ", …" } else { "" };
            Some(format!("expected one of {list}{more}"))
        }
    }
}

/// The valid word for which this one may be a slip.
pub fn near<'a>(word: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let alike = |v: &'a str| (likeness(&word.to_lowercase(), &v.to_lowercase()), v);
    let all = valid.into_iter().map(alike).filter(|(score, _)| *score > 0.75);
    all.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, v)| v)
}

/// How alike two words are, 0 to 1: by their beginnings, or one slip of the fingers apart.
fn likeness(word: &str, valid: &str) -> f64 {
    let one_slip = word.len() > 2 && strsim::damerau_levenshtein(word, valid) == 1;
    let by_beginning = strsim::jaro_winkler(word, valid);
    if one_slip { by_beginning.max(0.9) } else { by_beginning }
}
