//! The matrix as text, JSON and Markdown. Must not know how it was played.

use clap::ValueEnum;
use mallory::reason::Reason;
use serde_json::{Value, json};

/// How the table is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people
    Text,
    /// For programs
    Json,
    /// For documents
    Markdown,
}

/// A client.
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it goes by to know who is revoked, in words.
    pub asks: &'static str,
    /// Its version, or why it is not here.
    pub version: Result<String, String>,
}

/// A fault.
pub struct Row {
    /// The scenario's name, with the variant's.
    pub name: String,
    /// What it is about.
    pub group: String,
    /// Whether a relying party that follows the standards refuses.
    pub is_refused: bool,
    /// For which reason.
    pub reason: Option<Reason>,
    /// What each client did.
    pub cells: Vec<Cell>,
}

/// What a client did.
#[derive(Clone, PartialEq, Eq)]
pub enum Cell {
    /// It finished the handshake and spoke.
    Accepted,
    /// It did not, and this is how it ended.
    Refused(String),
    /// It was not tried: it is not here, or the scenario has not what it is called with.
    Gap,
    /// It could not be tried.
    Failed(String),
    /// Somebody stopped it.
    Stopped,
}

/// What the matrix came to.
pub struct Table {
    /// The clients.
    pub columns: Vec<Column>,
    /// The faults.
    pub rows: Vec<Row>,
}

impl Cell {
    /// Whether that is as the standards have it; of a gap nobody knows.
    fn is_right(&self, is_refused: bool) -> Option<bool> {
        match self {
            Cell::Accepted => Some(!is_refused),
            Cell::Refused(_) => Some(is_refused),
            Cell::Gap | Cell::Failed(_) | Cell::Stopped => None,
        }
    }

    fn word(&self, is_refused: bool) -> &'static str {
        match (self, self.is_right(is_refused)) {
            (Cell::Accepted, Some(true)) => "accepts",
            (Cell::Accepted, _) => "ACCEPTS",
            (Cell::Refused(_), Some(true)) => "refuses",
            (Cell::Refused(_), _) => "REFUSES",
            (Cell::Gap, _) => "–",
            (Cell::Failed(_) | Cell::Stopped, _) => "?",
        }
    }
}

impl Row {
    fn wanted(&self) -> String {
        match (self.is_refused, self.reason) {
            (false, _) => "accept".to_owned(),
            (true, Some(reason)) => format!("refuse: {reason}"),
            (true, None) => "refuse".to_owned(),
        }
    }
}

impl Table {
    /// The table.
    pub fn shown(&self, form: Form) -> String {
        match form {
            Form::Text => self.text(),
            Form::Json => format!("{:#}\n", self.json()),
            Form::Markdown => self.markdown(),
        }
    }

    /// How many cells of a column are right, of how many that were tried.
    fn sums(&self, column: usize) -> (usize, usize) {
        let judged = self.rows.iter().filter_map(|row| row.cells[column].is_right(row.is_refused));
        let judged: Vec<bool> = judged.collect();
        (judged.iter().filter(|right| **right).count(), judged.len())
    }

    /// A block for each client, which any width has room for.
    fn text(&self) -> String {
        let mut text = String::new();
        let width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let wanted = self.rows.iter().map(|row| row.wanted().chars().count()).max().unwrap_or(0);
        for (nth, column) in self.columns.iter().enumerate() {
            match &column.version {
                Ok(version) => text.push_str(&format!("{}, {} ({version})\n", column.name, column.asks)),
                Err(why) => {
                    text.push_str(&format!("{}: not tried, {why}\n\n", column.name));
                    continue;
                }
            }
            for row in &self.rows {
                let cell = &row.cells[nth];
                let how = match cell {
                    Cell::Refused(how) | Cell::Failed(how) => how.as_str(),
                    Cell::Accepted | Cell::Gap | Cell::Stopped => "",
                };
                let line = format!(
                    "  {:<width$}  {:<wanted$}  {:<7}  {how}",
                    row.name,
                    row.wanted(),
                    cell.word(row.is_refused)
                );
                text.push_str(line.trim_end());
                text.push('\n');
            }
            let (right, all) = self.sums(nth);
            text.push_str(&format!("  {right} of {all} as the standards have it\n\n"));
        }
        text
    }

    fn json(&self) -> Value {
        let clients: Vec<Value> = self
            .columns
            .iter()
            .map(|column| match &column.version {
                Ok(version) => json!({ "client": column.name, "asks": column.asks, "version": version }),
                Err(why) => json!({ "client": column.name, "asks": column.asks, "gap": why }),
            })
            .collect();
        let rows = self.rows.iter().map(|row| {
            let cells = row.cells.iter().zip(&self.columns).map(|(cell, column)| {
                let (did, how) = match cell {
                    Cell::Accepted => ("accepted", None),
                    Cell::Refused(how) => ("refused", Some(how)),
                    Cell::Gap => ("gap", None),
                    Cell::Stopped => ("stopped", None),
                    Cell::Failed(how) => ("failed", Some(how)),
                };
                json!({ "client": column.name, "did": did, "how": how, "right": cell.is_right(row.is_refused) })
            });
            json!({
                "fault": row.name,
                "about": row.group,
                "standard": if row.is_refused { "refuse" } else { "accept" },
                "reason": row.reason.map(Reason::word),
                "cells": cells.collect::<Vec<_>>(),
            })
        });
        json!({ "clients": clients, "faults": rows.collect::<Vec<_>>() })
    }

    fn markdown(&self) -> String {
        let here: Vec<usize> =
            (0..self.columns.len()).filter(|nth| self.columns[*nth].version.is_ok()).collect();
        let mut text = String::from("| fault | standard |");
        here.iter().for_each(|nth| text.push_str(&format!(" {} |", self.columns[*nth].name)));
        text.push_str("\n|---|---|");
        here.iter().for_each(|_| text.push_str("---|"));
        text.push('\n');
        for row in &self.rows {
            text.push_str(&format!("| `{}` | {} |", row.name, row.wanted()));
            for nth in &here {
                let cell = &row.cells[*nth];
                let word = cell.word(row.is_refused);
                let word = if cell.is_right(row.is_refused) == Some(false) {
                    format!("**{}**", word.to_lowercase())
                } else {
                    word.to_owned()
                };
                text.push_str(&format!(" {word} |"));
            }
            text.push('\n');
        }
        text.push_str("| **as the standards have it** | |");
        for nth in &here {
            let (right, all) = self.sums(*nth);
            text.push_str(&format!(" {right} of {all} |"));
        }
        text.push_str("\n\n");
        for column in &self.columns {
            match &column.version {
                Ok(version) => {
                    text.push_str(&format!("- {}, which {}: {version}\n", column.name, column.asks))
                }
                Err(why) => text.push_str(&format!("- {}: not tried, {why}\n", column.name)),
            }
        }
        text
    }
}
