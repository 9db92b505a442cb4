//! The key centre before many clients, guessers and liars. Every figure is counted in plays.

use std::fmt::Write as _;

use mallory::Scenario;
use mallory::journal::{Sight, What};
use mallory::reason::Reason;
use mallory::scenario::{KeyPool, PlayReport};

fn play(text: &str, seed: u64, pool: &KeyPool) -> PlayReport {
    let scenario = Scenario::from_text("test", text).unwrap_or_else(|p| panic!("{p}")).seed(seed);
    scenario.play(&scenario.variants[0], true, pool).unwrap()
}

/// What became of a request, as an expectation would say it.
fn outcome(play: &PlayReport, request: u32) -> String {
    match play.request(request) {
        None => "unanswered".to_owned(),
        Some(None) => "granted".to_owned(),
        Some(Some(reason)) => reason.word().to_owned(),
    }
}

/// How often a request was tried.
fn tries(play: &PlayReport, number: u32) -> u32 {
    let answered = play.journal().events().iter().find_map(|event| match &event.what {
        What::Answered { request, tries, .. } if *request == number => Some(*tries),
        _ => None,
    });
    answered.unwrap_or(0)
}

const CLIENTS: u32 = 10_000;

/// So many clients ask twice each for what one key does, half of them after 4 seconds and half
/// after 12, where one request in ten seconds is free; and which of all requests are granted.
fn crowd(clients: u32) -> (String, Vec<bool>) {
    let mut text = format!(
        r#"
        [services.kdc.keys]
        roles     = {{ olivia = "operator" }}
        requests  = "1 in 10s"
        authorise = false
        [[request]]
        at = "1s"
        by = "olivia"
        ask = "generate"
        key = "orders"
        max_operations = {}
        "#,
        clients / 2 * 3
    );
    let mut granted = vec![true];
    let mut ask = |at: u32, n: u32, is_granted: bool| {
        let who = format!("at = \"{at}ms\"\nby = \"c{n}\"");
        let what = format!("ask = \"encrypt\"\nkey = \"orders\"\ntext = \"{n}\"");
        let _ = writeln!(text, "[[request]]\n{who}\n{what}");
        granted.push(is_granted);
    };
    for n in 0..clients {
        ask(60_000 + n, n, true);
        ask(if n % 2 == 0 { 64_000 } else { 72_000 } + n, n, n % 2 == 1);
    }
    (text, granted)
}

/// Plays a crowd and counts what is granted and what its rate refuses.
fn count(clients: u32, seed: u64) -> (usize, usize) {
    let (mut text, expected) = crowd(clients);
    // What was refused did nothing, and what was granted was done: the key has none left.
    text.push_str("[[request]]\nat = \"1h\"\nby = \"c0\"\nask = \"encrypt\"\nkey = \"orders\"\ntext = \"\"");
    let play = play(&text, seed, &KeyPool::default());
    assert_eq!(outcome(&play, expected.len() as u32 + 1), "key-usage-limit");
    let found: Vec<String> = (1..).zip(&expected).map(|(number, _)| outcome(&play, number)).collect();
    for (number, (found, granted)) in (1..).zip(found.iter().zip(&expected)) {
        assert_eq!(found, if *granted { "granted" } else { "rate-limited" }, "request {number}");
    }
    let granted = found.iter().filter(|word| *word == "granted").count();
    (granted, found.len() - granted)
}

#[test]
fn ten_thousand_clients_are_granted_what_their_rates_allow_and_no_more() {
    assert_eq!(count(CLIENTS, 1), (15_001, 5_000));
}

#[test]
fn a_thousand_clients_are_counted_alike_whatever_the_seed() {
    for seed in 1..=3 {
        assert_eq!(count(1_000, seed), (1_501, 500));
    }
}

/// alice's key takes a code as well, and mallory has all but the code. Her tries begin with
/// request 3.
fn guessing(policy: &str, guesses: &[(&str, &str)]) -> String {
    let mut text = format!(
        r#"
        [services.kdc.keys]
        roles          = {{ olivia = "operator" }}
        one_time_codes = ["alice"]
        second_factor  = ["decrypt"]
        {policy}
        [[request]]
        at = "1m"
        by = "olivia"
        ask = "generate"
        key = "orders"
        owner = "alice"
        [[request]]
        at = "2m"
        by = "alice"
        ask = "encrypt"
        key = "orders"
        text = "transfer 100"
        [[event]]
        at = "3m"
        compromise = "k(alice,kdc)"
        [[event]]
        at = "3m"
        compromise = "r2"
        [attacker]
        tactic = "eavesdrop"
        "#
    );
    for (at, every) in guesses {
        let _ = writeln!(
            text,
            "[[request]]\nat = \"{at}\"\nby = \"mallory\"\nask = \"decrypt\"\nof = 2\nwith = \"k(alice,kdc)\"\n\
             code = \"guess\"\nattempts = 100000\nevery = \"{every}\""
        );
    }
    text
}

