//! `mallory live --matrix`: every fault against every client that is found here. Must not know how
//! clients work.

use std::io;
use std::sync::Arc;
use std::thread;

use mallory::Scenario;
use mallory::live::stage::{Ends, Met};
use mallory::scenario::live::{Rehearsed, explained};
use mallory::scenario::{KeyPool, PlayReport, Variant};

use super::super::Exit;
use super::super::out::{Out, complain};
use super::super::select::Selection;
use super::clients::{CLIENTS, Client, Found};
use super::table::{Cell, Column, Form, Row, Table};

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
                Cell::Failed(why) => {
                    out.flush()?;
                    complain(&format!("{name} with {}: {why}", client.name));
                    exit = Exit::Defect;
                }
                Cell::Stopped => {
                    complain("stopped: no table");
                    return Ok(Exit::Defect);
                }
                Cell::Accepted | Cell::Refused(_) | Cell::Gap => {}
            }
        }
        table.rows.push(row(scenario, variant, &reference, cells));
    }
    out.text(&table.shown(form))?;
    Ok(exit)
}

fn row(scenario: &Scenario, variant: &Variant, reference: &PlayReport, cells: Vec<Cell>) -> Row {
    let program = variant.setup.live.as_ref().map(|live| live.program.to_string()).unwrap_or_default();
    let run = variant
        .setup
        .runs
        .iter()
        .map(|run| run.number)
        .find(|run| !reference.run(*run).party(&program).sessions().is_empty());
    let part = reference.run(run.unwrap_or(1)).party(&program);
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
) -> Vec<Cell> {
    let one = |found: &Result<Found, String>| match found {
        Ok(found) => cell(scenario, variant, found, pool),
        Err(_) => Cell::Gap,
    };
    let of_some = |some: &[(&Client, Result<Found, String>)]| -> Vec<Cell> {
        thread::scope(|scope| {
            let threads: Vec<_> = some.iter().map(|(_, found)| scope.spawn(|| one(found))).collect();
            let died = |_| Cell::Failed("its thread died: this is a defect of mallory".to_owned());
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(died)).collect()
        })
    };
    found.chunks(AT_ONCE).flat_map(of_some).collect()
}

fn cell(scenario: &Scenario, variant: &Arc<Variant>, found: &Found, pool: &KeyPool) -> Cell {
    let Some(spec) = &variant.setup.live else { return Cell::Gap };
    if spec.list.is_none() && found.client.is_given_list() {
        return Cell::Gap;
    }
    let command = found.command(&spec.server, spec.list.as_deref());
    let ends = match Ends::open(0, 0) {
        Ok(ends) => ends,
        Err(failure) => return Cell::Failed(failure.0),
    };
    match scenario.rehearse(variant, Some(&command), ends, pool) {
        Ok(rehearsed) if rehearsed.was_stopped => Cell::Stopped,
        Ok(rehearsed) => judged(&rehearsed),
        Err(failure) => Cell::Failed(failure.to_string()),
    }
}

/// What a client did, by the first of its sessions that came to anything.
fn judged(rehearsed: &Rehearsed) -> Cell {
    match rehearsed.met.first() {
        None => Cell::Refused("began no handshake".to_owned()),
        Some((_, Met::Spoke)) => Cell::Accepted,
        Some((_, met @ (Met::Alert(_) | Met::Left))) => Cell::Refused(explained(met)),
        Some((_, met @ (Met::Silent | Met::Failed(_)))) => Cell::Failed(explained(met)),
    }
}
