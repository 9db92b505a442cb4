//! What subjects ask an authority for over the wire: a certificate, a new one in place of an
//! old one, a revocation, a look at the log of issuance; and how it decides whether they may.
//! Must not know how messages travel.

use std::collections::BTreeSet;

use super::authority::Authority;
use super::ledger::{Entry, Revoked};
use super::path::Leaf;
use super::{Certificates, RevocationReason, x509};
use crate::crypto::{self, SigningKey, VerifyingKey};
use crate::knowledge::keys::{join, parts};
use crate::reason::Reason;
use crate::time::UnixNanos;

/// What a subject asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// A certificate for each of these requests (PKCS#10, DER).
    Enrol(Vec<Vec<u8>>),
    /// The same, in place of one that the authority issued: with the same key, or another.
    Renew(Vec<Vec<u8>>),
    /// That the authority revoke the certificates of a subject.
    Revoke {
        /// The subject.
        subject: String,
        /// One certificate of the subject's, by serial number; all if none.
        serial: Option<u64>,
        /// Why.
        reason: RevocationReason,
        /// Since when the key is suspected to be in other hands.
        invalid_since: Option<UnixNanos>,
    },
    /// The end of a hold on the certificates of a subject.
    Release {
        /// The subject.
        subject: String,
    },
    /// What it issued under a name.
    Log {
        /// The name.
        subject: String,
    },
}

/// How a subject shows who it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proof {
    /// With the secret that it shares with the authority: its name, and HMAC-SHA-256 over
    /// what it asks.
    Secret(String, Vec<u8>),
    /// With the key of a certificate: the certificate, and a signature over what it asks (RFC
    /// 4210 §5.3.5, RFC 8555 §7.6).
    Key(Vec<u8>, Vec<u8>),
}

/// A request to an authority.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Petition {
    /// What is asked for.
    pub ask: Ask,
    /// By whom.
    pub proof: Proof,
}

/// What an authority answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Certificates, DER, in the order of the requests, with those of authorities.
    Granted(Certificates),
    /// Serial numbers of certificates whose status changed.
    Done(Vec<u64>),
    /// Of each certificate under a name: serial number and SHA-256 of its key.
    Log(Vec<(u64, [u8; 32])>),
    /// No, for this reason.
    Refused(Reason),
}

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

impl Ask {
    /// As bytes: a word, then parts.
    pub fn to_bytes(&self) -> Vec<u8> {
        let with = |word: &str, more: Vec<(u8, Vec<u8>)>| {
            let more = more.iter().map(|(mark, part)| (*mark, part.as_slice()));
            join([(WORD, word.as_bytes())].into_iter().chain(more))
        };
        let all = |requests: &[Vec<u8>]| requests.iter().map(|request| (REQUEST, request.clone())).collect();
        match self {
            Ask::Enrol(requests) => with("enrol", all(requests)),
            Ask::Renew(requests) => with("renew", all(requests)),
            Ask::Revoke { subject, serial, reason, invalid_since } => {
                let mut more = vec![(NAME, subject.clone().into_bytes())];
                more.extend(serial.map(|serial| (SERIAL, serial.to_be_bytes().to_vec())));
                more.push((REASON, reason.word().into()));
                more.extend(invalid_since.map(|since| (SINCE, since.0.to_be_bytes().to_vec())));
                with("revoke", more)
            }
            Ask::Release { subject } => with("release", vec![(NAME, subject.clone().into_bytes())]),
            Ask::Log { subject } => with("log", vec![(NAME, subject.clone().into_bytes())]),
        }
    }

    /// Signs what is asked with the key of a certificate.
    pub fn signed(self, certificate: &[u8], key: &SigningKey) -> Petition {
        let signature = key.sign_x509(&self.to_bytes());
        Petition { ask: self, proof: Proof::Key(certificate.to_vec(), signature) }
    }

    /// Vouches for what is asked with the secret that `name` shares with the authority.
    pub fn vouched(self, name: &str, secret: &[u8]) -> Petition {
        let code = crypto::hmac_sha256(secret, &[b"petition", name.as_bytes(), &self.to_bytes()]);
        Petition { ask: self, proof: Proof::Secret(name.to_owned(), code.to_vec()) }
    }

    fn read(bytes: &[u8]) -> Result<Ask, Reason> {
        let parts = parts(bytes)?;
        let [(WORD, word), rest @ ..] = parts.as_slice() else { return Err(Reason::Malformed) };
        let all = |mark: u8| rest.iter().filter(move |(m, _)| *m == mark).map(|(_, part)| *part);
        let text = |mark: u8| {
            let part = all(mark).next().ok_or(Reason::Malformed)?;
            std::str::from_utf8(part).map(str::to_owned).map_err(|_| Reason::Malformed)
        };
        let number =
            |mark: u8| all(mark).next().map(|part| part.try_into().map(u64::from_be_bytes)).transpose();
        let malformed = |_| Reason::Malformed;
        let requests = || all(REQUEST).map(<[u8]>::to_vec).collect();
        let ask = match *word {
            b"enrol" => Ask::Enrol(requests()),
            b"renew" => Ask::Renew(requests()),
            b"revoke" => Ask::Revoke {
                subject: text(NAME)?,
                serial: number(SERIAL).map_err(malformed)?,
                reason: text(REASON)?.parse().map_err(|()| Reason::Malformed)?,
                invalid_since: number(SINCE).map_err(malformed)?.map(UnixNanos),
            },
            b"release" => Ask::Release { subject: text(NAME)? },
            b"log" => Ask::Log { subject: text(NAME)? },
            _ => return Err(Reason::Malformed),
        };
        if ask.to_bytes() == bytes { Ok(ask) } else { Err(Reason::Malformed) }
    }

