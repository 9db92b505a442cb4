//! The search, through its public doors: what it finds over the library, that everything it
//! reports was played, and that more never loses an attack.

use std::fmt::Write as _;
use std::process::Command;

use mallory::Scenario;
use mallory::notation::Goal;
use mallory::scenario::search::{Attack, Finding, Found, Power, Question};
use mallory::scenario::{self, KeyPool, Text};
use mallory::search::Stop;

/// Protocols that the search has no terms for: a secret of theirs comes of two computations, or
/// their shares are in one of several groups.
const UNSAID: [&str; 4] = ["negotiated-group", "negotiated-group-transcript", "signed-hybrid", "signed-kem"];

fn find(question: &Question, goal: &Goal, runs: usize, powers: &[Power]) -> Finding {
    question.search(goal, runs, powers, &|| false, &KeyPool::default())
}

fn attack(finding: &Finding) -> Option<&Attack> {
    match &finding.result {
        Found::Attack(attack) => Some(attack),
        Found::Nothing => None,
        Found::Unfinished(stop) => panic!("{}: {stop:?}", finding.goal),
    }
}

/// What a search of a protocol of the library says of a goal that has this text in it.
fn found(protocol: &str, goal: &str, runs: usize, powers: &[&str]) -> Option<Attack> {
    let question = Question::of_protocol(protocol).unwrap();
    let powers: Vec<Power> =
        powers.iter().map(|word| Power::read(word, &question.protocol).unwrap()).collect();
    let goal = question.protocol.goals.iter().find(|other| other.text.contains(goal)).unwrap().clone();
    let finding = find(&question, &goal, runs, &powers);
    assert_eq!(finding.unconfirmed, Vec::<String>::new(), "{protocol}: {}", goal.text);
    attack(&finding).cloned()
}

