//! Those who are slow, many or large: cut off, kept out or refused while others are served. What
//! they wait for comes or does not; no time is measured.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::clients::enrol;
use super::raw::{Raw, assert_audited, audit, connecting, tcp};
use super::support::{Server, folder, has};

fn slow(at: &Path) -> Server {
    let s = Server::first_configured(at, "second_factor_of = []\n[limits]\npatience = \"1s\"\n");
    enrol(&s, at, "user1", "client");
    enrol(&s, at, "audrey", "auditor");
    s
}

#[test]
fn who_is_slow_is_cut_off() {
    if !has("curl") {
        return;
    }
    let at = folder("slow");
    let s = slow(&at);
    let user = at.join("user1");
    let head = "GET /me HTTP/1.1\r\nHost: localhost\r\nX: ";
    let mut begun: Vec<Raw> = (0..20).map(|_| Raw::of(&s, &user)).collect();
    begun.extend((0..20).map(|_| Raw::open(connecting(&user, None), s.port).unwrap()));
    for raw in &mut begun {
        raw.send(head.as_bytes()).unwrap();
    }
    // A letter now and then does not help.
    let mut trickle = Raw::of(&s, &user);
    trickle.send(head.as_bytes()).unwrap();
    let is_cut = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        trickle.send(b"a").is_err()
    });
    assert!(is_cut, "a head of thirty seconds was waited for");
    assert_eq!(s.ask_as(&user, "/me", "").status, 200);
    for raw in begun {
        let told = raw.rest();
        assert!(!told.contains(" 200 "), "{told}");
    }
    // Bodies, with a word.
    let mut raw = Raw::of(&s, &user);
    raw.send(b"POST /state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"key_id\"").unwrap();
    raw.hear().unwrap().is_refused(408, "timeout");
    let chunked = b"POST /state HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{";
    let mut raw = Raw::of(&s, &user);
    raw.send(chunked).unwrap();
    raw.hear().unwrap().is_refused(408, "timeout");
    // Whoever says nothing at all, or nothing more, is let go without a record.
    for port in [s.port, s.public_port()] {
        let mut silent = tcp(port);
        let mut nothing = Vec::new();
        silent.read_to_end(&mut nothing).unwrap();
        assert!(nothing.is_empty());
    }
    let mut idle = Raw::of(&s, &at.join("audrey"));
    assert_eq!(idle.ask("GET", "/me", "", "").status, 200);
    let mut byte = [0];
    assert!(matches!(idle.0.read(&mut byte), Ok(0) | Err(_)));
    // And in the clear, where certificates are not asked for.
    let mut open = tcp(s.public_port());
    open.write_all(b"GET /crl.der HTTP/1.1\r\nHost: a").unwrap();
    let mut told = Vec::new();
    open.read_to_end(&mut told).unwrap();
    assert!(told.is_empty());

    let log = audit(&s, &at.join("audrey"));
    let count = |line: &str| log.iter().filter(|known| *known == line).count();
    assert_eq!(count("user1 read-head timeout"), 21, "{log:#?}");
    assert_eq!(count("(nobody) read-head timeout"), 21);
    assert_eq!(count("user1 describe timeout"), 2);
    assert_eq!(count("audrey read-head timeout"), 0);
}

/// A connection from another address of this machine.
fn from_elsewhere(port: u16) -> std::io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0)))?;
        socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
    })?;
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// How many connections one address opens, of which it says nothing.
const IDLE: usize = 2_000;

#[test]
fn many_idle_connections_keep_nobody_else_out() {
    if !has("curl")
        || from_elsewhere(1).is_err_and(|error| error.kind() == std::io::ErrorKind::AddrNotAvailable)
    {
        eprintln!("skipped: this machine has no 127.0.0.2, or no curl");
        return;
    }
    let at = folder("idle");
    let s = Server::first(&at);
    enrol(&s, &at, "user1", "client");
    let user = at.join("user1");
    let before = s.resident();
    let mut held: Vec<TcpStream> = Vec::new();
    for nth in 0..IDLE {
        let port = if nth % 2 == 0 { s.port } else { s.public_port() };
        match from_elsewhere(port) {
            Ok(stream) => held.push(stream),
            // As many as this process may have.
            Err(_) => break,
        }
    }
    assert!(held.len() > 2 * mallory::limits::MAX_LIVE_CONNECTIONS_PER_SOURCE, "{}", held.len());
    // Others are served, by both doors, while these are there.
    assert_eq!(s.ask_as(&user, "/me", "").status, 200);
    assert_eq!(s.fetch("/crl.der").status, 200);
    let mut open = 0;
    for stream in &held {
        stream.set_nonblocking(true).unwrap();
        let mut byte = [0];
        open += usize::from(
            matches!((&*stream).read(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock),
        );
    }
    assert!(
        open <= 2 * mallory::limits::MAX_LIVE_CONNECTIONS_PER_SOURCE,
        "{open} of {} are open",
        held.len()
    );
    if let (Some(before), Some(after)) = (before, s.resident()) {
        assert!(after < before + 65_536, "{before} KiB before, {after} after");
    }
    // Who comes from there is heard again when they have gone.
    drop(held);
    let mut heard = String::new();
    for _ in 0..600 {
        if let Ok(mut stream) = from_elsewhere(s.public_port()) {
            let _ = stream.write_all(b"GET /health HTTP/1.0\r\n\r\n");
            let _ = stream.read_to_string(&mut heard);
            if !heard.is_empty() {
                break;
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(heard.starts_with("HTTP/1."), "{heard}");
}

#[test]
fn what_is_too_large_is_not_kept() {
    if !has("curl") {
        return;
    }
    let at = folder("large");
    let s = Server::first(&at);
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "audrey", "auditor");
    let user = at.join("user1");
    let most = mallory::limits::MAX_LIVE_BODY_BYTES;
    let mut raw = Raw::of(&s, &user);
    // It is believed by its length, before it comes.
    let head = format!("POST /encrypt HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", most + 1);
    raw.send(head.as_bytes()).unwrap();
    raw.hear().unwrap().is_refused(413, "message-too-long");
    let mut raw = Raw::of(&s, &user);
    raw.send(b"POST /encrypt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
    for _ in 0..most / 0x10000 + 2 {
        if raw.send(chunk.as_bytes()).is_err() {
            break;
        }
    }
    raw.hear().unwrap().is_refused(413, "message-too-long");
    // A stranger's is not even waited for.
    let mut stranger = Raw::open(connecting(&user, None), s.port).unwrap();
    stranger.send(b"POST /encrypt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n").unwrap();
    stranger.hear().unwrap().is_refused(401, "unauthenticated");
    let mut open = tcp(s.public_port());
    open.write_all(b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n").unwrap();
    let mut told = [0; 12];
    open.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 413");
    let long = format!("X: {}\r\n", "a".repeat(mallory::limits::MAX_LIVE_HEAD_BYTES + 1));
    let mut raw = Raw::of(&s, &user);
    let told = raw.try_ask("GET", "/me", &long, "").map(|heard| heard.status);
    assert!(told.as_ref().map_or(true, |status| *status == 431), "{told:?}");
    assert_audited(
        &s,
        &at.join("audrey"),
        &[
            "user1 encrypt message-too-long",
            "user1 who-am-i message-too-long",
            "(nobody) encrypt unauthenticated",
        ],
    );
}
