//! From which event on it was decided that goals fall, in words.

use crate::journal::{Event, Sight, What};
use crate::scenario::{Decided, DecidedGoal, PlayReport};
use crate::verdict::place_of;

/// For each goal that falls its text, and what is told of it, in lines.
pub fn told(play: &PlayReport, her: &str) -> Vec<(String, Vec<String>)> {
    let Some(decided) = play.decided() else { return Vec::new() };
    if decided.goals.is_empty() {
        let never = format!("none falls with any of {} seeds, whether {her} goes on or not", decided.seeds);
        return vec![("nothing".to_owned(), vec![never])];
    }
    let of = |goal: &DecidedGoal| {
        let text = play.goal_text(&play.goals()[goal.nth]);
        (text, vec![shares(decided, goal, her), strip(decided, goal), decision(play, decided, goal, her)])
    };
    decided.goals.iter().map(of).collect()
}

/// How often it falls if she goes on, and if she never begins.
pub fn shares(decided: &Decided, goal: &DecidedGoal, her: &str) -> String {
    let never = goal.stopped.first().copied().unwrap_or_default();
    format!(
        "falls in {} of {} seeds if {her} goes on, in {never} if she never acts",
        goal.going_on, decided.seeds
    )
}

/// How often it falls if she is stopped, cut by cut.
fn strip(decided: &Decided, goal: &DecidedGoal) -> String {
    /// So many are shown one by one: a line of a terminal.
    const MOST: usize = 12;
    let all: Vec<String> =
        decided.cuts.iter().zip(&goal.stopped).map(|(cut, falls)| format!("{}:{falls}", cut.acts)).collect();
    let middle = goal.decided.min(all.len().saturating_sub(1));
    let first = middle.saturating_sub(MOST / 2).min(all.len().saturating_sub(MOST));
    let last = (first + MOST).min(all.len());
    let before = if first > 0 { "… " } else { "" };
    let after = if last < all.len() { " …" } else { "" };
    format!(
        "stopped after so many of her {} acts: {before}{}{after}",
        decided.acts,
        all[first..last].join("  ")
    )
}

/// Which of her acts decided it.
pub fn decision(play: &PlayReport, decided: &Decided, goal: &DecidedGoal, her: &str) -> String {
    let Some(cut) = decided.cuts.get(goal.decided).filter(|cut| cut.event > 0) else {
        return "decided without her: nothing that she does on the wire makes a difference".to_owned();
    };
    let events = play.journal().events();
    let event = events.iter().find(|event| event.number == cut.event);
    let act = event.map(|event| act(event, events, her)).unwrap_or_default();
    format!("decided by event {}: {act}", cut.event)
}

/// What she did, in words.
fn act(event: &Event, events: &[Event], her: &str) -> String {
    let place = |id: u64| {
        let messages = events.iter().filter_map(|event| match &event.what {
            What::Sent { message } | What::Injected { message, .. } => Some(message),
            _ => None,
        });
        messages.into_iter().find(|message| message.id == id).map(|message| whereabouts(message))
    };
    match &event.what {
        What::Taken { id } => format!("{her} takes {}", place(*id).unwrap_or_default()),
        What::Delayed { id, by } => format!("{her} keeps back {} for {by}", place(*id).unwrap_or_default()),
        What::Injected { message, instead_of: Some(_) } => {
            format!("{her} puts hers in the place of {}", whereabouts(message))
        }
        What::Injected { message, instead_of: None } => format!("{her} sends {}", whereabouts(message)),
        What::Queried { party, queries, .. } => format!("{her} asks {party} {queries} times"),
        _ => String::new(),
    }
}

/// Which message of the protocol it is, and whose it claims to be.
fn whereabouts(message: &Sight) -> String {
    format!("message {} from {} to {}", place_of(message), message.from, message.to)
}
