//! Verdicts with their reasons, each reason with a link to the step at which it happened.

use maud::{Markup, html};

use super::chapter::Chapter;
use super::ink::Ink;
use crate::journal::{Part as Happened, Wire};
use crate::report::{evidence, log};
use crate::verdict::{GoalVerdict, Judgement, Part, Rebuff, Step};

/// What each goal came to, and what was not as expected.
pub fn verdicts(chapter: &Chapter<'_>, ink: &Ink) -> Markup {
    let id = &chapter.id;
    html! {
        section.verdicts aria-labelledby=(format!("{id}-verdicts")) {
            h3 id=(format!("{id}-verdicts")) { "Verdicts" }
            @if chapter.play.goals().is_empty() { p { "The protocol claims nothing." } }
            @for goal in chapter.play.goals() { (verdict(goal, chapter, ink)) }
            @for unmet in &chapter.result.unmet {
                p.unmet { strong { "Not as expected: " } (ink.text(&format!("{}, but {}", unmet.expected, unmet.found))) }
            }
        }
    }
}

fn verdict(goal: &GoalVerdict, chapter: &Chapter<'_>, ink: &Ink) -> Markup {
    let said = |text: &str| ink.text(&chapter.keyed(text));
    html! {
        article class=(format!("verdict {}", goal.word())) {
            h4 { span.word { (mark(goal)) (goal.word()) } " " (said(&chapter.play.goal_text(goal))) }
            @match &goal.judgement {
                Judgement::Violated { finding, steps } => {
                    p { (said(&evidence::finding(finding, chapter.her()))) }
                    ol.reasons {
                        @for step in steps {
                            li { (said(&evidence::step(step, chapter.her()))) (link(event_of(step, chapter), chapter)) }
                        }
                    }
                }
                Judgement::Holds { completed, refused } => {
                    @for line in log::stood(*completed, &[]) { p { (line) } }
                    @if !refused.is_empty() {
                        p { "What stopped her:" }
                        ul.reasons { @for rebuff in told(refused) { (stopped(rebuff, chapter, ink)) } }
                        @let more = refused.len() - told(refused).len();
                        @if more > 0 { p { "and " (more) " more refusals" } }
                    }
                }
                Judgement::Untested(why) => p { (log::untested(*why)) },
            }
        }
    }
}

/// So many refusals are told one by one.
fn told(refused: &[Rebuff]) -> &[Rebuff] {
    const MOST: usize = 12;
    &refused[..refused.len().min(MOST)]
}

fn mark(goal: &GoalVerdict) -> &'static str {
    match &goal.judgement {
        Judgement::Violated { .. } => "✗ ",
        Judgement::Holds { .. } => "✓ ",
        Judgement::Untested(_) => "? ",
    }
}

/// Why not: the check that stopped her.
fn stopped(rebuff: &Rebuff, chapter: &Chapter<'_>, ink: &Ink) -> Markup {
    let Rebuff { party, run, refusal } = rebuff;
    let event = chapter.play.journal().events().iter().find(|event| {
        matches!(event.what.topics().part, Some(Happened::Refused(id, of, _))
            if id.party == *party && id.run == *run && of == *refusal)
    });
    html! {
        li {
            (ink.text(&format!("{party} refused line {} of run {run}: ", refusal.line)))
            strong { (refusal.reason) } ", " (refusal.reason.meaning())
            (link(event.map(|event| event.number), chapter))
        }
    }
}

/// The event that a step tells of.
fn event_of(step: &Step, chapter: &Chapter<'_>) -> Option<u64> {
    let mut events = chapter.play.journal().events().iter();
    let is_it: &dyn Fn(&crate::journal::Event) -> bool = match step {
        Step::Replaced { message, .. } | Step::Sent { message, .. } => {
            &|event| matches!(event.what.topics().wire, Some(Wire::Injected(of, _)) if of.id == *message)
        }
        Step::Unchecked { party, fingerprint, .. } => &|event| {
            matches!(event.what.topics().part, Some(Happened::Has(id, _, value))
                if *id.party == **party && value.fingerprint() == *fingerprint)
        },
        Step::TookPart { part } => {
            &|event| matches!(event.what.topics().part, Some(Happened::Started(id, _)) if is_part(id, part))
        }
        Step::Derived { since, .. } => return *since,
        Step::TookNoPart { .. } => return None,
    };
    events.find(|event| is_it(event)).map(|event| event.number)
}

fn is_part(id: &crate::journal::SessionId, part: &Part) -> bool {
    *id.party == *part.party && *id.role == *part.role && id.run == part.run
}

/// The way to the step that shows an event, if one does.
fn link(event: Option<u64>, chapter: &Chapter<'_>) -> Markup {
    let step = event.map_or(0, |event| chapter.step_of(event));
    html! {
        @if step > 0 {
            " " a.step href=(format!("#{}-s{step}", chapter.id)) { "step " (step) }
        }
    }
}
