//! What time does to keys, limits of use, and destruction.

use mallory::vault::{Changes, Settings};

use super::*;

fn later(days: u64) -> UnixNanos {
    START.after(Span(days * DAY.0))
}

#[test]
fn a_key_becomes_active_when_its_time_comes() {
    let mut desk = desk();
    desk.generate_as(
        "k",
        KeySpec { activate_at: Some(later(3)), ..KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice") },
    );
    assert_eq!(desk.encrypt("k", b"x"), Err(Reason::KeyNotActive));
    desk.now = later(3);
    assert!(desk.encrypt("k", b"x").is_ok());
    let key = desk.key("k");
    let change = key.history.first().expect("it was activated");
    assert_eq!((change.at, change.actor.as_str()), (later(3), "vault"));
    assert_eq!(key.latest().since, later(3), "its cryptoperiod begins then");
}

#[test]
fn cryptoperiods_end() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    desk.configure("k", |settings| {
        settings.originator_period = Some(Span(10 * DAY.0));
        settings.recipient_period = Some(Span(30 * DAY.0));
    });
    let ciphertext = desk.encrypt("k", b"text").expect("an active key encrypts");
    desk.now = UnixNanos(later(10).0 - 1);
    assert!(desk.encrypt("k", b"x").is_ok());
    desk.now = later(10);
    assert_eq!(desk.encrypt("k", b"x"), Err(Reason::KeyExpired));
    assert_eq!(desk.key("k").state, KeyState::Deactivated);
    assert_eq!(desk.decrypt(&ciphertext), Ok(b"text".to_vec()));
    desk.now = later(30);
    assert_eq!(desk.decrypt(&ciphertext), Err(Reason::KeyExpired));
    // A clock that goes back does not bring a key back.
    desk.now = START;
    assert_eq!(desk.encrypt("k", b"x"), Err(Reason::KeyExpired));
}

#[test]
fn keys_rotate_by_time_and_by_use() {
    let mut desk = desk();
    desk.generate("timed", KeyKind::Aes256, Usage::Encrypt);
    desk.configure("timed", |settings| settings.auto_rotate_period = Some(DAY));
    desk.now = UnixNanos(later(1).0 - 1);
    assert_eq!(desk.vault.tick(desk.now), Ok(vec![]));
    desk.now = later(1);
    assert_eq!(desk.vault.tick(desk.now), Ok(vec!["timed".to_owned()]));
    assert_eq!(desk.key("timed").latest().number, 2);
    desk.now = later(9);
    assert!(desk.encrypt("timed", b"x").is_ok());
    assert_eq!(desk.key("timed").latest().number, 3, "once, however late");

    desk.generate("counted", KeyKind::Aes256, Usage::Encrypt);
    desk.configure("counted", |settings| settings.max_operations = Some(2));
    assert!(desk.encrypt("counted", b"x").is_ok());
    let ciphertext = desk.encrypt("counted", b"x").expect("the second");
    assert_eq!(desk.encrypt("counted", b"x"), Err(Reason::KeyUsageLimit));
    assert_eq!(desk.decrypt(&ciphertext), Ok(b"x".to_vec()), "processing is not counted");
    desk.configure("counted", |settings| settings.rotate_when_used_up = true);
    assert!(desk.encrypt("counted", b"x").is_ok());
    assert_eq!(desk.key("counted").latest().number, 2);
}

#[test]
fn rotation_begins_a_new_cryptoperiod() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    desk.configure("k", |settings| {
        settings.originator_period = Some(Span(10 * DAY.0));
        settings.auto_rotate_period = Some(Span(5 * DAY.0));
    });
    for day in [4, 8, 12, 16, 20] {
        desk.now = later(day);
        assert!(desk.encrypt("k", b"x").is_ok(), "day {day}");
    }
    assert_eq!(desk.key("k").state, KeyState::Active);
}

