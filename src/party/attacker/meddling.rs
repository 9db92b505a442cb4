//! What she does to the answers of an authority's repository and responder: old ones in place
//! of new ones, errors, statements of her own. All of it is judged by whoever asked. Must not
//! know what they make of it.

use super::Desk;
use crate::algebra::Bytes;
use crate::journal::Sight;
use crate::knowledge::Shown;
use crate::notation::{Name, Service};
use crate::party::{CRL_PROTOCOL, OCSP_PROTOCOL};
use crate::pki;
use crate::time::{SimTime, Span};

/// How long a statement of her own is valid.
const FORGED_LIFETIME: Span = Span::seconds(7 * 86_400);

/// What she puts in the place of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meddling {
    /// The latest answer to the same question that she saw until this time.
    RollBack(SimTime),
    /// An error response, which nobody signs (RFC 6960 §2.3).
    TryLater,
    /// `good`, signed with the key of her own certificate.
    ForgeGood,
    /// A list that names these parties' certificates, signed with her own key.
    ForgeList {
        /// The parties.
        listed: Vec<Name>,
        /// Whether the list says that it is hers, not the authority's.
        in_own_name: bool,
    },
}

impl Meddling {
    /// What goes in the place of a message; nothing if it is not such a message.
    pub(super) fn answer(
        &self,
        message: &Sight,
        answers: &[(SimTime, Sight)],
        desk: &Desk<'_>,
    ) -> Option<Sight> {
        let clock = desk.cast.clock(desk.now, 0);
        let her = &desk.profile.character.name;
        let is_ocsp = *message.protocol == *OCSP_PROTOCOL;
        match self {
            Meddling::RollBack(until) if message.line == 2 => {
                let same = |(at, old): &&(SimTime, Sight)| {
                    at <= until
                        && old.protocol == message.protocol
                        && (!is_ocsp || pki::is_about_the_same(&old.bytes, &message.bytes))
                };
                let (_, old) = answers.iter().rev().find(same)?;
                Some(put(message, old.bytes.clone(), "an older answer"))
            }
            Meddling::TryLater if is_ocsp && message.line == 1 => {
                Some(reply(message, Bytes::from(pki::try_later()), "tryLater"))
            }
            Meddling::ForgeGood if is_ocsp && message.line == 1 => {
                let certificate = desk.directory.newest(her, None)?.signature.as_ref()?;
                let key = desk.cast.keys.signing(her);
                let good = pki::forge_good(&message.bytes, &key, certificate, clock, FORGED_LIFETIME).ok()?;
                Some(reply(message, Bytes::from(good), "OCSP response of her own"))
            }
            Meddling::ForgeList { listed, in_own_name } if *message.protocol == *CRL_PROTOCOL => {
                let serials: Vec<u64> = listed
                    .iter()
                    .flat_map(|name| desk.directory.all(name))
                    .filter_map(pki::serial_of)
                    .collect();
                let name = if *in_own_name { her } else { Service::Ca.name() };
                let validity = (clock, clock.after(FORGED_LIFETIME));
                let crl = pki::forge_crl(name, &desk.cast.keys.signing(her), &serials, validity);
                let text = "revocation list of her own";
                Some(match message.line {
                    1 => reply(message, Bytes::from(crl), text),
                    _ => put(message, Bytes::from(crl), text),
                })
            }
            _ => None,
        }
    }
}

/// The same message with other bytes.
fn put(message: &Sight, bytes: Bytes, text: &str) -> Sight {
    Sight { bytes, shown: Shown::words(text), ..message.clone() }
}

/// An answer in the place of whom the message was for.
fn reply(message: &Sight, bytes: Bytes, text: &str) -> Sight {
    Sight { line: 2, from: message.to.clone(), to: message.from.clone(), ..put(message, bytes, text) }
}
