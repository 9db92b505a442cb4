//! A play as lines of JSON: what was played, its events, what it came to (docs/JSON.md).

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::result::{
    DecidedResult, ExposureResult, Learned, PlayId, PlayResult, RequestResult, SearchResult, SessionResult,
    Unmet, VerdictResult,
};
use crate::journal::{Event, What};
use crate::scenario::PlayReport;

/// The lines of a play, each an object: `play`, the events, then `search`, `session`, `request`, `verdict`,
/// `learned`, `exposure`, `decided` and `unmet` lines, and `end`.
pub fn lines<'a>(
    play: &'a PlayReport,
    scenario: &'a str,
    variant: Option<&'a str>,
) -> impl Iterator<Item = Json> + 'a {
    let line = move |of: Json| {
        let mut all = Map::new();
        all.insert("scenario".into(), scenario.into());
        all.insert("variant".into(), variant.into());
        if let Json::Object(fields) = of {
            all.extend(fields);
        }
        Json::Object(all)
    };
    let result = PlayResult::of(play);
    fields(play, &result, play.journal().events().iter()).map(line)
}

/// As `lines`, without the scenario's and the variant's name, and with these events only.
pub fn fields<'a, Events: Iterator<Item = &'a Event>>(
    play: &'a PlayReport,
    result: &PlayResult,
    events: Events,
) -> impl Iterator<Item = Json> + use<'a, Events> {
    let prints = play.journal().prints();
    let first = Json::Object(of_kind("play", &result.play));
    let last = outcome(result).into_iter().map(Json::Object);
    std::iter::once(first).chain(events.map(Event::to_json)).chain(last).map(|line| prints.in_json(line))
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
        .chain(each("decided", &result.decided))
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

/// The schema of a line (JSON Schema, draft 2020-12). More names and kinds may come in the same
/// version, so a reader passes over what it does not know; this accepts the kinds that there are.
pub fn schema() -> Json {
    fn result<T: JsonSchema>(kind: &str, generator: &mut SchemaGenerator) -> Json {
        let fields = generator.subschema_for::<T>();
        json!({ "allOf": [line(kind, &[]), fields] })
    }
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let of = &mut generator;
    let mut kinds = vec![
        result::<PlayId>("play", of),
        result::<SearchResult>("search", of),
        result::<SessionResult>("session", of),
        result::<RequestResult>("request", of),
        result::<VerdictResult>("verdict", of),
        result::<Learned>("learned", of),
        result::<ExposureResult>("exposure", of),
        result::<DecidedResult>("decided", of),
        result::<Unmet>("unmet", of),
        line("end", &["as_expected"]),
    ];
    let event = |fields: &[&'static str]| [&["event", "cause", "time_ns"], fields].concat();
    kinds.extend(What::KINDS.iter().map(|kind| line(kind.word, &event(&kind.fields.concat()))));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of `mallory run --log json`",
        "anyOf": kinds,
        "$defs": generator.take_definitions(true),
    })
}

/// A line of a kind, with fields that it cannot be without.
fn line(kind: &str, fields: &[&str]) -> Json {
    let needed: Vec<&str> = ["scenario", "variant", "kind"].iter().chain(fields).copied().collect();
    json!({ "type": "object", "properties": { "kind": { "const": kind } }, "required": needed })
}
