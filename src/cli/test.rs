//! `mallory test`: holds scenarios against what they expect, in parallel.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mallory::Scenario;
use mallory::legible::legible;
use mallory::scenario::{Checked, KeyPool, PlayReport, Variant};

use super::out::{Out, is_watched};
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

A line for each variant, then `N passed, M failed`.";

/// Hold scenarios against what they expect
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Scenarios: names, variants, files, folders, tags [default: the whole library]
    #[arg(value_name = "NAME|PATH|TAG", long_help = MEANING)]
    scenarios: Vec<String>,
    /// From which keys and nonces are drawn [default: the file's, or 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many seeds to play, from that one on
    #[arg(long, value_name = "K", default_value = "1")]
    seeds: NonZeroUsize,
}

/// One variant with one seed.
struct Job {
    scenario: Scenario,
    variant: Arc<Variant>,
}

/// What came of a job.
struct Outcome {
    took: Duration,
    exit: Exit,
    /// What went wrong, and the command that shows it.
    wrong: Vec<String>,
}

/// Tests what was asked for.
pub fn test(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let selection = match arguments.scenarios.as_slice() {
        [] => Selection::library(),
        some => Selection::of(some),
    };
    let mut tally = Tally { exit: Exit::Expected, passed: 0, failed: 0 };
    for (name, problems) in &selection.wrong {
        out.complain_of(problems)?;
        tally.add(Exit::Input);
        out.verdict(false, "FAILED", &format!("  {name}  it is wrong, see above"))?;
    }
    let jobs = jobs(selection.scenarios, arguments);
    let bar = ProgressBar::with_draw_target(Some(jobs.len() as u64), ProgressDrawTarget::hidden());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len}") {
        bar.set_style(style);
    }
    let started = now();
    play_all(&jobs, |index, outcome: Outcome| {
        if bar.is_hidden() && is_watched() && started.elapsed() > PATIENCE {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_position(index as u64 + 1);
        tally.add(outcome.exit);
        bar.suspend(|| {
            tell(&jobs[index], &outcome, arguments, out)?;
            out.flush()
        })
    })?;
    bar.finish_and_clear();
    out.line(&format!("{} passed, {} failed", tally.passed, tally.failed))?;
    Ok(tally.exit)
}

/// The machine's time; a play never sees it.
#[expect(clippy::disallowed_methods, reason = "people want to know which test is slow")]
fn now() -> Instant {
    Instant::now()
}

struct Tally {
    exit: Exit,
    passed: usize,
    failed: usize,
}

impl Tally {
    fn add(&mut self, exit: Exit) {
        self.exit = self.exit.max(exit);
        *(if exit == Exit::Expected { &mut self.passed } else { &mut self.failed }) += 1;
    }
}

fn jobs(mut scenarios: Vec<Scenario>, arguments: &Arguments) -> Vec<Job> {
    scenarios.sort_by(|a, b| (&a.group, &a.called).cmp(&(&b.group, &b.called)));
    let mut jobs = Vec::new();
    for scenario in scenarios {
        let first = arguments.seed.unwrap_or(scenario.seed);
        for variant in &scenario.variants {
            for nth in 0..arguments.seeds.get() as u64 {
                let scenario = scenario.clone().seed(first.saturating_add(nth));
                jobs.push(Job { scenario, variant: variant.clone() });
            }
        }
    }
    jobs
}

/// Plays all jobs on as many threads as the machine runs at once, and tells of them in order.
fn play_all(jobs: &[Job], mut tell: impl FnMut(usize, Outcome) -> io::Result<()>) -> io::Result<()> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(jobs.len());
    let pool = KeyPool::default();
    let next = AtomicUsize::new(0);
    let (done, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads {
            let (done, next, pool) = (done.clone(), &next, &pool);
            scope.spawn(move || {
                while let Some((index, job)) = take(jobs, next) {
                    if done.send((index, play(job, pool))).is_err() {
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
    let (exit, wrong) = match checked {
        Ok(Ok(checked)) if checked.failures.is_empty() => (Exit::Expected, Vec::new()),
        Ok(Ok(checked)) => (Exit::Unexpected, unmet(&checked)),
        Ok(Err(halt)) => (Exit::Defect, vec![halt.to_string(), format!("repeat with: {repeat_with}")]),
        Err(_) => {
            let defect = "it came to no end; this is a defect of mallory".to_owned();
            (Exit::Defect, vec![defect, format!("repeat with: {repeat_with}")])
        }
    };
    Outcome { took: started.elapsed(), exit, wrong }
}

fn unmet(checked: &Checked) -> Vec<String> {
    let of = |play: &PlayReport| {
        let mut lines: Vec<String> = play.unmet().iter().map(ToString::to_string).collect();
        if !lines.is_empty() {
            lines.push(format!("repeat with: {}", play.repeat_with()));
        }
        lines
    };
    let honest = checked.honest.as_ref().map(of).unwrap_or_default();
    of(&checked.play).into_iter().chain(honest).collect()
}

fn tell(job: &Job, outcome: &Outcome, arguments: &Arguments, out: &mut Out) -> io::Result<()> {
    let mut name = job.variant.of(&job.scenario.name);
    if arguments.seeds.get() > 1 {
        name.push_str(&format!("  seed {}", job.scenario.seed));
    }
    let took = outcome.took.as_millis();
    if outcome.exit == Exit::Expected {
        return out.verdict(true, "ok", &format!("  {name}  {took} ms"));
    }
    out.verdict(false, "FAILED", &format!("  {name}  {took} ms"))?;
    outcome.wrong.iter().try_for_each(|line| out.line(&format!("    {}", legible(line))))
}
