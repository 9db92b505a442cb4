//! A search that left something out never says that there is no attack: each stop, by itself, in
//! the command and in what a scenario expects.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mallory::scenario::search::Question;
use mallory::search::{Bounds, Stop, search};

/// B's code is over a secret of C's, whom B cannot name: its part has no words on symbols.
const UNSAID: &str = r#"
messages = ["A -> B : A, Na", "B -> A : Nb, h(pin, Nb, Na)", "A -> C : Nb, Na, h(pin, Nb, Na)"]
goals = ["C authenticates A on Nb"]
fresh = { A = ["Na: nonce"], B = ["Nb: nonce"] }
knows = { A = ["C"], C = ["pin: data"], B = ["pin"] }
"#;

/// The last of many lines says the key openly: an attack with more steps than `MAX_BUNDLE_STEPS`.
fn long() -> String {
    let mut text = String::from("messages = [\n");
    for nth in 0..140 {
        writeln!(text, "  'A -> B : \"step {nth}\"',").unwrap();
    }
    text + "  'A -> B : K',\n]\ngoals = [\"secret K\"]\nfresh = { A = [\"K: key\"] }\n"
}

/// Nine parties in a ring, each of whom hands everybody's names on.
fn ring(fields: impl Fn(&str, &str, &str) -> String) -> String {
    let names = ["A", "B", "C", "D", "E", "F", "G", "H", "J"];
    let others = names[1..].join(", ");
    let mut text = String::from("messages = [\n");
    for (nth, from) in names.iter().enumerate() {
        let to = names[(nth + 1) % names.len()];
        let fields = fields(from, to, &others);
        writeln!(text, "  \"{from} -> {to} : {fields}\",").unwrap();
    }
    let known: Vec<String> = names[1..].iter().map(|name| format!("{name:?}")).collect();
    write!(text, "]\ngoals = [\"secret Na\"]\nfresh = {{ A = [\"Na: nonce\"] }}\n").unwrap();
    text + &format!("knows = {{ A = [{}] }}\n", known.join(", "))
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn mallory(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mallory"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("MALLORY_LOG")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

/// What the command says of a protocol, what a scenario comes to that expects no attack on its
/// goal, and one whose attacker looks for attacks.
fn says_nothing_of(name: &str, protocol: &str, arguments: &[&str], because: &str) {
    let folder = folder(&format!("stops-{name}"));
    fs::write(folder.join("p.toml"), protocol).unwrap();
    let all = [&["search", "p.toml"][..], arguments].concat();
    let (code, said) = mallory(&folder, &all);
    assert_eq!(code, Some(3), "{name}: {said}");
    assert!(said.contains("not finished") && said.contains(because), "{name}: {said}");
    assert!(!said.contains("exhausted"), "{name}: {said}");
    let (code, said) = mallory(&folder, &[&all[..], &["--log", "json"]].concat());
    assert_eq!(code, Some(3), "{name}: {said}");
    assert!(said.contains(r#""result":"limit""#), "{name}: {said}");
}

fn expects_nothing_of(name: &str, protocol: &str, goal: &str, because: &str) {
    let folder = folder(&format!("stops-expected-{name}"));
    fs::write(folder.join("p.toml"), protocol).unwrap();
    for result in ["none", "attack"] {
        let file = format!("protocol = \"p.toml\"\n[expect.search]\n{goal:?} = {result:?}\n");
        fs::write(folder.join("s.toml"), file).unwrap();
        let (code, said) = mallory(&folder, &["test", "s.toml"]);
        assert_eq!(code, Some(3), "{name}: {said}");
        assert!(said.contains("not finished") && said.contains(because), "{name}: {said}");
    }
    let file = "protocol = \"p.toml\"\n[attacker]\ntactic = \"search\"\n";
    fs::write(folder.join("t.toml"), file).unwrap();
    let (code, said) = mallory(&folder, &["run", "t.toml"]);
    assert_eq!(code, Some(3), "{name}: {said}");
    assert!(said.contains("was not finished") && said.contains(because), "{name}: {said}");
    assert!(!said.contains("holds"), "{name}: {said}");
}

#[test]
fn a_role_that_symbols_cannot_say_is_not_passed_over() {
    let because = "cannot be said in the search's terms";
    says_nothing_of("unsaid", UNSAID, &[], because);
    expects_nothing_of("unsaid", UNSAID, "C authenticates A on Nb", because);
}

#[test]
fn a_part_of_too_many_steps_is_not_passed_over() {
    says_nothing_of("steps", &long(), &[], "MAX_BUNDLE_STEPS");
    expects_nothing_of("steps", &long(), "secret K", "MAX_BUNDLE_STEPS");
}

#[test]
fn a_search_whose_time_is_over_is_not_finished() {
    let held = ring(|from, to, others| format!("{{A, {others}, Na}}k({from},{to})"));
    says_nothing_of("over", &held, &["--seconds", "0.000000001"], "--seconds came first");
}

/// A ring of nine ends: where who comes next is under the key there is no attack, where it goes in
/// the clear there is one, in which nine have names of their own.
#[test]
fn a_long_ring_is_searched_to_its_end() {
    let folder = folder("stops-ring");
    let held = ring(|from, to, others| format!("{{A, {others}, Na}}k({from},{to})"));
    let open = ring(|from, to, others| format!("A, {others}, {{Na}}k({from},{to})"));
    for (protocol, exit, said) in [(held, 0, "exhausted"), (open, 1, "with 1 run and 1 line of hers")] {
        fs::write(folder.join("ring.toml"), protocol).unwrap();
        let (code, output) = mallory(&folder, &["search", "ring.toml"]);
        assert_eq!(code, Some(exit), "{output}");
        assert!(output.contains(said), "{output}");
    }
}

/// What the stage refuses was not searched with the stage's rules: a party that keeps a replay
/// cache refuses what symbols allow.
#[test]
fn an_attack_that_the_stage_refuses_is_no_absence_of_attacks() {
    let folder = folder("stops-unconfirmed");
    let file = |cache: bool| {
        format!(
            "[protocol]\nmessages = [\"A -> B : {{T, B, K}}k(A,B)\"]\ngoals = [\"B authenticates A on K\"]\n\
             fresh = {{ A = [\"T: time\", \"K: key\"] }}\n\
             [[run]]\nA = \"alice\"\nB = \"bob\"\n\
             [parties.bob]\nreplay_cache = {cache}\n\
             [attacker]\ntactic = \"search\"\n\
             [expect.search]\n\"B authenticates A on K\" = \"{}\"\n",
            if cache { "none" } else { "attack" }
        )
    };
    fs::write(folder.join("without.toml"), file(false)).unwrap();
    fs::write(folder.join("with.toml"), file(true)).unwrap();
    let (code, said) = mallory(&folder, &["test", "without.toml"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = mallory(&folder, &["test", "with.toml"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("the stage does not confirm"), "{said}");
    let (code, said) = mallory(&folder, &["search", "with.toml"]);
    assert_eq!(code, Some(3), "{said}");
}

/// The limit of states, at a number that a test can wait for.
#[test]
fn a_search_that_meets_its_limit_of_states_says_so() {
    let question = Question::of_protocol("nsl").unwrap();
    let goal = question.protocol.goals[0].clone();
    let bounds = |states| Bounds {
        runs: 2,
        encoding: question.encoding.clone(),
        insider: true,
        self_talk: false,
        old_session_keys: false,
        lax_clock: false,
        stolen: Vec::new(),
        suite: mallory::crypto::Suite::default(),
        states,
        honest: Vec::new(),
        scheduled: Vec::new(),
        passwords: Default::default(),
        has_dictionary: false,
    };
    let with = |states| search(&question.protocol, &goal, &bounds(states), &|| false, &mut |_| true);
    let whole = with(1_000_000);
    assert!(whole.attack.is_none() && whole.stop.is_none(), "{whole:?}");
    assert!(whole.states > 2, "{whole:?}");
    for states in 1..=whole.states {
        let stopped = with(states);
        assert_eq!(stopped.stop, Some(Stop::States), "with {states} of {} states", whole.states);
        assert!(stopped.attack.is_none());
    }
    assert_eq!(with(whole.states + 1).stop, None);
}
