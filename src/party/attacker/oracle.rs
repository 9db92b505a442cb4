//! Asking a party again and again about a ciphertext that she recorded, and reading nothing but
//! how it refuses: the words of its alerts, or that it stays silent. Each query opens a run of its
//! own. Must not know any key, nor what the party found.

use std::collections::BTreeMap;

use super::bleichenbacher::Bleichenbacher;
use super::padding::{Decryption, Procedure, Progress};
use super::plain::fields_of;
use super::{Desk, Mind};
use crate::algebra::{Bytes, Value};
use crate::journal::{Sight, What};
use crate::knowledge::Shown;
use crate::notation::{KeyUses, Kind, Name};
use crate::party::{ALERT_PROTOCOL, AttackerEffect, SERVICE_PROTOCOLS};
use crate::time::Span;
use crate::wire::{Field, tagged_fields};

/// How long she waits for an answer before she takes it that there is none.
const PATIENCE: Span = Span::seconds(2);

/// Decrypts the first message that she can put to its receiver again.
pub struct PaddingOracle {
    /// Of which cipher.
    cipher: Padded,
    /// How often she may ask.
    budget: u32,
    inquiry: Option<Inquiry>,
}

/// What is padded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Padded {
    /// Texts before CBC.
    Cbc,
    /// Texts before RSA, by PKCS#1 v1.5.
    Rsa,
}

struct Inquiry {
    message: Sight,
    /// Which of its fields is the ciphertext, from 0.
    field: usize,
    sealed: Value,
    decryption: Box<dyn Procedure>,
    run: u32,
    asked: u32,
    /// Answers to nonsense: what most of them say is what wrong padding sounds like.
    nonsense: Vec<Answer>,
    answers: BTreeMap<Answer, u32>,
    is_over: bool,
}

/// The words of an alert; none if nobody answered.
type Answer = Option<String>;

impl PaddingOracle {
    pub fn new(cipher: Padded, budget: u32) -> PaddingOracle {
        PaddingOracle { cipher, budget, inquiry: None }
    }

    /// A way to decrypt this, if it is a ciphertext of the kind that she asks about.
    fn procedure(&self, sealed: &[u8], to: &Name, desk: &Desk<'_>) -> Option<Box<dyn Procedure>> {
        let rng = desk.cast.keys.stream(&[&desk.profile.character.name, "padding-oracle"]);
        match self.cipher {
            Padded::Cbc => Some(Box::new(Decryption::of(sealed, rng)?)),
            Padded::Rsa => {
                // The public half of the receiver's key, which everybody knows.
                let uses = KeyUses { encryption: true, signature: false };
                let public = desk.cast.keys.private(to, uses).public().encryption?;
                Some(Box::new(Bleichenbacher::of(desk.cast.keys.suite().public_key, &public, sealed, rng)?))
            }
        }
    }

    /// Begins with a message, if it opens a part of its receiver's and has a ciphertext.
    fn begin(&mut self, message: &Sight, desk: &mut Desk<'_>) {
        let Some(spoken) = desk.cast.protocols.get(&message.protocol) else { return };
        let opens = |role: &Name| spoken.program_at(role, message.line).is_some();
        if !spoken.receiver_of(message.line).is_some_and(opens) || !desk.is_client(&message.to) {
            return;
        }
        let fields = tagged_fields(&message.bytes).unwrap_or_default();
        let sealed = fields.iter().enumerate().find_map(|(nth, (kind, range))| {
            let bytes = &message.bytes[range.clone()];
            let sealed = Some(bytes).filter(|_| *kind == Kind::Cipher)?;
            let decryption = self.procedure(sealed, &message.to, desk)?;
            Some((nth, Value::new(Kind::Cipher, bytes), decryption))
        });
        let Some((field, sealed, decryption)) = sealed else { return };
        self.inquiry = Some(Inquiry {
            message: message.clone(),
            field,
            sealed,
            decryption,
            run: desk.cast.runs.keys().max().copied().unwrap_or(0),
            asked: 0,
            nonsense: Vec::new(),
            answers: BTreeMap::new(),
            is_over: false,
        });
        self.ask(desk);
    }

    fn ask(&mut self, desk: &mut Desk<'_>) {
        let Some(inquiry) = &mut self.inquiry else { return };
        if inquiry.asked >= self.budget {
            return inquiry.finish(self.budget, desk);
        }
        let bytes = match inquiry.wrong() {
            None => inquiry.decryption.nonsense(),
            Some(_) => inquiry.decryption.query(),
        };
        inquiry.asked += 1;
        inquiry.run += 1;
        let query = inquiry.in_its_place(&bytes, desk);
        desk.effects.all.push(AttackerEffect::Query(query.into()));
        let late = AttackerEffect::Timer(desk.now.after(PATIENCE), u64::from(inquiry.asked));
        desk.effects.all.push(late);
    }