#[test]
fn a_guesser_whom_nobody_counts_takes_as_many_tries_as_the_codes_say() {
    let pool = KeyPool::default();
    for (digits, plays) in [(2, 120), (3, 24)] {
        let text = guessing(&format!("code_digits = {digits}\nrate_limit = false"), &[("1h", "10ms")]);
        let found: Vec<f64> = (0..plays)
            .map(|seed| {
                let play = play(&text, seed, &pool);
                assert_eq!(outcome(&play, 3), "granted");
                f64::from(tries(&play, 3))
            })
            .collect();
        // Three codes are good at any time: the step before, now, the one after.
        let p = 1.0 - (1.0 - 0.1_f64.powi(digits)).powi(3);
        let count = found.len() as f64;
        let mean = found.iter().sum::<f64>() / count;
        let variance = found.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let error = (variance / count).sqrt();
        let expected = 1.0 / p;
        assert!((mean - expected).abs() < 3.0 * error, "mean {mean}, expected {expected} ± {error}");
        // Of those who try n times, 1 - (1 - p)^n get in: half of them, and nine in ten.
        for chance in [0.5, 0.9_f64] {
            let within = ((1.0 - chance).ln() / (1.0 - p).ln()).round();
            let expected = 1.0 - (1.0 - p).powf(within);
            let share = found.iter().filter(|tries| **tries <= within).count() as f64 / count;
            let error = (expected * (1.0 - expected) / count).sqrt();
            assert!(
                (share - expected).abs() < 3.0 * error,
                "{share} within {within} tries, expected {expected} ± {error}"
            );
        }
    }
}

/// A thousand names, every other of which is a principal's, tried by somebody without a key:
/// what each try is answered with, and the answers' bytes.
fn enumerated(policy: &str) -> Vec<(String, Vec<u8>)> {
    const NAMES: u32 = 1_000;
    let mut text = format!("[services.kdc.keys]\n{policy}\n[attacker]\ntactic = \"eavesdrop\"\n");
    for n in 1..=NAMES {
        let _ = writeln!(
            text,
            "[[request]]\nat = \"{n}s\"\nby = \"mallory\"\nclaims = \"c{n}\"\nproof = false\nask = \"describe\"\nkey = \"k\""
        );
        if n % 2 == 0 {
            let _ = writeln!(text, "[parties.c{n}]");
        }
    }
    let play = play(&text, 0, &KeyPool::default());
    let answers: Vec<&Sight> = answers_to(&play, "mallory").collect();
    assert_eq!(answers.len(), NAMES as usize);
    (1..).zip(answers).map(|(n, answer)| (outcome(&play, n), answer.bytes.to_vec())).collect()
}

#[test]
fn who_asks_for_a_thousand_names_learns_none() {
    let careful = enumerated("");
    assert!(careful.iter().all(|(word, bytes)| word == "unauthenticated" && *bytes == careful[0].1));
    let careless = enumerated("hide_names = false");
    let known = |n: usize| careless[n].0 != "unknown-client";
    assert!((0..careless.len()).all(|n| known(n) == (n % 2 == 1)), "a careless one tells them all");
}

#[test]
fn a_guesser_who_is_counted_has_ten_tries_at_any_pace_and_five_at_a_fast_one() {
    let pool = KeyPool::default();
    for (seed, (pace, checked, refused)) in (0..).zip([
        ("1ms", 5, "rate-limited"),
        ("1s", 5, "rate-limited"),
        ("5s", 10, "locked-out"),
        ("30s", 10, "locked-out"),
        ("1h", 10, "locked-out"),
    ]) {
        let play = play(&guessing("", &[("1h", pace)]), seed, &pool);
        // The last try was refused before anybody looked at its code.
        assert_eq!((tries(&play, 3) - 1, &*outcome(&play, 3)), (checked, refused), "every {pace}");
    }
    // Whoever comes back when the bucket is full again finds the lock.
    let play = play(&guessing("", &[("1h", "1ms"), ("2h", "1ms"), ("3h", "1ms")]), 0, &pool);
    let found = [3, 4, 5].map(|number| (tries(&play, number), outcome(&play, number)));
    let expected = [(6, "rate-limited"), (6, "locked-out"), (1, "locked-out")];
    assert_eq!(found, expected.map(|(tries, word)| (tries, word.to_owned())));
}

