//! A file in memory that stops at its n-th write or sync, and then has what a disk might
//! have: of what was not synced, some, none, or a part; and an anchor that stops with it.

use std::io;
use std::sync::{Arc, Mutex};

use mallory::reason::Reason;
use mallory::vault::{Anchor, Anchored, MemoryAnchor};
use rand::RngExt as _;
use redb::StorageBackend;

use super::*;

/// Bytes that a disk writes all or none of, if it is kind; this one is not always.
const SECTOR: usize = 512;

/// Counts down to the moment when the power fails.
#[derive(Clone, Debug)]
pub struct Power(Arc<Mutex<u64>>);

impl Power {
    pub fn fails_after(steps: u64) -> Power {
        Power(Arc::new(Mutex::new(steps)))
    }

    pub fn stays() -> Power {
        Power::fails_after(u64::MAX)
    }

    /// Whether there is power for one more step.
    fn step(&self) -> bool {
        let mut left = self.0.lock().expect("no test panics here");
        *left = left.saturating_sub(1);
        *left > 0
    }

    pub fn left(&self) -> u64 {
        *self.0.lock().expect("no test panics here")
    }

    fn is_on(&self) -> io::Result<()> {
        if self.left() > 0 { Ok(()) } else { Err(io::Error::other("no power")) }
    }
}

#[derive(Debug)]
enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Default)]
struct Bytes {
    /// What a reader sees.
    seen: Vec<u8>,
    /// What was there at the last sync.
    synced: Vec<u8>,
    /// What came since.
    pending: Vec<Pending>,
}

#[derive(Clone, Debug)]
pub struct MemoryFile {
    bytes: Arc<Mutex<Bytes>>,
    power: Power,
}

impl MemoryFile {
    pub fn new(bytes: Vec<u8>, power: &Power) -> MemoryFile {
        let bytes = Bytes { seen: bytes.clone(), synced: bytes, pending: Vec::new() };
        MemoryFile { bytes: Arc::new(Mutex::new(bytes)), power: power.clone() }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().expect("no test panics here").seen.clone()
    }

    pub fn flip(&self, bit: usize) {
        self.bytes.lock().expect("no test panics here").seen[bit / 8] ^= 1 << (bit % 8);
    }

    /// What is on the disk when the power is back.
    pub fn after_crash(&self, rng: &mut Rng) -> Vec<u8> {
        let bytes = self.bytes.lock().expect("no test panics here");
        let mut disk = bytes.synced.clone();
        for pending in &bytes.pending {
            let kept = match pending {
                _ if rng.random_bool(0.3) => continue,
                Pending::Length(len) => {
                    disk.resize(*len, 0);
                    continue;
                }
                Pending::Write(_, data) if rng.random_bool(0.5) => data.len(),
                Pending::Write(_, data) if rng.random_bool(0.8) => {
                    rng.random_range(0..=data.len() / SECTOR) * SECTOR
                }
                Pending::Write(_, data) => rng.random_range(0..=data.len()),
            };
            let Pending::Write(offset, data) = pending else { continue };
            // A torn write may keep its end instead of its beginning.
            let range = if rng.random_bool(0.5) { 0..kept } else { data.len() - kept..data.len() };
            let end = offset + range.end;
            if disk.len() < end {
                disk.resize(end, 0);
            }
            disk[offset + range.start..end].copy_from_slice(&data[range]);
        }
        disk
    }
}

impl StorageBackend for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        self.power.is_on()?;
        Ok(self.bytes.lock().expect("no test panics here").seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.power.is_on()?;
        let bytes = self.bytes.lock().expect("no test panics here");
        let from = offset as usize;
        let part = bytes.seen.get(from..from + out.len());
        out.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let on = self.power.step();
        let mut bytes = self.bytes.lock().expect("no test panics here");
        bytes.pending.push(Pending::Length(len as usize));
        bytes.seen.resize(len as usize, 0);
        if on { Ok(()) } else { Err(io::Error::other("no power")) }
    }

    fn sync_data(&self) -> io::Result<()> {
        if !self.power.step() {
            return Err(io::Error::other("no power"));
        }
        let mut bytes = self.bytes.lock().expect("no test panics here");
        bytes.pending.clear();
        bytes.synced = bytes.seen.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let was_on = self.power.is_on();
        let on = self.power.step();
        was_on?;
        let mut bytes = self.bytes.lock().expect("no test panics here");
        let from = offset as usize;
        if bytes.seen.len() < from + data.len() {
            bytes.seen.resize(from + data.len(), 0);
        }
        bytes.seen[from..from + data.len()].copy_from_slice(data);
        bytes.pending.push(Pending::Write(from, data.to_vec()));
        if on { Ok(()) } else { Err(io::Error::other("no power")) }
    }
}

/// An anchor whose writes are whole, and count as steps.
#[derive(Clone)]
pub struct PoweredAnchor {
    pub memory: MemoryAnchor,
    pub power: Power,
    /// Whether the write during which the power fails is still made.
    pub last_is_made: bool,
}

impl Anchor for PoweredAnchor {
    fn read(&self) -> Result<Option<Anchored>, Reason> {
        self.memory.read()
    }

    fn write(&mut self, anchored: Anchored) -> Result<(), Reason> {
        let was_on = self.power.is_on().is_ok();
        let on = self.power.step();
        if on || (was_on && self.last_is_made) {
            self.memory.write(anchored)?;
        }
        if on { Ok(()) } else { Err(Reason::VaultUnavailable) }
    }
}
