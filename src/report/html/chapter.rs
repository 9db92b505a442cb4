//! What a page tells of one play, as data: its chart, its events, what they mean to whom. Texts
//! have full fingerprints still. Must not know how it is shown.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::receptions::{Reception, receptions};
use crate::algebra::How;
use crate::journal::{Event, Part, What, Wire};
use crate::limits::{MAX_PAGE_DERIVATIONS, MAX_PAGE_MESSAGE_BYTES};
use crate::report::filter::Filter;
use crate::report::json;
use crate::report::result::{PlayResult, learned_values};
use crate::report::sequence::{Act, Row, Sequence};
use crate::report::telling::Teller;
use crate::scenario::PlayReport;
use crate::time::{Clock, SimTime};

/// One play of a page.
pub struct Chapter<'a> {
    /// What its elements' names begin with: `p1`.
    pub id: String,
    /// The play.
    pub play: &'a PlayReport,
    /// What it came to.
    pub result: PlayResult,
    /// Its chart.
    pub sequence: Sequence,
    /// How its times are shown.
    pub clock: Clock,
    /// How many of its events there was no room for.
    pub left_out: usize,
    /// Whether there was none for what was known before the first of them.
    pub forgets: bool,
    /// What its script reads.
    pub data: Json,
}

impl<'a> Chapter<'a> {
    /// The play as the n-th of a page, with no more than so many events.
    pub fn of(
        play: &'a PlayReport,
        nth: usize,
        filter: &Filter,
        level: tracing::Level,
        most: usize,
    ) -> Chapter<'a> {
        let id = format!("p{nth}");
        let events = play.journal().events();
        let Chosen { events: chosen, left_out, forgets } = choose(play, filter, most);
        let mut sequence = Sequence::with_full_fingerprints(play, filter, level);
        if left_out > 0 {
            let last = chosen.last().map_or(0, |event| event.number);
            let rows = sequence.rows.len();
            sequence.rows.retain(|row| row.event <= last);
            sequence.left_out += rows - sequence.rows.len();
        }
        let mut result = PlayResult::of(play);
        let began: BTreeSet<_> = chosen.iter().filter_map(|event| started(event)).collect();
        if left_out > 0 {
            let is_there = |s: &crate::report::result::SessionResult| {
                began.contains(&(s.run, s.party.as_str(), s.role.as_str(), s.nth))
            };
            result.sessions.retain(is_there);
        }
        let lines: Vec<Json> = json::fields(play, &result, chosen.iter().copied()).collect();
        let shown: BTreeSet<u64> = chosen.iter().filter_map(|event| message(event)).collect();
        let arrived = receptions(play.journal());
        let arrived = arrived.iter().filter(|of| shown.contains(&of.message)).map(Reception::data);
        let rows = sequence.rows.iter().map(|row| {
            json!({ "event": row.event, "at": row.at, "place": row.place, "said": said(row, &sequence) })
        });
        let data = json!({
            "id": id,
            "lines": lines,
            "rows": rows.collect::<Vec<_>>(),
            "receptions": arrived.collect::<Vec<_>>(),
            "bytes": bytes(&chosen),
            "drawn": drawn(play),
            "ways": ways(play),
        });
        let clock = Clock::upto(events.last().map_or(SimTime::ZERO, |event| event.at));
        Chapter { id, play, result, sequence, clock, left_out, forgets, data }
    }

    /// The step that shows an event: that of the last row up to it; none before the first.
    pub fn step_of(&self, event: u64) -> usize {
        self.sequence.rows.partition_point(|row| row.event <= event)
    }

    /// A text of the play with its fingerprints as they are shown.
    pub fn keyed(&self, text: &str) -> String {
        self.play.journal().prints().in_text(text)
    }

    /// What stands for the attacker in sentences.
    pub fn her(&self) -> &str {
        self.play.variant().setup.attacker.as_ref().map_or("the attacker", |attacker| &attacker.name)
    }
}

/// Which events there is room for.
struct Chosen<'a> {
    events: Vec<&'a Event>,
    left_out: usize,
    forgets: bool,
}

