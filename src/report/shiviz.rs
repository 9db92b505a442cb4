//! A play as a log with vector clocks, which ShiViz draws as a space-time diagram
//! (https://bestchai.bitbucket.io/shiviz/): the first line is the expression that reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::filter::Filter;
use super::shorten;
use super::telling::{Teller, Told};
use crate::journal::{MessageId, What, Wire};
use crate::legible::legible;
use crate::notation::Name;
use crate::scenario::PlayReport;

/// How many events each host had seen.
type VectorClock = BTreeMap<Name, u64>;

/// The log of what is wanted of a play, of events that are told at this level; what a delivery
/// brings about follows the sending, whether or not it is told.
pub fn shiviz(play: &PlayReport, filter: &Filter, level: tracing::Level) -> String {
    let teller = Teller::of(play);
    let wanted: Vec<u64> = filter
        .chosen(&teller)
        .into_iter()
        .filter(|(event, _)| event.what.level() <= level)
        .map(|(event, _)| event.number)
        .collect();
    let mut clocks: BTreeMap<Name, VectorClock> = BTreeMap::new();
    let mut sent: BTreeMap<MessageId, VectorClock> = BTreeMap::new();
    let mut text = String::new();
    for (event, told) in teller.events() {
        let (host, said) = match (&told, event.what.topics().wire) {
            (_, Some(Wire::Injected(message, _))) => (
                teller.attacker.clone(),
                format!("sends {} in the name of {}", message.shown.text(), message.from),
            ),
            (Told::Message { message, .. }, _) => {
                (message.from.clone(), format!("sends {} to {}", message.shown.text(), message.to))
            }
            (Told::Deed { by, text, .. }, _) => (by.clone(), text.clone()),
            (Told::Fate { text, .. }, Some(Wire::HeldBack(_))) => (teller.attacker.clone(), text.clone()),
            (Told::Fate { .. } | Told::Lines(_) | Told::Nothing, _) => continue,
        };
        let brought = match &event.what {
            What::Delivered { id, .. } | What::Taken { id } | What::Delayed { id, .. } => {
                sent.get(id).cloned()
            }
            _ => None,
        };
        let is_told = wanted.binary_search(&event.number).is_ok();
        let clock = clocks.entry(host.clone()).or_default();
        for (other, seen) in brought.into_iter().flatten() {
            let known = clock.entry(other).or_default();
            *known = seen.max(*known);
        }
        // ShiViz wants every number of a host's clock to have its event.
        if is_told {
            *clock.entry(host.clone()).or_default() += 1;
            let shown: Vec<String> = clock.iter().map(|(host, seen)| format!("\"{host}\":{seen}")).collect();
            let _ = writeln!(text, "{host} {{{}}}\n{}", shown.join(", "), legible(&said));
        }
        if let Some(Wire::Sent(message) | Wire::Injected(message, _)) = event.what.topics().wire {
            sent.insert(message.id, clock.clone());
        }
    }
    let text = shorten(&play.journal().prints().in_text(&text));
    format!("(?<host>\\S*) (?<clock>{{.*}})\\n(?<event>.*)\n\n{text}")
}
