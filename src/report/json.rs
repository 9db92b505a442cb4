//! A play as lines of JSON: what was played, its events, what it came to (docs/JSON.md).

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::result::PlayResult;
use crate::scenario::PlayReport;

/// The lines of a play, each an object: `play`, the events, then `search`, `session`, `request`, `verdict`,
/// `learned`, `exposure` and `unmet` lines, and `end`.
pub fn lines<'a>(
    play: &'a PlayReport,
    scenario: &'a str,
    variant: Option<&'a str>,
) -> impl Iterator<Item = Json> + 'a {
    let prints = play.journal().prints();
    let line = move |fields: Map<String, Json>| {
        let mut all = Map::new();
        all.insert("scenario".into(), scenario.into());
        all.insert("variant".into(), variant.into());
        all.extend(fields);
        prints.in_json(Json::Object(all))
    };
    let result = PlayResult::of(play);
    let first = of_kind("play", &result.play);
    let events = play.journal().events().iter().map(|event| match event.to_json() {
        Json::Object(fields) => fields,
        _ => Map::new(),
    });
    std::iter::once(first).chain(events).chain(outcome(&result)).map(line)
}

/// What a play came to, one line for each thing.
pub fn outcome(result: &PlayResult) -> Vec<Map<String, Json>> {
    fn each<T: Serialize>(kind: &'static str, all: &[T]) -> impl Iterator<Item = Map<String, Json>> {
        all.iter().map(move |one| of_kind(kind, one))
    }
    let mut lines: Vec<Map<String, Json>> = each("search", result.search.as_slice())
        .chain(each("session", &result.sessions))
        .chain(each("request", &result.requests))
        .chain(each("verdict", &result.verdicts))
        .chain(each("learned", &result.learned))
        .chain(each("exposure", &result.exposures))
        .chain(each("unmet", &result.unmet))
        .collect();
    let mut end = Map::new();
    end.insert("kind".into(), "end".into());
    end.insert("as_expected".into(), result.unmet.is_empty().into());
    lines.push(end);
    lines
}

/// An object with its kind in front.
pub fn of_kind(kind: &str, of: &impl Serialize) -> Map<String, Json> {
    let mut fields = Map::new();
    fields.insert("kind".into(), kind.into());
    if let Ok(Json::Object(more)) = serde_json::to_value(of) {
        fields.extend(more);
    }
    fields
}
