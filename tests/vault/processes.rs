//! Vaults in real files, in other processes: some are killed, some open one vault at once.
//! Nobody is locked out, and nothing is lost.
//!
//! A test starts this very binary again, with a task in its environment. `VAULT_KILLS` and
//! `VAULT_RACES` say how many times; the record is 1,000 and 200.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mallory::crypto::Share;
use mallory::vault::{Ceremony, FileAnchor, FileStore, System};
use rand::RngExt as _;

use super::file::Folder;
use super::*;

type FileVault = Vault<FileStore, System>;

/// Which task a started process has, and where.
const TASK: &str = "VAULT_TASK";
const PLACE: &str = "VAULT_PLACE";
const THRESHOLD: u8 = 2;
const CUSTODIANS: u8 = 3;

fn times(variable: &str, ordinary: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(ordinary)
}

/// Starts this binary for one task.
fn start(task: &str, place: &Path) -> Child {
    Command::new(std::env::current_exe().expect("a test is a file"))
        .args(["processes::a_started_process", "--exact", "--nocapture", "--test-threads=1"])
        .env(TASK, task)
        .env(PLACE, place)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary is there")
}

/// No test: what a started process does.
#[test]
fn a_started_process() {
    let (Ok(task), Ok(place)) = (std::env::var(TASK), std::env::var(PLACE)) else { return };
    let place = PathBuf::from(place);
    match task.as_str() {
        "reseal" => reseal_for_ever(&place),
        "create" => create(&place),
        "open" => open_once(&place),
        other => panic!("no task `{other}`"),
    }
}

fn paths(place: &Path) -> (PathBuf, FileAnchor) {
    (place.join("keys.vault"), FileAnchor::new(place.join("keys.anchor")))
}

/// The shares of the `n`-th ceremony, as their custodians have them.
fn hand_out(place: &Path, n: u64, shares: &[Share]) {
    for (custodian, share) in shares.iter().enumerate() {
        let path = place.join(format!("custodian-{custodian}-{n}"));
        let mut file = fs::File::create(path).expect("a custodian writes it down");
        file.write_all(&share.to_bytes()).and_then(|()| file.sync_all()).expect("it writes");
    }
}

fn bring_back(place: &Path, n: u64) -> Option<Vec<Share>> {
    let read = |custodian: u8| fs::read(place.join(format!("custodian-{custodian}-{n}"))).ok();
    (0..CUSTODIANS).map(|custodian| Share::from_bytes(&read(custodian)?).ok()).collect()
}

/// How many ceremonies have begun.
fn ceremonies(place: &Path) -> u64 {
    (0..).take_while(|n| place.join(format!("custodian-0-{n}")).exists()).count() as u64
}

/// Opens the vault with the newest shares that open it.
fn unsealed_by_shares(place: &Path) -> Result<(FileVault, u64), Reason> {
    let (file, anchor) = paths(place);
    let mut vault = Vault::open(FileStore::open(file, anchor)?)?;
    for n in (0..ceremonies(place)).rev() {
        let Some(shares) = bring_back(place, n) else { continue };
        match vault.unseal(Unsealing::Shares(&shares[1..])) {
            Err(Reason::DecryptFailed) => {}
            other => return other.map(|()| (vault, n)),
        }
    }
    Err(Reason::DecryptFailed)
}

fn reseal_to_new_shares(vault: &mut FileVault, place: &Path) -> Result<(), Reason> {
    let n = ceremonies(place);
    let ceremony = Ceremony::new(THRESHOLD, CUSTODIANS)?;
    hand_out(place, n, ceremony.shares());
    let brought = bring_back(place, n).expect("every custodian has one");
    let held = ceremony.confirm(&brought[..usize::from(THRESHOLD)])?;
    vault.reseal(Sealing::Shares(&held), "root", START)
}

/// Writes a line that whoever started this process sees.
fn say(what: &str) {
    println!("{what}");
    std::io::stdout().flush().expect("somebody listens");
}

fn reseal_for_ever(place: &Path) {
    let (mut vault, _) = unsealed_by_shares(place).expect("it opens");
    say("open");
    for _ in 0..10_000 {
        reseal_to_new_shares(&mut vault, place).expect("nothing is in the way");
        let generate = Operation::Generate {
            key: format!("key-{}", ceremonies(place)),
            spec: KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice"),
        };
        vault.perform("alice", &generate, Care::default(), START).expect("nothing is in the way");
        say(&format!("acknowledged {} {}", ceremonies(place), vault.audit_head().expect("open").records));
    }
}

