//! Searches in scenario files: what `[expect.search]` asserts, and what an attacker plays whose
//! tactic is to look for an attack.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mallory::Scenario;
use mallory::scenario::{KeyPool, PlayReport, Prey};

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn test(folder: &Path, text: &str, more: &[&str]) -> (Option<i32>, String) {
    fs::write(folder.join("s.toml"), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mallory"))
        .args(["test", "s.toml"])
        .args(more)
        .current_dir(folder)
        .env_remove("MALLORY_LOG")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

fn played(text: &str) -> PlayReport {
    let scenario = Scenario::from_text("hunt", text).unwrap();
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
}

fn verdict(play: &PlayReport, goal: &str) -> String {
    play.goals().iter().find(|verdict| verdict.goal == goal).unwrap().word().to_string()
}

#[test]
fn what_is_expected_of_a_search_passes_or_fails() {
    let folder = folder("search-expected");
    let (code, said) = test(
        &folder,
        "protocol = \"nspk\"\n[expect.search]\nruns = 2\n\"secret Nb\" = \"attack\"\n\
         \"A authenticates B on Na, Nb\" = \"none\"\n",
        &[],
    );
    assert_eq!(code, Some(0), "{said}");
    let wrong = "protocol = \"nspk\"\n[expect.search]\n\"secret Nb\" = \"none\"\n\
                 \"A authenticates B on Na, Nb\" = \"attack\"\n";
    let (code, said) = test(&folder, wrong, &[]);
    assert_eq!(code, Some(1), "{said}");
    for part in [
        "a search with up to 2 runs finds no attack on `secret Nb`, but it finds one",
        "repeat with: mallory search s.toml --runs 2 --goal 'secret Nb'",
        "finds an attack on `A authenticates B on Na, Nb`, but it finds none",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (code, said) = test(&folder, wrong, &["--json"]);
    assert_eq!(code, Some(1));
    let line: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!((line["result"].as_str(), line["unmet"].as_array().map(Vec::len)), (Some("failed"), Some(2)));
}

#[test]
fn several_searches_have_powers_of_their_own() {
    let folder = folder("search-powers");
    let text = "protocol = \"nssk\"\n\
                [[expect.search]]\n\"B authenticates A on Kab\" = \"none\"\n\
                [[expect.search]]\npowers = [\"old-session-key\"]\n\"B authenticates A on Kab\" = \"attack\"\n";
    let (code, said) = test(&folder, text, &["--seeds", "2"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = test(&folder, &text.replace("\"attack\"", "\"none\""), &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--power old-session-key --goal"), "{said}");
}

#[test]
fn variants_expect_different_things_of_searches() {
    let folder = folder("search-variants");
    let text = "[expect.search]\n\"secret Nb\" = \"none\"\n\
                [variant.weak]\nprotocol = \"nspk\"\nexpect.search.\"secret Nb\" = \"attack\"\n\
                [variant.fixed]\nprotocol = \"nsl\"\n";
    let (code, said) = test(&folder, text, &[]);
    assert_eq!(code, Some(0), "{said}");
}

const TWO: &str = "protocol = \"anonymous-dh\"\n\
    [[run]]\nA = \"client\"\nB = \"server\"\nPayload = \"pay 100\"\n\
    [attacker]\nname = \"eve\"\ntactic = \"search\"\n";

/// What she finds is played by the scenario's own parties, in the run that it has.
#[test]
fn what_she_finds_is_played_among_the_files_own_parties() {
    let play = played(TWO);
    assert_eq!(verdict(&play, "secret Payload"), "violated");
    assert!(play.attacker().learned("1.Payload"));
    assert!(play.run(1).party("client").completed());
    let parties: Vec<&str> = play.sessions().iter().map(|session| &*session.id.party).collect();
    assert!(parties.iter().all(|party| ["client", "server"].contains(party)), "{parties:?}");
    assert!(play.sessions().iter().all(|session| session.id.run == 1));
}

/// The same attack for every seed, and the same events for one.
#[test]
fn what_she_plays_does_not_hang_on_the_seed() {
    let plays = |seed| {
        let scenario = Scenario::from_text("hunt", TWO).unwrap().seed(seed);
        scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
    };
    let events = |play: &PlayReport| -> Vec<String> {
        play.journal().events().iter().map(|event| event.to_json().to_string()).collect()
    };
    assert_eq!(events(&plays(3)), events(&plays(3)));
    assert_eq!(plays(3).hunt(), plays(4).hunt());
    assert_eq!(verdict(&plays(4), "secret Payload"), "violated");
}

/// Of several attacks the one by which most goals fall.
#[test]
fn the_best_attack_is_the_one_by_which_most_falls() {
    let play =
        played("protocol = \"nspk\"\n[[run]]\nA = \"alice\"\nB = \"bob\"\n[attacker]\ntactic = \"search\"\n");
    for goal in ["secret Na", "secret Nb", "B authenticates A on Na, Nb"] {
        assert_eq!(verdict(&play, goal), "violated", "{goal}");
    }
    let hunt = play.hunt().unwrap();
    assert_eq!(hunt.plays, Some(0));
    assert_eq!(hunt.goals[0].prey, Prey::Attack { runs: 2, lines: 3 });
    assert_eq!(hunt.goals[1].prey, Prey::Attack { runs: 2, lines: 2 });
    assert_eq!(hunt.goals[2].prey, Prey::Nothing);
}

/// Where nothing is found, the goals are what honest runs show: where there is none, untested.
#[test]
fn where_nothing_is_found_she_only_listens() {
    let tactic = "[attacker]\ntactic = \"search 1\"\n";
    let play = played(&format!("protocol = \"nsl\"\n{tactic}"));
    assert_eq!((play.hunt().unwrap().plays, play.hunt().unwrap().runs), (None, 1));
    assert!(play.goals().iter().all(|verdict| verdict.word().to_string() == "untested"));
    let play = played(&format!("protocol = \"nsl\"\n[[run]]\nA = \"alice\"\nB = \"bob\"\n{tactic}"));
    assert_eq!(verdict(&play, "secret Nb"), "holds");
    let style = mallory::report::LogStyle::default();
    let told = mallory::report::log::render(&play, &style);
    assert!(told.contains("mallory found no attack with up to 1 run and only listens"), "{told}");
}

/// A goal on which she found an attack does not pass for one that holds because another is played.
#[test]
fn a_goal_that_another_attack_breaks_is_not_expected_to_hold() {
    let folder = folder("search-comfort");
    let goal = "B authenticates A on K, Payload";
    assert_eq!(verdict(&played(TWO), goal), "untested");
    let text = |word: &str| format!("{TWO}[expect.goals]\n{goal:?} = {word:?}\n");
    let (code, said) = test(&folder, &text("holds or untested"), &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the attacker found an attack on it, though she plays another"), "{said}");
    let (code, said) = test(&folder, &text("untested"), &[]);
    assert_eq!(code, Some(0), "{said}");
}
