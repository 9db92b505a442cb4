//! One party's business with the key centre: what it asks for and what it has got. Honest
//! parties and the attacker ask alike, each with the keys that it has. Must not know how the
//! centre decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::RngExt as _;
use smallvec::smallvec;

use super::Effects;
use super::cast::Cast;
use super::envelope::{REQUEST_LABEL, Sealed, seal};
use super::errand::{Errand, RequestSpec, asked};
use super::exchange::{Question, Questions};
use super::keeper::{UNWRAPS, agreement};
use super::wish::{Code, Plain, Plea, Wish};
use crate::algebra::{Func, Provenance};
use crate::algebra::{Made, Part, Value};
use crate::crypto::{Agreement, OtpHash, Rng, Totp};
use crate::journal::{QuestionId, Sight, What};
use crate::knowledge::{Shown, Values, keys};
use crate::limits::MAX_AUDIT_PAGE;
use crate::notation::{Kind, Name};
use crate::reason::Reason;
use crate::time::{SimTime, UnixNanos};
use crate::vault::{
    self, Answer, KeySpec, Operation, Request, Response, Unwrapping, WrapUnder, decode_answer,
};

/// The digits of guessed codes are drawn below this power of ten.
const BASE: u32 = 10;

/// With what somebody asks.
pub struct Means<'a> {
    /// What all share.
    pub cast: &'a Cast,
    /// The asker's clock.
    pub clock: UnixNanos,
    /// The name under whose key requests are sealed, and the key.
    pub secret: Option<(Name, Value)>,
    /// A code that was stolen.
    pub code: Option<String>,
    /// Who consents, and the key that shows it.
    pub approver: Option<(Name, Value)>,
}

/// What one party has asked for and got.
pub struct Custody {
    rng: Rng,
    questions: Questions,
    asked: BTreeMap<u32, Business>,
}

/// What became of one request.
#[derive(Default)]
struct Business {
    /// Until it is answered.
    open: Option<Box<Open>>,
    result: Held,
}

struct Open {
    spec: Arc<RequestSpec>,
    /// The question that was asked last for its sake.
    question: QuestionId,
    /// The digest of the request, to which the answer is bound.
    label: [u8; 32],
    key: Option<Value>,
    /// By what it agrees on a secret, and the exponent of its own share.
    exponent: Option<(Agreement, Value)>,
    tries: u32,
    /// Whether it was told to try again, and has yet to.
    is_due: bool,
    /// Whether somebody has refused it in the clear.
    is_doubted: bool,
}

impl Open {
    /// What an answer says, and whether only the centre can have said it. Whoever cannot show
    /// who it is gets its refusal in the clear, as anybody can write it. So that is heard, and
    /// grants nothing; it is the answer until there is one that is bound to the request.
    fn read(&self, message: &Sight, cast: &Cast) -> Result<(Answer, bool), &'static str> {
        const NO_ANSWER: &str = "it is no answer to what it asked";
        let plain = || decode_answer(&message.bytes).map_err(|_| NO_ANSWER);
        let Some(key) = &self.key else { return Ok((plain()?, true)) };
        match cast.keys.suite().symmetric.open(&key.bytes, &self.label, &message.bytes) {
            Ok(bytes) => Ok((decode_answer(&bytes).map_err(|_| NO_ANSWER)?, true)),
            Err(_) => match plain()? {
                Ok(_) => Err("it asked under seal, and nobody grants that in the clear"),
                refused if !self.is_doubted => Ok((refused, false)),
                Err(_) => Err("it was refused in the clear before"),
            },
        }
    }
}

/// A wish as an operation.
struct Asked {
    operation: Operation,
    /// The value that it brings along.
    about: Option<Value>,
    /// Its own share of what is to be agreed, and the exponent.
    share: Option<Value>,
    exponent: Option<(Agreement, Value)>,
}

/// The result of a request.
#[derive(Clone, Default)]
pub struct Held {
    /// A ciphertext or signature, to go on with.
    pub bytes: Option<vault::Bytes>,
    /// What it is about, or gave: a text, a key.
    pub value: Option<Value>,
}

impl Custody {
    /// Has asked for nothing yet.
    pub fn new(rng: Rng) -> Custody {
        Custody { rng, questions: Questions::default(), asked: BTreeMap::new() }
    }

