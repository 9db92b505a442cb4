//! What Mallory costs beside what it cannot do without, as ratios measured in one run:
//! a run of authenticated Diffie–Hellman against its bare cryptography, a delivered message
//! against a bare async-channel hop, a long revocation list in a thousand hands against one
//! reading of it, an idle client's memory.
//!
//! `cargo bench` prints them; docs/PERFORMANCE.md keeps a copy.

#![expect(clippy::disallowed_methods, reason = "a benchmark looks at the real clock")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use mallory::Scenario;
use mallory::algebra::Bytes;
use mallory::crypto::{self, Agreement, Signature, Symmetric};
use mallory::journal::Sight;
use mallory::knowledge::Shown;
use mallory::notation::Name;
use mallory::party::{Actor, Effect, Effects, Input};
use mallory::pki::{Authority, AuthorityPolicy, RelyingParty, TrustPolicy};
use mallory::scenario::{EPOCH, KeyPool};
use mallory::time::SimTime;
use mallory::vault::{Operation, Request, Response, encode_answer};
use mallory::world::{Cue, Network, Stage};

/// Measurements of each figure; the median counts.
const ROUNDS: usize = 15;

fn main() {
    // `cargo test --benches` passes this; the ratios are for `cargo bench`.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    keep_pages();
    // Words on the command line choose the rows that contain one of them.
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wanted = |what: &str| words.is_empty() || words.iter().any(|w| what.contains(w.as_str()));
    println!("{:<58}{:>12}{:>12}{:>8}", "", "mallory", "bare", "ratio");
    let row = |what: &str, ours, bare, unit, scale| wanted(what).then(|| row(what, ours, bare, unit, scale));
    row("a run of sigma-i / its cryptographic operations", sigma_run, sigma_bare, "µs", 1e6);
    row("a run of signed-dh / its cryptographic operations", signed_dh_run, signed_dh_bare, "µs", 1e6);
    row("a request to the key centre / its cryptographic operations", request, request_bare, "µs", 1e6);
    row("a request of one of 10,000 clients / its cryptography", crowded_request, request_bare, "µs", 1e6);
    row("a request to a centre with 9,999 keys / with one", request_among_many, request, "µs", 1e6);
    row("a message through the world / an async-channel hop", world, hop, "ns", 1e9);
    row("a message built, delivered, read, judged / a hop", message, hop, "ns", 1e9);
    if wanted("list") {
        long_list_memory();
    }
    row("a list of 100,000 read by 1,000 clients / read once", long_list, read_once, "ms", 1e3);
    row("the same list / 1,000 signatures verified", long_list, signatures, "ms", 1e3);
    if wanted("idle") {
        let (bytes, wall) = idle_clients();
        println!("{:<58}{bytes:>9} B", "an idle client, one of 100,000");
        println!("{:<58}{wall:>9.2} s", "setting up and ending 100,000 idle clients, wall time");
        println!(
            "{:<58}{:>9.2} ms",
            "a year of virtual time with nothing in it, wall time",
            idle_year() * 1e3
        );
    }
}

/// Has the allocator keep what is freed from here on (glibc keeps twice the largest block
/// that was given back), or a row would show whether its last round's journal was a few
/// bytes too large to be kept: the first touch of a page costs as much as eight hops.
fn keep_pages() {
    drop(black_box(vec![1u8; 24 << 20]));
}

/// Measures both in turn, so that a machine that slows down slows both; medians.
fn row(what: &str, ours: fn() -> f64, bare: fn() -> f64, unit: &str, scale: f64) {
    let pairs: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (ours(), bare())).collect();
    let ratio = median(pairs.iter().map(|(a, b)| a / b));
    let (a, b) = (median(pairs.iter().map(|p| p.0)) * scale, median(pairs.iter().map(|p| p.1)) * scale);
    println!("{what:<58}{a:>9.1} {unit}{b:>9.1} {unit}{ratio:>8.2}");
}

