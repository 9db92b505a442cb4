//! Edits of a protocol's lines, of the kinds with which the literature repairs protocols: each
//! gives a protocol that has a little more. Must not know whether it is any better.

mod freshness;
mod protection;
mod sketch;

use super::goal::Goal;
use super::protocol::Protocol;

pub use sketch::{Change, Sketch};

/// What an edit does, in the order in which edits of one size are tried.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Names a role in what is protected (Lowe 1995; Abadi & Needham, principle 3).
    Name,
    /// Puts a value of this run into it.
    Bind,
    /// Puts a reading of the maker's clock into it (Denning & Sacco 1981).
    Stamp,
    /// Puts a nonce of its reader's into it (Needham & Schroeder 1987).
    Nonce,
    /// Puts a constant into it that no other part has.
    Label,
    /// Encrypts what went in the clear.
    Encrypt,
    /// Signs what went in the clear, for somebody.
    Sign,
    /// Has the peer prove at the end that it is there and has the key (Lowe 1997).
    Confirm,
}

/// An edit, or several after one another.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The lines that come of it.
    pub sketch: Sketch,
    /// The last edit's kind.
    pub kind: Kind,
    /// Terms, declarations and lines that it adds: each term and declaration is one, a line two
    /// more than its terms.
    pub size: usize,
    /// What each edit does and what that buys, a sentence each.
    pub buys: Vec<String>,
}

impl Edit {
    fn new(sketch: Sketch, kind: Kind, size: usize, buys: String) -> Edit {
        Edit { sketch, kind, size, buys: vec![buys] }
    }

    /// This edit, and then another that was made of what came of it.
    #[must_use]
    pub fn and(&self, next: Edit) -> Edit {
        let buys = self.buys.iter().cloned().chain(next.buys).collect();
        Edit { size: self.size + next.size, buys, ..next }
    }
}

/// Every single edit of a protocol, smallest first. `protocol` is what the sketch compiles to,
/// `broken` the goals that are to be mended; where fields stand side by side without borders
/// (`flat`), a field in front is another edit than one at the end.
pub fn edits(sketch: &Sketch, protocol: &Protocol, broken: &[Goal], flat: bool) -> Vec<Edit> {
    let mut all = protection::edits(sketch, protocol, flat);
    all.extend(freshness::edits(sketch, protocol, broken));
    all.sort_by_key(|edit| (edit.size, edit.kind));
    all
}
