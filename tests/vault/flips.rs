//! Single bits of a file, flipped.

use std::sync::Arc;

use mallory::vault::{Anchor, Anchored, FileStore, MemoryAnchor};
use rand::RngExt as _;

use super::memory_file::{MemoryFile, Power};
use super::*;

/// A vault with two keys in `file`, not closed.
fn fill(file: &MemoryFile, anchor: &MemoryAnchor) -> Desk<FileStore> {
    let store = FileStore::create_with(Arc::new(file.clone()), anchor.clone()).expect("an empty file");
    let mut desk = Desk::create(store);
    desk.generate("a", KeyKind::Aes256, Usage::Encrypt);
    desk.generate("b", KeyKind::Ed25519, Usage::Sign);
    desk.rotate("a");
    desk
}

/// Bytes whose bits are all flipped: the head page, and the database's own.
const FIRST_BYTES: usize = 2 * 4_096;
const RANDOM: usize = 4_000;

#[test]
fn every_bit_of_a_closed_file_counts() {
    let file = MemoryFile::new(Vec::new(), &Power::stays());
    let anchor = MemoryAnchor::default();
    fill(&file, &anchor).vault.close().expect("a clean close");
    let closed = anchor.read().expect("it reads").expect("it was used");
    let len = file.bytes().len();
    let mut rng = rng("flips");
    let random: Vec<usize> = (0..RANDOM).map(|_| rng.random_range(0..len * 8)).collect();
    for bit in (0..FIRST_BYTES.min(len) * 8).chain(random) {
        file.flip(bit);
        let opened = FileStore::open_with(Arc::new(file.clone()), anchor.clone()).map(drop);
        assert_eq!(opened, Err(Reason::VaultTampered), "bit {bit}");
        file.flip(bit);
    }
    assert_eq!(anchor.read(), Ok(Some(closed)), "refusing changes nothing");
    println!("{} flips of a file of {len} bytes", FIRST_BYTES.min(len) * 8 + RANDOM);
    // Cut short, and made longer.
    for bytes in [file.bytes()[..len - 1].to_vec(), Vec::new(), [file.bytes(), vec![0]].concat()] {
        let file = MemoryFile::new(bytes, &Power::stays());
        assert!(FileStore::open_with(Arc::new(file), anchor.clone()).is_err());
    }
    let mut vault =
        Vault::open(FileStore::open_with(Arc::new(file), anchor).expect("untouched")).expect("a vault");
    assert_eq!(unseal(&mut vault), Ok(()));
}

/// After an unclean stop there is no digest: the database's checksums and the seals remain.
/// What opens is what was written; most flips are refused.
#[test]
fn no_bit_of_an_unclosed_file_changes_a_key() {
    let file = MemoryFile::new(Vec::new(), &Power::stays());
    let anchor = MemoryAnchor::default();
    let mut desk = fill(&file, &anchor);
    let ciphertext = desk.encrypt("a", b"text").expect("an active key encrypts");
    // A copy while it is at work.
    let bytes = file.bytes();
    let at_work: Anchored = anchor.read().expect("it reads").expect("it was used");
    let (a, b) = (desk.key("a"), desk.key("b"));
    let mut rng = rng("unclosed flips");
    let written: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let (mut refused, mut unharmed) = (0, 0);
    for _ in 0..1_500 {
        let file = MemoryFile::new(bytes.clone(), &Power::stays());
        // Where there is anything: most pages are empty.
        let bit = written[rng.random_range(0..written.len())] * 8 + rng.random_range(0..8);
        file.flip(bit);
        let mut anchor = MemoryAnchor::default();
        anchor.write(at_work).expect("it writes");
        let opened = FileStore::open_with(Arc::new(file), anchor).and_then(|store| {
            let mut vault = Vault::open_rehearsed(store, mallory::crypto::stream(bit as u64, &["flipped"]))?;
            unseal(&mut vault)?;
            Ok(vault)
        });
        match opened {
            Err(_) => refused += 1,
            Ok(vault) => {
                unharmed += 1;
                desk.vault = vault;
                assert_eq!((desk.key("a"), desk.key("b")), (a.clone(), b.clone()), "bit {bit}");
                assert_eq!(desk.decrypt(&ciphertext), Ok(b"text".to_vec()), "bit {bit}");
            }
        }
    }
    println!("{refused} refused, {unharmed} in pages that nothing uses");
    assert!(refused > 0);
}
