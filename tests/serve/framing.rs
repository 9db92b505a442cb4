//! Requests that are made so that somebody in between reads them otherwise: paths, lengths, lines.

use std::io::{Read as _, Write as _};

use super::clients::enrol;
use super::raw::{Raw, assert_audited, audit, connecting, tcp};
use super::support::{Server, folder, has};

#[test]
fn no_path_leads_where_another_does() {
    if !has("curl") {
        return;
    }
    let at = folder("paths");
    let s = Server::first(&at);
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "audrey", "auditor");
    let user = at.join("user1");
    let mut client = Raw::of(&s, &user);
    assert_eq!(client.ask("GET", "/keys", "", "").status, 200);
    let ways = [
        "//keys",
        "/keys//",
        "/keys/",
        "/./keys",
        "/health/../keys",
        "/health/%2e%2e/keys",
        "/health/..%2fkeys",
        "/health/..;/keys",
        "/keys;a=b",
        "/keys%3b",
        "/%6beys",
        "/keys%00",
        "/keys%20",
        "/keys%0a",
        "/KEYS",
        "/keys.json",
        "/health%2f..%2fkeys",
        "/health\\..\\keys",
        "/v1//transit/keys",
        "/v1/transit/./keys",
        "/v1/sys/health/../../transit/keys",
        "/v1/sys/health;/keys",
        "/..%c0%af..%c0%afkeys",
        "/%252e%252e/keys",
    ];
    let before = audit(&s, &at.join("audrey")).len();
    for path in ways {
        let mut stranger = Raw::open(connecting(&user, None), s.port).unwrap();
        for (raw, who) in [(&mut client, "a client"), (&mut stranger, "a stranger")] {
            let heard = raw.ask("GET", path, "", "");
            assert!([400, 404].contains(&heard.status), "{path} by {who}: {heard:?}");
        }
    }
    // Names that come apart when they are decoded are names of nothing.
    for path in ["/keys/%2e%2e", "/keys/..", "/keys/..%2fme", "/keys/user1%2f..%2f..", "/keys/%00"] {
        client.ask("GET", path, "", "").is_refused(403, "forbidden");
    }
    client.ask("GET", "/keys/%ff", "", "").is_refused(400, "malformed");
    let log = audit(&s, &at.join("audrey"));
    let count = |line: &str| log[before..].iter().filter(|known| *known == line).count();
    assert_eq!(count("user1 find-route malformed"), ways.len(), "{log:#?}");
    assert_eq!(count("(nobody) find-route malformed"), ways.len());
    assert_eq!(count("user1 describe forbidden"), 5);
    // In its absolute form, and with another method than there is.
    let absolute = client.ask("GET", "http://elsewhere/health/../keys", "", "");
    assert_eq!(absolute.status, 404);
    assert_eq!(client.ask("DELETE", "/keys", "", "").status, 405);
    assert_eq!(client.ask("BREW", "/health", "X-HTTP-Method-Override: GET\r\n", "").status, 405);
    let log = audit(&s, &at.join("audrey"));
    assert_eq!(log.iter().filter(|line| *line == "user1 find-route malformed").count(), ways.len() + 3);
}

#[test]
fn floods_of_what_there_is_not_do_not_fill_the_log() {
    if !has("curl") {
        return;
    }
    let at = folder("strangers");
    let s = Server::first_configured(&at, "second_factor_of = []\n[limits]\nrequests = 20\n");
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "audrey", "auditor");
    let user = at.join("user1");
    let count = |raw: &mut Raw| {
        let all: Vec<u16> = (0..200).map(|_| raw.ask("GET", "/nowhere", "", "").status).collect();
        assert!(all.iter().all(|status| [404, 429].contains(status)), "{all:?}");
        (all.iter().filter(|status| **status == 404).count(), all.len())
    };
    let (by_client, _) = count(&mut Raw::of(&s, &user));
    let (by_nobody, _) = count(&mut Raw::open(connecting(&user, None), s.port).unwrap());
    // So many at once, and a few more while time goes by.
    assert!((40..100).contains(&by_client), "{by_client}");
    assert!((50..150).contains(&by_nobody), "{by_nobody}");
    let log = audit(&s, &at.join("audrey"));
    let recorded = |line: &str| log.iter().filter(|known| *known == line).count();
    assert_eq!(recorded("user1 find-route malformed"), by_client);
    assert_eq!(recorded("(nobody) find-route malformed"), by_nobody);
    assert_eq!(recorded("user1 find-route rate-limited"), 0);
}

/// A request that must not be carried out.
const HIDDEN: &str =
    "POST /rotate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 29\r\n\r\n{\"key_id\": \"user1_symmetric\"}";

