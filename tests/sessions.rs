//! A party's parts in runs: what ends a live one, and what becomes of messages that come when
//! nobody waits for them.

use mallory::Scenario;
use mallory::journal::What;
use mallory::scenario::{KeyPool, PlayReport};

fn play(text: &str) -> PlayReport {
    let scenario = Scenario::from_text("sessions", text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap_or_else(|halt| panic!("{halt}"))
}

fn part(play: &PlayReport, run: u32, party: &str) -> String {
    play.run(run).party(party).to_string()
}

/// Why a party did nothing about messages, in order.
fn ignored(play: &PlayReport, party: &str) -> Vec<&'static str> {
    let why = play.journal().events().iter().filter_map(|event| match &event.what {
        What::Ignored { by, why, .. } if **by == *party => Some(*why),
        _ => None,
    });
    why.collect()
}

/// bob opens a session with alice's and carol's certificates; alice uses it four hours later.
fn revoked(whose: &str, bob: &str) -> String {
    let text = format!(
        r#"
        [protocol]
        messages = [
          'A -> B : A, sign(sk(A), B, "open"), cert(A)',
          'C -> B : C, sign(sk(C), B, "witness"), cert(C)',
          "A -> B : {{Payload}}k(A,B)",
        ]
        given = {{ A = ["Payload: data"] }}
        knows = {{ C = ["B"] }}
        [services.ca]
        crl_period   = "1h"
        crl_lifetime = "1h"
        [parties.bob]
        revocation = "crl"
        {bob}
        [parties.dave]
        [[run]]
        at = "10m"
        A  = "alice"
        B  = "bob"
        C  = "carol"
        Payload = "transfer 100"
        [[event]]
        at     = "2h 10m"
        revoke = "{whose}"
        [attacker]
        [[attacker.rule]]
        match  = {{ run = 1, line = 3 }}
        action = "hold until 5h"
        "#
    );
    part(&play(&text), 1, "bob")
}

#[test]
fn a_session_ends_with_any_one_of_the_certificates_that_it_accepted() {
    for bob in ["push = true", "recheck = \"30m\""] {
        for whose in ["alice", "carol"] {
            assert_eq!(revoked(whose, bob), "rejects line 3: session-terminated", "{whose}, {bob}");
        }
        assert_eq!(revoked("dave", bob), "completes", "{bob}");
    }
    assert_eq!(revoked("alice", ""), "completes", "nobody looks again");
}

#[test]
fn a_session_lives_up_to_its_greatest_age_and_no_longer() {
    // Both latencies are the same, so that line 3 comes as late after line 1 as it is sent.
    let aged = |most: &str| {
        let text = format!(
            r#"
            network = {{ latency = "0ms" }}
            [protocol]
            messages = ["A -> B : A, Na", "A -> B : {{Na}}k(A,B)"]
            fresh    = {{ A = ["Na: nonce"] }}
            [parties.bob]
            session_max_age = "{most}"
            [[run]]
            A = "alice"
            B = "bob"
            [attacker]
            [[attacker.rule]]
            match  = {{ run = 1, line = 2 }}
            action = "hold until 4h"
            "#
        );
        part(&play(&text), 1, "bob")
    };
    assert_eq!(aged("4h"), "completes");
    assert_eq!(aged("3h 59m"), "rejects line 2: session-terminated");
}

#[test]
fn what_is_reported_of_one_thief_says_nothing_of_another() {
    let stolen = |of: &str| format!("[[event]]\nat = \"20m\"\ncompromise = \"sk({of})\"\n");
    let text = format!(
        r#"
        network  = {{ latency = "2m" }}
        protocol = "signed-dh"
        [services.ca]
        crl_period   = "1h"
        crl_lifetime = "1h"
        [[run]]
        A  = "alice"
        B  = "bob"
        Payload = "transfer 100"
        {}{}
        [[request]]
        at     = "50m"
        by     = "alice"
        ask    = "revoke"
        reason = "key-compromise"
        [attacker]
        tactic = "eavesdrop"
        "#,
        stolen("alice"),
        stolen("bob")
    );
    let exposures = play(&text).exposures();
    let minutes = |of: &str| {
        let found = exposures.iter().find(|e| *e.of == *of).unwrap_or_else(|| panic!("none of {of}'s"));
        [found.reported, found.revoked].map(|at| at.map(|at| at.0 / 60_000_000_000))
    };
    assert_eq!(minutes("alice"), [Some(50), Some(52)]);
    assert_eq!(minutes("bob"), [None, None]);
}

