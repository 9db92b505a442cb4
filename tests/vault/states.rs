//! The two tables, written out from SP 800-57 pt 1 rev. 5 §7 and KMIP 2.1, once asked as
//! tables and once by carrying every cell out on a real key.

use mallory::vault::{Act, Changes, Frame, Permission, WrapUnder};

use super::*;

/// y: yes. r: at an accepted risk. Anything else: no.
const ACTS: [Act; 10] = [
    Act::Encrypt,
    Act::Decrypt,
    Act::Sign,
    Act::Verify,
    Act::Agree,
    Act::Wrap,
    Act::Rewrap,
    Act::Rotate,
    Act::Export,
    Act::Configure,
];
const MAY: [(KeyState, &str, Option<Reason>); 8] = [
    // encrypt decrypt sign verify agree wrap rewrap rotate export configure
    (KeyState::PreActivation, "---------y", Some(Reason::KeyNotActive)),
    (KeyState::Active, "yyyyyyyyyy", None),
    (KeyState::Suspended, "-r-r-----y", Some(Reason::KeySuspended)),
    (KeyState::Deactivated, "-y-y-----y", Some(Reason::KeyDeactivated)),
    (KeyState::Compromised, "-r-r-----y", Some(Reason::KeyCompromised)),
    (KeyState::PendingDestruction, "----------", Some(Reason::PendingDestruction)),
    (KeyState::Destroyed, "----------", Some(Reason::KeyDestroyed)),
    (KeyState::DestroyedCompromised, "----------", Some(Reason::KeyDestroyed)),
];

const TRANSITIONS: [Transition; 8] = [
    Transition::Activate,
    Transition::Suspend,
    Transition::Resume,
    Transition::Deactivate,
    Transition::Compromise,
    Transition::ScheduleDestruction,
    Transition::CancelDestruction,
    Transition::Destroy,
];

/// Where each of [`TRANSITIONS`] leads, from a key that was active before.
fn leads() -> [(KeyState, [Option<KeyState>; 8]); 8] {
    use KeyState::*;
    let (no, act, sus) = (None, Some(Active), Some(Suspended));
    let (dea, com, pen) = (Some(Deactivated), Some(Compromised), Some(PendingDestruction));
    let (des, dec) = (Some(Destroyed), Some(DestroyedCompromised));
    [
        // activate suspend resume deactivate compromise schedule cancel destroy
        (PreActivation, [act, no, no, no, com, pen, no, des]),
        (Active, [no, sus, no, dea, com, pen, no, des]),
        (Suspended, [no, no, act, dea, com, pen, no, des]),
        (Deactivated, [no, no, no, no, com, pen, no, des]),
        (Compromised, [no, no, no, no, no, no, no, dec]),
        (PendingDestruction, [no, no, no, no, com, no, sus, des]),
        (Destroyed, [no, no, no, no, dec, no, no, no]),
        (DestroyedCompromised, [no, no, no, no, no, no, no, no]),
    ]
}

#[test]
fn every_state_and_act() {
    assert_eq!((Act::ALL, KeyState::ALL.len()), (&ACTS[..], MAY.len()));
    for (state, row, reason) in MAY {
        for (act, cell) in ACTS.into_iter().zip(row.chars()) {
            let expected = match (cell, reason) {
                ('y', _) => Permission::Allowed,
                ('r', Some(reason)) => Permission::AtRisk(reason),
                (_, Some(reason)) => Permission::Refused(reason),
                (_, None) => unreachable!("an active key does everything"),
            };
            assert_eq!(state.permits(act), expected, "{state:?}, {act:?}");
        }
    }
}

#[test]
fn every_state_and_transition() {
    assert_eq!((Transition::ALL, KeyState::ALL.len()), (&TRANSITIONS[..], leads().len()));
    for (state, row) in leads() {
        for (transition, to) in TRANSITIONS.into_iter().zip(row) {
            assert_eq!(state.after(transition, KeyState::Active), to, "{state:?}, {transition:?}");
        }
    }
}

/// A destruction that is cancelled is none: no key is nearer to use than before, nor further but
/// by a pause.
#[test]
fn a_cancelled_destruction_goes_back_to_where_the_key_was() {
    use KeyState::{Active, Deactivated, PreActivation, Suspended};
    let mut desk = desk();
    for (state, back, may_resume) in [
        (PreActivation, PreActivation, false),
        (Active, Suspended, true),
        (Suspended, Suspended, true),
        (Deactivated, Deactivated, false),
    ] {
        let name = format!("{state:?}");
        desk.generate_as(&name, waiting(KeyKind::Aes256, Usage::Encrypt));
        desk.bring(&name, state);
        // Twice: what came before is not what came before that.
        for _ in 0..2 {
            desk.must(&step(&name, Transition::ScheduleDestruction));
            desk.must(&step(&name, Transition::CancelDestruction));
            assert_eq!(desk.key(&name).state, back, "{name}");
        }
        let resumed = desk.try_do(&step(&name, Transition::Resume));
        assert_eq!(resumed.is_ok(), may_resume, "{name}: {resumed:?}");
        assert_eq!(desk.encrypt(&name, b"x").is_ok(), may_resume, "{name}");
    }
}

