//! `mallory run --out`: what other tools can read of a play, as files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;

use serde_json::Value as Json;

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("artefacts").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    // Tests run side by side: nobody may find the file half written.
    static WRITTEN: Once = Once::new();
    WRITTEN.call_once(|| fs::write(stories().join("cutoff.toml"), CUTOFF).unwrap());
    folder
}

/// The folder above those of the tests.
fn stories() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("artefacts")
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mallory"));
    command.arg("run").arg("-q").args(arguments).current_dir(folder);
    command.env_remove("MALLORY_LOG").output().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for name in names(folder) {
        let path = folder.join(&name);
        match path.is_dir() {
            true => {
                found.extend(files(&path).into_iter().map(|(of, bytes)| (Path::new(&name).join(of), bytes)))
            }
            false => drop(found.insert(name.into(), fs::read(path).unwrap())),
        }
    }
    found
}

fn index(folder: &Path) -> Json {
    serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap()
}

const STORY: &str = "../cutoff.toml";
/// A play with a little of everything: the library may change.
const CUTOFF: &str = r#"
protocol = "signed-dh"
[services.ca]
crl_period = "1h"
ocsp_delegated = true
[parties.alice]
revocation = "ocsp"
[parties.bob]
revocation = "crl"
fetch = "at-publication"
[[run]]
A = "alice"
B = "bob"
Payload = "one"
[[event]]
at = "20m"
revoke = "alice"
reason = "key-compromise"
[[run]]
at = "2h"
A = "alice"
B = "bob"
Payload = "two"
[variant.weak.parties.bob]
revocation = "none"
[variant.fixed]
"#;

#[test]
fn a_play_leaves_its_papers_and_an_index() {
    let folder = folder("papers");
    let output = run(&folder, &[STORY, "--out", "out"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, run(&folder, &[STORY]).stdout, "the log does not change");
    assert_eq!(names(&folder), ["out"], "nothing beside it");
    assert_eq!(names(&folder.join("out")), ["cutoff"]);
    assert_eq!(names(&folder.join("out").join("cutoff")), ["fixed", "weak"]);
    let fixed = folder.join("out").join("cutoff").join("fixed");
    let text = fs::read_to_string(fixed.join("index.json")).unwrap();
    insta::assert_snapshot!("index", text);
    // What the index names is there, nothing else is, and nothing is there twice.
    let index = index(&fixed);
    let mut named = vec!["index.json".to_owned()];
    let mut all = Vec::new();
    for artefact in index["artefacts"].as_array().unwrap() {
        for file in artefact["files"].as_array().unwrap() {
            let file = file.as_str().unwrap();
            let bytes = fs::read(fixed.join(file)).unwrap();
            if file.ends_with(".pem") {
                assert!(bytes.starts_with(b"-----BEGIN ") && bytes.ends_with(b"-----\n"), "{file}");
            } else {
                assert_eq!(bytes[0], 0x30, "{file}");
                all.push(bytes);
            }
            named.push(file.to_owned());
        }
    }
    named.sort();
    assert_eq!(names(&fixed), named);
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
    // The same seed, the same files.
    assert_eq!(run(&folder, &[STORY, "--out", "again"]).status.code(), Some(0));
    assert_eq!(files(&folder.join("out")), files(&folder.join("again")));
}

#[test]
fn only_a_new_or_an_empty_folder_will_do() {
    let folder = folder("refused");
    fs::create_dir(folder.join("full")).unwrap();
    fs::write(folder.join("full").join("mine"), "mine").unwrap();
    fs::write(folder.join("file"), "mine").unwrap();
    for (path, complaint) in [
        ("full", "mallory: full is not empty; choose another folder, or empty it first\n"),
        ("file", "mallory: file is no folder"),
        ("nowhere/out", "mallory: cannot write nowhere/out"),
        ("nowhere/..", "mallory: nowhere/.. names no folder"),
    ] {
        let output = run(&folder, &[STORY, "--out", path]);
        assert_eq!(output.status.code(), Some(2), "{path}");
        assert_eq!(output.stdout, b"", "{path}: nothing was played");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with(complaint), "{said}");
    }
    assert_eq!(names(&folder), ["file", "full"]);
    assert_eq!(names(&folder.join("full")), ["mine"]);
    fs::create_dir(folder.join("empty")).unwrap();
    assert_eq!(run(&folder, &[STORY, "--out", "empty/"]).status.code(), Some(0));
    assert_eq!(names(&folder.join("empty")), ["cutoff"]);
}

