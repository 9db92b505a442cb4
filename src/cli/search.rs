//! `mallory search`: looks for attacks that nobody wrote down, and plays what it finds.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::{Args, ValueEnum};
use mallory::Scenario;
use mallory::limits::{MAX_SEARCH_RUNS, MAX_SEARCH_STATES};
use mallory::notation::fault::suggest;
use mallory::notation::{Goal, Protocol};
use mallory::report::{Detail, LogStyle, log};
use mallory::scenario::search::{Attack, Finding, Found, Power, Question};
use mallory::scenario::{self, KeyPool, Problem, Problems, ProtocolFile};
use mallory::search::Stop;
use serde_json::json;

use super::Exit;
use super::out::{Out, complain};
use super::select::text_of;

const ABOUT: &str = "\
Looks for attacks on a protocol's goals that nobody wrote down, within a bound on its runs, and
plays each that it finds with real cryptography: only what the play confirms is reported. `none`
means none within this bound and these powers; it does not mean that the protocol is secure.

  mallory search nspk                      a protocol of the library, all its goals, two runs
  mallory search my.toml --runs 3          a protocol or a scenario of your own
  mallory search nssk --power old-session-key
  mallory search nspk --out attack.toml    the attack as a scenario for `run` and `test`

Of a scenario the protocol, the encoding and how parties behave are taken; what happens in it and
what its attacker does is left out.

Powers: old-session-key (session keys of a run that is over come to her a day later),
stolen-key=ROLE, stolen-key-later=ROLE (the long-term keys of whoever plays it, from the start or in
the end), untagged (fields without types and borders), lax-clock (old time stamps pass), self-talk
(a party may take itself for its peer), no-insider (she has no long-term keys of her own).";

pub const CODES: &str = "\
Exit codes:
  0  no attack within the bound, which was searched to its end
  1  an attack
  2  the input is wrong: an argument or a file
  3  a limit came first, or a defect of mallory";

/// Look for attacks that nobody wrote down
#[derive(Args)]
#[command(long_about = ABOUT, after_help = CODES)]
pub struct Arguments {
    /// A protocol or scenario: a name of the library, or a file
    #[arg(value_name = "NAME|FILE")]
    of: String,
    /// Runs of the protocol in which honest parties take part, at most
    #[arg(long, default_value_t = 2, value_name = "N")]
    runs: usize,
    /// Only goals that have this text in them
    #[arg(long, value_name = "TEXT")]
    goal: Option<String>,
    /// What she has beyond what everybody has; may be given several times
    #[arg(long, value_name = "WORD", num_args = 1)]
    power: Vec<String>,
    /// How fields become bytes [default: as the file says, or tagged]
    #[arg(long, value_enum, value_name = "KIND")]
    encoding: Option<Kind>,
    /// Seconds to look for an attack on one goal
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Goals to look at side by side [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Write the smallest attack as a scenario, with what came of it as what is expected
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The findings as text, or as JSON, a goal a line
    #[arg(long, value_enum, default_value_t = Log::Text, value_name = "FORM")]
    log: Log,
}

/// How findings are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Log {
    /// For people
    Text,
    /// For programs: one object a line
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Fields carry their types
    Tagged,
    /// Fields of fixed width, side by side
    Untagged,
    /// Tagged, and cryptography is bound to its protocol and line
    Labelled,
}

/// A finding, and how long it took.
struct Timed {
    finding: Finding,
    ms: f64,
}