/// Whatever was acknowledged in the lines that a process wrote before it was killed: how many
/// ceremonies there had been, and how many audit records.
fn acknowledged(lines: &[String]) -> Option<(u64, u64)> {
    lines.iter().rev().find_map(|line| {
        let (ceremonies, records) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
        Some((ceremonies.parse().ok()?, records.parse().ok()?))
    })
}

/// When to kill: at random, and as long after the beginning as it takes on this machine to hit
/// both sides of a change.
struct Moments {
    rng: Rng,
    longest: Duration,
}

impl Moments {
    fn new(label: &str) -> Moments {
        Moments { rng: rng(label), longest: Duration::from_millis(20) }
    }

    fn next(&mut self) -> Duration {
        self.longest.mul_f64(self.rng.random_range(0.0..1.0))
    }

    /// Takes into account on which side the last one fell.
    fn note(&mut self, came_too_late: bool) {
        self.longest = self.longest.mul_f64(if came_too_late { 0.8 } else { 1.25 });
    }
}

/// Waits for the process to say that it is `ready`, kills it a while later, and answers all that
/// it said.
fn kill_after(mut child: Child, ready: &str, while_: Duration) -> Vec<String> {
    let out = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut lines = out.lines().map_while(Result::ok);
    let mut said: Vec<String> = lines.by_ref().take_while(|line| !line.contains(ready)).collect();
    std::thread::sleep(while_);
    child.kill().expect("it runs");
    child.wait().expect("it was started here");
    said.extend(lines);
    said
}

#[test]
fn whoever_is_killed_while_resealing_locks_nobody_out() {
    let kills = times("VAULT_KILLS", 40);
    let (mut before, mut after, mut records) = (0, 0, 0);
    let mut moments = Moments::new("kills");
    let mut folder = None;
    for kill in 0..kills {
        // A new vault now and then: what is sealed anew for ever grows.
        let folder = match &folder {
            Some(folder) if kill % 20 != 0 => folder,
            _ => folder.insert(sealed_under_shares(&format!("kills-{kill}"))),
        };
        let place = &folder.0;
        let moment = moments.next();
        let said = kill_after(start("reseal", place), "open", moment);
        let (mut vault, opened_by) = unsealed_by_shares(place)
            .unwrap_or_else(|reason| panic!("kill {kill} after {moment:?}: {reason}, {said:?}"));
        let head = vault.verify_audit().unwrap_or_else(|reason| panic!("kill {kill}: {reason}"));
        if let Some((ceremonies, acknowledged)) = acknowledged(&said) {
            assert!(opened_by + 1 >= ceremonies, "kill {kill}: the seal that was acknowledged, or a newer");
            assert!(head.records >= acknowledged, "kill {kill}: nothing acknowledged is lost");
            assert!(vault.key(&format!("key-{ceremonies}")).is_ok(), "kill {kill}");
        }
        let is_newest = opened_by + 1 == ceremonies(place);
        *(if is_newest { &mut after } else { &mut before }) += 1;
        moments.note(acknowledged(&said).is_some());
        records = records.max(head.records);
        // It goes on from there.
        reseal_to_new_shares(&mut vault, place).expect("nothing is in the way");
        if kill % 2 == 0 {
            vault.close().expect("it closes");
        }
    }
    println!("{kills} kills: {before} left the older seal, {after} the newest; 0 locked out, 0 lost");
    assert!(before > 0 && after > 0, "kills come on both sides of the change");
}

fn sealed_under_shares(name: &str) -> Folder {
    let folder = Folder::new(name);
    let (file, anchor) = paths(&folder.0);
    let ceremony = Ceremony::new(THRESHOLD, CUSTODIANS).expect("a permitted scheme");
    hand_out(&folder.0, 0, ceremony.shares());
    let held = ceremony.confirm(ceremony.shares()).expect("all of them");
    let store = FileStore::create(file, anchor).expect("an empty folder");
    let vault = Vault::create(store, Sealing::Shares(&held), "root", START).expect("an empty store");
    vault.close().expect("it closes");
    folder
}

