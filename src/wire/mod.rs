//! The bytes of a message: how fields follow one another, and how a reader tells them
//! apart. Must not know what a field means or who reads it.

mod kind;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::limits::MAX_MESSAGE_BYTES;
use crate::reason::Reason;

pub use kind::Kind;

/// Bytes before each field of the tagged encoding: its type, and its length (big endian).
pub const TAG_LEN: usize = 5;

/// How fields become bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// Every field carries its type and its length.
    #[default]
    Tagged,
    /// Fields of fixed width one after another, as papers draw them.
    Untagged(Widths),
    /// Tagged, and cryptography is bound to the protocol and the line that made it.
    Labelled,
}

/// The widths of fields in the untagged encoding, in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Widths {
    /// Names, padded with zero bytes.
    pub name: usize,
    /// Nonces.
    pub nonce: usize,
    /// Symmetric keys.
    pub key: usize,
    /// Time stamps and expiry times.
    pub time: usize,
    /// Data, padded with zero bytes.
    pub data: usize,
    /// Widths of single values, by name; `None` is any width.
    pub of: BTreeMap<Arc<str>, Option<usize>>,
}

impl Default for Widths {
    fn default() -> Self {
        Widths { name: 8, nonce: 16, key: 32, time: 8, data: 32, of: BTreeMap::new() }
    }
}

/// A field does not fit its width.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TooWide {
    /// The field's kind.
    pub kind: Kind,
    /// Its length in bytes.
    pub len: usize,
    /// The width of such fields.
    pub width: usize,
}

impl fmt::Display for TooWide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooWide { kind, len, width } = self;
        write!(f, "a {} of {len} bytes does not fit the untagged width of {width}", kind.word())
    }
}

/// What a reader expects in one place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Expected {
    /// The field's kind; any, if none.
    pub kind: Option<Kind>,
    /// The field's width, where fields have one.
    pub width: Option<usize>,
    /// Whether bytes of another length are taken too, because the reader cannot look inside.
    pub elastic: bool,
}

/// A field to write.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its bytes; of a list, its fields as they were encoded.
    pub bytes: &'a [u8],
    /// The width to which it is padded, where fields have one.
    pub width: Option<usize>,
}

impl Encoding {
    /// Its name in scenario files.
    pub fn name(&self) -> &'static str {
        match self {
            Encoding::Tagged => "tagged",
            Encoding::Untagged(_) => "untagged",
            Encoding::Labelled => "labelled",
        }
    }

    /// Whether fields carry their types.
    pub fn has_tags(&self) -> bool {
        !matches!(self, Encoding::Untagged(_))
    }

    /// Writes one field after what is there.
    pub fn write(&self, field: Field<'_>, out: &mut Vec<u8>) -> Result<(), TooWide> {
        let Field { kind, bytes, width } = field;
        let too_wide = |width| TooWide { kind, len: bytes.len(), width };
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(too_wide(MAX_MESSAGE_BYTES));
        }
        if kind != Kind::List && self.has_tags() {
            out.push(kind as u8);
            out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        }
        out.extend_from_slice(bytes);
        if let (Encoding::Untagged(_), Kind::Name | Kind::Data, Some(width)) = (self, kind, width) {
            let padding = width.checked_sub(bytes.len()).ok_or_else(|| too_wide(width))?;
            out.resize(out.len() + padding, 0);
        }
        Ok(())
    }

    /// Tells the fields of `bytes` apart: the kind and the place of each.
    ///
    /// # Errors
    /// `wrong-type` if a field carries another type than expected, `malformed` if the
    /// bytes do not divide into the expected number of fields.
    pub fn split(&self, bytes: &[u8], expected: &[Expected]) -> Result<Vec<(Kind, Range<usize>)>, Reason> {
        match self {
            Encoding::Tagged | Encoding::Labelled => split_tagged(bytes, expected),
            Encoding::Untagged(_) => split_untagged(bytes, expected),
        }
    }
}

/// Every field of a tagged message, in order.
pub fn tagged_fields(bytes: &[u8]) -> Result<Vec<(Kind, Range<usize>)>, Reason> {
    let mut fields = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let header = bytes.get(at..at + TAG_LEN).ok_or(Reason::Malformed)?;
        let kind = Kind::from_tag(header[0]).ok_or(Reason::Malformed)?;
        let len = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
        let start = at + TAG_LEN;
        let end = start.checked_add(len).filter(|end| *end <= bytes.len()).ok_or(Reason::Malformed)?;
        fields.push((kind, start..end));
        at = end;
    }
    Ok(fields)
}

fn split_tagged(bytes: &[u8], expected: &[Expected]) -> Result<Vec<(Kind, Range<usize>)>, Reason> {
    if let [Expected { kind: Some(Kind::List), .. }] = expected {
        return Ok(vec![(Kind::List, 0..bytes.len())]);
    }
    let mut fields = tagged_fields(bytes)?;
    if let Some((last, first)) = expected.split_last()
        && last.kind == Some(Kind::List)
        && fields.len() >= first.len()
    {
        let start = fields.get(first.len()).map_or(bytes.len(), |f| f.1.start - TAG_LEN);
        fields.truncate(first.len());
        fields.push((Kind::List, start..bytes.len()));
    }
    for ((kind, _), want) in fields.iter().zip(expected) {
        if want.kind.is_some_and(|k| k != *kind) {
            return Err(Reason::WrongType);
        }
    }
    if fields.len() == expected.len() { Ok(fields) } else { Err(Reason::Malformed) }
}

fn split_untagged(bytes: &[u8], expected: &[Expected]) -> Result<Vec<(Kind, Range<usize>)>, Reason> {
    let fixed: usize = expected.iter().filter_map(|e| e.width).sum();
    let open = expected.iter().filter(|e| e.width.is_none()).count();
    // A length that does not add up is taken by the one field that the reader cannot look into.
    let stretched = match open {
        0 if fixed == bytes.len() => None,
        0 => {
            let mut elastic = expected.iter().enumerate().filter(|(_, e)| e.elastic);
            match (elastic.next(), elastic.next()) {
                (Some((at, _)), None) => Some(at),
                _ => return Err(Reason::Malformed),
            }
        }
        1 => expected.iter().position(|e| e.width.is_none()),
        _ => return Err(Reason::Malformed),
    };
    let others = match stretched {
        Some(at) => fixed - expected[at].width.unwrap_or(0),
        None => fixed,
    };
    let rest = bytes.len().checked_sub(others).ok_or(Reason::Malformed)?;
    let mut at = 0;
    let mut fields = Vec::with_capacity(expected.len());
    for (index, want) in expected.iter().enumerate() {
        let len = if stretched == Some(index) { rest } else { want.width.unwrap_or(rest) };
        let kind = want.kind.unwrap_or(Kind::Data);
        let mut end = at + len;
        let next = end;
        if matches!(kind, Kind::Name | Kind::Data) {
            while end > at && bytes[end - 1] == 0 {
                end -= 1;
            }
        }
        fields.push((kind, at..end));
        at = next;
    }
    Ok(fields)
}
