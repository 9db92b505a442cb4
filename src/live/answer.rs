//! What goes back: bodies, statuses and errors. Must not know what was asked.

use serde_json::{Value, json};

use super::request::Refusal;
use crate::reason::Reason;

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The content type.
    pub kind: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The word of a refusal, for the request log.
    pub refused: Option<Reason>,
}

/// Whose form errors have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// `{"error": word, "meaning": …}`.
    Own,
    /// `{"errors": […]}`, as Vault and OpenBao have it.
    Vault,
}

impl Reply {
    /// JSON.
    pub fn json(value: &Value) -> Reply {
        let mut body = value.to_string().into_bytes();
        body.push(b'\n');
        Reply { status: 200, kind: "application/json", body, headers: Vec::new(), refused: None }
    }

    /// Nothing but that it is done.
    pub fn empty() -> Reply {
        Reply { status: 204, ..Reply::bytes("application/json", Vec::new()) }
    }

    /// Bytes of some type.
    pub fn bytes(kind: &'static str, body: Vec<u8>) -> Reply {
        Reply { status: 200, kind, body, headers: Vec::new(), refused: None }
    }

    /// With another status.
    pub fn status(self, status: u16) -> Reply {
        Reply { status, ..self }
    }

    /// A refusal.
    pub fn refused(refusal: &Refusal, style: Style) -> Reply {
        let Refusal { reason, detail, .. } = refusal;
        let status = match (status(*reason), style) {
            // Vault has no others for these.
            (401, Style::Vault) => 403,
            (409, Style::Vault) => 400,
            (status, _) => status,
        };
        let meaning = reason.meaning();
        let body = match style {
            Style::Own => {
                let mut body = json!({ "error": reason.word(), "meaning": meaning });
                if let Some(detail) = detail {
                    body["detail"] = json!(detail);
                }
                body
            }
            Style::Vault => {
                let text = match (status, detail) {
                    // What clients look for, and nothing more for who may not know.
                    (403, None) => format!("permission denied ({})", reason.word()),
                    (503, _) if *reason == Reason::Sealed => "Vault is sealed".to_owned(),
                    (_, Some(detail)) => format!("{}: {detail}", reason.word()),
                    (_, None) => format!("{}: {meaning}", reason.word()),
                };
                json!({ "errors": [text] })
            }
        };
        let mut reply = Reply::json(&body).status(status);
        reply.refused = Some(*reason);
        reply
    }
}

/// The status of a refusal: what the client did, or what it may not, or that the service cannot;
/// never that nobody knows.
pub fn status(reason: Reason) -> u16 {
    match reason {
        Reason::Unauthenticated | Reason::CertificateExpired | Reason::CertificateRevoked => 401,
        Reason::Forbidden
        | Reason::ClientRevoked
        | Reason::NeedsSecondApprover
        | Reason::SecondFactorRequired
        | Reason::BadCode
        | Reason::CodeExpired
        | Reason::CodeAlreadyUsed
        | Reason::LockedOut
        | Reason::NotAuthorisedForName
        | Reason::NotExportable => 403,
        Reason::UnknownKey
        | Reason::UnknownClient
        | Reason::CertificateUnknown
        | Reason::DeltaBaseMissing => 404,
        Reason::KeyExists
        | Reason::InvalidTransition
        | Reason::KeyNotActive
        | Reason::KeySuspended
        | Reason::KeyDeactivated
        | Reason::KeyExpired
        | Reason::KeyCompromised
        | Reason::KeyDestroyed
        | Reason::PendingDestruction
        | Reason::VersionTrimmed
        | Reason::VersionBelowMinimum
        | Reason::KeyUsageLimit => 409,
        Reason::MessageTooLong => 413,
        Reason::RateLimited => 429,
        Reason::Sealed
        | Reason::AuditUnavailable
        | Reason::OutcomeUnknown
        | Reason::EntropyUnavailable
        | Reason::MemoryUnavailable
        | Reason::VaultUnavailable
        | Reason::VaultTampered
        | Reason::VaultRollback
        | Reason::AuditChainBroken => 503,
        _ => 400,
    }
}