/// Searches for attacks on what was asked for.
pub fn search(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let read = question(arguments).and_then(|question| {
        let powers = powers(&arguments.power, &question.protocol)?;
        let goals = goals(&question.protocol, arguments.goal.as_deref())?;
        Ok((question, powers, goals))
    });
    let (question, powers, goals) = match read {
        Ok(read) => read,
        Err(problems) => {
            out.complain_of(&problems)?;
            return Ok(Exit::Input);
        }
    };
    if arguments.log == Log::Text {
        let with: Vec<String> = powers.iter().map(Power::text).collect();
        let with = if with.is_empty() { String::new() } else { format!(" · with {}", with.join(", ")) };
        let version = env!("CARGO_PKG_VERSION");
        out.heading(&format!(
            "mallory {version} · search {} · up to {} · {}{with}",
            question.name,
            counted(arguments.runs, "run"),
            question.encoding.name(),
        ))?;
        out.line("")?;
    }
    let mut exit = Exit::Expected;
    let mut smallest: Option<Box<Attack>> = None;
    let mut tell = |nth: usize, timed: &Timed, out: &mut Out| -> io::Result<()> {
        let Timed { finding, ms } = timed;
        exit = exit.max(match finding.result {
            Found::Attack(_) => Exit::Unexpected,
            Found::Nothing if finding.unconfirmed.is_empty() => Exit::Expected,
            Found::Nothing | Found::Unfinished(_) => Exit::Defect,
        });
        if let Found::Attack(attack) = &finding.result {
            let size = |attack: &Attack| (attack.told.runs, attack.told.hers);
            if smallest.as_ref().is_none_or(|other| size(attack) < size(other)) {
                smallest = Some(attack.clone());
                if let Some(path) = &arguments.out
                    && let Err(error) = std::fs::write(path, &attack.scenario)
                {
                    complain(&format!("cannot write {}: {error}", path.display()));
                    exit = Exit::Input;
                }
            }
        }
        match arguments.log {
            Log::Text => text(finding, arguments.runs, out)?,
            Log::Json => out.line(&object(finding, &powers, *ms).to_string())?,
        }
        for scenario in &finding.unconfirmed {
            complain(&format!(
                "{}: the stage does not confirm this attack, which the symbols allow:",
                goals[nth].text
            ));
            for line in scenario.lines() {
                complain(line);
            }
        }
        out.flush()
    };
    run(&question, &goals, &powers, arguments, out, &mut tell)?;
    if let (Some(attack), Log::Text) = (&smallest, arguments.log) {
        let pool = KeyPool::default();
        if let Some(play) = question.play(&attack.scenario, 0, &pool) {
            out.line("")?;
            let style = LogStyle { color: out.color(), detail: Detail::Normal };
            out.text(&log::render(&play, &style))?;
        }
        out.line(&format!("\n  repeat with: {}", repeat(arguments)))?;
    }
    Ok(exit)
}

/// Searches goal after goal, several side by side, and tells in their order.
fn run(
    question: &Question,
    goals: &[Goal],
    powers: &[Power],
    arguments: &Arguments,
    out: &mut Out,
    tell: &mut dyn FnMut(usize, &Timed, &mut Out) -> io::Result<()>,
) -> io::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.jobs.unwrap_or(cores).clamp(1, goals.len().max(1));
    let next = AtomicUsize::new(0);
    let (sender, receiver) = std::sync::mpsc::channel();
    let sender = Mutex::new(sender);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let pool = KeyPool::default();
                while let Some((nth, goal)) = {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    goals.get(nth).map(|goal| (nth, goal))
                } {
                    let timed = timed(question, goal, powers, arguments, &pool);
                    let sent = sender.lock().map(|sender| sender.send((nth, timed)));
                    if !matches!(sent, Ok(Ok(()))) {
                        return;
                    }
                }
            });
        }
        let mut waiting: Vec<Option<Timed>> = goals.iter().map(|_| None).collect();
        let mut told = 0;
        while told < goals.len() {
            let Ok((nth, timed)) = receiver.recv() else { break };
            waiting[nth] = Some(timed);
            while let Some(Some(timed)) = waiting.get(told) {
                tell(told, timed, out)?;
                told += 1;
            }
        }
        Ok(())
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a search may take is the user's time, not the world's"
)]
fn timed(question: &Question, goal: &Goal, powers: &[Power], arguments: &Arguments, pool: &KeyPool) -> Timed {
    let began = Instant::now();
    let is_over = || arguments.seconds.is_some_and(|most| began.elapsed().as_secs_f64() > most);
    let finding = question.search(goal, arguments.runs, powers, &is_over, pool);
    Timed { finding, ms: began.elapsed().as_secs_f64() * 1000.0 }
}

