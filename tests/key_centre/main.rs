//! The key centre before many clients, guessers, liars and thieves. Every figure is counted in
//! plays.

mod crowd;
mod disks;
mod guards;
mod guesses;
mod lies;
mod misuse;
mod words;

use mallory::Scenario;
use mallory::journal::{Sight, What};
use mallory::scenario::{KeyPool, PlayReport};

fn play(text: &str, seed: u64, pool: &KeyPool) -> PlayReport {
    let scenario = Scenario::from_text("test", text).unwrap_or_else(|p| panic!("{p}")).seed(seed);
    scenario.play(&scenario.variants[0], true, pool).unwrap()
}

/// What became of a request, as an expectation would say it.
fn outcome(play: &PlayReport, request: u32) -> &'static str {
    match play.request(request) {
        None => "unanswered",
        Some(None) => "granted",
        Some(Some(reason)) => reason.word(),
    }
}

/// What a request gave, as text.
fn gave(play: &PlayReport, number: u32) -> String {
    let value = play.journal().events().iter().rev().find_map(|event| match &event.what {
        What::Obtained { request, value, .. } if *request == number => value.text(),
        _ => None,
    });
    value.unwrap_or_default().to_owned()
}

/// How often a request was tried.
fn tries(play: &PlayReport, number: u32) -> u32 {
    let answered = play.journal().events().iter().find_map(|event| match &event.what {
        What::Answered { request, tries, .. } if *request == number => Some(*tries),
        _ => None,
    });
    answered.unwrap_or(0)
}

/// The messages from the centre to somebody, in order.
fn answers_to<'a>(play: &'a PlayReport, party: &'a str) -> impl Iterator<Item = &'a Sight> {
    play.journal().events().iter().filter_map(move |event| match &event.what {
        What::Sent { message } if message.line == 2 && *message.to == *party => Some(&**message),
        _ => None,
    })
}
