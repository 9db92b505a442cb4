//! Files that ask for more and more of one thing, a series for each thing: each must be played,
//! or end with the name of a limit, within ten seconds and a gigabyte.
//!
//! `cargo test --test amounts` plays a sample; with `MALLORY_AMOUNTS=all` every file, and with
//! `MALLORY_AMOUNTS=NAME` those whose name begins so.

#![cfg(target_os = "linux")]

mod asks;
mod protocols;
mod services;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What a file asks for: what, how much of it, and its text.
pub struct Ask {
    what: &'static str,
    amount: String,
    text: String,
}

impl Ask {
    pub fn new(what: &'static str, amount: impl ToString, text: String) -> Ask {
        Ask { what, amount: amount.to_string(), text }
    }

    fn name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        format!("{}-{}", self.what, self.amount.chars().map(plain).collect::<String>())
    }
}

/// Address space in KiB, and seconds of the processor, for the machine may be busy. Without
/// optimisation a play takes several times as long.
const MEMORY: u32 = 1 << 20;
const SECONDS: u32 = if cfg!(debug_assertions) { 60 } else { 10 };
/// In a sample, one file of so many.
const OF: usize = 8;

/// What is wrong with the way in which a file ended.
fn wrong(folder: &Path, ask: &Ask) -> Option<String> {
    let path = folder.join(ask.name()).with_extension("toml");
    fs::write(&path, &ask.text).unwrap();
    let script =
        format!("ulimit -v {MEMORY} && ulimit -t {SECONDS} && exec timeout 120 \"$0\" run -q \"$1\"");
    let output = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_mallory")])
        .arg(&path)
        .env_remove("MALLORY_LOG")
        .env_remove("RUST_BACKTRACE")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let _ = fs::remove_file(&path);
    let end: String =
        said.lines().rev().take(6).map(|line| line.chars().take(200).collect::<String>() + "\n").collect();
    match output.status.code() {
        Some(0) => None,
        // A limit has a name; what can never be right says what would be.
        Some(2)
            if ["MAX_", "expected", "at most", "whole seconds", "recursion limit", "cannot recurse"]
                .iter()
                .any(|w| said.contains(w)) =>
        {
            None
        }
        Some(3) if said.contains("the limit ") => None,
        Some(code) => Some(format!("ended with {code}:\n{end}")),
        None => Some(format!("was killed after {SECONDS} s or for memory:\n{end}")),
    }
}

fn asks() -> Vec<Ask> {
    let mut all = protocols::asks();
    all.extend(services::asks());
    all.extend(asks::asks());
    let wanted = std::env::var("MALLORY_AMOUNTS").unwrap_or_default();
    let mut nth = 0;
    all.retain(|ask| {
        nth += 1;
        match wanted.as_str() {
            "" => nth % OF == 0,
            "all" => true,
            name => ask.name().starts_with(name),
        }
    });
    all
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("amounts");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn ends_at_the_longest_message(name: &str, text: String) {
    let path = folder().join(name);
    fs::write(&path, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mallory")).args(["run", "-q"]).arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("the limit MAX_MESSAGE_BYTES"), "{said}");
}

#[test]
fn a_message_made_of_whole_messages_ends_the_play_by_the_limits_name() {
    ends_at_the_longest_message("grows.toml", protocols::swollen(12));
}

#[test]
fn what_she_has_no_room_to_compare_with_is_no_mismatch() {
    ends_at_the_longest_message("compared.toml", protocols::compared_with_whole_messages());
}

#[test]
fn no_file_asks_for_more_than_there_is() {
    let (folder, asks) = (folder(), asks());
    assert!(!asks.is_empty(), "MALLORY_AMOUNTS is `all` or the beginning of a file's name");
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(ask) = asks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(wrong) = wrong(&folder, ask) {
                        let wrong = format!("{} {wrong}", ask.name());
                        found.lock().unwrap_or_else(PoisonError::into_inner).push(wrong);
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    assert!(found.is_empty(), "{} of {} files:\n{}", found.len(), asks.len(), found.join("\n"));
}