fn text(finding: &Finding, runs: usize, out: &mut Out) -> io::Result<()> {
    let states = grouped(finding.states);
    let (word, rest) = match &finding.result {
        Found::Attack(attack) => (
            "attack",
            format!(
                "with {} and {} of hers",
                counted(attack.told.runs, "run"),
                counted(attack.told.hers, "line")
            ),
        ),
        Found::Nothing => {
            ("none", format!("with up to {} · {states} states · exhausted", counted(runs, "run")))
        }
        Found::Unfinished(Stop::States) => {
            ("not finished", format!("the limit MAX_SEARCH_STATES, {}", grouped(MAX_SEARCH_STATES)))
        }
        Found::Unfinished(Stop::Unsaid) => {
            ("not finished", "a role or an attack cannot be said in the search's terms".to_owned())
        }
        Found::Unfinished(Stop::Steps) => {
            ("not finished", "more steps at once than MAX_BUNDLE_STEPS".to_owned())
        }
        Found::Unfinished(Stop::Over) => ("not finished", format!("--seconds came first · {states} states")),
    };
    let good = matches!(finding.result, Found::Nothing);
    out.verdict(good, &format!("  {word:<12}"), &format!(" {}", finding.goal))?;
    out.line(&format!("{:15}{rest}", ""))
}

fn object(finding: &Finding, powers: &[Power], ms: f64) -> serde_json::Value {
    let mut object = json!({
        "goal": finding.goal,
        "result": match finding.result {
            Found::Attack(_) => "attack",
            Found::Nothing => "none",
            Found::Unfinished(_) => "limit",
        },
        "states": finding.states,
        "ms": (ms * 1000.0).round() / 1000.0,
        "powers": powers.iter().map(Power::text).collect::<Vec<_>>(),
        "unconfirmed": finding.unconfirmed.len(),
    });
    if let Found::Attack(attack) = &finding.result {
        object["runs"] = attack.told.runs.into();
        object["lines"] = attack.told.hers.into();
        object["narration"] = attack.told.lines.clone().into();
        object["scenario"] = attack.scenario.clone().into();
    }
    object
}

