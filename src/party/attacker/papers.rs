//! Her papers: certificates that she forges, and what she asks of the authority like anybody
//! else, with keys of her own or stolen ones. Must not know what they are for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Desk, Profile};
use crate::algebra::Bytes;
use crate::algebra::{Private, Value};
use crate::crypto::{self, Share};
use crate::journal::{QuestionId, Sight, What};
use crate::notation::{Func, Kind, Name, Service, Term};
use crate::party::custody::{Custody, Means};
use crate::party::errand::{self, Errand, answered, asked};
use crate::party::exchange::Questions;
use crate::party::wish::{Code, Plea};
use crate::party::{AttackerEffect, CA_PROTOCOL, Cast, KMS_PROTOCOL, RequestSpec, certified_uses};
use crate::pki::{self, Answer, Certificates, Flaw, Hand};
use crate::time::Span;
use crate::vault::{self, Unsealing, Vault};

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
    /// What is wrong with it beside that, if anything.
    pub flaw: Option<Flaw>,
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
pub struct Papers {
    stolen: BTreeMap<Term, Value>,
    /// The last copy of the centre's vault, and shares that may open it.
    copy: Option<Value>,
    shares: Vec<Share>,
    /// How many words she has tried on copies.
    tried: usize,
    questions: Questions,
    open: BTreeMap<QuestionId, Arc<RequestSpec>>,
    custody: Custody,
}

/// How the names of shares in her notebook begin.
pub const SHARE: &str = "share_";

/// Marks timers for requests that she tries again.
pub(super) const ASKED: u64 = 1 << 61;

impl Papers {
    /// Has nothing yet.
    pub fn new(cast: &Cast, profile: &Profile) -> Papers {
        let rng = cast.keys.stream(&[&profile.character.name, "key centre"]);
        Papers {
            stolen: BTreeMap::new(),
            copy: None,
            shares: Vec::new(),
            tried: 0,
            questions: Questions::default(),
            open: BTreeMap::new(),
            custody: Custody::new(rng),
        }
    }

