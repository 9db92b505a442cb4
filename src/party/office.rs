//! What a party is to others beside a peer: nothing, the key distribution centre, the
//! certificate authority. Must not know what the party wants of services itself.

use super::Leaked;
use super::bureau::{Bureau, KMS_PROTOCOL};
use super::footing::{Footing, Moment};
use super::keeper::Keeper;
use crate::algebra::Value;
use crate::journal::{Sight, What};
use crate::notation::{Kind, Name};
use crate::pki::RevocationReason;

/// What a party is to others.
pub enum Office {
    /// A peer and no more.
    Client,
    /// Keeps the register of principals, and keys for them if it has a vault.
    Kdc(Option<Box<Keeper>>),
    /// Issues certificates and says which are revoked; nothing where no protocol uses any.
    Ca(Option<Box<Bureau>>),
}

impl Office {
    /// Answers a question.
    ///
    /// # Errors
    /// Why it does not, in words.
    pub fn answer(&mut self, message: &Sight, moment: &mut Moment<'_>) -> Result<(), &'static str> {
        let clock = moment.clock();
        let Moment { footing, now, effects } = moment;
        let Footing { cast, trust, .. } = &**footing;
        match (self, &*message.protocol) {
            (Office::Kdc(Some(keeper)), KMS_PROTOCOL) => {
                keeper.answer(message, (cast, &trust.ring), clock, effects)
            }
            (Office::Ca(Some(bureau)), of) if of != KMS_PROTOCOL => {
                bureau.answer(message, cast, (*now, clock), effects)
            }
            _ => Err("nobody asks it that"),
        }
    }

    /// Serves a party no more.
    pub fn revoke(&mut self, subject: Name, reason: RevocationReason, moment: &mut Moment<'_>) {
        match self {
            Office::Ca(bureau) => {
                let times = (moment.now, moment.clock());
                if let Some(bureau) = bureau {
                    bureau.revoke(&subject, reason, times, moment.effects);
                }
                return;
            }
            Office::Kdc(Some(keeper)) => keeper.revoke(&subject),
            Office::Kdc(None) | Office::Client => {}
        }
        moment.footing.denied.insert(subject.clone());
        let (by, reason) = (moment.footing.name().clone(), reason.word().into());
        moment.effects.note(What::Revoked { by, subject, reason, told: None });
    }

    /// Starts anew.
    pub fn restart(&mut self) {
        if let Office::Kdc(Some(keeper)) = self {
            keeper.restart();
        }
    }

    /// What a thief gets of what the office keeps.
    pub fn stolen(&mut self, what: &Leaked) -> Option<Value> {
        let Office::Kdc(Some(keeper)) = self else { return None };
        match what {
            Leaked::Key { name, version } => keeper.secret(name, Some(*version)),
            Leaked::Vault => keeper.copy().map(|copy| Value::new(Kind::Data, copy)),
            Leaked::Share { custodian } => keeper.share_of(*custodian),
            Leaked::Result { .. } | Leaked::Code { .. } => None,
        }
    }

    /// Somebody puts its disk back as it was stolen last; says whether there is such a copy.
    pub fn put_back(&mut self) -> bool {
        match self {
            Office::Kdc(Some(keeper)) => keeper.put_back(),
            _ => false,
        }
    }
}
