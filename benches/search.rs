//! What a search for attacks takes, without the plays that confirm what it finds: milliseconds and
//! states for single protocols, and for the library with two runs.
//!
//! `cargo bench --bench search` prints it; docs/PERFORMANCE.md keeps a copy.

#![expect(clippy::disallowed_methods, reason = "a benchmark looks at the real clock")]

use std::time::Instant;

use mallory::limits::MAX_SEARCH_STATES;
use mallory::notation::Protocol;
use mallory::scenario::{self, ProtocolFile};
use mallory::search::{Bounds, search};

/// Measurements of each figure; the least counts, since a search does the same each time.
const ROUNDS: usize = 3;
/// Protocols in which exclusive ors hang together; told apart.
const SLOW: [&str; 2] = ["bull", "gong"];

fn main() {
    for (name, runs) in [
        ("nspk", 2),
        ("nspk-server", 2),
        ("otway-rees", 2),
        ("yahalom", 2),
        ("woo-lam-mutual", 2),
        ("nsl", 1),
        ("nsl", 2),
        ("nsl", 3),
        ("nsl", 4),
        ("yahalom-paulson", 3),
        ("yahalom-paulson", 4),
        ("bull", 2),
        ("gong", 2),
    ] {
        let file = ProtocolFile::named(name).expect("a protocol of the library");
        let (ms, states) = (0..ROUNDS)
            .map(|_| all_goals(&file.protocol, &file, runs))
            .fold((f64::INFINITY, 0), |(least, _), (ms, states)| (least.min(ms), states));
        println!("{name:<18} all goals, {runs} runs  {ms:>9.2} ms  {states:>8} states");
    }
    let others = scenario::protocols().into_iter().filter(|entry| !SLOW.contains(&&*entry.name));
    let files: Vec<ProtocolFile> =
        others.map(|entry| ProtocolFile::named(&entry.name).expect("a protocol of the library")).collect();
    let began = Instant::now();
    let states: u64 = files.iter().map(|file| all_goals(&file.protocol, file, 2).1).sum();
    let ms = began.elapsed().as_secs_f64() * 1000.0;
    println!("{:<18} all goals, 2 runs  {ms:>9.2} ms  {states:>8} states", format!("{} others", files.len()));
}

fn all_goals(protocol: &Protocol, file: &ProtocolFile, runs: usize) -> (f64, u64) {
    let bounds = Bounds {
        runs,
        encoding: file.encoding.clone().unwrap_or_default(),
        insider: true,
        self_talk: false,
        old_session_keys: false,
        lax_clock: false,
        stolen: Vec::new(),
        suite: Default::default(),
        states: MAX_SEARCH_STATES,
        honest: Vec::new(),
        scheduled: Vec::new(),
    };
    let began = Instant::now();
    let goals = protocol.goals.iter();
    let states = goals.map(|goal| search(protocol, goal, &bounds, &|| false, &mut |_| true).states).sum();
    (began.elapsed().as_secs_f64() * 1000.0, states)
}
