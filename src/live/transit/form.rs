//! What requests to the transit routes have in common: names, fields, batches, the frame of an
//! answer. Must not know what is done with a key.

use serde_json::{Map, Value, json};

use crate::limits::MAX_LIVE_BATCH;
use crate::live::answer::Reply;
use crate::live::engine::Client;
use crate::live::request::{Call, Refusal};

/// What a client calls a key, as the vault does: nobody meets another's.
pub fn name_of(client: &Client, call: &Call) -> Result<String, Refusal> {
    let name = call.part("name");
    let is_one_of = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 60 || !name.chars().all(is_one_of) {
        return Err(Refusal::malformed(
            "the key's name: expected up to 60 letters, digits, `-`, `_` and `.`",
        ));
    }
    Ok(format!("{}{name}", prefix(client)))
}

/// How the names of a client's keys begin.
pub fn prefix(client: &Client) -> String {
    format!("transit/{}/", client.name)
}

/// An answer with this in it.
pub fn data(value: Value) -> Reply {
    Reply::json(&json!({
        "request_id": "",
        "lease_id": "",
        "renewable": false,
        "lease_duration": 0,
        "data": value,
        "warnings": null,
        "auth": null,
    }))
}

/// Arguments that are understood and change nothing here, and those that are not understood.
///
/// # Errors
/// `Malformed` for what this service would have to do and does not: nothing is ignored that a
/// caller relies on.
pub fn refuse(fields: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    let is_nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
        _ => false,
    };
    // Some clients repeat the key's name from the path.
    let is_known = |name: &str| name == "name" || known.contains(&name);
    match fields.iter().find(|(name, value)| !is_known(name.as_str()) && !is_nothing(value)) {
        None => Ok(()),
        Some((name, _)) => {
            let name = crate::legible::legible(name).into_owned();
            Err(Refusal::malformed(format!("{name}: this service does not know it, and would not ignore it")))
        }
    }
}

/// A number of the fields.
pub fn number(fields: &Map<String, Value>, name: &str) -> Result<Option<u32>, Refusal> {
    let wrong = || Refusal::malformed(format!("{name}: expected a whole number"));
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| wrong()),
        Some(value) => value.as_u64().and_then(|n| u32::try_from(n).ok()).map(Some).ok_or_else(wrong),
    }
}

/// Whether the fields say so; not if they say nothing.
pub fn flag(fields: &Map<String, Value>, name: &str) -> Result<bool, Refusal> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Refusal::malformed(format!("{name}: expected true or false"))),
    }
}

/// A text of the fields.
pub fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    fields
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| Refusal::malformed(format!("{name}: expected a text, and there is none")))
}

/// Does one item, or each of a batch, whose refusals stand in their places.
pub fn each(
    fields: Map<String, Value>,
    mut one: impl FnMut(&Map<String, Value>) -> Result<Value, Refusal>,
) -> Result<Reply, Refusal> {
    let Some(Value::Array(batch)) = fields.get("batch_input").filter(|batch| !batch.is_null()) else {
        if fields.get("batch_input").is_some_and(|batch| !batch.is_null()) {
            return Err(Refusal::malformed("batch_input: expected an array"));
        }
        return Ok(data(one(&fields)?));
    };
    if batch.is_empty() {
        return Ok(data(one(&fields)?));
    }
    if batch.len() > MAX_LIVE_BATCH {
        return Err(Refusal::malformed(format!("batch_input: expected at most {MAX_LIVE_BATCH} items")));
    }
    let mut has_failed = false;
    let results: Vec<Value> = batch
        .iter()
        .map(|item| {
            let done = match item {
                Value::Object(item) => one(item),
                _ => Err(Refusal::malformed("batch_input: expected objects")),
            };
            done.unwrap_or_else(|refusal| {
                has_failed = true;
                json!({ "error": refusal.detail.unwrap_or_else(|| refusal.reason.word().to_owned()) })
            })
        })
        .collect();
    Ok(data(json!({ "batch_results": results })).status(if has_failed { 400 } else { 200 }))
}
