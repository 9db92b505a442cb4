//! A sequence chart as SVG: for a page, a slide, a pull request. No script, no font, no address
//! of its own; whatever others wrote is text.

use maud::{Markup, html};
use unicode_width::UnicodeWidthStr;

use super::sequence::{Act, Lives, Row, Sequence};
use super::telling::Tone;

/// Widths and heights are in pixels: of a character of the fixed font, of a line of text, of the
/// column of times, between lifelines, around everything.
const CHARACTER: usize = 7;
const LINE: usize = 17;
const MARGIN: usize = 12;
const LEAST_GAP: usize = 190;
const ARROW: usize = 12;
/// Characters of a text in one line.
const TEXT: usize = 64;

/// Colours by class, light and dark: a page that has its own sets the variables.
pub const STYLE: &str = "\
.mallory-chart{--ink:#1d2330;--dim:#68707f;--her:#9b1c8f;--good:#17733a;--bad:#b3261e;--paper:#fff;\
font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--paper)}\
@media(prefers-color-scheme:dark){.mallory-chart{--ink:#e4e7ee;--dim:#98a1b2;--her:#f08ae5;\
--good:#6fd694;--bad:#ff8a80;--paper:#14171e}}\
.mallory-chart text{fill:var(--ink)}.mallory-chart line,.mallory-chart path{stroke:var(--ink);fill:none}\
.mallory-chart .life{stroke:var(--dim);stroke-dasharray:2 4}\
.mallory-chart .name{font-weight:bold;text-anchor:middle}\
.mallory-chart .dim text,.mallory-chart .when{fill:var(--dim)}\
.mallory-chart .attacker text,.mallory-chart .name.attacker{fill:var(--her)}\
.mallory-chart .attacker line,.mallory-chart .attacker path{stroke:var(--her)}\
.mallory-chart .good text{fill:var(--good)}.mallory-chart .bad text{fill:var(--bad);font-weight:bold}";

/// Where lifelines and rows stand.
pub struct Plan {
    /// The picture's width and height.
    pub width: usize,
    /// See `width`.
    pub height: usize,
    /// Where names stand, and where rows begin.
    pub head: usize,
    /// The place of each lifeline.
    columns: Vec<usize>,
    /// The top of each row.
    tops: Vec<usize>,
}

/// Which `#…` in a text is the fingerprint of a value, so that a page can light all that are alike.
pub trait Lit {
    /// The text, in pieces: each with the digits of the fingerprint that it is, if it is one.
    fn pieces<'a>(&self, text: &'a str) -> Vec<(Option<&'a str>, &'a str)>;
}

/// None: a picture that does nothing.
struct Unlit;

impl Lit for Unlit {
    fn pieces<'a>(&self, text: &'a str) -> Vec<(Option<&'a str>, &'a str)> {
        vec![(None, text)]
    }
}

impl Plan {
    /// For this chart.
    pub fn of(sequence: &Sequence) -> Plan {
        let times = sequence.rows.iter().map(|row| row.at.width() + row.place.width() + 2).max();
        let margin = MARGIN + times.unwrap_or(0) * CHARACTER;
        let names = sequence.lifelines.iter().map(|life| life.name.width()).max().unwrap_or(0);
        let gap = (names * CHARACTER + 40).max(LEAST_GAP);
        let columns: Vec<usize> = (0..sequence.lifelines.len())
            .map(|nth| margin + names * CHARACTER / 2 + 10 + nth * gap)
            .collect();
        let head = MARGIN + LINE + 8;
        let mut tops = Vec::with_capacity(sequence.rows.len());
        let mut top = head + 10;
        for row in &sequence.rows {
            tops.push(top);
            top += height(row);
        }
        let right = |row: &Row| {
            let begin = match &row.act {
                Act::Arrow { from, to, .. } => *from.min(to),
                Act::Note { by, .. } => *by,
            };
            let longest = lines(row).iter().map(|(_, line)| line.width()).max().unwrap_or(0);
            columns[begin] + 8 + longest * CHARACTER
        };
        let widest = sequence.rows.iter().map(right).max().unwrap_or(0);
        let width = widest.max(columns.last().copied().unwrap_or(0) + names * CHARACTER / 2) + MARGIN;
        Plan { width, height: top + MARGIN, head, columns, tops }
    }

    /// The top and the height of each row.
    pub fn bands(&self) -> impl Iterator<Item = (usize, usize)> {
        let ends = self.tops.iter().skip(1).copied().chain([self.height - MARGIN]);
        self.tops.iter().zip(ends).map(|(top, end)| (*top, end.saturating_sub(*top)))
    }
}

