//! Models of a protocol for other tools, and protocols from other tools' files: second opinions.
//! Each model is written from the roles' programs, so that its parts read exactly what ours can.
//! Must not know scenarios, parties, cryptography, files.

mod anb;
mod anb_syntax;
mod header;
mod import;
mod pattern;
mod proverif;
mod reading;
mod scyther;
mod tamarin;
mod verifpal;
mod verifpal_cast;

use std::fmt;

use crate::notation::Protocol;

pub use import::import;

/// A tool for which there are models.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Target {
    /// ProVerif, in its typed pi calculus.
    Proverif,
    /// Tamarin.
    Tamarin,
    /// Scyther.
    Scyther,
    /// Verifpal, from 1.6 on.
    Verifpal,
    /// OFMC, in AnB.
    Anb,
}

impl Target {
    /// Every target with its word.
    pub const ALL: [(Target, &'static str); 5] = [
        (Target::Proverif, "proverif"),
        (Target::Tamarin, "tamarin"),
        (Target::Scyther, "scyther"),
        (Target::Verifpal, "verifpal"),
        (Target::Anb, "anb"),
    ];

    /// The target of this word.
    pub fn from_word(word: &str) -> Option<Target> {
        Target::ALL.iter().find(|t| t.1 == word).map(|t| t.0)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        Target::ALL[self as usize].1
    }
}

/// Why no target has words for a key encapsulation.
const NO_ENCAPSULATION: &str = "no model has a key encapsulation yet";

/// A term that a target has no words for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsayable {
    /// The term, as the protocol writes it.
    pub term: String,
    /// Why not.
    pub why: String,
}

impl Unsayable {
    fn new(term: impl Into<String>, why: impl Into<String>) -> Self {
        Unsayable { term: term.into(), why: why.into() }
    }
}

impl fmt::Display for Unsayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.term, self.why)
    }
}

/// What a file says about a protocol beside its lines, for the header of a model.
#[derive(Clone, Copy, Default, Debug)]
pub struct About<'a> {
    /// Its title.
    pub title: &'a str,
    /// Where it is published.
    pub reference: &'a str,
    /// Whether it asks for an encoding other than `tagged`.
    pub encoding: Option<&'a str>,
}

/// A model of a protocol in the language of a tool.
///
/// # Errors
/// A term for which the language has no words.
pub fn export(protocol: &Protocol, about: &About<'_>, target: Target) -> Result<String, Unsayable> {
    match target {
        Target::Proverif => proverif::model(protocol, about),
        Target::Tamarin => tamarin::model(protocol, about),
        Target::Scyther => scyther::model(protocol, about),
        Target::Verifpal => verifpal::model(protocol, about),
        Target::Anb => anb::model(protocol, about),
    }
}