    /// Sets out with a plea.
    pub fn set_out<E: From<What>>(
        &mut self,
        spec: &Arc<RequestSpec>,
        means: &Means<'_>,
        effects: &mut Effects<E>,
    ) -> Option<Sight> {
        let Errand::Keys(plea) = &spec.errand else { return None };
        effects.note(asked(spec));
        match self.message(spec, plea, means, 1, effects) {
            Ok(message) => Some(message),
            Err(lacked) => {
                effects.note(What::Lacked { by: spec.by.clone(), request: spec.number, lacked });
                None
            }
        }
    }

    /// Tries again with another code.
    pub fn again<E: From<What>>(
        &mut self,
        number: u32,
        means: &Means<'_>,
        effects: &mut Effects<E>,
    ) -> Option<Sight> {
        let Open { spec, tries, .. } = self.open(number)?;
        let (spec, tries) = (spec.clone(), *tries);
        let Errand::Keys(plea) = &spec.errand else { return None };
        self.message(&spec, plea, means, tries + 1, effects).ok()
    }

    /// The request with this number, if it still waits.
    pub fn spec(&self, number: u32) -> Option<&Arc<RequestSpec>> {
        self.open(number).map(|open| &open.spec)
    }

    fn open(&self, number: u32) -> Option<&Open> {
        self.asked.get(&number)?.open.as_deref()
    }

    /// Takes over what somebody else's request gave.
    pub fn take_over(&mut self, number: u32, value: &Value) {
        self.asked.entry(number).or_default().result.bytes = Some((&value.bytes[..]).into());
    }

    /// The result of a request.
    pub fn held(&self, number: u32) -> Option<&Held> {
        self.asked.get(&number).map(|business| &business.result)
    }

    fn message<E: From<What>>(
        &mut self,
        spec: &Arc<RequestSpec>,
        plea: &Plea,
        means: &Means<'_>,
        tries: u32,
        effects: &mut Effects<E>,
    ) -> Result<Sight, String> {
        let Asked { operation, about, share, exponent } = self.operation(&plea.wish, spec, means, effects)?;
        if plea.proof && means.secret.is_none() {
            return Err("a key to show who asks".to_owned());
        }
        let sealed_under = means.secret.as_ref().filter(|_| plea.proof);
        let claimed = plea.claims.as_ref().or(sealed_under.map(|(name, _)| name)).unwrap_or(&spec.by);
        let code = match &plea.code {
            Code::None => None,
            Code::Own => Some(totp(means.cast, &spec.by).code(means.clock.seconds())),
            Code::Stolen(_) => Some(means.code.clone().ok_or("a code")?),
            Code::Guess => {
                let digits = means.cast.code_digits;
                let guess: u32 = self.rng.random_range(0..BASE.saturating_pow(digits));
                Some(format!("{guess:0width$}", width = digits as usize))
            }
        };
        let request = Request { claimed: claimed.to_string(), code, operation };
        let approver = means.approver.as_ref().map(|(name, key)| (name, key));
        let under = sealed_under.map(|(name, key)| (name, key));
        let Sealed { bytes, digest, ciphertext } = seal(&request, under, approver, means.cast, &mut self.rng);
        let key = under.map(|(_, key)| key.clone());
        let inside: Values = about.iter().chain(&share).cloned().collect();
        let shown = match (&ciphertext, &key) {
            (Some(sealed), Some(key)) => {
                let inside = inside.iter().cloned().map(Part::of).collect();
                effects.made.push(Made::sealed(
                    sealed.clone(),
                    Func::Encrypt,
                    key.clone(),
                    inside,
                    REQUEST_LABEL,
                ));
                Shown::with_values(spec.words.clone(), smallvec![sealed.clone()])
            }
            _ => Shown::with_values(spec.words.clone(), inside),
        };
        let business = self.asked.entry(spec.number).or_default();
        if let Some(value) = about {
            business.result.value = Some(value.clone());
            effects.note(What::Obtained { by: spec.by.clone(), request: spec.number, value });
        }
        let (number, from, spec) = (spec.number, spec.by.clone(), spec.clone());
        let id = self.questions.next();
        let open = Open {
            spec,
            question: id,
            label: digest,
            key,
            exponent,
            tries,
            is_due: false,
            is_doubted: false,
        };
        business.open = Some(Box::new(open));
        let (protocol, to) = (means.cast.kms.clone(), means.cast.kdc.clone());
        Ok(Question { id, run: number, from: &from, to, protocol }.asked(bytes, shown))
    }

