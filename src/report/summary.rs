//! Variants side by side: what differs between them is the lesson.

use std::collections::{BTreeMap, BTreeSet};

use super::result::{ExposureResult, PlayResult};
use crate::legible::legible;
use crate::time::Span;

/// So many rows are shown.
const MOST_ROWS: usize = 40;
/// So many rows that are alike are named.
const MOST_ALIKE: usize = 8;
/// What stands where a play has no such thing.
const NOTHING: &str = "–";

/// One row: what it is about, a cell for each play, and when the first of them came about.
pub(super) struct Row {
    pub about: String,
    cells: Vec<Vec<String>>,
    pub since: Option<u64>,
}

impl Row {
    pub fn texts(&self) -> Vec<String> {
        self.cells.iter().map(|cell| told(cell)).collect()
    }

    pub fn differs(&self) -> bool {
        self.cells.iter().any(|cell| *cell != self.cells[0])
    }
}

/// The same several times over is told once, with its number.
fn told(cell: &[String]) -> String {
    let mut counted: Vec<(&String, usize)> = Vec::new();
    for text in cell {
        match counted.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => counted.push((text, 1)),
        }
    }
    let words: Vec<String> = counted
        .into_iter()
        .map(|(text, count)| if count > 1 { format!("{text} ×{count}") } else { text.clone() })
        .collect();
    if words.is_empty() { NOTHING.to_owned() } else { words.join(", ") }
}

/// A table of what differs between plays, a column for each: goals, what the attacker learnt,
/// exposures, parts in runs, requests. The row with the earliest difference is marked; rows that
/// are alike are named below.
pub fn summary(plays: &[PlayResult]) -> String {
    let rows = rows(plays);
    let (differ, alike): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.differs());
    let first = differ.iter().filter_map(|row| row.since).min();
    let mut text = table(plays, &differ[..differ.len().min(MOST_ROWS)], first);
    if differ.len() > MOST_ROWS {
        text.push_str(&format!("  … and {} more rows differ\n", differ.len() - MOST_ROWS));
    }
    if first.is_some() {
        text.push_str("  › is where they first part\n");
    }
    if !alike.is_empty() {
        let named: Vec<&str> = alike.iter().take(MOST_ALIKE).map(|row| row.about.as_str()).collect();
        let more = alike.len().saturating_sub(MOST_ALIKE);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.push_str(&format!("  alike in all: {}{more}\n", named.join(", ")));
    }
    text
}

fn table(plays: &[PlayResult], rows: &[&Row], first: Option<u64>) -> String {
    let heads: Vec<&str> = plays.iter().map(|p| p.play.name.rsplit('/').next().unwrap_or_default()).collect();
    let cells: Vec<Vec<String>> = rows.iter().map(|row| row.texts()).collect();
    let about = rows.iter().map(|row| row.about.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..plays.len())
        .map(|column| {
            let cells = cells.iter().map(|cells| cells[column].chars().count());
            cells.chain([heads[column].chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let line = |mark: &str, row: &str, cells: &[&str]| {
        let cells: Vec<String> = cells.iter().zip(&widths).map(|(c, w)| format!("{c:<w$}")).collect();
        legible(format!("{mark} {row:<about$}   {}", cells.join("   ")).trim_end()).into_owned() + "\n"
    };
    let mut text = line(" ", "", &heads);
    let marked = rows.iter().position(|row| first.is_some() && row.since == first);
    for (at, (row, cells)) in rows.iter().zip(&cells).enumerate() {
        let mark = if marked == Some(at) { "›" } else { " " };
        text.push_str(&line(mark, &row.about, &cells.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    text
}

pub(super) fn rows(plays: &[PlayResult]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut add = |about: String, column: usize, cell: String, at: Option<u64>| {
        let place = *places.entry(about.clone()).or_insert_with(|| {
            rows.push(Row { about, cells: vec![Vec::new(); plays.len()], since: None });
            rows.len() - 1
        });
        let row = &mut rows[place];
        row.cells[column].push(cell);
        row.since = [row.since, at].into_iter().flatten().min();
    };
    let shared = shared_goals(plays);
    for (column, play) in plays.iter().enumerate() {
        for verdict in &play.verdicts {
            let about = match shared.contains(verdict.goal.as_str()) {
                true => format!("{}: {}", verdict.protocol, verdict.goal),
                false => verdict.goal.clone(),
            };
            add(about, column, verdict.verdict.clone(), None);
        }
    }
    for (column, play) in plays.iter().enumerate() {
        let Some(her) = &play.play.attacker else { continue };
        let about = format!("{her} learns");
        let learned =
            play.learned.iter().filter(|learned| learned.kind == "data" || learned.request.is_some());
        let mut names: Vec<String> = Vec::new();
        for learned in learned {
            let name = match learned.run {
                Some(run) => format!("{run}.{}", learned.term),
                None => learned.term.clone(),
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.sort();
        if names.is_empty() {
            names.push("nothing".to_owned());
        }
        names.into_iter().for_each(|name| add(about.clone(), column, name, None));
    }
    for (column, play) in plays.iter().enumerate() {
        for exposure in &play.exposures {
            add(format!("exposure {}", exposure.stolen), column, length(exposure), None);
        }
    }
    let at = |nanos: &str| nanos.parse().ok();
    for (column, play) in plays.iter().enumerate() {
        for session in &play.sessions {
            let about = format!("{}.{}", session.run, session.party);
            add(about, column, session.outcome.to_string(), at(&session.at_ns));
        }
    }
    for (column, play) in plays.iter().enumerate() {
        for request in &play.requests {
            let cell = match request.reason {
                Some(reason) => format!("{}: {reason}", request.answer),
                None => request.answer.clone(),
            };
            add(format!("request {}", request.request), column, cell, request.at_ns.as_deref().and_then(at));
        }
    }
    rows
}

/// Goals that several protocols of one play have in the same words.
fn shared_goals(plays: &[PlayResult]) -> BTreeSet<&str> {
    let of = |play| {
        let PlayResult { verdicts, .. }: &PlayResult = play;
        verdicts.iter().enumerate().filter(|(at, verdict)| {
            verdicts[..*at].iter().any(|v| v.goal == verdict.goal && v.protocol != verdict.protocol)
        })
    };
    plays.iter().flat_map(of).map(|(_, verdict)| verdict.goal.as_str()).collect()
}

/// How long it was of use, as far as the play shows.
fn length(of: &ExposureResult) -> String {
    let length = of.length_ns.parse().map_or(Span(0), Span);
    match (of.accepted, of.has_ended) {
        (0, true) => "none".to_owned(),
        (0, false) => "never tried".to_owned(),
        (_, true) => length.to_string(),
        (_, false) => format!("{length}, still accepted"),
    }
}
