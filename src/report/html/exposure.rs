//! How long stolen credentials were of use, as lines of time.

use maud::{Markup, html};

use super::chapter::Chapter;
use crate::legible::legible;
use crate::report::exposure;
use crate::time::SimTime;
use crate::verdict::Exposure;

/// A line of time is drawn so many units wide, with room for its numbers at both ends.
const WIDTH: u64 = 600;
const ROOM: u64 = 20;

/// Those of a play.
pub fn exposures(chapter: &Chapter<'_>) -> Markup {
    let all = chapter.play.exposures();
    let id = &chapter.id;
    html! {
        @if !all.is_empty() {
            section.exposures aria-labelledby=(format!("{id}-exposures")) {
                h3 id=(format!("{id}-exposures")) { "How long what was stolen was of use" }
                @for of in &all { (one(of, chapter)) }
            }
        }
    }
}

/// Something that happened, and when.
struct Mark {
    at: SimTime,
    what: &'static str,
}

fn one(of: &Exposure, chapter: &Chapter<'_>) -> Markup {
    let (heading, lines) = exposure::exposure(of, chapter.clock);
    let mut marks = vec![Mark { at: of.at, what: "stolen" }];
    let mut add = |at: Option<SimTime>, what| marks.extend(at.map(|at| Mark { at, what }));
    add(of.reported, "reported");
    add(of.revoked, "revoked");
    add(of.told.map(|told| told.ocsp), "the OCSP responder tells");
    add(of.told.map(|told| told.crl), "the next CRL tells");
    add(of.accepted.last().map(|met| met.at), "last accepted");
    add(of.refused.as_ref().map(|(met, _)| met.at), "refused");
    marks.sort_by_key(|mark| mark.at);
    let end = marks.last().map_or(of.at, |mark| mark.at);
    let whole = end.since(of.at).0.max(1);
    let x = |at: SimTime| {
        let part = u128::from(at.since(of.at).0) * u128::from(WIDTH) / u128::from(whole);
        ROOM + u64::try_from(part).unwrap_or(WIDTH)
    };
    let until = of.accepted.last().map(|met| x(met.at));
    html! {
        article.exposure {
            h4 { (legible(&heading)) }
            svg.time viewBox=(format!("0 0 {} 44", WIDTH + 2 * ROOM)) role="img"
                aria-label=(format!("{} from the theft to the last acceptance", of.span())) {
                line.axis x1=(ROOM) x2=(ROOM + WIDTH) y1="30" y2="30" {}
                @if let Some(until) = until {
                    line.open x1=(ROOM) x2=(until) y1="30" y2="30" {}
                }
                @for (nth, mark) in marks.iter().enumerate() {
                    line.tick x1=(x(mark.at)) x2=(x(mark.at)) y1="24" y2="36" {}
                    text x=(x(mark.at)) y=(if nth % 2 == 0 { 18 } else { 8 }) { (nth + 1) }
                }
            }
            ol.marks {
                @for mark in &marks {
                    li { span.at { (chapter.clock.show(mark.at)) } " " (mark.what)
                        @if mark.at > of.at { span.after { " " (mark.at.since(of.at)) " after the theft" } } }
                }
            }
            @for line in lines { p { (legible(&chapter.keyed(&line))) } }
        }
    }
}