#[test]
fn destruction_waits_and_can_be_cancelled() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    let ciphertext = desk.encrypt("k", b"text").expect("an active key encrypts");
    let schedule = step("k", Transition::ScheduleDestruction);
    desk.must(&schedule);
    assert_eq!(desk.key("k").destroy_at, Some(later(7)));
    assert_eq!(desk.decrypt(&ciphertext), Err(Reason::PendingDestruction));
    desk.now = UnixNanos(later(7).0 - 1);
    desk.must(&step("k", Transition::CancelDestruction));
    assert_eq!(desk.key("k").state, KeyState::Suspended, "cancelled is not active again");
    assert_eq!(desk.encrypt("k", b"x"), Err(Reason::KeySuspended));
    desk.must(&step("k", Transition::Resume));
    assert_eq!(desk.decrypt(&ciphertext), Ok(b"text".to_vec()));
    assert!(desk.encrypt("k", b"x").is_ok());
    desk.now = later(10);
    desk.must(&schedule);
    desk.now = later(17);
    assert_eq!(desk.decrypt(&ciphertext), Err(Reason::KeyDestroyed));
    assert_eq!(desk.try_do(&step("k", Transition::CancelDestruction)), Err(Reason::InvalidTransition));
    // Metadata stays, the secret does not, not even for who leaves the states out.
    assert_eq!(desk.key("k").state, KeyState::Destroyed);
    let careless = Care { key_state: false, ..Care::default() };
    let decrypt = Operation::Decrypt {
        ciphertext: ciphertext.as_slice().into(),
        context: b"context".into(),
        accept_risk: true,
    };
    let answer = desk.vault.perform("alice", &decrypt, careless, desk.now);
    assert_eq!(answer, Err(Reason::KeyDestroyed));
}

#[test]
fn deleting_a_copy_is_not_revoking() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    let ciphertext = desk.encrypt("k", b"text").expect("an active key encrypts");
    desk.must(&step("k", Transition::Compromise));
    assert_eq!(desk.encrypt("k", b"x"), Err(Reason::KeyCompromised));
    assert_eq!(desk.decrypt(&ciphertext), Err(Reason::KeyCompromised));
    let at_risk = Operation::Decrypt {
        ciphertext: ciphertext.as_slice().into(),
        context: b"context".into(),
        accept_risk: true,
    };
    assert_eq!(desk.must(&at_risk), Response::Plaintext(b"text".into()));
    desk.generate("successor", KeyKind::Aes256, Usage::Encrypt);
    assert!(desk.encrypt("successor", b"text").is_ok());
}

#[test]
fn settings_that_lock_everybody_out_are_refused() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    let good = desk.key("k").spec.settings;
    for settings in [
        mallory::vault::Settings { min_encryption: 2, ..good },
        mallory::vault::Settings { min_decryption: 2, ..good },
        // It would encrypt on the second day what it may no longer decrypt.
        mallory::vault::Settings {
            originator_period: Some(Span(2 * DAY.0)),
            recipient_period: Some(DAY),
            ..good
        },
    ] {
        let changes = settings.into();
        let operation = Operation::Configure { key: "k".to_owned(), changes };
        assert_eq!(desk.try_do(&operation), Err(Reason::InvalidSettings), "{settings:?}");
    }
    for settings in [
        mallory::vault::Settings { max_operations: Some(0), ..good },
        mallory::vault::Settings { auto_rotate_period: Some(Span(0)), ..good },
    ] {
        let spec = KeySpec { settings, ..KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice") };
        let operation = Operation::Generate { key: "l".to_owned(), spec };
        assert_eq!(desk.try_do(&operation), Err(Reason::InvalidSettings), "{settings:?}");
    }
}

#[test]
fn what_is_not_named_stays_as_it_is() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    let settings = |desk: &Desk<MemoryStore>| desk.key("k").spec.settings;
    let mut change = |changes| {
        desk.must(&Operation::Configure { key: "k".to_owned(), changes });
        settings(&desk)
    };
    let first =
        change(Changes { max_operations: Some(1), auto_rotate_period: Some(DAY), ..Changes::default() });
    assert_eq!((first.max_operations, first.auto_rotate_period), (Some(1), Some(DAY)));
    let second = change(Changes { min_encryption: Some(1), ..Changes::default() });
    assert_eq!(second, mallory::vault::Settings { min_encryption: 1, ..first });
    let third = change(Changes { max_operations: Some(0), ..Changes::default() });
    assert_eq!(third, mallory::vault::Settings { max_operations: None, ..second });
    let last = change(mallory::vault::Settings::default().into());
    assert_eq!(last, mallory::vault::Settings::default());
}

/// Every key has its time; what others are due for is done before anything is asked of one.
#[test]
fn what_is_due_is_done_in_its_order_whatever_is_asked() {
    let mut desk = desk();
    for (name, day) in [("c", 1), ("a", 3), ("b", 2)] {
        let spec = KeySpec {
            activate_at: Some(later(day)),
            ..KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice")
        };
        desk.generate_as(name, spec);
    }
    desk.generate("d", KeyKind::Aes256, Usage::Encrypt);
    desk.configure("d", |settings| settings.auto_rotate_period = Some(Span(2 * DAY.0)));
    desk.now = later(2);
    desk.encrypt("d", b"x").expect("an active key encrypts");
    let state = |desk: &Desk<MemoryStore>, name: &str| desk.key(name).state;
    assert_eq!(state(&desk, "c"), KeyState::Active);
    assert_eq!(state(&desk, "b"), KeyState::Active);
    assert_eq!(state(&desk, "a"), KeyState::PreActivation);
    assert_eq!(desk.key("d").latest().number, 2);
    let Response::Audit(log) = desk.must(&Operation::ReadAudit { from: 7, count: 10 }) else {
        panic!("it answers records")
    };
    let told: Vec<String> = log.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["7 vault tick c: done", "8 vault tick b: done", "9 vault tick d: done", "10 alice encrypt d: done"]
    );
    // A store that is opened anew knows what is still due.
    let mut vault = reopened(desk.vault.into_store());
    assert_eq!(vault.tick(later(2)), Ok(vec![]));
    assert_eq!(vault.tick(later(3)), Ok(vec!["a".to_owned()]));
}

