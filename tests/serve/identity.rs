//! Who somebody is: another's certificate, an old one, one that was revoked, tokens and requests
//! of others. Each is refused, with its reason in the audit log.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rustls::HandshakeKind;

use super::clients::enrol;
use super::raw::{Raw, as_in, assert_audited, audit, connecting, tcp};
use super::support::{Server, folder, has};

/// Whether somebody who connects so is served, or what the other end said.
fn heard(s: &Server, config: std::sync::Arc<rustls::ClientConfig>) -> Result<u16, String> {
    let mut raw = Raw::open(config, s.port).map_err(|error| error.to_string())?;
    // In TLS 1.3 a client is told after its own last word.
    let heard = raw.try_ask("GET", "/me", "", "");
    heard.map(|heard| heard.status).map_err(|error| error.to_string())
}

#[test]
fn who_shows_a_certificate_that_is_not_its_own_is_turned_away() {
    if !has("curl") {
        return;
    }
    let at = folder("not-its-own");
    let s = Server::first(&at);
    for (name, role) in [("user1", "client"), ("eve", "client"), ("audrey", "auditor")] {
        enrol(&s, &at, name, role);
    }
    let (user, eve, audrey) = (at.join("user1"), at.join("eve"), at.join("audrey"));
    assert_eq!(heard(&s, as_in(&user)), Ok(200));
    assert_eq!(heard(&s, connecting(&user, None)), Ok(401));
    // user1's certificate, which anybody may have seen, and eve's key.
    let stolen = connecting(&eve, Some((&user.join("certificate.pem"), &eve.join("key.pem"))));
    let told = heard(&s, stolen).unwrap_err();
    assert!(told.contains("DecryptError"), "{told}");
    // Her own certificate from an authority of hers, with user1's name in it.
    let elsewhere = folder("not-its-own-elsewhere");
    let other = Server::first(&elsewhere);
    enrol(&other, &elsewhere, "user1", "client");
    let forged = elsewhere.join("user1");
    let shown = connecting(&user, Some((&forged.join("certificate.pem"), &forged.join("key.pem"))));
    let told = heard(&s, shown).unwrap_err();
    assert!(told.contains("UnknownCA") || told.contains("BadCertificate"), "{told}");
    // The authority's own certificate and the server's are nobody's to come in with.
    let root = connecting(&user, Some((&user.join("ca.pem"), &user.join("key.pem"))));
    assert!(heard(&s, root).is_err());
    assert_audited(
        &s,
        &audrey,
        &[
            "(nobody) who-am-i unauthenticated",
            "(nobody) connect bad-signature",
            "(nobody) connect certificate-untrusted",
        ],
    );
    let log = audit(&s, &audrey);
    assert!(!log.iter().any(|line| line.starts_with("user1 ") || line.starts_with("eve ")), "{log:#?}");
}

