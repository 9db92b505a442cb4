//! The power fails at any write or sync: what was acknowledged is there, nothing is half
//! there, and the owner is never locked out.

use std::sync::Arc;

use mallory::vault::{AuditHead, Changes, FileStore, MemoryAnchor, Visitor};
use rand::RngExt as _;

use super::memory_file::{MemoryFile, Power, PoweredAnchor};
use super::*;

/// Crashes, in two halves that run side by side.
const POINTS: u64 = 1_050;
const KEYS: [&str; 2] = ["a", "b"];

/// What can be seen of a vault; the head of the audit log covers every answer.
#[derive(Clone, PartialEq, Debug)]
struct Seen {
    keys: Vec<Option<Key>>,
    audit: AuditHead,
}

fn look<S: Store, E: Entropy>(vault: &Vault<S, E>) -> Seen {
    Seen {
        keys: KEYS.iter().map(|name| vault.key(name).ok().cloned()).collect(),
        audit: vault.audit_head().expect("it is unsealed"),
    }
}

fn operations() -> Vec<Operation> {
    let generate = |key: &str, kind, usage| Operation::Generate {
        key: key.to_owned(),
        spec: KeySpec::new(kind, usage, "alice"),
    };
    let encrypt = || Operation::Encrypt {
        key: "a".to_owned(),
        version: None,
        plaintext: b"text".into(),
        context: b"".into(),
    };
    let rotate = |key: &str| Operation::Rotate { key: key.to_owned() };
    vec![
        generate("a", KeyKind::Aes256, Usage::Encrypt),
        encrypt(),
        generate("b", KeyKind::Ed25519, Usage::Sign),
        rotate("a"),
        encrypt(),
        step("b", Transition::Suspend),
        Operation::Trim { key: "a".to_owned(), below: 2 },
        rotate("b"), // refused, and recorded
        step("b", Transition::Resume),
        Operation::Configure {
            key: "a".to_owned(),
            changes: Changes { max_operations: Some(9), ..Changes::default() },
        },
        step("b", Transition::Destroy),
        encrypt(),
    ]
}

/// After so many operations the vault is closed and opened again.
const REOPEN_AFTER: usize = 6;

/// Plays until the end or until the power fails, and notes what was acknowledged.
fn play(file: &MemoryFile, anchor: &PoweredAnchor, acknowledged: &mut Vec<Seen>) -> Option<()> {
    let store = FileStore::create_with(Arc::new(file.clone()), anchor.clone()).ok()?;
    let mut vault = Vault::create(store, BY_PASSPHRASE, "root", START).ok()?;
    acknowledged.push(look(&vault));
    for (n, operation) in operations().iter().enumerate() {
        if n == REOPEN_AFTER {
            vault.close().ok()?;
            let store = FileStore::open_with(Arc::new(file.clone()), anchor.clone()).ok()?;
            vault = Vault::open(store).ok()?;
            unseal(&mut vault).ok()?;
        }
        let answer = vault.perform("alice", operation, Care::default(), START);
        if matches!(answer, Err(Reason::AuditUnavailable | Reason::OutcomeUnknown)) {
            return None;
        }
        acknowledged.push(look(&vault));
    }
    vault.close().ok()
}

fn reopen(file: &MemoryFile, anchor: &PoweredAnchor) -> Result<Vault<FileStore>, Reason> {
    let mut vault = Vault::open(FileStore::open_with(Arc::new(file.clone()), anchor.clone())?)?;
    assert_eq!(vault.unseal(Unsealing::Passphrase(b"a guess")), Err(Reason::DecryptFailed));
    unseal(&mut vault)?;
    Ok(vault)
}

#[test]
fn every_acknowledged_operation_survives_any_crash() {
    crash_at(0..POINTS / 2);
}

#[test]
fn every_acknowledged_operation_survives_any_other_crash() {
    crash_at(POINTS / 2..POINTS);
}

