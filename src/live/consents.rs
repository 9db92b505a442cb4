//! Operations that wait for a second administrator, and consents to them, each for one use. Must
//! not know who may consent.

use std::collections::BTreeMap;

use crate::crypto::sha256;
use crate::limits::MAX_LIVE_CONSENTS;
use crate::time::{Span, UnixNanos};
use crate::vault::{Consent, Operation, Proved};

/// How long an operation waits, and a consent lasts.
const LASTS: Span = Span::seconds(600);

/// Operations by their number, which is a digest of who asks for what.
#[derive(Default)]
pub struct Consents(BTreeMap<String, (Operation, Option<Consent>, UnixNanos)>);

/// The number of an operation that somebody asks for.
fn number(name: &str, operation: &Operation) -> String {
    let digest = sha256(&[&[name.len() as u8], name.as_bytes(), &operation.encode()]);
    hex::encode(&digest[..16])
}

impl Consents {
    /// Has an operation wait, and answers its number; `None` if too many wait.
    pub fn wait(&mut self, name: &str, operation: &Operation, now: UnixNanos) -> Option<String> {
        self.0.retain(|_, (_, _, until)| now < *until);
        let number = number(name, operation);
        if self.0.len() >= MAX_LIVE_CONSENTS && !self.0.contains_key(&number) {
            return None;
        }
        self.0.insert(number.clone(), (operation.clone(), None, now.after(LASTS)));
        Some(number)
    }

    /// Takes in somebody's consent; the operation's word, if it waits.
    pub fn consent(&mut self, number: &str, by: Proved, now: UnixNanos) -> Option<&'static str> {
        let (operation, consent, until) = self.0.get_mut(number).filter(|(_, _, until)| now < *until)?;
        *consent = Some(by.consent_to(operation));
        *until = now.after(LASTS);
        Some(operation.verb().word())
    }

    /// The consent to what somebody asks for, which is used up by that.
    pub fn take(&mut self, name: &str, operation: &Operation, now: UnixNanos) -> Option<Consent> {
        let number = number(name, operation);
        let (_, consent, until) = self.0.get(&number)?;
        if consent.is_none() || *until <= now {
            return None;
        }
        self.0.remove(&number)?.1
    }
}
