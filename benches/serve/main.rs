//! `mallory serve` beside a bare server of axum and rustls that does the same cryptography: both
//! as processes of their own, asked by the same clients over loopback, in turns. And whether a
//! client can tell by time what others have.
//!
//! `cargo bench --bench serve` prints it; docs/PERFORMANCE.md keeps a copy.

#![expect(clippy::disallowed_methods, reason = "a benchmark looks at the real clock")]

mod bare;
#[path = "../../tests/serve/enrolled.rs"]
mod enrolled;
#[path = "../../tests/serve/raw.rs"]
#[expect(dead_code, reason = "the tests send more")]
mod raw;
#[path = "../../tests/serve/support.rs"]
#[expect(dead_code, reason = "the tests ask more")]
mod support;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use enrolled::enrol;
use raw::{Raw, as_in};
use support::{Server, folder};

/// Clients at a time.
const CLIENTS: usize = 8;
/// Requests of each, in one turn.
const REQUESTS: usize = 250;
/// Handshakes of each, in one turn.
const HANDSHAKES: usize = 40;
/// Turns; the median counts.
const TURNS: usize = 5;
/// Pairs of requests about what another has and what nobody has.
const PAIRS: usize = 1_500;

struct Bare(Child, u16);

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn bare(home: &Path) -> Bare {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env("MALLORY_BENCH_BARE", home)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().rsplit(':').next().unwrap().parse().unwrap();
    Bare(child, port)
}

fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: 0");
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// How long each of so many took, all clients at once; and how long all of them.
fn at_once(each: impl Fn() -> Vec<Duration> + Send + Sync) -> (Vec<Duration>, Duration) {
    let began = Instant::now();
    let took = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(&each)).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    (took, began.elapsed())
}

fn timed(count: usize, mut one: impl FnMut()) -> Vec<Duration> {
    (0..count)
        .map(|_| {
            let began = Instant::now();
            one();
            began.elapsed()
        })
        .collect()
}

/// Per second, and the 99th percentile in ms.
fn figures((mut took, all): (Vec<Duration>, Duration)) -> (f64, f64) {
    took.sort();
    let p99 = took[took.len() * 99 / 100];
    (took.len() as f64 / all.as_secs_f64(), p99.as_secs_f64() * 1_000.0)
}

fn requests(port: u16, who: &Path, (method, path, body): (&str, &str, &str)) -> (f64, f64) {
    figures(at_once(|| {
        let mut raw = Raw::open(as_in(who), port).unwrap();
        timed(REQUESTS, || {
            let heard = raw.ask(method, path, "", body);
            assert_eq!(heard.status, 200, "{heard:?}");
        })
    }))
}

fn handshakes(port: u16, who: &Path) -> (f64, f64) {
    figures(at_once(|| {
        timed(HANDSHAKES, || {
            // Nothing is resumed: each begins with nothing.
            let mut raw = Raw::open(as_in(who), port).unwrap();
            assert_eq!(raw.ask("GET", "/health", "", "").status, 200);
        })
    }))
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Both in turns; prints both and their ratios.
fn compare(what: &str, one: impl Fn() -> (f64, f64), other: impl Fn() -> (f64, f64)) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        ours.push(one());
        theirs.push(other());
    }
    let of = |all: &[(f64, f64)]| {
        (median(all.iter().map(|f| f.0).collect()), median(all.iter().map(|f| f.1).collect()))
    };
    let ((rate, p99), (bare_rate, bare_p99)) = (of(&ours), of(&theirs));
    println!(
        "{what:<34} {rate:>8.0}/s {bare_rate:>8.0}/s {:>6.2}   {p99:>7.2} ms {bare_p99:>7.2} ms {:>6.2}",
        rate / bare_rate,
        p99 / bare_p99
    );
}

