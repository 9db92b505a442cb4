//! How messages travel: links lose, delay and double them, and nothing is due before its time.

use mallory::Scenario;
use mallory::journal::What;
use mallory::scenario::{KeyPool, PlayReport};

const TALK: &str = r#"
[protocol]
messages = ["A -> B : A, Na", "B -> A : Nb"]
fresh    = { A = ["Na: nonce"], B = ["Nb: nonce"] }
[[run]]
A = "alice"
B = "bob"
"#;

fn play(rest: &str) -> PlayReport {
    let text = format!("{TALK}\n{rest}");
    let scenario = Scenario::from_text("links", &text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
}

/// To whom each message was delivered, and when, in milliseconds.
fn deliveries(play: &PlayReport) -> Vec<(String, u64)> {
    let delivered = play.journal().events().iter().filter_map(|event| match &event.what {
        What::Delivered { to, .. } => Some((to.to_string(), event.at.0 / 1_000_000)),
        _ => None,
    });
    delivered.collect()
}

fn to(name: &str, at: u64) -> (String, u64) {
    (name.to_owned(), at)
}

#[test]
fn a_message_arrives_once_after_its_links_latency() {
    let quiet = play("[network]\nlatency = \"7ms\"");
    assert_eq!(deliveries(&quiet), [to("bob", 7), to("alice", 14)]);
    let uneven = play(
        "[network]\nlatency = \"7ms\"\n[[network.link]]\nfrom = \"bob\"\nto = \"alice\"\nlatency = \"50ms\"",
    );
    assert_eq!(deliveries(&uneven), [to("bob", 7), to("alice", 57)]);
}

#[test]
fn what_is_doubled_arrives_twice() {
    let doubled = play("[network]\nlatency = \"7ms\"\nduplicate = 1.0");
    let mut all = deliveries(&doubled);
    all.sort();
    assert_eq!(all.iter().filter(|(who, _)| who == "bob").count(), 2, "{all:?}");
    assert!(all.iter().filter(|(who, _)| who == "alice").count() >= 2, "{all:?}");
    let noted = doubled.journal().events().iter().filter(|e| matches!(e.what, What::Duplicated { .. }));
    assert!(noted.count() >= 2);
    assert!(doubled.run(1).party("alice").completed(), "a copy harms nobody");
}

#[test]
fn what_is_lost_never_arrives() {
    let lost = play("[network]\nloss = 1.0");
    assert_eq!(deliveries(&lost), []);
    assert_eq!(lost.run(1).party("alice").to_string(), "waits for line 2 from bob");
    assert_eq!(lost.run(1).party("bob").to_string(), "never starts");
}

#[test]
fn what_is_due_at_one_time_happens_in_the_order_in_which_it_came_up() {
    let runs: String = (0..20).map(|_| "[[run]]\nA = \"alice\"\nB = \"bob\"\n").collect();
    let play = play(&runs);
    let started: Vec<u32> = play
        .journal()
        .events()
        .iter()
        .filter_map(|event| match &event.what {
            What::Started { session, .. } if *session.party == *"bob" => Some(session.run),
            _ => None,
        })
        .collect();
    assert_eq!(started, (1..=21).collect::<Vec<u32>>());
}

#[test]
fn one_costly_part_makes_a_line_costly() {
    let text = r#"
        [protocol]
        messages = ["A -> B : A, Na, sign(sk(A), B, Na)"]
        fresh    = { A = ["Na: nonce"] }
        [parties.alice]
        strength = "1 in 10s"
        [[run]]
        A = "alice"
        B = "bob"
        [[run]]
        at = "1s"
        A = "alice"
        B = "bob"
        [[run]]
        at = "12s"
        A = "alice"
        B = "bob"
    "#;
    let scenario = Scenario::from_text("strength", text).unwrap();
    let play = scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap();
    let of = |run| play.run(run).party("alice").to_string();
    assert_eq!(of(1), "completes");
    assert_eq!(of(2), "rejects line 1: rate-limited");
    assert_eq!(of(3), "completes");
}

#[test]
fn a_code_over_what_its_sender_drew_is_known_again_whatever_stands_beside_it() {
    let text = |code: &str| {
        format!(
            r#"
            [protocol]
            messages = ['A -> B : A, Label, Na, {code}']
            fresh    = {{ A = ["Na: nonce"] }}
            given    = {{ A = ["Label: data"] }}
            [parties.bob]
            replay_cache = true
            [[run]]
            A = "alice"
            B = "bob"
            Label = "one"
            [[run]]
            at = "1m"
            A = "alice"
            B = "bob"
            Label = "one"
            [attacker]
            attack = ['1.1 alice -> bob : alice, L, N1, C1', '3.1 I(alice) -> bob : alice, "two", N1, C1']
            "#
        )
    };
    let of = |code: &str, run: u32| {
        let scenario = Scenario::from_text("cache", &text(code)).unwrap_or_else(|p| panic!("{p}"));
        let play = scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap();
        play.run(run).party("bob").to_string()
    };
    assert_eq!(of("mac(k(A,B), Na)", 2), "completes");
    assert_eq!(of("mac(k(A,B), Na)", 3), "rejects line 1: replayed");
    // Nothing in this code is new: it is no sign of a replay, and the message is another.
    assert_eq!(of("mac(k(A,B), \"hello\")", 2), "completes");
    assert_eq!(of("mac(k(A,B), \"hello\")", 3), "completes");
}

#[test]
fn what_came_too_early_does_not_outlive_a_restart() {
    let text = |event: &str| {
        format!(
            r#"
            [protocol]
            messages = ["A -> B : A, Na", "A -> B : Nc"]
            fresh    = {{ A = ["Na: nonce", "Nc: nonce"] }}
            [[run]]
            A = "alice"
            B = "bob"
            {event}
            [attacker]
            [[attacker.rule]]
            match  = {{ line = 1 }}
            action = "delay 2s"
            "#
        )
    };
    let of = |event: &str| {
        let scenario = Scenario::from_text("stray", &text(event)).unwrap_or_else(|p| panic!("{p}"));
        let play = scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap();
        play.run(1).party("bob").to_string()
    };
    assert_eq!(of(""), "completes");
    assert_eq!(of("[[event]]\nat = \"1s\"\nrestart = \"bob\""), "waits for line 2 from alice");
}
