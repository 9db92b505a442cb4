//! The service sealed and flooded, as its clients meet it, and its passphrase from a file
//! descriptor.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::clients::enrol;
use super::support::{PASSPHRASE, Server, folder, has};

#[test]
fn a_sealed_service_does_nothing_until_its_passphrase_comes() {
    if !has("curl") {
        return;
    }
    let at = folder("seal");
    let s = Server::first(&at);
    enrol(&s, &at, "user1", "client");
    let (admin, user) = (at.join("admin"), at.join("user1"));
    s.ask_as(&user, "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();
    let ask = |who: &Path, path: &str, body: &str| {
        let logged_in = s.ask_as(who, "/v1/auth/cert/login", "{}");
        let token = match logged_in.status {
            200 => logged_in.json()["auth"]["client_token"].as_str().unwrap().to_owned(),
            _ => String::new(),
        };
        let header = format!("X-Vault-Token: {token}");
        s.curl(Some(who), &who.join("ca.pem"), path, &["-X", "POST", "-H", &header, "-d", body])
    };
    let encrypt = || s.ask_as(&user, "/encrypt", r#"{"key_id": "user1_symmetric", "plaintext": "aGk="}"#);
    encrypt().done();
    // A client may not seal, and then nothing is sealed.
    assert_eq!(ask(&user, "/v1/sys/seal", "{}").status, 403);
    encrypt().done();
    let sealed = ask(&admin, "/v1/sys/seal", "{}");
    assert!((200..300).contains(&sealed.status), "{sealed:?}");
    assert_eq!(s.curl(None, &admin.join("ca.pem"), "/v1/sys/seal-status", &[]).json()["sealed"], true);
    encrypt().is_refused(503, "sealed");
    s.ask_as(&user, "/keys", "").is_refused(503, "sealed");
    // Relying parties go on.
    assert_eq!(s.fetch("/crl.der").status, 200);
    let unseal = |key: &str| {
        let body = format!(r#"{{"key": "{key}"}}"#);
        s.curl(Some(&admin), &admin.join("ca.pem"), "/v1/sys/unseal", &["-X", "POST", "-d", &body])
    };
    let wrong = unseal("another passphrase");
    assert!((400..500).contains(&wrong.status), "{wrong:?}");
    encrypt().is_refused(503, "sealed");
    let opened = unseal(PASSPHRASE);
    assert_eq!((opened.status, opened.json()["sealed"].clone()), (200, false.into()), "{opened:?}");
    encrypt().done();
}

#[test]
fn a_flood_of_one_client_is_held_up_and_others_go_on() {
    if !has("curl") {
        return;
    }
    let s = Server::demo();
    let user = s.demo.as_ref().unwrap().join("user1");
    // One connection: a request takes less than a tenth of a second on any machine.
    let urls: Vec<String> = (0..400).map(|_| s.url("/keys")).collect();
    let told = Command::new("curl")
        .args(["-sS", "--max-time", "100", "--cacert"])
        .arg(user.join("ca.pem"))
        .arg("--cert")
        .arg(user.join("certificate.pem"))
        .arg("--key")
        .arg(user.join("key.pem"))
        .args(["-w", "\n%{http_code}\n"])
        .args(&urls)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let count = |word: &str| told.lines().filter(|line| *line == word).count();
    assert!(count("200") >= 100, "{} were served", count("200"));
    assert!(count("429") > 0, "nobody was held up");
    assert!(told.contains("rate-limited"), "{told}");
    assert_eq!(count("200") + count("429"), 400);
    s.ask("user2", "/generate_symmetric_key", r#"{"client_id": "user2"}"#).done();
}

#[test]
fn the_passphrase_comes_by_a_file_descriptor() {
    let at = folder("passphrase-fd");
    let passphrase = at.join("passphrase");
    let start = |text: &str, state: &str| {
        fs::write(&passphrase, text).unwrap();
        let script = format!(
            "exec {} serve --listen 127.0.0.1:0 --publish 127.0.0.1:0 --state {} --passphrase-fd 3 3<{}",
            env!("CARGO_BIN_EXE_mallory"),
            at.join(state).display(),
            passphrase.display(),
        );
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .env_remove("MALLORY_PASSPHRASE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        for _ in 0..6_000 {
            let is_there = at.join(state).join("vault").exists();
            if child.try_wait().unwrap().is_some() || is_there && child_says(&mut child) {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).stderr(Stdio::null()).status();
        let ended = child.wait_with_output().unwrap();
        (ended.status.code(), String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned())
    };
    let (code, told) = start("one secret\nand a second line\n", "state");
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = start("one secret", "state");
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = start("another secret\n", "state");
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("the passphrase does not open it"), "{told}");
    assert!(!told.contains("another secret"), "{told}");
    let (code, told) = start("", "empty");
    assert_eq!(code, Some(2), "{told}");
}

/// Waits for the first line that a process says: it is up then.
fn child_says(child: &mut std::process::Child) -> bool {
    use std::io::Read as _;
    let Some(out) = child.stdout.as_mut() else { return false };
    let mut byte = [0];
    while out.read(&mut byte).is_ok_and(|read| read > 0) {
        if byte == *b")" {
            // The line on which it publishes ends so.
            return true;
        }
    }
    true
}
