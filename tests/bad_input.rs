//! Files with one mistake each, in `tests/bad`: the command must name it once, at its place,
//! and end with 2. The first line of a file says where: `# wrong at 7:1`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad");

fn mallory(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mallory"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("MALLORY_LOG")
        .output()
        .expect("the command was built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the command writes text")
}

/// What `check` and `run` say of a file that they must refuse.
fn refused(folder: &Path, file: &str) -> String {
    let check = mallory(folder, &["check", file]);
    let run = mallory(folder, &["run", file]);
    assert_eq!(check.status.code(), Some(2), "check {file}");
    assert_eq!(run.status.code(), Some(2), "run {file}");
    assert_eq!(text(&check.stderr), "", "check {file} writes what it finds to standard output");
    assert_eq!(text(&run.stdout), "", "run {file} plays nothing");
    let (check, run) = (text(&check.stdout), text(&run.stderr));
    if check == run { check } else { format!("{check}\n--- run ---\n{run}") }
}

#[test]
fn each_mistake_is_named_once_and_at_its_place() {
    let mut files: Vec<PathBuf> = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 80, "{} files", files.len());
    for path in files {
        let file = path.file_name().unwrap().to_str().unwrap();
        let source = fs::read_to_string(&path).unwrap();
        let place = source.lines().next().and_then(|line| line.strip_prefix("# wrong at ")).unwrap();
        let said = refused(Path::new(FOLDER), file);
        let check = said.split("\n--- run ---\n").next().unwrap();
        assert_eq!(check.matches("error: ").count(), 1, "one mistake, one error:\n{said}");
        assert_eq!(check.matches("warning: ").count(), 0, "{said}");
        assert!(check.contains(&format!("--> {file}:{place}\n")), "{file} is wrong at {place}:\n{said}");
        insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), said);
    }
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_file_larger_than_the_limit_is_refused() {
    let folder = folder("large");
    fs::write(folder.join("large.toml"), vec![b'#'; 10 << 20]).unwrap();
    insta::assert_snapshot!(refused(&folder, "large.toml"), @"error: cannot read large.toml: it has 10485760 bytes, more than the limit MAX_FILE_BYTES, 1048576");
}

#[test]
fn what_is_no_text_is_refused() {
    let folder = folder("binary");
    fs::write(folder.join("binary.toml"), b"title = \"\xff\xfe\"\n").unwrap();
    insta::assert_snapshot!(refused(&folder, "binary.toml"), @"error: cannot read binary.toml: stream did not contain valid UTF-8");
}

#[test]
fn a_folder_in_place_of_a_file_is_refused() {
    let folder = folder("folder");
    fs::create_dir_all(folder.join("folder.toml")).unwrap();
    insta::assert_snapshot!(refused(&folder, "folder.toml"), @"error: cannot read folder.toml: it is a folder");
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    insta::assert_snapshot!(refused(&folder("nothing"), "story.toml"), @"error: cannot read story.toml: No such file or directory (os error 2)");
}

#[test]
fn an_empty_file_is_refused() {
    let folder = folder("empty");
    fs::write(folder.join("empty.toml"), "").unwrap();
    insta::assert_snapshot!(refused(&folder, "empty.toml"), @r"
    error: `protocol` is missing
    --> empty.toml
     = help: name one of the library, or write it inline as [protocol]
    ");
}

#[test]
fn a_protocol_file_that_is_wrong_is_shown_where_it_is() {
    let folder = folder("of-two");
    fs::write(folder.join("mine.toml"), "messages = [\"A -> B : Nx\"]\n").unwrap();
    fs::write(folder.join("story.toml"), "protocol = \"mine.toml\"\n").unwrap();
    insta::assert_snapshot!(refused(&folder, "./story.toml"), @r#"
    error: nobody generates or is given `Nx`
     --> ./mine.toml:1:23
      |
    1 | messages = ["A -> B : Nx"]
      |                       ^^
      |
      = help: expected one of `A`, `B`; or declare it in [fresh], [given] or [let]
    "#);
}
