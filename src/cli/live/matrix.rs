//! `mallory live --matrix`: every fault against every client that is found here. Must not know how
//! clients work.

use std::io;
use std::sync::Arc;
use std::thread;

use mallory::Scenario;
use mallory::live::stage::{Ends, Met};
use mallory::pki::Revocation;
use mallory::scenario::live::{Rehearsed, explained, goes_by, shrugs};
use mallory::scenario::{KeyPool, PartReport, PlayReport, Variant};

use super::super::Exit;
use super::super::out::{Out, complain};
use super::super::select::Selection;
use super::clients::{Asks, CLIENTS, Client, Found};
use super::table::{Cell, Column, Did, Form, Row, Table};

/// The group of the library whose scenarios are the matrix's faults.
const GROUP: &str = "live";

/// Clients that are tried at once.
const AT_ONCE: usize = 4;

/// Plays the matrix and prints it.
pub fn matrix(words: &[String], only: Option<Client>, form: Form, out: &mut Out) -> io::Result<Exit> {
    let words = if words.is_empty() { &[GROUP.to_owned()][..] } else { words };
    let selection = Selection::of(words);
    for (_, problems) in &selection.wrong {
        out.complain_of(problems)?;
    }
    if !selection.wrong.is_empty() {
        return Ok(Exit::Input);
    }
    let faults: Vec<(&Scenario, &Arc<Variant>)> = selection
        .scenarios
        .iter()
        .flat_map(|scenario| scenario.variants.iter().map(move |variant| (scenario, variant)))
        .filter(|(_, variant)| variant.setup.live.is_some())
        .collect();
    if faults.is_empty() {
        complain("none of these scenarios has a [live] table");
        return Ok(Exit::Input);
    }
    let wanted = CLIENTS.iter().filter(|client| only.is_none_or(|only| only.name == client.name));
    let mut java = None;
    let found: Vec<(&Client, Result<Found, String>)> =
        wanted.map(|client| (client, client.found_with(&mut java))).collect();
    let pool = KeyPool::default();
    let mut table = Table {
        columns: found
            .iter()
            .map(|(client, found)| Column {
                name: client.name.to_owned(),
                asks: client.asks.words(),
                version: found.as_ref().map(|found| found.version.clone()).map_err(Clone::clone),
            })
            .collect(),
        rows: Vec::new(),
    };
    let mut exit = Exit::Expected;
    for (nth, (scenario, variant)) in faults.iter().enumerate() {
        let reference = match scenario.play(variant, true, &pool) {
            Ok(reference) => reference,
            Err(halt) => {
                out.flush()?;
                complain(&format!("{}: {halt}", variant.of(&scenario.name)));
                return Ok(Exit::Defect);
            }
        };
        tracing::info!(target: "mallory::live", "{} of {}: {}", nth + 1, faults.len(), variant.of(&scenario.name));
        let cells = cells(scenario, variant, &found, &pool);
        for (cell, (client, _)) in cells.iter().zip(&found) {
            let name = variant.of(&scenario.name);
            match cell {
                Did::Failed(why) => {
                    out.flush()?;
                    complain(&format!("{name} with {}: {why}", client.name));
                    exit = Exit::Defect;
                }
                Did::Stopped => {
                    complain("stopped: no table");
                    return Ok(Exit::Defect);
                }
                Did::Accepted | Did::Refused(_) | Did::Gap => {}
            }
        }
        let party = goes_by(variant);
        let cells = cells.into_iter().zip(&found).map(|(did, (client, _))| {
            let is_good = reference_accepts(variant, &reference);
            // Who wants more than the party does may refuse what that accepts.
            let is_lenient = party == Revocation::None || shrugs(variant);
            let wants_more = is_lenient && client.asks != Asks::Nothing && is_good;
            Cell { is_judged: client.asks.is_of(party) && !(wants_more && did != Did::Accepted), did }
        });
        table.rows.push(row(scenario, variant, &reference, cells.collect()));
    }
    out.text(&table.shown(form))?;
    Ok(exit)
}

/// What the party in whose place programs stand does itself.
fn part<'a>(variant: &Variant, reference: &'a PlayReport) -> PartReport<'a> {
    let program = variant.setup.live.as_ref().map(|live| live.program.to_string()).unwrap_or_default();
    let takes_part = |run: &u32| !reference.run(*run).party(&program).sessions().is_empty();
    let run = variant.setup.runs.iter().map(|run| run.number).find(takes_part);
    reference.run(run.unwrap_or(1)).party(&program)
}

fn reference_accepts(variant: &Variant, reference: &PlayReport) -> bool {
    part(variant, reference).completed()
}

fn row(scenario: &Scenario, variant: &Variant, reference: &PlayReport, cells: Vec<Cell>) -> Row {
    let part = part(variant, reference);
    Row {
        name: variant.of(&scenario.name),
        group: scenario.title.clone(),
        is_refused: !part.completed(),
        reason: part.refusal().map(|refusal| refusal.reason),
        cells,
    }
}

/// What every client does with a fault; a few at a time, since most of it is waiting.
fn cells(
    scenario: &Scenario,
    variant: &Arc<Variant>,
    found: &[(&Client, Result<Found, String>)],
    pool: &KeyPool,
) -> Vec<Did> {
    let one = |found: &Result<Found, String>| match found {
        Ok(found) => cell(scenario, variant, found, pool),
        Err(_) => Did::Gap,
    };
    let of_some = |some: &[(&Client, Result<Found, String>)]| -> Vec<Did> {
        thread::scope(|scope| {
            let threads: Vec<_> = some.iter().map(|(_, found)| scope.spawn(|| one(found))).collect();
            let died = |_| Did::Failed("its thread died: this is a defect of mallory".to_owned());
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(died)).collect()
        })
    };
    found.chunks(AT_ONCE).flat_map(of_some).collect()
}

fn cell(scenario: &Scenario, variant: &Arc<Variant>, found: &Found, pool: &KeyPool) -> Did {
    let Some(spec) = &variant.setup.live else { return Did::Gap };
    if spec.list.is_none() && found.client.is_given_list() {
        return Did::Gap;
    }
    let command = found.command(&spec.server, spec.list.as_deref());
    let ends = match Ends::open(0, 0) {
        Ok(ends) => ends,
        Err(failure) => return Did::Failed(failure.0),
    };
    match scenario.rehearse(variant, Some(&command), ends, pool) {
        Ok(rehearsed) if rehearsed.was_stopped => Did::Stopped,
        Ok(rehearsed) => judged(&rehearsed),
        Err(failure) => Did::Failed(failure.to_string()),
    }
}

/// What a client did, by the first of its sessions that came to anything.
fn judged(rehearsed: &Rehearsed) -> Did {
    match rehearsed.met.first() {
        None => Did::Refused("began no handshake".to_owned()),
        Some((_, Met::Spoke)) => Did::Accepted,
        Some((_, met @ (Met::Alert(_) | Met::Left))) => Did::Refused(explained(met)),
        Some((_, met @ (Met::Silent | Met::Failed(_)))) => Did::Failed(explained(met)),
    }
}
