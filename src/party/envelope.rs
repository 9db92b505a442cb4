//! A request to the key centre as it goes over the wire, and how the centre finds out who
//! sent it and who consents. Must not know what becomes of it.

use super::cast::Cast;
use crate::algebra::pair::{HEADER, join, parts};
use crate::algebra::{Bytes, Value};
use crate::crypto::{self, Rng};
use crate::journal::Sight;
use crate::knowledge::Ring;
use crate::notation::{Func, Kind, Name, Service};
use crate::reason::Reason;
use crate::vault::{Proved, Received, Request};

/// Marks the name under whose key a request is sealed.
const SENDER: u8 = 1;
/// Marks a request that is sealed.
const SEALED: u8 = 2;
/// Marks one that is not.
const PLAIN: u8 = 3;
/// Marks who consents.
const APPROVER: u8 = 4;
/// Marks the proof of it: HMAC-SHA-256 over this request and its operation.
const CONSENT: u8 = 5;
/// To what requests are bound.
pub const REQUEST_LABEL: &[u8] = b"kms request";

/// Who sent a request, and what it says.
pub struct Opened {
    /// The request, and what was proved of it.
    pub received: Received,
    /// The key under which it came, and under which the answer goes.
    pub key: Option<Value>,
}

/// A request as it came.
pub struct Envelope<'a> {
    /// The name under whose key it is sealed, if it is.
    pub sender: Option<&'a str>,
    body: &'a [u8],
    /// The digest of the body, to which the answer and a consent are bound.
    pub digest: [u8; 32],
    consent: Option<(&'a str, &'a [u8])>,
}

impl<'a> Envelope<'a> {
    /// Takes a request apart. Nothing may stand in it that means nothing: what anybody could
    /// add would make an old request a new one.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn read(bytes: &'a [u8]) -> Result<Envelope<'a>, Reason> {
        let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).map_err(|_| Reason::Malformed);
        let parts = parts(bytes)?;
        let (sender, body, rest) = match &parts[..] {
            [(SENDER, name), (SEALED, sealed), rest @ ..] => (Some(text(name)?), *sealed, rest),
            [(PLAIN, plain), rest @ ..] => (None, *plain, rest),
            _ => return Err(Reason::Malformed),
        };
        let consent = match rest {
            [] => None,
            [(APPROVER, name), (CONSENT, code)] => Some((text(name)?, *code)),
            _ => return Err(Reason::Malformed),
        };
        Ok(Envelope { sender, body, digest: crypto::sha256(&[body]), consent })
    }

    /// Opens it and finds out who sent it. Who has no key here and who has another one are told
    /// the same.
    ///
    /// # Errors
    /// `Unauthenticated`, `Malformed`.
    pub fn open(&self, message: &Sight, cast: &Cast, ring: &Ring) -> Result<Opened, Reason> {
        let source = &*message.from;
        let (mut received, key) = match self.sender {
            Some(name) => {
                let suite = cast.keys.suite().symmetric;
                let opened = secrets(name, cast, ring).find_map(|key| {
                    let opened = Proved::by_seal(name, &key.bytes, suite, REQUEST_LABEL, self.body);
                    Some((opened.ok()?, key))
                });
                let ((proved, text), key) = opened.ok_or(Reason::Unauthenticated)?;
                let received = Received::new(Request::decode(&text)?, source);
                (Received { proved: Some(proved), ..received }, Some(key))
            }
            None => (Received::new(Request::decode(self.body)?, source), None),
        };
        let operation = &received.request.operation;
        // Whoever is not known consents to nothing.
        received.consent = self.consent.and_then(|(name, code)| {
            let key = secrets(name, cast, ring).next()?;
            let encoded = operation.encode();
            let proved = Proved::by_mac(name, &key.bytes, &consented(name, &self.digest, &encoded), code);
            Some(proved.ok()?.consent_to(operation))
        });
        Ok(Opened { received, key })
    }
}

/// The versions of the key that somebody shares with the centre under which the centre still
/// reads, newest first; none of somebody whom it does not know.
fn secrets(name: &str, cast: &Cast, ring: &Ring) -> impl Iterator<Item = Value> {
    let kdc = Service::Kdc.name();
    let known = cast.registered.contains(name);
    let newest = known.then(|| ring.newest(&cast.keys, Func::K, name, kdc));
    let older = known.then(|| ring.older(&cast.keys, Func::K, name, kdc));
    newest.into_iter().chain(older.into_iter().flatten())
}

/// That over which somebody shows that it consents to an operation in one request, and in no other.
fn consented<'a>(name: &'a str, request: &'a [u8; 32], operation: &'a [u8]) -> [&'a [u8]; 4] {
    [b"kms consent", request, operation, name.as_bytes()]
}

/// A request as it goes over the wire.
pub struct Sealed {
    /// The message.
    pub bytes: Bytes,
    /// What the answer is bound to.
    pub digest: [u8; 32],
    /// The ciphertext in it, if it is sealed.
    pub ciphertext: Option<Value>,
}