    fn operation<E: From<What>>(
        &mut self,
        wish: &Wish,
        spec: &RequestSpec,
        means: &Means<'_>,
        effects: &mut Effects<E>,
    ) -> Result<Asked, String> {
        let text = |text: &str| vault::Bytes::from(text.as_bytes());
        let held = |of: &u32| {
            let bytes = self.held(*of).and_then(|held| held.bytes.clone());
            bytes.ok_or(format!("the result of request {of}"))
        };
        let (mut about, mut share, mut exponent) = (None, None, None);
        let operation = match wish {
            Wish::Generate { key, kind, usage, owner, exportable, active_from, settings } => {
                let activate_at = active_from.map(|at| means.cast.clock(at, 0));
                let spec = KeySpec {
                    exportable: *exportable,
                    activate_at,
                    settings: *settings,
                    ..KeySpec::new(*kind, *usage, owner)
                };
                Operation::Generate { key: key.clone(), spec }
            }
            Wish::Encrypt { key, text: plain, context, version } => {
                about = Some(Value::new(Kind::Data, plain.as_bytes()));
                let (plaintext, context) = (text(plain), text(context));
                Operation::Encrypt { key: key.clone(), version: *version, plaintext, context }
            }
            Wish::Decrypt { of, context, accept_risk } => Operation::Decrypt {
                ciphertext: held(of)?,
                context: text(context),
                accept_risk: *accept_risk,
            },
            Wish::Rewrap { of, context } => {
                Operation::Rewrap { ciphertext: held(of)?, context: text(context) }
            }
            Wish::Sign { key, text: message } => Operation::Sign { key: key.clone(), message: text(message) },
            Wish::Verify { of, text: message, accept_risk } => {
                Operation::Verify { message: text(message), signature: held(of)?, accept_risk: *accept_risk }
            }
            Wish::Agree { key, kind } => {
                let by = agreement(*kind).ok_or("a key that agrees on secrets")?;
                let secret = Value::new(Kind::Exponent, by.generate(&mut self.rng).to_vec());
                let public = by.share(&secret.bytes).map_err(|reason| reason.to_string())?;
                let value = Value::new(Kind::Share, public.as_slice());
                let how = Provenance::power(secret.clone(), None, by).into();
                effects.made.push(Made { value: value.clone(), how });
                (share, exponent) = (Some(value), Some((by, secret)));
                Operation::Agree { key: key.clone(), share: public.into() }
            }
            Wish::Export { key, version } => {
                let own = means.cast.keys.private(&spec.by, UNWRAPS).decryption;
                let under = WrapUnder::PublicKey(own.ok_or("a key to unwrap with")?.public().into());
                Operation::Export { key: key.clone(), version: *version, under }
            }
            Wish::Configure { key, changes } => Operation::Configure { key: key.clone(), changes: *changes },
            Wish::Trim { key, below } => Operation::Trim { key: key.clone(), below: *below },
            Wish::Revoke { key, cause } => Operation::Revoke { key: key.clone(), cause: *cause },
            Wish::ScheduleDestruction { key, wait } => {
                Operation::ScheduleDestruction { key: key.clone(), wait: *wait }
            }
            Wish::Plain { what, key } => plain(*what, key.clone()),
            Wish::List => Operation::List {},
            Wish::ReadAudit => Operation::ReadAudit { from: 1, count: MAX_AUDIT_PAGE as u64 },
        };
        Ok(Asked { operation, about, share, exponent })
    }

