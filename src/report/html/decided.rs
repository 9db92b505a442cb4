//! From which event on it was decided that goals fall: a strip for each, a bar for each cut.

use maud::{Markup, html};

use super::chapter::Chapter;
use super::ink::Ink;
use crate::legible::legible;
use crate::report::decided::{decision, shares};
use crate::scenario::{Decided, DecidedGoal};

/// A bar is so many units wide and at most so many high.
const BAR: usize = 12;
const HEIGHT: u32 = 40;

/// The strips of a play, if it was asked.
pub fn decided(chapter: &Chapter<'_>, ink: &Ink) -> Markup {
    let id = &chapter.id;
    html! {
        @if let Some(decided) = chapter.play.decided() {
            section.decided aria-labelledby=(format!("{id}-decided")) {
                h3 id=(format!("{id}-decided")) { "From here it was decided" }
                p { "The play again with " (decided.seeds) " seeds, " (legible(chapter.her()))
                    " stopped after each of her acts: from then on all messages pass, and she sends none." }
                @if decided.goals.is_empty() { p { "No goal falls, whether she goes on or not." } }
                @for goal in &decided.goals { (strip(decided, goal, chapter, ink)) }
            }
        }
    }
}

fn strip(decided: &Decided, goal: &DecidedGoal, chapter: &Chapter<'_>, ink: &Ink) -> Markup {
    let said = |text: &str| ink.text(&chapter.keyed(text));
    let her = chapter.her();
    let height = |falls: u32| HEIGHT * falls / decided.seeds.max(1);
    let width = decided.cuts.len() * BAR;
    let step = decided.cuts.get(goal.decided).map_or(0, |cut| chapter.step_of(cut.event));
    html! {
        article.decision {
            h4 { (said(&chapter.play.goal_text(&chapter.play.goals()[goal.nth]))) }
            p { (said(&shares(decided, goal, her))) "." }
            div.scroll tabindex="0" role="region" aria-label="Share of seeds in which it falls, act by act" {
                svg width=(width) height=(HEIGHT + 2) viewBox=(format!("0 0 {width} {}", HEIGHT + 2)) role="img"
                    aria-label=(spoken(decided, goal)) {
                    @for (nth, falls) in goal.stopped.iter().enumerate() {
                        rect class=(if nth < goal.decided { "open" } else { "settled" }) x=(nth * BAR + 1)
                            y=(HEIGHT - height(*falls)) width=(BAR - 2) height=(height(*falls) + 2) {}
                    }
                    line.going-on x1="0" x2=(width) y1=(HEIGHT - height(goal.going_on)) y2=(HEIGHT - height(goal.going_on)) {}
                }
            }
            p { strong { (said(&decision(chapter.play, decided, goal, her))) }
                @if step > 0 { " " a.step href=(format!("#{}-s{step}", chapter.id)) { "step " (step) } } }
        }
    }
}

/// The bars for who hears them.
fn spoken(decided: &Decided, goal: &DecidedGoal) -> String {
    let bars = decided.cuts.iter().zip(&goal.stopped);
    let bars = bars.map(|(cut, falls)| format!("after {} acts in {falls}", cut.acts)).collect::<Vec<_>>();
    format!("Stopped {} of {} seeds", bars.join(", "), decided.seeds)
}
