//! Fetches over plain HTTP as a script does before it starts a program: once, into a file. Must
//! not know what it fetches.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::limits::{LIVE_STATUS_SECONDS, MAX_MESSAGE_BYTES};

/// The body of what is at a path there; nothing if there is none, or no answer came.
pub fn get(at: SocketAddr, path: &str) -> Option<Vec<u8>> {
    let limit = Duration::from_secs(LIVE_STATUS_SECONDS + 2);
    let mut stream = TcpStream::connect_timeout(&at, limit).ok()?;
    stream.set_read_timeout(Some(limit)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {at}\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.take(MAX_MESSAGE_BYTES as u64).read_to_end(&mut answer).ok()?;
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let is_ok = answer.get(..12).is_some_and(|line| line.ends_with(b"200"));
    is_ok.then(|| answer.split_off(head + 4))
}
