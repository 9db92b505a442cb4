//! What `search`, `powers` and `repair` are all asked: of which protocol, within which bounds.

use std::path::Path;

use clap::{Args, ValueEnum};
use mallory::Scenario;
use mallory::limits::MAX_SEARCH_RUNS;
use mallory::notation::fault::suggest;
use mallory::notation::{Goal, Protocol};
use mallory::scenario::search::{Power, Question};
use mallory::scenario::{self, Problem, Problems, ProtocolFile};
use mallory::wire::Encoding;

use super::select::text_of;

pub const CODES: &str = "\
Exit codes:
  0  no attack within the bound, which was searched to its end
  1  an attack
  2  the input is wrong: an argument or a file
  3  a limit came first, or a defect of mallory";

/// Of what, and how far.
#[derive(Args)]
pub struct Asked {
    /// A protocol or scenario: a name of the library, or a file
    #[arg(value_name = "NAME|FILE")]
    pub of: String,
    /// Runs of the protocol in which honest parties take part, at most
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub runs: usize,
    /// Only goals that have this text in them
    #[arg(long, value_name = "TEXT")]
    pub goal: Option<String>,
    /// How fields become bytes [default: as the file says, or tagged]
    #[arg(long, value_enum, value_name = "KIND")]
    encoding: Option<Kind>,
    /// Seconds to look: `search` for each goal, `powers` for each set, `repair` in all
    #[arg(long, value_name = "S")]
    pub seconds: Option<f64>,
    /// As text, or as JSON, one object a line
    #[arg(long, value_enum, default_value_t = Log::Text, value_name = "FORM")]
    pub log: Log,
}

/// With what she is, and how many threads look.
#[derive(Args)]
pub struct Means {
    /// What she has beyond what everybody has; may be given several times
    #[arg(long, value_name = "WORD", num_args = 1)]
    power: Vec<String>,
    /// Threads that look side by side [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
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

impl Asked {
    /// The protocol, in the encoding that was asked for.
    pub fn question(&self) -> Result<Question, Problems> {
        if !(1..=MAX_SEARCH_RUNS).contains(&self.runs) {
            let message = format!("--runs is from 1 to {MAX_SEARCH_RUNS} (MAX_SEARCH_RUNS)");
            return Err(Problem::nowhere(message).into());
        }
        if self.seconds.is_some_and(|seconds| !seconds.is_finite() || seconds <= 0.0) {
            return Err(Problem::nowhere("--seconds is a number above 0".to_owned()).into());
        }
        let question = read(&self.of)?;
        let encoding = match (self.encoding, &question.encoding) {
            (None, _) => return Ok(question),
            (Some(Kind::Untagged), Encoding::Untagged(widths)) => Encoding::Untagged(widths.clone()),
            (Some(Kind::Untagged), _) => Encoding::Untagged(Default::default()),
            (Some(Kind::Tagged), _) => Encoding::Tagged,
            (Some(Kind::Labelled), _) => Encoding::Labelled,
        };
        Ok(question.with_encoding(encoding))
    }

    /// What a command says first.
    pub fn heading(&self, command: &str, question: &Question, powers: &[Power]) -> String {
        let with: Vec<String> = powers.iter().map(Power::text).collect();
        let with = if with.is_empty() { String::new() } else { format!(" · with {}", with.join(", ")) };
        format!(
            "mallory {} · {command} {} · up to {} · {}{with}",
            env!("CARGO_PKG_VERSION"),
            question.name,
            counted(self.runs, "run"),
            question.encoding.name(),
        )
    }

    /// The command that asks the same, but for where it writes and how.
    pub fn repeat(&self, command: &str, means: &Means) -> String {
        let mut words = vec![format!("mallory {command}"), quoted(&self.of)];
        if self.runs != 2 {
            words.push(format!("--runs {}", self.runs));
        }
        words.extend(self.goal.iter().map(|goal| format!("--goal {}", quoted(goal))));
        words.extend(means.power.iter().map(|power| format!("--power {}", quoted(power))));
        if let Some(kind) = self.encoding.and_then(|kind| kind.to_possible_value()) {
            words.push(format!("--encoding {}", kind.get_name()));
        }
        words.join(" ")
    }
}

impl Means {
    /// The powers, each once.
    pub fn powers(&self, protocol: &Protocol) -> Result<Vec<Power>, Problems> {
        let mut powers = Vec::new();
        for word in &self.power {
            let power = Power::read(word, protocol)?;
            if !powers.contains(&power) {
                powers.push(power);
            }
        }
        Ok(powers)
    }

    /// How many threads look.
    pub fn jobs(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.unwrap_or(cores).max(1)
    }
}

/// What a name or a path means: a protocol before a scenario, the library before files.
fn read(of: &str) -> Result<Question, Problems> {
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

/// So many of something.
pub fn counted(many: usize, what: &str) -> String {
    if many == 1 { format!("1 {what}") } else { format!("{many} {what}s") }
}

/// A number with commas: 4,812.
pub fn grouped(number: u64) -> String {
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

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@,%".contains(c);
    let word = mallory::legible::legible(word);
    if word.chars().all(plain) { word.to_string() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
