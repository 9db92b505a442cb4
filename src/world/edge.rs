//! Where a play touches what is not of it: programs on sockets, in real time. Must not know what
//! a socket is.

use std::sync::Arc;

use crate::journal::{Journal, Sight};
use crate::notation::Name;
use crate::party::{Input, Presented};
use crate::time::SimTime;

/// What comes from outside.
pub enum Arrival {
    /// A party is told something.
    Told(Name, Input),
    /// The program in a party's place puts a message on the wire.
    Sent(Arc<Sight>),
}

/// How waiting ended.
pub enum Waited {
    /// What is due may happen.
    Due,
    /// Something came, at this time.
    Came(SimTime, Arrival),
}

/// The edge of a play. With one the world lets happen what is due when the edge says so, and what
/// comes from outside when it comes; without, whatever is due is next.
pub trait Edge: Send {
    /// Waits until something comes from outside, but not beyond what is due next. Where nothing is
    /// due it answers `Due` when nothing more will come.
    fn wait(&mut self, due: Option<SimTime>, journal: &Journal) -> Waited;

    /// Has a program judge certificates; its word comes as `Input::Judged`.
    fn present(&mut self, presented: Presented, journal: &Journal);

    /// Takes a message that arrived for a party in whose place a program stands. If it answers
    /// false, the message is the party's own.
    fn takes(&mut self, message: &Sight) -> bool;
}