#[test]
fn what_fails_leaves_nothing() {
    let folder = folder("fails");
    let wrong = run(&folder, &["no-such-scenario", "--out", "out"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert_eq!(names(&folder), Vec::<String>::new());
    let unwritable = run(&folder, &[STORY, "--out", "out", "--keylog", "nowhere/keys"]);
    assert_eq!(unwritable.status.code(), Some(2));
    assert_eq!(names(&folder), Vec::<String>::new());
}

#[test]
fn plays_of_one_name_stay_apart() {
    let folder = folder("names");
    let story = "protocol = \"signed-dh\"\n[[run]]\nA = \"alice\"\nB = \"bob\"\nPayload = \"one\"\n";
    for name in ["a", "b"] {
        fs::create_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("a story.toml"), story).unwrap();
    }
    let output = run(&folder, &["a/a story.toml", "b/a story.toml", "dh-mitm/weak", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let out = folder.join("out");
    assert_eq!(names(&out), ["a_story", "a_story-2", "dh-mitm"]);
    assert_eq!(files(&out.join("a_story")).len(), files(&out.join("a_story-2")).len());
    // A play without papers says so.
    let weak = out.join("dh-mitm").join("weak");
    assert_eq!(names(&weak), ["index.json"]);
    assert_eq!(index(&weak)["artefacts"], Json::Array(vec![]));
    assert_eq!(index(&weak)["play"], "dh-mitm/weak");
}

#[test]
fn no_secret_is_among_the_papers() {
    let folder = folder("secrets");
    let output = run(&folder, &[STORY, "rsa-roundtrip", "--out", "out", "--keylog", "keys"]);
    assert_eq!(output.status.code(), Some(0));
    let keys = fs::read_to_string(folder.join("keys")).unwrap();
    let is_secret =
        |term: &str| term.starts_with("sk(") || term.starts_with("k(") || term == "K" || term == "x";
    let secrets: Vec<Vec<u8>> = keys
        .lines()
        .filter_map(|line| {
            let parts: Vec<&str> = line.split(' ').collect();
            is_secret(parts[3]).then(|| hex::decode(parts[4]).unwrap())
        })
        .collect();
    assert!(secrets.len() > 3, "{keys}");
    let written = files(&folder.join("out"));
    assert!(written.len() > 10);
    for (name, bytes) in &written {
        for secret in &secrets {
            // The last 16 bytes of a private key are part of its secret.
            let part = &secret[secret.len() - 16..];
            assert!(!bytes.windows(16).any(|window| window == part), "{}", name.display());
        }
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("PRIVATE KEY"), "{}", name.display());
    }
}

/// Whoever interrupts a run finds no folder that is half written.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let folder = folder("interrupted");
    let stories: Vec<String> = (0..400).map(|seed| format!("seed{seed}.toml")).collect();
    for (seed, name) in stories.iter().enumerate() {
        let text = format!(
            "protocol = \"sigma-i\"\nseed = {seed}\n[[run]]\nA = \"alice\"\nB = \"bob\"\nPayload = \"hi\"\n[network]\nlatency = \"1ms\"\n"
        );
        fs::write(folder.join(name), text).unwrap();
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_mallory"))
        .args(["run", "-q", "./", "--out", "out"])
        .current_dir(&folder)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let partial = folder.join(format!(".out.{}", child.id()));
    while !partial.exists() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!partial.exists() && !folder.join("out").exists());
}
