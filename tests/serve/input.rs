//! What no client should send: every answer is a refusal that says why, and the service goes on.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::support::{Server, has};

#[test]
fn bad_input_is_refused_and_the_service_goes_on() {
    if !has("curl") {
        return;
    }
    let s = Server::demo();
    let user = s.demo.as_ref().unwrap().join("user1");
    let ca = user.join("ca.pem");
    let send = |path: &str, more: &[&str]| s.curl(Some(&user), &ca, path, more);

    let wrong = send("/generate_rsa_key", &[]);
    wrong.is_refused(405, "malformed");
    assert_eq!(wrong.header("allow"), Some("post"));
    send("/health", &["-X", "BREW"]).is_refused(405, "malformed");
    send("/nowhere", &[]).is_refused(404, "malformed");

    for body in [
        "{",
        "[]",
        "null",
        "{\"client_id\": 5}",
        "{\"client_id\": \"user1\", \"client_id\": \"user1\"}",
        "{}",
    ] {
        let answer = send("/generate_rsa_key", &["-d", body]);
        answer.is_refused(400, "malformed");
        assert!(answer.json()["detail"].as_str().unwrap().contains("column"), "{answer:?}");
    }
    let deep = "[".repeat(100_000);
    send("/encrypt", &["-d", &deep]).is_refused(400, "malformed");
    let odd = user.join("odd");
    fs::write(&odd, b"{\"key_id\": \"\xff\xfe\"}").unwrap();
    send("/state", &["--data-binary", &format!("@{}", odd.display())]).is_refused(400, "malformed");
    for (field, value) in [("plaintext", "no base64!"), ("plaintext", "aGk"), ("context", "====")] {
        let plain = if field == "context" { r#", "plaintext": """# } else { "" };
        let body = format!(r#"{{"key_id": "user1_x", "{field}": "{value}"{plain}}}"#);
        let answer = send("/encrypt", &["-d", &body]);
        answer.is_refused(400, "malformed");
        assert!(answer.json()["detail"].as_str().unwrap().starts_with(field), "{answer:?}");
    }
    let long = user.join("long");
    fs::write(&long, vec![b'a'; (1 << 21) + 1]).unwrap();
    let long = format!("@{}", long.display());
    send("/encrypt", &["--data-binary", &long]).is_refused(413, "message-too-long");
    let chunked = ["-H", "Transfer-Encoding: chunked", "--data-binary", &long];
    send("/encrypt", &chunked).is_refused(413, "message-too-long");

    for path in [
        "/keys/..%2f..%2fetc%2fpasswd",
        "/keys/../../etc/passwd",
        "/keys/%ff",
        "/keys/%00",
        "/keys/",
        "//keys",
        "/keys/%",
        "/./health",
        "/keys/a%0d%0aX-Evil:%201",
        "/audit?from=-1",
        "/audit?from=x",
    ] {
        let answer = send(path, &[]);
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
        assert!(answer.header("x-evil").is_none(), "{answer:?}");
    }
    let headers: Vec<String> = (0..100).map(|n| format!("X-{n}: 1")).collect();
    let headers: Vec<&str> = headers.iter().flat_map(|header| ["-H", header]).collect();
    assert_eq!(send("/keys", &headers).status, 431);
    let header = format!("X-Long: {}", "a".repeat(40_000));
    assert_eq!(send("/keys", &["-H", &header]).status, 431);

    send("/keys", &[]).done();
}

#[test]
fn what_is_no_tls_or_no_http_is_let_go() {
    if !has("curl") {
        return;
    }
    let s = Server::demo();
    let user = s.demo.as_ref().unwrap().join("user1");
    for port in [s.port, s.public.rsplit(':').next().unwrap().parse().unwrap()] {
        for bytes in
            [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x00\xff\x00\xff\r\n\r\n", b"GET /crl.der HTTP/9\r\n\r\n"]
        {
            let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
            socket.write_all(bytes).unwrap();
            socket.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            let _ = socket.read_to_end(&mut answer);
            let text = String::from_utf8_lossy(&answer);
            assert!(!text.starts_with("HTTP/1.1 5") && !text.starts_with("HTTP/1.1 2"), "{text}");
        }
    }
    // An older TLS is none.
    let old = s.curl(Some(&user), &user.join("ca.pem"), "/keys", &["--tls-max", "1.2"]);
    assert_eq!(old.status, 0, "{old:?}");
    s.ask("user1", "/keys", "").done();
}
