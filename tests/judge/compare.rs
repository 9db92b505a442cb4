//! One scenario, seen by the product through its public doors and by the judge.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mallory::scenario::{KeyPool, PlayReport};
use mallory::verdict::Outcome as Ended;

use super::file::Scenario;
use super::goals::{self, Verdict};
use super::load;
use super::term::{Term, Value};
use super::world::{Outcome, play};

/// What came of a scenario: whether it loads, and then line by line what can be compared.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    pub refused: Option<String>,
    pub says: BTreeMap<String, String>,
}

impl View {
    fn refused(why: impl Into<String>) -> View {
        View { refused: Some(why.into()), says: BTreeMap::new() }
    }

    /// How many parts and goals came out so.
    pub fn count(&self, kind: &str, word: &str) -> usize {
        self.says.iter().filter(|(k, v)| k.starts_with(kind) && v.contains(word)).count()
    }
}

/// What the judge says; an error is a case outside of what it can read.
pub fn judged(text: &str) -> Result<View, String> {
    let scenario = Scenario::read(text)?;
    scenario.protocol.speaks_of_what_it_says()?;
    if let Err(why) = load::check(&scenario) {
        return Ok(View::refused(why));
    }
    let play = play(&scenario);
    if play.is_moot {
        return Err("moot".to_owned());
    }
    let mut says: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in &play.parts {
        let outcome = match &part.outcome {
            Outcome::Completes => "completes".to_owned(),
            Outcome::Rejects { line, reason, or } => {
                let mut all = vec![*reason];
                all.extend(or);
                all.dedup();
                format!("rejects line {line}: {}", all.join(" or "))
            }
            Outcome::Waits { line } => format!("waits for line {line}"),
        };
        says.entry(format!("part {}.{} as {}", part.run, part.party, part.role)).or_default().push(outcome);
    }
    for (goal, verdict) in goals::judge(&play) {
        says.entry(format!("goal {goal}")).or_default().push(word(verdict).to_owned());
    }
    if let Some(holdings) = &play.holdings {
        let protocol = &scenario.protocol;
        let lets = protocol.lets.iter().map(|(name, term)| (name, term.clone()));
        for (name, term) in protocol.sorts.keys().map(|n| (n, Term::name(n))).chain(lets) {
            for part in &play.parts {
                if let Some((_, value)) = part.had.get(&term).filter(|(_, v)| !matches!(v, Value::Time(_))) {
                    let learns = if holdings.can(value) { "learned" } else { "not learned" };
                    let all = says.entry(format!("value {}.{}.{name}", part.run, part.party)).or_default();
                    all.push(learns.to_owned());
                }
            }
        }
    }
    Ok(View { refused: None, says: joined(says) })
}

/// Several parts of one party, in an order that does not matter.
fn joined(says: BTreeMap<String, Vec<String>>) -> BTreeMap<String, String> {
    let join = |(key, mut all): (String, Vec<String>)| {
        all.sort();
        if key.starts_with("value") {
            all.dedup();
            all.truncate(1); // "learned" sorts first: one of them is enough
        }
        (key, all.join(" and "))
    };
    says.into_iter().map(join).collect()
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Violated => "violated",
        Verdict::Holds => "holds",
        Verdict::Untested => "untested",
    }
}

/// What the product says of the same: of the values that the judge speaks of.
pub fn produced(text: &str, of: &View, pool: &KeyPool) -> View {
    let doing = catch_unwind(AssertUnwindSafe(|| {
        let scenario = match mallory::Scenario::from_text("case", text) {
            Ok(scenario) => scenario,
            Err(problems) => return View::refused(problems.to_string()),
        };
        match scenario.play(&scenario.variants[0], true, pool) {
            Ok(report) => view(&report, of),
            Err(halt) => View::refused(format!("halt: {halt}")),
        }
    }));
    doing.unwrap_or_else(|_| View::refused("panic"))
}

fn view(report: &PlayReport, of: &View) -> View {
    let mut says: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for session in report.sessions() {
        let outcome = match &session.outcome {
            Ended::Completed => "completes".to_owned(),
            Ended::Refused { refusal, .. } => format!("rejects line {}: {}", refusal.line, refusal.reason),
            Ended::Waits { line, .. } => format!("waits for line {line}"),
        };
        let id = &session.id;
        says.entry(format!("part {}.{} as {}", id.run, id.party, id.role)).or_default().push(outcome);
    }
    for goal in report.goals() {
        let word = goal.word().text().to_owned();
        says.entry(format!("goal {}", goal.goal)).or_default().push(word);
    }
    for value in of.says.keys().filter_map(|k| k.strip_prefix("value ")) {
        let word = if report.attacker().learned(value) { "learned" } else { "not learned" };
        says.entry(format!("value {value}")).or_default().push(word.to_owned());
    }
    View { refused: None, says: joined(says) }
}

/// Where two views differ, a line each.
pub fn differences(product: &View, judge: &View) -> Vec<String> {
    match (&product.refused, &judge.refused) {
        (Some(_), Some(_)) => return Vec::new(),
        (Some(why), None) => return vec![format!("the product refuses the file: {why}")],
        (None, Some(why)) => return vec![format!("the judge refuses the file: {why}")],
        (None, None) => {}
    }
    let keys = product.says.keys().chain(judge.says.keys().filter(|k| !product.says.contains_key(*k)));
    let mut all = Vec::new();
    for key in keys {
        let left = product.says.get(key).map_or("never starts", String::as_str);
        let right = judge.says.get(key).map_or("never starts", String::as_str);
        if !fits(left, right) {
            all.push(format!("{key}: the product says `{left}`, the judge `{right}`"));
        }
    }
    all
}

/// Of several faults of one line either may be told.
fn fits(product: &str, judge: &str) -> bool {
    let (mine, theirs): (Vec<&str>, Vec<&str>) =
        (judge.split(" and ").collect(), product.split(" and ").collect());
    let is_one = |judge: &str, product: &str| match judge.split_once(": ") {
        Some((line, reasons)) => reasons.split(" or ").any(|reason| format!("{line}: {reason}") == product),
        None => judge == product,
    };
    mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(judge, product)| is_one(judge, product))
}
