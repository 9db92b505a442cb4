//! How an authority decides what subjects ask it for: who asks, and whether they may. Must not
//! know how messages travel.

use std::collections::BTreeSet;

use super::authority::Authority;
use super::ledger::Revoked;
use super::path::Leaf;
use super::petition::{Answer, Ask, Petition, Proof};
use super::{Certificates, x509};
use crate::crypto::{self, VerifyingKey};
use crate::reason::Reason;
use crate::time::UnixNanos;

/// Who may ask an authority for what.
#[derive(Clone, Debug)]
pub struct Office {
    /// Whether it looks at who asks. One that does not certifies any name for anybody, and
    /// revokes whatever it is told to.
    pub authorises: bool,
    /// Who may revoke certificates of others.
    pub officers: BTreeSet<String>,
}

/// The secret that a name shares with the authority.
pub type Secrets<'a> = dyn Fn(&str) -> Option<Vec<u8>> + 'a;

impl Office {
    /// Decides about a petition and carries it out.
    pub fn decide(
        &self,
        authority: &mut Authority,
        petition: &Petition,
        secrets: &Secrets<'_>,
        now: UnixNanos,
    ) -> Answer {
        self.carry_out(authority, petition, secrets, now).unwrap_or_else(Answer::Refused)
    }

    fn carry_out(
        &self,
        authority: &mut Authority,
        petition: &Petition,
        secrets: &Secrets<'_>,
        now: UnixNanos,
    ) -> Result<Answer, Reason> {
        match &petition.ask {
            Ask::Enrol(requests) => {
                let name = match self.authorises {
                    true => Some(self.voucher(petition, secrets)?),
                    false => None,
                };
                issue(authority, requests, name.as_deref(), now)
            }
            Ask::Renew(requests) => {
                let Proof::Key(certificate, _) = &petition.proof else {
                    return Err(Reason::Unauthenticated);
                };
                let old = authority.issued(certificate).ok_or(Reason::RenewalBlocked)?;
                if old.revoked().is_some() || old.not_after < now {
                    return Err(Reason::RenewalBlocked);
                }
                let subject = old.subject.clone();
                check_signature(petition)?;
                issue(authority, requests, Some(&subject), now)
            }
            Ask::Revoke { subject, serial, reason, invalid_since } => {
                self.may_act_for(subject, authority, petition, secrets, now)?;
                let revoked = Revoked { reason: *reason, at: now, invalid_since: *invalid_since };
                let of_subject = authority.log().iter().filter(|entry| entry.subject == *subject);
                let serials = of_subject.map(|entry| entry.serial);
                let serials: Vec<u64> =
                    serials.filter(|s| serial.is_none_or(|serial| serial == *s)).collect();
                let revoked = serials.into_iter().filter(|s| authority.revoke_certificate(*s, revoked));
                Ok(Answer::Done(revoked.collect()))
            }
            Ask::Release { subject } => {
                self.may_act_for(subject, authority, petition, secrets, now)?;
                Ok(Answer::Done(authority.release(subject, now)))
            }
            // RFC 9162: anybody may look.
            Ask::Log { subject } => {
                let of_subject = authority.log().iter().filter(|entry| entry.subject == *subject);
                Ok(Answer::Log(of_subject.map(|entry| (entry.serial, entry.key)).collect()))
            }
        }
    }

    /// The name that a shared secret or a certificate's key proves.
    fn voucher(&self, petition: &Petition, secrets: &Secrets<'_>) -> Result<String, Reason> {
        match &petition.proof {
            Proof::Secret(name, code) => {
                let secret = secrets(name).ok_or(Reason::Unauthenticated)?;
                let ask = petition.ask.to_bytes();
                let own = crypto::hmac_sha256(&secret, &[b"petition", name.as_bytes(), &ask]);
                if crypto::constant_time_eq(&own, code) {
                    Ok(name.clone())
                } else {
                    Err(Reason::Unauthenticated)
                }
            }
            Proof::Key(..) => Err(Reason::Unauthenticated),
        }
    }

    /// RFC 8555 §7.6: the subject itself, who holds the certificate's key, or an officer.
    fn may_act_for(
        &self,
        subject: &str,
        authority: &Authority,
        petition: &Petition,
        secrets: &Secrets<'_>,
        now: UnixNanos,
    ) -> Result<(), Reason> {
        if !self.authorises {
            return Ok(());
        }
        if let Proof::Key(certificate, _) = &petition.proof {
            check_signature(petition)?;
            let of = authority.issued(certificate).ok_or(Reason::Forbidden)?;
            // A key that was revoked is in whose hands nobody knows.
            let may = of.subject == subject && of.revoked().is_none() && now <= of.not_after;
            return if may { Ok(()) } else { Err(Reason::Forbidden) };
        }
        let name = self.voucher(petition, secrets)?;
        if name == subject || self.officers.contains(&name) { Ok(()) } else { Err(Reason::Forbidden) }
    }
}

/// Issues a certificate for each request: for `name`, or for whatever name it asks for.
fn issue(
    authority: &mut Authority,
    requests: &[Vec<u8>],
    name: Option<&str>,
    now: UnixNanos,
) -> Result<Answer, Reason> {
    let mut granted = Certificates::default();
    for request in requests {
        let asked = super::request::Request::read(request, false)?;
        let issued = authority.issue(request, name.unwrap_or(&asked.name), now)?;
        match asked.purpose {
            x509::Purpose::Encryption => granted.encryption = Some(issued.der),
            x509::Purpose::Signature => granted.signature = Some(issued.der),
        }
    }
    if granted == Certificates::default() {
        return Err(Reason::Malformed);
    }
    granted.chain = authority.chain().map(<[u8]>::to_vec).collect();
    Ok(Answer::Granted(granted))
}

/// Whether the key of the certificate in the proof signed what is asked.
fn check_signature(petition: &Petition) -> Result<(), Reason> {
    let Proof::Key(certificate, signature) = &petition.proof else { return Err(Reason::Unauthenticated) };
    let key = VerifyingKey::from_spki(&Leaf::read(certificate)?.public_key)?;
    key.verify_x509(&petition.ask.to_bytes(), signature)
}
