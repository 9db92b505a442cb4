//! What is guessed, claimed or asked about: one-time codes, roles, what there is of others.

use serde_json::json;

use super::clients::{enrol, enrol_with};
use super::raw::{Heard, Raw, assert_audited, audit};
use super::support::{Server, folder, has};

fn code_of(codes: &std::path::Path) -> String {
    let codes = codes.display().to_string();
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_mallory")).args(["code", &codes]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn codes_are_not_guessed() {
    if !has("curl") {
        return;
    }
    let at = folder("guessed");
    let settings = "second_factor_of = [\"administrator\"]\n[limits]\ncodes = 5\n";
    let s = Server::first_configured(&at, settings);
    let admin = at.join("admin");
    let header = format!("X-Mallory-Code: {}", code_of(&admin.join("codes.txt")));
    enrol_with(&s, &at, ("audrey", "auditor"), &["-H", &header]);
    let mut raw = Raw::of(&s, &admin);
    let mut guess = |code: &str| {
        let header = format!("X-Mallory-Code: {code}\r\n");
        raw.ask("POST", "/revoke_client", &header, r#"{"client_id": "admin"}"#)
    };
    // The right one was the first of five.
    for n in 0..4 {
        guess(&format!("wrong{n}")).is_refused(403, "bad-code");
    }
    // Neither more guesses nor the right one.
    guess("wrong5").is_refused(429, "rate-limited");
    guess(&code_of(&admin.join("codes.txt"))).is_refused(429, "rate-limited");
    assert_eq!(s.stop(), Some(0));

    let s = Server::configured(&at, &settings.replace("codes = 5", "codes = 100"), &[]);
    let mut raw = Raw::of(&s, &admin);
    let mut ask = |path: &str, code: &str, body: &str| {
        raw.ask("POST", path, &format!("X-Mallory-Code: {code}\r\n"), body)
    };
    let me = r#"{"client_id": "admin"}"#;
    for _ in 0..10 {
        ask("/revoke_client", "000000x", me).is_refused(403, "bad-code");
    }
    let right = code_of(&admin.join("codes.txt"));
    ask("/revoke_client", &right, me).is_refused(403, "locked-out");
    ask("/unlock", &right, me).is_refused(403, "locked-out");
    // What needs no code goes on; nobody else is locked.
    assert_eq!(s.ask_as(&admin, "/me", "").status, 200);
    let log = audit(&s, &at.join("audrey"));
    let count = |line: &str| log.iter().filter(|known| *known == line).count();
    assert_eq!(count("admin revoke-client bad-code"), 14, "{log:#?}");
    assert_eq!(count("admin revoke-client rate-limited"), 2);
    assert_eq!(count("admin revoke-client locked-out"), 1);
    assert_eq!(count("admin unlock locked-out"), 1);
    assert_eq!(count("admin revoke-client done"), 0);
}

#[test]
fn another_administrator_lifts_a_lock() {
    if !has("curl") {
        return;
    }
    let at = folder("unlock");
    let s = Server::first_configured(&at, "second_factor_of = []\n[limits]\ncodes = 100\n");
    let admin = at.join("admin");
    // Whoever was enrolled with a device is asked for its codes.
    let key = mallory::crypto::Signature::EcdsaP256.generate(&mut mallory::crypto::stream(9, &["second"]));
    let request = mallory::pki::request_for_signing("second", &key);
    let request = der::pem::encode_string("CERTIFICATE REQUEST", der::pem::LineEnding::LF, &request).unwrap();
    let body = json!({ "client_id": "second", "request": request, "role": "administrator", "codes": true });
    let enrolled = s.ask_as(&admin, "/clients", &body.to_string()).done();
    let second = at.join("second");
    std::fs::create_dir_all(&second).unwrap();
    let pem = der::pem::encode_string("PRIVATE KEY", der::pem::LineEnding::LF, &key.to_pkcs8()).unwrap();
    std::fs::write(second.join("key.pem"), pem).unwrap();
    std::fs::write(second.join("certificate.pem"), enrolled["certificate"].as_str().unwrap()).unwrap();
    std::fs::write(second.join("ca.pem"), enrolled["ca"].as_str().unwrap()).unwrap();
    std::fs::write(second.join("codes.txt"), enrolled["codes"].as_str().unwrap()).unwrap();
    enrol(&s, &at, "user1", "client");
    let mut raw = Raw::of(&s, &second);
    let mut revoke = |code: &str| {
        raw.ask("POST", "/revoke_client", &format!("X-Mallory-Code: {code}\r\n"), r#"{"client_id": "user1"}"#)
    };
    for _ in 0..10 {
        revoke("000000x").is_refused(403, "bad-code");
    }
    revoke(&code_of(&second.join("codes.txt"))).is_refused(403, "locked-out");
    s.ask_as(&at.join("user1"), "/unlock", r#"{"client_id": "second"}"#).is_refused(403, "forbidden");
    s.ask_as(&admin, "/unlock", r#"{"client_id": "nobody"}"#).is_refused(404, "unknown-client");
    s.ask_as(&admin, "/unlock", r#"{"client_id": "second"}"#).done();
    assert_eq!(revoke(&code_of(&second.join("codes.txt"))).status, 200);
}

#[test]
fn nobody_becomes_more_than_it_is() {
    if !has("curl") {
        return;
    }
    let at = folder("escalation");
    let s = Server::first(&at);
    let roles = [("user1", "client"), ("oscar", "operator"), ("audrey", "auditor"), ("user2", "client")];
    for (name, role) in roles {
        enrol(&s, &at, name, role);
    }
    s.ask_as(&at.join("user2"), "/generate_symmetric_key", r#"{"client_id": "user2"}"#).done();
    let request = |name: &str| {
        let key = mallory::crypto::Signature::EcdsaP256.generate(&mut mallory::crypto::stream(1, &[name]));
        let request = mallory::pki::request_for_signing(name, &key);
        der::pem::encode_string("CERTIFICATE REQUEST", der::pem::LineEnding::LF, &request).unwrap()
    };
    let own = |name: &str, role: &str| {
        json!({ "client_id": name, "request": request(name), "role": role }).to_string()
    };
    let (mallory, key) = (own("mallory", "administrator"), r#"{"key_id": "user2_symmetric"}"#);
    for who in ["user1", "oscar", "audrey"] {
        let folder = at.join(who);
        let mut raw = Raw::of(&s, &folder);
        let mut refused = |path: &str, headers: &str, body: &str| {
            raw.ask("POST", path, headers, body).is_refused(403, "forbidden");
        };
        refused("/clients", "", &mallory);
        refused("/revoke_client", "", r#"{"client_id": "admin"}"#);
        refused("/unlock", "", r#"{"client_id": "admin"}"#);
        refused("/consent", "", r#"{"operation": "00"}"#);
        // Words about oneself count for nothing.
        refused(
            "/clients",
            "X-Role: administrator\r\nX-Forwarded-For: 127.0.0.1\r\nX-Client-Cert: admin\r\n",
            &mallory,
        );
        refused("/clients?role=administrator&client_id=admin", "Authorization: Bearer admin\r\n", &mallory);
        refused("/export", "", key);
        if who != "oscar" {
            refused("/rotate", "", key);
            refused("/suspend", "", key);
        }
        refused("/destroy", "", key);
        // One's own name is the only one that is certified anew.
        let renew = json!({ "request": request("admin") }).to_string();
        raw.ask("POST", "/renew", "", &renew).is_refused(403, "not-authorised-for-name");
        assert_eq!(raw.ask("GET", "/me", "", "").status, 200);
    }
    // Another's key is not to be had by its name, nor a name that looks like another's.
    let admin = at.join("admin");
    for (name, status) in
        [("user1_x", 403), ("USER1", 201), ("user1 ", 403), ("admin\\u0000", 403), ("user", 201)]
    {
        let asked = own(name.trim_end_matches("\\u0000"), "client")
            .replace(&format!("\"{}\"", name.trim_end_matches("\\u0000")), &format!("\"{name}\""));
        let answer = s.ask_as(&admin, "/clients", &asked);
        assert_eq!(answer.status, status, "{name}: {answer:?}");
    }
    s.ask_as(&at.join("user1"), "/generate_rsa_key", r#"{"client_id": "user1", "key_id": "user2_rsa"}"#)
        .is_refused(400, "malformed");
    s.ask_as(&at.join("user1"), "/generate_rsa_key", r#"{"client_id": "user2"}"#)
        .is_refused(403, "forbidden");
    for who in ["user1", "oscar", "audrey"] {
        let lines = ["enrol", "revoke-client", "unlock", "consent", "export", "destroy"];
        let lines = lines.map(|what| format!("{who} {what} forbidden"));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_audited(&s, &at.join("audrey"), &lines);
    }
    assert_audited(&s, &at.join("audrey"), &["user1 renew not-authorised-for-name"]);
}

#[test]
fn what_others_have_looks_like_what_nobody_has() {
    if !has("curl") {
        return;
    }
    let at = folder("enumeration");
    let s = Server::first(&at);
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "eve", "client");
    let user = at.join("user1");
    s.ask_as(&user, "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();
    s.ask_as(&user, "/generate_rsa_key", r#"{"client_id": "user1"}"#).done();
    s.ask_as(&user, "/generate_rsa_key", r#"{"client_id": "user1", "key_id": "user1_s", "usage": "sign"}"#)
        .done();
    s.ask_as(&user, "/generate_dh_key", "{}").done();
    let sealed = s.ask_as(&user, "/encrypt", r#"{"key_id": "user1_symmetric", "plaintext": "aGk="}"#).done();
    let signed = s.ask_as(&user, "/sign", r#"{"key_id": "user1_s", "message": "aGk="}"#).done();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let (sealed, signed) = (text(&sealed["ciphertext"]), text(&signed["signature"]));
    let mut raw = Raw::of(&s, &at.join("eve"));
    let login = raw.ask("POST", "/v1/auth/cert/login", "", "");
    let login: serde_json::Value = serde_json::from_str(&login.body).unwrap();
    let token = format!("X-Vault-Token: {}\r\n", login["auth"]["client_token"].as_str().unwrap());
    // A framed text of a key that nobody has, which is as long.
    let of_nobody = |framed: &str| {
        use base64ct::{Base64, Encoding as _};
        let bytes = Base64::decode_vec(framed).unwrap();
        let at = bytes.windows(5).position(|name| name == b"user1").unwrap();
        let mut other = bytes.clone();
        other[at..at + 5].copy_from_slice(b"user9");
        Base64::encode_string(&other)
    };
    let mut same = |method: &str, path: &str, body: &str, of_nobody: (&str, &str)| {
        let mut ask = |path: &str, body: &str| -> Heard { raw.ask(method, path, &token, body) };
        let (theirs, nobodys) = (ask(path, body), ask(of_nobody.0, of_nobody.1));
        assert!((400..500).contains(&theirs.status), "{path}: {theirs:?}");
        assert_eq!(theirs.without_numbers(), nobodys.without_numbers(), "{method} {path} {body}");
    };
    for (path, key, more) in [
        ("/state", "symmetric", ""),
        ("/export", "symmetric", ""),
        ("/encrypt", "symmetric", r#", "plaintext": "aGk=""#),
        ("/encrypt", "rsa", r#", "plaintext": "aGk=""#),
        ("/sign", "s", r#", "message": "aGk=""#),
        ("/public_key", "rsa", ""),
        ("/public_key", "rsa", r#", "version": 7"#),
        ("/agree", "dh", r#", "share": "AAAA""#),
        ("/rotate", "rsa", ""),
        ("/configure", "symmetric", ""),
        ("/trim", "symmetric", r#", "below": 9"#),
        ("/suspend", "rsa", ""),
        ("/resume", "rsa", ""),
        ("/destroy", "rsa", ""),
        ("/cancel_destruction", "rsa", ""),
        ("/revoke_key", "rsa", ""),
    ] {
        let body = |owner: &str| format!(r#"{{"key_id": "{owner}_{key}"{more}}}"#);
        same("POST", path, &body("user1"), (path, &body("user9")));
    }
    for path in ["/generate_symmetric_key", "/generate_rsa_key", "/generate_dh_key"] {
        let body = |owner: &str| format!(r#"{{"client_id": "{owner}"}}"#);
        same("POST", path, &body("user1"), (path, &body("user9")));
    }
    for path in ["/revoke_client", "/unlock"] {
        let body = |owner: &str| format!(r#"{{"client_id": "{owner}"}}"#);
        same("POST", path, &body("user1"), (path, &body("user9")));
    }
    same("GET", "/keys/user1_rsa", "", ("/keys/user9_rsa", ""));
    let framed = |field: &str, framed: &str, more: &str| format!(r#"{{"{field}": "{framed}"{more}}}"#);
    for path in ["/decrypt", "/rewrap"] {
        same(
            "POST",
            path,
            &framed("ciphertext", &sealed, ""),
            (path, &framed("ciphertext", &of_nobody(&sealed), "")),
        );
    }
    let message = r#", "message": "aGk=""#;
    same(
        "POST",
        "/verify",
        &framed("signature", &signed, message),
        ("/verify", &framed("signature", &of_nobody(&signed), message)),
    );
    same("GET", "/v1/transit/keys/user1_rsa", "", ("/v1/transit/keys/user9_rsa", ""));
}
