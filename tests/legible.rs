//! Text of others' making reaches the terminal as text: no control character, no line of its
//! own, no change of direction, whichever subcommand shows it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What somebody would like a terminal to do.
const EVIL: &str = r"\u001b[31m\u0007\r\n  holds      secret Order\n\u009b2J\u202Elbatirw";

fn story() -> String {
    r#"
title = "A title EVIL"
about = "A story EVIL"
tags = ["tag EVIL"]
reference = "A paper EVIL"
[protocol]
title = "A protocol EVIL"
messages = ["A -> B : A, {Order}k(A,B)", "B -> A : \"label\", Order"]
given = { A = ["Order: data"] }
goals = ["secret Order"]
[[run]]
A = "alice"
B = "bob"
Order = "pay EVIL"
[attacker]
given = { Order = "steal EVIL" }
[variant."weak EVIL".expect]
values = { "1.bob.Order" = "nothing EVIL" }
[variant.fixed]
"#
    .replace("EVIL", EVIL)
}

/// Wrong in several ways, each with such text at its place.
fn mistakes() -> Vec<String> {
    let run = "[[run]]\nA = \"alice\"\nB = \"bob\"\n";
    [
        "protocol = \"EVIL\"\n[[run]]\n",
        "protocol = \"EVIL.toml\"\n[[run]]\n",
        "[protocol]\nmessages = [\"A -> B : EVIL\"]\nRUN",
        "\"key EVIL\" = 1\n",
        "title = \"t\" # \u{1b}[31m\u{202e}\nprotocol = \"nspk\"\n",
        "protocol = \"nspk\"\nRUN[attacker]\ntactic = \"EVIL\"\n",
        "protocol = \"nspk\"\nRUN[parties.\"EVIL\"]\n",
        "protocol = \"nspk\"\nRUN[expect]\nruns = { \"1.EVIL\" = \"completes\" }\n",
    ]
    .map(|text| text.replace("EVIL", EVIL).replace("RUN", run))
    .into()
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("legible").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Standard output and error of the command.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mallory"));
    let output = command.args(arguments).current_dir(folder).env_remove("MALLORY_LOG").output().unwrap();
    assert!(output.status.code().is_some_and(|code| code < 3), "{arguments:?}");
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

fn assert_legible(said: &str, arguments: &[&str]) {
    let raw = said.chars().find(|c| *c != '\n' && mallory::legible::acts(*c));
    assert_eq!(raw, None, "{arguments:?}: {said:?}");
    let forged = said.lines().find(|line| line.trim_end() == "  holds      secret Order");
    assert!(forged.is_none() || !said.contains("violated"), "{arguments:?}: {said}");
    assert!(
        !said.lines().any(|line| line.starts_with("  holds      secret Order\\")),
        "{arguments:?}: {said}"
    );
}

#[test]
fn every_subcommand_shows_others_text_as_text() {
    let folder = folder("plain");
    let evil_name = "story \u{1b}[31m\u{202e}.toml";
    for name in ["story.toml", evil_name] {
        fs::write(folder.join(name), story()).unwrap();
        for arguments in [
            &["run", name][..],
            &["run", "-v", name],
            &["run", "-q", name],
            &["run", "--log", "json", name],
            &["test", name],
            &["check", name],
            &["explain", name],
        ] {
            let said = said(&folder, arguments);
            let shows = arguments[0] != "check" || name == evil_name;
            assert_eq!(said.contains("\\u001b"), shows, "{arguments:?} shows what is there: {said}");
            assert_legible(&said, arguments);
        }
    }
    for (nth, text) in mistakes().iter().enumerate() {
        let name = format!("mistake{nth}.toml");
        fs::write(folder.join(&name), text).unwrap();
        for arguments in [["check", &name], ["run", &name], ["test", &name], ["explain", &name]] {
            assert_legible(&said(&folder, &arguments), &arguments);
        }
    }
    let evil = "\u{1b}[31m\n  holds\u{202e}";
    for arguments in
        [["run", evil], ["test", evil], ["explain", evil], ["check", evil], ["new", evil], ["list", evil]]
    {
        assert_legible(&said(&folder, &arguments), &arguments);
    }
}

#[test]
fn in_colours_only_our_own_codes_are_obeyed() {
    let folder = folder("colours");
    fs::write(folder.join("story.toml"), story()).unwrap();
    for command in ["run", "test", "check", "explain"] {
        let said = said(&folder, &["--color", "always", command, "story.toml"]);
        assert!(
            !said.contains("\u{1b}[31m\u{7}") && !said.contains("\u{1b}[31m\\u0007"),
            "{command}: {said}"
        );
        let codes = said.split('\u{1b}').skip(1);
        let is_color = |code: &str| {
            code.starts_with('[')
                && code
                    .trim_start_matches(['[', ';', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
                    .starts_with('m')
        };
        codes.for_each(|code| assert!(is_color(code), "{command}: {code:?}"));
    }
}
