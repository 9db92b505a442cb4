//! Backups, and how one that is older than what others have seen does not become the state.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::clients::enrol;
use super::raw::{assert_audited, audit};
use super::support::{PASSPHRASE, Server, folder, has};

/// A backup of a service that has this state, as an administrator has it made.
fn backup(s: &Server, at: &Path) -> PathBuf {
    let made = s.ask_as(&at.join("admin"), "/backup", "{}").done();
    at.join("state/backups").join(made["backup"].as_str().unwrap())
}

/// What `mallory restore` says: its exit code and all of its words.
fn restore(at: &Path, from: &Path, more: &[&str], passphrase: &str) -> (i32, String) {
    let ended = Command::new(env!("CARGO_BIN_EXE_mallory"))
        .arg("restore")
        .arg(from)
        .arg("--config")
        .arg(at.join("config.toml"))
        .arg("--state")
        .arg(at.join("state"))
        .args(more)
        .env("MALLORY_PASSPHRASE", passphrase)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert!(!told.contains(passphrase), "{told}");
    (ended.status.code().unwrap(), told)
}

#[track_caller]
fn refused(at: &Path, from: &Path, more: &[&str], words: &[&str]) {
    let before = fs::read(at.join("state/vault")).ok();
    let (code, told) = restore(at, from, more, PASSPHRASE);
    assert_eq!(code, 2, "{told}");
    for word in words {
        assert!(told.contains(word), "{word} is not in {told}");
    }
    assert_eq!(fs::read(at.join("state/vault")).ok(), before, "it was put in place");
    assert!(!at.join("state/restoring").exists());
}