    /// Keeps a key that an event handed her; answers what she can forge with it now.
    pub fn handed(&mut self, term: &Term, value: &Value, desk: &mut Desk<'_>) -> Vec<(Term, Value)> {
        self.stolen.insert(term.clone(), value.clone());
        if let Term::Name(name) = term {
            if let Some(request) = name.strip_prefix('r').and_then(|number| number.parse().ok()) {
                self.custody.take_over(request, value);
            }
            let share = name.starts_with(SHARE).then(|| Share::from_bytes(&value.bytes).ok()).flatten();
            let is_share = share.is_some();
            // The same share twice is one.
            self.shares.extend(share.filter(|share| !self.shares.contains(share)));
            if **name == *"vault" {
                self.copy = Some(value.clone());
            }
            if let Some(copy) = self.copy.as_ref().filter(|_| is_share || **name == *"vault") {
                open_vault(copy, &self.shares, &mut self.tried, desk);
            }
        }
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
            let flawed = forgery.flaw.map_or(String::new(), |flaw| format!(", {}", flaw.word()));
            let what = format!("a certificate for {} by {by}{flawed}", forgery.subject);
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
                made.chain.push(desk.directory.newest(her, None)?.signature.clone()?);
                (&**her, own.signing.clone()?)
            }
            Forger::StolenCa => {
                let stolen = self.stolen.get(&Term::of(Func::Sk, &[&Name::from(ca)]))?;
                (ca, Private::from_bytes(&stolen.bytes).ok()?.signing?)
            }
        };
        let validity = (cast.epoch, cast.epoch.after(FORGED_LIFETIME));
        for request in pki::requests(&forgery.subject, &own) {
            let profile = cast.profiles.of(&forgery.subject);
            let der = match forgery.flaw {
                None => pki::forge_certificate(issuer, &key, &request, FORGED_SERIAL, validity, profile),
                Some(flaw) => {
                    // No party has a name with a space in it.
                    let deputies = [1, 2].map(|nth| cast.keys.signing(&format!("{her} {nth}")));
                    let own = own.signing.clone()?;
                    let deputies = [&deputies[0], &deputies[1]];
                    let hand = Hand { authority: issuer, key: &key, own: &own, deputies };
                    let forged = pki::forge_flawed(flaw, &hand, &request, FORGED_SERIAL, cast.epoch, profile);
                    forged.map(|(certificate, chain)| {
                        made.chain.extend(chain);
                        certificate
                    })
                }
            };
            let der = der.ok()?;
            match pki::is_for_encryption(&der) {
                true => made.encryption = Some(der),
                false => made.signature = Some(der),
            }
        }
        Some(made)
    }

    /// Asks a service for something.
    pub fn ask(&mut self, spec: &Arc<RequestSpec>, desk: &mut Desk<'_>) {
        if let Errand::Keys(plea) = &spec.errand {
            return self.ask_for_keys(spec, plea, desk);
        }
        let (by, words) = (spec.by.clone(), spec.errand.to_string());
        desk.effects.note(asked(spec));
        match self.petition(spec, desk) {
            Ok(petition) => {
                let id = self.questions.next();
                let message = Arc::new(errand::message(&by, id, spec.number, &words, &petition));
                let after = Span(0);
                desk.effects.all.push(AttackerEffect::Inject { message, instead_of: None, after });
                self.open.insert(id, spec.clone());
            }
            Err(lacked) => desk.effects.note(What::Lacked { by, request: spec.number, lacked }),
        }
    }

    fn ask_for_keys(&mut self, spec: &Arc<RequestSpec>, plea: &Plea, desk: &mut Desk<'_>) {
        let message = match self.means(spec, plea, desk) {
            Ok(means) => self.custody.set_out(spec, &means, desk.effects),
            Err(lacked) => {
                desk.effects.note(asked(spec));
                let (by, request) = (spec.by.clone(), spec.number);
                return desk.effects.note(What::Lacked { by, request, lacked });
            }
        };
        if let Some(message) = message {
            desk.inject(message, None);
        }
    }

    /// Tries a request again.
    pub fn again(&mut self, number: u64, desk: &mut Desk<'_>) {
        let number = u32::try_from(number & !ASKED).unwrap_or(0);
        let Some(spec) = self.custody.spec(number).cloned() else { return };
        let Errand::Keys(plea) = &spec.errand else { return };
        let Ok(means) = self.means(&spec, plea, desk) else { return };
        if let Some(message) = self.custody.again(number, &means, desk.effects) {
            desk.inject(message, None);
        }
    }

    fn means<'a>(&self, spec: &RequestSpec, plea: &Plea, desk: &Desk<'a>) -> Result<Means<'a>, String> {
        let (cast, her) = (desk.cast, &desk.profile.character.name);
        let kdc = Service::Kdc.name();
        let own =
            || desk.profile.insider.then(|| (her.clone(), cast.ring.newest(&cast.keys, Func::K, her, kdc)));
        let stolen = |term: &Term| self.stolen.get(term).cloned().ok_or(term.to_string());
        let secret = match &spec.with {
            None => own(),
            Some(term) => {
                let owner = term.names().into_iter().find(|name| **name != *kdc).ok_or(term.to_string())?;
                Some((owner, stolen(term)?))
            }
        };
        let code = match &plea.code {
            Code::Stolen(term) => stolen(term)?.text().map(str::to_owned),
            _ => None,
        };
        let approver = match &plea.approved_by {
            None => None,
            Some(name) if name == her => own(),
            // Nobody consents to what she asks; with a stolen key she does it herself.
            Some(name) => Some((name.clone(), stolen(&Term::of(Func::K, &[name, &Name::from(kdc)]))?)),
        };
        Ok(Means { cast, clock: cast.clock(desk.now, 0), secret, code, approver })
    }

    /// Takes the key centre's answer to her.
    pub fn key_centre(&mut self, message: &Sight, desk: &mut Desk<'_>) {
        let is_hers = message.to == desk.profile.character.name && message.line == 2;
        if *message.protocol != *KMS_PROTOCOL || !is_hers {
            return;
        }
        if let Ok(Some(at)) = self.custody.answer(message, desk.cast, desk.now, desk.effects) {
            desk.effects.all.push(AttackerEffect::Timer(at, ASKED | u64::from(message.run)));
        }
    }

    fn petition(&self, spec: &RequestSpec, desk: &Desk<'_>) -> Result<pki::Petition, String> {
        let (cast, her) = (desk.cast, &desk.profile.character.name);
        let uses = certified_uses(cast);
        let own = cast.keys.private(her, uses);
        let stolen = match &spec.with {
            None => None,
            Some(term) => Some((term, self.stolen.get(term).ok_or(term.to_string())?)),
        };
        let keeps_key = matches!(spec.errand, errand::Errand::Renew { new_key: false, .. });
        let (mut keys, mut proof_key, mut certificates) =
            (own.clone(), own, desk.directory.newest(her, None));
        let mut secret = Some((her.clone(), cast.keys.shared(her, Service::Ca.name(), 0)));
        match stolen {
            Some((Term::App(Func::Sk, _), value)) => {
                let private = Private::from_bytes(&value.bytes).map_err(|reason| reason.to_string())?;
                let owner = spec.with.iter().flat_map(Term::names).next();
                certificates = owner.and_then(|owner| desk.directory.newest(&owner, Some(&private)));
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
        let means = errand::Means {
            keys: &keys,
            proof: certificates.map(|certificates| (&proof_key, certificates)),
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
        let spec = self.open.remove(&message.question?)?;
        let (granted, refusal) = match Answer::read(&message.bytes) {
            Ok(Answer::Granted(certificates)) => (Some(certificates), None),
            Ok(Answer::Refused(reason)) | Err(reason) => (None, Some(reason)),
            Ok(_) => (None, None),
        };
        desk.effects.note(answered(&spec, refusal));
        Some((spec.term.clone()?, granted?.to_value()))
    }
}

/// Tries to unseal a copy of the centre's vault: with the shares that she has, if it is sealed
/// under shares; else with nothing, then with each word that she has. Whatever key is in it is
/// hers then.
fn open_vault(copy: &Value, shares: &[Share], tried: &mut usize, desk: &mut Desk<'_>) {
    let Ok(store) = vault::read_copy(&copy.bytes) else { return };
    // She reads, and draws nothing.
    let Ok(mut vault) = Vault::open_rehearsed(store, crypto::stream(0, &[])) else { return };
    let takes_shares = vault.takes_shares();
    let mut unseals = |with, desk: &mut Desk<'_>| {
        vault.unseal(with).inspect_err(|reason| desk.stop_at_limit(*reason)).is_ok()
    };
    let (word, tried, shares) = if takes_shares {
        let opens = unseals(Unsealing::Shares(shares), desk);
        (opens.then_some(0), 1, Some(shares.len()))
    } else {
        let words = [""].into_iter().chain(desk.profile.dictionary.iter().map(String::as_str));
        let tries = words.clone().count();
        let mut opens = None;
        for (nth, word) in words.enumerate() {
            if !desk.may_guess(tried) {
                return;
            }
            if unseals(Unsealing::Passphrase(word.as_bytes()), desk) {
                opens = Some(nth);
                break;
            }
        }
        (opens, opens.map_or(tries, |nth| nth + 1), None)
    };
    desk.effects.note(What::Unsealed { word, tried, shares });
    if word.is_none() {
        return;
    }
    for (key, version, secret) in vault.secrets() {
        let value = Some(Value::new(Kind::Key, Bytes::from(secret.as_slice())));
        let term = format!("key({key},{version})");
        desk.effects.note(What::Compromised { term, run: None, value });
    }
}
