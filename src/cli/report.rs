//! `mallory report`: plays scenarios and writes a page of each, with an index.

use std::io;
use std::path::PathBuf;

use clap::Args;
use mallory::Scenario;
use mallory::report::html::{Entry, Story, index, page};
use mallory::report::{Detail, Filter, PlayResult};
use mallory::scenario::{KeyPool, PlayReport};
use mallory::world::Halt;

use super::folder::Folder;
use super::out::{Out, complain};
use super::seed::Seed;
use super::select::{MEANING, Selection};
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Plays scenarios and writes a folder of HTML pages: one of each scenario, with all its variants
to step through and set side by side, and index.html with what each came to. The pages need
no network; the folder can be opened as files or served as it is.

  mallory report --html pages            the whole library
  mallory report pki --html pages        what has a tag
  mallory report story.toml --html mine  a file of your own";

/// Write pages of scenarios, to step through in a browser
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Scenarios: names, variants, files, folders, tags [default: the whole library]
    #[arg(value_name = "NAME|PATH|TAG", long_help = MEANING)]
    scenarios: Vec<String>,
    /// The folder, which must be new or empty; if anything fails, it stays so
    #[arg(long, value_name = "DIR", required = true)]
    html: PathBuf,
    /// From which keys and nonces are drawn [default: the file's, or 0]
    #[arg(long, value_name = "N|random")]
    seed: Option<Seed>,
    /// Have rows of every event
    #[arg(short, long)]
    verbose: bool,
    /// Play without the attacker and her compromises
    #[arg(long)]
    no_attacker: bool,
}

/// Writes the pages, and says of each what was not as expected.
pub fn report(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let selection = match arguments.scenarios.as_slice() {
        [] => Selection::library(),
        some => Selection::of(some),
    };
    for (_, problems) in &selection.wrong {
        out.complain_of(problems)?;
    }
    if !selection.wrong.is_empty() {
        return Ok(Exit::Input);
    }
    let seed = match arguments.seed.map(Seed::draw).transpose() {
        Ok(seed) => seed,
        Err(why) => {
            complain(&why);
            return Ok(Exit::Defect);
        }
    };
    let mut folder = match Folder::begin(&arguments.html) {
        Ok(folder) => folder,
        Err(why) => {
            complain(&why);
            return Ok(Exit::Input);
        }
    };
    // The index is no story's page, whatever a story is called.
    folder.reserve("index");
    let detail = if arguments.verbose { Detail::Full } else { Detail::Normal };
    let pool = KeyPool::default();
    let mut exit = Exit::Expected;
    let mut entries = Vec::new();
    for scenario in selection.scenarios {
        let scenario = match seed {
            Some(seed) => scenario.seed(seed),
            None => scenario,
        };
        let plays = match play(&scenario, !arguments.no_attacker, &pool) {
            Ok(plays) => plays,
            Err((halt, repeat_with)) => {
                complain(&halt.to_string());
                complain(&format!("repeat with: {repeat_with}"));
                return Ok(Exit::Defect);
            }
        };
        let results: Vec<PlayResult> = plays.iter().map(PlayResult::of).collect();
        for (play, unmet) in results.iter().flat_map(|of| of.unmet.iter().map(move |unmet| (of, unmet))) {
            complain(&format!("{}: expected {}, but {}", play.play.name, unmet.expected, unmet.found));
            exit = Exit::Unexpected;
        }
        let (name, title, group) = (scenario.name.clone(), scenario.title.clone(), scenario.group.clone());
        let text = page(&[Story { scenario, plays }], &Filter::default(), detail.level());
        match folder.write_page(&name, &text) {
            Ok(file) => entries.push(Entry { file, name, title, group, plays: results }),
            Err(error) => return Ok(cannot_write(&name, &error)),
        }
    }
    if let Err(error) = folder.put("index.html", &index(&entries)) {
        return Ok(cannot_write("the index", &error));
    }
    match folder.finish() {
        Ok(()) => {
            let pages = if entries.len() == 1 { "page" } else { "pages" };
            out.line(&format!("{} {pages}: {}", entries.len(), arguments.html.join("index.html").display()))?;
            Ok(exit)
        }
        Err(why) => {
            complain(&why);
            Ok(Exit::Input)
        }
    }
}

fn cannot_write(what: &str, error: &io::Error) -> Exit {
    complain(&format!("cannot write the page of {what}: {error}"));
    Exit::Input
}

/// The plays of all variants; or the limit that one reached, and the command that shows it.
fn play(scenario: &Scenario, with_attacker: bool, pool: &KeyPool) -> Result<Vec<PlayReport>, (Halt, String)> {
    let of = |variant| {
        let played = scenario.play(variant, with_attacker, pool);
        played.map_err(|halt| (halt, scenario.repeat_with(Some(variant), with_attacker)))
    };
    scenario.variants.iter().map(of).collect()
}
