//! A list of pages.

use maud::{Markup, html};

use super::document;
use crate::legible::legible;
use crate::report::result::PlayResult;

/// A page of the list.
pub struct Entry {
    /// Its file.
    pub file: String,
    /// The scenario's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its group.
    pub group: String,
    /// What its plays came to.
    pub plays: Vec<PlayResult>,
}

/// The list, in order, with what each play came to.
pub fn index(entries: &[Entry]) -> String {
    let body = html! {
        header { h1 { "Stories" } p.by { "played by mallory " (env!("CARGO_PKG_VERSION")) } }
        main {
            div.scroll.table tabindex="0" role="region" aria-label="Stories" {
                table.index {
                    thead { tr { @for head in ["story", "what it is about", "group", "plays"] { th scope="col" { (head) } } } }
                    tbody { @for entry in entries { (row(entry)) } }
                }
            }
        }
    };
    document("Stories", &body, None)
}

fn row(entry: &Entry) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(entry.file) { (legible(&entry.name)) } }
            td { (legible(&entry.title)) }
            td { (legible(&entry.group)) }
            td { @for play in &entry.plays { (came_to(play)) } }
        }
    }
}

/// `weak: 2 violated, 1 holds`.
fn came_to(play: &PlayResult) -> Markup {
    let name = legible(play.play.name.rsplit('/').next().unwrap_or_default());
    let counted = ["violated", "holds", "untested"].into_iter().filter_map(|word| {
        let count = play.verdicts.iter().filter(|verdict| verdict.verdict == word).count();
        (count > 0).then_some((word, count))
    });
    html! {
        p { (name) ": "
            @if play.verdicts.is_empty() { "no goals" }
            @for (nth, (word, count)) in counted.enumerate() {
                @if nth > 0 { ", " }
                span class=(word) { (count) " " (word) }
            }
            @if !play.unmet.is_empty() { strong.unmet { ", not as expected" } }
        }
    }
}