/// olivia makes a key and rotates it (request 3), and alice uses it (1 and 4); adam's request,
/// the last, is refused if there is no third version. `plain` goes before it.
fn lies(policy: &str, plain: &str, rules: &[&str]) -> String {
    let mut text = format!(
        r#"
        [services.kdc.keys]
        roles         = {{ olivia = "operator", adam = "administrator" }}
        second_factor = []
        {policy}
        [[request]]
        at = "1m"
        by = "alice"
        ask = "encrypt"
        key = "orders"
        text = "first"
        [[request]]
        at = "0s"
        by = "olivia"
        ask = "generate"
        key = "orders"
        owner = "alice"
        [[request]]
        at = "30s"
        by = "olivia"
        ask = "rotate"
        key = "orders"
        [[request]]
        at = "61s"
        by = "alice"
        ask = "encrypt"
        key = "orders"
        text = "second"
        {plain}
        [[request]]
        at = "1h"
        by = "adam"
        ask = "trim"
        key = "orders"
        below = 3
        [attacker]
        tactic = "eavesdrop"
        "#
    );
    for rule in rules {
        let _ = writeln!(text, "[[attacker.rule]]\n{rule}");
    }
    text
}

/// The messages from the centre to somebody, in order.
fn answers_to<'a>(play: &'a PlayReport, party: &'a str) -> impl Iterator<Item = &'a Sight> {
    play.journal().events().iter().filter_map(move |event| match &event.what {
        What::Sent { message } if message.line == 2 && *message.to == *party => Some(&**message),
        _ => None,
    })
}

/// Why somebody did not heed messages.
fn ignored<'a>(play: &'a PlayReport, party: &'a str) -> Vec<&'a str> {
    let events = play.journal().events().iter();
    let found = events.filter_map(|event| match &event.what {
        What::Ignored { by, why, .. } if **by == *party => Some(*why),
        _ => None,
    });
    found.collect()
}

#[test]
fn a_replayed_request_is_refused_and_does_nothing() {
    let rule = "match = { protocol = \"kms\", line = 1, run = 3 }\naction = \"replay 1s\"";
    let play = play(&lies("", "", &[rule]), 0, &KeyPool::default());
    let words: Vec<String> = answers_to(&play, "olivia").map(|m| m.shown.text()).collect();
    assert_eq!(words.iter().filter(|w| w.contains("replayed")).count(), 1, "{words:?}");
    assert_eq!(ignored(&play, "olivia"), ["it did not ask"]);
    assert_eq!(outcome(&play, 3), "granted");
    // It would have made a third version.
    assert_eq!(outcome(&play, 5), "malformed");
}

#[test]
fn a_request_that_comes_twice_at_once_is_granted_once() {
    let twice = "match = { protocol = \"kms\", line = 1, run = 3 }\naction = \"duplicate\"";
    let late = "match = { protocol = \"kms\", line = 2, to = \"olivia\", run = 3 }\naction = \"delay 10s\"";
    for rules in [&[twice][..], &[twice, late][..]] {
        let play = play(&lies("", "", rules), 0, &KeyPool::default());
        assert_eq!((outcome(&play, 3), outcome(&play, 5)), ("granted".to_owned(), "malformed".to_owned()));
    }
}

#[test]
fn a_request_that_was_tampered_with_is_refused() {
    let pool = KeyPool::default();
    let rule = "match = { protocol = \"kms\", line = 1, run = 3 }\naction = \"tamper\"";
    for seed in 0..20 {
        let play = play(&lies("", "", &[rule]), seed, &pool);
        let refused = play.request(3).flatten();
        assert!(
            matches!(refused, Some(Reason::Unauthenticated | Reason::Malformed)),
            "seed {seed}: {refused:?}"
        );
        // The tampered request did nothing, so neither does a trim below its version.
        assert_eq!(outcome(&play, 5), "malformed");
    }
}