    /// Takes an answer. Answers when to try again, if it is to.
    pub fn answer<E: From<What>>(
        &mut self,
        message: &Sight,
        cast: &Cast,
        now: SimTime,
        effects: &mut Effects<E>,
    ) -> Result<Option<SimTime>, &'static str> {
        let Business { open: waits, result } = self.asked.get_mut(&message.run).ok_or("it did not ask")?;
        let is_for = |open: &&mut Box<Open>| !open.is_due && message.question == Some(open.question);
        let open = waits.as_mut().filter(is_for).ok_or("it did not ask")?;
        let (answer, is_bound) = open.read(message, cast)?;
        if let (Err(reason), false) = (&answer, is_bound) {
            open.is_doubted = true;
            let (by, request) = (open.spec.by.clone(), open.spec.number);
            effects.note(What::Answered { by, request, refusal: Some(*reason), tries: open.tries });
            return Ok(None);
        }
        let Errand::Keys(plea) = &open.spec.errand else { return Err("it did not ask") };
        let is_wrong = matches!(answer, Err(Reason::BadCode | Reason::CodeExpired | Reason::CodeAlreadyUsed));
        let tries_again = is_wrong && plea.code == Code::Guess && open.tries < plea.attempts;
        if tries_again {
            open.is_due = true;
            return Ok(Some(now.after(plea.every)));
        }
        let Some(open) = waits.take() else { return Err("it did not ask") };
        let (by, request, tries) = (open.spec.by.clone(), open.spec.number, open.tries);
        let refusal = answer.as_ref().err().copied();
        effects.note(What::Answered { by: by.clone(), request, refusal, tries });
        if let Ok(response) = answer
            && let Some(value) = take(response, &open, cast, result, effects)
        {
            result.value = Some(value.clone());
            effects.note(What::Obtained { by, request, value });
        }
        Ok(None)
    }
}

/// What a response gives.
fn take<E>(
    response: Response,
    open: &Open,
    cast: &Cast,
    result: &mut Held,
    effects: &mut Effects<E>,
) -> Option<Value> {
    match response {
        Response::PublicKey(share) if open.exponent.is_some() => {
            let (by, exponent) = open.exponent.clone()?;
            let agreed = Value::new(Kind::Share, by.agree(&exponent.bytes, &share).ok()?.as_slice());
            let share = Value::new(Kind::Share, &share[..]);
            let how = Provenance::power(exponent, Some(share), by).into();
            effects.made.push(Made { value: agreed.clone(), how });
            Some(agreed)
        }
        Response::Ciphertext(bytes) | Response::Signature(bytes) | Response::PublicKey(bytes) => {
            result.bytes = Some(bytes);
            None
        }
        Response::Plaintext(text) => Some(Value::new(Kind::Data, &text[..])),
        Response::Wrapped(wrapped) => {
            let Errand::Keys(Plea { wish: Wish::Export { key, .. }, .. }) = &open.spec.errand else {
                return None;
            };
            let version = vault::Frame::read(&wrapped).ok()?.version;
            let own = cast.keys.private(&open.spec.by, UNWRAPS).decryption?;
            let secret = vault::unwrap_exported(&wrapped, key, version, Unwrapping::Rsa2048(&own)).ok()?;
            Some(Value::new(Kind::Key, secret.as_slice()))
        }
        // What is said about keys is no secret of anybody's: it is shown as it is.
        Response::Names(names) => Some(Value::new(Kind::Text, names.join("; ").as_bytes())),
        Response::Key(key) => Some(Value::new(Kind::Text, key.to_string().as_bytes())),
        Response::Audit(records) => {
            let lines: Vec<String> = records.iter().map(ToString::to_string).collect();
            Some(Value::new(Kind::Text, lines.join("; ").as_bytes()))
        }
        Response::Version(_) | Response::Done | Response::Secret(_) => None,
    }
}

fn plain(what: Plain, key: String) -> Operation {
    match what {
        Plain::Rotate => Operation::Rotate { key },
        Plain::Activate => Operation::Activate { key },
        Plain::Suspend => Operation::Suspend { key },
        Plain::Resume => Operation::Resume { key },
        Plain::Destroy => Operation::Destroy { key },
        Plain::CancelDestruction => Operation::CancelDestruction { key },
        Plain::Describe => Operation::Describe { key },
        Plain::PublicKey => Operation::PublicKey { key, version: None },
    }
}

/// Somebody's device for one-time codes.
pub fn totp(cast: &Cast, name: &str) -> Totp {
    let secret = keys::random(&mut cast.keys.stream(&["one-time codes", name]), 20);
    Totp::new(&secret).with(OtpHash::Sha1, cast.code_digits, 30)
}
