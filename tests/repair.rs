//! Repairs, through their public doors: the textbook's are found, what is proposed stands up to a
//! search of its own, honest parties get through it, and what is not found is said so.

use std::process::Command;
use std::sync::Arc;

use mallory::notation::edits::Change;
use mallory::scenario::repair::{Repair, Repairs, Wanted};
use mallory::scenario::search::{Found, Power, Question};
use mallory::scenario::{KeyPool, Text};

fn question(text: &str) -> Question {
    let text = Text { name: "draft".to_owned(), text: text.to_owned() };
    Question::of_text("draft", &Arc::new(text)).unwrap()
}

fn repaired(question: &Question, goal: Option<&str>, powers: &[&str], jobs: usize) -> Repairs {
    let powers: Vec<Power> =
        powers.iter().map(|word| Power::read(word, &question.protocol).unwrap()).collect();
    let wanted = Wanted { runs: 2, powers: &powers, goal, jobs, is_over: &|| false };
    question.repair(&wanted).unwrap()
}

/// The lines that a repair writes.
fn lines(repair: &Repair) -> Vec<&str> {
    let line = |change: &'_ Change| match change {
        Change::Line { .. } | Change::NewLine(..) => true,
        Change::Let { .. } | Change::Fresh { .. } => false,
    };
    let text = |change| match change {
        &Change::Line { is: (_, ref line), .. } | &Change::NewLine(_, ref line) => line.as_str(),
        _ => "",
    };
    repair.changes.iter().filter(|change| line(change)).map(text).collect()
}

/// Searches what a repair wrote, as anybody who got the file would.
fn assert_stands(repair: &Repair, powers: &[&str]) {
    let question = question(&repair.text);
    let powers: Vec<Power> =
        powers.iter().map(|word| Power::read(word, &question.protocol).unwrap()).collect();
    for goal in question.protocol.goals.iter().filter(|goal| repair.stand.contains(&goal.text)) {
        let finding = question.search(goal, 2, &powers, &|| false, &KeyPool::default());
        assert!(matches!(finding.result, Found::Nothing), "{}\n{}", goal.text, repair.text);
        assert_eq!(finding.unconfirmed, Vec::<String>::new(), "{}", repair.text);
    }
}

/// For each flawed protocol of the library, a repair that its literature has or names as equal.
#[test]
fn textbook_repairs_are_found() {
    let cases: [(&str, Option<&str>, &[&str]); 4] = [
        // Lowe, IPL 56(3), 1995.
        ("nspk", None, &["B -> A : {Na, Nb, B}pk(A)"]),
        // Abadi & Needham, principle 3.
        ("denning-sacco-pk", Some("secret"), &["A -> B : A, {Kab, Ta, sign(sk(A), Kab, Ta, B)}pk(B)"]),
        // ISO/IEC 9798-3.
        (
            "signed-dh-nameless",
            None,
            &[
                "B -> A : B, g^y, sign(sk(B), g^x, g^y, A), cert(B)",
                "A -> B : A, sign(sk(A), g^x, g^y, B), cert(A), {Payload}K",
            ],
        ),
        // Woo & Lam's first repair.
        (
            "woo-lam-pi",
            None,
            &[
                "A -> B : {Nb, A, B}k(A,S)",
                "B -> S : {A, {Nb, A, B}k(A,S)}k(B,S)",
                "S -> B : {Nb, A, B}k(B,S)",
            ],
        ),
    ];
    for (name, goal, wanted) in cases {
        let repairs = repaired(&Question::of_protocol(name).unwrap(), goal, &[], 2);
        let found = repairs.repairs.iter().find(|repair| lines(repair) == wanted);
        assert!(found.is_some(), "{name}: {:#?}", repairs.repairs);
        for repair in &repairs.repairs {
            assert_eq!(repair.mends.len(), repairs.broken.len(), "{name}");
            assert_stands(repair, &[]);
        }
        assert!(repairs.repairs.is_sorted_by_key(|repair| repair.size), "{name}");
    }
}

/// An old session key is told from a new one by a clock, or by a nonce of whoever cannot tell.
const OLD_KEY: &str = r#"
messages = [
  "A -> B : A, {Kab, A}k(A,B)", # the key
  "B -> A : {Nb}Kab",
  "A -> B : {succ(Nb)}Kab",
]
goals = ["secret Kab"]
fresh = { A = ["Kab: key"], B = ["Nb: nonce"] }
"#;

#[test]
fn an_old_key_is_told_by_a_clock_or_a_nonce() {
    let repairs = repaired(&question(OLD_KEY), None, &["old-session-key"], 2);
    let found: Vec<Vec<&str>> = repairs.repairs.iter().map(lines).collect();
    assert!(found.contains(&vec!["A -> B : A, {Kab, A, Ta}k(A,B)"]), "{found:?}");
    let challenged = vec!["A -> B : A", "B -> A : Nb2", "A -> B : A, {Kab, A, Nb2}k(A,B)"];
    assert!(found.contains(&challenged), "{found:?}");
    for repair in &repairs.repairs {
        assert_stands(repair, &["old-session-key"]);
        assert!(repair.text.contains("# the key"), "the rest of the file stays: {}", repair.text);
    }
}

