//! Files that ask for too much: in every dimension in which a file can, at random. Each must end
//! soon, in little memory, and say which limit it met: exit code 0 within all limits, 2 where
//! the file says too much, 3 where a play met a limit. `MALLORY_EXCESS_CASES` is how many are
//! tried, `MALLORY_EXCESS_SEED` the first one's number; by default it changes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Address space of a process, in KiB: 1 GiB of memory, and what threads reserve beside it.
const MEMORY_KIB: u64 = 1_500_000;
/// What a play may take in a release build.
const SECONDS: u64 = 10;

/// A small generator (splitmix64), so that a case's number is all that it takes to repeat it.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number up to `most`, each of its last twelve doublings alike.
    fn size(&mut self, most: u64) -> u64 {
        (most >> (self.next() % 12)).max(1)
    }
}

const RUN: &str = "[[run]]\nA = \"alice\"\nB = \"bob\"\n";
const PKI: &str = "[protocol]\nmessages = [\"A -> B : A, Na, sign(sk(A), B, Na), cert(A)\"]\nfresh = { A = [\"Na: nonce\"] }\n";

fn plain(part: &str, more: &str) -> String {
    format!(
        "[protocol]\nmessages = ['A -> B : A, {part}', 'B -> A : Nb']\ngoals = [\"secret Na\", \"A authenticates B on Nb\"]\nfresh = {{ A = [\"Na: nonce\"], B = [\"Nb: nonce\"] }}\n{more}\n{RUN}"
    )
}

fn times(what: &str, count: u64) -> String {
    vec![what; count as usize].join(", ")
}

