//! Scenario files as tests of the caller's own crate: one test a file and variant, found by
//! being in the folder. Must not know what a scenario is about.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::scenario::{KeyPool, Problems, Scenario};

/// Makes each scenario file of a folder, and of the folders in it, a test of the calling
/// crate. The folder is relative to the crate's `Cargo.toml`; files with `messages` at
/// their top are protocols and are left out.
///
/// Call it in a test target without the default harness:
///
/// ```toml
/// [[test]]
/// name    = "scenarios"
/// harness = false
/// ```
///
/// ```no_run
/// mallory::scenarios!("tests/scenarios");
/// ```
///
/// Then `cargo test --test scenarios` plays every variant with its attacker and without.
#[macro_export]
macro_rules! scenarios {
    ($folder:literal) => {
        fn main() -> ::std::process::ExitCode {
            $crate::testing::main(concat!(env!("CARGO_MANIFEST_DIR"), "/", $folder))
        }
    };
}

/// Runs the scenario files below a folder as tests.
pub fn main(folder: impl AsRef<Path>) -> ExitCode {
    let arguments = Arguments::from_args();
    let mut files = Vec::new();
    find(folder.as_ref(), &mut files);
    let pool = Arc::new(KeyPool::default());
    let trials = files.iter().flat_map(|file| trials(file, &pool)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Scenario files below a folder, in the order of their paths. Links are not followed.
fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|e| e == "toml") && !is_protocol(&path) {
            files.push(path);
        }
    }
}

fn is_protocol(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.parse::<toml::Table>().is_ok_and(|t| t.contains_key("messages"))
}

fn trials(file: &Path, pool: &Arc<KeyPool>) -> Vec<Trial> {
    let shown = file.display().to_string();
    let scenario = match Scenario::from_path(file) {
        Ok(scenario) => Arc::new(scenario),
        Err(problems) => return vec![Trial::test(shown, move || Err(failed(&problems)))],
    };
    let of = |variant: &Arc<crate::scenario::Variant>| {
        let name = variant.name.as_ref().map_or(scenario.name.clone(), |v| format!("{}/{v}", scenario.name));
        let (scenario, variant, pool) = (scenario.clone(), variant.clone(), pool.clone());
        Trial::test(name, move || {
            let checked = scenario.check(&variant, &pool).map_err(|halt| Failed::from(halt.to_string()))?;
            match checked.failures.as_slice() {
                [] => Ok(()),
                failures => {
                    let lines: Vec<String> = failures.iter().map(ToString::to_string).collect();
                    Err(Failed::from(format!(
                        "{}\nrepeat with: {}",
                        lines.join("\n"),
                        checked.play.repeat_with()
                    )))
                }
            }
        })
    };
    scenario.variants.iter().map(of).collect()
}

fn failed(problems: &Problems) -> Failed {
    let shown: Vec<String> = problems.0.iter().map(|p| p.render(false)).collect();
    Failed::from(shown.join("\n"))
}
