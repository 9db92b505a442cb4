//! The four routes by which keys are made and revoked, and what is done with keys beside them.

use super::support::{Server, has};

#[test]
fn keys_are_made_for_their_owner_used_and_revoked() {
    if !has("curl") {
        return;
    }
    let s = Server::demo();

    let made = s.ask("user1", "/generate_symmetric_key", r#"{"client_id": "user1"}"#);
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!((made["key_id"].as_str(), made["version"].as_u64()), (Some("user1_symmetric"), Some(1)));
    let key = made["key"].as_str().unwrap();
    assert_eq!(key.len(), 44, "32 bytes in base64");
    let again = s.ask("user1", "/export", r#"{"key_id": "user1_symmetric"}"#).done();
    assert_eq!(again["key"].as_str(), Some(key));
    s.ask("user1", "/generate_symmetric_key", r#"{"client_id": "user1"}"#).is_refused(409, "key-exists");

    let rsa = s.ask("user1", "/generate_rsa_key", r#"{"client_id": "user1"}"#).done();
    assert!(rsa["public_key"].as_str().unwrap().starts_with("-----BEGIN PUBLIC KEY-----"));
    assert!(!rsa.to_string().contains("PRIVATE"));
    s.ask("user1", "/export", r#"{"key_id": "user1_rsa"}"#).is_refused(403, "not-exportable");

    // Each exchange has a key pair of its own, and both sides come to one key.
    let one = s.ask("user1", "/generate_dh_key", "{}").done();
    let two = s.ask("user1", "/generate_dh_key", "{}").done();
    assert_eq!((one["version"].as_u64(), two["version"].as_u64()), (Some(1), Some(2)));
    assert_ne!(one["share"], two["share"]);
    let other = s.ask("user2", "/generate_dh_key", "{}").done();
    let agree = |who: &str, share: &serde_json::Value| {
        s.ask(who, "/agree", &format!(r#"{{"key_id": "{who}_dh", "share": {share}}}"#)).done()
    };
    assert_eq!(agree("user1", &other["share"])["key"], agree("user2", &two["share"])["key"]);
    let zeros = format!(r#"{{"key_id": "user1_dh", "share": "{}="}}"#, "A".repeat(43));
    s.ask("user1", "/agree", &zeros).is_refused(400, "weak-parameter");

    let text = r#"{"key_id": "user1_rsa", "plaintext": "aGVsbG8="}"#;
    let sealed = s.ask("user1", "/encrypt", text).done()["ciphertext"].clone();
    let opened = s.ask("user1", "/decrypt", &format!(r#"{{"ciphertext": {sealed}}}"#)).done();
    assert_eq!(opened["plaintext"], "aGVsbG8=");

    let revoked = s.ask("user1", "/revoke_key", r#"{"key_id": "user1_rsa"}"#).done();
    assert_eq!((&revoked["state"], &revoked["permits"]["encrypt"]), (&"deactivated".into(), &"no".into()));
    s.ask("user1", "/encrypt", text).is_refused(409, "key-deactivated");
    s.ask("user1", "/decrypt", &format!(r#"{{"ciphertext": {sealed}}}"#)).done();
}

#[test]
fn nobody_else_gets_a_key_or_learns_that_there_is_one() {
    if !has("curl") {
        return;
    }
    let s = Server::demo();
    let key = r#"{"key_id": "user1_symmetric"}"#;
    s.ask("user2", "/state", key).is_refused(403, "forbidden");
    s.ask("user1", "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();
    for path in ["/state", "/export", "/rotate", "/destroy", "/suspend"] {
        s.ask("user2", path, key).is_refused(403, "forbidden");
    }
    s.ask("user2", "/generate_symmetric_key", r#"{"client_id": "user1"}"#).is_refused(403, "forbidden");
    let taken = r#"{"client_id": "user2", "key_id": "user1_rsa"}"#;
    s.ask("user2", "/generate_rsa_key", taken).is_refused(400, "malformed");
    assert_eq!(s.ask("user2", "/keys", "").done()["keys"], serde_json::json!([]));
    assert_eq!(s.ask("user1", "/keys", "").done()["keys"], serde_json::json!(["user1_symmetric"]));

    // Whoever makes a key for another does not see it.
    let made = s.ask("admin", "/generate_symmetric_key", r#"{"client_id": "user2"}"#).done();
    assert_eq!(made.get("key"), None, "{made}");
    s.ask("admin", "/export", r#"{"key_id": "user2_symmetric"}"#).is_refused(403, "forbidden");
    s.ask("user2", "/export", r#"{"key_id": "user2_symmetric"}"#).done();
    s.ask("admin", "/generate_symmetric_key", r#"{"client_id": "user9"}"#).is_refused(404, "unknown-client");
    s.ask("admin", "/encrypt", r#"{"key_id": "user2_symmetric", "plaintext": ""}"#)
        .is_refused(403, "forbidden");
}

#[test]
fn old_versions_decrypt_until_they_are_trimmed_and_contexts_bind() {
    if !has("curl") {
        return;
    }
    let s = Server::demo();
    s.ask("user1", "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();
    let sealed = s
        .ask("user1", "/encrypt", r#"{"key_id": "user1_symmetric", "plaintext": "aGk=", "context": "cm93"}"#)
        .done()["ciphertext"]
        .clone();
    let with = |context: &str, sealed: &serde_json::Value| {
        s.ask("user1", "/decrypt", &format!(r#"{{"ciphertext": {sealed}, "context": "{context}"}}"#))
    };
    with("", &sealed).is_refused(400, "decrypt-failed");
    assert_eq!(s.ask("user1", "/rotate", r#"{"key_id": "user1_symmetric"}"#).done()["version"], 2);
    assert_eq!(with("cm93", &sealed).done()["plaintext"], "aGk=");
    let again =
        s.ask("user1", "/rewrap", &format!(r#"{{"ciphertext": {sealed}, "context": "cm93"}}"#)).done();
    assert_eq!(again["version"], 2);
    s.ask("user1", "/trim", r#"{"key_id": "user1_symmetric", "below": 2}"#).done();
    with("cm93", &sealed).is_refused(409, "version-trimmed");
    assert_eq!(with("cm93", &again["ciphertext"]).done()["plaintext"], "aGk=");

    let signing = r#"{"client_id": "user1", "usage": "sign"}"#;
    s.ask("user1", "/generate_rsa_key", signing).done();
    let signed = s.ask("user1", "/sign", r#"{"key_id": "user1_rsa", "message": "aGk="}"#).done();
    let valid = |message: &str| {
        let body = format!(r#"{{"message": "{message}", "signature": {}}}"#, signed["signature"]);
        s.ask("user1", "/verify", &body).done()["valid"].clone()
    };
    assert_eq!((valid("aGk="), valid("aGg=")), (true.into(), false.into()));
}

#[test]
fn the_description_is_that_of_the_routes() {
    if !has("curl") {
        return;
    }
    let s = Server::demo();
    let described = s.ask("user1", "/openapi.json", "").done();
    let paths = described["paths"].as_object().unwrap();
    assert!(paths.len() > 20, "{}", paths.len());
    for (path, methods) in paths {
        let path = path.replace("{key_id}", "user1_none").replace("{name}", "none");
        for (method, operation) in methods.as_object().unwrap() {
            // Nobody has this name, so that nothing comes of it; a method that there is, is not
            // refused as one, nor a path.
            let method = method.to_uppercase();
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let ca = s.demo.as_ref().unwrap().join("user1/ca.pem");
            let user = s.demo.as_ref().unwrap().join("user1");
            let mut more = vec!["-X", &method];
            if !schema.is_null() {
                more.extend(["-d", r#"{"no such field": 1}"#]);
            }
            let answer = s.curl(Some(&user), &ca, &path, &more);
            let is_missing = path.contains("none") || path.contains("delta");
            assert!(![0, 404, 405].contains(&answer.status) || is_missing, "{path}: {answer:?}");
            if schema.is_null() || path.starts_with("/v1/") {
                continue;
            }
            // The fields that it says there are, are those that the route reads.
            let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
            assert!(detail.contains("unknown field `no such field`"), "{path}: {answer:?}");
            for field in schema["properties"].as_object().unwrap().keys() {
                assert!(detail.contains(&format!("`{field}`")), "{path} has no field {field}: {detail}");
            }
            let said = detail.split("expected").nth(1).unwrap_or_default();
            let read = said.split('`').skip(1).step_by(2).count();
            let surplus = usize::from(path == "/generate_symmetric_key") + usize::from(path == "/rewrap");
            assert_eq!(read - surplus, schema["properties"].as_object().unwrap().len(), "{path}: {detail}");
        }
    }
}