    /// PKCS#10 requests in it.
    pub fn requests(&self) -> &[Vec<u8>] {
        match self {
            Ask::Enrol(requests) | Ask::Renew(requests) => requests,
            _ => &[],
        }
    }
}

const WORD: u8 = 1;
const REQUEST: u8 = 2;
const NAME: u8 = 3;
const SERIAL: u8 = 4;
const REASON: u8 = 5;
const SINCE: u8 = 6;
const CODE: u8 = 7;
const CERTIFICATE: u8 = 8;
const SIGNATURE: u8 = 9;
const ASK: u8 = 10;
const BUNDLE: u8 = 11;
const KEY: u8 = 12;

impl Petition {
    /// As bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let ask = self.ask.to_bytes();
        match &self.proof {
            Proof::Secret(name, code) => join([(ASK, &ask[..]), (NAME, name.as_bytes()), (CODE, code)]),
            Proof::Key(certificate, signature) => {
                join([(ASK, &ask[..]), (CERTIFICATE, certificate), (SIGNATURE, signature)])
            }
        }
    }

    /// Reads what `to_bytes` wrote.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn read(bytes: &[u8]) -> Result<Petition, Reason> {
        let parts = parts(bytes)?;
        match parts.as_slice() {
            [(ASK, ask), (NAME, name), (CODE, code)] => {
                let name = std::str::from_utf8(name).map_err(|_| Reason::Malformed)?;
                Ok(Petition { ask: Ask::read(ask)?, proof: Proof::Secret(name.to_owned(), code.to_vec()) })
            }
            [(ASK, ask), (CERTIFICATE, certificate), (SIGNATURE, signature)] => Ok(Petition {
                ask: Ask::read(ask)?,
                proof: Proof::Key(certificate.to_vec(), signature.to_vec()),
            }),
            _ => Err(Reason::Malformed),
        }
    }
}

impl Answer {
    /// As bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Answer::Granted(certificates) => join([(BUNDLE, &certificates.to_value().bytes[..])]),
            Answer::Done(serials) => {
                let serials: Vec<_> = serials.iter().map(|serial| serial.to_be_bytes()).collect();
                join(serials.iter().map(|serial| (SERIAL, &serial[..])))
            }
            Answer::Log(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(serial, key)| [&serial.to_be_bytes()[..], key].concat()).collect();
                join(entries.iter().map(|entry| (KEY, &entry[..])))
            }
            Answer::Refused(reason) => join([(REASON, reason.word().as_bytes())]),
        }
    }

    /// Reads what `to_bytes` wrote.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn read(bytes: &[u8]) -> Result<Answer, Reason> {
        let parts = parts(bytes)?;
        let malformed = Reason::Malformed;
        match parts.as_slice() {
            [(BUNDLE, bundle)] => Ok(Answer::Granted(Certificates::from_bytes(bundle)?)),
            [(REASON, word)] => {
                let word = std::str::from_utf8(word).map_err(|_| malformed)?;
                Ok(Answer::Refused(word.parse().map_err(|()| malformed)?))
            }
            [(KEY, _), ..] => {
                let entry = |(_, part): &(u8, &[u8])| {
                    let (serial, key) = part.split_first_chunk::<8>().ok_or(malformed)?;
                    Ok((u64::from_be_bytes(*serial), key.try_into().map_err(|_| malformed)?))
                };
                Ok(Answer::Log(parts.iter().map(entry).collect::<Result<_, _>>()?))
            }
            serials => {
                let serial = |(_, part): &(u8, &[u8])| {
                    <[u8; 8]>::try_from(*part).map(u64::from_be_bytes).map_err(|_| malformed)
                };
                Ok(Answer::Done(serials.iter().map(serial).collect::<Result<_, _>>()?))
            }
        }
    }
}

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
                let old = issued(authority, certificate).ok_or(Reason::RenewalBlocked)?;
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
            let of = issued(authority, certificate).ok_or(Reason::Forbidden)?;
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

/// The line of a certificate in the authority's ledger, if it issued this very key under it.
fn issued<'a>(authority: &'a Authority, certificate: &[u8]) -> Option<&'a Entry> {
    let leaf = Leaf::read(certificate).ok()?;
    let entry = authority.entry(x509::small(&leaf.serial)?)?;
    (entry.key == crypto::sha256(&[&leaf.public_key])).then_some(entry)
}

/// Whether the key of the certificate in the proof signed what is asked.
fn check_signature(petition: &Petition) -> Result<(), Reason> {
    let Proof::Key(certificate, signature) = &petition.proof else { return Err(Reason::Unauthenticated) };
    let key = VerifyingKey::from_spki(&Leaf::read(certificate)?.public_key)?;
    key.verify_x509(&petition.ask.to_bytes(), signature)
}
