//! Plays of one scenario side by side: what they came to, and what happened, aligned.

use maud::{Markup, html};

use super::chapter::Chapter;
use super::ink::Ink;
use crate::journal::prints::places;
use crate::legible::legible;
use crate::limits::MAX_ALIGNED_ROWS;
use crate::report::result::PlayResult;
use crate::report::sequence::{Act, Row};
use crate::report::summary::rows;

/// A variant's name, or the play's.
fn name(chapter: &Chapter<'_>) -> String {
    let name = &chapter.play.name;
    legible(name.rsplit('/').next().unwrap_or(name)).into_owned()
}

/// What the plays came to: goals, what she learned, exposures, parts, requests.
pub fn came_to(chapters: &[Chapter<'_>], ink: &Ink) -> Markup {
    let results: Vec<PlayResult> = chapters.iter().map(|chapter| chapter.result.clone()).collect();
    let rows = rows(&results);
    let left_out = rows.len().saturating_sub(MAX_ALIGNED_ROWS);
    let (differ, alike): (Vec<_>, Vec<_>) = rows.iter().take(MAX_ALIGNED_ROWS).partition(|row| row.differs());
    let first = differ.iter().filter_map(|row| row.since).min();
    let first = differ.iter().position(|row| first.is_some() && row.since == first);
    html! {
        div.scroll.table tabindex="0" role="region" aria-label="What the plays came to" {
            table.summary {
                caption { "What it came to" }
                thead { tr {
                    td {}
                    @for chapter in chapters { th scope="col" { a href=(format!("#{}", chapter.id)) { (name(chapter)) } } }
                } }
                tbody {
                    @for (nth, row) in differ.iter().chain(&alike).enumerate() {
                        tr class=[(first == Some(nth)).then_some("parts")] {
                            th scope="row" { (ink.text(&row.about)) }
                            @for cell in row.texts() { td class=[class(&cell)] { (ink.text(&cell)) } }
                        }
                    }
                }
            }
        }
        @if left_out > 0 { p.left-out { "… and " (left_out) " more rows" } }
    }
}

fn class(cell: &str) -> Option<&'static str> {
    match cell.split([' ', ':']).next() {
        Some("violated") => Some("violated"),
        Some("holds") => Some("holds"),
        _ => None,
    }
}

/// What happened in each, a column for each; rows that are the same line of the same run stand
/// side by side, and the first at which the plays differ is marked.
pub fn side_by_side(chapters: &[Chapter<'_>], ink: &Ink) -> Markup {
    if chapters.len() < 2 {
        return html! {};
    }
    let columns: Vec<Vec<Cell>> = chapters.iter().map(cells).collect();
    let aligned = align(&columns);
    let first = aligned.iter().position(|row| differs(row, &columns));
    let left_out: usize =
        chapters.iter().zip(&columns).map(|(c, cells)| c.sequence.rows.len() - cells.len()).sum();
    html! {
        section.compare aria-label="Side by side" {
            h2 { "Side by side" }
            @match first {
                Some(_) => p { "Where the plays first differ is marked; fingerprints do not count." },
                None => p { "The plays do not differ but for fingerprints." },
            }
            div.scroll.table tabindex="0" role="region" aria-label="The plays side by side" {
                table.aligned {
                    thead { tr { @for chapter in chapters { th scope="col" { (name(chapter)) } } } }
                    tbody {
                        @for (nth, row) in aligned.iter().enumerate() {
                            tr class=[(first == Some(nth)).then_some("parts")] {
                                @for ((column, place), chapter) in columns.iter().zip(row).zip(chapters) {
                                    td data-variant=(name(chapter)) {
                                        @if let Some(at) = place {
                                            @let cell = &column[*at];
                                            a.step href=(format!("#{}-s{}", chapter.id, at + 1)) { (cell.at) }
                                            " " span class=(cell.class) { (ink.text(&cell.text)) }
                                        } @else { span.none { "–" } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if left_out > 0 { p.left-out { "… " (left_out) " rows are not set side by side" } }
        }
    }
}

struct Cell {
    /// What makes two rows the same step of a story.
    key: String,
    at: String,
    text: String,
    class: &'static str,
}

fn cells(chapter: &Chapter<'_>) -> Vec<Cell> {
    let sequence = &chapter.sequence;
    let name = |at: usize| sequence.lifelines[at].name.as_str();
    let cell = |row: &Row| {
        let (key, text) = match &row.act {
            Act::Arrow { from, to, is_lost, text, fates } => {
                let head = format!("{} {} → {}", row.place, name(*from), name(*to));
                let lost = if *is_lost { ", lost on the way" } else { "" };
                let fates: String = fates.iter().map(|fate| format!("; {fate}")).collect();
                (head.clone(), format!("{head}: {text}{lost}{fates}"))
            }
            Act::Note { by, text, .. } => {
                let text = format!("{}{} {text}", row.mark(), name(*by));
                (format!("{} {}", name(*by), bare(&text)), text)
            }
        };
        Cell { key, at: row.at.clone(), text, class: crate::report::svg::class(row.tone) }
    };
    sequence.rows.iter().take(MAX_ALIGNED_ROWS).map(cell).collect()
}

/// A text without its fingerprints.
fn bare(text: &str) -> String {
    let mut out = String::new();
    let mut from = 0;
    for at in places(text) {
        out.push_str(&text[from..at]);
        from = at + 17;
    }
    out + &text[from..]
}

fn differs(row: &[Option<usize>], columns: &[Vec<Cell>]) -> bool {
    let texts: Vec<Option<String>> =
        row.iter().zip(columns).map(|(at, column)| at.map(|at| bare(&column[at].text))).collect();
    texts.iter().any(|text| text.is_none() || *text != texts[0])
}

/// Rows of places in the columns, one column after another fitted in where most of its keys meet.
fn align(columns: &[Vec<Cell>]) -> Vec<Vec<Option<usize>>> {
    let mut rows: Vec<(String, Vec<Option<usize>>)> = Vec::new();
    for (nth, column) in columns.iter().enumerate() {
        let old: Vec<&str> = rows.iter().map(|(key, _)| key.as_str()).collect();
        let new: Vec<&str> = column.iter().map(|cell| cell.key.as_str()).collect();
        let common = common(&old, &new);
        let mut merged = Vec::with_capacity(rows.len() + column.len());
        let (mut at, mut rows_left) = (0, rows.into_iter().enumerate().peekable());
        let alone =
            |at: usize| (column[at].key.clone(), (0..=nth).map(|c| (c == nth).then_some(at)).collect());
        for (row, place) in common.into_iter().chain([(usize::MAX, column.len())]) {
            while let Some((_, (key, mut places))) = rows_left.next_if(|(r, _)| *r < row) {
                places.push(None);
                merged.push((key, places));
            }
            merged.extend((at..place).map(alone));
            if let Some((_, (key, mut places))) = rows_left.next() {
                places.push(Some(place));
                merged.push((key, places));
            }
            at = place + 1;
        }
        rows = merged;
        rows.truncate(MAX_ALIGNED_ROWS * 2);
    }
    rows.into_iter().map(|(_, places)| places).collect()
}

/// A longest common subsequence, as pairs of places.
fn common(a: &[&str], b: &[&str]) -> Vec<(usize, usize)> {
    let mut longest = vec![vec![0u16; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i][j] = match a[i] == b[j] {
                true => longest[i + 1][j + 1] + 1,
                false => longest[i + 1][j].max(longest[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}
