//! `mallory run`: plays scenarios and tells what happened.

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mallory::Scenario;
use mallory::report::{Detail, LogStyle, log, summary};
use mallory::scenario::{KeyPool, PlayReport};
use mallory::world::Halt;
use serde_json::{Map, Value as Json};

use super::folder::Folder;
use super::keylog::KeyLog;
use super::out::{Out, complain};
use super::select::{MEANING, Selection};
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Plays scenarios and tells what happened: what was on the wire, what each party concluded,
which goals fell and why. All variants are played, and their verdicts set side by side.

  mallory run dh-mitm                   all variants of one scenario
  mallory run dh-mitm/weak --seed 7     one variant, with other keys and nonces
  mallory run story.toml --no-attacker  a file of your own, everybody honest
  mallory run pki -q                    verdicts only, of all scenarios with a tag
  mallory run pki -q --out papers       their certificates and CRLs as files, for openssl

The same scenario and seed give the same bytes and the same log, always.";

/// Play scenarios and read what happened
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Scenarios: names, variants, files, folders, tags
    #[arg(required = true, value_name = "NAME|PATH|TAG", long_help = MEANING)]
    scenarios: Vec<String>,
    /// From which keys and nonces are drawn [default: the file's, or 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The log as text, or as JSON, an event a line
    #[arg(long, value_enum, default_value_t = Log::Text, value_name = "FORM")]
    log: Log,
    /// Verdicts only
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Every event
    #[arg(short, long)]
    verbose: bool,
    /// Play without the attacker and her compromises
    #[arg(long)]
    no_attacker: bool,
    /// Write the secrets of the plays to a file that only you can read
    ///
    /// A line for each value that a party concluded, or that the attacker has from the start
    /// or was handed: `scenario/variant run party term hex`, with `-` for the run of what
    /// belongs to none. The only way in which secrets leave.
    #[arg(long, value_name = "FILE")]
    keylog: Option<PathBuf>,
    /// Write certificates, requests, CRLs, OCSP messages and public keys to a new folder
    ///
    /// Each play gets a folder DIR/scenario/variant with everything of the kind that appeared
    /// in it, each once, as DER and as PEM (OCSP messages as DER only, as openssl has them),
    /// and `index.json`: what each file is, what it says of itself, and in which events of
    /// `--log json` it appeared, when. Time is virtual, so give it to whoever judges them:
    /// `openssl verify -attime SECONDS`, with `unix_seconds` of the index. Private keys are
    /// not among them. DIR must be new or empty; if anything fails, it stays so.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What a run writes beside its log.
