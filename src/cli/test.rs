//! `mallory test`: holds scenarios against what they expect, in parallel.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mallory::Scenario;
use mallory::legible::legible;
use mallory::report::result::VERSION;
use mallory::scenario::{KeyPool, Problems, Variant};
use serde_json::{Value as Json, json};

use super::filter::{self, Filter};
use super::junit::{Case, Status, junit};
use super::out::{Out, complain, is_watched};
use super::seed::{Seed, Seeds};
use super::select::{MEANING, Selection};
use super::{EXIT_CODES, Exit};

/// How long a test takes before it shows how far it is.
const PATIENCE: Duration = Duration::from_millis(700);

const ABOUT: &str = "\
Plays each variant of each scenario and holds it against what its file expects. A variant
in which the attack is meant to succeed passes when it does. Each one that expects anything
is also played without its attacker: a defence that refuses everybody is none.

  mallory test                       the whole library
  mallory test story.toml            a file of your own
  mallory test stories/ --seeds 20   a folder, each scenario with twenty seeds
  mallory test --filter 'tag:pki and not variant:fixed' --junit report.xml

A line for each variant, then `N passed, M failed`. A variant that expects nothing is played
and counted apart: it asserts nothing. Where nothing else was tested, that is a failure.";

/// Hold scenarios against what they expect
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Scenarios: names, variants, files, folders, tags [default: the whole library]
    #[arg(value_name = "NAME|PATH|TAG", long_help = MEANING)]
    scenarios: Vec<String>,
    /// From which keys and nonces are drawn [default: the file's, or 0]
    ///
    /// `random` asks the operating system for one, and says which it was.
    #[arg(long, value_name = "N|random")]
    seed: Option<Seed>,
    /// Set a value in every scenario, as if its file had it: `services.ca.crl_period=1h`
    #[arg(long = "set", value_name = "PATH=VALUE")]
    parameters: Vec<String>,
    /// How many seeds to play, from that one on, or from which up to which
    #[arg(long, value_name = "K|A..B", default_value = "1")]
    seeds: Seeds,
    #[arg(long, value_name = "EXPR", help = filter::MEANING.lines().next(), long_help = filter::MEANING)]
    filter: Option<Filter>,
    /// How many plays at once [default: as many as the machine runs at once]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Begin no more plays after the first that fails
    #[arg(long)]
    fail_fast: bool,
    /// Write the outcome as JUnit XML, which CI systems read
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Say what failed as annotations of a GitHub workflow, too
    #[arg(long, conflicts_with = "json")]
    github: bool,
    /// Objects for programs, one a line (docs/JSON.md)
    #[arg(long)]
    json: bool,
}

/// One variant with one seed.
struct Job {
    scenario: Scenario,
    variant: Arc<Variant>,
}

/// What came of a job.
struct Outcome {
    took: Duration,
    end: End,
    /// What was not as expected, each with the command that shows it; or why there was no end.
    wrong: Vec<(String, String)>,
}

/// How a test ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Passed,
    /// It was played, and its file expects nothing.
    AssertsNothing,
    Failed,
    /// Its file is wrong.
    Wrong,
    /// It was not played: another had failed before.
    Skipped,
    /// A limit was reached, or a defect.
    Stopped,
}

impl End {
    fn exit(self) -> Exit {
        match self {
            End::Passed | End::AssertsNothing | End::Skipped => Exit::Expected,
            End::Failed => Exit::Unexpected,
            End::Wrong => Exit::Input,
            End::Stopped => Exit::Defect,
        }
    }

    fn word(self) -> &'static str {
        match self {
            End::Passed => "passed",
            End::AssertsNothing => "asserts-nothing",
            End::Failed => "failed",
            End::Wrong => "wrong",
            End::Stopped => "stopped",
            End::Skipped => "skipped",
        }
    }
}

