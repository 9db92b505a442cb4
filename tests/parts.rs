//! Of which parts a goal speaks, and what puts it to the test.

use mallory::Scenario;
use mallory::scenario::{KeyPool, PlayReport};

fn play(text: &str) -> PlayReport {
    let scenario = Scenario::from_text("parts", text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
}

fn part(play: &PlayReport, run: u32, party: &str) -> String {
    play.run(run).party(party).to_string()
}

fn verdict(play: &PlayReport, goal: &str) -> String {
    let found = play.goals().iter().find(|g| g.goal == goal);
    found.unwrap_or_else(|| panic!("no goal {goal}")).word().to_string()
}

#[test]
fn a_part_in_another_role_is_nobodys_partner() {
    // bob has alice's nonce in time, as a witness; as the one whom alice means he has no part.
    let play = play(
        r#"
        [protocol]
        messages = ["A -> B : A, Na", "B -> A : B", "A -> C : A, Na"]
        goals    = ["A authenticates B on Na"]
        fresh    = { A = ["Na: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        C = "carol"
        [attacker]
        insider = false
        attack  = [
          "1.1 alice    -> I(bob) : alice, N",
          "2.3 I(alice) -> bob    : alice, N",
          "1.2 I(bob)   -> alice  : bob",
        ]
        at = { "1.2" = "1m" }
        "#,
    );
    assert_eq!(part(&play, 1, "alice"), "completes");
    assert_eq!(part(&play, 2, "bob"), "completes");
    assert_eq!(verdict(&play, "A authenticates B on Na"), "violated");
}

/// One sealed message, by which bob authenticates whoever sends it.
const SEALED: &str = r#"
[protocol]
messages = ["A -> B : {Na}k(A,B)"]
goals    = ["B authenticates A on Na"]
fresh    = { A = ["Na: nonce"] }
[parties.alice]
[parties.bob]
"#;

#[test]
fn what_comes_in_the_attackers_own_name_tests_no_goal_between_others() {
    let refused = |line: &str| {
        let play = play(&format!("{SEALED}\n[attacker]\nattack = [\"{line}\"]"));
        assert_eq!(part(&play, 1, "bob"), "rejects line 1: decrypt-failed");
        verdict(&play, "B authenticates A on Na")
    };
    assert_eq!(refused("1.1 I -> bob : {N}k(I,alice)"), "untested");
    assert_eq!(refused("1.1 I(alice) -> bob : {N}k(I,alice)"), "holds");
}

#[test]
fn a_refusal_of_what_nobody_touched_tests_nothing() {
    // bob's clock is slow, and so alice refuses his answer; mallory only listens, or holds it back.
    let refused = |tactic: &str| {
        let play = play(&format!(
            r#"
            [protocol]
            messages = ["A -> B : A, Na", "B -> A : {{Na, T}}k(A,B)"]
            goals    = ["A authenticates B on Na"]
            fresh    = {{ A = ["Na: nonce"], B = ["T: time"] }}
            [parties.bob]
            clock_offset = "-1h"
            [[run]]
            A = "alice"
            B = "bob"
            [attacker]
            {tactic}
            "#
        ));
        assert_eq!(part(&play, 1, "alice"), "rejects line 2: stale");
        verdict(&play, "A authenticates B on Na")
    };
    assert_eq!(refused("tactic = \"eavesdrop\""), "untested");
    let held = "[[attacker.rule]]\nmatch = { run = 1, line = LINE }\naction = \"delay 1s\"";
    for line in ["1", "2"] {
        assert_eq!(refused(&held.replace("LINE", line)), "holds", "line {line}");
    }
}
