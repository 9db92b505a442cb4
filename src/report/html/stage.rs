//! A play to step through: the chart, the buttons, what everybody knows, verdicts below. The
//! script fills in what changes from step to step.

use maud::{Markup, html};

use super::chapter::Chapter;
use super::ink::Ink;
use super::{decided, exposure, verdicts};
use crate::legible::legible;
use crate::report::svg::{self, Plan};

/// A play.
pub fn play(chapter: &Chapter<'_>, ink: &Ink) -> Markup {
    let id = &chapter.id;
    let alone = if chapter.play.with_attacker { "" } else { " · without the attacker" };
    html! {
        section.play id=(id) data-play=(id) aria-labelledby=(format!("{id}-name")) {
            h2 id=(format!("{id}-name")) { (legible(&chapter.play.name)) }
            p.seed { "seed " (chapter.play.seed) (alone) }
            (buttons(chapter))
            div.stage {
                (chart(chapter, ink))
                div.sides {
                    section.now aria-labelledby=(format!("{id}-now")) {
                        h3 id=(format!("{id}-now")) { "This step" }
                        p.said aria-live="polite" { "Step through the play: its messages, checks and values are told here." }
                        div.message {}
                    }
                    section.knows aria-labelledby=(format!("{id}-knows")) {
                        h3 id=(format!("{id}-knows")) { "What each party has and whom it takes for its peer" }
                        div.parties {}
                    }
                    @if chapter.result.play.attacker.is_some() {
                        section.book aria-labelledby=(format!("{id}-book")) {
                            h3 id=(format!("{id}-book")) { (legible(chapter.her())) "'s notebook" }
                            div.notes {}
                        }
                    }
                }
            }
            (verdicts::verdicts(chapter, ink))
            (exposure::exposures(chapter))
            (decided::decided(chapter, ink))
            p.repeat { "Repeat with " code { (legible(&chapter.result.play.repeat_with)) } }
        }
    }
}

fn buttons(chapter: &Chapter<'_>) -> Markup {
    let last = chapter.sequence.rows.len();
    html! {
        div.buttons role="group" aria-label=(format!("Steps of {}", legible(&chapter.play.name))) hidden {
            button type="button" data-go="first" title="Home" { "|◀ " span { "start" } }
            button type="button" data-go="back" title="← or k" { "◀ " span { "back" } }
            button type="button" data-go="on" title="→ or j" { span { "on" } " ▶" }
            button type="button" data-go="last" title="End" { span { "end" } " ▶|" }
            input type="range" min="0" max=(last) value="0" aria-label="Step";
            output.where { "0 / " (last) }
            label { input type="checkbox" data-reveal; " reveal step by step" }
        }
    }
}

fn chart(chapter: &Chapter<'_>, ink: &Ink) -> Markup {
    let sequence = chapter.sequence.clone().shortened(ink.shortener());
    let plan = Plan::of(&sequence);
    let name = legible(&chapter.play.name);
    let (width, id) = (plan.width, &chapter.id);
    html! {
        div.chart {
            @if sequence.rows.is_empty() {
                p { "No event that was asked for is told in a chart." }
            } @else {
                div.scroll tabindex="0" role="region" aria-label=(format!("Chart of {name}")) {
                    svg.mallory-chart.heads width=(width) height=(plan.head) viewBox=(format!("0 0 {width} {}", plan.head))
                        role="img" aria-label=(format!("Who takes part: {}", names(&sequence))) {
                        (svg::heads(&sequence, &plan))
                    }
                    svg.mallory-chart.body width=(width) height=(plan.height - plan.head)
                        viewBox=(format!("0 {} {width} {}", plan.head, plan.height - plan.head))
                        role="img" aria-label=(format!("What happens in {name}, told step by step beside the chart")) {
                        @for (nth, (top, height)) in plan.bands().enumerate() {
                            rect.band id=(format!("{id}-s{}", nth + 1)) x="0" y=(top) width=(width) height=(height) {}
                        }
                        (svg::body(&sequence, &plan, ink))
                    }
                }
            }
            @if sequence.left_out > 0 {
                p.left-out { "… " (sequence.left_out) " more rows: narrow with --only, --from and --to" }
            }
            @if chapter.left_out > 0 {
                p.left-out { "… " (chapter.left_out) " more events have no room on this page: narrow with --only, --from and --to" }
            }
            @if chapter.forgets {
                p.left-out { "What everybody knew before the first step has no room on this page." }
            }
            @if sequence.folded > 0 {
                p.left-out { (sequence.folded) " messages of services are not drawn: their requests are" }
            }
        }
    }
}

fn names(sequence: &crate::report::Sequence) -> String {
    sequence.lifelines.iter().map(|life| life.name.as_str()).collect::<Vec<_>>().join(", ")
}
