//! Plays as one page that needs nothing else: a chart to step through, what everybody knows at
//! each step, verdicts with their reasons, variants side by side. Opened as a file, it asks no
//! network for anything, and its policy (Content Security Policy Level 3) lets no script and no
//! style in it act but its own.

mod chapter;
mod compare;
mod decided;
mod exposure;
mod index;
mod ink;
mod receptions;
mod stage;
mod verdicts;

use base64ct::{Base64, Encoding as _};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::json;

use super::filter::Filter;
use super::svg;
use crate::crypto::sha256;
use crate::legible::legible;
use crate::limits::MAX_PAGE_EVENTS;
use crate::scenario::{PlayReport, Scenario};
use chapter::Chapter;
use ink::Ink;

pub use index::{Entry, index};

const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// A scenario and the plays of its variants.
pub struct Story {
    /// The scenario.
    pub scenario: Scenario,
    /// Its plays, in the order of the variants.
    pub plays: Vec<PlayReport>,
}

/// A page of stories, of those events that are wanted. A chart has a row for each that is told at
/// this level.
pub fn page(stories: &[Story], filter: &Filter, level: tracing::Level) -> String {
    let plays: usize = stories.iter().map(|story| story.plays.len()).sum();
    let most = MAX_PAGE_EVENTS / plays.max(1);
    let mut number = 0;
    let chapters: Vec<Vec<Chapter<'_>>> = stories
        .iter()
        .map(|story| {
            let of = story.plays.iter().map(|play| {
                number += 1;
                Chapter::of(play, number, filter, level, most)
            });
            of.collect()
        })
        .collect();
    let ink = Ink::of(chapters.iter().flatten());
    let data = json!({
        "digits": ink.digits(),
        "plays": chapters.iter().flatten().map(|chapter| &chapter.data).collect::<Vec<_>>(),
    });
    let titles: Vec<&str> = stories.iter().map(|story| &*story.scenario.name).collect();
    let title = match titles.as_slice() {
        [one] => legible(one).into_owned(),
        several => format!("{} stories", several.len()),
    };
    let body = html! {
        header {
            h1 { (title) }
            p.by { "played by mallory " (env!("CARGO_PKG_VERSION")) ", in virtual time, with real cryptography" }
        }
        main {
            @for (story, chapters) in stories.iter().zip(&chapters) {
                (told(story, chapters, &ink, stories.len() > 1))
            }
        }
        script #data type="application/json" { (PreEscaped(embedded(&data.to_string()))) }
        script { (PreEscaped(SCRIPT)) }
    };
    document(&title, &body, Some(SCRIPT))
}

/// A story: what it is about, what differs between its plays, each of them, and all side by side.
fn told(story: &Story, chapters: &[Chapter<'_>], ink: &Ink, has_siblings: bool) -> Markup {
    let scenario = &story.scenario;
    let paragraphs = scenario.about.split("\n\n").map(str::trim).filter(|text| !text.is_empty());
    html! {
        section.story {
            @if has_siblings { h2.name { (legible(&scenario.name)) } }
            @if !scenario.title.is_empty() { p.title { (legible(&scenario.title)) } }
            @for paragraph in paragraphs {
                p.about { (legible(&paragraph.split_whitespace().collect::<Vec<_>>().join(" "))) }
            }
            @if !scenario.reference.is_empty() { p.from { "From: " (legible(&scenario.reference)) } }
            (compare::came_to(chapters, ink))
            @for chapter in chapters { (stage::play(chapter, ink)) }
            (compare::side_by_side(chapters, ink))
        }
    }
}

/// A page, under a policy that lets nothing act but its own style and this script.
fn document(title: &str, body: &Markup, script: Option<&str>) -> String {
    let style = format!("{}{STYLE}", svg::STYLE);
    let hash = |text: &str| format!("'sha256-{}'", Base64::encode_string(&sha256(&[text.as_bytes()])));
    let scripts = script.map_or_else(|| "'none'".to_owned(), hash);
    let policy = format!(
        "default-src 'none'; script-src {scripts}; style-src {}; base-uri 'none'; form-action 'none'",
        hash(&style)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · mallory" }
                style { (PreEscaped(&style)) }
            }
            body { (body) }
        }
    };
    page.into_string() + "\n"
}

/// JSON that ends no element and begins none, and that older scripts read, too: what HTML and
/// ECMAScript (before 2019) have a use for is written as an escape.
fn embedded(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
        out
    })
}
