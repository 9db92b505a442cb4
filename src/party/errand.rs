//! What a party asks the authority for at set times: a certificate, another in its place, a
//! revocation. Must not know how the authority decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Effects;
use super::bureau::CA_PROTOCOL;
use super::cast::Cast;
use super::exchange::{Question, Questions};
use super::trust::PartyTrust;
use super::wish::Plea;
use crate::algebra::{Bytes, Private};
use crate::crypto;
use crate::journal::{QuestionId, Sight, What};
use crate::knowledge::Shown;
use crate::notation::{KeyUses, Name, Service, Term};
use crate::pki::{self, Answer, Ask, Certificates, Petition, RevocationReason};
use crate::reason::Reason;
use crate::time::{SimTime, UnixNanos};

/// The number under which a party asks of its own accord; scheduled requests count from 1.
const WATCH: u32 = 0;

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Errand {
    /// A certificate for a name, of a key that the party has or of a new one.
    Enrol {
        /// The name.
        name: Name,
        /// Whether it makes a new key first.
        new_key: bool,
    },
    /// A certificate in place of the one that it has.
    Renew {
        /// The name.
        name: Name,
        /// Whether it makes a new key first.
        new_key: bool,
    },
    /// The revocation of everything that a party has.
    Revoke {
        /// The party.
        subject: Name,
        /// Why.
        reason: RevocationReason,
        /// Since when its key is suspected to be in other hands.
        since: Option<SimTime>,
    },
    /// The end of a hold.
    Release {
        /// The party.
        subject: Name,
    },
    /// Business with the key centre.
    Keys(Plea),
}

/// A request that a scenario schedules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestSpec {
    /// Its number, from 1.
    pub number: u32,
    /// When.
    pub at: SimTime,
    /// Who asks.
    pub by: Name,
    /// For what.
    pub errand: Errand,
    /// The same in words, which every try and every log share.
    pub words: Arc<str>,
    /// The stolen key with which the attacker signs: her own if none.
    pub with: Option<Term>,
    /// The name under which the attacker's notebook has what she gets.
    pub term: Option<Term>,
}

impl std::fmt::Display for Errand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = |new: bool| if new { ", with a new key" } else { "" };
        match self {
            Errand::Enrol { name, new_key } => write!(f, "a certificate for {name}{}", key(*new_key)),
            Errand::Renew { name, new_key } => {
                write!(f, "another certificate for {name}{}", key(*new_key))
            }
            Errand::Revoke { subject, reason, .. } => write!(f, "the revocation of {subject}: {reason}"),
            Errand::Release { subject } => write!(f, "the end of the hold on {subject}"),
            Errand::Keys(plea) => plea.wish.fmt(f),
        }
    }
}

/// With what somebody asks.
pub struct Means<'a> {
    /// The keys that are to be certified.
    pub keys: &'a Private,
    /// The key and certificate that prove who asks, for what is not proved by a secret.
    pub proof: Option<(&'a Private, &'a Certificates)>,
    /// The name and the secret that it shares with the authority.
    pub secret: Option<(&'a str, &'a [u8])>,
}

/// A petition for an errand, or what is lacking for it.
pub fn petition(
    errand: &Errand,
    means: &Means<'_>,
    date: impl Fn(SimTime) -> UnixNanos,
) -> Result<Petition, &'static str> {
    let ask = match errand {
        Errand::Enrol { name, .. } => Ask::Enrol(pki::requests(name, means.keys)),
        Errand::Renew { name, .. } => Ask::Renew(pki::requests(name, means.keys)),
        Errand::Revoke { subject, reason, since } => Ask::Revoke {
            subject: subject.to_string(),
            serial: None,
            reason: *reason,
            invalid_since: since.map(date),
        },
        Errand::Release { subject } => Ask::Release { subject: subject.to_string() },
        Errand::Keys(_) => return Err("an authority that keeps keys"),
    };
    let by_key = means.proof.and_then(|(private, certificates)| {
        Some((private.signing.as_ref()?, certificates.signature.as_deref()?))
    });
    match (&ask, means.secret, by_key) {
        (Ask::Renew(_), _, Some((key, certificate))) => Ok(ask.signed(certificate, key)),
        (Ask::Renew(_), ..) => Err("a certificate to renew and its key"),
        (_, Some((name, secret)), _) => Ok(ask.vouched(name, secret)),
        (_, None, Some((key, certificate))) => Ok(ask.signed(certificate, key)),
        (_, None, None) => Err("a secret or a key to show who asks"),
    }
}

/// A message that carries a petition.
pub fn message(from: &Name, id: QuestionId, number: u32, text: &str, petition: &Petition) -> Sight {
    let (protocol, to) = (CA_PROTOCOL.into(), Service::Ca.name().into());
    let question = Question { id, run: number, from, to, protocol };
    question.asked(Bytes::from(petition.to_bytes()), Shown::words(text))
}

/// The uses of the keys that certificates of a play are for.
pub fn certified_uses(cast: &Cast) -> KeyUses {
    let certified = cast.protocols.values().filter(|spoken| spoken.protocol.has_certificates);
    certified.map(|spoken| spoken.protocol.uses).fold(KeyUses::default(), KeyUses::and)
}

/// What an answer that is waited for is about.
enum Open {
    /// An errand, with the keys for which it is.
    Errand(Arc<RequestSpec>, Box<Private>),
    /// The revocation of what it never asked for.
    Report,
}

/// An honest party's errands.
#[derive(Default)]
pub struct Errands {
    questions: Questions,
    /// Those for which no answer came yet.
    open: BTreeMap<QuestionId, Open>,
    /// The last question what was issued in its name.
    watches: Option<QuestionId>,
    /// How many keys it had before the one that it has.
    rekeyed: u32,
    /// Certificates that it had revoked because it never asked for them.
    reported: BTreeSet<u64>,
}