/// A message, an answer and thanks, of which the attacker doubles one later.
fn doubled(line: u32, more: &str) -> PlayReport {
    play(&format!(
        r#"
        [protocol]
        messages = ["A -> B : A, Na", "B -> A : Nb", "A -> B : {{Nb}}k(A,B)"]
        fresh    = {{ A = ["Na: nonce"], B = ["Nb: nonce"] }}
        [[run]]
        A = "alice"
        B = "bob"
        [attacker]
        {more}
        [[attacker.rule]]
        match  = {{ line = {line} }}
        action = "duplicate"
        "#
    ))
}

#[test]
fn a_message_that_comes_when_its_line_is_past_is_ignored_and_the_log_says_why() {
    assert_eq!(ignored(&doubled(1, ""), "bob"), ["it is past that line"]);
    assert_eq!(ignored(&doubled(3, ""), "bob"), ["its part in this run is over"]);
}

#[test]
fn a_replay_cache_leaves_alone_what_nobody_can_open_a_part_with() {
    // Whether an answer is for its own run is for the protocol to say: this one does not.
    let text = r#"
        [protocol]
        messages = ["A -> B : A, Na", "B -> A : B", 'A -> B : {"yes", A}k(A,B)']
        fresh    = { A = ["Na: nonce"] }
        [parties.bob]
        replay_cache = true
        [[run]]
        A = "alice"
        B = "bob"
        [[run]]
        at = "1m"
        A = "alice"
        B = "bob"
        [attacker]
        insider = false
        attack  = ["1.3 alice -> bob : X", "2.3 alice -> I(bob) : Y", "2.3 I(alice) -> bob : X"]
    "#;
    let play = play(text);
    assert_eq!(part(&play, 1, "bob"), "completes");
    assert_eq!(part(&play, 2, "bob"), "completes");
}

/// What she does once she has alice's key, in a protocol whose third line nobody takes who had
/// no part in the first.
fn after_theft(more: &str) -> Option<(String, u32)> {
    let play = play(&format!(
        r#"
        [protocol]
        messages = ["A -> B : A", "B -> A : Nb", "A -> B : sign(sk(A), Nb)"]
        fresh    = {{ B = ["Nb: nonce"] }}
        [[run]]
        A = "alice"
        B = "bob"
        [[event]]
        at = "20m"
        compromise = "sk(alice)"
        {more}
        "#
    ));
    let exposures = play.exposures();
    let of_alice = exposures.iter().find(|exposure| *exposure.of == *"alice").unwrap();
    assert!(of_alice.accepted.is_empty());
    of_alice.refused.as_ref().map(|(met, _)| (met.by.to_string(), met.run))
}

#[test]
fn a_thief_is_refused_only_where_a_message_of_hers_in_the_owners_name_is_not_heeded() {
    let injects = |line: &str| {
        format!(
            r#"
            [attacker]
            from   = "30m"
            fresh  = ["N: nonce"]
            attack = ["1.3 {line} : sign(sk(alice), N)"]
            [parties.carol]
            "#
        )
    };
    assert_eq!(after_theft(&injects("I(alice) -> bob")), Some(("bob".to_owned(), 1)));
    assert_eq!(after_theft(&injects("I(carol) -> bob")), None, "in another's name");
    let again = r#"
        [attacker]
        [[attacker.rule]]
        match  = { line = 3 }
        action = "replay 1h"
    "#;
    assert_eq!(after_theft(again), None, "alice said that herself");
}