/// Her rules give every replay the number 1: what the centre answers to alice's second request
/// comes as the answer to her first, which is late.
const LATE: &str = "match = { protocol = \"kms\", line = 2, run = 1 }\naction = \"delay 10s\"";
const SWAPPED: &str = "match = { protocol = \"kms\", line = 2, run = 4 }\naction = \"replay 1s\"";

#[test]
fn an_answer_to_another_request_is_not_believed() {
    let play = play(&lies("", "", &[LATE, SWAPPED]), 0, &KeyPool::default());
    assert_eq!(ignored(&play, "alice"), ["it is no answer to what it asked"]);
    assert_eq!((outcome(&play, 1), outcome(&play, 4)), ("granted".to_owned(), "granted".to_owned()));
}

#[test]
fn an_answer_that_was_tampered_with_is_none() {
    let rule = "match = { protocol = \"kms\", line = 2, run = 4 }\naction = \"tamper\"";
    let play = play(&lies("", "", &[rule]), 0, &KeyPool::default());
    assert_eq!(ignored(&play, "alice"), ["it is no answer to what it asked"]);
    assert_eq!(outcome(&play, 4), "unanswered");
}

/// alice asks once more, in the clear.
const PLAIN: &str = r#"
[[request]]
at = "61s"
by = "alice"
ask = "describe"
key = "orders"
proof = false
"#;
const PLAIN_ANSWER: &str = "match = { protocol = \"kms\", line = 2, run = 5 }\naction = \"replay 1s\"";

#[test]
fn what_is_granted_in_the_clear_is_not_believed_by_who_asked_under_seal() {
    let play = play(&lies("authenticate = false", PLAIN, &[LATE, PLAIN_ANSWER]), 0, &KeyPool::default());
    assert_eq!(ignored(&play, "alice"), ["it asked under seal, and nobody grants that in the clear"]);
    assert_eq!((outcome(&play, 1), outcome(&play, 5)), ("granted".to_owned(), "granted".to_owned()));
}

#[test]
fn a_refusal_in_the_clear_stands_until_there_is_an_answer_under_seal() {
    let pool = KeyPool::default();
    for (late, expected) in
        [(LATE.to_owned(), "granted"), (LATE.replace("delay 10s", "drop"), "unauthenticated")]
    {
        let play = play(&lies("", PLAIN, &[&late, PLAIN_ANSWER]), 0, &pool);
        assert_eq!(outcome(&play, 1), expected);
        assert_eq!(ignored(&play, "alice"), [""; 0]);
    }
}

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
    let found: Vec<String> = (1..).zip(GUARDS).map(|(number, _)| outcome(&play, number)).collect();
    for (number, ((by, row, expected), found)) in (1..).zip(GUARDS.iter().zip(&found)) {
        assert_eq!(found, expected, "request {number}: {by}: {row}");
    }
}

#[test]
fn what_is_asked_is_told_in_the_words_of_the_file() {
    let text = r#"
        [services.kdc.keys]
        roles         = { olivia = "operator" }
        second_factor = []
        [[request]]
        at = "1m"
        by = "olivia"
        ask = "generate"
        key = "orders"
        kind = "rsa-2048"
        [[request]]
        at = "2m"
        by = "olivia"
        ask = "revoke-key"
        key = "orders"
        reason = "key-compromise"
    "#;
    let play = play(text, 0, &KeyPool::default());
    let asked: Vec<&str> = (play.journal().events().iter())
        .filter_map(|event| match &event.what {
            What::Asked { what, .. } => Some(&**what),
            _ => None,
        })
        .collect();
    assert_eq!(asked, ["a new key orders (rsa-2048)", "the revocation of orders: key-compromise"]);
}

/// Requests of alice, whose key is `orders`, and of the centre's people, a minute apart.
fn requests(rows: &[(&str, &str)]) -> String {
    let mut text = String::from(
        r#"
        [services.kdc.keys]
        roles         = { olivia = "operator", adam = "administrator" }
        second_factor = []
        [attacker]
        tactic = "eavesdrop"
        "#,
    );
    for (minute, (by, row)) in (1..).zip(rows) {
        let _ = writeln!(text, "[[request]]\nat = \"{minute}m\"\nby = \"{by}\"\n{}", row.replace(", ", "\n"));
    }
    text
}

