//! `mallory powers`: what an attacker must have to break a goal.

use std::io;
use std::time::Instant;

use clap::Args;
use mallory::notation::{Goal, Protocol};
use mallory::scenario::KeyPool;
use mallory::scenario::search::{Finding, Found, Power, Question, has_password};
use serde_json::json;

use super::Exit;
use super::asked::{Asked, CODES, Log, counted, goals};
use super::out::Out;

const ABOUT: &str = "\
For each goal the smallest sets of powers with which an attack was found and played, of two powers
at most: what the goal rests on. A goal that falls to an attacker without powers is broken; one
that no set here breaks stands within the bound on runs. Which sets there are to an attacker's
knowledge is Basin and Cremers' idea (Know your enemy, TISSEC 17(2), 2014).

  mallory powers nsl                  every goal, two runs
  mallory powers my.toml --log json   a line for each set, with its attack";

/// Say what an attacker must have to break a goal
#[derive(Args)]
#[command(long_about = ABOUT, after_help = CODES)]
pub struct Arguments {
    #[command(flatten)]
    asked: Asked,
}

/// Looks for the smallest sets of powers that break each goal.
pub fn powers(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let Arguments { asked } = arguments;
    let read = asked.question().and_then(|question| {
        let goals = goals(&question.protocol, asked.goal.as_deref())?;
        Ok((question, goals))
    });
    let (question, goals) = match read {
        Ok(read) => read,
        Err(problems) => {
            out.complain_of(&problems)?;
            return Ok(Exit::Input);
        }
    };
    if asked.log == Log::Text {
        let version = env!("CARGO_PKG_VERSION");
        let runs = counted(asked.runs, "run");
        out.heading(&format!("mallory {version} · powers {} · up to {runs}", question.name))?;
    }
    let (all, pool) = (every(&question.protocol), KeyPool::default());
    let mut exit = Exit::Expected;
    for goal in &goals {
        if asked.log == Log::Text {
            out.line(&format!("\n  {}", goal.text))?;
        }
        let mut minimal: Vec<Vec<Power>> = Vec::new();
        for set in sets(&all) {
            if minimal.iter().any(|smaller| smaller.iter().all(|power| includes(&set, power))) {
                continue;
            }
            let finding = find(&question, goal, &set, asked, &pool);
            let is_open = matches!(finding.result, Found::Unfinished(_)) || !finding.unconfirmed.is_empty();
            match &finding.result {
                Found::Attack(_) => {
                    exit = exit.max(Exit::Unexpected);
                    minimal.push(set.clone());
                }
                _ if is_open => exit = Exit::Defect,
                _ => continue,
            }
            tell(goal, &set, &finding, asked.log, out)?;
        }
        if minimal.is_empty() && asked.log == Log::Text {
            out.line("    nothing here breaks it")?;
        }
        out.flush()?;
    }
    Ok(exit)
}

/// Every power that adds to what she has.
fn every(protocol: &Protocol) -> Vec<Power> {
    let roles: Vec<_> = protocol.client_roles().map(|role| role.name.clone()).collect();
    let mut all = vec![Power::OldSessionKey, Power::Untagged, Power::SelfTalk];
    all.extend(roles.iter().cloned().map(Power::StolenKeyLater));
    let owners = roles.iter().filter(|role| has_password(protocol, role));
    all.extend(owners.cloned().map(Power::WeakPassword));
    all.extend(roles.into_iter().map(Power::StolenKey));
    all
}

/// No power, each alone, each two that are of different kinds.
fn sets(all: &[Power]) -> Vec<Vec<Power>> {
    let mut sets = vec![Vec::new()];
    sets.extend(all.iter().map(|power| vec![power.clone()]));
    for (nth, first) in all.iter().enumerate() {
        sets.extend(all[nth + 1..].iter().map(|second| vec![first.clone(), second.clone()]));
    }
    sets
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a search may take is the user's time, not the world's"
)]
fn find(question: &Question, goal: &Goal, set: &[Power], asked: &Asked, pool: &KeyPool) -> Finding {
    let began = Instant::now();
    let is_over = || asked.seconds.is_some_and(|most| began.elapsed().as_secs_f64() > most);
    question.search(goal, asked.runs, set, &is_over, pool)
}

fn tell(goal: &Goal, set: &[Power], finding: &Finding, log: Log, out: &mut Out) -> io::Result<()> {
    let words: Vec<String> = set.iter().map(Power::text).collect();
    if log == Log::Json {
        let mut object = json!({ "goal": goal.text, "powers": words, "states": finding.states });
        match &finding.result {
            Found::Attack(attack) => {
                object["result"] = "attack".into();
                object["runs"] = attack.told.runs.into();
                object["lines"] = attack.told.hers.into();
                object["narration"] = attack.told.lines.clone().into();
                object["scenario"] = attack.scenario.clone().into();
            }
            Found::Nothing | Found::Unfinished(_) => object["result"] = "limit".into(),
        }
        return out.line(&object.to_string());
    }
    let words = if words.is_empty() { "without any power".to_owned() } else { words.join(" and ") };
    match &finding.result {
        Found::Attack(attack) => out.line(&format!(
            "    {words}: attack with {} and {} of hers",
            counted(attack.told.runs, "run"),
            counted(attack.told.hers, "line")
        )),
        Found::Nothing | Found::Unfinished(_) => out.line(&format!("    {words}: not finished")),
    }
}

/// Whether who has all of a set has this, too: a key that is stolen at once is stolen in the end.
fn includes(set: &[Power], power: &Power) -> bool {
    set.iter().any(|had| match (had, power) {
        (Power::StolenKey(role), Power::StolenKeyLater(other) | Power::WeakPassword(other)) => role == other,
        _ => had == power,
    })
}
