//! Vaults as earlier versions wrote them, which every later version must open: of the first
//! format, and of the second, in which uses have rows of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use mallory::crypto::Share;
use mallory::vault::{Anchor, Anchored, Ceremony, FileStore, Frame, MemoryAnchor, System};
use serde::{Deserialize, Serialize};

use super::memory_file::{MemoryFile, Power};
use super::*;

const FIRST: &str = include_str!("../vectors/vault_v1.json");
const SECOND: &str = include_str!("../vectors/vault_v2.json");

/// Rows and a ciphertext, in hexadecimal.
#[derive(Serialize, Deserialize)]
struct Fixture {
    passphrase: String,
    context: String,
    plaintext: String,
    ciphertext: String,
    rows: BTreeMap<String, String>,
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).expect("the fixture is hexadecimal")
}

#[test]
fn the_first_format_opens() {
    opens(FIRST, 6);
}

#[test]
fn the_second_format_opens() {
    opens(SECOND, 8);
}

/// What was written in the first format goes on in the second.
#[test]
fn the_first_format_is_carried_on() {
    let fixture: Fixture = serde_json::from_str(FIRST).expect("the fixture is JSON");
    let mut vault = sealed(&fixture);
    unseal(&mut vault).expect("the passphrase");
    let mut desk = Desk { vault, now: START };
    let uses = |desk: &Desk<MemoryStore, System>| desk.key("orders").latest().operations;
    let before = uses(&desk);
    desk.encrypt("orders", b"buy").expect("an active key encrypts");
    let mut vault = Vault::open(desk.vault.into_store()).expect("a vault");
    unseal(&mut vault).expect("the same passphrase");
    let desk = Desk { vault, now: START };
    assert_eq!(uses(&desk), before + 1);
    assert_eq!(desk.vault.verify_audit().map(|head| head.records), Ok(7));
}

fn sealed(fixture: &Fixture) -> Vault<MemoryStore> {
    let mut store = MemoryStore::default();
    for (key, row) in &fixture.rows {
        store.rows().insert(bytes(key), bytes(row));
    }
    Vault::open(store).expect("a vault")
}

fn opens(fixture: &str, records: u64) {
    let fixture: Fixture = serde_json::from_str(fixture).expect("the fixture is JSON");
    let mut vault = sealed(&fixture);
    let guess = Unsealing::Passphrase(b"a guess");
    assert_eq!(vault.unseal(guess), Err(Reason::DecryptFailed));
    vault.unseal(Unsealing::Passphrase(fixture.passphrase.as_bytes())).expect("the passphrase");
    assert_eq!(vault.verify_audit().map(|head| head.records), Ok(records));
    let alice = Caller { name: "alice", now: START };
    let text = vault.decrypt(alice, fixture.context.as_bytes(), &bytes(&fixture.ciphertext));
    assert_eq!(text, Ok(fixture.plaintext.into_bytes()));
    let orders = vault.key("orders").expect("it is there");
    assert_eq!((orders.state, orders.latest().number), (KeyState::Active, 2));
    assert_eq!(vault.key("seals").expect("it is there").state, KeyState::Suspended);
    let signature = vault.sign(alice, "seals", b"message");
    assert_eq!(signature, Err(Reason::KeySuspended));
}

/// A file of the second format that was closed cleanly, sealed under two of three shares.
#[derive(Serialize, Deserialize)]
struct FileFixture {
    shares: Vec<String>,
    anchored: Anchored,
    bytes: usize,
    /// Its pages that are not all zeros, by number.
    pages: BTreeMap<usize, String>,
}

const PAGE: usize = 4_096;
const FILE: &str = include_str!("../vectors/vault_v2_file.json");

