//! Places for connections: so many in all, and so many for one address, so that nobody who has
//! only one keeps all others out. Must not know what connections are for.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits::{MAX_LIVE_CONNECTIONS, MAX_LIVE_CONNECTIONS_PER_SOURCE};

/// Who has how many.
#[derive(Clone, Default)]
pub struct Places(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// One place, which is free again when this is dropped.
pub struct Place {
    places: Places,
    of: IpAddr,
}

impl Places {
    /// A place for a connection from this address, if there is one.
    pub fn take(&self, of: IpAddr) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(&of).copied().unwrap_or_default();
        if taken.values().sum::<usize>() >= MAX_LIVE_CONNECTIONS || own >= MAX_LIVE_CONNECTIONS_PER_SOURCE {
            return None;
        }
        taken.insert(of, own + 1);
        Some(Place { places: self.clone(), of })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.of) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.remove(&self.of)),
        }
    }
}