fn median(all: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// Seconds for a play, its judgement, and to free all that was recorded.
fn play(text: &str) -> f64 {
    let scenario = Scenario::from_text("bench", text).unwrap();
    let pool = KeyPool::default();
    timed(|| {
        let play = scenario.play(&scenario.variants[0], true, &pool).unwrap();
        assert!(play.sessions().iter().all(|s| s.completed()));
        black_box(play);
    })
}

fn runs(protocol: &str, count: usize) -> String {
    let run = "[[run]]\nA = \"alice\"\nB = \"bob\"\nPayload = \"transfer 100\"\n";
    format!("{protocol}\n{}", run.repeat(count))
}

/// Seconds for one run of sigma-i: what 100 more runs add.
fn sigma_run() -> f64 {
    let protocol = "protocol = \"sigma-i\"";
    (play(&runs(protocol, 101)) - play(&runs(protocol, 1))) / 100.0
}

/// Seconds for the cryptographic operations of one run of sigma-i.
fn sigma_bare() -> f64 {
    let mut rng = crypto::stream(0, &["bench"]);
    let (agreement, signature, symmetric) =
        (Agreement::X25519, Signature::Ed25519, Symmetric::Aes256CbcHmacSha256);
    let key = signature.generate(&mut rng);
    let public = key.public();
    let text = [7u8; 128];
    let certificate = key.sign(&text, &mut rng);
    const RUNS: usize = 100;
    timed(|| {
        for _ in 0..RUNS {
            let (x, y) = (agreement.generate(&mut rng), agreement.generate(&mut rng));
            let (gx, gy) = (agreement.share(&x).unwrap(), agreement.share(&y).unwrap());
            agreement.validate(&gx).unwrap();
            agreement.validate(&gy).unwrap();
            let a = agreement.agree(&x, &gy).unwrap();
            let b = agreement.agree(&y, &gx).unwrap();
            let mut derived = [[0u8; 32]; 6];
            for (at, key) in derived.iter_mut().enumerate() {
                crypto::hkdf_sha256(if at < 3 { &a } else { &b }, &[], b"label", key);
            }
            for _ in 0..2 {
                let made = key.sign(&text, &mut rng);
                signature.verify(&public, &text, &made).unwrap();
                signature.verify(&public, &text, &certificate).unwrap();
                black_box(crypto::hmac_sha256(&derived[0], &[&text]));
                black_box(crypto::hmac_sha256(&derived[0], &[&text]));
                let sealed = symmetric.seal(&derived[1], &[], &[1; 500], &mut rng);
                black_box(symmetric.open(&derived[1], &[], &sealed).unwrap());
            }
            let sealed = symmetric.seal(&derived[2], &[], &[1; 17], &mut rng);
            black_box(symmetric.open(&derived[2], &[], &sealed).unwrap());
        }
    }) / RUNS as f64
}

/// Seconds for one run of signed-dh, certificates and their judgement included: what 100 more
/// runs add.
fn signed_dh_run() -> f64 {
    let protocol = "protocol = \"signed-dh\"";
    (play(&runs(protocol, 101)) - play(&runs(protocol, 1))) / 100.0
}

/// Seconds for the cryptographic operations of one run of signed-dh: two shares are made,
/// validated and agreed upon, each party derives the key, signs once and verifies its peer's
/// signature and the authority's on the certificate; the payload is sealed and opened.
fn signed_dh_bare() -> f64 {
    let mut rng = crypto::stream(0, &["bench"]);
    let (agreement, signature, symmetric) =
        (Agreement::X25519, Signature::Ed25519, Symmetric::Aes256CbcHmacSha256);
    let key = signature.generate(&mut rng);
    let public = key.public();
    let (text, body) = ([7u8; 84], [7u8; 225]);
    let certificate = key.sign(&body, &mut rng);
    const RUNS: usize = 100;
    timed(|| {
        for _ in 0..RUNS {
            let (x, y) = (agreement.generate(&mut rng), agreement.generate(&mut rng));
            let (gx, gy) = (agreement.share(&x).unwrap(), agreement.share(&y).unwrap());
            let mut derived = [[0u8; 32]; 2];
            for ((own, theirs), key) in [(&x, &gy), (&y, &gx)].into_iter().zip(&mut derived) {
                agreement.validate(theirs).unwrap();
                let agreed = agreement.agree(own, theirs).unwrap();
                crypto::hkdf_sha256(&agreed, &[], b"key", key);
            }
            for _ in 0..2 {
                let made = key.sign(&text, &mut rng);
                signature.verify(&public, &body, &certificate).unwrap();
                signature.verify(&public, &text, &made).unwrap();
            }
            let sealed = symmetric.seal(&derived[0], &[], &[1; 17], &mut rng);
            black_box(symmetric.open(&derived[1], &[], &sealed).unwrap());
        }
    }) / RUNS as f64
}

/// Requests of which the cost is averaged.
const REQUESTS: u32 = 4_000;
/// What a request of the benchmark encrypts.
const TEXT: &str = "transfer 100 to carol";

/// Seconds for one request to the key centre for a ciphertext, sealed, granted, recorded,
/// answered and judged: what 4,000 more requests add. Fewer would drown in the Argon2id with
/// which each play seals its vault.
fn request() -> f64 {
    request_among(1)
}

/// Seconds for a request of one of 10,000 clients who ask about one key, each counted by its
/// rate and granted: what it adds that each asks once more.
fn crowded_request() -> f64 {
    const CLIENTS: u32 = 10_000;
    let requests = |times: u32| {
        let mut text = String::from(
            "[services.kdc.keys]\nroles = { olivia = \"operator\" }\nrequests = \"1 in 10s\"\nauthorise = false\n",
        );
        text.push_str("[[request]]\nat = \"1s\"\nby = \"olivia\"\nask = \"generate\"\nkey = \"orders\"\n");
        for n in 0..times * CLIENTS {
            let (at, client) = (60_000 + 10 * n, n % CLIENTS);
            text.push_str(&format!("[[request]]\nat = \"{at}ms\"\nby = \"c{client}\"\nask = \"encrypt\"\nkey = \"orders\"\ntext = \"{TEXT}\"\n"));
        }
        text
    };
    (play(&requests(2)) - play(&requests(1))) / f64::from(CLIENTS)
}

/// Seconds for the same request to a centre that keeps so many keys.
fn request_among_many() -> f64 {
    request_among(9_999)
}

fn request_among(keys: u32) -> f64 {
    let requests = |count: u32| {
        let mut text = String::from("[services.kdc.keys]\nroles = { olivia = \"operator\" }\n");
        for n in 1..=keys {
            text.push_str(&format!("[[request]]\nat = \"{n}s\"\nby = \"olivia\"\nask = \"generate\"\nkey = \"k{n}\"\nowner = \"alice\"\n"));
        }
        for n in 1..=count {
            let at = keys + 60 * n;
            text.push_str(&format!("[[request]]\nat = \"{at}s\"\nby = \"alice\"\nask = \"encrypt\"\nkey = \"k1\"\ntext = \"{TEXT}\"\n"));
        }
        text
    };
    (play(&requests(REQUESTS + 1)) - play(&requests(1))) / f64::from(REQUESTS)
}

/// Seconds for the cryptographic operations of one such request: request and answer are sealed
/// and opened, bound to each other by a digest; the vault encrypts the text, derives the
/// generation's key, finds the row of the key's uses by a keyed hash of its name, takes that row
/// out of the digest of all and puts it in again, seals it, the audit record and the root, and
/// hashes the record, the rows and the root.
fn request_bare() -> f64 {
    let mut rng = crypto::stream(0, &["bench"]);
    let (wire, vault) = (Symmetric::Aes256CbcHmacSha256, Symmetric::Aes256Gcm);
    let key = [7; 32];
    let operation = Operation::Encrypt {
        key: "orders".into(),
        version: None,
        plaintext: TEXT.as_bytes().into(),
        context: [].as_slice().into(),
    };
    let asked = Request::new("alice", operation).encode();
    let answered = encode_answer(&Ok(Response::Ciphertext([7u8; 61].as_slice().into())));
    timed(|| {
        for _ in 0..REQUESTS {
            let sealed = wire.seal(&key, b"kms request", &asked, &mut rng);
            let label = crypto::sha256(&[&sealed]);
            black_box(wire.open(&key, b"kms request", &sealed).unwrap());
            black_box(vault.seal(&key, b"orders, version 1", TEXT.as_bytes(), &mut rng));
            let mut generation = [0; 32];
            crypto::hkdf_sha256(&key, &[7; 16], b"mallory vault rows, generation", &mut generation);
            for hashed in [6, 29, 29] {
                black_box(crypto::hmac_sha256(&key, &[&[7; 29][..hashed]]));
            }
            for row in [8, 220, 105] {
                black_box(vault.seal(&generation, &[7; 50], &[7; 220][..row], &mut rng));
            }
            for hashed in [120, 72, 140] {
                black_box(crypto::sha256(&[&[7; 140][..hashed]]));
            }
            let answer = wire.seal(&key, &label, &answered, &mut rng);
            black_box(crypto::sha256(&[&sealed]));
            black_box(wire.open(&key, &label, &answer).unwrap());
        }
    }) / f64::from(REQUESTS)
}

/// Seconds for one message of a protocol without cryptography, from the party that builds
/// it to the one that has checked it.
fn message() -> f64 {
    let lines: Vec<&str> =
        (0..200).map(|n| if n % 2 == 0 { "\"A -> B : Na\"" } else { "\"B -> A : Na\"" }).collect();
    let protocol =
        format!("[protocol]\nmessages = [{}]\nfresh = {{ A = [\"Na: nonce\"] }}\n", lines.join(", "));
    let runs =
        |count: usize| format!("{protocol}\n{}", "[[run]]\nA = \"alice\"\nB = \"bob\"\n".repeat(count));
    (play(&runs(51)) - play(&runs(1))) / (50.0 * 200.0)
}

/// A party that answers every message with the next.
struct Echo {
    name: Name,
    peer: Name,
    left: u32,
    protocol: Name,
    shown: Shown,
}

impl Echo {
    fn say(&mut self, effects: &mut Effects) {
        if self.left > 0 {
            self.left -= 1;
            effects.all.push(Effect::Send(Arc::new(Sight {
                id: 0,
                run: 1,
                protocol: self.protocol.clone(),
                line: 1,
                question: None,
                from: self.name.clone(),
                to: self.peer.clone(),
                bytes: Bytes::from([7; 64].as_slice()),
                shown: self.shown.clone(),
            })));
        }
    }
}

impl Actor for Echo {
    fn handle(&mut self, input: Input, _now: SimTime, effects: &mut Effects) {
        match input {
            Input::Message(_) => self.say(effects),
            Input::Timer(_) | Input::Begin => self.say(effects),
            _ => {}
        }
    }
}

/// Seconds for one message of 64 bytes from a party's task through the world to another's:
/// journalled, numbered, delayed by its link, delivered. To free the journal is not part of it.
fn world() -> f64 {
    const MESSAGES: u32 = 20_000;
    let names: [Name; 2] = ["alice".into(), "bob".into()];
    let echo = |name: &Name, peer: &Name| {
        let (name, peer) = (name.clone(), peer.clone());
        let echo = Echo {
            name: name.clone(),
            peer,
            left: MESSAGES / 2,
            protocol: "echo".into(),
            shown: Shown::words("echo"),
        };
        (name, Box::new(echo) as Box<dyn Actor>)
    };
    let stage = Stage {
        actors: vec![echo(&names[0], &names[1]), echo(&names[1], &names[0])],
        attacker: None,
        network: Network::default(),
        rng: crypto::stream(0, &["network"]),
        timeline: vec![(SimTime::ZERO, Cue::Input(names[0].clone(), Input::Timer(0)))],
        prologue: Vec::new(),
        prints: mallory::journal::Prints::default(),
        edge: None,
        wire_after: None,
    };
    let mut journal = None;
    let wall = timed(|| journal = Some(stage.play().unwrap()));
    assert_eq!(journal.map(|j| j.events().len()), Some(2 * MESSAGES as usize));
    wall / f64::from(MESSAGES)
}

/// Seconds for one message of the same size over an async-channel between two tasks: as many
/// as take about as long as the other side, so that a busy machine interrupts both alike.
fn hop() -> f64 {
    const HOPS: usize = 50_000;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    timed(|| {
        runtime.block_on(async {
            let (to_b, at_b) = async_channel::unbounded::<[u8; 64]>();
            let (to_a, at_a) = async_channel::unbounded::<[u8; 64]>();
            tokio::spawn(async move {
                while let Ok(message) = at_b.recv().await {
                    to_a.send(message).await.unwrap();
                }
            });
            let mut message = [0; 64];
            for _ in 0..HOPS / 2 {
                to_b.send(message).await.unwrap();
                message = at_a.recv().await.unwrap();
            }
            black_box(message);
        });
    }) / HOPS as f64
}

/// Bytes that each of 100,000 idle clients adds to the process, and the seconds all take.
fn idle_clients() -> (u64, f64) {
    const CLIENTS: u64 = 100_000;
    let text = "protocol = \"anonymous-dh\"\nparties = { c = {} }";
    // Built here, or the text and its tree would have taken the memory that the play is to take.
    let mut variant = (*Scenario::from_text("idle", text).unwrap().variants[0]).clone();
    let party = variant.setup.parties.values().next().unwrap().clone();
    for n in 0..CLIENTS {
        variant.setup.parties.insert(format!("c{n}").as_str().into(), party.clone());
    }
    let variant = Arc::new(variant);
    let scenario = Scenario::from_text("idle", "protocol = \"anonymous-dh\"").unwrap();
    let before = peak_memory();
    let wall = timed(|| {
        black_box(scenario.play(&variant, true, &KeyPool::default()).unwrap());
    });
    (peak_memory().saturating_sub(before) / CLIENTS, wall)
}

/// Certificates on the long list, and clients that look one up there.
const ENTRIES: usize = 100_000;
const CLIENTS: usize = 1_000;

/// Clients that each check one server's certificate.
fn checking(clients: usize, revocation: &str) -> String {
    let mut text = format!(
        "[protocol]\nmessages = [\"A -> B : A, Na, sign(sk(A), B, Na), cert(A)\"]\nfresh = {{ A = [\"Na: nonce\"] }}\n\
         [services.ca]\ncrl_history = {ENTRIES}\n"
    );
    for n in 1..=clients {
        text += &format!("[parties.c{n}]\nrevocation = \"{revocation}\"\n");
        text += &format!("[[run]]\nat = \"{n}s\"\nA = \"server\"\nB = \"c{n}\"\n");
    }
    text
}

/// Seconds that it adds to a world that each client fetches the list, verifies it and looks
/// the server up: the list is also made, and asked and answered over the network.
fn long_list() -> f64 {
    play(&checking(CLIENTS, "crl")) - play(&checking(CLIENTS, "none"))
}

/// Seconds to verify and parse the list once, by the parser that the clients have.
fn read_once() -> f64 {
    let key = Signature::Ed25519.generate(&mut crypto::stream(0, &["bench"]));
    let policy = AuthorityPolicy { history: ENTRIES, ..AuthorityPolicy::default() };
    let mut authority = Authority::new("ca", key, EPOCH, policy);
    let list = authority.publication(false, EPOCH);
    let policy = TrustPolicy { roots: vec![authority.root().to_vec()], ..TrustPolicy::default() };
    let mut party = RelyingParty::new(Arc::new(policy));
    timed(|| {
        assert_eq!(party.accept(&list, EPOCH).unwrap()[0].entries, ENTRIES);
    })
}

/// Seconds to verify as many signatures, each on a short message, as there are clients.
fn signatures() -> f64 {
    let mut rng = crypto::stream(0, &["bench"]);
    let key = Signature::Ed25519.generate(&mut rng);
    let (public, text) = (key.public(), [7u8; 128]);
    let made = key.sign(&text, &mut rng);
    timed(|| (0..CLIENTS).for_each(|_| Signature::Ed25519.verify(&public, &text, &made).unwrap()))
}

/// Prints the peak of resident memory with 10 clients and with all of them.
fn long_list_memory() {
    for clients in [10, CLIENTS] {
        play(&checking(clients, "crl"));
        let mib = peak_memory() as f64 / f64::from(1 << 20);
        println!("{:<58}{mib:>8.1} MiB", format!("peak memory, a list of {ENTRIES} and {clients} clients"));
    }
}

/// Seconds of wall time for two runs a year of virtual time apart.
fn idle_year() -> f64 {
    let run = |at: &str| format!("[[run]]\nat = \"{at}\"\nA = \"alice\"\nB = \"bob\"\nPayload = \"hello\"\n");
    play(&format!("protocol = \"anonymous-dh\"\n{}{}", run("0s"), run("365d")))
}

/// The process's peak resident memory in bytes; zero where the system does not say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
