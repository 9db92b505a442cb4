//! `mallory live --matrix`: every fault against every client that is found here. Must not know how
//! clients work.

use std::io;
use std::sync::Arc;

use mallory::Scenario;
use mallory::live::stage::{Ends, Met};
use mallory::scenario::live::{Rehearsed, explained};
use mallory::scenario::{KeyPool, PlayReport, Variant};

use super::super::out::{Out, complain, is_watched};
use super::super::select::Selection;
use super::super::Exit;
use super::clients::{CLIENTS, Client, Found};
use super::table::{Cell, Column, Form, Row, Table};

/// The group of the library whose scenarios are the matrix's faults.
const GROUP: &str = "live";

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
        let mut cells = Vec::new();
        for (client, found) in &found {
            if is_watched() {
                complain(&format!("{}/{} {} {}", nth + 1, faults.len(), variant.of(&scenario.name), client.name));
            }
            let cell = match found {
                Ok(found) => cell(scenario, variant, found, &pool),
                Err(_) => Cell::Gap,
            };
            if let Cell::Failed(why) = &cell {
                out.flush()?;
                complain(&format!("{} with {}: {why}", variant.of(&scenario.name), client.name));
                exit = Exit::Defect;
            }
            cells.push(cell);
        }
        table.rows.push(row(scenario, variant, &reference, cells));
    }
    out.text(&table.shown(form))?;
    Ok(exit)
}

fn row(scenario: &Scenario, variant: &Variant, reference: &PlayReport, cells: Vec<Cell>) -> Row {
    let program = variant.setup.live.as_ref().map(|live| live.program.to_string()).unwrap_or_default();
    let run = variant.setup.runs.iter().map(|run| run.number).find(|run| {
        !reference.run(*run).party(&program).sessions().is_empty()
    });
    let part = reference.run(run.unwrap_or(1)).party(&program);
    Row {
        name: variant.of(&scenario.name),
        group: scenario.title.clone(),
        is_refused: !part.completed(),
        reason: part.refusal().map(|refusal| refusal.reason),
        cells,
    }
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
