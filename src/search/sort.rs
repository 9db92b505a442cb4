//! What a variable may stand for, and how many bytes values have. Must not know who has what.

use super::term::Head;
use crate::crypto::Suite;
use crate::notation::{Id, Kind, Type};
use crate::wire;

/// What a variable may stand for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// Whatever fits its width.
    Any,
    /// A party's name.
    Name,
    /// The name of a client, who may be the attacker.
    Client,
    /// The name of a client who is not the attacker.
    Honest,
    /// A reading of a clock that is good at this epoch; at any, if none.
    Time(Option<u8>),
    /// An expiry that is not over at this epoch.
    Expiry(Option<u8>),
    /// A public key.
    Public,
    /// A Diffie–Hellman share.
    Share,
    /// An exponent of the attacker's.
    Exponent,
    /// The random choices of an encryption.
    Coins,
}

impl Sort {
    /// What is of both sorts.
    pub fn meet(self, other: Sort) -> Option<Sort> {
        Some(match (self, other) {
            (a, b) if a == b => a,
            (Sort::Any, other) | (other, Sort::Any) => other,
            (Sort::Name | Sort::Client, Sort::Honest) | (Sort::Honest, Sort::Name | Sort::Client) => {
                Sort::Honest
            }
            (Sort::Name, Sort::Client) | (Sort::Client, Sort::Name) => Sort::Client,
            (Sort::Time(a), Sort::Time(b)) if a.is_none() || b.is_none() => Sort::Time(a.or(b)),
            (Sort::Expiry(a), Sort::Expiry(b)) if a.is_none() || b.is_none() => Sort::Expiry(a.or(b)),
            _ => return None,
        })
    }

    /// The sort of what a party takes for a value of this kind.
    pub fn of_kind(kind: Option<Kind>, epoch: Option<u8>) -> Sort {
        match kind {
            Some(Kind::Name) => Sort::Name,
            Some(Kind::Time) => Sort::Time(epoch),
            Some(Kind::Expiry) => Sort::Expiry(epoch),
            Some(Kind::Public) => Sort::Public,
            Some(Kind::Share) => Sort::Share,
            _ => Sort::Any,
        }
    }
}

/// A value that a part generates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Atom {
    /// Its type.
    pub of: Type,
    /// Its length in bytes; none if it may have any.
    pub width: Option<u32>,
    /// The part that generates it.
    pub part: u32,
    /// The term of its protocol that it is.
    pub id: Id,
    /// When it was made.
    pub epoch: u8,
}

/// How long values are.
#[derive(Clone, Debug)]
pub struct Widths {
    /// Of fields without borders.
    pub fields: Option<wire::Widths>,
    /// The algorithms.
    pub suite: Suite,
    /// Values that parts generate, by their number.
    pub atoms: Vec<Atom>,
    /// The names, by their number; the first is the attacker's.
    pub names: Vec<String>,
    /// How many of the names are services'.
    pub services: usize,
}

/// The attacker's name.
pub const HER: Head = Head::Name(0);

impl Widths {
    /// Whether fields stand side by side without borders.
    pub fn is_flat(&self) -> bool {
        self.fields.is_some()
    }

    /// Whether a name is a service's.
    pub fn is_service(&self, name: u32) -> bool {
        (1..=self.services).contains(&(name as usize))
    }
}
