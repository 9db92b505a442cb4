//! The attacker's notebook: what she keeps, in which format, and what she makes anew.

use std::path::Path;

use mallory::Scenario;
use mallory::journal::What;
use mallory::scenario::{KeyPool, PlayReport};

fn play(text: &str) -> PlayReport {
    let scenario = Scenario::from_text("notebook", text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap_or_else(|halt| panic!("{halt}"))
}

fn part(play: &PlayReport, run: u32, party: &str) -> String {
    play.run(run).party(party).to_string()
}

#[test]
fn what_she_made_for_one_place_she_makes_anew_for_a_place_of_another_type() {
    // The hash of a nonce is not the hash of the key that has the same bytes: types are written.
    for made in ["h(M)", "{h(M)}k(I,bob)"] {
        let of = |value: &str| made.replace('M', value).replace("I,bob", "A,B");
        let text = format!(
            r#"
            [protocol]
            messages = ["A -> B : A, Na, {}", "B -> A : Nb", "A -> B : K, {}"]
            fresh    = {{ A = ["Na: nonce", "K: key"], B = ["Nb: nonce"] }}
            [[run]]
            A = "alice"
            B = "bob"
            [attacker]
            attack = ["2.1 I -> bob : I, M, {made}", "2.3 I -> bob : M, {made}"]
            "#,
            of("Na"),
            of("K")
        );
        assert_eq!(part(&play(&text), 2, "bob"), "completes", "{made}");
    }
}

#[test]
fn what_she_calls_a_name_must_read_as_one() {
    let text = r#"
        [protocol]
        messages = ["A -> B : A, C", "B -> C : A"]
        knows    = { A = ["C"] }
        [[run]]
        A = "alice"
        B = "bob"
        C = "carol"
        [attacker]
        insider = false
        attack  = ["2.1 I(alice) -> bob : alice, X"]
    "#;
    assert_eq!(part(&play(text), 1, "bob"), "completes");
    assert_eq!(part(&play(text), 2, "bob"), "rejects line 1: malformed");
}

/// How many words she tries of so many on alice's password, by which the file is judged, and on
/// carol's, which comes up in a run of the attacker's own.
fn guesses(words: usize) -> Result<usize, String> {
    let words: Vec<String> = (0..words).map(|n| format!("word{n}")).collect();
    // A hash takes the password as it is: a word costs next to nothing.
    let text = format!(
        r#"
        [protocol]
        messages = ["A -> B : A, Na", "B -> A : h(pw(A,B), Na)"]
        fresh    = {{ A = ["Na: nonce"] }}
        [[run]]
        A = "alice"
        B = "bob"
        [attacker]
        insider    = false
        dictionary = {words:?}
        attack     = ["2.1 I(carol) -> bob : carol, N"]
        "#
    );
    let scenario = Scenario::from_text("words", &text).unwrap_or_else(|p| panic!("{p}"));
    let played = scenario.play(&scenario.variants[0], true, &KeyPool::default());
    played.map(|play| play.attacker().guesses()).map_err(|halt| halt.to_string())
}

#[test]
fn guesses_of_runs_that_she_opens_count_against_her_limit() {
    assert_eq!(guesses(250), Ok(500));
    let halt = guesses(251).unwrap_err();
    assert!(halt.starts_with("the limit MAX_GUESSES (500) was reached"), "{halt}");
}

#[test]
fn a_certificate_of_hers_in_anothers_name_is_not_taken_for_her_own() {
    // A careless authority gives her bob's name, for the key that she also uses under her own.
    let text = r#"
        protocol = "signed-dh"
        [services.ca]
        authorises = false
        [parties.bob]
        [[request]]
        at   = "5m"
        by   = "mallory"
        ask  = "enrol"
        name = "bob"
        as   = "Cbob"
        [[run]]
        at = "30m"
        A  = "alice"
        B  = "I"
        Payload = "transfer 100"
        [attacker]
        attack = [
          "1.1 alice -> I : alice, g^x",
          "1.2 I -> alice : I, g^z, sign(sk(I), g^x, g^z, alice), cert(I)",
        ]
    "#;
    let play = play(text);
    assert_eq!(play.request(1), Some(None), "granted");
    assert_eq!(part(&play, 1, "alice"), "completes");
}

#[test]
fn what_she_holds_of_one_run_is_for_no_line_of_another() {
    // The second run's message comes first, and is held until its line's turn.
    let text = r#"
        [protocol]
        messages = ["A -> B : A, Na"]
        fresh    = { A = ["Na: nonce"] }
        [[run]]
        at = "1m"
        A = "alice"
        B = "bob"
        [[run]]
        A = "alice"
        B = "bob"
        [attacker]
        insider = false
        attack  = [
          "1.1 alice -> I(bob) : alice, N1",
          "2.1 alice -> I(bob) : alice, N2",
          "2.1 I(alice) -> bob : alice, N1",
          "1.1 I(alice) -> bob : alice, N2",
        ]
    "#;
    let play = play(text);
    let has = |run: u32, party: &str| {
        play.run(run).party(party).sessions()[0].value_named("Na").map(|value| value.fingerprint())
    };
    assert_eq!(has(1, "bob"), has(2, "alice"));
    assert_eq!(has(2, "bob"), has(1, "alice"));
    assert_ne!(has(1, "bob"), has(2, "bob"));
}

#[test]
fn a_certificate_that_comes_is_read_whichever_she_knew_before() {
    let text = r#"
        [protocol]
        messages = ["A -> B : A, Na", "B -> A : sign(sk(B), Na), cert(B)"]
        fresh    = { A = ["Na: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [[run]]
        at = "2h"
        A = "alice"
        B = "bob"
        [[request]]
        at = "1h"
        by = "bob"
        ask = "rekey"
        [attacker]
        insider = false
        attack  = ["1.2 bob -> alice : S1, cert(bob)", "2.2 bob -> alice : S2, cert(bob)"]
    "#;
    let play = play(text);
    assert_eq!(play.request(1), Some(None), "granted");
    let stopped = |what: &What| matches!(what, What::AttackStopped { .. });
    assert!(!play.journal().events().iter().any(|event| stopped(&event.what)));
}

#[test]
fn what_lies_in_a_part_that_she_opens_later_is_in_the_encoding_of_its_run() {
    // She keeps a part of each run; what opens the second brings to light another to keep.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("later");
    std::fs::create_dir_all(&folder).unwrap();
    let flat = r#"
        messages = ["A -> B : A, {{Na, Nc}k(A,B)}Kx"]
        fresh    = { A = ["Na: nonce", "Nc: nonce", "Kx: key"] }
        encoding = { kind = "untagged" }
    "#;
    std::fs::write(folder.join("flat.toml"), flat).unwrap();
    let story = r#"
        [protocol]
        messages = ["A -> B : A, {Ma}k(A,B)"]
        fresh    = { A = ["Ma: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [[run]]
        protocol = "flat.toml"
        A = "alice"
        B = "bob"
        [[event]]
        at = "10s"
        compromise = "2.Kx"
        as = "J"
        [[event]]
        at = "20s"
        compromise = "k(alice,bob)"
        [attacker]
        insider = false
        attack  = [
          "1.1 alice -> bob    : alice, {M}k(alice,bob)",
          "2.1 alice -> bob    : alice, {{N, P}k(alice,bob)}J",
          "3.1 I(alice) -> bob : alice, {P}k(alice,bob)",
        ]
    "#;
    std::fs::write(folder.join("story.toml"), story).unwrap();
    let scenario = Scenario::from_path(folder.join("story.toml")).unwrap_or_else(|p| panic!("{p}"));
    let play = scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap();
    assert_eq!(part(&play, 3, "bob"), "completes");
}

#[test]
fn when_a_message_does_not_read_as_its_line_says_all_that_she_held_goes_on() {
    // Of run 2 she holds the message itself, of run 3 what she overheard; run 4 comes too late.
    let text = r#"
        [protocol]
        messages = ["A -> B : A, Na", "B -> A : Na"]
        fresh    = { A = ["Na: nonce"] }
        [[run]]
        at = "1m"
        A = "alice"
        B = "bob"
        [[run]]
        A = "alice"
        B = "bob"
        [[run]]
        A = "carol"
        B = "bob"
        [[run]]
        at = "2m"
        A = "alice"
        B = "bob"
        [attacker]
        insider = false
        attack  = [
          "1.1 alice -> I(bob) : bob, N",
          "2.1 alice -> I(bob) : alice, M",
          "3.1 carol -> bob    : carol, P",
          "4.1 alice -> I(bob) : alice, Q",
        ]
    "#;
    let play = play(text);
    for (run, party) in [(1, "alice"), (2, "alice"), (3, "carol"), (4, "alice")] {
        assert_eq!(part(&play, run, party), "completes", "run {run}");
    }
    let events = play.journal().events();
    let to_bob = events.iter().filter(|e| matches!(&e.what, What::Delivered { to, .. } if &**to == "bob"));
    assert_eq!(to_bob.count(), 4, "each once");
    let stops = events.iter().filter(|e| matches!(e.what, What::AttackStopped { .. })).count();
    assert_eq!(stops, 1);
}
