//! Who may ask for what: the matrix of roles, which denies whatever it does not grant.
//! Must not know principals or keys.

use serde::{Deserialize, Serialize};

use super::message::Verb;

/// What somebody is in a service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Uses its own keys.
    Client,
    /// Makes keys and changes their states, without using any.
    Operator,
    /// Reads the audit log and descriptions, and changes nothing.
    Auditor,
    /// May also destroy keys and hand them out, the latter not alone.
    Administrator,
}

/// Whose keys a role may do something with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Nobody's.
    None,
    /// Those that it owns.
    Own,
    /// Everybody's.
    All,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Role] = &[Role::Client, Role::Operator, Role::Auditor, Role::Administrator];

    /// Its word in messages and scenario files.
    pub fn word(self) -> &'static str {
        match self {
            Role::Client => "client",
            Role::Operator => "operator",
            Role::Auditor => "auditor",
            Role::Administrator => "administrator",
        }
    }

    /// The matrix: deny by default (SP 800-53 AC-3, AC-6).
    pub fn reach(self, verb: Verb) -> Reach {
        match (self, verb) {
            (
                Role::Client,
                Verb::Encrypt
                | Verb::Decrypt
                | Verb::Sign
                | Verb::Verify
                | Verb::Agree
                | Verb::Rewrap
                | Verb::PublicKey
                | Verb::Describe
                | Verb::Export,
            ) => Reach::Own,
            (
                Role::Operator,
                Verb::Generate
                | Verb::Rewrap
                | Verb::PublicKey
                | Verb::Describe
                | Verb::List
                | Verb::Rotate
                | Verb::Configure
                | Verb::Activate
                | Verb::Suspend
                | Verb::Resume
                | Verb::Revoke,
            ) => Reach::All,
            (Role::Auditor, Verb::Describe | Verb::List | Verb::ReadAudit) => Reach::All,
            (
                Role::Administrator,
                Verb::Generate
                | Verb::PublicKey
                | Verb::Describe
                | Verb::List
                | Verb::Configure
                | Verb::Trim
                | Verb::Activate
                | Verb::Revoke
                | Verb::ScheduleDestruction
                | Verb::CancelDestruction
                | Verb::Destroy
                | Verb::Export,
            ) => Reach::All,
            _ => Reach::None,
        }
    }

    /// What a client may do besides where clients keep their keys themselves.
    pub fn reach_in_self_service(self, verb: Verb) -> Reach {
        match (self, verb) {
            (
                Role::Client,
                Verb::Generate
                | Verb::List
                | Verb::Rotate
                | Verb::Configure
                | Verb::Trim
                | Verb::Activate
                | Verb::Suspend
                | Verb::Resume
                | Verb::Revoke
                | Verb::ScheduleDestruction
                | Verb::CancelDestruction
                | Verb::Destroy,
            ) => Reach::Own,
            _ => self.reach(verb),
        }
    }
}
