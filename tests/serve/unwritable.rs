//! What cannot be recorded is not done: a disk that takes no more, an anchor that is out of reach.

use std::fs;

use super::clients::enrol;
use super::raw::{Raw, audit};
use super::support::{Server, folder, has};

/// A request for each route that makes, changes, uses or hands out something.
const ASKED: &[(&str, &str)] = &[
    ("/generate_symmetric_key", r#"{"client_id": "user1", "key_id": "user1_new"}"#),
    ("/generate_rsa_key", r#"{"client_id": "user1"}"#),
    ("/generate_dh_key", "{}"),
    ("/encrypt", r#"{"key_id": "user1_symmetric", "plaintext": "aGk="}"#),
    ("/export", r#"{"key_id": "user1_symmetric"}"#),
    ("/rotate", r#"{"key_id": "user1_symmetric"}"#),
    ("/revoke_key", r#"{"key_id": "user1_symmetric"}"#),
    ("/state", r#"{"key_id": "user1_symmetric"}"#),
    ("/v1/auth/cert/login", "{}"),
    ("/nowhere", "{}"),
    ("/state", r#"{"key_id": "user2_symmetric"}"#),
];

fn assert_nothing_is_done(raw: &mut Raw) {
    for (path, body) in ASKED {
        let heard = raw.ask("POST", path, "", body);
        assert_eq!(heard.status, 503, "{path}: {heard:?}");
        let word = heard.word();
        let word = word.split(':').next().unwrap().to_owned();
        let words = ["audit-unavailable", "outcome-unknown", "vault-unavailable", "vault-rollback"];
        assert!(words.contains(&&*word), "{path}: {heard:?}");
        for secret in ["\"key\"", "client_token", "ciphertext", "public_key", "share"] {
            assert!(!heard.body.contains(secret), "{path}: {heard:?}");
        }
    }
}

#[test]
fn nothing_is_done_on_a_disk_that_takes_no_more() {
    if !has("curl") {
        return;
    }
    let at = folder("full");
    // An address that stays, so that a start has nothing to certify.
    let settings = "second_factor_of = []\npublish_url = \"http://pki.example\"\n";
    let s = Server::first_configured(&at, settings);
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "audrey", "auditor");
    let user = at.join("user1");
    let made = s.ask_as(&user, "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();
    let before = audit(&s, &at.join("audrey"));
    assert_eq!(s.stop(), Some(0));

    // No byte beyond the first 64 KiB of a file is written any more.
    let s = Server::after(&at, "trap '' XFSZ; ulimit -f 64");
    let mut raw = Raw::of(&s, &user);
    assert_nothing_is_done(&mut raw);
    // What needs no record goes on.
    assert_eq!(s.fetch("/crl.der").status, 200);
    s.kill();

    let s = Server::configured(&at, settings, &[]);
    let state = s.ask_as(&user, "/state", r#"{"key_id": "user1_symmetric"}"#).done();
    assert_eq!((state["state"].as_str(), state["versions"].as_array().unwrap().len()), (Some("active"), 1));
    assert_eq!(s.ask_as(&user, "/export", r#"{"key_id": "user1_symmetric"}"#).done()["key"], made["key"]);
    assert_eq!(s.ask_as(&user, "/keys", "").done()["keys"].as_array().unwrap().len(), 1);
    let after = audit(&s, &at.join("audrey"));
    // Reading the log is in the log.
    let new: Vec<&String> = after[before.len()..].iter().filter(|line| line.starts_with("user1")).collect();
    assert_eq!(new, ["user1 describe done", "user1 export done", "user1 list done"]);
}

#[test]
fn nothing_is_told_while_the_anchor_is_out_of_reach() {
    if !has("curl") {
        return;
    }
    let at = folder("anchorless");
    let anchors = at.join("anchors");
    fs::create_dir_all(&anchors).unwrap();
    let settings =
        format!("second_factor_of = []\nanchor = {:?}\n", anchors.join("anchor").display().to_string());
    let s = Server::first_configured(&at, &settings);
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "audrey", "auditor");
    let user = at.join("user1");
    s.ask_as(&user, "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();

    let away = at.join("away");
    fs::rename(&anchors, &away).unwrap();
    let mut raw = Raw::of(&s, &user);
    assert_nothing_is_done(&mut raw);
    assert_eq!(s.fetch("/crl.der").status, 200);
    fs::rename(&away, &anchors).unwrap();
    // It comes back by itself, and what was asked is in one state.
    let state = s.ask_as(&user, "/state", r#"{"key_id": "user1_symmetric"}"#).done();
    let log = audit(&s, &at.join("audrey"));
    let count = |line: &str| log.iter().filter(|known| *known == line).count();
    assert_eq!(state["versions"].as_array().unwrap().len(), 1 + count("user1 rotate done"));
    let keys = s.ask_as(&user, "/keys", "").done()["keys"].as_array().unwrap().len();
    assert_eq!(keys, count("user1 generate done"));
    assert_eq!(s.stop(), Some(0));
    let s = Server::configured(&at, &settings, &[]);
    assert_eq!(s.ask_as(&user, "/me", "").status, 200);
}
