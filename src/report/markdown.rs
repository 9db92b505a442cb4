//! Verdicts and a folded chart in Markdown, as GitHub and GitLab show it: for a pull request.

use std::fmt::Write as _;

use super::diagrams::mermaid;
use super::filter::Filter;
use super::result::PlayResult;
use super::sequence::Sequence;
use super::{evidence, shorten};
use crate::legible::legible;
use crate::scenario::PlayReport;
use crate::verdict::Judgement;

/// What a play came to, as a section.
pub fn markdown(play: &PlayReport, filter: &Filter, level: tracing::Level) -> String {
    let result = PlayResult::of(play);
    let mut text = format!("### {} · seed {}\n\n", plain(&play.name), play.seed);
    let met = result.unmet.is_empty();
    let word = match (result.play.asserts, met) {
        (false, _) => "nothing is asserted",
        (true, true) => "as expected",
        (true, false) => "**not as expected**",
    };
    let _ =
        writeln!(text, "{word} · repeat with `{}`\n", legible(&result.play.repeat_with).replace('`', "'"));
    for unmet in &result.unmet {
        let _ = writeln!(text, "- expected {}, but {}", plain(&unmet.expected), plain(&unmet.found));
    }
    if !met {
        text.push('\n');
    }
    text.push_str("| goal | verdict | why |\n|---|---|---|\n");
    for goal in play.goals() {
        let why = match &goal.judgement {
            Judgement::Violated { finding, .. } => evidence::finding(finding, &teller_name(&result)),
            Judgement::Holds { completed, refused } => super::log::stood(*completed, refused).join("; "),
            Judgement::Untested(why) => super::log::untested(*why),
        };
        let _ = writeln!(text, "| {} | {} | {} |", plain(&play.goal_text(goal)), goal.word(), plain(&why));
    }
    let chart = mermaid(&Sequence::of(play, filter, level), &play.name);
    let _ =
        write!(text, "\n<details><summary>what happened</summary>\n\n```mermaid\n{chart}```\n\n</details>\n");
    shorten(&play.journal().prints().in_text(&text))
}

fn teller_name(result: &PlayResult) -> String {
    result.play.attacker.clone().unwrap_or_else(|| "the attacker".to_owned())
}

/// Text in which Markdown and HTML find nothing of theirs.
fn plain(text: &str) -> String {
    legible(text).chars().fold(String::new(), |mut out, c| {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '~' | '!' | '@' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        out
    })
}
