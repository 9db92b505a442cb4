//! Changing bytes that she cannot read: where she guesses what text stands under a cipher that
//! nothing protects from changes, the exclusive or of that text and another is a mask that turns
//! one into the other. Must not know any key.

use std::fmt;

use super::gcm::Record;
use super::records::Records;
use crate::algebra::{Bytes, Value};
use crate::journal::{Sight, What};
use crate::knowledge::Shown;
use crate::notation::Kind;
use crate::wire::tagged_fields;

/// What she changes in a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    guess: String,
    wish: String,
    place: Place,
    /// Whether she also makes the tag of GCM that fits, which takes another ciphertext under the
    /// same nonce.
    pub tags_anew: bool,
}

/// Where in a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The field, from 1; the whole message if none.
    pub field: Option<usize>,
    /// The byte in it, from 0.
    pub byte: usize,
}

impl Change {
    /// Makes what is `guess`, if she guesses right, into `wish`. `None` if they are not equally
    /// long, or are the same.
    pub fn new(guess: &str, wish: &str, place: Place, tags_anew: bool) -> Option<Change> {
        let fits = guess.len() == wish.len() && guess != wish;
        fits.then(|| Change { guess: guess.to_owned(), wish: wish.to_owned(), place, tags_anew })
    }

    /// The message with the mask over it.
    ///
    /// # Errors
    /// What it lacks, in words.
    pub(super) fn carry_out(
        &self,
        message: &Sight,
        records: &Records,
    ) -> Result<(Sight, Option<What>), String> {
        let mut bytes = message.bytes.to_vec();
        let field = match self.place.field {
            None => 0..bytes.len(),
            Some(nth) => {
                let fields = tagged_fields(&bytes).unwrap_or_default();
                let field = fields.get(nth - 1).ok_or_else(|| format!("the message has no field {nth}"))?;
                field.1.clone()
            }
        };
        let range = field.start.saturating_add(self.place.byte);
        let range = range..range.saturating_add(self.guess.len());
        if range.end > field.end {
            return Err(format!("there are only {} bytes", field.len()));
        }
        let mask = self.guess.bytes().zip(self.wish.bytes()).map(|(guess, wish)| guess ^ wish);
        bytes[range].iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        let mut recovered = None;
        if self.tags_anew {
            let before = Record(Bytes::from(&message.bytes[field.clone()]));
            let (key, other) = records.hash_key(&before)?;
            let changed = Record(Bytes::from(&bytes[field.clone()]));
            let anew = before.with(&changed, key).ok_or("her mask reaches beyond the text")?;
            bytes[field].copy_from_slice(&anew.0);
            let from = [&before, other].map(|record| Value::new(Kind::Cipher, record.0.clone()));
            recovered = Some(What::Recovered {
                term: "the key of the hash".into(),
                how: "the difference of the tags of".into(),
                from: Box::new(from.to_vec()),
                value: key.to_value(),
            });
        }
        let bytes = Bytes::from(bytes);
        let text = format!("{}, with a mask over it: {}", message.shown.text(), bytes.fingerprint());
        Ok((Sight { bytes, shown: Shown::words(text), ..message.clone() }, recovered))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { guess, wish, place, tags_anew } = self;
        let anew = if *tags_anew { ", tagged anew" } else { "" };
        write!(f, "change \"{guess}\" to \"{wish}\" at {place}{anew}")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            Some(field) => write!(f, "{field}:{}", self.byte),
            None => write!(f, "{}", self.byte),
        }
    }
}
