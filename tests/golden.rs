//! The log of every scenario of the library as it is kept: whoever changes what a reader
//! sees sees it here. `MALLORY_GOLDEN=write cargo test --test golden` writes them anew.

use std::path::PathBuf;

use mallory::Scenario;
use mallory::report::{LogStyle, log};
use mallory::scenario::{KeyPool, scenarios};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.log"))
}

#[test]
fn every_log_is_the_one_that_is_kept() {
    let is_writing = std::env::var("MALLORY_GOLDEN").is_ok_and(|word| word == "write");
    let pool = KeyPool::default();
    let mut different = Vec::new();
    let mut known: Vec<PathBuf> = Vec::new();
    for entry in scenarios() {
        let scenario = Scenario::named(&entry.name).unwrap();
        let mut text = String::new();
        for variant in &scenario.variants {
            let play = scenario.play(variant, true, &pool).unwrap();
            text += &format!("== {}\n\n{}\n", play.name, log::render(&play, &LogStyle::default()));
        }
        let path = golden(&scenario.name);
        known.push(path.clone());
        if is_writing {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        } else if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            let first = text.lines().zip(kept.lines()).position(|(is, was)| is != was);
            let at = first.unwrap_or_else(|| text.lines().count().min(kept.lines().count()));
            let line = |text: &str| text.lines().nth(at).unwrap_or("nothing").to_owned();
            different.push(format!(
                "{} line {}\n  kept: {}\n  now:  {}",
                scenario.name,
                at + 1,
                line(&kept),
                line(&text)
            ));
        }
    }
    assert!(different.is_empty(), "{}\nwrite them anew and read the difference", different.join("\n"));
    let there = std::fs::read_dir(golden("x").parent().unwrap()).unwrap();
    let left: Vec<PathBuf> =
        there.map(|file| file.unwrap().path()).filter(|path| !known.contains(path)).collect();
    assert!(left.is_empty(), "no scenario has these logs: {left:?}");
}