/// Tests what was asked for.
pub fn test(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let selection = match arguments.scenarios.as_slice() {
        [] => Selection::library(),
        some => Selection::of(some),
    }
    .with(&arguments.parameters);
    let mut tally = Tally::default();
    for (name, problems) in &selection.wrong {
        out.complain_of(problems)?;
        tally.add(End::Wrong);
        if arguments.json {
            let wrong: Vec<String> = problems.0.iter().map(|problem| problem.message.clone()).collect();
            let line =
                json!({ "kind": "test", "scenario": name, "result": End::Wrong.word(), "problems": wrong });
            out.line(&line.to_string())?;
        } else {
            out.verdict(false, "FAILED", &format!("  {name}  it is wrong, see above"))?;
        }
    }
    let seed = match arguments.seed.map(Seed::draw).transpose() {
        Ok(seed) => seed,
        Err(why) => {
            complain(&why);
            return Ok(Exit::Defect);
        }
    };
    if let (Some(Seed::Random), Some(seed)) = (arguments.seed, seed) {
        complain(&format!("drew seed {seed}"));
    }
    if let (Seeds::Range(..), Some(_)) = (arguments.seeds, seed) {
        complain("`--seeds A..B` says from which seed on; leave out --seed");
        return Ok(Exit::Input);
    }
    let jobs = jobs(selection.scenarios, seed, arguments);
    if jobs.is_empty() && selection.wrong.is_empty() {
        complain("nothing to test: --filter takes no variant of these scenarios");
        return Ok(Exit::Input);
    }
    let bar = ProgressBar::with_draw_target(Some(jobs.len() as u64), ProgressDrawTarget::hidden());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len}") {
        bar.set_style(style);
    }
    let started = now();
    let mut outcomes = Vec::new();
    play_all(&jobs, arguments, |index, outcome: Outcome| {
        if bar.is_hidden() && is_watched() && started.elapsed() > PATIENCE {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_position(index as u64 + 1);
        tally.add(outcome.end);
        bar.suspend(|| {
            match arguments.json {
                true => out.line(&as_json(&jobs[index], &outcome).to_string())?,
                false => tell(&jobs[index], &outcome, arguments, out)?,
            }
            out.flush()
        })?;
        if arguments.junit.is_some() {
            outcomes.push(outcome);
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    match arguments.json {
        true => out.line(&tally.as_json().to_string())?,
        false => out.line(&tally.words())?,
    }
    if let Some(path) = &arguments.junit
        && let Err(why) = write_junit(path, &jobs, &outcomes, &selection.wrong)
    {
        out.flush()?;
        complain(&format!("cannot write {}: {why}", path.display()));
        return Ok(Exit::Input);
    }
    if tally.tested_nothing() {
        complain("nothing was tested: no file expects anything; write [expect]");
    }
    Ok(tally.exit())
}

/// The machine's time; a play never sees it.
#[expect(clippy::disallowed_methods, reason = "people want to know which test is slow")]
fn now() -> Instant {
    Instant::now()
}

#[derive(Default)]
struct Tally {
    worst: Option<Exit>,
    passed: usize,
    failed: usize,
    silent: usize,
    skipped: usize,
}

impl Tally {
    fn add(&mut self, end: End) {
        self.worst = self.worst.max(Some(end.exit()));
        let count = match end {
            End::Passed => &mut self.passed,
            End::AssertsNothing => &mut self.silent,
            End::Skipped => &mut self.skipped,
            End::Failed | End::Wrong | End::Stopped => &mut self.failed,
        };
        *count += 1;
    }

    /// A test that asserts nothing is none: to pass, something must have been asserted.
    fn tested_nothing(&self) -> bool {
        self.silent > 0 && self.passed + self.failed == 0
    }

    fn exit(&self) -> Exit {
        let least = if self.tested_nothing() { Exit::Unexpected } else { Exit::Expected };
        self.worst.unwrap_or(Exit::Expected).max(least)
    }

    fn words(&self) -> String {
        let silent = match self.silent {
            0 => String::new(),
            1 => ", 1 asserts nothing".to_owned(),
            many => format!(", {many} assert nothing"),
        };
        let skipped = match self.skipped {
            0 => String::new(),
            some => format!(", {some} not played"),
        };
        format!("{} passed, {} failed{silent}{skipped}", self.passed, self.failed)
    }

    fn as_json(&self) -> Json {
        json!({
            "kind": "tally",
            "version": VERSION,
            "passed": self.passed,
            "failed": self.failed,
            "assert_nothing": self.silent,
            "skipped": self.skipped,
        })
    }
}

fn jobs(mut scenarios: Vec<Scenario>, seed: Option<u64>, arguments: &Arguments) -> Vec<Job> {
    scenarios.sort_by(|a, b| (&a.group, &a.called).cmp(&(&b.group, &b.called)));
    let mut jobs = Vec::new();
    for scenario in scenarios {
        let (first, count) = match arguments.seeds {
            Seeds::Count(count) => (seed.unwrap_or(scenario.seed), count),
            Seeds::Range(from, count) => (from, count),
        };
        let wanted = |variant: &&Arc<Variant>| {
            arguments.filter.as_ref().is_none_or(|filter| filter.takes(&scenario, variant))
        };
        for variant in scenario.variants.iter().filter(wanted) {
            for nth in 0..count {
                let scenario = scenario.clone().seed(first.saturating_add(nth));
                jobs.push(Job { scenario, variant: variant.clone() });
            }
        }
    }
    jobs
}

/// The name of a job: its variant's, and its seed if there are several.
fn name_of(job: &Job, arguments: &Arguments) -> String {
    let name = job.variant.of(&job.scenario.name);
    match arguments.seeds {
        Seeds::Count(1) => name,
        Seeds::Count(_) | Seeds::Range(..) => format!("{name}  seed {}", job.scenario.seed),
    }
}

/// Writes what came of the tests, in their order; files that are wrong are errors.
fn write_junit(
    path: &Path,
    jobs: &[Job],
    outcomes: &[Outcome],
    wrong: &[(String, Problems)],
) -> Result<(), String> {
    let of_jobs = jobs.iter().zip(outcomes).map(|(job, outcome)| {
        let told: Vec<String> =
            outcome.wrong.iter().map(|(what, repeat)| format!("{what}\nrepeat with: {repeat}")).collect();
        let status = match outcome.end {
            End::Passed => Status::Passed,
            End::AssertsNothing => Status::Skipped("asserts nothing"),
            End::Skipped => Status::Skipped("another had failed before"),
            End::Failed => Status::Failed(told.join("\n")),
            End::Wrong | End::Stopped => Status::Stopped(told.join("\n")),
        };
        Case {
            group: job.scenario.group.clone(),
            name: format!("{} seed {}", job.variant.of(&job.scenario.name), job.scenario.seed),
            took: outcome.took,
            status,
        }
    });
    let of_files = wrong.iter().map(|(name, problems)| {
        let told: Vec<String> = problems.0.iter().map(|problem| problem.message.clone()).collect();
        let (group, name) = ("files".to_owned(), name.clone());
        Case { group, name, took: Duration::ZERO, status: Status::Stopped(told.join("\n")) }
    });
    std::fs::write(path, junit(of_jobs.chain(of_files))?).map_err(|error| error.to_string())
}

/// Plays all jobs on as many threads as the machine runs at once, and tells of them in order.
fn play_all(
    jobs: &[Job],
    arguments: &Arguments,
    mut tell: impl FnMut(usize, Outcome) -> io::Result<()>,
) -> io::Result<()> {
    let all = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = arguments.jobs.map_or_else(all, NonZeroUsize::get).min(jobs.len());
    let failed = AtomicBool::new(false);
    let pool = KeyPool::default();
    let next = AtomicUsize::new(0);
    let (done, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads {
            let (done, next, pool, failed) = (done.clone(), &next, &pool, &failed);
            scope.spawn(move || {
                while let Some((index, job)) = take(jobs, next) {
                    let outcome = match failed.load(Ordering::Relaxed) {
                        true => Outcome { took: Duration::ZERO, end: End::Skipped, wrong: Vec::new() },
                        false => play(job, pool),
                    };
                    if arguments.fail_fast && outcome.end.exit() > Exit::Expected {
                        failed.store(true, Ordering::Relaxed);
                    }
                    if done.send((index, outcome)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut early: BTreeMap<usize, Outcome> = BTreeMap::new();
        let mut awaited = 0;
        for (index, outcome) in results {
            early.insert(index, outcome);
            while let Some(outcome) = early.remove(&awaited) {
                if let Err(error) = tell(awaited, outcome) {
                    next.store(jobs.len(), Ordering::Relaxed);
                    return Err(error);
                }
                awaited += 1;
            }
        }
        Ok(())
    })
}

fn take<'a>(jobs: &'a [Job], next: &AtomicUsize) -> Option<(usize, &'a Job)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    jobs.get(index).map(|job| (index, job))
}

fn play(job: &Job, pool: &KeyPool) -> Outcome {
    let started = now();
    let checked = catch_unwind(AssertUnwindSafe(|| job.scenario.check(&job.variant, pool)));
    let repeat_with = job.scenario.repeat_with(Some(&job.variant), true);
    let (end, wrong) = match checked {
        Ok(Ok(checked)) if checked.is_open => (End::Stopped, checked.told()),
        Ok(Ok(checked)) if !checked.failures.is_empty() => (End::Failed, checked.told()),
        Ok(Ok(_)) if !job.variant.asserts() => (End::AssertsNothing, Vec::new()),
        Ok(Ok(_)) => (End::Passed, Vec::new()),
        Ok(Err(halt)) => (End::Stopped, vec![(halt.to_string(), repeat_with)]),
        Err(_) => {
            let defect = "it came to no end; this is a defect of mallory".to_owned();
            (End::Stopped, vec![(defect, repeat_with)])
        }
    };
    Outcome { took: started.elapsed(), end, wrong }
}

fn tell(job: &Job, outcome: &Outcome, arguments: &Arguments, out: &mut Out) -> io::Result<()> {
    let name = name_of(job, arguments);
    let took = outcome.took.as_millis();
    match outcome.end {
        End::Passed => return out.verdict(true, "ok", &format!("  {name}  {took} ms")),
        End::AssertsNothing => return out.line(&legible(&format!("--  {name}  asserts nothing"))),
        End::Skipped => return Ok(()),
        End::Failed | End::Wrong | End::Stopped => {}
    }
    out.verdict(false, "FAILED", &format!("  {name}  {took} ms"))?;
    for (at, (wrong, repeat_with)) in outcome.wrong.iter().enumerate() {
        out.line(&format!("    {}", legible(wrong)))?;
        if outcome.wrong.get(at + 1).is_none_or(|(_, next)| next != repeat_with) {
            out.line(&format!("    repeat with: {}", legible(repeat_with)))?;
        }
        if arguments.github {
            out.line(&annotation(&name, wrong, repeat_with))?;
        }
    }
    Ok(())
}

/// A workflow command of GitHub Actions. What it takes for its own is escaped as it wants.
fn annotation(name: &str, wrong: &str, repeat_with: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    format!(
        "::error title={}::{}",
        property(&legible(name)),
        data(&format!("{wrong}\nrepeat with: {repeat_with}"))
    )
}

fn as_json(job: &Job, outcome: &Outcome) -> Json {
    let unmet: Vec<Json> = (outcome.wrong.iter())
        .map(|(what, repeat_with)| json!({ "what": what, "repeat_with": repeat_with }))
        .collect();
    json!({
        "kind": "test",
        "scenario": job.scenario.name,
        "variant": job.variant.name,
        "seed": job.scenario.seed.to_string(),
        "result": outcome.end.word(),
        "took_ms": u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
        "unmet": unmet,
    })
}
