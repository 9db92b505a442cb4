//! Passphrases and shares: what opens a vault, and what a thief's copy tells.

use mallory::crypto::Share;
use mallory::vault::{Ceremony, System};

use super::*;

/// A vault under shares that were all brought to the ceremony.
fn shared(threshold: u8, count: u8) -> (Vault<MemoryStore, System>, Vec<Share>) {
    let ceremony = Ceremony::new(threshold, count).expect("a permitted scheme");
    let held = ceremony.confirm(ceremony.shares()).expect("all of them are enough");
    let vault = Vault::create(MemoryStore::default(), Sealing::Shares(&held), "root", START);
    (vault.expect("an empty store"), ceremony.shares().to_vec())
}

#[test]
fn a_sealed_vault_does_nothing() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    let ciphertext = desk.encrypt("k", b"text").expect("an active key encrypts");
    desk.vault.seal();
    assert!(desk.vault.is_sealed());
    assert_eq!(desk.decrypt(&ciphertext), Err(Reason::Sealed));
    assert_eq!(desk.try_do(&Operation::List {}), Err(Reason::Sealed));
    assert_eq!(desk.vault.key("k").err(), Some(Reason::Sealed));
    assert_eq!(desk.vault.verify_audit(), Err(Reason::Sealed));
    for guess in [&b"correct horse battery stapl"[..], b"", b"correct horse battery staple "] {
        assert_eq!(desk.vault.unseal(Unsealing::Passphrase(guess)), Err(Reason::DecryptFailed));
        assert!(desk.vault.is_sealed());
    }
    assert_eq!(unseal(&mut desk.vault), Ok(()));
    assert_eq!(desk.decrypt(&ciphertext), Ok(b"text".to_vec()));
}

#[test]
fn every_subset_of_k_shares_opens_and_no_smaller_one() {
    for (threshold, count) in [(1, 1), (1, 3), (2, 3), (3, 5), (5, 5)] {
        let (mut vault, shares) = shared(threshold, count);
        assert_eq!(shares.len(), usize::from(count));
        for subset in 0..1u32 << count {
            vault.seal();
            let chosen: Vec<Share> = (0..usize::from(count))
                .filter(|i| subset >> i & 1 == 1)
                .map(|i| Share::from_bytes(&shares[i].to_bytes()).expect("a share"))
                .collect();
            let enough = subset.count_ones() >= u32::from(threshold);
            let expected = if enough { Ok(()) } else { Err(Reason::DecryptFailed) };
            assert_eq!(
                vault.unseal(Unsealing::Shares(&chosen)),
                expected,
                "{threshold} of {count}: {subset:b}"
            );
        }
    }
}

#[test]
fn wrong_shares_open_nothing() {
    let (mut vault, shares) = shared(2, 3);
    let (_, others) = shared(2, 3);
    vault.seal();
    let attempts: [&[Share]; 4] = [
        &[shares[0].clone(), others[1].clone()],
        &[others[0].clone(), others[1].clone()],
        &[shares[0].clone(), shares[0].clone()],
        &[],
    ];
    for attempt in attempts {
        assert_eq!(vault.unseal(Unsealing::Shares(attempt)), Err(Reason::DecryptFailed));
    }
    assert_eq!(vault.unseal(Unsealing::Passphrase(PASSPHRASE)), Err(Reason::DecryptFailed));
    assert_eq!(vault.unseal(Unsealing::Shares(&shares[1..])), Ok(()));
    for (threshold, count) in [(0, 3), (4, 3)] {
        assert_eq!(Ceremony::new(threshold, count).map(drop), Err(Reason::Malformed));
    }
}

#[test]
fn a_new_passphrase_takes_the_old_ones_place() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    let old = desk.vault.into_store();
    let mut vault = Vault::open(old.clone()).expect("a vault");
    unseal(&mut vault).expect("the old one");
    let how = Sealing::Passphrase { passphrase: b"new", cost: CHEAP };
    vault.reseal(how, "root", START).expect("it is unsealed");
    vault.seal();
    assert_eq!(unseal(&mut vault), Err(Reason::DecryptFailed));
    assert_eq!(vault.unseal(Unsealing::Passphrase(b"new")), Ok(()));
    // The old seal put back in its place opens the master key, and is found out.
    let mut rows = vault.into_store();
    let seal = old.clone().rows()[&b"seal".to_vec()].clone();
    rows.rows().insert(b"seal".to_vec(), seal);
    let mut vault = Vault::open(rows).expect("a vault");
    assert_eq!(unseal(&mut vault), Err(Reason::VaultTampered));
}

