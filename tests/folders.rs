//! Folders of scenarios: what is found in them, and what is not there.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

const STORY: &str = "protocol = \"anonymous-dh\"\n[[run]]\nA = \"alice\"\nB = \"bob\"\nPayload = \"hi\"\n";

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("folders").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn mallory(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mallory"));
    command.args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn a_misspelt_folder_of_scenarios_is_no_passed_test() {
    let failed = format!("{:?}", ExitCode::from(101));
    let of = |folder: &Path| format!("{:?}", mallory::testing::main(folder));
    assert_eq!(of(Path::new("tests/scenarois")), failed);
    assert_eq!(of(&folder("without-scenarios")), failed);
}

#[test]
fn a_link_that_leads_back_is_not_followed() {
    let folder = folder("loop");
    fs::write(folder.join("story.toml"), STORY).unwrap();
    for name in ["a", "b", "c"] {
        symlink(".", folder.join(name)).unwrap();
    }
    let checked = mallory(&folder, &["check", "."]);
    assert_eq!(checked.status.code(), Some(0));
    assert_eq!(String::from_utf8(checked.stdout).unwrap(), "ok  ./story.toml\n");
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let folder = folder("pipe");
    let made = Command::new("mkfifo").arg(folder.join("story.toml")).status().unwrap();
    assert!(made.success());
    for arguments in [["check", "story.toml"], ["run", "story.toml"], ["test", "."], ["check", "."]] {
        let refused = mallory(&folder, &arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        let said = [refused.stdout, refused.stderr].concat();
        assert!(String::from_utf8(said).unwrap().contains("it is no regular file"), "{arguments:?}");
    }
}

#[test]
fn folders_in_folders_end_at_the_limit() {
    let folder = folder("deep");
    fs::create_dir_all(folder.join("d/".repeat(mallory::limits::MAX_FOLDER_DEPTH + 1))).unwrap();
    let refused = mallory(&folder, &["check", "."]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stdout).unwrap().contains("MAX_FOLDER_DEPTH"));
}
