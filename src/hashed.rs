//! Maps in which thousands of names are looked up at every step: by hash, in one look. Nobody
//! can go through them, so their order is nobody's business. Must not know what is in them.

#![expect(clippy::disallowed_types, reason = "what is here keeps all others from going through it")]

use std::hash::Hash;

use foldhash::fast::FixedState;
pub use hashbrown::Equivalent;
use hashbrown::HashMap;

/// A map. Keys that are short should lie in it and not elsewhere: `SmolStr`, not `String`.
#[derive(Clone, Debug)]
pub struct Hashed<K, V>(
    /// Without a seed of the process's own: two processes do the same work.
    HashMap<K, V, FixedState>,
);

impl<K, V> Default for Hashed<K, V> {
    fn default() -> Self {
        Hashed(HashMap::default())
    }
}

impl<K: Eq + Hash, V> Hashed<K, V> {
    /// The value of `key`.
    pub fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<&V> {
        self.0.get(key)
    }

    /// The value of `key`, to change.
    pub fn get_mut<Q: Hash + Equivalent<K> + ?Sized>(&mut self, key: &Q) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    /// Sets the value of `key` and answers the one before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// Keeps what passes a test that depends on nothing but its argument.
    pub fn retain(&mut self, mut passes: impl FnMut(&V) -> bool) {
        self.0.retain(|_, value| passes(value));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
