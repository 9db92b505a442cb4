//! What a program does is what the verdict goes by.

use serde_json::Value;

use crate::command::mallory;

/// What the built-in client does with each fault, as it is called: `(fault, right)`.
fn matrix(client: &str, of: &[&str]) -> Vec<(String, String, Value)> {
    let mut words = vec!["live", "--matrix", "--form", "json", "--client", client];
    words.extend(of);
    let (code, told, complaints) = mallory(&words);
    assert_eq!(code, 0, "{complaints}");
    let told: Value = serde_json::from_str(&told).unwrap();
    let rows = told["faults"].as_array().unwrap().iter();
    rows.map(|row| {
        let cell = &row["cells"][0];
        let did = cell["did"].as_str().unwrap().to_owned();
        (row["fault"].as_str().unwrap().to_owned(), did, cell["right"].clone())
    })
    .collect()
}

#[test]
fn the_built_in_client_refuses_every_flaw_of_certificates() {
    let rows = matrix("rustls", &["live-certificate"]);
    assert!(rows.len() >= 22, "{rows:?}");
    for (fault, did, _) in rows {
        let is_good = ["live-certificate/genuine", "live-certificate/by-the-authority"];
        let expected = if is_good.contains(&&*fault) { "accepted" } else { "refused" };
        // webpki leaves keyCertSign of authorities and the key usage of subjects to who uses it.
        let is_lenient =
            ["live-certificate/wrong-usage", "live-certificate/deputy-without-cert-sign"].contains(&&*fault);
        let expected = if is_lenient { "accepted" } else { expected };
        assert_eq!(did, expected, "{fault}");
    }
}

#[test]
fn the_built_in_client_with_a_list_does_what_its_list_says() {
    let accepts = ["current", "not-yet-listed", "rolled-back"];
    for (fault, did, right) in matrix("rustls, CRL", &["live-list"]) {
        let variant = fault.split('/').nth(1).unwrap();
        let expected = if accepts.contains(&variant) { "accepted" } else { "refused" };
        assert_eq!(did, expected, "{fault}");
        assert_eq!(right, Value::Bool(true), "{fault}");
    }
}

#[test]
fn a_client_that_asks_nobody_takes_whom_the_list_names() {
    let rows = matrix("rustls", &["live-list/revoked"]);
    assert_eq!(rows, [("live-list/revoked".to_owned(), "accepted".to_owned(), Value::Bool(false))]);
}

#[test]
fn a_program_that_accepts_what_it_must_not_gives_everything_away() {
    let (code, told, _) = mallory(&["live", "live-list/revoked", "--client", "rustls"]);
    assert_eq!(code, 1, "{told}");
    for line in [
        "alice completes run 1 with bob",
        "violated   secret Payload",
        "mallory holds \"GET /account\", which alice has as Payload in run 1 with bob",
        "violated   A authenticates B on Offer",
        "the program, in run 1, finished the handshake and spoke",
        "not as expected",
        "expected 1.alice rejects line 2: certificate-revoked, but alice completes",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
}

#[test]
fn a_program_that_refuses_what_it_must_keeps_its_secret() {
    let (code, told, complaints) = mallory(&["live", "live-certificate/expired", "-q", "--client", "rustls"]);
    assert_eq!(code, 0, "{told}{complaints}");
    for line in ["holds      secret Payload", "ended the handshake with alert certificate_expired"] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
    // What it refused for is an event like an actor's.
    let (_, told, _) = mallory(&["live", "live-certificate/expired", "--client", "rustls"]);
    assert!(told.contains("alice rejects line 2 of run 1: certificate-expired"), "{told}");
}

#[test]
fn who_never_connects_has_refused_nothing() {
    let (code, told, _) = mallory(&["live", "live-certificate/expired", "-q", "--", "true"]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("the program began no handshake"), "{told}");
    assert!(told.contains("but alice never starts"), "{told}");
}

#[test]
fn the_exit_code_of_the_program_decides_nothing() {
    let script = "\"$MALLORY_EXE\" tls-client \"$MALLORY_BOB\" \"$MALLORY_CA_PEM\"; exit 0";
    let run = |variant: &str| {
        let exe = env!("CARGO_BIN_EXE_mallory");
        let script = script.replace("$MALLORY_EXE", exe);
        mallory(&["live", variant, "-q", "--", "sh", "-c", &script]).0
    };
    assert_eq!(run("live-certificate/false-authority"), 0);
    assert_eq!(run("live-list/revoked"), 1);
}
