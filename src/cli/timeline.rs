//! What a scenario schedules, line by line: what is asked, what happens.

use mallory::party::wish::Code;
use mallory::party::{Errand, RequestSpec};
use mallory::report::offset_words;
use mallory::scenario::{EventDeed, Variant};
use mallory::time::Clock;

/// Where nobody speaks a protocol, what is asked of services takes its place.
pub fn requests(variant: &Variant) -> Vec<String> {
    let setup = &variant.setup;
    if setup.plays_protocol {
        return Vec::new();
    }
    let clock = Clock::upto(setup.requests.iter().map(|request| request.at).max().unwrap_or_default());
    let width = setup.requests.iter().map(|request| clock.show(request.at).len()).max().unwrap_or(0);
    let line = |r: &RequestSpec| format!("{:>3}. {:>width$}  {}", r.number, clock.show(r.at), asks(r));
    setup.requests.iter().map(|request| line(request)).collect()
}

/// Who asks for what, and how.
fn asks(request: &RequestSpec) -> String {
    let mut words = format!("{} asks for {}", request.by, request.errand);
    if let Errand::Keys(plea) = &request.errand {
        words += &plea.claims.as_ref().map_or(String::new(), |name| format!(", as {name}"));
        words += if plea.proof { "" } else { ", in the clear" };
        words += &match &plea.code {
            Code::None => String::new(),
            Code::Own => ", with a one-time code".to_owned(),
            Code::Stolen(_) => ", with a stolen code".to_owned(),
            Code::Guess if plea.attempts == 1 => ", with a guessed code".to_owned(),
            Code::Guess => format!(", guessing codes up to {} times, every {}", plea.attempts, plea.every),
        };
        words += &plea.approved_by.as_ref().map_or(String::new(), |name| format!(", approved by {name}"));
    }
    words + &request.with.as_ref().map_or(String::new(), |key| format!(", with {key}"))
}

/// What happens when: runs, events, and requests unless they are told apart.
pub fn timeline(variant: &Variant) -> Vec<String> {
    let setup = &variant.setup;
    let runs = setup.runs.iter().map(|run| {
        let names = run.names.iter().map(|(role, name)| format!("{role} = {name}"));
        let given = run.given.iter().filter_map(|(n, v)| Some(format!("{n} = {:?}", v.text()?)));
        let words: Vec<String> = names.chain(given).collect();
        (run.at, format!("run {}: {}", run.number, words.join(", ")))
    });
    let events = setup.events.iter().map(|event| {
        let words = match &event.deed {
            EventDeed::Compromise { what, term } => {
                let (what, term) = (what.to_string(), term.to_string());
                let named = if what.ends_with(&term) { String::new() } else { format!(" as {term}") };
                format!("the attacker is handed {what}{named}")
            }
            EventDeed::Rotate { key, keep: 0 } => format!("{key} gets a new version"),
            EventDeed::Rotate { key, keep } => format!("{key} gets a new version; {keep} older kept"),
            EventDeed::Restart { party } => format!("{party} restarts"),
            EventDeed::Leak { leak, .. } => format!("the attacker is handed {}", leak.what),
            EventDeed::Quantum => "the attacker has a quantum computer from then on".to_owned(),
            EventDeed::PutBack => "the attacker puts the old disk of the key centre back".to_owned(),
            EventDeed::Clock { party, offset } => format!("{party}'s clock is set {}", offset_words(*offset)),
            EventDeed::Revoke { subject, reason, by } => {
                let by: Vec<&str> = by.iter().map(|name| &**name).collect();
                format!("{} revokes {subject}: {}", by.join(" and "), reason.word())
            }
        };
        (event.at, words)
    });
    let told_here = setup.requests.iter().filter(|_| setup.plays_protocol);
    let requests = told_here.map(|r| (r.at, format!("request {}: {}", r.number, asks(r))));
    let mut all: Vec<_> = runs.chain(events).chain(requests).collect();
    all.sort_by_key(|(at, _)| *at);
    let clock = Clock::upto(all.last().map(|(at, _)| *at).unwrap_or_default());
    let width = all.iter().map(|(at, _)| clock.show(*at).len()).max().unwrap_or(0);
    all.into_iter().map(|(at, words)| format!("{:>width$}  {words}", clock.show(at))).collect()
}