#[test]
fn a_backup_becomes_the_state_again() {
    if !has("curl") {
        return;
    }
    let at = folder("backup");
    let s = Server::first(&at);
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "audrey", "auditor");
    let user = at.join("user1");
    let made = s.ask_as(&user, "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();
    s.ask_as(&user, "/backup", "{}").is_refused(403, "forbidden");
    s.ask_as(&at.join("admin"), "/backup", r#"{"to": "/etc"}"#).is_refused(400, "malformed");
    let from = backup(&s, &at);
    let ca = s.fetch("/ca.der").body;
    // It is there while the service goes on, and its owner's alone.
    s.ask_as(&user, "/me", "").done();
    use std::os::unix::fs::PermissionsExt as _;
    for path in [&from.join("vault"), &from.join("anchor")] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
    }
    refused(&at, &from, &[], &["another process uses it"]);
    s.kill();

    // A new disk: the anchor is gone, and what clients hold speaks for the backup.
    fs::remove_file(at.join("state/vault")).unwrap();
    fs::remove_file(at.join("state/anchor")).unwrap();
    let elsewhere = at.join("elsewhere");
    fs::rename(&from, &elsewhere).unwrap();
    refused(&at, &elsewhere, &[], &["vault-rollback: there is no anchor, and nothing that anybody has seen"]);
    let (code, told) = restore(&at, &elsewhere, &["--met", "user1_symmetric=1"], "another");
    assert_eq!(code, 2);
    assert!(told.contains("the passphrase does not open it"), "{told}");
    let mut cut = fs::read(elsewhere.join("vault")).unwrap();
    let middle = cut.len() / 2;
    cut[middle] ^= 1;
    let damaged = folder("backup-damaged");
    fs::copy(elsewhere.join("anchor"), damaged.join("anchor")).unwrap();
    fs::write(damaged.join("vault"), cut).unwrap();
    refused(&at, &damaged, &["--met", "user1_symmetric=1"], &["vault-tampered"]);
    refused(&at, &at.join("nowhere"), &[], &["nowhere"]);
    let certificate = user.join("certificate.pem").display().to_string();
    let (code, told) =
        restore(&at, &elsewhere, &["--met", "user1_symmetric=1", "--seen", &certificate], PASSPHRASE);
    assert_eq!(code, 0, "{told}");

    let s = Server::with_state(&at, &[]);
    assert_eq!(s.ask_as(&user, "/export", r#"{"key_id": "user1_symmetric"}"#).done()["key"], made["key"]);
    assert_eq!(s.fetch("/ca.der").body, ca);
    assert_audited(
        &s,
        &at.join("audrey"),
        &["user1 back-up forbidden", "admin back-up done", "(console) restore done"],
    );
    assert_eq!(s.stop(), Some(0));
    // It was copied: another time is possible, but the state has gone on since.
    refused(&at, &elsewhere, &[], &["vault-rollback", "transactions, and the backup has"]);
}

#[test]
fn a_backup_that_has_forgotten_what_others_have_seen_is_refused() {
    if !has("curl") {
        return;
    }
    let at = folder("older");
    let s = Server::first(&at);
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "user2", "client");
    let user = at.join("user1");
    s.ask_as(&user, "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();
    let from = backup(&s, &at);
    let early = at.join("early.der");
    fs::write(&early, s.fetch("/crl.der").body).unwrap();

    // What happens after it: a version, a certificate, a revocation that a list tells.
    s.ask_as(&user, "/rotate", r#"{"key_id": "user1_symmetric"}"#).done();
    enrol(&s, &at, "user3", "client");
    s.ask_as(&at.join("admin"), "/revoke_client", r#"{"client_id": "user2"}"#).done();
    let mut list = s.fetch("/crl.der").body;
    let empty = fs::read(&early).unwrap().len();
    for _ in 0..600 {
        if list.len() > empty + 10 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        list = s.fetch("/crl.der").body;
    }
    let late = at.join("late.der");
    fs::write(&late, list).unwrap();
    assert_eq!(s.stop(), Some(0));

    let text = |path: &Path| path.display().to_string();
    let (early, late, new) = (text(&early), text(&late), text(&at.join("user3/certificate.pem")));
    refused(&at, &from, &[], &["vault-rollback: the state has acknowledged"]);
    // With the anchor gone, each of these shows it, and each for its own reason.
    let state = at.join("state");
    fs::rename(state.join("anchor"), at.join("anchor-away")).unwrap();
    refused(&at, &from, &["--seen", &late], &["crl-rollback", "late.der"]);
    refused(&at, &from, &["--seen", &new], &["certificate-unknown", "user3"]);
    refused(
        &at,
        &from,
        &["--met", "user1_symmetric=2"],
        &["vault-rollback: user1_symmetric is at version 1"],
    );
    refused(&at, &from, &["--met", "user3_rsa=1"], &["user3_rsa is at version 0"]);
    refused(
        &at,
        &from,
        &["--seen", &late, "--seen", &new, "--met", "user1_symmetric=2"],
        &["crl-rollback", "certificate-unknown", "vault-rollback"],
    );
    // What is not of this authority shows nothing.
    let other = folder("older-other");
    let s = Server::first(&other);
    fs::write(other.join("crl.der"), s.fetch("/crl.der").body).unwrap();
    drop(s);
    refused(&at, &from, &["--seen", &text(&other.join("crl.der"))], &["crl-issuer-mismatch"]);
    refused(&at, &from, &["--seen", &text(&other.join("admin/certificate.pem"))], &["certificate-untrusted"]);
    refused(&at, &from, &["--seen", &text(&at.join("config.toml"))], &["malformed"]);
    refused(&at, &from, &["--met", "user1_symmetric"], &["expected KEY=VERSION"]);
    fs::rename(at.join("anchor-away"), state.join("anchor")).unwrap();

    // Whoever says so has it, and it is told what is lost, and recorded.
    let more = ["--older", "--seen", &late, "--seen", &early, "--met", "user1_symmetric=2"];
    let (code, told) = restore(&at, &from, &more, PASSPHRASE);
    assert_eq!(code, 0, "{told}");
    for word in
        ["vault-rollback: the state has acknowledged", "crl-rollback", "user1_symmetric is at version 1"]
    {
        assert!(told.contains(word), "{word} is not in {told}");
    }
    assert!(!told.contains("early.der"), "{told}");
    let s = Server::with_state(&at, &[]);
    enrol(&s, &at, "audrey", "auditor");
    let log = audit(&s, &at.join("audrey"));
    assert!(log.iter().any(|line| line == "(console) restore-older done"), "{log:#?}");
    assert!(!log.iter().any(|line| line == "user1 rotate done"), "{log:#?}");
    s.ask_as(&at.join("user2"), "/me", "").done();
    // What was there is still to be had.
    assert!(state.join("vault-before").exists());
}
