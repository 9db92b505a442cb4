//! What somebody on the wire does to requests and answers.

use std::fmt::Write as _;

use mallory::reason::Reason;

use super::*;

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
    assert_eq!(outcome(&play, 5), "unknown-key");
}

#[test]
fn a_request_that_comes_twice_at_once_is_granted_once() {
    let twice = "match = { protocol = \"kms\", line = 1, run = 3 }\naction = \"duplicate\"";
    let late = "match = { protocol = \"kms\", line = 2, to = \"olivia\", run = 3 }\naction = \"delay 10s\"";
    for rules in [&[twice][..], &[twice, late][..]] {
        let play = play(&lies("", "", rules), 0, &KeyPool::default());
        assert_eq!((outcome(&play, 3), outcome(&play, 5)), ("granted", "unknown-key"));
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
        assert_eq!(outcome(&play, 5), "unknown-key");
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
    assert_eq!((outcome(&play, 1), outcome(&play, 4)), ("granted", "granted"));
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
    assert_eq!((outcome(&play, 1), outcome(&play, 5)), ("granted", "granted"));
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