#[test]
fn an_expired_certificate_ends_what_it_began() {
    if !has("curl") {
        return;
    }
    let at = folder("expired");
    // An address that stays, so that the server's own certificate does, too.
    let settings = "second_factor_of = []\npublish_url = \"http://pki.example\"\n";
    let s = Server::first_configured(&at, settings);
    enrol(&s, &at, "audrey", "auditor");
    assert_eq!(s.stop(), Some(0));
    let s = Server::configured(&at, &format!("{settings}certificate_lifetime = \"2s\"\n"), &[]);
    enrol(&s, &at, "user1", "client");
    let user = at.join("user1");
    let mut open = Raw::of(&s, &user);
    // X.509 has whole seconds, and the last of them is still good.
    let mut last = 0;
    for _ in 0..100 {
        let heard = open.ask("GET", "/me", "", "");
        last = heard.status;
        if last != 200 {
            heard.is_refused(401, "certificate-expired");
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(last, 401);
    // TLS looks at whole seconds, too.
    let mut told = heard(&s, as_in(&user));
    for _ in 0..100 {
        if told.is_err() {
            break;
        }
        assert_eq!(told, Ok(401));
        std::thread::sleep(Duration::from_millis(100));
        told = heard(&s, as_in(&user));
    }
    let told = told.unwrap_err();
    assert!(told.contains("CertificateExpired"), "{told}");
    // The line says who was refused only if its key has signed.
    assert_audited(
        &s,
        &at.join("audrey"),
        &["(nobody) who-am-i certificate-expired", "(nobody) connect certificate-expired"],
    );
}

#[test]
fn revocation_ends_open_connections_resumed_ones_and_tokens() {
    if !has("curl") {
        return;
    }
    let at = folder("revoked");
    let s = Server::first(&at);
    for (name, role) in [("user1", "client"), ("eve", "client"), ("audrey", "auditor")] {
        enrol(&s, &at, name, role);
    }
    let (user, eve) = (at.join("user1"), at.join("eve"));
    let config = as_in(&user);
    let mut open = Raw::open(config.clone(), s.port).unwrap();
    let login = open.ask("POST", "/v1/auth/cert/login", "", "");
    let login: serde_json::Value = serde_json::from_str(&login.body).unwrap();
    let token = format!("X-Vault-Token: {}\r\n", login["auth"]["client_token"].as_str().unwrap());
    let look = |raw: &mut Raw| raw.ask("GET", "/v1/auth/token/lookup-self", &token, "");
    assert_eq!(look(&mut open).status, 200);
    // Whoever has stolen the token has not stolen the certificate, and the other way round.
    let mut thief = Raw::of(&s, &eve);
    let stolen = look(&mut thief);
    stolen.is_refused(403, "permission denied (unauthenticated)");
    let mut nobody = Raw::open(connecting(&user, None), s.port).unwrap();
    look(&mut nobody).is_refused(403, "permission denied (unauthenticated)");
    thief.ask("GET", "/v1/transit/keys", "", "").is_refused(403, "permission denied (unauthenticated)");
    thief
        .ask("GET", "/v1/transit/keys", "X-Vault-Token: hvs.AAAA\r\n", "")
        .is_refused(403, "permission denied (unauthenticated)");

    let mut other = Raw::of(&s, &user);
    assert_eq!(other.ask("POST", "/v1/auth/token/revoke-self", &token, "").status, 204);
    look(&mut open).is_refused(403, "permission denied (unauthenticated)");

    let login = open.ask("POST", "/v1/auth/cert/login", "", "");
    let login: serde_json::Value = serde_json::from_str(&login.body).unwrap();
    let token = format!("X-Vault-Token: {}\r\n", login["auth"]["client_token"].as_str().unwrap());
    s.ask_as(&at.join("admin"), "/revoke_client", r#"{"client_id": "user1"}"#).done();
    open.ask("GET", "/me", "", "").is_refused(401, "certificate-revoked");
    open.ask("GET", "/v1/auth/token/lookup-self", &token, "")
        .is_refused(403, "permission denied (certificate-revoked)");
    open.ask("POST", "/v1/auth/cert/login", "", "")
        .is_refused(403, "permission denied (certificate-revoked)");
    // A session that is resumed brings its certificate along.
    let mut again = Raw::open(config, s.port).unwrap();
    assert_eq!(again.0.conn.handshake_kind(), Some(HandshakeKind::Resumed));
    again.ask("GET", "/me", "", "").is_refused(401, "certificate-revoked");
    assert_audited(
        &s,
        &at.join("audrey"),
        &[
            "(nobody) look-up-token unauthenticated",
            "(nobody) look-up-token certificate-revoked",
            "(nobody) log-in certificate-revoked",
            "(nobody) who-am-i certificate-revoked",
            "user1 revoke-token done",
        ],
    );
}

#[test]
fn what_was_recorded_on_the_wire_is_good_for_nothing() {
    if !has("curl") {
        return;
    }
    let at = folder("replayed");
    let s = Server::first(&at);
    enrol(&s, &at, "user1", "client");
    let user = at.join("user1");
    s.ask_as(&user, "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();

    // Somebody in between records what user1 sends, and sends it again.
    let between = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at_between = between.local_addr().unwrap().port();
    let to = s.port;
    let recorder = std::thread::spawn(move || {
        let (mut client, _) = between.accept().unwrap();
        let mut server = tcp(to);
        let (mut back, mut forth) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let answers = std::thread::spawn(move || std::io::copy(&mut server, &mut back));
        let mut recorded = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match client.read(&mut buffer) {
                Ok(len) if len > 0 => {
                    recorded.extend_from_slice(&buffer[..len]);
                    forth.write_all(&buffer[..len]).unwrap();
                }
                _ => break,
            }
        }
        let _ = forth.shutdown(std::net::Shutdown::Write);
        let _ = answers.join().unwrap();
        recorded
    });
    let mut raw = Raw::open(as_in(&user), at_between).unwrap();
    let rotated = raw.ask("POST", "/rotate", "", r#"{"key_id": "user1_symmetric"}"#);
    assert_eq!(rotated.status, 200, "{rotated:?}");
    drop(raw);
    let recorded = recorder.join().unwrap();
    assert!(recorded.len() > 1_000, "{}", recorded.len());
    for _ in 0..3 {
        let mut stream: TcpStream = tcp(s.port);
        stream.write_all(&recorded).unwrap();
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        // It is cut off, one way or the other.
        let _ = stream.read_to_end(&mut answer);
    }
    let state = s.ask_as(&user, "/state", r#"{"key_id": "user1_symmetric"}"#).done();
    assert_eq!(state["versions"].as_array().unwrap().len(), 2, "{state}");

    // There is no early data, which could be sent twice.
    let config = as_in(&user);
    let mut early = rustls::ClientConfig::clone(&config);
    early.enable_early_data = true;
    let early = std::sync::Arc::new(early);
    for _ in 0..2 {
        let mut raw = Raw::open(early.clone(), s.port).unwrap();
        assert_eq!(raw.ask("GET", "/me", "", "").status, 200);
        assert!(!raw.0.conn.is_early_data_accepted());
    }
}