/// The events that are wanted, and those by which somebody comes to know something. If that is too
/// much, what was known before goes first, and then the end.
fn choose<'a>(play: &'a PlayReport, filter: &Filter, most: usize) -> Chosen<'a> {
    let teller = Teller::of(play);
    let wanted: BTreeSet<u64> = filter.chosen(&teller).iter().map(|(event, _)| event.number).collect();
    let first = wanted.first().copied().unwrap_or(u64::MAX);
    let is_in_time = |event: &Event| filter.to.is_none_or(|to| event.at <= to);
    let all = || {
        let events = play.journal().events().iter();
        events.filter(|event| wanted.contains(&event.number) || (bears(event) && is_in_time(event)))
    };
    let count = all().count();
    let forgets = count > most && all().any(|event| event.number < first);
    let mut events: Vec<&Event> = all().filter(|event| !forgets || event.number >= first).collect();
    let left_out = events.len().saturating_sub(most);
    events.truncate(most);
    Chosen { events, left_out, forgets }
}

/// Whether somebody comes to know something by it.
fn bears(event: &Event) -> bool {
    let topics = event.what.topics();
    topics.gain.is_some() || topics.part.is_some()
}

fn started(event: &Event) -> Option<(u32, &str, &str, u32)> {
    match event.what.topics().part {
        Some(Part::Started(id, _)) => Some((id.run, &id.party, &id.role, id.nth)),
        _ => None,
    }
}

fn message(event: &Event) -> Option<u64> {
    match event.what.topics().wire {
        Some(Wire::Sent(message) | Wire::Injected(message, _)) => Some(message.id),
        Some(Wire::HeldBack(_)) | None => None,
    }
}

/// A row in one sentence.
fn said(row: &Row, sequence: &Sequence) -> String {
    let name = |at: usize| sequence.lifelines[at].name.as_str();
    match &row.act {
        Act::Arrow { from, to, is_lost, text, fates } => {
            let fates: String = fates.iter().map(|fate| format!("; {fate}")).collect();
            let lost = if *is_lost { "; it is lost on the way" } else { "" };
            format!("{} → {}: {text}{lost}{fates}", name(*from), name(*to))
        }
        Act::Note { by, text, asides } => {
            let asides: String = asides.iter().map(|aside| format!("; {aside}")).collect();
            let text = if text.starts_with("the attack stops") {
                text.clone()
            } else {
                format!("{} {text}", name(*by))
            };
            text + &asides
        }
    }
}

/// The beginning of each message's bytes, once for all that are alike, by their fingerprint.
fn bytes(events: &[&Event]) -> Json {
    let mut all = serde_json::Map::new();
    for event in events {
        if let Some(Wire::Sent(message) | Wire::Injected(message, _)) = event.what.topics().wire {
            let begin = &message.bytes[..message.bytes.len().min(MAX_PAGE_MESSAGE_BYTES)];
            all.insert(message.id.to_string(), hex::encode(begin).into());
        }
    }
    Json::Object(all)
}

/// What the attacker drew, as people call it.
fn drawn(play: &PlayReport) -> Vec<Json> {
    let Some(her) = play.variant().setup.attacker.as_ref().filter(|_| play.with_attacker) else {
        return Vec::new();
    };
    let made = play.journal().made().iter();
    let hers: Vec<_> =
        made.filter(|maker| maker.by == her.name && matches!(maker.made.how, How::Drawn)).collect();
    let mut names: BTreeMap<&[u8], Option<String>> =
        hers.iter().map(|maker| (maker.made.value.bytes.as_slice(), None)).collect();
    for event in play.journal().events() {
        if let What::Injected { message, .. } = &event.what {
            let is_open = |value: &crate::algebra::Value| {
                names.get(value.bytes.as_slice()).is_some_and(Option::is_none)
            };
            for (term, value) in message.shown.names_of(&is_open) {
                if let Some(place) = names.get_mut(value.bytes.as_slice()) {
                    place.get_or_insert(term);
                }
            }
        }
    }
    let prints = play.journal().prints();
    hers.iter()
        .map(|maker| {
            let value = &maker.made.value;
            json!({
                "event": maker.event,
                "term": names.get(value.bytes.as_slice()).cloned().flatten(),
                "type": value.kind.word(),
                "fingerprint": prints.in_text(&value.fingerprint()),
            })
        })
        .collect()
}

/// How she came to what she learned, step by step, in the order of the lines of that kind.
fn ways(play: &PlayReport) -> Vec<Json> {
    let prints = play.journal().prints();
    let learned = learned_values(play);
    let way = |(_, value): &(_, _)| {
        let steps = play.attacker().derivation_of(value).map(|way| way.steps).unwrap_or_default();
        let told =
            steps.iter().map(|step| json!({ "text": prints.in_text(&step.text), "since": step.since }));
        json!({ "steps": told.collect::<Vec<_>>(), "since": steps.last().map_or(Some(0), |step| step.since) })
    };
    learned.iter().take(MAX_PAGE_DERIVATIONS).map(way).collect()
}
