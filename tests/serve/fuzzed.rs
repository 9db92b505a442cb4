//! The whole description, fuzzed by `schemathesis` (PyPI) as a client, as a client who has logged
//! in, and as a stranger: nothing breaks, and nobody gets what another has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::clients::enrol;
use super::raw::{Raw, audit};
use super::support::{Server, folder, has};

/// Cases for each operation and for each of those who send them. `MALLORY_FUZZED` has more, and
/// with it come those that go through the description's corners one by one, some minutes of them.
const EXAMPLES: u32 = 2;

/// What a client must not find in any answer: a secret of another's, as it could be written.
fn needles(key: &str) -> Vec<String> {
    use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
    let bytes = Base64::decode_vec(key).unwrap();
    assert_eq!(bytes.len(), 32);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![key.to_owned(), Base64UrlUnpadded::encode_string(&bytes), hex]
}

/// Sends what the fuzzer thinks of, and answers each answer: status and body.
fn fuzz(s: &Server, at: &Path, who: Option<&str>, token: Option<&str>) -> Vec<(u64, String)> {
    let more: Option<u32> = std::env::var("MALLORY_FUZZED").ok().and_then(|text| text.parse().ok());
    let (examples, phases) = more.map_or((EXAMPLES, "fuzzing"), |more| (more, "coverage,fuzzing"));
    let har = at.join(format!("{}-{}.har", who.unwrap_or("nobody"), token.is_some()));
    let mut command = Command::new("schemathesis");
    command
        .args(["run", &s.url("/openapi.json"), "--checks", "not_a_server_error", "--no-shrink"])
        .args(["--phases", phases, "--continue-on-failure", "--seed", "1"])
        // Whoever ends its own token has asked for the rest as a stranger.
        .args(["--exclude-path", "/v1/auth/token/revoke-self"])
        .args(["--suppress-health-check", "all", "--request-timeout", "60"])
        .args(["--max-examples", &examples.to_string(), "--output-sanitize", "false"])
        .arg("--tls-verify")
        .arg(at.join("admin/ca.pem"))
        .arg("--report-har-path")
        .arg(&har)
        // It keeps a folder of what it found before.
        .current_dir(at);
    if let Some(who) = who {
        command.arg("--request-cert").arg(at.join(who).join("certificate.pem"));
        command.arg("--request-cert-key").arg(at.join(who).join("key.pem"));
    }
    if let Some(token) = token {
        command.args(["-H", &format!("X-Vault-Token: {token}")]);
    }
    let ended = command.output().unwrap();
    let told = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert!(ended.status.success(), "{told}");
    let har: Value = serde_json::from_slice(&fs::read(&har).unwrap()).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    let answer = |entry: &Value| {
        let response = &entry["response"];
        (
            response["status"].as_u64().unwrap_or(0),
            response["content"]["text"].as_str().unwrap_or("").to_owned(),
        )
    };
    entries.iter().map(answer).collect()
}

#[test]
fn nothing_breaks_and_no_key_leaks_however_it_is_asked() {
    if !has("curl") || !has("schemathesis") {
        return;
    }
    let at = folder("fuzzed");
    let settings = "second_factor_of = []\n[limits]\nrequests = 1000000\nrequests_per_source = 1000000\n";
    let s = Server::first_configured(&at, settings);
    for (name, role) in [("user1", "client"), ("eve", "client"), ("audrey", "auditor")] {
        enrol(&s, &at, name, role);
    }
    let made = s.ask_as(&at.join("user1"), "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();
    let secrets = needles(made["key"].as_str().unwrap());
    let mut raw = Raw::of(&s, &at.join("user1"));
    let token = |raw: &mut Raw| {
        let login = raw.ask("POST", "/v1/auth/cert/login", "", "");
        let login: Value = serde_json::from_str(&login.body).unwrap();
        login["auth"]["client_token"].as_str().unwrap().to_owned()
    };
    let own = token(&mut raw);
    let create = r#"{"type": "aes256-gcm96", "exportable": true}"#;
    let header = format!("X-Vault-Token: {own}\r\n");
    assert_eq!(raw.ask("POST", "/v1/transit/keys/orders", &header, create).status, 200);
    let exported = raw.ask("GET", "/v1/transit/export/encryption-key/orders", &header, "");
    let exported: Value = serde_json::from_str(&exported.body).unwrap();
    let transit = needles(exported["data"]["keys"]["1"].as_str().unwrap());

    let eves = token(&mut Raw::of(&s, &at.join("eve")));
    let mut count = BTreeMap::new();
    for (who, token) in [(Some("eve"), Some(&*eves)), (Some("audrey"), None), (None, Some(&*own))] {
        let answers = fuzz(&s, &at, who, token);
        assert!(answers.len() > 50, "{who:?} asked {} times", answers.len());
        for (status, body) in &answers {
            *count.entry(*status).or_insert(0) += 1;
            assert!(*status < 500, "{who:?}: {status} {body}");
            assert!(who.is_some() || *status != 201, "a stranger made something: {body}");
            for secret in secrets.iter().chain(&transit) {
                assert!(!body.contains(secret), "{who:?} was told a key of user1's: {body}");
            }
            for word in ["PRIVATE KEY", "panicked"] {
                // A client may have a new key of its own certified.
                assert!(who == Some("eve") && word == "PRIVATE KEY" || !body.contains(word), "{body}");
            }
        }
    }
    // Some of it was taken for good, and most was not.
    assert!(count.contains_key(&200) && count.contains_key(&400) && count.contains_key(&401), "{count:?}");
    // user1 has what it had, and the log says nothing else.
    let state = s.ask_as(&at.join("user1"), "/state", r#"{"key_id": "user1_symmetric"}"#).done();
    assert_eq!((state["state"].as_str(), state["versions"].as_array().unwrap().len()), (Some("active"), 1));
    let log = audit(&s, &at.join("audrey"));
    let by = |who: &str| log.iter().filter(|line| line.starts_with(who)).count();
    assert!(by("eve ") > 50 && by("(nobody) ") > 10, "{}, {}", by("eve "), by("(nobody) "));
    assert!(!log.iter().any(|line| line.starts_with("audrey ") && line.ends_with("generate done")));
    let admin = s.ask_as(&at.join("admin"), "/metrics", "");
    let metrics = String::from_utf8(admin.body).unwrap();
    assert!(!metrics.contains("status=\"5"), "{metrics}");
    assert_eq!(s.stop(), Some(0));
    let s = Server::with_state(&at, &[]);
    assert_eq!(s.ask_as(&at.join("user1"), "/me", "").status, 200);
}
