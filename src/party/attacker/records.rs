//! Ciphertexts of GCM that she recorded, and what follows where two have one nonce. Must not know
//! any key.

use std::collections::{BTreeMap, BTreeSet};

use super::Desk;
use super::gcm::{HashKey, Record};
use super::plain::fields_of;
use crate::algebra::{Bytes, Value};
use crate::journal::{MessageId, Sight, What};
use crate::limits::{MAX_RECORDS, Reached};
use crate::notation::Kind;
use crate::party::AttackerEffect;
use crate::wire::{Encoding, Field, tagged_fields};

/// What she recorded, and texts that she knows.
#[derive(Default)]
pub struct Records {
    /// By nonce.
    seen: BTreeMap<Vec<u8>, Vec<Seen>>,
    count: usize,
    /// Texts, and of which runs they are.
    known: Vec<(Value, u32)>,
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
            let Some(nonce) = record.nonce().map(<[u8]>::to_vec) else { continue };
            self.count += 1;
            if self.count > MAX_RECORDS {
                let cause = "a rule that tags anew, and many ciphertexts";
                let (name, value) = ("MAX_RECORDS", MAX_RECORDS);
                return desk.effects.all.push(AttackerEffect::Halt(Reached { name, value, cause }));
            }
            let alike = self.seen.entry(nonce).or_default();
            alike.push(Seen { message: message.clone(), field, record });
            for (text, run) in &self.known {
                look(alike, text, *run, &mut self.found, desk);
            }
        }
    }

    /// She knows this text, which is of this run.
    pub fn know(&mut self, text: &Value, run: u32, desk: &mut Desk<'_>) {
        self.seen.values().for_each(|alike| look(alike, text, run, &mut self.found, desk));
        self.known.push((text.clone(), run));
    }

    /// The key of the hash, from a ciphertext of one block and one that she recorded under the
    /// same nonce.
    ///
    /// # Errors
    /// What she lacks, in words.
    pub fn hash_key(&self, record: &Record) -> Result<(HashKey, &Record), String> {
        let alike = record.nonce().and_then(|nonce| self.seen.get(nonce)).into_iter().flatten();
        let mut others = alike.map(|seen| &seen.record).filter(|other| other.meets(record));
        let found = others.find_map(|other| Some((other.hash_key(record)?, other)));
        found.ok_or_else(|| "she never saw two ciphertexts of one block under one nonce".to_owned())
    }
}

/// Of texts under one nonce, where she knows that of one run, the others.
fn look(alike: &[Seen], text: &Value, run: u32, found: &mut BTreeSet<MessageId>, desk: &mut Desk<'_>) {
    let Some(one) = alike.iter().find(|seen| seen.message.run == run) else { return };
    let mut encoded = Vec::new();
    let field = Field { kind: text.kind, bytes: &text.bytes, width: None };
    if Encoding::Tagged.write(field, &mut encoded).is_err() {
        return;
    }
    for other in alike.iter().filter(|other| one.record.meets(&other.record)) {
        if found.contains(&other.message.id) {
            continue;
        }
        let Some(sum) = one.record.text_of_other(&encoded, &other.record) else { continue };
        let fields = fields_of(&sum, &other.message, other.field, desk);
        if fields.is_empty() {
            continue;
        }
        found.insert(other.message.id);
        for (term, value) in fields {
            let cipher = |record: &Record| Value::new(Kind::Cipher, record.0.clone());
            let from = vec![cipher(&one.record), cipher(&other.record), text.clone()];
            let (term, how, from) = (term.into(), "one key stream under".into(), Box::new(from));
            desk.effects.note(What::Recovered { term, how, from, value });
        }
    }
}