    fn hear(&mut self, answer: Answer, desk: &mut Desk<'_>) {
        let Some(inquiry) = &mut self.inquiry else { return };
        *inquiry.answers.entry(answer.clone()).or_default() += 1;
        let progress = match inquiry.wrong().map(|wrong| *wrong != answer) {
            None => {
                inquiry.nonsense.push(answer);
                Progress::Ask
            }
            Some(is_right) => inquiry.decryption.answer(is_right),
        };
        match progress {
            Progress::Ask => self.ask(desk),
            Progress::Done | Progress::Lost => inquiry.finish(self.budget, desk),
        }
    }
}

impl Inquiry {
    /// What wrong padding sounds like, once two answers to nonsense are alike.
    fn wrong(&self) -> Option<&Answer> {
        self.nonsense
            .iter()
            .enumerate()
            .find(|(at, answer)| self.nonsense[..*at].contains(answer))
            .map(|(_, a)| a)
    }

    /// The recorded message with this in the ciphertext's place, in the run at hand.
    fn in_its_place(&self, sealed: &[u8], desk: &Desk<'_>) -> Sight {
        let message = &self.message;
        let mut bytes = Vec::with_capacity(message.bytes.len());
        let encoding = desk.cast.protocols.get(&message.protocol).map(|spoken| spoken.encoding.clone());
        let fields = tagged_fields(&message.bytes).unwrap_or_default();
        for (nth, (kind, range)) in fields.into_iter().enumerate() {
            let of = if nth == self.field { sealed } else { &message.bytes[range] };
            let field = Field { kind, bytes: of, width: None };
            // It fits where a longer one came from.
            let _ = encoding.as_ref().map(|encoding| encoding.write(field, &mut bytes));
        }
        let bytes = Bytes::from(bytes);
        let text = format!("{} with {} for its ciphertext", message.shown.text(), bytes.fingerprint());
        Sight { run: self.run, bytes, shown: Shown::words(text), ..message.clone() }
    }

    /// Says what came of it, and what the text says.
    fn finish(&mut self, budget: u32, desk: &mut Desk<'_>) {
        self.is_over = true;
        let words =
            |(answer, count): (&Answer, &u32)| format!("{} ×{count}", answer.as_deref().unwrap_or("silence"));
        let answers: Vec<String> = self.answers.iter().map(words).collect();
        let party = self.message.to.clone();
        desk.effects.note(What::Queried {
            party: party.clone(),
            message: self.message.id,
            queries: self.asked,
            budget,
            found: self.decryption.found().0,
            of: self.decryption.found().1,
            unit: self.decryption.unit(),
            answers: answers.join(", ").into(),
        });
        let Some(text) = self.decryption.text() else { return };
        for (term, value) in fields_of(text, &self.message, self.field, desk) {
            let how = format!("{party}'s answers about the padding of what she makes of");
            let from = Box::new(vec![self.sealed.clone()]);
            desk.effects.note(What::Recovered { term: term.into(), how: how.into(), value, from });
        }
    }
}

impl Mind for PaddingOracle {
    fn on_wire(&mut self, message: Sight, desk: &mut Desk<'_>) {
        let current = self.inquiry.as_ref().filter(|inquiry| !inquiry.is_over);
        if let Some(inquiry) = current
            && *message.protocol == *ALERT_PROTOCOL
            && message.run == inquiry.run
            && message.from == inquiry.message.to
        {
            let words = String::from_utf8_lossy(&message.bytes).into_owned();
            return self.hear(Some(words), desk);
        }
        desk.pass(message.clone());
        if self.inquiry.is_none() && !SERVICE_PROTOCOLS.contains(&&*message.protocol) {
            self.begin(&message, desk);
        }
    }

    fn timer(&mut self, number: u64, desk: &mut Desk<'_>) {
        let waits = self.inquiry.as_ref().is_some_and(|i| !i.is_over && u64::from(i.asked) == number);
        if waits {
            self.hear(None, desk);
        }
    }

    fn end(&mut self, desk: &mut Desk<'_>) {
        if self.inquiry.is_none() {
            let (line, what) = match self.cipher {
                Padded::Cbc => ("padding-oracle", "a ciphertext in blocks"),
                Padded::Rsa => ("bleichenbacher", "a ciphertext of RSA with 1,024 bits"),
            };
            let lacked = format!("nobody sent {what} that opens a part of its receiver's");
            desk.effects.note(What::AttackStopped { line: line.to_owned(), lacked });
        }
    }
}
