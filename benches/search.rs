//! What a search for attacks takes, without the plays that confirm what it finds: milliseconds and
//! states for single protocols, and for the library with two runs; then the library with the plays,
//! and the memory that all of it took.
//!
//! `cargo bench --bench search` prints it; docs/PERFORMANCE.md keeps a copy. With names of protocols
//! after `--` it is about these; with `each` about every one of the library by itself.

#![expect(clippy::disallowed_methods, reason = "a benchmark looks at the real clock")]

use std::time::Instant;

use mallory::limits::MAX_SEARCH_STATES;
use mallory::notation::Protocol;
use mallory::scenario::search::Question;
use mallory::scenario::{self, KeyPool, ProtocolFile};
use mallory::search::{Bounds, search};

/// Measurements of each figure; the least counts, since a search does the same each time.
const ROUNDS: usize = 3;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let library: Vec<String> = scenario::protocols().iter().map(|entry| entry.name.to_string()).collect();
    match asked.as_slice() {
        [] => table(&library),
        [each] if each == "each" => library.iter().for_each(|name| row(name, 2, 1)),
        [runs, names @ ..] if runs.parse::<usize>().is_ok() => {
            names.iter().for_each(|name| row(name, runs.parse().unwrap_or(2), ROUNDS));
        }
        names => names.iter().for_each(|name| row(name, 2, ROUNDS)),
    }
}

fn table(library: &[String]) {
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
        row(name, runs, ROUNDS);
    }
    let files: Vec<ProtocolFile> =
        library.iter().map(|name| ProtocolFile::named(name).expect("a protocol of the library")).collect();
    let began = Instant::now();
    let states: u64 = files.iter().map(|file| all_goals(&file.protocol, file, 2).1).sum();
    let ms = began.elapsed().as_secs_f64() * 1000.0;
    println!(
        "{:<18} all goals, 2 runs  {ms:>9.2} ms  {states:>8} states",
        format!("{} protocols", files.len())
    );
    println!("{:>66}", format!("peak memory {} MiB", peak() / 1024));
    let began = Instant::now();
    let (pool, mut attacks) = (KeyPool::default(), 0);
    for name in library {
        let question = Question::of_protocol(name).expect("a protocol of the library");
        for goal in &question.protocol.goals {
            let finding = question.search(goal, 2, &[], &|| false, &pool);
            attacks += usize::from(matches!(finding.result, scenario::search::Found::Attack(_)));
        }
    }
    let ms = began.elapsed().as_secs_f64() * 1000.0;
    println!("{:<18} played, too        {ms:>9.2} ms  {attacks:>8} attacks", "the same");
    println!("{:>66}", format!("peak memory {} MiB", peak() / 1024));
}

fn row(name: &str, runs: usize, rounds: usize) {
    let file = ProtocolFile::named(name).expect("a protocol of the library");
    let (ms, states) = (0..rounds)
        .map(|_| all_goals(&file.protocol, &file, runs))
        .fold((f64::INFINITY, 0), |(least, _), (ms, states)| (least.min(ms), states));
    println!("{name:<18} all goals, {runs} runs  {ms:>9.2} ms  {states:>8} states");
}

/// The most memory that the process had so far, in KiB; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
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
        passwords: Default::default(),
        has_dictionary: false,
    };
    let began = Instant::now();
    let goals = protocol.goals.iter();
    let states = goals.map(|goal| search(protocol, goal, &bounds, &|| false, &mut |_| true).states).sum();
    (began.elapsed().as_secs_f64() * 1000.0, states)
}
