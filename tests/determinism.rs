//! Same seed, same bytes: every scenario of the library twice in one process, and once in
//! another. The first event that differs is the message.

use std::process::Command;

use mallory::Scenario;
use mallory::scenario::{KeyPool, scenarios};

/// Events as lines, each with the scenario's name in front.
fn play_all() -> Vec<String> {
    let pool = KeyPool::default();
    let mut lines = Vec::new();
    for entry in scenarios() {
        let scenario = Scenario::named(&entry.name).unwrap();
        for variant in &scenario.variants {
            for with_attacker in [true, false] {
                let play = scenario.play(variant, with_attacker, &pool).unwrap();
                let journal = play.journal();
                lines.extend(journal.to_json_lines().lines().map(|l| format!("{} {l}", play.name)));
                let digest: String = journal.digest().iter().map(|b| format!("{b:02x}")).collect();
                lines.push(format!("{} attacker={with_attacker} {digest}", play.name));
            }
        }
    }
    lines
}

fn assert_same(a: &[String], b: &[String]) {
    if let Some((left, right)) = a.iter().zip(b).find(|(a, b)| a != b) {
        panic!("the first difference:\n  {left}\n  {right}");
    }
    assert_eq!(a.len(), b.len(), "one journal is longer");
}

/// Set in the process that this test starts, which then prints what it plays.
const CHILD: &str = "MALLORY_DETERMINISM_CHILD";

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let first = play_all();
    if std::env::var_os(CHILD).is_some() {
        println!("BEGIN\n{}\nEND", first.join("\n"));
        return;
    }
    assert_same(&first, &play_all());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_same_seed_gives_the_same_bytes", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, text) = text.split_once("BEGIN\n").expect("the other process prints its journals");
    let (text, _) = text.split_once("\nEND").unwrap();
    let other: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_same(&first, &other);
}

#[test]
fn another_seed_gives_other_bytes() {
    let play = |seed| {
        let scenario = Scenario::named("dh-mitm/weak").unwrap().seed(seed);
        let variant = scenario.variants[0].clone();
        scenario.play(&variant, true, &KeyPool::default()).unwrap().journal().digest()
    };
    assert_ne!(play(0), play(1));
}

#[test]
fn one_more_party_changes_nobodys_keys() {
    let text = |more: &str| {
        format!(
            r#"
            protocol = "anonymous-dh"
            {more}
            [[run]]
            A = "alice"
            B = "bob"
            Payload = "hello"
            "#
        )
    };
    let journal = |more: &str| {
        let scenario = Scenario::from_text("a", &text(more)).unwrap();
        let play = scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap();
        play.journal().to_json_lines()
    };
    assert_eq!(journal(""), journal("parties = { aaron = {}, zoe = {} }"));
}