#[test]
fn a_file_of_the_second_format_opens() {
    let fixture: FileFixture = serde_json::from_str(FILE).expect("the fixture is JSON");
    let mut file = vec![0; fixture.bytes];
    for (number, page) in &fixture.pages {
        let page = bytes(page);
        file[number * PAGE..][..page.len()].copy_from_slice(&page);
    }
    let shares: Vec<Share> =
        fixture.shares.iter().map(|share| Share::from_bytes(&bytes(share)).expect("a share")).collect();
    let open = |file: Vec<u8>| {
        let mut anchor = MemoryAnchor::default();
        anchor.write(fixture.anchored).expect("it is new");
        FileStore::open_with(Arc::new(MemoryFile::new(file, &Power::stays())), anchor)
    };
    let mut vault = Vault::open(open(file.clone()).expect("as it was closed")).expect("a vault");
    assert!(vault.takes_shares());
    assert_eq!(vault.unseal(Unsealing::Shares(&shares[..1])), Err(Reason::DecryptFailed));
    vault.unseal(Unsealing::Shares(&shares[1..])).expect("two shares are enough");
    let orders = vault.key("orders").expect("it is there");
    assert_eq!((orders.state, orders.latest().operations), (KeyState::Active, 1));
    assert_eq!(vault.verify_audit().map(|head| head.records), Ok(3));
    let last = file.len() - 1;
    file[last] ^= 1;
    assert_eq!(open(file).err(), Some(Reason::VaultTampered));
}

#[test]
fn the_file_is_what_is_written_today() {
    let (file, anchor) = (MemoryFile::new(Vec::new(), &Power::stays()), MemoryAnchor::default());
    let store = FileStore::create_with(Arc::new(file.clone()), anchor.clone()).expect("there is power");
    let ceremony = Ceremony::rehearse(2, 3, rng("shares")).expect("a permitted scheme");
    let shares = ceremony.shares();
    let held = ceremony.confirm(&shares[..2]).expect("they are");
    let vault = Vault::rehearse(store, Sealing::Shares(&held), "root", rng("file"), START);
    let mut desk = Desk { vault: vault.expect("an empty store"), now: START };
    desk.generate("orders", KeyKind::Aes256, Usage::Encrypt);
    desk.encrypt("orders", b"sell").expect("an active key encrypts");
    desk.vault.close().expect("there is power");
    let all = file.bytes();
    let pages = all.chunks(PAGE).enumerate().filter(|(_, page)| page.iter().any(|byte| *byte != 0));
    let fixture = FileFixture {
        shares: shares.iter().map(|share| hex::encode(share.to_bytes())).collect(),
        anchored: anchor.read().expect("it is in memory").expect("it was used"),
        bytes: all.len(),
        pages: pages.map(|(number, page)| (number, hex::encode(trimmed(page)))).collect(),
    };
    is_fixture("vault_v2_file_written.json", &fixture);
}

/// A page without the zeros at its end.
fn trimmed(page: &[u8]) -> &[u8] {
    let len = page.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &page[..len]
}

#[test]
fn the_second_format_is_what_is_written_today() {
    let mut desk = desk();
    desk.generate("orders", KeyKind::Aes256, Usage::Encrypt);
    let ciphertext = desk.encrypt("orders", b"sell").expect("an active key encrypts");
    assert_eq!(Frame::read(&ciphertext).expect("a frame").version, 1);
    desk.rotate("orders");
    desk.generate("seals", KeyKind::Ed25519, Usage::Sign);
    desk.must(&step("seals", Transition::Suspend));
    desk.encrypt("orders", b"once").expect("an active key encrypts");
    desk.encrypt("orders", b"twice").expect("an active key encrypts");
    let rows = desk.vault.into_store().rows().iter().map(|(k, v)| (hex::encode(k), hex::encode(v))).collect();
    let fixture = Fixture {
        passphrase: String::from_utf8_lossy(PASSPHRASE).into_owned(),
        context: "context".to_owned(),
        plaintext: "sell".to_owned(),
        ciphertext: hex::encode(ciphertext),
        rows,
    };
    is_fixture("vault_v2.json", &fixture);
}

/// Whether this is the fixture to the byte. Where there is none yet, it is written, to be looked
/// at: a new format has its own, beside the old one.
fn is_fixture(name: &str, written: &impl Serialize) {
    let path = format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = serde_json::to_string_pretty(written).expect("texts only") + "\n";
    match std::fs::read_to_string(&path) {
        Ok(fixture) => assert!(fixture == text, "{name} is not what is written today"),
        Err(_) => {
            std::fs::write(&path, text).expect("it writes");
            panic!("{name} is new: look at it, and run this again");
        }
    }
}
