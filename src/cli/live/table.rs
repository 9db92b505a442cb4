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

/// What a client did, and whether that can be held against the standards.
#[derive(Clone, PartialEq, Eq)]
pub struct Cell {
    /// What it did.
    pub did: Did,
    /// Whether it goes by what the scenario is about.
    pub is_judged: bool,
}

/// What a client did.
#[derive(Clone, PartialEq, Eq)]
pub enum Did {
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
        let is_right = match self.did {
            Did::Accepted => !is_refused,
            Did::Refused(_) => is_refused,
            Did::Gap | Did::Failed(_) | Did::Stopped => return None,
        };
        self.is_judged.then_some(is_right)
    }

    fn word(&self) -> &'static str {
        match self.did {
            Did::Accepted => "accepts",
            Did::Refused(_) => "refuses",
            Did::Gap => "–",
            Did::Failed(_) | Did::Stopped => "?",
        }
    }

    /// How it ended, if that says more.
    fn how(&self) -> &str {
        match &self.did {
            Did::Refused(how) | Did::Failed(how) => how,
            Did::Accepted | Did::Gap | Did::Stopped => "",
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
                let mark = match cell.is_right(row.is_refused) {
                    Some(true) => "",
                    Some(false) => "WRONG",
                    None => "not judged",
                };
                let line = format!(
                    "  {:<width$}  {:<wanted$}  {:<7}  {mark:<10}  {}",
                    row.name,
                    row.wanted(),
                    cell.word(),
                    cell.how()
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
                let did = match cell.did {
                    Did::Accepted => "accepted",
                    Did::Refused(_) => "refused",
                    Did::Gap => "gap",
                    Did::Failed(_) | Did::Stopped => "failed",
                };
                let how = Some(cell.how()).filter(|how| !how.is_empty());
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

    /// A table for each scenario, of the clients that it judges; those that do the same share a
    /// column.
    fn markdown(&self) -> String {
        let mut text = String::new();
        let mut titles: Vec<&str> = self.rows.iter().map(|row| row.group.as_str()).collect();
        titles.dedup();
        for title in titles {
            let rows: Vec<&Row> = self.rows.iter().filter(|row| row.group == title).collect();
            text.push_str(&format!("### {title}\n\n| fault | standard |"));
            let columns = self.merged(&rows);
            for columns in &columns {
                let names: Vec<&str> = columns.iter().map(|nth| self.columns[*nth].name.as_str()).collect();
                text.push_str(&format!(" {} |", names.join("<br>")));
            }
            text.push_str("\n|---|---|");
            columns.iter().for_each(|_| text.push_str("---|"));
            text.push('\n');
            for row in &rows {
                text.push_str(&format!("| `{}` | {} |", row.name, row.wanted()));
                for columns in &columns {
                    let cell = &row.cells[columns[0]];
                    match cell.is_right(row.is_refused) {
                        Some(false) => text.push_str(&format!(" **{}** |", cell.word())),
                        Some(true) => text.push_str(&format!(" {} |", cell.word())),
                        None => text.push_str(&format!(" ({}) |", cell.word())),
                    }
                }
                text.push('\n');
            }
            text.push('\n');
        }
        text.push_str(
            "### Clients\n\n| client | goes by | version | as the standards have it |\n|---|---|---|---|\n",
        );
        for (nth, column) in self.columns.iter().enumerate() {
            let (right, all) = self.sums(nth);
            let (version, sum) = match &column.version {
                Ok(version) => (version.clone(), format!("{right} of {all}")),
                Err(why) => (format!("not tried: {why}"), "–".to_owned()),
            };
            text.push_str(&format!("| {} | {} | {version} | {sum} |\n", column.name, column.asks));
        }
        text
    }

    /// The columns that are here and in which some of these rows are judged, those together that
    /// have the same cells.
    fn merged(&self, rows: &[&Row]) -> Vec<Vec<usize>> {
        let mut merged: Vec<Vec<usize>> = Vec::new();
        let is_here = |nth: &usize| {
            self.columns[*nth].version.is_ok()
                && rows.iter().any(|row| row.cells[*nth].is_right(row.is_refused).is_some())
        };
        for nth in (0..self.columns.len()).filter(is_here) {
            let same = |other: usize| {
                rows.iter().all(|row| {
                    let (one, other) = (&row.cells[nth], &row.cells[other]);
                    one.word() == other.word() && one.is_judged == other.is_judged
                })
            };
            match merged.iter_mut().find(|columns| same(columns[0])) {
                Some(columns) => columns.push(nth),
                None => merged.push(vec![nth]),
            }
        }
        merged
    }
}