impl Errands {
    /// Sets out on an errand.
    pub fn set_out(
        &mut self,
        spec: &Arc<RequestSpec>,
        cast: &Cast,
        trust: &PartyTrust,
        effects: &mut Effects,
    ) {
        let me = &spec.by;
        let uses = certified_uses(cast);
        let current = trust.keys.clone().unwrap_or_else(|| cast.keys.private(me, uses));
        let new_key =
            matches!(spec.errand, Errand::Enrol { new_key: true, .. } | Errand::Renew { new_key: true, .. });
        let keys = if new_key { cast.keys.renewed(me, self.rekeyed + 1, uses) } else { current.clone() };
        let own = trust.own();
        let secret = cast.keys.shared(me, Service::Ca.name(), 0);
        let means = Means {
            keys: &keys,
            proof: own.as_ref().map(|own| (&current, own)),
            secret: Some((me, &secret.bytes)),
        };
        let words = &spec.words;
        effects.note(asked(spec));
        match petition(&spec.errand, &means, |at| cast.clock(at, 0)) {
            Ok(petition) => {
                let id = self.questions.next();
                let message = message(me, id, spec.number, words, &petition);
                effects.send(message);
                self.open.insert(id, Open::Errand(spec.clone(), Box::new(keys)));
            }
            Err(lacked) => {
                effects.note(What::Lacked { by: me.clone(), request: spec.number, lacked: lacked.to_owned() })
            }
        }
    }

    /// Takes the answer to an errand.
    pub fn answer(
        &mut self,
        message: &Sight,
        cast: &Cast,
        trust: &mut PartyTrust,
        effects: &mut Effects,
    ) -> Result<(), &'static str> {
        const UNASKED: &str = "it did not ask";
        let id = message.question.ok_or(UNASKED)?;
        if self.watches.take_if(|watches| *watches == id).is_some() {
            return self.read_log(message, cast, trust, effects);
        }
        let (spec, keys) = match self.open.remove(&id).ok_or(UNASKED)? {
            Open::Errand(spec, keys) => (spec, keys),
            Open::Report => return Ok(()),
        };
        let refusal = match Answer::read(&message.bytes) {
            Ok(Answer::Granted(certificates)) => {
                let renews = matches!(
                    spec.errand,
                    Errand::Enrol { new_key: true, .. } | Errand::Renew { new_key: true, .. }
                );
                self.rekeyed += u32::from(renews);
                if renews {
                    let (party, version) = (spec.by.clone(), self.rekeyed);
                    effects.note(What::Rekeyed { party, version });
                }
                trust.renew(certificates, *keys);
                None
            }
            Ok(Answer::Done(_) | Answer::Log(_)) => None,
            Ok(Answer::Refused(reason)) | Err(reason) => Some(reason),
        };
        effects.note(answered(&spec, refusal));
        Ok(())
    }

    /// Asks the authority what it issued in its name (RFC 9162).
    pub fn look(&mut self, me: &Name, cast: &Cast, effects: &mut Effects) {
        let secret = cast.keys.shared(me, Service::Ca.name(), 0);
        let petition = Ask::Log { subject: me.to_string() }.vouched(me, &secret.bytes);
        let words = format!("what was issued to {me}?");
        let id = self.questions.next();
        self.watches = Some(id);
        effects.send(message(me, id, WATCH, &words, &petition));
    }

    /// Has what it never asked for revoked.
    fn read_log(
        &mut self,
        of: &Sight,
        cast: &Cast,
        trust: &PartyTrust,
        effects: &mut Effects,
    ) -> Result<(), &'static str> {
        let Ok(Answer::Log(entries)) = Answer::read(&of.bytes) else { return Ok(()) };
        let uses = certified_uses(cast);
        let first = cast.keys.private(&of.to, uses);
        let renewed = (1..=self.rekeyed).map(|nth| cast.keys.renewed(&of.to, nth, uses));
        let own: Vec<_> = [first].into_iter().chain(renewed).chain(trust.keys.clone()).collect();
        let digests: Vec<[u8; 32]> = own
            .iter()
            .map(Private::public)
            .flat_map(|public| [public.encryption, public.signature])
            .flatten()
            .map(|spki| crypto::sha256(&[&spki]))
            .collect();
        let secret = cast.keys.shared(&of.to, Service::Ca.name(), 0);
        for (serial, key) in entries {
            if digests.contains(&key) || !self.reported.insert(serial) {
                continue;
            }
            effects.note(What::Alarmed { party: of.to.clone(), serial });
            let ask = Ask::Revoke {
                subject: of.to.to_string(),
                serial: Some(serial),
                reason: RevocationReason::KeyCompromise,
                invalid_since: None,
            };
            let words = format!("the revocation of certificate {serial}");
            let petition = ask.vouched(&of.to, &secret.bytes);
            let id = self.questions.next();
            self.open.insert(id, Open::Report);
            effects.send(message(&of.to, id, WATCH, &words, &petition));
        }
        Ok(())
    }

    /// A restart: no answer is waited for any more.
    pub fn forget(&mut self) {
        self.open.clear();
        self.watches = None;
    }
}

/// That somebody sets out on an errand.
pub fn asked(spec: &RequestSpec) -> What {
    let revokes = match &spec.errand {
        Errand::Revoke { subject, .. } => Some(subject.clone()),
        _ => None,
    };
    What::Asked { by: spec.by.clone(), request: spec.number, what: spec.words.clone(), revokes }
}

/// That an errand was answered.
pub fn answered(spec: &RequestSpec, refusal: Option<Reason>) -> What {
    What::Answered { by: spec.by.clone(), request: spec.number, refusal, tries: 1 }
}
