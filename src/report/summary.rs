//! Variants side by side: what differs between them is the lesson.

use crate::legible::legible;
use crate::scenario::PlayReport;

/// A table of goals and of parts in runs, a column for each play.
pub fn summary(plays: &[PlayReport]) -> String {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    let mut add = |row: String, column: usize, cell: String| {
        let at = rows.iter().position(|(r, _)| *r == row).unwrap_or_else(|| {
            rows.push((row, vec!["–".to_owned(); plays.len()]));
            rows.len() - 1
        });
        let slot = &mut rows[at].1[column];
        *slot = if slot == "–" { cell } else { format!("{slot}, {cell}") };
    };
    for (column, play) in plays.iter().enumerate() {
        for goal in play.goals() {
            add(play.goal_text(goal), column, goal.word().to_string());
        }
    }
    for (column, play) in plays.iter().enumerate() {
        for session in play.sessions() {
            add(format!("{}.{}", session.id.run, session.id.party), column, super::log::words(session));
        }
    }
    for (column, play) in plays.iter().enumerate() {
        for request in &play.variant().setup.requests {
            let cell = match play.request(request.number) {
                None => "unanswered".to_owned(),
                Some(None) => "granted".to_owned(),
                Some(Some(reason)) => format!("refused: {reason}"),
            };
            add(format!("request {}", request.number), column, cell);
        }
    }
    let heads: Vec<&str> = plays.iter().map(|p| p.name.rsplit('/').next().unwrap_or(&p.name)).collect();
    let first = rows.iter().map(|(r, _)| r.chars().count()).max().unwrap_or(0);
    let wide = |column: usize| {
        let cells = rows.iter().map(|(_, cells)| cells[column].chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..plays.len()).map(wide).collect();
    let line = |row: &str, cells: &[&str]| {
        let cells: Vec<String> = cells.iter().zip(&widths).map(|(c, w)| format!("{c:<w$}")).collect();
        legible(format!("  {row:<first$}   {}", cells.join("   ")).trim_end()).into_owned() + "\n"
    };
    let mut text = line("", &heads);
    for (row, cells) in &rows {
        text.push_str(&line(row, &cells.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    text
}