fn crash_at(points: std::ops::Range<u64>) {
    let mut whole = Vec::new();
    let power = Power::stays();
    let anchor = |memory: &MemoryAnchor, power: &Power, last_is_made| PoweredAnchor {
        memory: memory.clone(),
        power: power.clone(),
        last_is_made,
    };
    play(&MemoryFile::new(Vec::new(), &power), &anchor(&MemoryAnchor::default(), &power, true), &mut whole)
        .expect("there is power");
    assert_eq!(whole.len(), operations().len() + 1);
    let steps = u64::MAX - power.left();

    let mut unacknowledged_creations = 0;
    let mut seen_in_flight = 0;
    for point in points.clone() {
        let mut rng = stream(point, &["crash point"]);
        let power = Power::fails_after(1 + point % steps);
        let memory = MemoryAnchor::default();
        let last_is_made = rng.random_bool(0.5);
        let mut file = MemoryFile::new(Vec::new(), &power);
        let mut acknowledged = Vec::new();
        play(&file, &anchor(&memory, &power, last_is_made), &mut acknowledged);
        let point = format!("point {point}, {} acknowledged", acknowledged.len());

        // Recovery may fail once more, and then it succeeds.
        if rng.random_bool(0.3) {
            let power = Power::fails_after(rng.random_range(1..20));
            let again = MemoryFile::new(file.after_crash(&mut rng), &power);
            drop(reopen(&again, &anchor(&memory, &power, last_is_made)));
            file = again;
        }
        let power = Power::stays();
        let file = MemoryFile::new(file.after_crash(&mut rng), &power);
        let anchor = anchor(&memory, &power, true);
        let vault = match reopen(&file, &anchor) {
            Ok(vault) => vault,
            Err(reason) => {
                assert_eq!(acknowledged, [], "{point}: {reason}");
                // Nobody was told that there is a vault, so one can be made in its place.
                let store = FileStore::create_with(Arc::new(file.clone()), anchor.clone());
                let store = store.unwrap_or_else(|reason| panic!("{point}: {reason}"));
                let made = Vault::create(store, BY_PASSPHRASE, "root", START);
                let vault = made.unwrap_or_else(|reason| panic!("{point}: {reason}"));
                vault.close().unwrap_or_else(|reason| panic!("{point}: {reason}"));
                drop(reopen(&file, &anchor).unwrap_or_else(|reason| panic!("{point}: {reason}")));
                unacknowledged_creations += 1;
                continue;
            }
        };
        assert_eq!(acknowledged, whole[..acknowledged.len()], "{point}");
        let now = look(&vault);
        // The one in flight is there whole, or not at all.
        let n = whole.iter().position(|seen| *seen == now).unwrap_or_else(|| panic!("{point}: {now:?}"));
        assert!((acknowledged.len()..=acknowledged.len() + 1).contains(&(n + 1)), "{point}: at {n}");
        seen_in_flight += usize::from(n + 1 > acknowledged.len());
        assert_eq!(vault.verify_audit(), Ok(now.audit), "{point}");
        // Now and then, it goes on from there as if nothing had happened.
        if rng.random_bool(0.75) {
            continue;
        }
        vault.close().unwrap_or_else(|reason| panic!("{point}: {reason}"));
        drop(reopen(&file, &anchor).unwrap_or_else(|reason| panic!("{point}: {reason}")));
    }
    println!(
        "crashes {points:?} over {steps} steps; {seen_in_flight} with the operation in flight, \
         {unacknowledged_creations} before there was a vault"
    );
    assert!(seen_in_flight > 0 && unacknowledged_creations > 0, "the crashes reach both");
}

/// The power is there, the disk is full for a while: nothing changes, and then it goes on.
#[test]
fn an_operation_that_cannot_be_recorded_changes_nothing() {
    let full = std::rc::Rc::new(std::cell::Cell::new(Failure::None));
    let store = Flaky { rows: MemoryStore::default(), failure: full.clone() };
    let mut desk = Desk::create(store);
    desk.generate("a", KeyKind::Aes256, Usage::Encrypt);
    let before = look(&desk.vault);
    full.set(Failure::Before);
    assert_eq!(desk.try_do(&Operation::Rotate { key: "a".to_owned() }), Err(Reason::AuditUnavailable));
    assert_eq!(desk.encrypt("a", b"x"), Err(Reason::AuditUnavailable));
    assert_eq!(look(&desk.vault), before);
    full.set(Failure::None);
    assert_eq!(desk.rotate("a"), 2);
    // The other way round: it was written, and nobody heard.
    full.set(Failure::After);
    assert_eq!(desk.try_do(&Operation::Rotate { key: "a".to_owned() }), Err(Reason::OutcomeUnknown));
    assert_eq!(desk.try_do(&Operation::List {}), Err(Reason::AuditUnavailable), "which changes nothing");
    full.set(Failure::None);
    assert_eq!(desk.rotate("a"), 4);
    assert_eq!(desk.vault.verify_audit().map(|head| head.records), Ok(6));
}

/// A new seal was written, and nobody heard: what comes after is under the new one.
#[test]
fn a_seal_that_became_durable_unheard_is_the_seal() {
    let failure = std::rc::Rc::new(std::cell::Cell::new(Failure::None));
    let store = Flaky { rows: MemoryStore::default(), failure: failure.clone() };
    let mut desk = Desk::create(store);
    desk.generate("a", KeyKind::Aes256, Usage::Encrypt);
    let how = Sealing::Passphrase { passphrase: b"another", cost: CHEAP };
    for (fails, opens) in [(Failure::Before, PASSPHRASE), (Failure::After, b"another")] {
        failure.set(fails);
        let answer = desk.vault.reseal(how, "root", START);
        let told = if fails == Failure::Before { Reason::AuditUnavailable } else { Reason::OutcomeUnknown };
        assert_eq!(answer, Err(told));
        failure.set(Failure::None);
        desk.encrypt("a", b"x").expect("an active key encrypts");
        let rows = desk.vault.store().rows.clone();
        let mut copy = Vault::open(rows).expect("a vault");
        assert_eq!(copy.unseal(Unsealing::Passphrase(opens)), Ok(()));
        assert_eq!(copy.verify_audit(), desk.vault.audit_head());
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Failure {
    None,
    Before,
    After,
}

struct Flaky {
    rows: MemoryStore,
    failure: std::rc::Rc<std::cell::Cell<Failure>>,
}

impl Store for Flaky {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Reason> {
        self.rows.get(key)
    }

    fn visit(&self, from: &[u8], to: &[u8], visit: &mut Visitor) -> Result<(), Reason> {
        self.rows.visit(from, to, visit)
    }

    fn apply(&mut self, batch: mallory::vault::Batch, mark: mallory::vault::Mark) -> Result<(), Reason> {
        match self.failure.get() {
            Failure::None => self.rows.apply(batch, mark),
            Failure::Before => Err(Reason::VaultUnavailable),
            Failure::After => {
                self.rows.apply(batch, mark)?;
                Err(Reason::OutcomeUnknown)
            }
        }
    }

    fn anchored(&self) -> Result<Option<mallory::vault::Mark>, Reason> {
        self.rows.anchored()
    }

    fn catch_up(&mut self, mark: mallory::vault::Mark) -> Result<(), Reason> {
        self.rows.catch_up(mark)
    }

    fn close(&mut self) -> Result<(), Reason> {
        self.rows.close()
    }
}