struct Files {
    keylog: Option<KeyLog>,
    folder: Option<Folder>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Log {
    /// For people
    Text,
    /// For programs: one object a line
    Json,
}

/// Plays what was asked for.
pub fn run(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let selection = Selection::of(&arguments.scenarios);
    for (_, problems) in &selection.wrong {
        out.complain_of(problems)?;
    }
    if !selection.wrong.is_empty() {
        return Ok(Exit::Input);
    }
    let folder = match arguments.out.as_deref().map(Folder::begin).transpose() {
        Ok(folder) => folder,
        Err(why) => {
            complain(&why);
            return Ok(Exit::Input);
        }
    };
    let keylog = match &arguments.keylog {
        None => None,
        Some(path) => match KeyLog::create(path) {
            Ok(keylog) => Some(keylog),
            Err(error) => {
                complain(&format!("cannot write {}: {error}", path.display()));
                return Ok(Exit::Input);
            }
        },
    };
    let mut files = Files { keylog, folder };
    let pool = KeyPool::default();
    let mut exit = Exit::Expected;
    for (nth, scenario) in selection.scenarios.into_iter().enumerate() {
        if nth > 0 && arguments.log == Log::Text {
            out.line("")?;
        }
        let scenario = match arguments.seed {
            Some(seed) => scenario.seed(seed),
            None => scenario,
        };
        exit = exit.max(play_all(&scenario, arguments, &pool, &mut files, out)?);
    }
    match files.folder.take().filter(|_| exit < Exit::Input).map_or(Ok(()), Folder::finish) {
        Ok(()) => Ok(exit),
        Err(why) => {
            out.flush()?;
            complain(&why);
            Ok(Exit::Input)
        }
    }
}

fn play_all(
    scenario: &Scenario,
    arguments: &Arguments,
    pool: &KeyPool,
    files: &mut Files,
    out: &mut Out,
) -> io::Result<Exit> {
    let mut plays = Vec::new();
    let mut exit = Exit::Expected;
    for variant in &scenario.variants {
        let with_attacker = !arguments.no_attacker;
        if arguments.log == Log::Text {
            if !plays.is_empty() {
                out.line("")?;
            }
            let name = variant.of(&scenario.name);
            let alone = if with_attacker { "" } else { " · without the attacker" };
            let version = env!("CARGO_PKG_VERSION");
            out.heading(&format!("mallory {version} · {name} · seed {}{alone}", scenario.seed))?;
        }
        let play = match scenario.play(variant, with_attacker, pool) {
            Ok(play) => play,
            Err(halt) => return halted(&halt, &scenario.repeat_with(Some(variant), with_attacker), out),
        };
        if let Some(keylog) = &mut files.keylog {
            keylog.write(&play)?;
        }
        if let Some(Err(error)) = files.folder.as_mut().map(|folder| folder.write(&play)) {
            out.flush()?;
            complain(&format!("cannot write what appeared in {}: {error}", play.name));
            files.folder = None;
            return Ok(Exit::Input);
        }
        let unmet = match arguments.log {
            Log::Text => tell(&play, arguments, out)?,
            Log::Json => tell_json(&play, scenario, variant.name.as_deref(), out)?,
        };
        if unmet {
            exit = Exit::Unexpected;
        }
        plays.push(play);
    }
    if plays.len() > 1 && arguments.log == Log::Text {
        out.line("")?;
        out.text(&summary(&plays))?;
        out.line(&format!("\n  repeat with: {}", scenario.repeat_with(None, !arguments.no_attacker)))?;
    }
    Ok(exit)
}

/// Tells of a play, and answers whether anything was not as expected.
fn tell(play: &PlayReport, arguments: &Arguments, out: &mut Out) -> io::Result<bool> {
    let detail = match (arguments.quiet, arguments.verbose) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Full,
        _ => Detail::Normal,
    };
    let style = LogStyle { color: out.color(), detail };
    out.line("")?;
    out.text(&log::render(play, &style))?;
    let unmet = play.unmet();
    for failure in &unmet {
        out.verdict(false, "  not as expected", &format!("\n             {failure}"))?;
    }
    out.line(&format!("\n  repeat with: {}", play.repeat_with()))?;
    Ok(!unmet.is_empty())
}

/// Writes the events of a play, each with the scenario and the variant in front.
fn tell_json(
    play: &PlayReport,
    scenario: &Scenario,
    variant: Option<&str>,
    out: &mut Out,
) -> io::Result<bool> {
    for event in play.journal().events() {
        let mut fields = Map::new();
        fields.insert("scenario".into(), scenario.name.as_str().into());
        fields.insert("variant".into(), variant.into());
        if let Json::Object(more) = event.to_json() {
            fields.extend(more);
        }
        out.line(&Json::Object(fields).to_string())?;
    }
    let unmet = play.unmet();
    for failure in &unmet {
        complain(&format!("{}: {failure}", play.name));
    }
    if !unmet.is_empty() {
        complain(&format!("repeat with: {}", play.repeat_with()));
    }
    Ok(!unmet.is_empty())
}

fn halted(halt: &Halt, repeat_with: &str, out: &mut Out) -> io::Result<Exit> {
    out.flush()?;
    complain(&halt.to_string());
    complain(&format!("repeat with: {repeat_with}"));
    Ok(Exit::Defect)
}
