//! `mallory search`: looks for attacks that nobody wrote down, and plays what it finds.

use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Args;
use mallory::limits::MAX_SEARCH_STATES;
use mallory::notation::Goal;
use mallory::report::{Detail, LogStyle, log};
use mallory::scenario::KeyPool;
use mallory::scenario::search::{Attack, Finding, Found, Power, Question};
use mallory::search::Stop;
use serde_json::json;

use super::Exit;
use super::asked::{Asked, CODES, Log, Means, counted, goals, grouped, quoted};
use super::out::{Out, complain};

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

/// Look for attacks that nobody wrote down
#[derive(Args)]
#[command(long_about = ABOUT, after_help = CODES)]
pub struct Arguments {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    means: Means,
    /// Write the smallest attack as a scenario, with what came of it as what is expected
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A finding, and how long it took.
struct Timed {
    finding: Finding,
    ms: f64,
}

/// Searches for attacks on what was asked for.
pub fn search(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let Arguments { asked, means, .. } = arguments;
    let read = asked.question().and_then(|question| {
        let powers = means.powers(&question.protocol)?;
        let goals = goals(&question.protocol, asked.goal.as_deref())?;
        Ok((question, powers, goals))
    });
    let (question, powers, goals) = match read {
        Ok(read) => read,
        Err(problems) => {
            out.complain_of(&problems)?;
            return Ok(Exit::Input);
        }
    };
    if asked.log == Log::Text {
        out.heading(&asked.heading("search", &question, &powers))?;
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
        match asked.log {
            Log::Text => text(finding, asked.runs, out)?,
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
    if let (Some(attack), Log::Text) = (&smallest, asked.log) {
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
    let jobs = arguments.means.jobs().clamp(1, goals.len().max(1));
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
    let is_over = || arguments.asked.seconds.is_some_and(|most| began.elapsed().as_secs_f64() > most);
    let finding = question.search(goal, arguments.asked.runs, powers, &is_over, pool);
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
        Found::Unfinished(Stop::Unifications) => {
            ("not finished", "more ways to make two messages equal than MAX_UNIFICATIONS".to_owned())
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
    let words = arguments.asked.repeat("search", &arguments.means);
    match &arguments.out {
        Some(path) => format!("{words} --out {}", quoted(&path.display().to_string())),
        None => format!("{words}; with --out FILE the attack is a scenario for `run` and `test`"),
    }
}