/// Shares come first, then the seal: a ceremony that comes to nothing changes nothing.
#[test]
fn nothing_is_sealed_under_shares_that_nobody_brought_back() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    let ceremony = Ceremony::rehearse(2, 3, rng("ceremony")).expect("a permitted scheme");
    let shares = ceremony.shares();
    let (_, others) = shared(2, 3);
    let wrong: [&[Share]; 4] =
        [&[], &shares[..1], &[shares[0].clone(), others[1].clone()], &[shares[0].clone(), shares[0].clone()]];
    for brought in wrong {
        assert_eq!(ceremony.confirm(brought).err(), Some(Reason::DecryptFailed));
    }
    desk.vault.seal();
    assert_eq!(unseal(&mut desk.vault), Ok(()), "the old seal is the seal");

    let held = ceremony.confirm(&shares[1..]).expect("two of three");
    desk.vault.reseal(Sealing::Shares(&held), "root", START).expect("it is unsealed");
    assert!(desk.vault.takes_shares());
    desk.vault.seal();
    assert_eq!(unseal(&mut desk.vault), Err(Reason::DecryptFailed));
    assert_eq!(desk.vault.unseal(Unsealing::Shares(&shares[..2])), Ok(()));
    // And back, under a passphrase.
    desk.vault.reseal(REHEARSED, "root", START).expect("it is unsealed");
    desk.vault.seal();
    assert_eq!(desk.vault.unseal(Unsealing::Shares(shares)), Err(Reason::DecryptFailed));
    assert_eq!(unseal(&mut desk.vault), Ok(()));
    assert!(desk.vault.key("k").is_ok());
}

/// Two vaults of one passphrase have nothing in common but what they say in the clear; two that
/// are rehearsed from one seed are one.
#[test]
fn a_vault_draws_from_the_operating_system() {
    let rows = |store: MemoryStore| store.clone().rows().clone();
    let real =
        || Vault::create(MemoryStore::default(), BY_PASSPHRASE, "root", START).expect("an empty store");
    let rehearsed = || {
        Vault::rehearse(MemoryStore::default(), REHEARSED, "root", rng("twins"), START)
            .expect("an empty store")
    };
    let (one, other) = (rows(real().into_store()), rows(real().into_store()));
    assert!(one.keys().eq(other.keys()), "the same rows");
    assert!(one.iter().all(|(row, value)| other[row] != *value), "and not one the same");
    assert_eq!(rows(rehearsed().into_store()), rows(rehearsed().into_store()));
    let shares = || Ceremony::new(2, 2).expect("a permitted scheme").shares().to_vec();
    assert_ne!(shares(), shares());
}

#[test]
fn a_thief_reads_no_secret_no_text_and_no_name() {
    let mut desk = desk();
    desk.generate_as(
        "payroll-key",
        KeySpec { exportable: true, ..KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice") },
    );
    desk.encrypt("payroll-key", b"a text to be kept").expect("an active key encrypts");
    let key = mallory::crypto::PublicKeyEncryption::Rsa2048Oaep.generate(&mut rng("owner"));
    let under = mallory::vault::WrapUnder::PublicKey(key.public().into());
    let export = Operation::Export { key: "payroll-key".to_owned(), version: None, under };
    let Response::Wrapped(wrapped) = desk.must(&export) else { panic!("it is exportable") };
    let with = mallory::vault::Unwrapping::Rsa2048(&key);
    let secret =
        mallory::vault::unwrap_exported(&wrapped, "payroll-key", 1, with).expect("the owner unwraps");
    let mut store = desk.vault.into_store();
    for (row, value) in store.rows() {
        for needle in [&secret[..], PASSPHRASE, b"a text to be kept", b"payroll", b"alice"] {
            for bytes in [row, value] {
                assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{row:?}");
            }
        }
    }
}

/// Any row changed, removed, or taken from another state or another row.
#[test]
fn rows_do_not_move_and_do_not_grow_old() {
    let mut desk = desk();
    desk.generate("a", KeyKind::Aes256, Usage::Encrypt);
    desk.generate("b", KeyKind::Aes256, Usage::Encrypt);
    let old = desk.vault.into_store();
    desk.vault = reopened(old.clone());
    desk.must(&step("a", Transition::Compromise));
    desk.rotate("b");
    let new = desk.vault.into_store();
    let opens = |store: MemoryStore| Vault::open(store).and_then(|mut vault| unseal(&mut vault));
    assert_eq!(opens(new.clone()), Ok(()));
    let rows: Vec<Vec<u8>> = new.clone().rows().keys().cloned().collect();
    let is_audit = |row: &[u8]| row[0] == b'a';
    let mut changes = 0;
    for row in rows.iter().filter(|row| !is_audit(row)) {
        let mut without = new.clone();
        without.rows().remove(row);
        assert!(opens(without).is_err(), "without {row:?}");
        let mut flipped = new.clone();
        flipped.rows().get_mut(row).expect("a row")[20] ^= 1;
        assert!(opens(flipped).is_err(), "flipped {row:?}");
        // An old row un-revokes a key.
        let before = old.clone().rows().get(row).cloned();
        if let Some(before) = before.filter(|before| Some(before) != new.clone().rows().get(row)) {
            let mut rolled = new.clone();
            rolled.rows().insert(row.clone(), before);
            assert_eq!(opens(rolled), Err(Reason::VaultTampered), "old {row:?}");
            changes += 1;
        }
        for other in rows.iter().filter(|other| other[0] == row[0] && *other != row) {
            let mut moved = new.clone();
            let value = moved.rows()[other].clone();
            moved.rows().insert(row.clone(), value);
            assert!(opens(moved).is_err(), "{other:?} in the place of {row:?}");
        }
    }
    assert!(changes >= 3, "root and both keys");
}
