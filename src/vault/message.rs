//! What a vault is asked and what it answers, as values and as bytes. Must not know how
//! anything is carried out, nor who carries the bytes.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::audit::AuditRecord;
use super::bytes::Bytes;
use super::frame::Frame;
use super::key::{Changes, Key, KeySpec};
use super::state::{Act, Transition};
use crate::limits::MAX_VAULT_MESSAGE_BYTES;
use crate::reason::Reason;
use crate::time::Span;

/// Why a key is revoked (KMIP 2.1 §4.57, RFC 5280 §5.3.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationCause {
    /// Somebody else may have the key.
    KeyCompromise,
    /// Its owner is another one now.
    AffiliationChanged,
    /// Another key takes its place.
    Superseded,
    /// It is not needed any more.
    CessationOfOperation,
    /// Its owner may not have it any more.
    PrivilegeWithdrawn,
    /// No cause is given.
    Unspecified,
}

impl RevocationCause {
    /// Every cause.
    pub const ALL: &'static [RevocationCause] = &[
        RevocationCause::KeyCompromise,
        RevocationCause::AffiliationChanged,
        RevocationCause::Superseded,
        RevocationCause::CessationOfOperation,
        RevocationCause::PrivilegeWithdrawn,
        RevocationCause::Unspecified,
    ];

    /// Its word in messages and scenario files.
    pub fn word(self) -> &'static str {
        match self {
            RevocationCause::KeyCompromise => "key-compromise",
            RevocationCause::AffiliationChanged => "affiliation-changed",
            RevocationCause::Superseded => "superseded",
            RevocationCause::CessationOfOperation => "cessation-of-operation",
            RevocationCause::PrivilegeWithdrawn => "privilege-withdrawn",
            RevocationCause::Unspecified => "unspecified",
        }
    }

    /// Compromise leads to compromised, everything else to deactivated.
    pub fn transition(self) -> Transition {
        match self {
            RevocationCause::KeyCompromise => Transition::Compromise,
            _ => Transition::Deactivate,
        }
    }
}

/// What a key is wrapped under when it leaves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum WrapUnder {
    /// A key of the vault whose usage is to wrap.
    Key(String),
    /// An RSA-2048 public key, DER SubjectPublicKeyInfo.
    PublicKey(Bytes),
    /// Under nothing: it goes to its owner, who asks for it itself over a channel that nobody
    /// else reads ([`Received::is_private`](super::Received::is_private)).
    #[serde(rename = "owners-channel")]
    OwnersChannel,
}