/// One file, and what it is about.
fn file(dice: &mut Dice) -> (&'static str, String) {
    let n = dice.next() % 20;
    match n {
        0 => {
            let (width, fields) = (dice.size(1 << 26), dice.size(2_000));
            let untagged = format!("[encoding]\nkind = \"untagged\"\nname = {width}\n");
            ("wide fields", format!("{untagged}{}", plain(&times("A", fields), "")))
        }
        1 => {
            let text = format!("\"{}\"", "x".repeat(dice.size(100_000) as usize));
            ("long texts", plain(&times(&text, dice.size(4_000).min(900_000 / text.len() as u64 + 1)), ""))
        }
        2 => {
            let depth = dice.size(200) as usize;
            ("depth", plain(&format!("{}Na{}", "{".repeat(depth), "}k(A,B)".repeat(depth)), ""))
        }
        3 => {
            let lets: String =
                (1..=dice.size(60)).map(|n| format!("L{n} = \"kdf(L{}, L{})\"\n", n - 1, n - 1)).collect();
            let last = lets.lines().count();
            let lets = format!("[protocol.let]\nL0 = \"h(Na)\"\n{lets}");
            ("lets that double", plain(&format!("{{Na}}L{last}"), &lets))
        }
        4 => ("runs", format!("{}{}", plain("Na", ""), RUN.repeat(dice.size(20_000) as usize))),
        5 => {
            let count = dice.size(3_000);
            let lines: Vec<String> = (0..count)
                .map(|n| if n % 2 == 0 { "'A -> B : A, Na'" } else { "'B -> A : B, Na'" }.to_owned())
                .collect();
            (
                "lines",
                format!(
                    "[protocol]\nmessages = [{}]\nfresh = {{ A = [\"Na: nonce\"] }}\n{RUN}",
                    lines.join(", ")
                ),
            )
        }
        6 => {
            let words: Vec<String> = (0..dice.size(3_000)).map(|n| format!("\"w{n}\"")).collect();
            let runs: String =
                (0..dice.size(40)).map(|n| format!("[[run]]\nA = \"alice{n}\"\nB = \"bob\"\n")).collect();
            (
                "dictionary",
                format!(
                    "[protocol]\nmessages = [\"A -> B : A, {{Na}}pw(A,B)\"]\nfresh = {{ A = [\"Na: nonce\"] }}\n{runs}[attacker]\ndictionary = [{}]\n",
                    words.join(", ")
                ),
            )
        }
        7 => {
            let every = ["1s", "5s", "1m", "1h"][(dice.next() % 4) as usize];
            let days = dice.size(36_500);
            let what = ["revocation = \"crl\"\nfetch = \"every EVERY\"", "watch_issuance = \"EVERY\""]
                [(dice.next() % 2) as usize];
            (
                "watching",
                format!(
                    "until = \"{days}d\"\n{PKI}[services.ca]\n[parties.bob]\n{}\n{RUN}",
                    what.replace("EVERY", every)
                ),
            )
        }
        8 => {
            let period = ["1s", "10s", "1m", "1h"][(dice.next() % 4) as usize];
            let which = ["crl_period", "delta_period", "ocsp_presign"][(dice.next() % 3) as usize];
            (
                "publications",
                format!(
                    "until = \"{}d\"\n{PKI}[services.ca]\n{which} = \"{period}\"\n[parties.bob]\nrevocation = \"crl\"\nfetch = \"at-publication\"\n{RUN}",
                    dice.size(36_500)
                ),
            )
        }
        9 => (
            "history",
            format!(
                "until = \"1d\"\n{PKI}[services.ca]\ncrl_history = {}\ncrl_period = \"1h\"\n[parties.bob]\nrevocation = \"crl\"\nfetch = \"per-connection\"\n{}",
                dice.size(1_000_000),
                RUN.repeat(dice.size(2_000) as usize)
            ),
        ),
        10 => (
            "guesses",
            format!(
                "[services.kdc.keys]\none_time_codes = [\"alice\"]\nroles = {{ alice = \"operator\" }}\nsecond_factor = [\"rotate\"]\n[[request]]\nat = \"1s\"\nby = \"alice\"\nask = \"generate\"\nkey = \"k\"\n[[request]]\nat = \"1m\"\nby = \"alice\"\nask = \"rotate\"\nkey = \"k\"\ncode = \"guess\"\nattempts = {}\nevery = \"1ms\"\n",
                dice.size(5_000_000)
            ),
        ),
        11 => {
            let rule = [
                "inject 1.1 I(alice) -> bob : alice, N",
                "inject 9.2 I(bob) -> alice : N",
                "duplicate",
                "replay 1s",
                "redirect alice",
            ][(dice.next() % 5) as usize];
            let rules: String = (0..dice.size(40))
                .map(|_| format!("[[attacker.rule]]\nmatch = {{}}\naction = \"{rule}\"\n"))
                .collect();
            (
                "rules",
                format!("{}{}[attacker]\n{rules}", plain("Na", ""), RUN.repeat(dice.size(200) as usize)),
            )
        }
        12 => {
            let tactic = ["mitm", "replay", "reflect", "tamper", "impersonate alice", "eavesdrop"]
                [(dice.next() % 6) as usize];
            (
                "tactics",
                format!(
                    "{}{}[attacker]\ntactic = \"{tactic}\"\n",
                    plain("{Na}k(A,B)", ""),
                    RUN.repeat(dice.size(5_000) as usize)
                ),
            )
        }
        13 => {
            let names: Vec<String> = (0..dice.size(8)).map(|n| format!("x{n}")).collect();
            let declared: Vec<String> = names.iter().map(|n| format!("\"{n}: dh\"")).collect();
            (
                "exponents",
                format!(
                    "[protocol]\nmessages = ['A -> B : A, g^{}']\nfresh = {{ A = [{}] }}\n{RUN}",
                    names.join("^"),
                    declared.join(", ")
                ),
            )
        }
        14 => {
            let count = dice.size(400);
            let names: Vec<String> = (0..count).map(|n| format!("\"N{n}: nonce\"")).collect();
            let sums: Vec<String> = (1..count).map(|n| format!("xor(N{}, N{n})", n - 1)).collect();
            let sums = if sums.is_empty() { "N0".to_owned() } else { sums.join(", ") };
            (
                "sums",
                format!(
                    "[protocol]\nmessages = ['A -> B : A, {sums}', 'A -> B : {{N0}}k(A,B)']\ngoals = [\"secret N0\"]\nfresh = {{ A = [{}] }}\n{}[attacker]\n",
                    names.join(", "),
                    RUN.repeat(dice.size(60) as usize)
                ),
            )
        }
        15 => {
            let hashes: Vec<String> = (0..dice.size(3_000)).map(|n| format!("h(Na, \"{n}\")")).collect();
            (
                "hashes",
                format!(
                    "{}[attacker]\n",
                    plain(
                        &format!("Na, {{Na}}kdf({})", hashes.join(", ")),
                        &RUN.repeat(dice.size(800) as usize)
                    )
                ),
            )
        }
        16 => {
            let variants: String =
                (0..dice.size(300)).map(|n| format!("[variant.v{n}.network]\nlatency = \"1ms\"\n")).collect();
            ("variants", format!("{}{variants}", plain("Na", "")))
        }
        17 => (
            "network",
            format!("[network]\nlatency = \"{}d\"\nduplicate = 1.0\n{}", dice.size(100_000), plain("Na", "")),
        ),
        18 => {
            let runs: String =
                (0..dice.size(3_000)).map(|n| format!("[[run]]\nA = \"a{n}\"\nB = \"b{n}\"\n")).collect();
            ("parties", format!("{PKI}[services.ca]\nintermediates = {}\n{runs}[attacker]\n", dice.size(9)))
        }
        _ => {
            let text = "y".repeat(dice.size(900_000) as usize);
            (
                "given texts",
                format!(
                    "[protocol]\nmessages = ['A -> B : A, {}']\ngiven = {{ A = [\"P: data\"] }}\n[[run]]\nA = \"alice\"\nB = \"bob\"\nP = \"{text}\"\n{}",
                    times("P", dice.size(3_000)),
                    "[attacker]\n"
                ),
            )
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn what_asks_for_too_much_is_told_so_soon_and_in_little_memory() {
    let count = number("MALLORY_EXCESS_CASES").unwrap_or(20);
    #[expect(clippy::disallowed_types, reason = "another seed each time")]
    let clock =
        || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |t| t.as_secs());
    let base = number("MALLORY_EXCESS_SEED").unwrap_or_else(clock);
    println!("MALLORY_EXCESS_SEED={base} MALLORY_EXCESS_CASES={count}");
    // An unoptimised build takes its time.
    let patience = if cfg!(debug_assertions) { SECONDS * 12 } else { SECONDS };
    let dir = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("excess");
    std::fs::create_dir_all(&dir).unwrap();
    let (mut wrong, mut codes) = (Vec::new(), [0_u32; 4]);
    for case in base..base + count {
        let (about, text) = file(&mut Dice(case));
        let path = dir.join(format!("{case}.toml"));
        std::fs::write(&path, text).unwrap();
        let fate = play(&path, patience);
        match &fate {
            Ok((code @ (0 | 2 | 3), took, said)) => {
                codes[*code as usize] += 1;
                if *code != 0 && !said.contains("MAX_") {
                    wrong.push(format!("case {case}, {about}: exit {code} without a limit's name: {said}"));
                }
                println!("case {case}, {about}: exit {code} after {:.1} s", took.as_secs_f64());
            }
            Ok((code, took, said)) => wrong.push(format!(
                "case {case}, {about}: exit {code} after {:.1} s: {}",
                took.as_secs_f64(),
                said.chars().take(600).collect::<String>()
            )),
            Err(why) => wrong.push(format!("case {case}, {about}: {why}; {}", path.display())),
        }
        if fate.is_ok_and(|(code, ..)| matches!(code, 0 | 2 | 3)) {
            let _ = std::fs::remove_file(&path);
        }
    }
    println!(
        "within the limits {}, faults of the file {}, limits of a play {}",
        codes[0], codes[2], codes[3]
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Plays a file within bounds: its exit code, how long it took, and what it said.
#[expect(clippy::disallowed_methods, reason = "it is the time of the machine that is bounded")]
fn play(path: &std::path::Path, patience: u64) -> Result<(i32, Duration, String), String> {
    let begun = Instant::now();
    let command = format!("ulimit -v {MEMORY_KIB}; exec \"$0\" run --quiet \"$1\" 2>&1 >/dev/null");
    let mut child = Command::new("sh")
        .args(["-c", &command, env!("CARGO_BIN_EXE_mallory")])
        .arg(path)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            let mut said = String::new();
            if let Some(mut out) = child.stdout.take() {
                let _ = std::io::Read::read_to_string(&mut out, &mut said);
            }
            return Ok((status.code().unwrap_or(-1), begun.elapsed(), said));
        }
        if begun.elapsed() > Duration::from_secs(patience) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("still at it after {patience} s"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
