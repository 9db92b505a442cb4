//! Her papers: certificates that she forges, and what she asks of the authority like anybody
//! else, with keys of her own or stolen ones. Must not know what they are for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Desk;
use crate::journal::{Sight, What};
use crate::knowledge::{Private, Value};
use crate::notation::{Func, Name, Service, Term};
use crate::party::errand::{self, Means, answered, asked};
use crate::party::{CA_PROTOCOL, Effect, RequestSpec, certified_uses};
use crate::pki::registration::Answer;
use crate::pki::{self, Certificates};
use crate::time::Span;

/// A serial number that no authority here has come to.
const FORGED_SERIAL: u64 = 424_242;
/// How long a certificate of hers is valid.
const FORGED_LIFETIME: Span = Span::seconds(365 * 86_400);

/// A certificate that she forges.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forgery {
    /// The name under which her notebook has it.
    pub term: Name,
    /// The subject that it names; the key is her own.
    pub subject: Name,
    /// Who she poses as when she signs it.
    pub by: Forger,
}

/// As whom she signs a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forger {
    /// As the authority, with a key of her own.
    FalseCa,
    /// As herself, with the key that the authority certified for her.
    Leaf,
    /// As the authority, with its stolen key.
    StolenCa,
}

/// What she has asked for and stolen.
#[derive(Default)]
pub struct Papers {
    stolen: BTreeMap<Term, Value>,
    open: BTreeMap<u32, Arc<RequestSpec>>,
}

impl Papers {
    /// Keeps a key that an event handed her; answers what she can forge with it now.
    pub fn handed(&mut self, term: &Term, value: &Value, desk: &mut Desk<'_>) -> Vec<(Term, Value)> {
        self.stolen.insert(term.clone(), value.clone());
        match *term == Term::of(Func::Sk, &[&Name::from(Service::Ca.name())]) {
            true => self.forge(|by| by == Forger::StolenCa, desk),
            false => Vec::new(),
        }
    }

    /// Forges what she can from the beginning.
    pub fn begin(&self, desk: &mut Desk<'_>) -> Vec<(Term, Value)> {
        self.forge(|by| by != Forger::StolenCa, desk)
    }

    fn forge(&self, which: impl Fn(Forger) -> bool, desk: &mut Desk<'_>) -> Vec<(Term, Value)> {
        let forgeries: Vec<Forgery> =
            desk.profile.forgeries.iter().filter(|forgery| which(forgery.by)).cloned().collect();
        let made = forgeries.iter().filter_map(|forgery| {
            let value = self.certificates(forgery, desk)?.to_value();
            let by = match forgery.by {
                Forger::FalseCa => "a false authority",
                Forger::Leaf => "herself",
                Forger::StolenCa => "the authority's stolen key",
            };
            let what = format!("a certificate for {} by {by}", forgery.subject);
            desk.effects.note(What::Forged { term: forgery.term.to_string(), what });
            Some((Term::Name(forgery.term.clone()), value))
        });
        made.collect()
    }

    fn certificates(&self, forgery: &Forgery, desk: &Desk<'_>) -> Option<Certificates> {
        let (cast, her) = (desk.cast, &desk.profile.character.name);
        let own = cast.keys.private(her, certified_uses(cast));
        let ca = Service::Ca.name();
        let mut made = Certificates::default();
        let (issuer, key) = match forgery.by {
            Forger::FalseCa => (ca, cast.keys.signing(her)),
            Forger::Leaf => {
                let mine = Certificates::from_bytes(&cast.certificates.get(her)?.bytes).ok()?;
                made.chain.push(mine.signature?);
                (&**her, own.signing.clone()?)
            }
            Forger::StolenCa => {
                let stolen = self.stolen.get(&Term::of(Func::Sk, &[&Name::from(ca)]))?;
                (ca, Private::from_bytes(&stolen.bytes).ok()?.signing?)
            }
        };
        let validity = (cast.epoch, cast.epoch.after(FORGED_LIFETIME));
        for request in pki::requests(&forgery.subject, &own) {
            let der = pki::forge_certificate(issuer, &key, &request, FORGED_SERIAL, validity).ok()?;
            match pki::is_for_encryption(&der) {
                true => made.encryption = Some(der),
                false => made.signature = Some(der),
            }
        }
        Some(made)
    }

    /// Asks the authority for something.
    pub fn ask(&mut self, spec: &Arc<RequestSpec>, desk: &mut Desk<'_>) {
        let (by, words) = (spec.by.clone(), spec.errand.to_string());
        desk.effects.note(asked(spec));
        match self.petition(spec, desk) {
            Ok(petition) => {
                let message = Arc::new(errand::message(&by, spec.number, &words, &petition));
                let after = Span(0);
                desk.effects.all.push(Effect::Inject { message, instead_of: None, after });
                self.open.insert(spec.number, spec.clone());
            }
            Err(lacked) => desk.effects.note(What::Lacked { by, request: spec.number, lacked }),
        }
    }

    fn petition(&self, spec: &RequestSpec, desk: &Desk<'_>) -> Result<pki::registration::Petition, String> {
        let (cast, her) = (desk.cast, &desk.profile.character.name);
        let uses = certified_uses(cast);
        let own = cast.keys.private(her, uses);
        let stolen = match &spec.with {
            None => None,
            Some(term) => Some((term, self.stolen.get(term).ok_or(term.to_string())?)),
        };
        let bundle =
            |name: &Name| cast.certificates.get(name).and_then(|b| Certificates::from_bytes(&b.bytes).ok());
        let keeps_key = matches!(spec.errand, errand::Errand::Renew { new_key: false, .. });
        let (mut keys, mut proof_key, mut certificates) = (own.clone(), own, bundle(her));
        let mut secret = Some((her.clone(), cast.keys.shared(her, Service::Ca.name(), 0)));
        match stolen {
            Some((Term::App(Func::Sk, _), value)) => {
                let private = Private::from_bytes(&value.bytes).map_err(|reason| reason.to_string())?;
                let owner = spec.with.iter().flat_map(Term::names).next();
                certificates = owner.and_then(|owner| bundle(&owner));
                if keeps_key {
                    keys = private.clone();
                }
                (proof_key, secret) = (private, None);
            }
            Some((term, value)) => {
                let owner = term.names().into_iter().find(|name| **name != *Service::Ca.name());
                secret = owner.map(|owner| (owner, value.clone()));
            }
            None if !desk.profile.insider => secret = None,
            None => {}
        }
        let means = Means {
            keys: &keys,
            proof: certificates.as_ref().map(|certificates| (&proof_key, certificates)),
            secret: secret.as_ref().map(|(name, value)| (&**name, &value.bytes[..])),
        };
        errand::petition(&spec.errand, &means, |at| cast.clock(at, 0)).map_err(str::to_owned)
    }

    /// Takes the authority's answer to her, and says what she has got.
    pub fn answer(&mut self, message: &Sight, desk: &mut Desk<'_>) -> Option<(Term, Value)> {
        if *message.protocol != *CA_PROTOCOL || message.line != 2 || message.to != desk.profile.character.name
        {
            return None;
        }
        let spec = self.open.remove(&message.run)?;
        let (granted, refusal) = match Answer::read(&message.bytes) {
            Ok(Answer::Granted(certificates)) => (Some(certificates), None),
            Ok(Answer::Refused(reason)) | Err(reason) => (None, Some(reason)),
            Ok(_) => (None, None),
        };
        desk.effects.note(answered(&spec, refusal));
        Some((spec.term.clone()?, granted?.to_value()))
    }
}
