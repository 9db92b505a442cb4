//! Scenario files as tests of the caller's own crate: one test a file and variant, found by
//! being in the folder. Must not know what a scenario is about.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::legible::legible;
use crate::scenario::{KeyPool, Problem, Problems, ProtocolFile, Scenario, Text, files_below, read_text};

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

/// Runs the scenario files below a folder as tests. A folder that is not there or has no
/// scenario fails, whatever tests were asked for: a misspelt one would pass for ever.
pub fn main(folder: impl AsRef<Path>) -> ExitCode {
    let arguments = Arguments::from_args();
    let files = match scenarios_below(folder.as_ref()) {
        Ok(files) => files,
        Err(problem) => {
            let why = failed(&problem.into());
            let trial = Trial::test(folder.as_ref().display().to_string(), move || Err(why));
            let everything = Arguments { filter: None, skip: Vec::new(), ..arguments };
            return libtest_mimic::run(&everything, vec![trial]).exit_code();
        }
    };
    let pool = Arc::new(KeyPool::default());
    let trials = files.iter().flat_map(|file| trials(file, &pool)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn scenarios_below(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut files = files_below(folder)?;
    files.retain(|file| !is_protocol(file));
    match files.is_empty() {
        true => Err(Problem::nowhere(format!("there is no scenario below {}", folder.display()))),
        false => Ok(files),
    }
}

/// A file that cannot be read is no protocol: what is wrong with it is a test's to say.
fn is_protocol(path: &Path) -> bool {
    let text = read_text(path).map(|text| Arc::new(Text { name: path.display().to_string(), text }));
    text.is_ok_and(|text| ProtocolFile::is_one(&text))
}

fn trials(file: &Path, pool: &Arc<KeyPool>) -> Vec<Trial> {
    let shown = legible(&file.display().to_string()).into_owned();
    let scenario = match Scenario::from_path(file) {
        Ok(scenario) => Arc::new(scenario),
        Err(problems) => return vec![Trial::test(shown, move || Err(failed(&problems)))],
    };
    let of = |variant: &Arc<crate::scenario::Variant>| {
        let name = variant.name.as_ref().map_or(scenario.name.clone(), |v| format!("{}/{v}", scenario.name));
        let (scenario, variant, pool) = (scenario.clone(), variant.clone(), pool.clone());
        // A file that expects nothing has not passed.
        let asserts = variant.asserts();
        Trial::test(legible(&name), move || {
            let checked = scenario.check(&variant, &pool).map_err(|halt| Failed::from(halt.to_string()))?;
            let told = |(wrong, repeat_with)| format!("{wrong}\n  repeat with: {repeat_with}");
            match checked.failures.is_empty() {
                true => Ok(()),
                false => Err(checked.told().into_iter().map(told).collect::<Vec<_>>().join("\n").into()),
            }
        })
        .with_ignored_flag(!asserts)
    };
    scenario.variants.iter().map(of).collect()
}

fn failed(problems: &Problems) -> Failed {
    let shown: Vec<String> = problems.0.iter().map(|p| p.render(false)).collect();
    Failed::from(shown.join("\n"))
}