/// Seals a request under the key of whoever sends it, if it has one, and adds a consent.
pub fn seal(
    request: &Request,
    sealed_under: Option<(&Name, &Value)>,
    approver: Option<(&Name, &Value)>,
    cast: &Cast,
    rng: &mut Rng,
) -> Sealed {
    let plain = request.encode();
    let (sender, body) = match sealed_under {
        Some((name, key)) => {
            (Some(name), cast.keys.suite().symmetric.seal(&key.bytes, REQUEST_LABEL, &plain, rng))
        }
        None => (None, plain),
    };
    let digest = crypto::sha256(&[&body]);
    let operation = request.operation.encode();
    let consent = approver
        .map(|(name, key)| (name, crypto::hmac_sha256(&key.bytes, &consented(name, &digest, &operation))));
    let from = sender.map(|name| (SENDER, name.as_bytes()));
    let body_mark = if sender.is_some() { SEALED } else { PLAIN };
    let consent = consent.iter().flat_map(|(name, code)| [(APPROVER, name.as_bytes()), (CONSENT, &code[..])]);
    let bytes = Bytes::from(join(from.into_iter().chain([(body_mark, &body[..])]).chain(consent)));
    let ciphertext = sender.map(|name| {
        let from = HEADER + name.len() + HEADER;
        Value::new(Kind::Cipher, bytes.part(from..from + body.len()))
    });
    Sealed { bytes, digest, ciphertext }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::algebra::Bytes;
    use crate::crypto::Suite;
    use crate::knowledge::Shown;
    use crate::time::SimTime;
    use crate::vault::Operation;

    fn cast() -> Cast {
        Cast {
            protocols: BTreeMap::new(),
            main: "requests".into(),
            kdc: "kdc".into(),
            kms: "kms".into(),
            keys: std::sync::Arc::new(crate::knowledge::Keys::new(0, Suite::default())),
            epoch: crate::time::UnixNanos(0),
            registered: ["alice", "adam"].map(Name::from).into_iter().collect(),
            certificates: BTreeMap::new(),
            ring: Ring::default(),
            profiles: crate::pki::Profiles::default(),
            lifetimes: Default::default(),
            horizon: SimTime::ZERO,
            code_digits: 6,
            runs: BTreeMap::new(),
        }
    }

    fn message(bytes: Vec<u8>) -> Sight {
        Sight {
            id: 0,
            run: 1,
            protocol: "kms".into(),
            line: 1,
            question: Some(1),
            from: "alice".into(),
            to: "kdc".into(),
            bytes: Bytes::from(bytes),
            shown: Shown::words("a request"),
        }
    }

    /// alice's request, with adam's consent.
    fn consented(cast: &Cast, rng: &mut Rng) -> Vec<u8> {
        let key = |name: &str| cast.ring.newest(&cast.keys, Func::K, name, "kdc");
        let request = Request::new("alice", Operation::Rotate { key: "k".into() });
        let (alice, adam) = (Name::from("alice"), Name::from("adam"));
        seal(&request, Some((&alice, &key("alice"))), Some((&adam, &key("adam"))), cast, rng).bytes.to_vec()
    }

    fn approver(bytes: Vec<u8>, cast: &Cast) -> Option<String> {
        let envelope = Envelope::read(&bytes).expect("it has the shape");
        let opened =
            envelope.open(&message(bytes.clone()), cast, &cast.ring).expect("it is sealed for the centre");
        assert_eq!(opened.received.proved.as_ref().map(Proved::name), Some("alice"));
        opened.received.consent.map(|consent| consent.by().to_owned())
    }

    #[test]
    fn a_consent_is_to_one_request_and_no_other() {
        let (cast, mut rng) = (cast(), crypto::stream(0, &["test"]));
        let first = consented(&cast, &mut rng);
        assert_eq!(approver(first.clone(), &cast).as_deref(), Some("adam"));
        let second = consented(&cast, &mut rng);
        let (of_first, of_second) = (parts(&first).expect("parts"), parts(&second).expect("parts"));
        let mixed = join(of_second[..2].iter().chain(&of_first[2..]).copied());
        assert_eq!(approver(mixed, &cast), None);
        let by_nobody = join(of_first[..2].iter().copied().chain([(APPROVER, &b"zoe"[..]), of_first[3]]));
        assert_eq!(approver(by_nobody, &cast), None, "and nobody is told who is known");
    }

    #[test]
    fn nothing_can_be_added_to_a_request() {
        let (cast, mut rng) = (cast(), crypto::stream(0, &["test"]));
        let bytes = consented(&cast, &mut rng);
        let whole = parts(&bytes).expect("parts");
        let shapes = [
            [&whole[..], &[(9, &b"x"[..])]].concat(),
            [&whole[..], &whole[2..]].concat(),
            [&whole[..2], &whole[..]].concat(),
            [&whole[..2], &[(PLAIN, &b"{}"[..])]].concat(),
            whole[..3].to_vec(),
            whole[..1].to_vec(),
            whole[1..].to_vec(),
            Vec::new(),
        ];
        for shape in shapes {
            let bytes = join(shape.iter().copied());
            assert_eq!(Envelope::read(&bytes).err(), Some(Reason::Malformed), "{shape:?}");
        }
    }
}
