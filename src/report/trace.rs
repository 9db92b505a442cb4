//! A play in the trace event format of Chrome, which Perfetto and others open: a process for the
//! play, a thread for each party, a slice for each message sent and received with an arrow
//! between them, a bar for each session, a mark for whatever else happens. Times are virtual.
//! (Trace Event Format, Google, 2016.)

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::result::{OutcomeResult, PlayResult};
use crate::journal::{Event, Sight, What};
use crate::scenario::PlayReport;
use crate::verdict::Traffic;
use crate::verdict::place_of;

/// The thread of what no party does.
const PLAY: &str = "the play";

/// The trace of some plays, one process each.
pub fn trace<'a>(plays: impl IntoIterator<Item = &'a PlayReport>) -> Json {
    let mut events = Vec::new();
    for (process, play) in (1..).zip(plays) {
        let mut trace = Trace { process, threads: BTreeMap::new(), events: Vec::new() };
        trace.play(play);
        events.extend(trace.events.drain(..).map(|event| play.journal().prints().in_json(event)));
    }
    json!({ "displayTimeUnit": "ms", "traceEvents": events })
}

struct Trace {
    process: u32,
    threads: BTreeMap<String, u32>,
    events: Vec<Json>,
}

impl Trace {
    fn play(&mut self, play: &PlayReport) {
        let result = PlayResult::of(play);
        let name = format!("{} · seed {}", result.play.name, result.play.seed);
        self.put(json!({ "ph": "M", "name": "process_name", "args": { "name": name } }));
        let her = result.play.attacker.as_deref().unwrap_or(PLAY);
        let traffic = Traffic::of(play.journal());
        for event in play.journal().events() {
            self.event(event, her, &traffic);
        }
        for (nth, (session, of)) in play.sessions().iter().zip(&result.sessions).enumerate() {
            let name = format!("run {} as {}", of.run, of.role);
            let thread = self.thread(&of.party);
            let begin = play.journal().event(session.began).map_or(0.0, micros);
            let end = play.journal().event(session.ended).map_or(begin, micros);
            let outcome = of.outcome.to_string();
            let color = match of.outcome {
                OutcomeResult::Completes => "good",
                OutcomeResult::Rejects { .. } => "terrible",
                OutcomeResult::Waits { .. } => "bad",
            };
            for (ph, ts) in [("b", begin), ("e", end)] {
                self.put(json!({
                    "ph": ph, "cat": "session", "id": nth, "name": name, "tid": thread, "ts": ts,
                    "cname": color, "args": { "outcome": outcome, "protocol": of.protocol },
                }));
            }
        }
        let end = play.journal().events().last().map_or(0.0, micros);
        let thread = self.thread(PLAY);
        for verdict in &result.verdicts {
            let name = format!("{}: {}", verdict.verdict, verdict.goal);
            self.put(
                json!({ "ph": "i", "s": "p", "cat": "verdict", "name": name, "tid": thread, "ts": end }),
            );
        }
    }

    fn event(&mut self, event: &Event, her: &str, traffic: &Traffic<'_>) {
        let named = |id: &u64| traffic.message(*id).map_or_else(|| id.to_string(), place_of);
        match &event.what {
            What::Sent { message } => self.passage(event, &message.from, message, "s"),
            What::Injected { message, .. } => self.passage(event, her, message, "s"),
            What::Delivered { id, to } => {
                if let Some(message) = traffic.message(*id) {
                    self.passage(event, to, message, "f");
                }
            }
            What::Started { session, .. }
            | What::Completed { session }
            | What::Refused { session, .. }
            | What::Waits { session, .. }
            | What::Concluded { session, .. } => self.mark(event, &session.party),
            What::Taken { .. }
            | What::Delayed { .. }
            | What::Equipped { .. }
            | What::Compromised { .. }
            | What::Unsealed { .. }
            | What::Forged { .. }
            | What::Guessed { .. }
            | What::Queried { .. }
            | What::Searched { .. }
            | What::Recovered { .. }
            | What::PutBack { .. }
            | What::Followed { .. }
            | What::AttackStopped { .. } => self.mark(event, her),
            What::Ignored { by, .. }
            | What::NotBegun { by, .. }
            | What::Issued { by, .. }
            | What::NotIssued { by, .. }
            | What::Revoked { by, .. }
            | What::Asked { by, .. }
            | What::Answered { by, .. }
            | What::Obtained { by, .. }
            | What::Lacked { by, .. }
            | What::Rotated { by, .. }
            | What::Quantum { by }
            | What::Fetched { by, .. } => self.mark(event, by),
            What::Rekeyed { party, .. }
            | What::Alarmed { party, .. }
            | What::ClockSet { party, .. }
            | What::Restarted { party } => self.mark(event, party),
            What::Lost { id } | What::Duplicated { id } => {
                let name = format!("{} {}", event.what.word(), named(id));
                let thread = self.thread(PLAY);
                self.put(json!({
                    "ph": "i", "s": "t", "cat": "network", "name": name, "tid": thread, "ts": micros(event),
                }));
            }
        }
    }

    /// A message that leaves or arrives: a slice of a microsecond, and one end of an arrow.
    fn passage(&mut self, event: &Event, who: &str, message: &Sight, end: &str) {
        let thread = self.thread(who);
        let (ts, name) = (micros(event), format!("{} {}", event.what.word(), place_of(message)));
        self.put(json!({
            "ph": "X", "cat": "message", "name": name, "tid": thread, "ts": ts, "dur": 1,
            "args": {
                "from": &*message.from, "to": &*message.to, "text": message.shown.text(),
                "event": event.number, "cause": event.cause,
            },
        }));
        self.put(json!({
            "ph": end, "bp": "e", "cat": "message", "name": "message", "id": message.id, "tid": thread, "ts": ts,
        }));
    }

    fn mark(&mut self, event: &Event, who: &str) {
        let thread = self.thread(who);
        self.put(json!({
            "ph": "i", "s": "t", "cat": "event", "name": event.what.word(), "tid": thread,
            "ts": micros(event), "args": event.to_json(),
        }));
    }

    fn thread(&mut self, name: &str) -> u32 {
        if let Some(known) = self.threads.get(name) {
            return *known;
        }
        let thread = self.threads.len() as u32 + 1;
        self.threads.insert(name.to_owned(), thread);
        self.put(json!({ "ph": "M", "name": "thread_name", "tid": thread, "args": { "name": name } }));
        thread
    }

    fn put(&mut self, mut event: Json) {
        event["pid"] = self.process.into();
        self.events.push(event);
    }
}

/// Microseconds of virtual time.
fn micros(event: &Event) -> f64 {
    event.at.0 as f64 / 1_000.0
}
