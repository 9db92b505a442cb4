//! What follows for the attacker from what she has: rule by rule, in each direction, and from
//! values that nobody needed before.

use mallory::Scenario;
use mallory::scenario::{KeyPool, PlayReport};

/// A run between alice and bob on which mallory listens.
fn overheard(protocol: &str, rest: &str) -> PlayReport {
    let text = format!(
        "[protocol]\n{protocol}\n[[run]]\nA = \"alice\"\nB = \"bob\"\n{rest}\n[attacker]\ntactic = \"eavesdrop\""
    );
    let scenario = Scenario::from_text("follows", &text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
}

fn word(play: &PlayReport, goal: &str) -> String {
    let found = play.goals().iter().find(|g| g.goal == goal).unwrap_or_else(|| panic!("no goal {goal}"));
    found.word().to_string()
}

fn stolen(what: &str) -> String {
    format!("[[event]]\nat = \"1h\"\ncompromise = \"{what}\"")
}

#[test]
fn a_step_from_what_she_has_is_hers() {
    for step in ["succ", "pred"] {
        let protocol = format!(
            r#"
            messages = ["A -> B : A, Na", "A -> B : {{Word}}kdf({step}(Na))"]
            goals    = ["secret Word"]
            fresh    = {{ A = ["Na: nonce", "Word: nonce"] }}
            "#
        );
        assert_eq!(word(&overheard(&protocol, ""), "secret Word"), "violated", "{step}");
    }
}

#[test]
fn a_sum_that_was_made_before_its_summands_were_shown_follows_from_other_sums() {
    // Neither Na nor Nb nor Nc is known, and yet their sums are, two and two.
    let protocol = |second: &str| {
        format!(
            r#"
            messages = ["A -> B : {{xor(Na, Nb)}}k(A,B)", "A -> B : {second}"]
            goals    = ["secret Sum", "secret Na"]
            fresh    = {{ A = ["Na: nonce", "Nb: nonce", "Nc: nonce"] }}
            let      = {{ Sum = "xor(Na, Nb)" }}
            "#
        )
    };
    let both = overheard(&protocol("xor(Na, Nc), xor(Nc, Nb)"), "");
    assert_eq!(word(&both, "secret Sum"), "violated");
    assert_eq!(word(&both, "secret Na"), "holds");
    assert_eq!(word(&overheard(&protocol("xor(Na, Nc), Nc"), ""), "secret Sum"), "holds");
}

#[test]
fn a_fresh_public_key_is_as_secret_as_those_who_have_it_keep_it() {
    let protocol = r#"
        messages = ["A -> B : {pk(E)}k(A,B)", "B -> A : {Word}pk(E)"]
        goals    = ["secret pk(E)", "secret Word"]
        fresh    = { A = ["E: keypair"], B = ["Word: nonce"] }
    "#;
    let (public, answer) = ("secret pk(E)", "secret Word");
    let kept = overheard(protocol, "");
    assert_eq!((word(&kept, public), word(&kept, answer)), ("holds".into(), "holds".into()));
    // Whoever has the private key can tell the public one, and opens what is for it.
    let lost = overheard(protocol, &stolen("1.E"));
    assert_eq!((word(&lost, public), word(&lost, answer)), ("violated".into(), "violated".into()));
}
