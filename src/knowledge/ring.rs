//! Which of the long-term secrets that names could have they do have: chosen passwords,
//! the versions of a key, hosts that work under another's key. Must not know protocols.

use std::collections::BTreeMap;

use super::keys::Keys;
use crate::algebra::Value;
use crate::notation::{Func, Kind, Name, Term};
use crate::reason::Reason;

/// A party's view of the secrets that pairs of names share: a key table.
#[derive(Clone, Default, Debug)]
pub struct Ring {
    /// Passwords that their owners chose; others are drawn from the seed.
    chosen: BTreeMap<Name, String>,
    /// Hosts that work under the keys of another name, as two machines of one service do.
    hosts: BTreeMap<Name, Name>,
    /// Who has an account like others but with whom nobody shares the password of theirs.
    stranger: Option<Name>,
    versions: BTreeMap<Term, Versions>,
}

/// The versions of a key by number, from 0: new things are made under the newest.
#[derive(Clone, Copy, Default, Debug)]
struct Versions {
    newest: u32,
    oldest: u32,
}

impl Ring {
    /// Every key in its first version.
    pub fn new(chosen: BTreeMap<Name, String>, hosts: BTreeMap<Name, Name>) -> Ring {
        Ring { chosen, hosts, stranger: None, versions: BTreeMap::new() }
    }

    /// The same with somebody whose passwords with others are words of their own: a password
    /// that a party chose is for its accounts with its peers and services, and the attacker,
    /// who is registered as one of them, does not know it by that.
    pub fn with_stranger(self, stranger: Option<Name>) -> Ring {
        Ring { stranger, ..self }
    }

    /// Gives a key a new version; `keep` older ones still open what was made under them
    /// (RFC 4120 §5.2.9 kvno). What was dropped before does not come back.
    pub fn rotate(&mut self, key: &Term, keep: u32) {
        let versions = self.versions.entry(key.clone()).or_default();
        versions.newest += 1;
        versions.oldest = versions.oldest.max(versions.newest.saturating_sub(keep));
    }

    /// The newest version of `k(a,b)` or `pw(a,b)`.
    pub fn newest(&self, keys: &Keys, func: Func, a: &str, b: &str) -> Value {
        let (a, b) = self.owners(a, b);
        self.secret(keys, func, a, b, self.versions_of(func, a, b).newest)
    }

    /// The older versions that were kept, newest first.
    pub fn older(&self, keys: &Keys, func: Func, a: &str, b: &str) -> Vec<Value> {
        let (a, b) = self.owners(a, b);
        let Versions { newest, oldest } = self.versions_of(func, a, b);
        (oldest..newest).rev().map(|version| self.secret(keys, func, a, b, version)).collect()
    }

    /// The key into which a password of these two is stretched, and the salt.
    ///
    /// # Errors
    /// As [`Keys::stretched`].
    pub fn stretched(
        &self,
        keys: &Keys,
        password: &Value,
        a: &str,
        b: &str,
    ) -> Result<(Value, String), Reason> {
        let (a, b) = self.owners(a, b);
        keys.stretched(password, a, b)
    }

    /// The name under whose keys a party works: its own, or that of the service whose host it is.
    pub fn owner<'a>(&'a self, name: &'a str) -> &'a str {
        self.hosts.get(name).map_or(name, |owner| owner)
    }

    fn owners<'a>(&'a self, a: &'a str, b: &'a str) -> (&'a str, &'a str) {
        (self.owner(a), self.owner(b))
    }

    fn versions_of(&self, func: Func, a: &str, b: &str) -> Versions {
        match self.versions.is_empty() {
            true => Versions::default(),
            false => self.versions.get(&Term::of(func, &[a, b])).copied().unwrap_or_default(),
        }
    }

    fn secret(&self, keys: &Keys, func: Func, a: &str, b: &str, version: u32) -> Value {
        if func != Func::Pw {
            return keys.shared(a, b, version);
        }
        let mut owners = [a, b];
        owners.sort_unstable();
        let is_strange = owners.iter().any(|owner| self.stranger.as_deref() == Some(*owner));
        let chosen = owners.iter().find_map(|owner| self.chosen.get(*owner));
        match chosen.filter(|_| version == 0 && !is_strange) {
            Some(chosen) => Value::new(Kind::Key, chosen.as_bytes()),
            None => keys.password(a, b, version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Suite;

    #[test]
    fn a_version_that_was_dropped_does_not_come_back() {
        let (keys, mut ring) = (Keys::new(0, Suite::default()), Ring::default());
        let key = Term::of(Func::K, &["kdc", "bob"]);
        let first = ring.newest(&keys, Func::K, "bob", "kdc");
        ring.rotate(&key, 0);
        assert_ne!(ring.newest(&keys, Func::K, "bob", "kdc"), first);
        assert_eq!(ring.older(&keys, Func::K, "bob", "kdc"), []);
        let second = ring.newest(&keys, Func::K, "bob", "kdc");
        ring.rotate(&key, 5);
        assert_eq!(ring.older(&keys, Func::K, "bob", "kdc"), [second]);
    }

    #[test]
    fn a_chosen_password_is_gone_once_it_is_reset() {
        let (keys, mut ring) = (Keys::new(0, Suite::default()), Ring::default());
        ring.chosen.insert("alice".into(), "sunshine7".into());
        assert_eq!(ring.newest(&keys, Func::Pw, "alice", "kdc").text(), Some("sunshine7"));
        ring.rotate(&Term::of(Func::Pw, &["alice", "kdc"]), 0);
        assert_ne!(ring.newest(&keys, Func::Pw, "alice", "kdc").text(), Some("sunshine7"));
    }

    #[test]
    fn a_host_works_under_its_services_key() {
        let (keys, mut ring) = (Keys::new(0, Suite::default()), Ring::default());
        ring.hosts.insert("bob2".into(), "bob".into());
        let of = |name| ring.newest(&keys, Func::K, name, "kdc");
        assert_eq!(of("bob2"), of("bob"));
    }
}
