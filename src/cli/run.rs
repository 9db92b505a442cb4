//! `mallory run`: plays scenarios and tells what happened.

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mallory::Scenario;
use mallory::limits::MAX_DECIDED_SEEDS;
use mallory::notation::Name;
use mallory::report::capture::capture;
use mallory::report::html::{Story, page};
use mallory::report::{Detail, Filter, PlayResult, everybody, json, summary, trace};
use mallory::scenario::{KeyPool, PlayReport};
use mallory::time::Span;
use mallory::world::Halt;

use super::folder::Folder;
use super::keylog::KeyLog;
use super::out::{Out, complain};
use super::seed::Seed;
use super::select::{MEANING, Selection};
use super::view::View;
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
    ///
    /// `random` asks the operating system for one; the first line of the log says which it was.
    #[arg(long, value_name = "N|random")]
    seed: Option<Seed>,
    /// Set a value in every scenario, as if its file had it: `services.ca.crl_period=1h`
    #[arg(long = "set", value_name = "PATH=VALUE")]
    parameters: Vec<String>,
    /// The log as text, or as JSON, an event a line
    #[arg(long, value_enum, default_value_t = Log::Text, value_name = "FORM")]
    log: Log,
    /// The log line by line, a chart, or a chart for other tools
    #[arg(long, value_enum, default_value_t = View::Log, value_name = "VIEW", conflicts_with_all = ["log", "quiet"])]
    view: View,
    /// Only events of a party, of a run, or of a kind
    ///
    /// Several are joined by commas: `--only alice,2` is alice in run 2, `--only alice,bob` both.
    /// Kinds are those of docs/JSON.md, such as `sent` and `refused`. Verdicts are told always.
    #[arg(long, value_name = "PARTY|RUN|KIND", value_delimiter = ',', conflicts_with = "log")]
    only: Vec<String>,
    /// Only events from this time on, such as `1h`
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with = "log")]
    from: Option<Span>,
    /// Only events up to this time
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with = "log")]
    to: Option<Span>,
    /// Verdicts only
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Every event
    #[arg(short, long)]
    verbose: bool,
    /// Play without the attacker and her compromises
    #[arg(long)]
    no_attacker: bool,
    /// Say from which event on it was decided which goals fall [default: 5 seeds]
    ///
    /// Plays it again and again for so many seeds (at most 32, MAX_DECIDED_SEEDS), with the
    /// attacker stopped after each of her acts: from then on all messages pass, and she sends none.
    /// What she has taken stays taken; she still listens, and gets what events hand her. The first
    /// act after which it makes no difference whether she goes on decided it.
    #[arg(long, value_name = "SEEDS", num_args = 0..=1, require_equals = true, default_missing_value = "5",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DECIDED_SEEDS)), conflicts_with = "no_attacker")]
    decided: Option<u32>,
    /// Write the secrets of the plays to a file that only you can read
    ///
    /// A line for each value that a party concluded, or that the attacker has from the start
    /// or was handed: `scenario/variant run party term hex`, with `-` for the run of what
    /// belongs to none. The only way in which secrets leave.
    #[arg(long, value_name = "FILE")]
    keylog: Option<PathBuf>,
    /// Write the plays as a trace that Perfetto and Chrome open
    ///
    /// A thread for each party, a bar for each session, arrows for messages, in virtual time; no
    /// secrets. Open it at https://ui.perfetto.dev or chrome://tracing.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write what was on the wire as a capture (pcapng) that Wireshark opens
    ///
    /// A datagram for each message, with its name in the notation as the packet's comment; one
    /// interface for each play, one UDP stream for each run; parties by name, times virtual.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Write the plays as one HTML page to step through
    ///
    /// Who says what to whom, what each party then has and the attacker's notebook; verdicts with
    /// their reasons; variants side by side. The page needs no network and no other file, and has
    /// no secrets: values are fingerprints, and the bytes are those that anybody could listen to.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
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

impl Arguments {
    /// Whether people read what is printed, with headings between plays.
    fn is_read(&self) -> bool {
        self.log == Log::Text && self.view.is_read()
    }

    /// How much a chart tells; verdicts alone make none.
    fn detail(&self) -> Detail {
        if self.verbose { Detail::Full } else { Detail::Normal }
    }

    /// Which events are wanted of these scenarios.
    fn filter(&self, scenarios: &[Scenario]) -> Result<Filter, String> {
        let mut filter = Filter::default();
        let parties: Vec<Name> = scenarios.iter().flat_map(everybody).collect();
        for word in &self.only {
            filter.only(word.trim(), &parties)?;
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(format!("--from {from} is after --to {to}"));
        }
        filter.within(self.from, self.to);
        Ok(filter)
    }
}

fn span(text: &str) -> Result<Span, String> {
    Span::parse(text).ok_or_else(|| "expected a time such as `90s`, `18h` or `2d`".to_owned())
}

