//! What is left of a vault's keys in the memory of a process that has sealed it.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt as _;

use mallory::crypto::{STRETCH_SALT_LEN, stretch_into};
use rand::Rng as _;
use serde::{Deserialize, Serialize};

use super::*;

/// Bytes that stand in memory with every bit turned, so that looking for them leaves no trace of
/// them.
struct Turned([u8; 32]);

impl Turned {
    fn new(key: &mut [u8; 32]) -> Turned {
        let turned = Turned(key.map(|byte| !byte));
        black_box(&mut *key).fill(0);
        turned
    }

    fn is_at(&self, bytes: &[u8]) -> bool {
        self.0.iter().zip(bytes).all(|(turned, byte)| !turned == *byte)
    }
}

/// How many times each is anywhere in what this process may write to.
fn copies<const N: usize>(keys: &[Turned; N]) -> [usize; N] {
    let memory = File::open("/proc/self/mem").expect("Linux has it");
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux has it");
    let mut found = [0; N];
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw")))
    {
        let (from, to) = line.split(' ').next().and_then(|range| range.split_once('-')).expect("a range");
        let at = |text: &str| u64::from_str_radix(text, 16).expect("an address");
        let (from, to) = (at(from), at(to));
        let mut piece = vec![0; 1 << 16];
        // Pieces overlap, so that nothing is missed between two.
        for from in (from..to).step_by(piece.len() - 31) {
            let len = piece.len().min((to - from) as usize);
            if memory.read_exact_at(&mut piece[..len], from).is_err() {
                continue;
            }
            // What was read into the piece lies in the piece, too.
            let own = piece.as_ptr_range();
            let own = own.start as u64..own.end as u64;
            for (key, found) in keys.iter().zip(&mut found) {
                let places = (from..).zip(piece[..len].windows(32));
                *found += places.filter(|(at, window)| !own.contains(at) && key.is_at(window)).count();
            }
        }
    }
    found
}

/// The master key and the key that it is sealed under, of a vault whose random bytes are known.
fn known(label: &str) -> (MemoryStore, [Turned; 2]) {
    let vault = Vault::rehearse(MemoryStore::default(), REHEARSED, "root", rng(label), START);
    let store = vault.expect("an empty store").into_store();
    let mut drawn = rng(label);
    let (mut vault, mut master, mut salt) = ([0; 16], [0; 32], [0; STRETCH_SALT_LEN]);
    drawn.fill_bytes(&mut vault);
    drawn.fill_bytes(&mut master);
    drawn.fill_bytes(&mut salt);
    let mut sealing = [0; 32];
    stretch_into(&mut sealing, PASSPHRASE, &salt, CHEAP).expect("a permitted cost");
    (store, [Turned::new(&mut master), Turned::new(&mut sealing)])
}

/// What the process that is looked at is told: a vault's rows, and the turned keys.
#[derive(Serialize, Deserialize)]
struct Told {
    rows: Vec<(String, String)>,
    turned: Vec<String>,
}

const TOLD: &str = "VAULT_TOLD";

/// In a process of its own, which has never had the keys in another way: every other test has
/// keys, too.
#[test]
fn a_sealed_vault_has_left_no_key_behind() {
    if let Ok(told) = std::env::var(TOLD) {
        return look_for_keys(&serde_json::from_str(&told).expect("it was written here"));
    }
    let (mut store, keys) = known("wiped");
    let told = Told {
        rows: store.rows().iter().map(|(key, row)| (hex::encode(key), hex::encode(row))).collect(),
        turned: keys.iter().map(|Turned(turned)| hex::encode(turned)).collect(),
    };
    let status = std::process::Command::new(std::env::current_exe().expect("a test is a file"))
        .args(["wiped::a_sealed_vault_has_left_no_key_behind", "--exact", "--nocapture"])
        .env(TOLD, serde_json::to_string(&told).expect("texts only"))
        .status();
    assert!(status.expect("the binary is there").success());
}

fn look_for_keys(told: &Told) {
    let bytes = |text: &String| hex::decode(text).expect("hexadecimal");
    let mut store = MemoryStore::default();
    store.rows().extend(told.rows.iter().map(|(key, row)| (bytes(key), bytes(row))));
    let keys = [0, 1].map(|n: usize| Turned(bytes(&told.turned[n]).try_into().expect("32 bytes")));
    let before = copies(&keys);
    let mut vault = Vault::open(store).expect("a vault");
    unseal(&mut vault).expect("the passphrase");
    let spec = KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice");
    let generate = Operation::Generate { key: "k".to_owned(), spec };
    vault.perform("alice", &generate, Care::default(), START).expect("a new key");
    let unsealed = copies(&keys);
    vault.reseal(BY_PASSPHRASE, "root", START).expect("it is unsealed");
    let resealed = copies(&keys);
    vault.seal();
    let sealed = copies(&keys);
    println!("copies of the master key and the sealing key: {before:?} {unsealed:?} {resealed:?} {sealed:?}");
    assert_eq!((before, unsealed, resealed, sealed), ([0, 0], [1, 0], [1, 0], [0, 0]));
}
