//! Ciphertexts of GCM that she recorded, and what follows where two have one nonce. Must not know
//! any key.

use std::collections::BTreeSet;

use super::Desk;
use super::gcm::{HashKey, Record};
use super::plain::fields_of;
use crate::algebra::{Bytes, Value};
use crate::journal::{MessageId, Sight, What};
use crate::notation::Kind;
use crate::wire::{Encoding, Field, tagged_fields};

/// What she recorded, and texts that she knows.
#[derive(Default)]
pub struct Records {
    seen: Vec<Seen>,
    known: Vec<Value>,
    /// Messages of which she has found the text.
    found: BTreeSet<MessageId>,
}

struct Seen {
    message: Sight,
    /// Which of its fields, from 0.
    field: usize,
    record: Record,
}

impl Records {
    /// Keeps the ciphertexts of a message, and looks what follows from them.
    pub fn keep(&mut self, message: &Sight, desk: &mut Desk<'_>) {
        let fields = tagged_fields(&message.bytes).unwrap_or_default().into_iter().enumerate();
        for (field, (_, range)) in fields.filter(|(_, (kind, _))| *kind == Kind::Cipher) {
            let record = Record(Bytes::from(&message.bytes[range]));
            self.seen.push(Seen { message: message.clone(), field, record });
        }
        self.look(desk);
    }

    /// She knows this text.
    pub fn know(&mut self, value: &Value, desk: &mut Desk<'_>) {
        self.known.push(value.clone());
        self.look(desk);
    }

    /// The key of the hash, from a ciphertext of one block and one that she recorded under the
    /// same nonce.
    ///
    /// # Errors
    /// What she lacks, in words.
    pub fn hash_key(&self, record: &Record) -> Result<(HashKey, &Record), String> {
        let mut others = self.seen.iter().map(|seen| &seen.record).filter(|other| other.meets(record));
        let found = others.find_map(|other| Some((other.hash_key(record)?, other)));
        found.ok_or_else(|| "she never saw two ciphertexts of one block under one nonce".to_owned())
    }

    /// Of two texts under one nonce, where she knows one, the other. Of more she cannot tell which
    /// one it is that she knows.
    fn look(&mut self, desk: &mut Desk<'_>) {
        let Records { seen, known, found } = self;
        for text in known.iter() {
            let mut encoded = Vec::new();
            let field = Field { kind: text.kind, bytes: &text.bytes, width: None };
            if Encoding::Tagged.write(field, &mut encoded).is_err() {
                continue;
            }
            for one in seen.iter() {
                let mut others = seen.iter().filter(|other| other.record.meets(&one.record));
                let (Some(other), None) = (others.next(), others.next()) else { continue };
                // Both are found from either: the one that is told is the later.
                if other.message.id < one.message.id || found.contains(&other.message.id) {
                    continue;
                }
                let Some(text_of_other) = one.record.text_of_other(&encoded, &other.record) else { continue };
                let fields = fields_of(&text_of_other, &other.message, other.field, desk);
                if fields.is_empty() {
                    continue;
                }
                found.insert(other.message.id);
                for (term, value) in fields {
                    let cipher = |record: &Record| Value::new(Kind::Cipher, record.0.clone());
                    let from = vec![cipher(&one.record), cipher(&other.record), text.clone()];
                    let how = "one key stream under";
                    let (term, how, from) = (term.into(), how.into(), Box::new(from));
                    desk.effects.note(What::Recovered { term, how, from, value });
                }
            }
        }
    }
}