#[test]
fn every_transition_of_a_key() {
    let mut desk = desk();
    for (state, row) in leads() {
        for (transition, to) in TRANSITIONS.into_iter().zip(row) {
            let name = format!("{state:?} {transition:?}");
            desk.generate_as(&name, waiting(KeyKind::Aes256, Usage::Encrypt));
            desk.bring(&name, state);
            let before = desk.key(&name);
            desk.now = desk.now.after(Span::seconds(1));
            let answer = desk.try_do(&step(&name, transition));
            let after = desk.key(&name);
            match to {
                // The waiting period would be none if it could be cut short.
                Some(_)
                    if before.state == KeyState::PendingDestruction && transition == Transition::Destroy =>
                {
                    assert_eq!(answer, Err(Reason::PendingDestruction));
                    assert_eq!(after, before);
                }
                Some(to) => {
                    assert_eq!(answer, Ok(Response::Done), "{name}");
                    assert_eq!(after.state, to, "{name}");
                    let last = after.history.last().expect("a change is recorded");
                    assert_eq!(
                        (last.transition, last.to, last.at, last.actor.as_str()),
                        (transition, to, desk.now, "alice")
                    );
                    assert_eq!(after.history.len(), before.history.len() + 1);
                }
                None => {
                    assert_eq!(answer, Err(Reason::InvalidTransition), "{name}");
                    assert_eq!(after, before, "{name}");
                }
            }
        }
    }
}

/// The operation that is `act` on the key `name`, of which `protected` was made before.
fn operation(act: Act, name: &str, protected: &[u8]) -> Operation {
    let key = name.to_owned();
    match act {
        Act::Encrypt => {
            Operation::Encrypt { key, version: None, plaintext: b"x".into(), context: b"".into() }
        }
        Act::Decrypt => {
            Operation::Decrypt { ciphertext: protected.into(), context: b"".into(), accept_risk: false }
        }
        Act::Rewrap => Operation::Rewrap { ciphertext: protected.into(), context: b"".into() },
        Act::Sign => Operation::Sign { key, message: b"x".into() },
        Act::Verify => {
            Operation::Verify { message: b"x".into(), signature: protected.into(), accept_risk: false }
        }
        Act::Agree => Operation::Agree {
            key,
            share: (&mallory::crypto::Agreement::X25519.share(&[9; 32]).unwrap()[..]).into(),
        },
        Act::Wrap => Operation::Export { key: "cargo".to_owned(), version: None, under: WrapUnder::Key(key) },
        Act::Rotate => Operation::Rotate { key },
        Act::Export => Operation::Export { key, version: None, under: WrapUnder::Key("crate".to_owned()) },
        Act::Configure => Operation::Configure { key, changes: Changes::default() },
    }
}

fn kind_for(act: Act) -> (KeyKind, Usage) {
    match act {
        Act::Sign | Act::Verify => (KeyKind::Ed25519, Usage::Sign),
        Act::Agree => (KeyKind::X25519, Usage::Agree),
        Act::Wrap => (KeyKind::Aes256, Usage::Wrap),
        _ => (KeyKind::Aes256, Usage::Encrypt),
    }
}

#[test]
fn every_act_of_a_key() {
    let mut desk = desk();
    desk.generate_as(
        "cargo",
        KeySpec { exportable: true, ..KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice") },
    );
    desk.generate("crate", KeyKind::Aes256, Usage::Wrap);
    for (state, row, reason) in MAY {
        for (act, cell) in ACTS.into_iter().zip(row.chars()) {
            let name = format!("{state:?} {act:?}");
            let (kind, usage) = kind_for(act);
            desk.generate_as(&name, waiting(kind, usage));
            let mut protected = Frame { key: &name, version: 1, body: b"" }.write();
            for (n, transition) in path_to(state).iter().enumerate() {
                desk.must(&step(&name, *transition));
                if n == 0 && usage == Usage::Encrypt {
                    let made = desk.must(&operation(Act::Encrypt, &name, b""));
                    let Response::Ciphertext(made) = made else { panic!("{made:?}") };
                    protected = made.to_vec();
                }
                if n == 0 && usage == Usage::Sign {
                    let made = desk.must(&operation(Act::Sign, &name, b""));
                    let Response::Signature(made) = made else { panic!("{made:?}") };
                    protected = made.to_vec();
                }
            }
            let mut operation = operation(act, &name, &protected);
            let answer = desk.try_do(&operation);
            if cell == 'y' {
                assert!(answer.is_ok(), "{name}: {answer:?}");
            } else {
                assert_eq!(answer.err(), reason, "{name}");
            }
            if let Operation::Decrypt { accept_risk, .. } | Operation::Verify { accept_risk, .. } =
                &mut operation
            {
                *accept_risk = true;
                let answer = desk.try_do(&operation);
                if matches!(cell, 'y' | 'r') {
                    assert!(answer.is_ok(), "{name} at risk: {answer:?}");
                } else {
                    assert_eq!(answer.err(), reason, "{name} at risk");
                }
            }
        }
    }
}