#[test]
fn what_a_suspended_key_protects_opens_at_a_risk_that_two_accept() {
    let rows = [
        ("olivia", "ask = 'generate', key = 'orders', owner = 'alice'", "granted"),
        (
            "olivia",
            "ask = 'generate', key = 'seals', owner = 'alice', kind = 'p256', usage = 'sign'",
            "granted",
        ),
        ("alice", "ask = 'encrypt', key = 'orders', text = 'sell'", "granted"),
        ("alice", "ask = 'sign', key = 'seals', text = 'sell'", "granted"),
        ("olivia", "ask = 'suspend', key = 'orders'", "granted"),
        ("olivia", "ask = 'suspend', key = 'seals'", "granted"),
        ("alice", "ask = 'decrypt', of = 3", "key-suspended"),
        ("alice", "ask = 'decrypt', of = 3, accept_risk = true", "needs-second-approver"),
        (
            "alice",
            "ask = 'decrypt', of = 3, accept_risk = true, approved_by = 'olivia'",
            "needs-second-approver",
        ),
        ("alice", "ask = 'decrypt', of = 3, accept_risk = true, approved_by = 'adam'", "granted"),
        ("alice", "ask = 'verify', of = 4, text = 'sell'", "key-suspended"),
        (
            "alice",
            "ask = 'verify', of = 4, text = 'sell', accept_risk = true, approved_by = 'adam'",
            "granted",
        ),
    ];
    let mut text = requests(&rows.map(|(by, row, _)| (by, row)));
    text.push_str("[expect]\nvalues = { r10 = \"sell\" }");
    let play = play(&text, 0, &KeyPool::default());
    for (number, (by, row, expected)) in (1..).zip(rows) {
        assert_eq!(outcome(&play, number), expected, "request {number}: {by}: {row}");
    }
    assert_eq!(play.unmet(), []);
}

#[test]
fn an_old_version_protects_if_the_key_lets_it() {
    let rows = [
        ("olivia", "ask = 'generate', key = 'orders', owner = 'alice'", "granted"),
        ("olivia", "ask = 'rotate', key = 'orders'", "granted"),
        ("alice", "ask = 'encrypt', key = 'orders', text = 'too old', version = 1", "version-below-minimum"),
        ("olivia", "ask = 'configure', key = 'orders', min_encryption = 1", "granted"),
        ("alice", "ask = 'encrypt', key = 'orders', text = 'old', version = 1", "granted"),
        ("alice", "ask = 'encrypt', key = 'orders', text = 'new'", "granted"),
        ("alice", "ask = 'encrypt', key = 'orders', text = 'none', version = 3", "unknown-key"),
    ];
    let mut text = requests(&rows.map(|(by, row, _)| (by, row)));
    for stolen in ["r5", "r6", "key(orders,1)"] {
        let _ = writeln!(text, "[[event]]\nat = \"1h\"\ncompromise = \"{stolen}\"");
    }
    text.push_str("[expect.attacker]\nlearns = [\"r5\"]\nnever_learns = [\"r6\"]");
    let play = play(&text, 0, &KeyPool::default());
    for (number, (by, row, expected)) in (1..).zip(rows) {
        assert_eq!(outcome(&play, number), expected, "request {number}: {by}: {row}");
    }
    assert_eq!(play.unmet(), []);
}

#[test]
fn whoever_owns_a_key_is_a_party() {
    let rows = [
        ("olivia", "ask = 'generate', key = 'orders', owner = 'alice'"),
        ("olivia", "ask = 'generate', key = 'plans', owner = 'mallory'"),
        ("olivia", "ask = 'generate', key = 'own', owner = 'I'"),
        ("mallory", "ask = 'encrypt', key = 'plans', text = 'attack'"),
        (
            "mallory",
            "ask = 'encrypt', key = 'orders', text = 'attack', claims = 'alice', with = 'k(alice,kdc)'",
        ),
        ("olivia", "ask = 'revoke-key', key = 'orders'"),
    ];
    let mut text = requests(&rows);
    // What she stole is hers to use: alice is known to the centre, although she asks for nothing.
    text.push_str("[[event]]\nat = \"1s\"\ncompromise = \"k(alice,kdc)\"");
    let play = play(&text, 0, &KeyPool::default());
    for number in 1..=6 {
        assert_eq!(outcome(&play, number), "granted", "request {number}");
    }
}
