//! Maps and sets that are looked up by a hash and gone through in the order of insertion: the
//! same in every process, for what thousands of names are looked up in at every step. Must not
//! know what is in them.

use std::hash::{BuildHasherDefault, DefaultHasher};

use indexmap::{IndexMap, IndexSet};

/// Without a key of the process's own, which would make two of them differ.
type Steady = BuildHasherDefault<DefaultHasher>;

/// A map.
pub type Hashed<K, V> = IndexMap<K, V, Steady>;
/// A set.
pub type HashedSet<K> = IndexSet<K, Steady>;
