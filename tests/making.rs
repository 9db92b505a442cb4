//! What the attacker makes in her lines although the protocol has no such thing there.

use mallory::Scenario;
use mallory::scenario::{KeyPool, PlayReport};

fn play(text: &str) -> PlayReport {
    let scenario = Scenario::from_text("test", text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
}

/// Alice says two things in the clear, and these go to bob and carol in their place.
fn said(table: &str, to_bob: &str, to_carol: &str) -> PlayReport {
    play(&format!(
        r#"
        [protocol]
        messages = ["A -> B : A, M", "A -> C : M"]
        given    = {{ A = ["M: data"] }}
        {table}
        [parties.bob]
        [parties.carol]
        [attacker]
        fresh  = ["P: data", "Q: data"]
        attack = ['2.1 I(alice) -> bob : alice, {to_bob}', '3.2 I(alice) -> carol : {to_carol}']
        "#
    ))
}

fn taken(play: &PlayReport, run: u32, party: &str) -> Vec<u8> {
    let sessions = play.run(run).party(party);
    assert_eq!(sessions.to_string(), "completes");
    sessions.sessions()[0].value_named("M").map(|value| value.bytes.to_vec()).unwrap_or_default()
}

#[test]
fn she_seals_and_signs_where_the_protocol_does_not() {
    for term in ["{P}pk(bob)", "{P, Q}pk(I)", "sign(sk(I), P)", "sign(sk(I), {P}pk(bob))", "pk(I)"] {
        let play = said("", term, term);
        let bytes = taken(&play, 2, "bob");
        assert!(bytes.len() >= 32, "{term}");
        assert_eq!(bytes, taken(&play, 3, "carol"), "one term is one value: {term}");
    }
}

#[test]
fn what_she_seals_where_the_protocol_does_not_is_opened_by_whoever_has_the_key() {
    // Alice passes on what she cannot read as herself, and the attacker opens it with bob's key.
    let play = play(
        r#"
        [protocol]
        messages = ["A -> B : A, M", "B -> A : B, M"]
        given    = { A = ["M: data"] }
        [parties.alice]
        [parties.bob]
        [[event]]
        at         = "1m"
        compromise = "sk(bob)"
        [attacker]
        at     = { "3.1" = "2m" }
        attack = [
          '2.1 I(alice) -> bob      : alice, {N}pk(bob)',
          '2.2 bob      -> I(alice) : bob, Y',
          '3.1 I(alice) -> bob      : alice, Y',
          '3.2 bob      -> I(alice) : bob, {R}pk(bob)',
          '4.1 I(alice) -> bob      : alice, R',
        ]
        "#,
    );
    assert_ne!(taken(&play, 4, "bob"), taken(&play, 3, "bob"));
    assert_eq!(taken(&play, 4, "bob").len(), 16, "what she sealed was a nonce");
}

#[test]
fn data_of_hers_is_something_and_each_is_another() {
    for table in ["", "[encoding]\nkind = 'untagged'\ndata = 40"] {
        let play = said(table, "P", "Q");
        let (one, other) = (taken(&play, 2, "bob"), taken(&play, 3, "carol"));
        assert_ne!(one, other, "{table}");
        assert_eq!([one.len(), other.len()], [if table.is_empty() { 32 } else { 40 }; 2]);
    }
}

#[test]
fn data_that_a_role_generates_is_something() {
    let play = play(
        r#"
        [protocol]
        messages = ["A -> B : M, A"]
        fresh    = { A = ["M: data"] }
        [[run]]
        A = "alice"
        B = "bob"
        [[run]]
        A = "alice"
        B = "bob"
        "#,
    );
    assert_eq!(taken(&play, 1, "bob").len(), 32);
    assert_ne!(taken(&play, 1, "bob"), taken(&play, 2, "bob"));
}
