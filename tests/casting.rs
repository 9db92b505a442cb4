//! Who has a part in a run of an attack: whom the file names, whom her lines begin a part of, and
//! whom others bring in.

use mallory::Scenario;
use mallory::scenario::KeyPool;

/// A protocol in which the second message begins two roles' parts.
const RELAYED: &str = r#"
    [protocol]
    messages = ["A -> S : A", "S -> B : A, Ns", "B -> C : A, B", "C -> A : C", "A -> C : A, B"]
    fresh    = { S = ["Ns: nonce"] }
    knows    = { S = ["B"], B = ["C"] }
    [parties.alice]
    [parties.bob]
    [parties.carol]
    [[run]]
    A = "alice"
    B = "bob"
    C = "carol"
"#;

fn read(attack: &[&str]) -> Result<Scenario, String> {
    let text = format!("{RELAYED}[attacker]\nattack = {attack:?}");
    Scenario::from_text("test", &text).map_err(|problems| problems.to_string())
}

/// How the parts of a run end.
#[track_caller]
fn ends(attack: &[&str], run: u32, expected: &[(&str, &str)]) {
    let scenario = read(attack).unwrap_or_else(|p| panic!("{p}\n{attack:?}"));
    let play = scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap();
    for (party, end) in expected {
        assert_eq!(play.run(run).party(party).to_string(), *end, "{party} {attack:?}");
    }
}

#[track_caller]
fn refused(attack: &[&str], says: &str) {
    let problem = read(attack).map(|_| String::new()).unwrap_or_else(|problem| problem);
    assert!(problem.contains(says), "{attack:?}: {problem}");
}

#[test]
fn a_service_that_she_asks_brings_others_into_the_run() {
    let lines =
        ["2.1 I(alice) -> S : alice", "2.3 bob -> carol : alice, bob", "2.4 carol -> I(alice) : carol"];
    ends(&lines, 2, &[("kdc", "completes"), ("bob", "completes"), ("carol", "waits for line 5 from alice")]);
}

#[test]
fn she_speaks_to_somebody_whom_another_brought_in() {
    let lines = ["2.2 I(S) -> bob : alice, N", "2.5 I(alice) -> carol : alice, bob"];
    ends(&lines, 2, &[("bob", "completes"), ("carol", "completes")]);
}

#[test]
fn nobody_is_brought_in_by_a_message_that_nobody_sends() {
    // Bob's part begins before carol's, and hers does not bring him in.
    refused(
        &["2.3 I(bob) -> carol : alice, bob", "2.3 bob -> I(carol) : alice, bob"],
        "bob takes no part in run 2 in which it could send this line",
    );
    refused(&["2.2 S -> I(bob) : alice, N"], "kdc takes no part in run 2 in which it could send this line");
    refused(
        &["2.5 I(alice) -> carol : alice, bob"],
        "carol takes no part in run 2 to which this line belongs",
    );
}

#[test]
fn one_comes_to_a_role_that_somebody_plays_only_by_a_line_of_hers() {
    let first = "2.2 I(S) -> bob : alice, N";
    refused(
        &[first, "2.4 carol -> I(alice) : carol", "2.4 dave -> I(alice) : dave"],
        "dave takes no part in run 2 in which it could send this line",
    );
    let both = [
        first,
        "2.4 carol -> I(alice) : carol",
        "2.3 I(bob) -> dave : alice, bob",
        "2.4 dave -> I(alice) : dave",
    ];
    ends(&both, 2, &[("carol", "waits for line 5 from alice"), ("dave", "waits for line 5 from alice")]);
}
