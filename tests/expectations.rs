//! An expectation is of one party, one run, one value: what holds of another does not meet it.

use mallory::Scenario;
use mallory::scenario::KeyPool;

/// How many expectations are not met, in a story in which mallory changes what alice orders,
/// which bob notices, and keeps carol's answer from alice in run 2.
fn unmet(expected: &str) -> usize {
    let text = format!(
        r#"
        [protocol]
        messages = ["A -> B : A, Order", "B -> A : B, Nb", "A -> B : mac(k(A,B), Nb, Order)"]
        given    = {{ A = ["Order: data"] }}
        fresh    = {{ B = ["Nb: nonce"] }}
        goals    = ["B authenticates A on Order"]
        [[run]]
        A = "alice"
        B = "bob"
        Order = "sell"
        [[run]]
        at = "1h"
        A = "alice"
        B = "carol"
        Order = "keep"
        [attacker]
        [[attacker.rule]]
        match  = {{ from = "alice", to = "bob", run = 1, line = 1 }}
        action = "replace alice, Order"
        [[attacker.rule]]
        match  = {{ run = 2, line = 2 }}
        action = "drop"
        [expect]
        {expected}
        "#
    );
    let scenario = Scenario::from_text("expectations", &text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    let checked = scenario.check(&scenario.variants[0], &KeyPool::default()).unwrap();
    checked.told().len()
}

#[test]
fn of_a_run() {
    for met in [
        r#""1.alice" = "completes""#,
        r#""1.bob" = "rejects""#,
        r#""1.bob" = "rejects line 3""#,
        r#""1.bob" = "rejects line 3: bad-mac""#,
        r#""2.alice" = "waits""#,
        r#""2.carol" = "waits""#,
        r#""2.bob" = "never starts""#,
    ] {
        assert_eq!(unmet(&format!("runs = {{ {met} }}")), 0, "{met}");
    }
    for not_met in [
        r#""1.alice" = "rejects""#,
        r#""1.alice" = "waits""#,
        r#""1.alice" = "never starts""#,
        r#""1.bob" = "completes""#,
        r#""1.bob" = "waits""#,
        r#""1.bob" = "rejects line 1""#,
        r#""1.bob" = "rejects line 3: stale""#,
        r#""2.alice" = "completes""#,
        r#""2.carol" = "rejects""#,
        r#""2.bob" = "waits""#,
    ] {
        assert_eq!(unmet(&format!("runs = {{ {not_met} }}")), 1, "{not_met}");
    }
}

#[test]
fn of_a_value() {
    for met in [
        r#"values = { "1.alice.Order" = "sell" }"#,
        r#"values = { "2.alice.Order" = "keep" }"#,
        r#"equal = [["2.alice.Order", "2.carol.Order"], ["1.alice.Nb", "1.bob.Nb"]]"#,
        r#"differ = [["1.alice.Order", "1.bob.Order"], ["1.bob.Nb", "2.carol.Nb"]]"#,
        r#"attacker = { learns = ["1.Nb"], never_learns = ["k(alice,bob)"] }"#,
    ] {
        assert_eq!(unmet(met), 0, "{met}");
    }
    for not_met in [
        r#"values = { "1.alice.Order" = "keep" }"#,
        r#"values = { "1.bob.Order" = "sell" }"#,
        r#"values = { "2.bob.Order" = "keep" }"#,
        r#"equal = [["1.alice.Order", "1.bob.Order"]]"#,
        r#"differ = [["2.alice.Order", "2.carol.Order"]]"#,
        r#"attacker = { learns = ["k(alice,bob)"] }"#,
        r#"attacker = { never_learns = ["1.bob.Nb"] }"#,
        r#"attacker = { guesses = 1 }"#,
    ] {
        assert_eq!(unmet(not_met), 1, "{not_met}");
    }
}

#[test]
fn of_a_goal() {
    let goal = |word: &str| unmet(&format!("goals = {{ \"B authenticates A on Order\" = \"{word}\" }}"));
    assert_eq!([goal("holds"), goal("holds or untested")], [0, 0], "bob refused what she made");
    assert_eq!([goal("violated"), goal("untested")], [1, 1]);
}
