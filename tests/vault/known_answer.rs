//! A vault as the first version wrote it, which every later version must open.

use std::collections::BTreeMap;

use mallory::vault::Frame;
use serde::{Deserialize, Serialize};

use super::*;

const FIXTURE: &str = include_str!("../vectors/vault_v1.json");

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
    let fixture: Fixture = serde_json::from_str(FIXTURE).expect("the fixture is JSON");
    let mut store = MemoryStore::default();
    for (key, row) in &fixture.rows {
        store.rows().insert(bytes(key), bytes(row));
    }
    let mut vault = Vault::open(store).expect("a vault");
    let guess = Unsealing::Passphrase(b"a guess");
    assert_eq!(vault.unseal(guess), Err(Reason::DecryptFailed));
    vault.unseal(Unsealing::Passphrase(fixture.passphrase.as_bytes())).expect("the passphrase");
    assert_eq!(vault.verify_audit().map(|head| head.records), Ok(6));
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
    let rows = desk.vault.into_store().rows().iter().map(|(k, v)| (hex::encode(k), hex::encode(v))).collect();
    let fixture = Fixture {
        passphrase: String::from_utf8_lossy(PASSPHRASE).into_owned(),
        context: "context".to_owned(),
        plaintext: "sell".to_owned(),
        ciphertext: hex::encode(ciphertext),
        rows,
    };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/vault_v1.json");
    let text = serde_json::to_string_pretty(&fixture).expect("texts only") + "\n";
    std::fs::write(path, text).expect("it writes");
}
