//! Warnings: kinds of slip, and where one is. Must not know how they are found.

use super::fault::Fault;

/// A kind of slip.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Slip {
    /// A part that a role keeps, and neither reads nor passes on.
    Unread,
    /// A signature, code or hash that its receiver never checks.
    Unchecked,
    /// A key of which a role never learns that its peer has it, or that it is new.
    Unconfirmed,
    /// A signature that does not say for whom it is.
    Nameless,
    /// A part that passes for the peer's when it is sent back to its maker.
    Reflected,
    /// A part that passes for one of another line.
    Exchanged,
}

impl Slip {
    /// Scenarios that show what comes of it, the plainest first.
    pub fn stories(self) -> &'static [&'static str] {
        match self {
            Slip::Unread => &[],
            Slip::Unchecked => &["dh-mitm"],
            Slip::Unconfirmed => &["dh-no-key-confirmation", "andrew-rpc-stale-key"],
            Slip::Nameless => &["dh-identity-misbinding", "denning-sacco-pk"],
            Slip::Reflected => &["challenge-reflection"],
            Slip::Exchanged => &["wmf-key-refresh", "woo-lam-pi-parallel"],
        }
    }
}

/// A slip and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    /// What kind of slip.
    pub slip: Slip,
    /// The line, and what happens in it.
    pub fault: Fault,
    /// The scenario that shows this very case, where that is not the first of the kind's.
    pub story: Option<&'static str>,
}
