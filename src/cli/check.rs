//! `mallory check`: reads files and says what is wrong with them, without playing.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use mallory::Scenario;
use mallory::notation::fault::suggest;
use mallory::scenario::{self, Problem, Problems, ProtocolFile, check_text, files_below};

use super::out::{Out, complain};
use super::sarif::sarif;
use super::select::text_of;
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Reads scenario and protocol files and says what is wrong with them, with the place and the
nearest valid word. Warns of classic slips in a protocol's lines, and names the scenario
that shows what comes of each; warnings leave the exit code at 0. Nothing is played.

  mallory check story.toml    a file of your own; one with `messages` is a protocol
  mallory check stories/      all *.toml below a folder
  mallory check dh-mitm       a scenario or a protocol of the library
  mallory check               the whole library";

/// Say what is wrong with scenario and protocol files
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Files, folders, or names of the library [default: the whole library]
    #[arg(value_name = "PATH|NAME")]
    files: Vec<String>,
    /// Write what is wrong or unwise as SARIF, which code hosts show beside the lines
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
}

/// Something to read.
enum Item {
    File(PathBuf),
    Entry(scenario::Entry),
    Unknown(Problem),
}

/// Checks what was asked for.
pub fn check(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let library = || scenario::scenarios().into_iter().chain(scenario::protocols());
    let items: Vec<Item> = match arguments.files.as_slice() {
        [] => library().map(Item::Entry).collect(),
        files => files.iter().flat_map(|file| items(file, &library().collect::<Vec<_>>())).collect(),
    };
    let mut exit = Exit::Expected;
    let mut found = Vec::new();
    for item in items {
        let (name, checked) = match item {
            Item::File(path) => (path.display().to_string(), check_file(&path)),
            Item::Entry(entry) => (entry.text.name.clone(), check_entry(&entry)),
            Item::Unknown(problem) => (String::new(), Err(problem.into())),
        };
        match checked {
            Ok(warnings) => {
                for warning in &warnings {
                    out.problem(warning)?;
                }
                out.verdict(true, "ok", &format!("  {name}"))?;
                found.extend(warnings);
            }
            Err(problems) => {
                for problem in &problems.0 {
                    out.problem(problem)?;
                }
                exit = Exit::Input;
                found.extend(problems.0);
            }
        }
    }
    if let Some(path) = &arguments.sarif
        && let Err(error) = std::fs::write(path, format!("{:#}\n", sarif(&found)))
    {
        out.flush()?;
        complain(&format!("cannot write {}: {error}", path.display()));
        return Ok(Exit::Input);
    }
    Ok(exit)
}

fn items(argument: &str, library: &[scenario::Entry]) -> Vec<Item> {
    let path = Path::new(argument);
    let named: Vec<Item> = library.iter().filter(|e| e.name == argument).cloned().map(Item::Entry).collect();
    if !named.is_empty() {
        return named;
    }
    if path.is_dir() && !argument.ends_with(".toml") {
        return match files_below(path) {
            Ok(files) if files.is_empty() => {
                vec![Item::Unknown(Problem::nowhere(format!("there is no *.toml below {argument}")))]
            }
            Ok(files) => files.into_iter().map(Item::File).collect(),
            Err(problem) => vec![Item::Unknown(problem)],
        };
    }
    if path.exists() || argument.ends_with(".toml") || argument.contains(std::path::is_separator) {
        return vec![Item::File(path.to_owned())];
    }
    let mut problem = Problem::nowhere(format!("there is no file, scenario or protocol `{argument}`"));
    problem.help = suggest(argument, library.iter().map(|e| e.name.as_str()));
    vec![Item::Unknown(problem)]
}

fn check_file(path: &Path) -> Result<Vec<Problem>, Problems> {
    check_text(&text_of(path)?, path)
}

fn check_entry(entry: &scenario::Entry) -> Result<Vec<Problem>, Problems> {
    if ProtocolFile::is_one(&entry.text) {
        return ProtocolFile::named(&entry.name).map(|file| file.warnings());
    }
    Scenario::named(&entry.name).map(|scenario| scenario.warnings(&entry.text))
}
