//! Without a command: it serves until Ctrl-C, and every connection is a play.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Ended with the test, whatever becomes of that.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        // One that was stopped is not there to be killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The body of what is at a URL in a line.
fn fetched(line: &str) -> Vec<u8> {
    let at = line.split("http://").nth(1).unwrap().trim();
    let (at, path) = at.split_once('/').unwrap();
    let mut stream = TcpStream::connect(at).unwrap();
    write!(stream, "GET /{path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    answer.split_off(head + 4)
}

fn pem(certificate: &[u8]) -> String {
    der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, certificate).unwrap()
}

#[test]
fn each_connection_is_a_play_until_somebody_stops_it() {
    let exe = env!("CARGO_BIN_EXE_mallory");
    let mut served = Served(
        Command::new(exe)
            .args(["live", "live-certificate/false-authority"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let (sender, lines) = mpsc::channel();
    let told = BufReader::new(served.0.stdout.take().unwrap());
    thread::spawn(move || told.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let until = |wanted: &str| {
        let mut all = String::new();
        loop {
            let line = lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no `{wanted}` in\n{all}"));
            all.push_str(&line);
            all.push('\n');
            if line.contains(wanted) {
                return (line, all);
            }
        }
    };
    for _ in 0..2 {
        let (tls, _) = until("https://localhost:");
        let (ca, _) = until("/ca.der");
        let tls = tls.split("https://").nth(1).unwrap().to_owned();
        let (_, introduction) = until("Ctrl-C");
        assert!(
            introduction.contains("mallory live live-certificate/false-authority -- curl"),
            "{introduction}"
        );
        let roots = std::env::temp_dir().join(format!("mallory-live-test-{}.pem", std::process::id()));
        std::fs::write(&roots, pem(&fetched(&ca))).unwrap();
        let ended = Command::new(exe).args(["tls-client", &tls, roots.to_str().unwrap()]).output().unwrap();
        std::fs::remove_file(&roots).unwrap();
        assert!(String::from_utf8_lossy(&ended.stderr).contains("invalid peer certificate"), "{ended:?}");
        let (_, play) = until("the program, in run 1");
        assert!(play.contains("alice rejects line 2 of run 1"), "{play}");
    }
    until("Ctrl-C");
    let id = served.0.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    until("stopped");
    assert_eq!(served.0.wait().unwrap().code(), Some(0));
}
