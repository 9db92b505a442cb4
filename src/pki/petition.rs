//! What subjects ask an authority for over the wire, and what it answers, as values and as
//! bytes. Must not know how it decides.

use super::{Certificates, RevocationReason};
use crate::algebra::pair::{join, parts};
use crate::crypto::{self, SigningKey};
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
