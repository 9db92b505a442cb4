//! The guards through the wire, in their order.

use std::fmt::Write as _;

use super::*;

/// Who asks for what, and what becomes of it. A minute apart, or as long as the row says.
const GUARDS: &[(&str, &str, &str)] = &[
    // What everybody needs.
    ("olivia", "ask = 'generate', key = 'orders', owner = 'alice'", "granted"),
    ("alice", "ask = 'encrypt', key = 'orders', text = 'sell'", "granted"),
    // Who asks?
    ("alice", "ask = 'encrypt', key = 'orders', text = 'x', proof = false", "unauthenticated"),
    ("bob", "ask = 'encrypt', key = 'orders', text = 'x', claims = 'alice'", "unauthenticated"),
    ("dave", "ask = 'describe', key = 'orders'", "client-revoked"),
    // That somebody is revoked is told to who proves to be that, and to nobody else.
    ("dave", "ask = 'describe', key = 'orders', proof = false", "unauthenticated"),
    ("olivia", "ask = 'describe', key = 'orders', claims = 'dave'", "unauthenticated"),
    // May they?
    ("bob", "ask = 'encrypt', key = 'orders', text = 'x'", "forbidden"),
    ("bob", "ask = 'encrypt', key = 'no-such-key', text = 'x'", "forbidden"),
    ("alice", "ask = 'rotate', key = 'orders'", "forbidden"),
    ("alice", "ask = 'export', key = 'orders'", "needs-second-approver"),
    ("alice", "ask = 'export', key = 'orders', approved_by = 'bob'", "needs-second-approver"),
    ("alice", "ask = 'export', key = 'orders', approved_by = 'olivia'", "needs-second-approver"),
    // With what beside their key?
    ("alice", "ask = 'export', key = 'orders', approved_by = 'eve'", "second-factor-required"),
    ("alice", "ask = 'export', key = 'orders', approved_by = 'eve', code = 'guess'", "bad-code"),
    ("alice", "ask = 'export', key = 'orders', approved_by = 'eve', code = 'own'", "not-exportable"),
    ("alice", "ask = 'decrypt', of = 2", "second-factor-required"),
    ("alice", "ask = 'decrypt', of = 2, code = 'guess'", "bad-code"),
    ("alice", "ask = 'decrypt', of = 2, code = 'own'", "granted"),
    ("alice", "after = '5s', ask = 'decrypt', of = 2, code = 'own'", "code-already-used"),
    // How often?
    ("alice", "ask = 'encrypt', key = 'orders', text = 'x'", "granted"),
    ("alice", "after = '1s', ask = 'encrypt', key = 'orders', text = 'x'", "granted"),
    ("alice", "after = '1s', ask = 'encrypt', key = 'orders', text = 'x'", "rate-limited"),
    ("alice", "ask = 'decrypt', of = 2, code = 'guess'", "bad-code"),
    ("alice", "ask = 'decrypt', of = 2, code = 'guess'", "bad-code"),
    ("alice", "ask = 'decrypt', of = 2, code = 'own'", "locked-out"),
    ("alice", "ask = 'encrypt', key = 'orders', text = 'x'", "granted"),
    // With a key in which state?
    ("olivia", "ask = 'generate', key = 'orders'", "key-exists"),
    ("olivia", "ask = 'describe', key = 'no-such-key'", "unknown-key"),
    ("alice", "ask = 'sign', key = 'orders', text = 'x'", "wrong-key-usage"),
    ("olivia", "ask = 'resume', key = 'orders'", "invalid-transition"),
    ("olivia", "ask = 'suspend', key = 'orders'", "granted"),
    ("alice", "ask = 'encrypt', key = 'orders', text = 'x'", "key-suspended"),
    ("olivia", "ask = 'resume', key = 'orders'", "granted"),
    ("olivia", "ask = 'revoke-key', key = 'orders', reason = 'superseded'", "granted"),
    ("alice", "ask = 'encrypt', key = 'orders', text = 'x'", "key-deactivated"),
    ("olivia", "ask = 'revoke-key', key = 'orders', reason = 'key-compromise'", "granted"),
    ("alice", "ask = 'encrypt', key = 'orders', text = 'x'", "key-compromised"),
    ("olivia", "ask = 'generate', key = 'later', owner = 'bob', active_from = '5h'", "granted"),
    ("bob", "ask = 'encrypt', key = 'later', text = 'x'", "key-not-active"),
    ("olivia", "ask = 'generate', key = 'brief', owner = 'bob', protects_for = '90s'", "granted"),
    ("bob", "ask = 'encrypt', key = 'brief', text = 'x'", "granted"),
    ("bob", "ask = 'encrypt', key = 'brief', text = 'x'", "key-expired"),
    ("olivia", "ask = 'generate', key = 'one', owner = 'bob', max_operations = 1", "granted"),
    ("bob", "ask = 'encrypt', key = 'one', text = 'x'", "granted"),
    ("bob", "ask = 'encrypt', key = 'one', text = 'x'", "key-usage-limit"),
    ("adam", "ask = 'schedule-destruction', key = 'one', wait = '90s'", "granted"),
    ("bob", "ask = 'encrypt', key = 'one', text = 'x'", "pending-destruction"),
    ("bob", "ask = 'encrypt', key = 'one', text = 'x'", "key-destroyed"),
    ("bob", "after = '5h', ask = 'encrypt', key = 'later', text = 'x'", "granted"),
];

#[test]
fn each_guard_refuses_in_its_turn_and_says_why() {
    let mut text = String::from(
        r#"
        [services.kdc.keys]
        roles          = { olivia = "operator", adam = "administrator", eve = "administrator" }
        one_time_codes = ["alice", "adam"]
        second_factor  = ["decrypt", "export"]
        requests       = "2 in 20s"
        lock_after     = 3
        [[event]]
        at = "1s"
        revoke = "dave"
        by = "kdc"
        "#,
    );
    let mut at = 0;
    for (by, row, _) in GUARDS {
        let (after, row) = match row.strip_prefix("after = ").and_then(|row| row.split_once(", ")) {
            Some((after, row)) => (mallory::time::Span::parse(after.trim_matches('\'')).unwrap().0, row),
            None => (60_000_000_000, *row),
        };
        at += after;
        let _ = writeln!(text, "[[request]]\nat = \"{at}ns\"\nby = \"{by}\"\n{}", row.replace(", ", "\n"));
    }
    let play = play(&text, 0, &KeyPool::default());
    let found: Vec<&str> = (1..).zip(GUARDS).map(|(number, _)| outcome(&play, number)).collect();
    for (number, ((by, row, expected), found)) in (1..).zip(GUARDS.iter().zip(&found)) {
        assert_eq!(found, expected, "request {number}: {by}: {row}");
    }
}
