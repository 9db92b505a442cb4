//! What parties ask services for at set times: `[[request]]`.

use std::sync::Arc;

use super::pleas;
use super::references::check_revocable;
use crate::limits::MAX_REQUESTS;
use crate::notation::{Func, Service, Term, parse};
use crate::party::{Errand, RequestSpec};
use crate::pki::RevocationReason;
use crate::scenario::problem::Problem;
use crate::scenario::reader::{Reader, array, name, string, unknown};
use crate::scenario::schema;
use crate::scenario::setup::Setup;
use crate::scenario::toml_tree::{Node, Places};
use crate::time::SimTime;

/// Of these, what the key centre has another word for.
const FOR_KEYS: [(&str, &str); 3] = [("revoke", "revoke-key"), ("release", "resume"), ("rekey", "rotate")];

/// Reads the requests, one after the other: what is asked of a key depends on what was asked
/// before.
pub fn read(setup: &mut Setup, table: &Reader<'_>, attacker: Option<&str>) -> Result<(), Problem> {
    let Some(node) = table.get("request") else { return Ok(()) };
    let nodes = array(node)?;
    if let Some(extra) = nodes.get(MAX_REQUESTS) {
        return Err(extra.problem(format!("more requests than the limit MAX_REQUESTS, {MAX_REQUESTS}")));
    }
    for (number, node) in (1..).zip(nodes) {
        let request = request(setup, number, node, attacker)?;
        setup.requests.push(Arc::new(request));
    }
    for (request, node) in setup.requests.iter().zip(nodes) {
        pleas::check_of(request, &setup.requests, node)?;
    }
    Ok(())
}

fn request(setup: &Setup, number: u32, node: &Node, attacker: Option<&str>) -> Result<RequestSpec, Problem> {
    let table = Reader::of(node, &schema::REQUEST)?;
    let at = SimTime::ZERO.after(table.span("at")?.ok_or_else(|| table.missing("at"))?);
    let by = table.get("by").ok_or_else(|| table.missing("by"))?;
    let by = setup.known_person(by, attacker)?;
    let hers = Some(&*by) == attacker;
    let person = |key: &str| match table.get(key) {
        Some(node) => setup.known_person(node, attacker),
        None => Ok(by.clone()),
    };
    let ask = table.get("ask").ok_or_else(|| table.missing("ask"))?;
    check_whom(setup, ask, node)?;
    let errand = match string(ask)? {
        "enrol" => Errand::Enrol { name: person("name")?, new_key: new_key(&table)? },
        "renew" => Errand::Renew { name: person("name")?, new_key: false },
        "rekey" => Errand::Renew { name: person("name")?, new_key: true },
        "revoke" => {
            let words: Vec<&str> = RevocationReason::ALL.iter().map(|reason| reason.word()).collect();
            let reason = table.word("reason", "reason for a revocation", &words)?.unwrap_or_default();
            let since = table.span("since")?.map(|span| SimTime::ZERO.after(span));
            let subject = person("subject")?;
            if let Some(node) = table.get("subject") {
                check_revocable(node, &subject)?;
            }
            Errand::Revoke { subject, reason, since }
        }
        "release" => Errand::Release { subject: person("subject")? },
        other => match pleas::read(setup, other, &table, &by, attacker)? {
            Some(plea) => Errand::Keys(plea),
            None => {
                return Err(unknown(ask, "request", other, &schema::asks()));
            }
        },
    };
    if !matches!(errand, Errand::Keys(_)) && !setup.services.contains(&Service::Ca) {
        return Err(node.problem("there is no authority to ask").help("add [services.ca]"));
    }
    let only_hers = |key: &str| match table.get(key) {
        Some(node) if !hers => Err(node.problem(format!("only the attacker has use for `{key}`"))),
        found => Ok(found),
    };
    let with = only_hers("with")?.map(stolen_key).transpose()?;
    let term = only_hers("as")?.map(|node| name(node).map(Term::Name)).transpose()?;
    table.finish()?;
    let words = errand.to_string().into();
    Ok(RequestSpec { number, at, by, errand, words, with, term })
}

/// What the authority does with certificates and the centre with keys has two words, and
/// whoever takes the wrong one should not be told to set up an authority.
fn check_whom(setup: &Setup, ask: &Node, request: &Node) -> Result<(), Problem> {
    let word = string(ask)?;
    let Some((_, meant)) = FOR_KEYS.iter().find(|(of_ca, _)| *of_ca == word) else { return Ok(()) };
    let names_key = Reader::new(request)?.get("key").is_some();
    let centre_alone = setup.key_centre.is_some() && !setup.services.contains(&Service::Ca);
    match names_key || centre_alone {
        true => {
            Err(ask.problem(format!("`{word}` is for certificates")).help(format!("did you mean `{meant}`?")))
        }
        false => Ok(()),
    }
}

/// A long-term key that the attacker stole.
fn stolen_key(node: &Node) -> Result<Term, Problem> {
    let mut places = Places::default();
    let text = string(node)?;
    let term = parse::term(&places.quote(text, node))
        .map_err(|fault| places.problem(&fault).unwrap_or_else(|| node.problem("not a term")))?;
    match &term {
        Term::App(Func::Sk | Func::K, _) => Ok(term),
        _ => Err(node
            .problem(format!("`{text}` shows nobody who asks"))
            .help("expected a key that she stole, such as `sk(alice)` or `k(alice,ca)`")),
    }
}

fn new_key(table: &Reader<'_>) -> Result<bool, Problem> {
    let Some(node) = table.get("key") else { return Ok(false) };
    match string(node)? {
        "same" => Ok(false),
        "new" => Ok(true),
        other => Err(unknown(node, "key", other, &["same", "new"])),
    }
}
