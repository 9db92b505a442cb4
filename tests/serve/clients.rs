//! Who is served: certificates of the own authority that stand, roles, codes, consent.

use mallory::crypto::{Signature, stream};
use mallory::pki::request_for_signing;
use serde_json::json;

pub use super::enrolled::{enrol, enrol_with};
use super::support::{Server, folder, has};

#[test]
fn only_certificates_of_this_authority_that_stand_are_served() {
    if !has("curl") {
        return;
    }
    let at = folder("standing");
    let s = Server::first(&at);
    let admin = at.join("admin");
    let ca = admin.join("ca.pem");
    for path in ["/keys", "/metrics", "/me"] {
        s.curl(None, &ca, path, &[]).is_refused(401, "unauthenticated");
    }
    s.curl(None, &ca, "/generate_rsa_key", &["-d", r#"{"client_id": "admin"}"#])
        .is_refused(401, "unauthenticated");
    assert_eq!(s.curl(None, &ca, "/health", &[]).done()["healthy"], true);

    enrol(&s, &at, "user1", "client");
    let user = at.join("user1");
    assert_eq!(s.ask_as(&user, "/me", "").done(), json!({ "client_id": "user1", "role": "client" }));

    // Another authority's certificate of the same name does not come through TLS.
    let elsewhere = Server::demo();
    let foreign = elsewhere.demo.as_ref().unwrap().join("user1");
    assert_eq!(s.curl(Some(&foreign), &ca, "/me", &[]).status, 0);

    // Somebody else's name is not given away, the server's neither, nor to who holds no key.
    let twice = json!({ "client_id": "user1", "request": "x" }).to_string();
    s.ask_as(&admin, "/clients", &twice).is_refused(400, "malformed");
    let key = Signature::EcdsaP256.generate(&mut stream(8, &["x"]));
    for (name, asked, status, word) in [
        ("user1", "user1", 409, "key-exists"),
        ("user2", "user1", 403, "not-authorised-for-name"),
        ("localhost", "localhost", 403, "not-authorised-for-name"),
        ("a/b", "a/b", 403, "not-authorised-for-name"),
    ] {
        let request = der::pem::encode_string(
            "CERTIFICATE REQUEST",
            der::pem::LineEnding::LF,
            &request_for_signing(asked, &key),
        )
        .unwrap();
        let body = json!({ "client_id": name, "request": request }).to_string();
        s.ask_as(&admin, "/clients", &body).is_refused(status, word);
        s.ask_as(&user, "/clients", &body).is_refused(403, "forbidden");
    }

    let renew = json!({ "request": der::pem::encode_string("CERTIFICATE REQUEST", der::pem::LineEnding::LF, &request_for_signing("user1", &key)).unwrap() });
    s.ask_as(&user, "/renew", &renew.to_string()).done();
    s.ask_as(&user, "/revoke_client", r#"{"client_id": "admin"}"#).is_refused(403, "forbidden");
    let revoked = r#"{"client_id": "user1", "reason": "key-compromise"}"#;
    assert_eq!(s.ask_as(&admin, "/revoke_client", revoked).done()["revoked"].as_array().unwrap().len(), 2);
    s.ask_as(&user, "/me", "").is_refused(401, "certificate-revoked");
    assert_eq!(s.stop(), Some(0));

    // It stays so.
    let s = Server::with_state(&at, &[]);
    s.ask_as(&user, "/me", "").is_refused(401, "certificate-revoked");
    s.ask_as(&admin, "/me", "").done();
}

#[test]
fn administrators_need_codes_each_of_which_is_good_once() {
    if !has("curl") {
        return;
    }
    let s = Server::demo();
    let admin = s.demo.as_ref().unwrap().join("admin");
    let body = r#"{"client_id": "user2"}"#;
    let ask = |code: &str| {
        let header = format!("X-Mallory-Code: {code}");
        s.curl(Some(&admin), &admin.join("ca.pem"), "/revoke_client", &["-H", &header, "-d", body])
    };
    s.ask("admin", "/revoke_client", body).is_refused(403, "second-factor-required");
    ask("000000x").is_refused(403, "bad-code");
    s.ask("user2", "/me", "").done();
    let codes = admin.join("codes.txt").display().to_string();
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_mallory")).args(["code", &codes]).output().unwrap();
    let code = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    ask(&code).done();
    ask(&code).is_refused(403, "code-already-used");
    s.ask("user2", "/me", "").is_refused(401, "certificate-revoked");
}

#[test]
fn what_accepts_a_risk_takes_a_second_administrator() {
    if !has("curl") {
        return;
    }
    let at = folder("consent");
    let s = Server::first(&at);
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "second", "administrator");
    let user = at.join("user1");
    s.ask_as(&user, "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();
    let sealed = s.ask_as(&user, "/encrypt", r#"{"key_id": "user1_symmetric", "plaintext": "aGk="}"#).done()
        ["ciphertext"]
        .clone();
    s.ask_as(&user, "/revoke_key", r#"{"key_id": "user1_symmetric", "cause": "key-compromise"}"#).done();
    s.ask_as(&user, "/decrypt", &format!(r#"{{"ciphertext": {sealed}}}"#)).is_refused(409, "key-compromised");
    let at_risk = format!(r#"{{"ciphertext": {sealed}, "accept_risk": true}}"#);
    let waits = s.ask_as(&user, "/decrypt", &at_risk);
    waits.is_refused(403, "needs-second-approver");
    let detail = waits.json()["detail"].as_str().unwrap().to_owned();
    let number = detail.rsplit('"').nth(1).unwrap().to_owned();
    let consent = format!(r#"{{"operation": "{number}"}}"#);
    s.ask_as(&user, "/consent", &consent).is_refused(403, "forbidden");
    s.ask_as(&at.join("second"), "/consent", r#"{"operation": "00"}"#).is_refused(404, "unknown-key");
    assert_eq!(s.ask_as(&at.join("second"), "/consent", &consent).done()["consented_to"], "decrypt");
    assert_eq!(s.ask_as(&user, "/decrypt", &at_risk).done()["plaintext"], "aGk=");
    s.ask_as(&user, "/decrypt", &at_risk).is_refused(403, "needs-second-approver");
}

#[test]
fn every_refusal_is_in_the_audit_log() {
    if !has("curl") {
        return;
    }
    let at = folder("audit");
    let s = Server::first(&at);
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "audrey", "auditor");
    let (user, ca) = (at.join("user1"), at.join("admin/ca.pem"));
    s.curl(None, &ca, "/keys", &[]).is_refused(401, "unauthenticated");
    s.ask_as(&user, "/rotate", "{").is_refused(400, "malformed");
    s.ask_as(&user, "/rotate", r#"{"key_id": "user2_rsa"}"#).is_refused(403, "forbidden");
    s.ask_as(&user, "/metrics", "").is_refused(403, "forbidden");
    s.ask_as(&user, "/audit", "").is_refused(403, "forbidden");
    let log = s.ask_as(&at.join("audrey"), "/audit?from=1&count=1000", "").done();
    let lines: Vec<String> = log["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| format!("{} {} {}", r["actor"], r["operation"], r["outcome"]).replace('"', ""))
        .collect();
    for line in [
        "(console) create done",
        "(console) make-authority done",
        "(console) enrol done",
        "admin enrol done",
        "(nobody) list unauthenticated",
        "user1 rotate malformed",
        "user1 rotate forbidden",
        "user1 read-metrics forbidden",
        "user1 read-audit forbidden",
    ] {
        assert!(lines.iter().any(|known| known == line), "{line} is not among {lines:#?}");
    }
}