/// The class by which a row is coloured.
pub fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Dim => "dim",
        Tone::Attacker => "attacker",
        Tone::Good => "good",
        Tone::Bad => "bad",
    }
}

/// A row's text in lines, each with whether it explains what is above it.
fn lines(row: &Row) -> Vec<(bool, String)> {
    let wrap = |aside: bool, text: &str| {
        super::chart::wrap(text, TEXT).into_iter().map(move |line| (aside, line)).collect::<Vec<_>>()
    };
    match &row.act {
        Act::Arrow { text, fates, .. } => {
            wrap(false, text).into_iter().chain(fates.iter().flat_map(|fate| wrap(true, fate))).collect()
        }
        Act::Note { text, asides, .. } => {
            let marked = format!("{}{text}", row.mark());
            wrap(false, &marked)
                .into_iter()
                .chain(asides.iter().flat_map(|aside| wrap(true, aside)))
                .collect()
        }
    }
}

fn height(row: &Row) -> usize {
    let arrow = if matches!(row.act, Act::Arrow { .. }) { ARROW } else { 0 };
    lines(row).len() * LINE + arrow + 6
}

/// The chart as a picture that stands alone.
pub fn svg(sequence: &Sequence, title: &str) -> String {
    let plan = Plan::of(sequence);
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" class="mallory-chart" role="img"
            width=(plan.width) height=(plan.height) viewBox=(format!("0 0 {} {}", plan.width, plan.height)) {
            title { (title) }
            style { (maud::PreEscaped(STYLE)) }
            rect width="100%" height="100%" fill="var(--paper)" {}
            (heads(sequence, &plan))
            (body(sequence, &plan, &Unlit))
        }
    };
    picture.into_string() + "\n"
}

/// The names over the lifelines.
pub fn heads(sequence: &Sequence, plan: &Plan) -> Markup {
    html! {
        @for (life, x) in sequence.lifelines.iter().zip(&plan.columns) {
            text class=(if life.kind == Lives::Attacker { "name attacker" } else { "name" })
                x=(x) y=(MARGIN + 12) { (life.name) }
        }
    }
}

/// The lifelines, and every row as a group with its event's number.
pub fn body(sequence: &Sequence, plan: &Plan, lit: &dyn Lit) -> Markup {
    html! {
        @for x in &plan.columns {
            line class="life" x1=(x) x2=(x) y1=(plan.head) y2=(plan.height - MARGIN) {}
        }
        @for (row, top) in sequence.rows.iter().zip(&plan.tops) {
            g class=(format!("row {}", class(row.tone))) data-event=(row.event) {
                (drawn(row, *top, plan, lit))
            }
        }
    }
}

fn drawn(row: &Row, top: usize, plan: &Plan, lit: &dyn Lit) -> Markup {
    let begin = match &row.act {
        Act::Arrow { from, to, .. } => plan.columns[*from.min(to)],
        Act::Note { by, .. } => plan.columns[*by],
    };
    let lines = lines(row);
    html! {
        text class="when" x=(MARGIN) y=(top + 12) { (row.at) " " (row.place) }
        @for (nth, (aside, line)) in lines.iter().enumerate() {
            text class=[aside.then_some("aside")] x=(begin + 8) y=(top + 12 + nth * LINE)
                xml:space="preserve" {
                @for (print, piece) in lit.pieces(line) {
                    @match print {
                        Some(print) => tspan class="fp" data-fp=(print) { (piece) },
                        None => (piece),
                    }
                }
            }
        }
        @if let Act::Arrow { from, to, is_lost, .. } = &row.act {
            (arrow(plan.columns[*from], plan.columns[*to], top + lines.len() * LINE + 4, *is_lost))
        }
    }
}

fn arrow(from: usize, to: usize, y: usize, is_lost: bool) -> Markup {
    let end = if is_lost { usize::midpoint(from, to) } else { to };
    // The barbs lie on the side that the arrow comes from.
    let back = if from <= to { end.saturating_sub(7) } else { end + 7 };
    html! {
        @if from == to {
            path d=(format!("M{from} {y}h18v6h-18")) {}
        } @else {
            line x1=(from) x2=(end) y1=(y) y2=(y) {}
            @if is_lost {
                path d=(format!("M{} {}l8 8m0 -8l-8 8", end.saturating_sub(4), y - 4)) {}
            } @else {
                path d=(format!("M{back} {}L{end} {y}L{back} {}", y - 4, y + 4)) {}
            }
        }
    }
}
