//! Vaults as earlier versions wrote them, which every later version must open: of the first
//! format, and of the second, in which uses have rows of their own.

use std::collections::BTreeMap;

use mallory::vault::Frame;
use serde::{Deserialize, Serialize};

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
    let mut desk = Desk { vault, rng: rng("later"), now: START };
    let uses = |desk: &Desk<MemoryStore>| desk.key("orders").latest().operations;
    let before = uses(&desk);
    desk.encrypt("orders", b"buy").expect("an active key encrypts");
    let mut vault = Vault::open(desk.vault.into_store()).expect("a vault");
    unseal(&mut vault).expect("the same passphrase");
    let desk = Desk { vault, ..desk };
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
    let mut rng = rng("later");
    let mut alice = Caller { name: "alice", rng: &mut rng, now: START };
    let text = vault.decrypt(&mut alice, fixture.context.as_bytes(), &bytes(&fixture.ciphertext));
    assert_eq!(text, Ok(fixture.plaintext.into_bytes()));
    let orders = vault.key("orders").expect("it is there");
    assert_eq!((orders.state, orders.latest().number), (KeyState::Active, 2));
    assert_eq!(vault.key("seals").expect("it is there").state, KeyState::Suspended);
    let signature = vault.sign(&mut alice, "seals", b"message");
    assert_eq!(signature, Err(Reason::KeySuspended));
}

/// How the fixture was written.
#[test]
#[ignore = "writes the fixture: only for a new format, beside the old one"]
fn write() {
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
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/vault_v2.json");
    let text = serde_json::to_string_pretty(&fixture).expect("texts only") + "\n";
    std::fs::write(path, text).expect("it writes");
}
