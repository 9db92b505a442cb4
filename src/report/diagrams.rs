//! A sequence chart as text that other tools draw: Mermaid, PlantUML.

use std::fmt::Write as _;

use super::sequence::{Act, Lives, Row, Sequence};

/// As Mermaid (https://mermaid.js.org/syntax/sequenceDiagram.html). Whatever Mermaid or HTML
/// might take for its own is written as an entity.
pub fn mermaid(sequence: &Sequence, title: &str) -> String {
    let mut text = format!("sequenceDiagram\n  accTitle: {}\n", entities(title));
    for (nth, life) in sequence.lifelines.iter().enumerate() {
        let word = if life.kind == Lives::Client { "participant" } else { "actor" };
        let word = if life.kind == Lives::Attacker { word } else { "participant" };
        let _ = writeln!(text, "  {word} P{nth} as {}", entities(&life.name));
    }
    for row in &sequence.rows {
        match &row.act {
            Act::Arrow { from, to, is_lost, text: said, fates } => {
                let arrow = if *is_lost { "-x" } else { "->>" };
                let said = format!("{} {said}", row.place);
                let _ = writeln!(text, "  P{from}{arrow}P{to}: {}", entities(said.trim()));
                for fate in fates {
                    let _ = writeln!(text, "  Note over P{to}: {}", entities(fate));
                }
            }
            Act::Note { by, .. } => {
                let _ = writeln!(text, "  Note over P{by}: {}", entities(&noted(row)));
            }
        }
    }
    text
}

/// As PlantUML (https://plantuml.com/sequence-diagram). Whatever PlantUML might take for markup
/// is written as a code point.
pub fn plantuml(sequence: &Sequence, title: &str) -> String {
    let mut text = format!("@startuml\ntitle {}\n", code_points(title));
    for (nth, life) in sequence.lifelines.iter().enumerate() {
        let word = match life.kind {
            Lives::Client => "participant",
            Lives::Attacker => "actor",
            Lives::Service => "database",
        };
        let _ = writeln!(text, "{word} \"{}\" as P{nth}", code_points(&life.name));
    }
    for row in &sequence.rows {
        match &row.act {
            Act::Arrow { from, to, is_lost, text: said, fates } => {
                let arrow = if *is_lost { "->x" } else { "->" };
                let said = format!("{} {said}", row.place);
                let _ = writeln!(text, "P{from} {arrow} P{to} : {}", code_points(said.trim()));
                for fate in fates {
                    let _ = writeln!(text, "note over P{to} : {}", code_points(fate));
                }
            }
            Act::Note { by, .. } => {
                let _ = writeln!(text, "note over P{by} : {}", code_points(&noted(row)));
            }
        }
    }
    text + "@enduml\n"
}

/// A note in one line.
fn noted(row: &Row) -> String {
    let said: Vec<&str> = row.act.said().collect();
    format!("{}{}", row.mark(), said.join(": "))
}

/// Whether no drawing language takes it for its own.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || " .,()^=+/_'§✓✗◆…".contains(c)
}

fn entities(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if is_plain(c) {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
        out
    })
}

fn code_points(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if is_plain(c) && !"_^/".contains(c) {
            out.push(c);
        } else {
            let _ = write!(out, "<U+{:04X}>", u32::from(c));
        }
        out
    })
}