fn create(place: &Path) {
    say("open");
    let (file, anchor) = paths(place);
    let store = FileStore::create(file, anchor).expect("nobody was told of a vault");
    Vault::create(store, BY_PASSPHRASE, "root", START)
        .expect("nothing is in the way")
        .close()
        .expect("closes");
    say("acknowledged 0 1");
}

#[test]
fn whoever_is_killed_while_creating_leaves_a_vault_or_room_for_one() {
    let kills = times("VAULT_KILLS", 40) / 2;
    let mut moments = Moments::new("creating");
    let (mut made, mut anew) = (0, 0);
    for kill in 0..kills {
        let folder = Folder::new(&format!("creating-{kill}"));
        let moment = moments.next();
        let said = kill_after(start("create", &folder.0), "open", moment);
        let (file, anchor) = paths(&folder.0);
        let opened = folder.open();
        moments.note(opened.is_ok());
        if let Ok(vault) = opened {
            made += 1;
            vault.close().expect("it closes");
            assert_eq!(FileStore::create(file, anchor).err(), Some(Reason::VaultUnavailable));
        } else {
            anew += 1;
            assert_eq!(acknowledged(&said), None, "kill {kill} after {moment:?}");
            create(&folder.0);
        }
        drop(folder.open().unwrap_or_else(|reason| panic!("kill {kill} after {moment:?}: {reason}")));
    }
    println!("{kills} kills: {made} left a vault, {anew} room for one");
    assert!(made > 0 && anew > 0, "kills come on both sides of the change");
}

/// Opens the vault when it is told to, as all others are, and makes a key in it.
fn open_once(place: &Path) {
    say("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("somebody says go");
    let (file, anchor) = paths(place);
    let open = || {
        let mut vault = Vault::open(FileStore::open(file, anchor)?)?;
        unseal(&mut vault)?;
        let name = format!("key-{}", vault.audit_head()?.records);
        let spec = KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice");
        vault.perform("alice", &Operation::Generate { key: name.clone(), spec }, Care::default(), START)?;
        // Half of them stop without closing.
        if line.trim() == "close" {
            vault.close()?;
        }
        Ok(name)
    };
    match open() {
        Ok(name) => say(&format!("made {name}")),
        Err(reason) => say(&format!("refused {}", Reason::word(reason))),
    }
}

/// Whoever comes second is told that it is taken; the vault and its anchor stay whole.
#[test]
fn six_processes_that_open_one_vault_do_not_harm_it() {
    let races = times("VAULT_RACES", 10);
    let (mut opened, mut refused) = (0, 0);
    for race in 0..races {
        let folder = Folder::new(&format!("race-{race}"));
        folder.create().vault.close().expect("it closes");
        let mut children: Vec<Child> = (0..6).map(|_| start("open", &folder.0)).collect();
        let mut outs: Vec<_> = children
            .iter_mut()
            .map(|child| BufReader::new(child.stdout.take().expect("it is piped")).lines())
            .collect();
        for out in &mut outs {
            assert!(out.by_ref().map_while(Result::ok).any(|line| line.contains("ready")));
        }
        for (n, child) in children.iter_mut().enumerate() {
            let go: &[u8] = if n % 2 == 0 { b"close\n" } else { b"stop\n" };
            child.stdin.take().expect("it is piped").write_all(go).expect("it waits");
        }
        let said: Vec<String> = outs.into_iter().flatten().map_while(Result::ok).collect();
        children.iter_mut().for_each(|child| drop(child.wait()));
        let made: Vec<&str> =
            said.iter().filter_map(|line| line.split_once("made ").map(|(_, name)| name)).collect();
        let told = said.iter().filter(|line| line.contains("refused")).count();
        let busy = said.iter().filter(|line| line.contains("refused vault-unavailable")).count();
        assert_eq!((made.len() + told, told), (6, busy), "race {race}: {said:?}");
        let vault = folder.open().unwrap_or_else(|reason| panic!("race {race}: {reason}, {said:?}"));
        for name in &made {
            assert!(vault.key(name).is_ok(), "race {race}: {name} is lost, {said:?}");
        }
        assert_eq!(vault.verify_audit().map(|head| head.records), Ok(1 + made.len() as u64));
        opened += made.len();
        refused += busy;
    }
    println!("{races} races of six: {opened} opened and made a key, {refused} were told that it is taken");
    assert!(opened > 0 && refused > 0, "they meet");
}