/// What a run writes beside its log.
struct Files {
    keylog: Option<KeyLog>,
    folder: Option<Folder>,
    /// What goes into the trace and the page, if there is to be one.
    stories: Option<Vec<Story>>,
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
    let selection = Selection::of(&arguments.scenarios).with(&arguments.parameters);
    for (_, problems) in &selection.wrong {
        out.complain_of(problems)?;
    }
    if !selection.wrong.is_empty() {
        return Ok(Exit::Input);
    }
    let filter = match arguments.filter(&selection.scenarios) {
        Ok(filter) => filter,
        Err(why) => {
            complain(&why);
            return Ok(Exit::Input);
        }
    };
    let plays: usize = selection.scenarios.iter().map(|scenario| scenario.variants.len()).sum();
    if plays > 1 && arguments.view.is_of_one() {
        complain(&format!("this view is of one play, and {plays} are asked for: name a variant"));
        return Ok(Exit::Input);
    }
    let seed = match arguments.seed.map(Seed::draw).transpose() {
        Ok(seed) => seed,
        Err(why) => {
            complain(&why);
            return Ok(Exit::Defect);
        }
    };
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
    let keeps = [&arguments.trace, &arguments.html, &arguments.pcap].iter().any(|file| file.is_some());
    let mut files = Files { keylog, folder, stories: keeps.then(Vec::new) };
    let pool = KeyPool::default();
    let mut exit = Exit::Expected;
    for (nth, scenario) in selection.scenarios.into_iter().enumerate() {
        if nth > 0 && arguments.is_read() {
            out.line("")?;
        }
        let scenario = match seed {
            Some(seed) => scenario.seed(seed),
            None => scenario,
        };
        exit = exit.max(play_all(&scenario, arguments, &filter, &pool, &mut files, out)?);
    }
    if let Some(stories) = files.stories.take() {
        let plays = || stories.iter().flat_map(|story| &story.plays);
        let of_trace = arguments.trace.as_ref().map(|path| (path, trace::trace(plays()).to_string().into()));
        let of_wire = arguments.pcap.as_ref().map(|path| capture(plays()).map(|bytes| (path, bytes)));
        let of_wire = match of_wire.transpose() {
            Ok(of_wire) => of_wire,
            Err(why) => {
                out.flush()?;
                complain(&format!("cannot write what was on the wire: {why}"));
                return Ok(Exit::Defect);
            }
        };
        // A page that lacks what could not be played would look whole.
        let of_page = arguments.html.as_ref().filter(|_| exit < Exit::Input);
        let of_page =
            of_page.map(|path| (path, page(&stories, &filter, arguments.detail().level()).into_bytes()));
        let written = [of_trace, of_wire, of_page];
        for (path, bytes) in written.into_iter().flatten() {
            if let Err(error) = std::fs::write(path, bytes) {
                out.flush()?;
                complain(&format!("cannot write {}: {error}", path.display()));
                return Ok(Exit::Input);
            }
        }
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
    filter: &Filter,
    pool: &KeyPool,
    files: &mut Files,
    out: &mut Out,
) -> io::Result<Exit> {
    let mut results = Vec::new();
    let mut plays = Vec::new();
    let mut exit = Exit::Expected;
    for (nth, variant) in scenario.variants.iter().enumerate() {
        let with_attacker = !arguments.no_attacker;
        if arguments.is_read() {
            if nth > 0 {
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
        let play = match arguments.decided.map(|seeds| scenario.decided(&play, seeds, pool)).transpose() {
            Ok(None) => play,
            Ok(Some(decided)) => play.with_decided(decided),
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
            Log::Text => tell(&play, arguments, filter, out)?,
            Log::Json => tell_json(&play, scenario, variant.name.as_deref(), out)?,
        };
        if unmet {
            exit = Exit::Unexpected;
        }
        if arguments.is_read() && scenario.variants.len() > 1 {
            results.push(PlayResult::of(&play));
        }
        if files.stories.is_some() {
            plays.push(play);
        }
    }
    if let Some(stories) = &mut files.stories {
        stories.push(Story { scenario: scenario.clone(), plays });
    }
    if results.len() > 1 {
        out.line("")?;
        out.text(&summary(&results))?;
        out.line(&format!("\n  repeat with: {}", scenario.repeat_with(None, !arguments.no_attacker)))?;
    }
    Ok(exit)
}

/// Tells of a play, and answers whether anything was not as expected.
fn tell(play: &PlayReport, arguments: &Arguments, filter: &Filter, out: &mut Out) -> io::Result<bool> {
    let detail = match arguments.quiet {
        true => Detail::Quiet,
        false => arguments.detail(),
    };
    if !arguments.view.is_read() {
        arguments.view.show(play, filter, detail, out)?;
        return Ok(complain_of_unmet(play));
    }
    out.line("")?;
    arguments.view.show(play, filter, detail, out)?;
    let unmet = play.unmet();
    for failure in &unmet {
        out.verdict(false, "  not as expected", "")?;
        out.line(&format!("             {failure}"))?;
    }
    out.line(&format!("\n  repeat with: {}", play.repeat_with()))?;
    Ok(!unmet.is_empty())
}

/// Writes a play as lines of JSON, each with the scenario and the variant in front.
fn tell_json(
    play: &PlayReport,
    scenario: &Scenario,
    variant: Option<&str>,
    out: &mut Out,
) -> io::Result<bool> {
    json::lines(play, &scenario.name, variant).try_for_each(|line| out.line(&line.to_string()))?;
    Ok(complain_of_unmet(play))
}

/// Says on standard error what was not as expected, where the log is for a program.
fn complain_of_unmet(play: &PlayReport) -> bool {
    let unmet = play.unmet();
    for failure in &unmet {
        complain(&format!("{}: {failure}", play.name));
    }
    if !unmet.is_empty() {
        complain(&format!("repeat with: {}", play.repeat_with()));
    }
    !unmet.is_empty()
}

fn halted(halt: &Halt, repeat_with: &str, out: &mut Out) -> io::Result<Exit> {
    out.flush()?;
    complain(&halt.to_string());
    complain(&format!("repeat with: {repeat_with}"));
    Ok(Exit::Defect)
}
