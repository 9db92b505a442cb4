//! `mallory repair`: the smallest edits after which no attack is found.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use mallory::legible::legible;
use mallory::notation::edits::Change;
use mallory::scenario::repair::{Repair, Repairs, Wanted};
use mallory::scenario::search::{Finding, Found};
use serde_json::json;

use super::Exit;
use super::asked::{Asked, Log, Means, counted, goals, grouped, quoted};
use super::out::{Out, complain};

const ABOUT: &str = "\
Looks for the smallest edits of a broken protocol after which the search finds no attack on what
was broken, and none on what held: a name, a nonce, a time stamp, a label, a value of this run put
into what is protected; what went in the clear, encrypted or signed; a confirmation at the end.
Single edits first, then pairs. Each repair is searched again from its file, and played by honest
parties, before it is shown. It is a proposal, and no more proven than `none` of `search` is.

  mallory repair nspk                           Lowe's
  mallory repair my.toml --out repaired.toml    the smallest, as a protocol's file
  mallory repair nssk --power old-session-key
  mallory repair denning-sacco-pk --goal 'secret Payload'";

const CODES: &str = "\
Exit codes:
  0  no goal is broken within the bound
  1  an attack, and a repair
  2  the input is wrong: an argument or a file
  3  an attack, and no repair of the kinds that were tried; or a limit came first";

/// Find the smallest edits that mend a protocol
#[derive(Args)]
#[command(long_about = ABOUT, after_help = CODES)]
pub struct Arguments {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    means: Means,
    /// Write the protocol with the first repair
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Looks for repairs of what was asked for.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a search may take is the user's time, not the world's"
)]
pub fn repair(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let Arguments { asked, means, out: path } = arguments;
    let began = Instant::now();
    let is_over = || asked.seconds.is_some_and(|most| began.elapsed().as_secs_f64() > most);
    let found = asked.question().and_then(|question| {
        let powers = means.powers(&question.protocol)?;
        goals(&question.protocol, asked.goal.as_deref())?;
        let wanted = Wanted {
            runs: asked.runs,
            powers: &powers,
            goal: asked.goal.as_deref(),
            jobs: means.jobs(),
            is_over: &is_over,
        };
        Ok((asked.heading("repair", &question, &powers), question.repair(&wanted)?))
    });
    let (heading, repairs) = match found {
        Ok(found) => found,
        Err(problems) => {
            out.complain_of(&problems)?;
            return Ok(Exit::Input);
        }
    };
    match asked.log {
        Log::Text => {
            out.heading(&heading)?;
            text(arguments, &repairs, out)?;
        }
        Log::Json => json_lines(&repairs, out)?,
    }
    let mut exit = if !repairs.repairs.is_empty() {
        Exit::Unexpected
    } else if !repairs.broken.is_empty() {
        Exit::Defect
    } else {
        Exit::Expected
    };
    if is_open(&repairs) {
        exit = Exit::Defect;
    }
    if let Some(path) = path {
        match repairs.repairs.first().map(|repair| std::fs::write(path, &repair.text)) {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                complain(&format!("cannot write {}: {error}", path.display()));
                exit = Exit::Input;
            }
            None => complain(&format!("there is no repair to write to {}", path.display())),
        }
    }
    Ok(exit)
}

/// Whether the search of some goal did not come to an end, or to one that the stage does not confirm.
fn is_open(repairs: &Repairs) -> bool {
    let is_open = |of: &Finding| matches!(of.result, Found::Unfinished(_)) || !of.unconfirmed.is_empty();
    repairs.findings.iter().any(is_open)
}

