//! Alerts: what a party tells whoever sent it a message that it refuses. Nothing in a protocol
//! depends on them. Must not know what was refused.

use crate::algebra::Bytes;
use crate::journal::Sight;
use crate::knowledge::Shown;
use crate::notation::Name;
use crate::reason::Reason;

/// The name under which alerts travel: line 1 is the word.
pub const ALERT_PROTOCOL: &str = "alert";

/// What a party says when it refuses a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alerts {
    /// The reason: whoever asks learns which check failed.
    Reason,
    /// The same word, whichever check failed.
    Uniform,
}

impl Alerts {
    /// The alert about a message.
    pub fn about(self, message: &Sight, from: &Name, reason: Reason) -> Sight {
        let word = match self {
            Alerts::Reason => reason.word(),
            Alerts::Uniform => "refused",
        };
        Sight {
            id: 0,
            run: message.run,
            protocol: ALERT_PROTOCOL.into(),
            line: 1,
            question: None,
            from: from.clone(),
            to: message.from.clone(),
            shown: Shown::words(format!("alert: {word}")),
            bytes: Bytes::from(word.as_bytes()),
        }
    }
}
