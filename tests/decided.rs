//! From which event on it was decided: real plays, in which the attacker is stopped.

use std::process::Command;

use mallory::Scenario;
use mallory::journal::What;
use mallory::scenario::{Builder, Decided, KeyPool, PlayReport};

fn asked(scenario: &Scenario, seeds: u32) -> (PlayReport, Decided) {
    let pool = KeyPool::default();
    let play = scenario.play(&scenario.variants[0], true, &pool).unwrap();
    let decided = scenario.decided(&play, seeds, &pool).unwrap();
    (play, decided)
}

fn named(name: &str, seeds: u32) -> (PlayReport, Decided) {
    asked(&Scenario::named(name).unwrap(), seeds)
}

/// How often a goal falls, cut by cut, and the act that decided it.
fn of(play: &PlayReport, decided: &Decided, goal: &str) -> (Vec<u32>, usize) {
    let goal = decided.goals.iter().find(|of| play.goals()[of.nth].goal == goal).unwrap();
    (goal.stopped.clone(), decided.cuts[goal.decided].acts)
}

/// Stopped after bob has her share, alice completes on a key that he does not have; after his answer
/// is taken, she waits for ever; after she has a share in its place, all is decided.
#[test]
fn the_exchange_is_decided_by_her_second_share() {
    let (play, decided) = named("dh-mitm/weak", 3);
    assert_eq!(decided.acts, 6);
    assert_eq!(of(&play, &decided, "secret Payload"), (vec![0, 0, 0, 0, 3, 3, 3], 4));
    assert_eq!(of(&play, &decided, "A authenticates B on K"), (vec![0, 0, 3, 0, 3, 3, 3], 4));
    let event = play.journal().events()[decided.cuts[4].event as usize - 1].what.clone();
    assert!(matches!(event, What::Injected { message, instead_of: Some(_) } if *message.to == *"alice"));
    assert_eq!(named("dh-mitm/weak", 3).1, decided, "the same each time");
}

#[test]
fn where_nothing_falls_nothing_is_decided() {
    assert!(named("dh-mitm/fixed", 2).1.goals.is_empty());
}

/// After her last act there is nothing to stop: every goal falls as often as if she goes on.
#[test]
fn stopped_after_all_she_did_all_is_as_it_was() {
    let names = ["nspk-lowe/weak", "otway-rees-type-flaw/weak", "kci-static-dh/weak"];
    for name in names {
        let (play, decided) = named(name, 2);
        assert!(!decided.goals.is_empty(), "{}", play.name);
        for goal in &decided.goals {
            assert_eq!(goal.stopped.last(), Some(&goal.going_on), "{} {:?}", play.name, decided);
        }
    }
}

fn clear() -> Builder {
    Scenario::builder("clear")
        .message("A -> B : A, Order")
        .goal("secret Order")
        .goal("B authenticates A on Order")
        .given("A", "Order: data")
        .run([("A", "alice"), ("B", "bob"), ("Order", "sell")])
}

/// She reads what is in the clear whether she acts or not, as one who only listens does.
#[test]
fn what_falls_by_listening_is_decided_without_her() {
    let (play, decided) = asked(&clear().tactic("replay").build().unwrap(), 2);
    assert_eq!(of(&play, &decided, "secret Order"), (vec![2, 2], 0));
    assert_eq!(of(&play, &decided, "B authenticates A on Order"), (vec![0, 2], 1));
    let (_, listens) = asked(&clear().tactic("eavesdrop").build().unwrap(), 2);
    assert_eq!((listens.acts, listens.goals.len()), (0, 1));
}

/// Of 70 acts the one is found that matters, although it is none of those that were chosen.
#[test]
fn among_many_acts_the_one_that_matters_is_found() {
    const RUNS: usize = 70;
    const LAX: usize = 39;
    let mut many = Scenario::builder("many")
        .message("A -> B : A, {Order}k(A,B)")
        .goal("B authenticates A on Order")
        .given("A", "Order: data")
        .tactic("replay");
    for nth in 1..=RUNS {
        let (bob, at) = (format!("bob{nth}"), format!("{}s", 10 * nth));
        many = many.run([("A", "alice"), ("B", &*bob), ("Order", "sell"), ("at", &*at)]);
        if nth != LAX {
            many = many.party(&bob, [("replay_cache", true)]);
        }
    }
    let (play, decided) = asked(&many.build().unwrap(), 1);
    assert_eq!(decided.acts, RUNS);
    assert!(decided.cuts.len() > 64 && decided.cuts.len() < RUNS, "{}", decided.cuts.len());
    assert_eq!(of(&play, &decided, "B authenticates A on Order").1, LAX);
}

#[test]
fn the_command_says_it_in_words_in_json_and_on_a_page() {
    let page = std::env::temp_dir().join(format!("mallory-decided-{}.html", std::process::id()));
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_mallory")).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = run(&["run", "dh-mitm/weak", "--decided=2", "-q", "--html", page.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    let told = "  decided    secret Payload
             falls in 2 of 2 seeds if mallory goes on, in 0 if she never acts
             stopped after so many of her 6 acts: 0:0  1:0  2:0  3:0  4:2  5:2  6:2
             decided by event 17: mallory puts hers in the place of message 1.2 from bob to alice\n";
    assert!(text.contains(told), "{text}");
    let html = std::fs::read_to_string(&page).unwrap();
    std::fs::remove_file(&page).unwrap();
    assert_eq!(html.matches("<article class=\"decision\">").count(), 3);
    assert!(html.contains("after 2 acts in 2, after 3 acts in 0"), "what bars show is said, too");
    let (_, json) = run(&["run", "dh-mitm/weak", "--decided=2", "--log", "json"]);
    let lines: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["kind"] == "decided")
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["decided_by"], 17);
    let schema = jsonschema::validator_for(&mallory::report::json::schema()).unwrap();
    assert!(lines.iter().all(|line| schema.is_valid(line)));
    assert_eq!(run(&["run", "dh-mitm/weak", "--decided=33"]).0, Some(2));
    assert!(!run(&["run", "dh-mitm/weak"]).1.contains("decided"), "only when it is asked");
}