fn repeat(arguments: &Arguments) -> String {
    let mut words = vec!["mallory search".to_owned(), quoted(&arguments.of)];
    if arguments.runs != 2 {
        words.push(format!("--runs {}", arguments.runs));
    }
    words.extend(arguments.goal.iter().map(|goal| format!("--goal {}", quoted(goal))));
    words.extend(arguments.power.iter().map(|power| format!("--power {}", quoted(power))));
    if let Some(kind) = arguments.encoding.and_then(|kind| kind.to_possible_value()) {
        words.push(format!("--encoding {}", kind.get_name()));
    }
    match &arguments.out {
        Some(path) => format!("{} --out {}", words.join(" "), quoted(&path.display().to_string())),
        None => format!("{}; with --out FILE the attack is a scenario for `run` and `test`", words.join(" ")),
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@,%".contains(c);
    let word = mallory::legible::legible(word);
    if word.chars().all(plain) { word.to_string() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// So many of something.
pub fn counted(many: usize, what: &str) -> String {
    if many == 1 { format!("1 {what}") } else { format!("{many} {what}s") }
}

/// A number with commas: 4,812.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Whether a search within these bounds can be asked for.
pub fn check_bounds(runs: usize, seconds: Option<f64>) -> Result<(), Problems> {
    if !(1..=MAX_SEARCH_RUNS).contains(&runs) {
        let message = format!("--runs is from 1 to {MAX_SEARCH_RUNS} (MAX_SEARCH_RUNS)");
        return Err(Problem::nowhere(message).into());
    }
    if seconds.is_some_and(|seconds| !seconds.is_finite() || seconds <= 0.0) {
        return Err(Problem::nowhere("--seconds is a number above 0".to_owned()).into());
    }
    Ok(())
}

fn question(arguments: &Arguments) -> Result<Question, Problems> {
    check_bounds(arguments.runs, arguments.seconds)?;
    let question = read(&arguments.of)?;
    Ok(match arguments.encoding {
        None => question,
        Some(kind) => {
            let encoding = match (kind, &question.encoding) {
                (Kind::Untagged, mallory::wire::Encoding::Untagged(widths)) => {
                    mallory::wire::Encoding::Untagged(widths.clone())
                }
                (Kind::Untagged, _) => mallory::wire::Encoding::Untagged(Default::default()),
                (Kind::Tagged, _) => mallory::wire::Encoding::Tagged,
                (Kind::Labelled, _) => mallory::wire::Encoding::Labelled,
            };
            question.with_encoding(encoding)
        }
    })
}

/// What a name or a path means: a protocol before a scenario, the library before files.
pub fn read(of: &str) -> Result<Question, Problems> {
    if scenario::protocols().iter().any(|entry| entry.name == of) {
        return Question::of_protocol(of);
    }
    let path = Path::new(of);
    if path.is_file() {
        let text = text_of(path)?;
        if ProtocolFile::is_one(&text) {
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("protocol");
            return Question::of_text(name, &text);
        }
        return only(of, Scenario::from_path(path)?);
    }
    if let Some((file, variant)) = of.rsplit_once(".toml/") {
        return only(of, Scenario::from_path(format!("{file}.toml"))?.only(variant)?);
    }
    let stem = of.split('/').next().unwrap_or(of);
    if scenario::scenarios().iter().any(|entry| entry.name == stem) {
        return only(of, Scenario::named(of)?);
    }
    let names: Vec<String> =
        scenario::protocols().into_iter().chain(scenario::scenarios()).map(|entry| entry.name).collect();
    let mut problem = Problem::nowhere(format!("there is no file, protocol or scenario `{of}`"));
    problem.help = suggest(of, names.iter().map(String::as_str));
    Err(problem.into())
}

/// The one variant of a scenario.
fn only(of: &str, scenario: Scenario) -> Result<Question, Problems> {
    match scenario.variants.as_slice() {
        [variant] => Question::of_variant(&scenario, variant),
        all => {
            let names: Vec<&str> = all.iter().filter_map(|variant| variant.name.as_deref()).collect();
            let problem = Problem::nowhere(format!("{of} has several variants"));
            Err(problem.help(format!("name one: {of}/{}", names.join(&format!(", {of}/")))).into())
        }
    }
}

fn powers(words: &[String], protocol: &Protocol) -> Result<Vec<Power>, Problems> {
    let mut powers = Vec::new();
    for word in words {
        let power = Power::read(word, protocol)?;
        if !powers.contains(&power) {
            powers.push(power);
        }
    }
    Ok(powers)
}

/// The goals that have this text in them, all if there is none.
pub fn goals(protocol: &Protocol, with: Option<&str>) -> Result<Vec<Goal>, Problems> {
    let goals = protocol.goals.iter().filter(|goal| with.is_none_or(|text| goal.text.contains(text)));
    let goals: Vec<Goal> = goals.cloned().collect();
    if goals.is_empty() {
        let mut problem = Problem::nowhere(match with {
            Some(text) => format!("no goal of {} has `{text}` in it", protocol.name),
            None => format!("{} has no goals", protocol.name),
        });
        let all: Vec<&str> = protocol.goals.iter().map(|goal| goal.text.as_str()).collect();
        problem.help = (!all.is_empty()).then(|| format!("its goals are: {}", all.join("; ")));
        return Err(problem.into());
    }
    Ok(goals)
}