#[test]
fn needham_and_schroeder_are_repaired_as_they_and_their_critics_did() {
    let repairs =
        repaired(&Question::of_protocol("nssk").unwrap(), Some("secret Kab"), &["old-session-key"], 2);
    let found: Vec<Vec<&str>> = repairs.repairs.iter().map(lines).collect();
    // Denning & Sacco's stamp; Needham & Schroeder's nonce.
    assert!(found.iter().any(|lines| lines.contains(&"A -> B : {Kab, A, Ts}k(B,S)")), "{found:?}");
    assert!(found.iter().any(|lines| lines.contains(&"A -> B : {Kab, A, Nb2}k(B,S)")), "{found:?}");
}

/// What honest parties do not get through is no repair: where bob's clock is a day off, no stamp.
#[test]
fn honest_parties_get_through_what_is_proposed() {
    let scenario = format!(
        "parties.bob.clock_offset = \"-1d\"\n[protocol]\n{OLD_KEY}\n[[run]]\nA = \"alice\"\nB = \"bob\"\n"
    );
    let folder = std::path::Path::new(".");
    let story = mallory::Scenario::read_in("late", &scenario, folder).unwrap();
    let question = Question::of_variant(&story, &story.variants[0]).unwrap();
    let repairs = repaired(&question, None, &["old-session-key"], 2);
    assert!(!repairs.repairs.is_empty());
    for repair in &repairs.repairs {
        assert!(!repair.text.contains("time"), "{}", repair.text);
    }
}

/// A secret is not kept by keeping it from whoever it is for.
#[test]
fn who_was_to_have_a_secret_still_has_it() {
    let text = r#"
messages = ["A -> S : {N}k(A,S)", "S -> A : {succ(N)}k(A,S)", "A -> B : M"]
goals = ["secret M"]
fresh = { A = ["N: nonce"] }
given = { A = ["M: data"] }
"#;
    let repairs = repaired(&question(text), None, &[], 2);
    for repair in &repairs.repairs {
        assert!(!repair.text.contains("{M}k(A,S)"), "{}", repair.text);
    }
    assert!(repairs.tried > 10);
}

/// No goal that held falls, and a part of what is broken is called a part.
#[test]
fn what_mends_a_part_is_called_so() {
    let repairs = repaired(&Question::of_protocol("denning-sacco-pk").unwrap(), None, &[], 2);
    let named = repairs.partial.iter().find(|repair| repair.size == 1).unwrap();
    assert_eq!(named.mends, ["secret Payload"]);
    assert!(repairs.repairs.iter().all(|repair| repair.buys.len() == 2));
    repairs.partial.iter().for_each(|repair| assert_stands(repair, &[]));
}

/// The same for one thread and for three.
#[test]
fn threads_change_nothing() {
    let question = Question::of_protocol("signed-dh-nameless").unwrap();
    let texts = |jobs| -> Vec<String> {
        let repairs = repaired(&question, None, &[], jobs);
        repairs.repairs.into_iter().chain(repairs.partial).map(|repair| repair.text).collect()
    };
    assert_eq!(texts(1), texts(3));
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

fn file(name: &str, text: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_is_written_loads_and_stands() {
    let path = file("repaired-nspk.toml", "");
    let (code, out, err) = command(&["repair", "nspk", "--out", &path]);
    assert_eq!(code, Some(1), "{err}");
    assert!(out.contains("+ B -> A : {Na, Nb, B}pk(A)"), "{out}");
    assert_eq!(command(&["check", &path]).0, Some(0));
    assert_eq!(command(&["search", &path]).0, Some(0));
    let (code, out, _) = command(&["repair", &path]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("nothing to repair"), "{out}");
}

/// A key that falls later opens what it sealed before: no edit of these kinds helps, which does
/// not mean that there is none.
#[test]
fn what_is_not_found_is_said_with_what_was_looked_at() {
    let text = "messages = [\"A -> B : {M}k(A,B)\"]\ngoals = [\"forward secret M\"]\ngiven = { A = [\"M: data\"] }\n";
    let path = file("no-repair.toml", text);
    let unwritten = path.replace("no-repair", "never-written");
    let (code, out, err) = command(&["repair", &path, "--out", &unwritten]);
    assert_eq!(code, Some(3), "{err}");
    assert!(out.contains("no repair of all that is broken was found"), "{out}");
    assert!(out.contains("all single edits of these kinds and all pairs"), "{out}");
    assert!(err.contains("no repair to write"), "{err}");
    assert!(!std::path::Path::new(&unwritten).exists());
    let (code, out, _) = command(&["repair", &path, "--seconds", "0.000001"]);
    assert_eq!(code, Some(3), "{out}");
    assert!(!out.contains("nothing to repair"), "{out}");
}

#[test]
fn json_has_the_protocol_and_what_came_of_all() {
    let (code, out, err) = command(&["repair", "nspk", "--log", "json"]);
    assert_eq!(code, Some(1), "{err}");
    let objects: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects[0]["result"], "repair");
    assert_eq!(objects[0]["changes"][0]["was"], "B -> A : {Na, Nb}pk(A)");
    assert!(objects[0]["protocol"].as_str().unwrap().contains("{Na, Nb, B}pk(A)"));
    assert_eq!(objects.last().unwrap()["result"], "repaired");
    assert_eq!(command(&["repair", "nspk", "--power", "old-sesion-key"]).0, Some(2));
}