/// How often a version was used is written apart from what the key is.
#[test]
fn uses_are_counted_over_everything_that_happens_to_a_key() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    desk.configure("k", |settings| settings.max_operations = Some(3));
    let reopen = |desk: Desk<MemoryStore>| Desk { vault: reopened(desk.vault.into_store()), now: desk.now };
    let uses =
        |desk: &Desk<MemoryStore>| desk.key("k").versions.iter().map(|v| v.operations).collect::<Vec<_>>();
    desk.encrypt("k", b"1").expect("one");
    desk = reopen(desk);
    assert_eq!(uses(&desk), [1]);
    desk.must(&step("k", Transition::Suspend));
    desk.must(&step("k", Transition::Resume));
    desk.encrypt("k", b"2").expect("two");
    desk.rotate("k");
    desk.encrypt("k", b"one of the second").expect("one");
    desk = reopen(desk);
    assert_eq!(uses(&desk), [2, 1]);
    desk.encrypt("k", b"2").expect("two");
    desk.encrypt("k", b"3").expect("three");
    assert_eq!(desk.encrypt("k", b"4"), Err(Reason::KeyUsageLimit));
    desk = reopen(desk);
    assert_eq!(desk.encrypt("k", b"4"), Err(Reason::KeyUsageLimit));
    desk.must(&Operation::Trim { key: "k".to_owned(), below: 2 });
    desk = reopen(desk);
    assert_eq!(uses(&desk), [3]);
    desk.must(&step("k", Transition::Destroy));
    let counted = desk.vault.store().rows().keys().filter(|row| row.starts_with(b"u")).count();
    assert_eq!(counted, 0, "nothing is left of what was destroyed but its description");
    desk = reopen(desk);
    assert_eq!(uses(&desk), [3]);
}

/// A minimum speaks of versions that there are, and nothing protects what nothing may read.
#[test]
fn minimums_go_up_with_what_is_trimmed() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    desk.rotate("k");
    desk.rotate("k");
    let change = |desk: &mut Desk<MemoryStore>, changes| {
        desk.try_do(&Operation::Configure { key: "k".to_owned(), changes }).map(drop)
    };
    let encryption = |minimum| Changes { min_encryption: Some(minimum), ..Changes::default() };
    let decryption = |minimum| Changes { min_decryption: Some(minimum), ..Changes::default() };
    let minimums = |desk: &Desk<MemoryStore>| {
        let settings = desk.key("k").spec.settings;
        (settings.min_encryption, settings.min_decryption)
    };
    assert_eq!(change(&mut desk, decryption(2)), Ok(()));
    assert_eq!(change(&mut desk, encryption(1)), Err(Reason::InvalidSettings));
    assert_eq!(change(&mut desk, encryption(2)), Ok(()));
    assert_eq!(change(&mut desk, decryption(3)), Err(Reason::InvalidSettings));
    desk.must(&Operation::Trim { key: "k".to_owned(), below: 1 });
    assert_eq!(minimums(&desk), (2, 2));
    desk.must(&Operation::Trim { key: "k".to_owned(), below: 3 });
    assert_eq!(minimums(&desk), (3, 3));
    for trimmed in [1, 2] {
        assert_eq!(change(&mut desk, decryption(trimmed)), Err(Reason::VersionTrimmed));
        assert_eq!(change(&mut desk, encryption(trimmed)), Err(Reason::VersionTrimmed));
    }
    assert_eq!(change(&mut desk, Settings::default().into()), Ok(()), "none is a minimum");
    desk.must(&Operation::Trim { key: "k".to_owned(), below: 3 });
    assert_eq!(minimums(&desk), (0, 0));
    for (version, why) in [(1, Reason::VersionTrimmed), (4, Reason::UnknownKey)] {
        let public = Operation::PublicKey { key: "k".to_owned(), version: Some(version) };
        assert_eq!(desk.try_do(&public), Err(why));
    }
}