fn text(arguments: &Arguments, repairs: &Repairs, out: &mut Out) -> io::Result<()> {
    let Arguments { asked, means, out: path } = arguments;
    out.line("")?;
    for finding in &repairs.findings {
        let (good, word) = match finding.result {
            Found::Attack(_) => (false, "attack"),
            Found::Nothing if finding.unconfirmed.is_empty() => (true, "none"),
            Found::Nothing => (false, "unconfirmed"),
            Found::Unfinished(_) => (false, "not finished"),
        };
        out.verdict(good, &format!("  {word:<12}"), &format!(" {}", finding.goal))?;
    }
    if repairs.broken.is_empty() {
        return out.line(match is_open(repairs) {
            false => "\n  nothing to repair: no attack was found on these goals",
            true => "\n  no attack was found; whether there is one on what is not finished nobody knows",
        });
    }
    for (number, repair) in (1..).zip(&repairs.repairs) {
        out.line("")?;
        out.verdict(true, &format!("  repair {number}"), "")?;
        tell(repair, asked.runs, out)?;
    }
    if repairs.repairs.is_empty() {
        out.line("")?;
        out.verdict(false, "  no repair", " of all that is broken was found")?;
    }
    for repair in &repairs.partial {
        out.line("")?;
        out.verdict(false, "  in part    ", &format!("  mends only {}", repair.mends.join("; ")))?;
        tell(repair, asked.runs, out)?;
    }
    let tried = grouped(repairs.tried as u64);
    out.line(&format!("\n  {tried} edited protocols were looked at{}", ended(repairs)))?;
    let words = asked.repeat("repair", means);
    match path {
        Some(path) => {
            out.line(&format!("  repeat with: {words} --out {}", quoted(&path.display().to_string())))
        }
        None => out
            .line(&format!("  repeat with: {words}; with --out FILE the first repair is a protocol's file")),
    }
}

/// What was left out.
fn ended(repairs: &Repairs) -> String {
    let mut said = String::new();
    if repairs.unfinished > 0 {
        let many = counted(repairs.unfinished, "search");
        said = format!("; {many} did not come to an end (MAX_REPAIR_STATES)");
    }
    match repairs.stop {
        Some(limit) => said + &format!("; the limit {limit} came before all pairs of edits"),
        None if repairs.repairs.is_empty() => said + ": all single edits of these kinds and all pairs",
        None => said,
    }
}

fn tell(repair: &Repair, runs: usize, out: &mut Out) -> io::Result<()> {
    for buys in &repair.buys {
        out.line(&format!("{:15}{}", "", legible(buys)))?;
    }
    for change in &repair.changes {
        let lines = match change {
            Change::Line { was, is } => vec![
                format!("{:>10}  - {}", was.0, legible(&was.1)),
                format!("{:>10}  + {}", is.0, legible(&is.1)),
            ],
            Change::NewLine(number, line) => vec![format!("{number:>10}  + {}", legible(line))],
            Change::Let { name, was, is } => vec![
                format!("{:>10}  - {name} = {}", "let", legible(was)),
                format!("{:>10}  + {name} = {}", "let", legible(is)),
            ],
            Change::Fresh { role, value } => vec![format!("{:>10}  + {role} = {value}", "fresh")],
        };
        for line in lines {
            out.line(&line)?;
        }
    }
    let stand = counted(repair.stand.len(), "goal");
    let runs = counted(runs, "run");
    out.line(&format!("{:15}no attack on {stand} with up to {runs}; honest parties complete", ""))
}

fn json_lines(repairs: &Repairs, out: &mut Out) -> io::Result<()> {
    let all =
        repairs.repairs.iter().map(|it| ("repair", it)).chain(repairs.partial.iter().map(|it| ("part", it)));
    for (word, repair) in all {
        let changes: Vec<_> = repair.changes.iter().map(change).collect();
        let object = json!({
            "result": word,
            "mends": repair.mends,
            "stand": repair.stand,
            "size": repair.size,
            "buys": repair.buys,
            "changes": changes,
            "protocol": repair.text,
        });
        out.line(&object.to_string())?;
    }
    let result = match (repairs.broken.is_empty(), repairs.repairs.is_empty()) {
        (true, _) if is_open(repairs) => "limit",
        (true, _) => "nothing to repair",
        (false, true) => "no repair",
        (false, false) => "repaired",
    };
    let object = json!({
        "result": result,
        "broken": repairs.broken,
        "tried": repairs.tried,
        "unfinished": repairs.unfinished,
        "limit": repairs.stop,
    });
    out.line(&object.to_string())
}

fn change(of: &Change) -> serde_json::Value {
    match of {
        Change::Line { was, is } => json!({ "line": is.0, "was": was.1, "is": is.1 }),
        Change::NewLine(number, line) => json!({ "line": number, "is": line }),
        Change::Let { name, was, is } => json!({ "let": &**name, "was": was, "is": is }),
        Change::Fresh { role, value } => json!({ "fresh": &**role, "is": value }),
    }
}
