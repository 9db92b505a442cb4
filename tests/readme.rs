//! What the README shows is what a reader gets.

use std::process::Command;

const README: &str = include_str!("../README.md");

fn mallory(args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mallory")).args(args).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// The first block of this language that contains `text`.
fn block(language: &str, text: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let mut bodies = README.split(&fence).skip(1).filter_map(|b| b.split("```").next());
    bodies.find(|b| b.contains(text)).unwrap_or_else(|| panic!("no {language} block with {text}"))
}

#[test]
fn the_first_command_prints_what_the_readme_says() {
    let shown = block("console", "run dh-mitm");
    let (command, output) = shown.split_once('\n').unwrap();
    assert_eq!(command, "$ cargo run --release -- run dh-mitm");
    assert_eq!(mallory(&["run", "dh-mitm"]), (0, output.to_owned()));
}

#[test]
fn the_readers_own_scenario_plays() {
    let folder = std::env::temp_dir().join(format!("mallory-readme-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("mine.toml");
    std::fs::write(&path, block("toml", "# mine.toml")).unwrap();
    let (code, output) = mallory(&["run", path.to_str().unwrap()]);
    assert_eq!(code, 0, "{output}");
    for said in
        ["alice completes run 1 with bob", "bob completes run 2 with alice", "holds      secret Order"]
    {
        assert!(output.contains(said), "{said}\n{output}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
