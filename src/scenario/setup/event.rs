//! What a scenario has happen at set times, and how it names the values of runs.

use crate::notation::{Name, Term, parse};
use crate::party::Leak;
use crate::pki::RevocationReason;
use crate::time::SimTime;

/// Something that happens at a set time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventSpec {
    /// When.
    pub at: SimTime,
    /// What.
    pub deed: EventDeed,
}

/// What an event does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventDeed {
    /// Hands a value to the attacker.
    Compromise {
        /// What.
        what: Stolen,
        /// The term under which her notebook has it.
        term: Term,
    },
    /// Has services revoke a party.
    Revoke {
        /// The party.
        subject: Name,
        /// Why.
        reason: RevocationReason,
        /// Which parties.
        by: Vec<Name>,
    },
    /// Gives a long-term key a new version at all who have it.
    Rotate {
        /// The key: `k(..)` or `pw(..)`.
        key: Term,
        /// How many older versions still open what was made under them.
        keep: u32,
    },
    /// Hands something of the key centre's or of who asked it to the attacker.
    Leak {
        /// Whose.
        of: Name,
        /// What, and the term under which her notebook has it.
        leak: Leak,
    },
    /// Gives the attacker a quantum computer: she finds discrete logarithms and factors.
    Quantum,
    /// Puts the copy of the key centre's disk back that was handed to the attacker last.
    PutBack,
    /// Sets a party's clock.
    Clock {
        /// The party.
        party: Name,
        /// How far it is ahead from then on, in nanoseconds.
        offset: i64,
    },
    /// Has a party start anew: what it kept in memory is gone.
    Restart {
        /// The party.
        party: Name,
    },
}

/// What a compromise hands over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stolen {
    /// A long-term key: `sk(bob)`, `k(alice,kdc)`, `pw(alice,kdc)`.
    LongTerm(Term),
    /// A value of a run, as some party there has it.
    OfRun(ValueRef),
}

impl std::fmt::Display for Stolen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stolen::LongTerm(term) => term.fmt(f),
            Stolen::OfRun(of) => of.fmt(f),
        }
    }
}

/// A value of a run: `1.Kab`, or `1.alice.Kab` for one party's view of it. A role is a value,
/// too: `1.bob.A` is whom bob takes for A. What a request to the key centre is about or gave
/// is `r2`: its run is 0, which no run is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ValueRef {
    /// The run.
    pub run: u32,
    /// Whose view; anybody's if none.
    pub party: Option<Name>,
    /// The value's or the `let`'s name.
    pub name: Name,
}

impl std::fmt::Display for ValueRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.run == 0 {
            return f.write_str(&self.name);
        }
        write!(f, "{}.", self.run)?;
        self.party.as_ref().map_or(Ok(()), |p| write!(f, "{p}."))?;
        write!(f, "{}", self.name)
    }
}

impl ValueRef {
    /// Reads `1.Kab` or `1.alice.Kab`.
    pub fn parse(text: &str) -> Option<ValueRef> {
        if text.strip_prefix('r').is_some_and(|number| number.parse::<u32>().is_ok()) {
            return Some(ValueRef { run: 0, party: None, name: text.into() });
        }
        let mut parts = text.split('.');
        let run = parts.next()?.trim().parse().ok().filter(|r| *r > 0)?;
        let (party, name) = match (parts.next()?.trim(), parts.next()) {
            (name, None) => (None, name),
            (party, Some(name)) => (Some(Name::from(party)), name.trim()),
        };
        let named = parse::is_name(name) && parts.next().is_none();
        named.then(|| ValueRef { run, party, name: name.into() })
    }
}