/// Every goal of every protocol of the library: whether two runs suffice to break it. A changed
/// line is a changed promise.
#[test]
fn what_is_found_over_the_library() {
    let mut table = String::new();
    for entry in scenario::protocols() {
        let Ok(question) = Question::of_protocol(&entry.name) else { panic!("{}", entry.name) };
        for goal in question.protocol.goals.clone() {
            let finding = find(&question, &goal, 2, &[]);
            // What the stage does not confirm is a defect of one of the two.
            assert_eq!(finding.unconfirmed, Vec::<String>::new(), "{}: {}", entry.name, goal.text);
            if UNSAID.contains(&&*entry.name) {
                assert!(matches!(finding.result, Found::Unfinished(Stop::Unsaid)), "{}", entry.name);
                continue;
            }
            let said = match attack(&finding) {
                Some(attack) => format!("attack, runs {}, lines {}", attack.told.runs, attack.told.hers),
                None => "none, runs 2".to_owned(),
            };
            writeln!(table, "{} | {} | {said}", entry.name, goal.text).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

/// The attacks that textbooks tell, each found without a hint.
#[test]
fn published_attacks_are_found() {
    let cases: [(&str, &str, &[&str]); 13] = [
        ("nspk", "B authenticates A", &[]),
        ("nspk", "secret Nb", &[]),
        ("nssk", "B authenticates A on Kab", &["old-session-key"]),
        ("otway-rees", "secret Kab", &["untagged"]),
        ("otway-rees-ban", "secret Kab", &[]),
        ("denning-sacco-pk", "B authenticates A on Kab", &[]),
        ("signed-dh-nameless", "A authenticates B on K", &[]),
        ("anonymous-dh", "secret Payload", &[]),
        ("andrew-rpc", "A authenticates B", &[]),
        ("wmf", "B authenticates A", &[]),
        ("neumann-stubblebine", "B authenticates A", &[]),
        ("tmn", "secret Kb", &[]),
        ("static-dh", "forward secret Payload", &[]),
    ];
    for (protocol, goal, powers) in cases {
        let attack = found(protocol, goal, 2, powers);
        assert!(attack.is_some(), "{protocol}: {goal} with {powers:?}");
    }
}

/// Lowe's attack comes out as he told it: two runs, and alice as his oracle.
#[test]
fn lowes_attack_is_the_one_that_lowe_told() {
    let attack = found("nspk", "B authenticates A", 2, &[]).unwrap();
    assert_eq!((attack.told.runs, attack.told.hers), (2, 3));
    let lines: Vec<&str> = attack.told.lines.iter().map(String::as_str).collect();
    assert_eq!(
        lines,
        [
            "1.1 alice -> I : {Na, alice}pk(I)",
            "2.1 I(alice) -> bob : {Na, alice}pk(bob)",
            "2.2 bob -> I(alice) : {Na, Nb}pk(alice)",
            "1.2 I -> alice : {Na, Nb}pk(alice)",
            "1.3 alice -> I : {Nb}pk(I)",
            "2.3 I(alice) -> bob : {Nb}pk(bob)",
        ]
    );
}

/// What is repaired stays so with three runs.
#[test]
fn weak_passwords_fall_where_a_word_can_be_checked() {
    // A reply to anybody who names the client (AS-REP roasting), and a ticket under a service's.
    for (protocol, goal, power) in [
        ("kerberos-password", "secret pw(C,AS)", "weak-password=C"),
        ("kerberos-password", "V authenticates C", "weak-password=C"),
        ("kerberos-service-password", "secret pw(TGS,V)", "weak-password=V"),
    ] {
        assert!(found(protocol, goal, 1, &[power]).is_some(), "{protocol}: {goal}");
        assert!(goal.starts_with('V') || found(protocol, goal, 2, &[]).is_none(), "{protocol}: {goal}");
    }
}

#[test]
fn a_word_is_checked_with_what_she_sent_and_not_with_what_she_lacks() {
    let login = |message: &str| {
        let text = format!(
            "messages = ['C -> S : C, g^x', {message}]\ngoals = ['secret pw(C,S)']\n[fresh]\nC = ['x: dh', 'Nc: nonce']\nS = ['y: dh']\n"
        );
        let text = std::sync::Arc::new(Text { name: "login".to_owned(), text });
        let question = Question::of_text("login", &text).unwrap();
        let power = Power::read("weak-password=C", &question.protocol).unwrap();
        let finding = find(&question, &question.protocol.goals[0].clone(), 2, &[power]);
        assert_eq!(finding.unconfirmed, Vec::<String>::new(), "{message}");
        attack(&finding).is_some()
    };
    assert!(login(r#"'S -> C : g^y, mac(kdf(g^x^y, pw(C,S)), "s")'"#));
    assert!(login("'C -> S : Nc, sign(sk(C), pw(C,S), Nc)'"));
    assert!(!login("'C -> S : {pw(C,S), Nc}pk(S)'"));
    assert!(!login("'C -> S : {Nc}pk(S), h(pw(C,S), Nc)'"));
}

#[test]
fn repaired_protocols_have_no_attack_with_three_runs() {
    for (protocol, goal) in [
        ("nsl", "secret Na"),
        ("nsl", "secret Nb"),
        ("nsl", "A authenticates B"),
        ("nsl", "B authenticates A"),
        ("yahalom-paulson", "secret Kab"),
        ("yahalom-paulson", "B authenticates A on Kab"),
    ] {
        assert!(found(protocol, goal, 3, &[]).is_none(), "{protocol}: {goal}");
    }
}

/// An attack does not hang on the keys and nonces of one seed.
#[test]
fn attacks_replay_under_other_seeds() {
    let seeds = std::env::var("MALLORY_SEARCH_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let pool = KeyPool::default();
    for name in ["nspk", "otway-rees-ban", "anonymous-dh", "wmf", "yahalom-ban", "woo-lam-pi"] {
        let question = Question::of_protocol(name).unwrap();
        for goal in question.protocol.goals.clone() {
            let finding = find(&question, &goal, 2, &[]);
            let Some(attack) = attack(&finding) else { continue };
            for seed in 1..=seeds {
                let play = question.play(&attack.scenario, seed, &pool).unwrap();
                let fell =
                    play.goals().iter().any(|verdict| verdict.goal == goal.text && verdict.is_violated());
                assert!(fell, "{name}: {} with seed {seed}\n{}", goal.text, attack.scenario);
            }
        }
    }
}

/// More runs and more powers never lose an attack.
#[test]
fn more_never_loses_an_attack() {
    let is_said = |name: &str| !UNSAID.contains(&name);
    for entry in scenario::protocols().into_iter().filter(|entry| is_said(&entry.name)).step_by(4) {
        let question = Question::of_protocol(&entry.name).unwrap();
        for goal in question.protocol.goals.clone() {
            let smaller = [(1, vec![]), (1, vec![Power::NoInsider])];
            for (runs, powers) in smaller {
                if attack(&find(&question, &goal, runs, &powers)).is_some() {
                    let larger = find(&question, &goal, 2, &[]);
                    assert!(attack(&larger).is_some(), "{}: {}", entry.name, goal.text);
                }
            }
        }
    }
}

/// What the authors of the library's stories found with lines of their own, and with nothing but
/// lines, the search finds, too.
#[test]
fn attacks_of_the_library_are_found() {
    // Time goes on between the attacker's lines: the key centre refreshes an old key's stamp.
    const NEEDS_MORE: [&str; 1] = ["wmf-key-refresh"];
    let pool = KeyPool::default();
    let mut looked = 0;
    for entry in scenario::scenarios().into_iter().filter(|entry| entry.group == "classics") {
        let story = Scenario::named(&entry.name).unwrap();
        for variant in story.variants.iter().filter(|variant| variant.setup.events.is_empty()) {
            if NEEDS_MORE.contains(&&*entry.name) || variant.setup.attacker.is_none() {
                continue;
            }
            let question = Question::of_variant(&story, variant).unwrap();
            let played = story.play(variant, true, &pool).unwrap();
            for fallen in played.goals().iter().filter(|verdict| verdict.is_violated()) {
                let goal =
                    question.protocol.goals.iter().find(|goal| goal.text == fallen.goal).unwrap().clone();
                let finding = find(&question, &goal, 2, &[]);
                assert!(attack(&finding).is_some(), "{}: {}", question.name, goal.text);
                looked += 1;
            }
        }
    }
    assert!(looked > 20, "only {looked} goals fall in the classics");
}

fn command(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mallory"))
        .args(arguments)
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .env_remove("MALLORY_LOG")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_exit_code_tells_attack_from_none() {
    assert_eq!(command(&["search", "nsl", "--goal", "A authenticates"]).0, Some(0));
    assert_eq!(command(&["search", "nspk", "--goal", "B authenticates"]).0, Some(1));
}

#[test]
fn what_is_asked_wrongly_is_said_with_the_nearest_word() {
    for (arguments, said) in [
        (&["search", "nspkk"][..], "did you mean `nspk`?"),
        (&["search", "nspk", "--power", "old-sesion-key"], "did you mean `old-session-key`?"),
        (&["search", "nspk", "--power", "stolen-key=Z"], "one of A, B"),
        (&["search", "nspk", "--power", "weak-password=A"], "nobody who plays A has a password"),
        (&["search", "nspk", "--goal", "secret Z"], "its goals are: secret Na"),
        (&["search", "nspk", "--runs", "0"], "MAX_SEARCH_RUNS"),
        (&["search", "nspk", "--seconds", "0"], "--seconds"),
        (&["search", "nspk-lowe"], "nspk-lowe/weak"),
    ] {
        let (code, out, err) = command(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}

/// What a goal rests on: who steals a long-term key in the end has what it sealed, unless the key
/// was agreed upon; who has alice's key poses as anybody to her where her key opens his messages.
#[test]
fn goals_rest_on_powers() {
    let (code, out, err) = command(&["powers", "nsl", "--goal", "secret Na"]);
    assert_eq!(code, Some(1), "{err}");
    assert!(out.contains("stolen-key-later=A: attack with 1 run"), "{out}");
    assert!(!out.contains("stolen-key=A"), "a larger set: {out}");
    let (_, out, _) = command(&["powers", "signed-dh", "--goal", "secret Payload"]);
    assert!(out.contains("stolen-key=A") && !out.contains("stolen-key-later"), "{out}");
    let (_, out, _) = command(&["powers", "signed-dh", "--goal", "A authenticates B"]);
    assert!(out.contains("stolen-key=B") && !out.contains("stolen-key=A"), "{out}");
    assert_eq!(command(&["powers", "anonymous-dh", "--runs", "9"]).0, Some(2));
}

/// The same text for one thread and for two.
#[test]
fn threads_change_nothing() {
    let one = command(&["search", "nspk", "--jobs", "1"]);
    assert_eq!(one, command(&["search", "nspk", "--jobs", "2"]));
}

/// What `--out` writes passes `mallory test`.
#[test]
fn an_attack_is_a_scenario_that_passes() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("found-by-search.toml");
    let path = file.to_str().unwrap();
    let (code, _, err) = command(&["search", "nspk", "--out", path]);
    assert_eq!(code, Some(1), "{err}");
    let (code, out, err) = command(&["test", path]);
    assert_eq!(code, Some(0), "{out}{err}");
}

/// What docs/SEARCHING.md shows is what a reader gets.
#[test]
fn the_chapter_shows_real_output() {
    const CHAPTER: &str = include_str!("../docs/SEARCHING.md");
    let folder = std::env::temp_dir().join(format!("mallory-searching-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut commands = 0;
    for block in CHAPTER.split("```").skip(1).step_by(2) {
        if let Some(file) = block.strip_prefix("toml\n") {
            let name = file.lines().next().unwrap().trim_start_matches("# ");
            std::fs::write(folder.join(name), file).unwrap();
        } else if let Some(session) = block.strip_prefix("console\n$ mallory ") {
            let (command, shown) = session.split_once('\n').unwrap();
            let (plain, quoted) = command.split_once('\'').unwrap_or((command, ""));
            let mut arguments: Vec<&str> = plain.split_whitespace().collect();
            arguments.extend(quoted.strip_suffix('\''));
            let output = Command::new(env!("CARGO_BIN_EXE_mallory"))
                .args(&arguments)
                .current_dir(&folder)
                .env_remove("MALLORY_LOG")
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), shown, "{command}");
            commands += 1;
        }
    }
    assert_eq!(commands, 7);
    let held = Command::new(env!("CARGO_BIN_EXE_mallory"))
        .args(["test", "held.toml"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert_eq!(held.status.code(), Some(0), "{}", String::from_utf8_lossy(&held.stdout));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What she puts in the place of a sum is as long as what the sum is of, or its reader refuses it.
#[test]
fn a_sum_of_hers_is_as_long_as_the_protocols() {
    let folder = std::env::temp_dir().join(format!("mallory-sums-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("sum.toml");
    let text = r#"
        messages = ["A -> B : Ka", "A -> B : Na, xor(Na, Nb)"]
        goals    = ["B weakly authenticates A on Ka"]
        fresh    = { A = ["Ka: key", "Na: nonce", "Nb: nonce"] }
    "#;
    std::fs::write(&file, text).unwrap();
    let (code, out, err) = command(&["search", file.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{out}{err}");
    std::fs::remove_dir_all(&folder).unwrap();
}