/// Whether what others have takes another time to be refused than what nobody has: the difference
/// of the means, and its standard error.
fn tell_by_time(port: u16, who: &Path) {
    let mut raw = Raw::open(as_in(who), port).unwrap();
    let mut differences = Vec::new();
    for pair in 0..PAIRS {
        let mut ask = |owner: &str| {
            let body = format!(r#"{{"key_id": "{owner}_symmetric", "plaintext": "aGVsbG8="}}"#);
            let began = Instant::now();
            let heard = raw.ask("POST", "/encrypt", "", &body);
            assert_eq!(heard.status, 403, "{heard:?}");
            began.elapsed().as_secs_f64() * 1_000_000.0
        };
        // Neither always first.
        let (theirs, nobodys) = match pair % 2 {
            0 => {
                let theirs = ask("user1");
                (theirs, ask("user9"))
            }
            _ => {
                let nobodys = ask("user9");
                (ask("user1"), nobodys)
            }
        };
        differences.push(theirs - nobodys);
    }
    // A tenth at either end is the machine's.
    differences.sort_by(f64::total_cmp);
    let kept = &differences[PAIRS / 10..PAIRS - PAIRS / 10];
    let n = kept.len() as f64;
    let mean = kept.iter().sum::<f64>() / n;
    let variance = kept.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let error = (variance / n).sqrt();
    println!("refused for another's key, less for nobody's: {mean:+.1} ± {error:.1} µs ({PAIRS} pairs)");
}

fn main() {
    if let Some(home) = std::env::var_os("MALLORY_BENCH_BARE") {
        return bare::serve(&PathBuf::from(home));
    }
    let at = folder("bench");
    let limits = "[limits]\nrequests = 100000000\nrequests_per_source = 100000000\n";
    let s = Server::first_configured(&at, &format!("second_factor_of = []\n{limits}"));
    for name in ["user1", "user2"] {
        enrol(&s, &at, name, "client");
    }
    let (user, eve) = (at.join("user1"), at.join("user2"));
    s.ask_as(&user, "/generate_symmetric_key", r#"{"client_id": "user1"}"#).done();
    // The bare server has a certificate of the same kind, with the name that clients look for.
    let home = at.join("bare");
    std::fs::create_dir_all(&home).unwrap();
    own_identity(&home);
    let bare = bare(&home);
    let (ours, theirs) = (s.port, bare.1);
    let before = (resident(s.id()), resident(bare.0.id()));
    println!(
        "{:<34} {:>10} {:>10} {:>6}   {:>10} {:>10} {:>6}",
        "", "serve", "bare", "ratio", "p99", "bare", "ratio"
    );
    let trusting = |port: u16| if port == theirs { home.join("as-client") } else { user.clone() };
    let text = "A".repeat(1_024);
    let body = format!(r#"{{"key_id": "user1_symmetric", "plaintext": "{text}"}}"#);
    compare(
        "handshake and one request",
        || handshakes(ours, &trusting(ours)),
        || handshakes(theirs, &trusting(theirs)),
    );
    let health = ("GET", "/health", "");
    compare(
        "GET /health",
        || requests(ours, &trusting(ours), health),
        || requests(theirs, &trusting(theirs), health),
    );
    let encrypt = ("POST", "/encrypt", &*body);
    compare(
        "POST /encrypt, 768 bytes, recorded",
        || requests(ours, &trusting(ours), encrypt),
        || requests(theirs, &trusting(theirs), encrypt),
    );
    let count = CLIENTS * TURNS * (2 * REQUESTS + HANDSHAKES);
    println!(
        "memory before and after {count} requests: {:.0} and {:.0} MiB; bare {:.0} and {:.0} MiB",
        before.0,
        resident(s.id()),
        before.1,
        resident(bare.0.id())
    );
    tell_by_time(ours, &eve);
}

/// A root, a server's certificate for localhost and a client's, for the bare server.
fn own_identity(home: &Path) {
    use mallory::crypto::{Signature, stream};
    use mallory::pki::{Authority, AuthorityPolicy, Profile, TlsEnd, request_for_signing};
    use mallory::time::UnixNanos;

    let now = UnixNanos(u64::try_from(wall().as_nanos()).unwrap());
    let key = |name: &str| Signature::EcdsaP256.generate(&mut stream(5, &[name]));
    let mut authority = Authority::new("bare", key("root"), now, AuthorityPolicy::default());
    let pem = |label, der: &[u8]| der::pem::encode_string(label, der::pem::LineEnding::LF, der).unwrap();
    let ca = pem("CERTIFICATE", authority.root());
    for (name, end, to) in
        [("localhost", TlsEnd::Server, home.to_owned()), ("user1", TlsEnd::Client, home.join("as-client"))]
    {
        std::fs::create_dir_all(&to).unwrap();
        let profile = Profile { end: Some(end), ..Profile::default() };
        let issued = authority.issue_as(&request_for_signing(name, &key(name)), name, &profile, now).unwrap();
        std::fs::write(to.join("ca.pem"), &ca).unwrap();
        std::fs::write(to.join("certificate.pem"), pem("CERTIFICATE", &issued.der)).unwrap();
        std::fs::write(to.join("key.pem"), pem("PRIVATE KEY", &key(name).to_pkcs8())).unwrap();
    }
}

#[expect(clippy::disallowed_types, reason = "certificates are of today")]
fn wall() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap()
}
