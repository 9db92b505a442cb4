//! Exercises: what is handed out does not pass, and its solution does.

use std::path::PathBuf;
use std::process::Command;

use mallory::Scenario;
use mallory::scenario::lab::{LABS, Task};

fn mallory(folder: &PathBuf, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mallory")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mallory-lab-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn what_is_handed_out_loads_and_does_not_pass() {
    let folder = folder("handed-out");
    for lab in LABS {
        let (code, out, err) = mallory(&folder, &["lab", lab.name]);
        assert_eq!(code, 0, "{out}{err}");
        let file = format!("{}.toml", lab.name);
        assert_eq!(mallory(&folder, &["check", &file]).0, 0, "{}", lab.name);
        let (code, out, err) = mallory(&folder, &["test", &file]);
        assert_eq!(code, 1, "{}: {out}{err}", lab.name);
        // Nothing is written over.
        assert_eq!(mallory(&folder, &["lab", lab.name]).0, 2);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The last hint of an attack is the library's own, line by line.
#[test]
fn the_librarys_attack_solves_each() {
    let folder = folder("attacks");
    for lab in LABS {
        let Task::Attack(of) = lab.task else { continue };
        let mut table: toml::Table = lab.text().unwrap().parse().unwrap();
        let solution = lab.hints().unwrap().pop().unwrap();
        let lines: Vec<toml::Value> = solution.lines().map(Into::into).collect();
        table["attacker"].as_table_mut().unwrap().insert("attack".to_owned(), lines.into());
        let file = format!("{}.toml", lab.name);
        std::fs::write(folder.join(&file), table.to_string()).unwrap();
        let (code, out, err) = mallory(&folder, &["test", &file]);
        assert_eq!(code, 0, "{} by {of}: {out}{err}\n{table}", lab.name);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn published_repairs_solve_each() {
    let repairs = [
        ("mend-nspk", "{Na, Nb}pk(A)", "{Na, Nb, B}pk(A)"),
        ("mend-denning-sacco", "sign(sk(A), Kab, Ta)", "sign(sk(A), B, Kab, Ta)"),
    ];
    let folder = folder("defences");
    for (lab, weak, strong) in repairs {
        let lab = mallory::scenario::lab::Lab::named(lab).unwrap();
        let text = lab.text().unwrap();
        let mended = text.replace(weak, strong);
        assert_ne!(text, mended, "{text}");
        let file = format!("{}.toml", lab.name);
        std::fs::write(folder.join(&file), mended).unwrap();
        let (code, out, err) = mallory(&folder, &["test", &file]);
        assert_eq!(code, 0, "{}: {out}{err}", lab.name);
    }
    // Who refuses everybody has no defence: bob waits for a line that nobody sends.
    let text = mallory::scenario::lab::Lab::named("mend-nspk").unwrap().text().unwrap();
    assert!(Scenario::from_text("mend", &text).is_ok());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn hints_say_a_little_more_each_time_and_end() {
    let folder = folder("hints");
    let (code, first, _) = mallory(&folder, &["lab", "break-nspk", "--hint", "1"]);
    assert!(code == 0 && first.contains("--hint 2"), "{first}");
    let (code, _, err) = mallory(&folder, &["lab", "break-nspk", "--hint", "99"]);
    assert!(code == 2 && err.contains("hints of break-nspk go from 1 to"), "{err}");
    let (code, _, err) = mallory(&folder, &["lab", "brake-nspk"]);
    assert!(code == 2 && err.contains("did you mean `break-nspk`?"), "{err}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "a hint writes nothing");
    let (code, list, _) = mallory(&folder, &["lab"]);
    assert!(code == 0 && list.lines().count() == LABS.len(), "{list}");
    std::fs::remove_dir_all(&folder).unwrap();
}