#[test]
fn no_request_hides_in_another() {
    if !has("curl") {
        return;
    }
    let at = folder("smuggled");
    let s = Server::first_configured(
        &at,
        "second_factor_of = []\n[limits]\nrequests = 1000\npatience = \"1s\"\n",
    );
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "audrey", "auditor");
    let user = at.join("user1");
    s.ask_as(&user, "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();
    let versions = || {
        let state = s.ask_as(&user, "/state", r#"{"key_id": "user1_symmetric"}"#).done();
        state["versions"].as_array().unwrap().len()
    };
    // That it would be, if it were heard.
    let mut raw = Raw::of(&s, &user);
    raw.send(HIDDEN.as_bytes()).unwrap();
    assert_eq!(raw.hear().unwrap().status, 200);
    assert_eq!(versions(), 2);

    let len = HIDDEN.len();
    let all = len + 5;
    let hex = format!("{len:x}");
    let shapes: Vec<(String, String)> = [
        // Two lengths, by two rules or by one.
        (format!("Content-Length: {all}\r\nTransfer-Encoding: chunked\r\n"), format!("0\r\n\r\n{HIDDEN}")),
        (format!("Transfer-Encoding: chunked\r\nContent-Length: {all}\r\n"), format!("0\r\n\r\n{HIDDEN}")),
        (format!("Content-Length: 0\r\nContent-Length: {len}\r\n"), HIDDEN.to_owned()),
        (format!("Content-Length: {len}\r\nContent-Length: 0\r\n"), HIDDEN.to_owned()),
        (format!("Content-Length: 0, {len}\r\n"), HIDDEN.to_owned()),
        ("Content-Length: +0\r\n".to_owned(), HIDDEN.to_owned()),
        ("Content-Length: 0x0\r\n".to_owned(), HIDDEN.to_owned()),
        ("Content-Length: -1\r\n".to_owned(), HIDDEN.to_owned()),
        ("Content-Length: 0 0\r\n".to_owned(), HIDDEN.to_owned()),
        ("Content-Length: 99999999999999999999\r\n".to_owned(), HIDDEN.to_owned()),
        ("Content-Length:\r\n".to_owned(), HIDDEN.to_owned()),
        // Codings that only one of two knows.
        (format!("Content-Length: {all}\r\nTransfer-Encoding: xchunked\r\n"), format!("0\r\n\r\n{HIDDEN}")),
        (
            format!("Content-Length: {all}\r\nTransfer-Encoding: chunked, identity\r\n"),
            format!("0\r\n\r\n{HIDDEN}"),
        ),
        (
            format!("Content-Length: {all}\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
            format!("0\r\n\r\n{HIDDEN}"),
        ),
        (
            format!("Content-Length: {all}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
            format!("0\r\n\r\n{HIDDEN}"),
        ),
        (format!("Content-Length: {all}\r\nTransfer-Encoding : chunked\r\n"), format!("0\r\n\r\n{HIDDEN}")),
        (
            format!("Content-Length: {all}\r\nX: 1\r\n Transfer-Encoding: chunked\r\n"),
            format!("0\r\n\r\n{HIDDEN}"),
        ),
        (
            format!("Content-Length: {all}\r\nTransfer-Encoding:\u{b}chunked\r\n"),
            format!("0\r\n\r\n{HIDDEN}"),
        ),
        (format!("Content-Length: {all}\nTransfer-Encoding: chunked\n"), format!("0\r\n\r\n{HIDDEN}")),
        (
            format!("Content-Length: {all}\r\nX: 1\rTransfer-Encoding: chunked\r\n"),
            format!("0\r\n\r\n{HIDDEN}"),
        ),
        // Chunks whose sizes can be read in two ways.
        ("Transfer-Encoding: chunked\r\n".to_owned(), format!("0x0\r\n\r\n{HIDDEN}")),
        ("Transfer-Encoding: chunked\r\n".to_owned(), format!("-0\r\n\r\n{HIDDEN}")),
        (
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("{hex}0000000000000000\r\n{HIDDEN}\r\n0\r\n\r\n"),
        ),
        ("Transfer-Encoding: chunked\r\n".to_owned(), format!("2\r\n{{}}0\r\n\r\n{HIDDEN}")),
        ("Transfer-Encoding: chunked\r\n".to_owned(), format!("2;\n{{}}\r\n0\r\n\r\n{HIDDEN}")),
        // Bodies where somebody expects none.
        (format!("Content-Length: {len}\r\n"), HIDDEN.to_owned()),
        (format!("Connection: Content-Length\r\nContent-Length: {len}\r\n"), HIDDEN.to_owned()),
        (format!("Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: {len}\r\n"), HIDDEN.to_owned()),
    ]
    .into_iter()
    .collect();
    // All of them at once: each is heard until the service has no more patience with it.
    let starts = ["POST /state HTTP/1.1", "GET /me HTTP/1.1"];
    let sent: Vec<(String, Raw)> = starts
        .iter()
        .flat_map(|start| shapes.iter().map(move |(headers, body)| (start, headers, body)))
        .map(|(start, headers, body)| {
            let mut raw = Raw::of(&s, &user);
            raw.send(format!("{start}\r\nHost: localhost\r\n{headers}\r\n{body}").as_bytes()).unwrap();
            (format!("{start} {headers:?}"), raw)
        })
        .collect();
    let mut refused = 0;
    for (shape, raw) in sent {
        let told = raw.rest();
        let answers = told.matches("HTTP/1.1 ").count();
        assert!(answers <= 1, "{shape}: {told}");
        assert!(!told.contains("\"version\":"), "{shape}: {told}");
        refused += usize::from(told.starts_with("HTTP/1.1 400"));
    }
    assert_eq!(versions(), 2);
    assert!(refused >= shapes.len(), "{refused}");
    let log = audit(&s, &at.join("audrey"));
    assert_eq!(log.iter().filter(|line| *line == "user1 rotate done").count(), 1);
    let recorded = log.iter().filter(|line| *line == "user1 read-head malformed").count();
    assert!(recorded >= 30, "{recorded} of {refused}: {log:#?}");
}

#[test]
fn no_line_is_smuggled_into_an_answer() {
    if !has("curl") {
        return;
    }
    let at = folder("injected");
    let s = Server::first_configured(&at, "second_factor_of = []\n[limits]\npatience = \"1s\"\n");
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "audrey", "auditor");
    let user = at.join("user1");
    let evil = "%0d%0aX-Evil:%201%0d%0a%0d%0aHTTP/1.1%20200%20OK";
    let named = r#"{"client_id": "user1", "key_id": "user1_a\r\nX-Evil: 1"}"#;
    let mut asked = Vec::new();
    for (method, path, headers, body) in [
        ("GET", &*format!("/keys/a{evil}"), "", ""),
        ("GET", &*format!("/audit?from={evil}"), "", ""),
        ("GET", &*format!("/nowhere{evil}?{evil}={evil}"), "", ""),
        ("GET", &*format!("/v1/transit/keys/a{evil}"), "X-Vault-Token: a\r\n", ""),
        ("POST", "/generate_symmetric_key", "", named),
        (
            "POST",
            "/generate_symmetric_key",
            "X-Request-Id: evil\r\nX-Evil: 1\r\n",
            "{\"\\r\\nX-Evil: 1\": 1}",
        ),
        ("GET", "/me", "Host: evil\r\n", ""),
        ("GET", "/me", "X-Mallory-Code: 12\t34\r\nOrigin: https://evil\r\n", ""),
    ] {
        let mut raw = Raw::of(&s, &user);
        let heard = raw.ask(method, path, headers, body);
        assert!(!heard.head.contains("evil"), "{path}: {heard:?}");
        assert_eq!(heard.head.matches("x-request-id").count(), 1, "{heard:?}");
        assert!((200..500).contains(&heard.status), "{path}: {heard:?}");
        asked.push((path.to_owned(), raw));
    }
    for (path, raw) in asked {
        // Nothing comes after it.
        assert_eq!(raw.rest(), "", "{path}");
    }
    let mut sent = Vec::new();
    for head in [
        "GET /me HTTP/1.1\r\n\r\n",
        "GET /me HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        "GET /me HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
        "GET /me\r\nX-Evil: 1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET  /me HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /me HTTP/1.1 \r\nHost: localhost\r\n\r\n",
        "GET /me HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "G\x01T /me HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut raw = Raw::of(&s, &user);
        raw.send(head.as_bytes()).unwrap();
        sent.push((head, raw));
    }
    for (head, raw) in sent {
        let told = raw.rest();
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 400"), "{head:?}: {told}");
    }
    assert_audited(
        &s,
        &at.join("audrey"),
        &["user1 who-am-i malformed", "user1 read-head malformed", "user1 find-route malformed"],
    );
    // What is published in the clear is no more credulous.
    for head in ["GET /crl.der HTTP/1.1\r\n\r\n", "GET /crl.der HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"] {
        let mut stream = tcp(s.public_port());
        stream.write_all(head.as_bytes()).unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).unwrap();
        assert!(told.starts_with("HTTP/1.1 400"), "{told}");
    }
}
