//! What a goal comes to, by the definition in docs/NOTATION.md.

use mallory::Scenario;
use mallory::scenario::{KeyPool, PlayReport};
use mallory::verdict::{Finding, Judgement, Lack};

fn play(text: &str) -> PlayReport {
    let scenario = Scenario::from_text("test", text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
}

fn verdict(play: &PlayReport, goal: &str) -> String {
    let found = play.goals().iter().find(|g| g.goal == goal);
    found.unwrap_or_else(|| panic!("no goal {goal}")).word().to_string()
}

/// Who refused what, of a goal that holds.
fn refusals(play: &PlayReport, goal: &str) -> Vec<String> {
    let found = play.goals().iter().find(|g| g.goal == goal).unwrap();
    let Judgement::Holds { refused, .. } = &found.judgement else { panic!("{goal} does not hold") };
    refused.iter().map(|r| format!("{} line {}: {}", r.party, r.refusal.line, r.refusal.reason)).collect()
}

const LETTER: &str = r#"
[protocol]
messages = ["A -> B : A, {Text}k(A,B)", "B -> A : {h(Text)}k(A,B)"]
goals    = ["secret Text", "B authenticates A on Text", "A authenticates B on Text"]
given    = { A = ["Text: data"] }
[[run]]
A = "alice"
B = "bob"
Text = "meet me at noon"
"#;

#[test]
fn where_nobody_attacks_no_secret_is_tested_and_agreement_is() {
    let play = play(LETTER);
    assert_eq!(verdict(&play, "secret Text"), "untested");
    assert_eq!(verdict(&play, "B authenticates A on Text"), "holds");
}

#[test]
fn a_refusal_of_what_she_changed_is_a_test_and_says_by_what() {
    let play = play(&format!("{LETTER}[attacker]\ntactic = \"tamper\""));
    assert_eq!(verdict(&play, "B authenticates A on Text"), "holds");
    assert_eq!(refusals(&play, "B authenticates A on Text"), ["bob line 1: decrypt-failed"]);
    assert_eq!(verdict(&play, "A authenticates B on Text"), "untested", "alice only waits");
}

#[test]
fn a_refusal_of_what_nobody_touched_is_no_test() {
    let stale = r#"
        [protocol]
        messages = ["A -> B : {T, A}k(A,B)"]
        goals    = ["B authenticates A on T"]
        fresh    = { A = ["T: time"] }
        [parties.alice]
        clock_offset = "-1h"
        [[run]]
        A = "alice"
        B = "bob"
        [attacker]
        tactic = "eavesdrop"
    "#;
    assert_eq!(verdict(&play(stale), "B authenticates A on T"), "untested");
    let late = stale.replace("tactic = \"eavesdrop\"", "[[attacker.rule]]\naction = \"delay 1m\"");
    let late = play(&late);
    assert_eq!(refusals(&late, "B authenticates A on T"), ["bob line 1: stale"], "she held it back");
}

/// What answers a changed message is refused for her doing, though nobody touched it.
#[test]
fn a_refused_answer_to_what_she_changed_is_a_test() {
    let play = play(
        r#"
        [protocol]
        messages = ["A -> B : A, Offer, Na", "B -> A : sign(sk(B), Offer, Na)"]
        goals    = ["A authenticates B on Offer"]
        given    = { A = ["Offer: data"] }
        fresh    = { A = ["Na: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        Offer = "strong"
        [attacker]
        attack = [
          "1.1 alice -> I(bob) : alice, Offer, Na",
          "1.1 I(alice) -> bob : alice, Weak, Na",
        ]
        "#,
    );
    assert_eq!(refusals(&play, "A authenticates B on Offer"), ["alice line 2: bad-signature"]);
}

#[test]
fn a_value_that_two_names_have_is_told_by_the_goals_own() {
    let play = play(
        r#"
        [protocol]
        messages = ["A -> B : A, Na"]
        goals    = ["secret Inner", "secret Outer"]
        fresh    = { A = ["Na: nonce"] }
        let      = { Inner = 'h("x", Na)', Outer = 'h("x", Na)' }
        [[run]]
        A = "alice"
        B = "bob"
        [attacker]
        tactic = "eavesdrop"
        "#,
    );
    for (goal, name) in [("secret Inner", "Inner"), ("secret Outer", "Outer")] {
        let found = play.goals().iter().find(|g| g.goal == goal).unwrap();
        let Judgement::Violated { finding: Finding::Held { term, .. }, .. } = &found.judgement else {
            panic!("{goal} holds")
        };
        assert_eq!(term, name);
    }
    assert!(play.attacker().learned("1.Inner") && play.attacker().learned("1.alice.Outer"));
}

/// Lowe 1997: who is authenticated was running *previously*.
#[test]
fn a_partner_who_had_the_values_only_afterwards_is_none() {
    let text = |at: &str| {
        format!(
            r#"
            [protocol]
            messages = ["A -> B : A, Na", "B -> A : Nb"]
            goals    = ["A authenticates B on Na"]
            fresh    = {{ A = ["Na: nonce"], B = ["Nb: nonce"] }}
            [[run]]
            A = "alice"
            B = "bob"
            [attacker]
            attack = ["1.1 alice -> I(bob) : alice, Na", {at}]
            "#
        )
    };
    let before = play(&text(r#""1.1 I(alice) -> bob : alice, Na", "1.2 I(bob) -> alice : Ne""#));
    assert_eq!(verdict(&before, "A authenticates B on Na"), "holds");
    let after = play(&text(r#""1.2 I(bob) -> alice : Ne", "2.1 I(alice) -> bob : alice, Na""#));
    assert_eq!(verdict(&after, "A authenticates B on Na"), "violated");
    let goal = after.goals().iter().find(|g| g.is_violated()).unwrap();
    let Judgement::Violated { finding: Finding::NoPartner { lack, .. }, .. } = &goal.judgement else {
        panic!("no partner is missing")
    };
    assert_eq!(*lack, Lack::TooLate);
}

/// Three clients: that mallory plays the third excuses nothing between the two that a goal names.
#[test]
fn a_dishonest_third_excuses_nobody() {
    let play = play(
        r#"
        [protocol]
        messages = ["A -> M : A, B", "M -> B : A, Word"]
        goals    = ["B authenticates A", "secret Word between A, B"]
        fresh    = { M = ["Word: nonce"] }
        [parties.alice]
        [parties.bob]
        [attacker]
        attack = ["1.2 I -> bob : alice, Mine"]
        "#,
    );
    assert_eq!(verdict(&play, "B authenticates A"), "violated");
    assert_eq!(verdict(&play, "secret Word between A, B"), "violated");
}

#[test]
fn two_hosts_with_one_key_are_one_service() {
    let text = |hosts: &str| {
        format!(
            r#"
            parties = {{ web1 = {{}}, web2 = {{ {hosts} }} }}
            [protocol]
            messages = ["A -> B : A, {{Ask}}k(A,B)"]
            goals    = ["B authenticates A on Ask"]
            given    = {{ A = ["Ask: data"] }}
            [[run]]
            A = "alice"
            B = "web1"
            Ask = "the weather"
            [attacker]
            insider = false
            [[attacker.rule]]
            match  = {{ to = "web1" }}
            action = "redirect web2"
            "#
        )
    };
    let play = play(&text("shares_key_of = \"web1\""));
    assert!(play.run(1).party("web2").completed());
    assert_eq!(verdict(&play, "B authenticates A on Ask"), "holds");
}

/// What somebody took from others and then refused is no secret of its own.
#[test]
fn a_value_that_was_refused_in_the_end_is_no_loss_but_ones_own_is() {
    let text = |goal: &str| {
        format!(
            r#"
            [protocol]
            messages = ["A -> B : {{A, Na}}pk(B)", "B -> A : Nb, Word", "A -> B : mac(k(A,B), Na, Nb)"]
            goals    = ["{goal}"]
            fresh    = {{ A = ["Na: nonce"], B = ["Nb: nonce"] }}
            given    = {{ B = ["Word: data"] }}
            [[run]]
            A = "alice"
            B = "bob"
            Word = "hush"
            [attacker]
            attack = [
              "1.1 alice -> I(bob) : M",
              "1.1 I(alice) -> bob : {{alice, Nx}}pk(bob)",
              "1.2 bob -> I(alice) : Nb, Word",
              "1.3 I(alice) -> bob : Nz",
            ]
            "#
        )
    };
    let of = |goal| verdict(&play(&text(goal)), goal);
    assert_eq!(of("secret Word"), "violated", "bob's own, though he refuses in the end");
    assert_eq!(of("secret Na"), "holds", "bob had one from her and refused");
}

#[test]
fn goals_of_two_protocols_in_the_same_words_are_two() {
    let protocol = |name: &str, field: &str| {
        format!(
            "messages = [\"A -> B : A, {field}\"]\ngoals = [\"secret Text\"]\ngiven = {{ A = [\"Text: data\"] }}\ntitle = \"{name}\""
        )
    };
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("goals");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("open.toml"), protocol("open", "Text")).unwrap();
    std::fs::write(folder.join("closed.toml"), protocol("closed", "{Text}k(A,B)")).unwrap();
    let file = folder.join("both.toml");
    let text = |goals: &str| {
        format!(
            r#"
            protocol = "open.toml"
            [[run]]
            A = "alice"
            B = "bob"
            Text = "one"
            [[run]]
            protocol = "closed.toml"
            A = "alice"
            B = "bob"
            Text = "two"
            [attacker]
            tactic = "eavesdrop"
            [expect]
            goals = {{ {goals} }}
            "#
        )
    };
    std::fs::write(&file, text(r#""open: secret Text" = "violated", "closed: secret Text" = "holds""#))
        .unwrap();
    Scenario::from_path(&file).unwrap_or_else(|p| panic!("{p}")).run().unwrap().assert_expected();
    std::fs::write(&file, text(r#""secret Text" = "violated""#)).unwrap();
    let problem = Scenario::from_path(&file).unwrap_err().to_string();
    assert!(
        problem.contains("2 protocols have the goal") && problem.contains("`open: secret Text`"),
        "{problem}"
    );
}

#[test]
fn a_part_that_joined_after_a_value_came_says_nothing_of_it() {
    let text = r#"
        [protocol]
        messages = ["A -> B : Na", "B -> C : Nb", "A -> C : {Text}k(A,C)"]
        goals    = ["C weakly authenticates B on Nb"]
        fresh    = { A = ["Na: nonce"], B = ["Nb: nonce"] }
        given    = { A = ["Text: data"] }
        knows    = { A = ["C"], B = ["C"] }
        joins    = { C = [3] }
        [parties.alice]
        [parties.carol]
        [attacker]
        attack = ["3.3 I(alice) -> carol : N"]
    "#;
    let play = play(text);
    assert_eq!(play.run(3).party("carol").to_string(), "rejects line 3: decrypt-failed");
    assert_eq!(verdict(&play, "C weakly authenticates B on Nb"), "untested");
}

#[test]
fn a_part_that_joined_without_the_key_could_never_have_tested_what_is_under_it() {
    // Who is there from line 1 reads Na; who joins at line 2 keeps the ciphertext, and never will.
    let text = r#"
        [protocol]
        messages = ["A -> B : Ka", "A -> B : {Na}Ka, Nc"]
        goals    = ["B weakly authenticates A on Na"]
        fresh    = { A = ["Ka: key", "Na: nonce", "Nc: nonce"] }
        joins    = { B = [2] }
        [parties.alice]
        [parties.bob]
        [attacker]
        attack = ["LINES"]
    "#;
    let joined = play(&text.replace("LINES", "3.2 I(alice) -> bob : X"));
    assert!(joined.run(3).party("bob").to_string().starts_with("rejects line 2"));
    assert_eq!(verdict(&joined, "B weakly authenticates A on Na"), "untested");
    let there = play(&text.replace("LINES", "3.1 I(alice) -> bob : Y\", \"3.2 I(alice) -> bob : X"));
    assert!(there.run(3).party("bob").to_string().starts_with("rejects line 2"));
    assert_eq!(verdict(&there, "B weakly authenticates A on Na"), "holds");
}

#[test]
fn a_part_that_refuses_its_first_message_knows_all_the_same_who_its_peer_is() {
    let text = r#"
        [protocol]
        messages = ["A -> B : A, {Na}pk(B)", "B -> C : {Na}pk(C)", "C -> B : h(Na, Nc), Nc"]
        goals    = ["B authenticates C on Nc"]
        fresh    = { A = ["Na: nonce"], C = ["Nc: nonce"] }
        knows    = { B = ["C"] }
        [parties.carol]
        [[run]]
        at = "1h"
        A = "alice"
        B = "bob"
        C = "PLAYER"
        [attacker]
        attack = ["2.1 I(alice) -> bob : alice, X"]
    "#;
    // In a run of hers C is who plays it in the first.
    for (player, word) in [("I", "untested"), ("carol", "holds")] {
        let play = play(&format!("until = \"1s\"\n{}", text.replace("PLAYER", player)));
        assert_eq!(play.run(2).party("bob").to_string(), "rejects line 1: decrypt-failed");
        assert_eq!(verdict(&play, "B authenticates C on Nc"), word, "{player}");
    }
}