macro_rules! operations {
    ($($(#[$doc:meta])+ $name:ident = $word:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })+) => {
        /// Something to do with a vault.
        #[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum Operation { $($(#[$doc])+ #[serde(rename = $word)] $name { $($(#[$field_doc])* $field: $type,)* },)+ }

        /// An operation's name, without its arguments.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Verb { $($(#[$doc])+ $name,)+ }

        impl Operation {
            /// Its name.
            pub fn verb(&self) -> Verb {
                match self { $(Operation::$name { .. } => Verb::$name,)+ }
            }
        }

        impl Verb {
            /// Every verb.
            pub const ALL: &'static [Verb] = &[$(Verb::$name,)+];

            /// Its word in messages, in the audit log and in scenario files.
            pub fn word(self) -> &'static str {
                match self { $(Verb::$name => $word,)+ }
            }
        }
    };
}

operations! {
    /// Makes a key. Answers `Version`.
    Generate = "generate" { key: String, spec: KeySpec, }
    /// Encrypts. Answers `Ciphertext`: a [`Frame`].
    Encrypt = "encrypt" {
        key: String,
        /// The latest if `None`.
        version: Option<u32>,
        plaintext: Bytes,
        /// Bound to the ciphertext, and needed again to decrypt it.
        context: Bytes,
    }
    /// Decrypts what `Encrypt` made with the same context. Answers `Plaintext`.
    Decrypt = "decrypt" {
        ciphertext: Bytes,
        context: Bytes,
        /// Whether to go on although the key is suspended or compromised.
        accept_risk: bool,
    }
    /// Signs with the latest version. Answers `Signature`: a [`Frame`].
    Sign = "sign" { key: String, message: Bytes, }
    /// Verifies what `Sign` made. Answers `Done`, or is refused.
    Verify = "verify" { message: Bytes, signature: Bytes, accept_risk: bool, }
    /// Agrees with the holder of a share. Answers `Secret`.
    Agree = "agree" { key: String, share: Bytes, }
    /// Encrypts anew under the latest version; the text stays inside. Answers `Ciphertext`.
    Rewrap = "rewrap" { ciphertext: Bytes, context: Bytes, }
    /// The public half of the latest version, or of another. Answers `PublicKey`.
    PublicKey = "public-key" { key: String, version: Option<u32>, }
    /// Everything about a key but its secret. Answers `Key`.
    Describe = "describe" { key: String, }
    /// The names of all keys. Answers `Names`.
    List = "list" {}
    /// Makes a new version. Answers `Version`.
    Rotate = "rotate" { key: String, }
    /// Changes settings, those that are named. Answers `Done`.
    Configure = "configure" { key: String, changes: Changes, }
    /// Destroys the versions below one, for ever. Answers `Done`.
    Trim = "trim" { key: String, below: u32, }
    /// Authorises a key for use. Answers `Done`.
    Activate = "activate" { key: String, }
    /// Takes a key out of use for a while. Answers `Done`.
    Suspend = "suspend" { key: String, }
    /// Takes it back into use. Answers `Done`.
    Resume = "resume" { key: String, }
    /// Revokes a key. Answers `Done`.
    Revoke = "revoke-key" { key: String, cause: RevocationCause, }
    /// Has a key destroyed after a waiting period. Answers `Done`.
    ScheduleDestruction = "schedule-destruction" { key: String, wait: Span, }
    /// Thinks better of it: a key that was active is suspended then, any other as it was.
    /// Answers `Done`.
    CancelDestruction = "cancel-destruction" { key: String, }
    /// Destroys a key's secrets now. Answers `Done`.
    Destroy = "destroy" { key: String, }
    /// Hands an exportable secret out, wrapped. Answers `Wrapped`, or `Secret` over its owner's
    /// channel.
    Export = "export" {
        key: String,
        /// The latest if `None`.
        version: Option<u32>,
        under: WrapUnder,
    }
    /// Audit records from a sequence number on, as many as there are up to a count.
    /// Answers `Audit`.
    ReadAudit = "read-audit" { from: u64, count: u64, }
}

impl Operation {
    /// The key that it is about, if it is about one.
    ///
    /// # Errors
    /// `Malformed` if that is said by bytes that are no [`Frame`].
    pub fn key(&self) -> Result<Option<&str>, Reason> {
        match self {
            Operation::Decrypt { ciphertext: framed, .. }
            | Operation::Rewrap { ciphertext: framed, .. }
            | Operation::Verify { signature: framed, .. } => Ok(Some(Frame::read(framed)?.key)),
            Operation::List {} | Operation::ReadAudit { .. } => Ok(None),
            Operation::Generate { key, .. }
            | Operation::Encrypt { key, .. }
            | Operation::Sign { key, .. }
            | Operation::Agree { key, .. }
            | Operation::PublicKey { key, .. }
            | Operation::Describe { key }
            | Operation::Rotate { key }
            | Operation::Configure { key, .. }
            | Operation::Trim { key, .. }
            | Operation::Activate { key }
            | Operation::Suspend { key }
            | Operation::Resume { key }
            | Operation::Revoke { key, .. }
            | Operation::ScheduleDestruction { key, .. }
            | Operation::CancelDestruction { key }
            | Operation::Destroy { key }
            | Operation::Export { key, .. } => Ok(Some(key)),
        }
    }

    /// Whether it goes on although the key is suspended or compromised.
    pub fn accepts_risk(&self) -> bool {
        matches!(
            self,
            Operation::Decrypt { accept_risk: true, .. } | Operation::Verify { accept_risk: true, .. }
        )
    }

    /// Whether it hands a key to somebody else than who asks for it over its owner's channel.
    pub(super) fn hands_out(&self) -> bool {
        matches!(self, Operation::Export { under, .. } if *under != WrapUnder::OwnersChannel)
    }

    /// The act that the table of states is asked about, if it is one.
    pub fn act(&self) -> Option<Act> {
        match self {
            Operation::Encrypt { .. } => Some(Act::Encrypt),
            Operation::Decrypt { .. } => Some(Act::Decrypt),
            Operation::Sign { .. } => Some(Act::Sign),
            Operation::Verify { .. } => Some(Act::Verify),
            Operation::Agree { .. } => Some(Act::Agree),
            Operation::Rewrap { .. } => Some(Act::Rewrap),
            Operation::Rotate { .. } => Some(Act::Rotate),
            Operation::Export { .. } => Some(Act::Export),
            Operation::Configure { .. } | Operation::Trim { .. } => Some(Act::Configure),
            _ => None,
        }
    }

    /// The transition that it asks for, if it is one.
    pub fn transition(&self) -> Option<Transition> {
        match self {
            Operation::Activate { .. } => Some(Transition::Activate),
            Operation::Suspend { .. } => Some(Transition::Suspend),
            Operation::Resume { .. } => Some(Transition::Resume),
            Operation::Revoke { cause, .. } => Some(cause.transition()),
            Operation::ScheduleDestruction { .. } => Some(Transition::ScheduleDestruction),
            Operation::CancelDestruction { .. } => Some(Transition::CancelDestruction),
            Operation::Destroy { .. } => Some(Transition::Destroy),
            _ => None,
        }
    }

    /// As bytes: JSON, byte strings in hexadecimal.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// `Malformed`, also for more than
    /// [`MAX_VAULT_MESSAGE_BYTES`](crate::limits::MAX_VAULT_MESSAGE_BYTES).
    pub fn decode(bytes: &[u8]) -> Result<Operation, Reason> {
        decode(bytes)
    }
}

/// What a vault answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Response {
    /// It is done, or it verifies.
    Done,
    /// A framed ciphertext.
    Ciphertext(Bytes),
    /// A text.
    Plaintext(Bytes),
    /// A framed signature.
    Signature(Bytes),
    /// An agreed secret, before any key derivation; or a key, over its owner's channel.
    Secret(Bytes),
    /// A SubjectPublicKeyInfo, or a share.
    PublicKey(Bytes),
    /// A framed key: the wrapping key's frame, or the wrapped key's under a public key.
    Wrapped(Bytes),
    /// The latest version.
    Version(u32),
    /// A key without its secrets.
    Key(Box<Key>),
    /// Names of keys.
    Names(Vec<String>),
    /// Audit records.
    Audit(Vec<AuditRecord>),
}

/// A response, or why there is none: what goes back over the wire.
pub type Answer = Result<Response, Reason>;

/// An answer as bytes: JSON, byte strings in hexadecimal.
pub fn encode_answer(answer: &Answer) -> Vec<u8> {
    encode(answer)
}

/// Reads what [`encode_answer`] wrote.
///
/// # Errors
/// `Malformed`.
pub fn decode_answer(bytes: &[u8]) -> Result<Answer, Reason> {
    decode(bytes)
}

/// Bytes for which there is room before any growth: most messages and rows have fewer.
const ROOM: usize = 512;

pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ROOM);
    serde_json::to_writer(&mut bytes, value).expect("a message has no keys but texts");
    bytes
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Reason> {
    if bytes.len() > MAX_VAULT_MESSAGE_BYTES {
        return Err(Reason::Malformed);
    }
    serde_json::from_slice(bytes).map_err(|_| Reason::Malformed)
}
