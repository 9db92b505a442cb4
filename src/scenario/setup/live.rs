//! In whose place a program stands when a scenario goes live, and where that program connects.
//! Must not know sockets.

use crate::notation::Name;

/// How a scenario goes live.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveSpec {
    /// In whose place the program stands: who begins a run.
    pub program: Name,
    /// Whom it connects to.
    pub server: Name,
    /// What its command calls the port for lists, if there is one.
    pub list: Option<Name>,
    /// What its command calls the port for OCSP, if there is one.
    pub status: Option<Name>,
}

/// What is spoken on a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speaks {
    /// TLS 1.3: the run itself.
    Tls,
    /// Certificate revocation lists over HTTP.
    Crl,
    /// OCSP over HTTP.
    Ocsp,
}

impl Speaks {
    /// All of them.
    pub const ALL: [Speaks; 3] = [Speaks::Tls, Speaks::Crl, Speaks::Ocsp];

    /// The word of scenario files.
    pub fn word(self) -> &'static str {
        match self {
            Speaks::Tls => "tls",
            Speaks::Crl => "crl",
            Speaks::Ocsp => "ocsp",
        }
    }
}
