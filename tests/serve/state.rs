//! What is kept: over a stop, a kill, and against who puts an old file back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::clients::enrol;
use super::support::{PASSPHRASE, Server, folder, has, refused};

#[test]
fn everything_is_there_after_a_stop_and_after_a_kill() {
    if !has("curl") {
        return;
    }
    let at = folder("restart");
    let s = Server::first(&at);
    enrol(&s, &at, "user1", "client");
    let user = at.join("user1");
    let key = s.ask_as(&user, "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done()["key"].clone();
    let sealed = s.ask_as(&user, "/encrypt", r#"{"key_id": "user1_symmetric", "plaintext": "aGk="}"#).done()
        ["ciphertext"]
        .clone();
    let ca = s.fetch("/ca.der").body;
    for entry in fs::read_dir(at.join("state")).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
    }
    assert_eq!(fs::metadata(at.join("state")).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(user.join("../admin/key.pem")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(s.stop(), Some(0));

    let opened = |s: &Server| {
        let opened = s.ask_as(&user, "/decrypt", &format!(r#"{{"ciphertext": {sealed}}}"#)).done();
        assert_eq!(opened["plaintext"], "aGk=");
        assert_eq!(s.ask_as(&user, "/export", r#"{"key_id": "user1_symmetric"}"#).done()["key"], key);
        assert_eq!(s.fetch("/ca.der").body, ca);
    };
    let s = Server::with_state(&at, &[]);
    opened(&s);
    s.ask_as(&user, "/rotate", r#"{"key_id": "user1_symmetric"}"#).done();
    s.kill();
    let s = Server::with_state(&at, &[]);
    let state = s.ask_as(&user, "/state", r#"{"key_id": "user1_symmetric"}"#).done();
    assert_eq!(state["versions"].as_array().unwrap().len(), 2);
    s.ask_as(&user, "/decrypt", &format!(r#"{{"ciphertext": {sealed}}}"#)).done();
}

#[test]
fn what_is_not_the_state_is_refused() {
    if !has("curl") {
        return;
    }
    let at = folder("refused");
    let state = at.join("state").display().to_string();
    let with =
        ["--config", &at.join("config.toml").display().to_string(), "--state", &state].map(str::to_owned);
    let with: Vec<&str> = with.iter().map(String::as_str).collect();
    let wants = |passphrase: &str, more: &[&str], text: &str| {
        let output = refused(&[&with[..], more].concat(), passphrase);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(text), "{error}");
        assert!(!error.contains(passphrase), "the passphrase is shown: {error}");
    };
    let s = Server::first(&at);
    wants(PASSPHRASE, &[], "another process uses it");
    s.ask_as(&at.join("admin"), "/me", "").done();
    assert_eq!(s.stop(), Some(0));

    wants("another passphrase", &[], "the passphrase does not open it");
    let again = at.join("again").display().to_string();
    wants(PASSPHRASE, &["--administrator", "eve", "--into", &again], "there is an administrator already");
    assert!(!at.join("again").exists());

    let old = fs::read(at.join("state/vault")).unwrap();
    let s = Server::with_state(&at, &[]);
    enrol(&s, &at, "user1", "client");
    assert_eq!(s.stop(), Some(0));
    let new = fs::read(at.join("state/vault")).unwrap();
    fs::write(at.join("state/vault"), &old).unwrap();
    wants(PASSPHRASE, &[], "vault-rollback");
    let mut bad = new.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(at.join("state/vault"), &bad).unwrap();
    wants(PASSPHRASE, &[], "vault-tampered");
    let elsewhere = folder("elsewhere");
    assert_eq!(Server::first(&elsewhere).stop(), Some(0));
    fs::copy(elsewhere.join("state/vault"), at.join("state/vault")).unwrap();
    wants(PASSPHRASE, &[], "vault-");
    fs::write(at.join("state/vault"), &new).unwrap();
    fs::set_permissions(at.join("state"), fs::Permissions::from_mode(0o755)).unwrap();
    wants(PASSPHRASE, &[], "others may enter it");
    fs::set_permissions(at.join("state"), fs::Permissions::from_mode(0o700)).unwrap();
    Server::with_state(&at, &[]).ask_as(&at.join("user1"), "/me", "").done();
}

#[test]
fn settings_that_are_wrong_are_told_with_their_place() {
    let at = folder("settings");
    let config = at.join("config.toml");
    for (text, told) in [
        ("listne = 5\n", "unknown field `listne`"),
        ("\nlisten = \"here\"\n", "line 2, column 10"),
        ("crl_period = \"5 parsecs\"\n", "expected a duration"),
        ("second_factor = [\"destory\"]\n", "did you mean `destroy`"),
        ("crl_lifetime = \"1s\"\n", "less than crl_period"),
        ("names = []\n", "names is empty"),
        ("[limits]\nrequests = 0\n", "expected at least 1"),
    ] {
        fs::write(&config, text).unwrap();
        let output = refused(&["--config", &config.display().to_string()], PASSPHRASE);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(told), "{text}: {error}");
    }
}
