//! What can be read of keys and of what was done with them.

use serde_json::{Value, json};

use super::OneKey;
use crate::limits::MAX_AUDIT_PAGE;
use crate::live::answer::Reply;
use crate::live::engine::{Client, Engine};
use crate::live::request::{Call, Refusal};
use crate::reason::Reason;
use crate::vault::{Act, Key, Operation, Permission, Response, Usage};

/// What the key may still do; `at-risk`: only if the request accepts the risk.
pub fn permits(key: &Key) -> Value {
    let acts: &[(&str, Act)] = match key.spec.usage {
        Usage::Encrypt => &[("encrypt", Act::Encrypt), ("decrypt", Act::Decrypt), ("rewrap", Act::Rewrap)],
        Usage::Sign => &[("sign", Act::Sign), ("verify", Act::Verify)],
        Usage::Agree => &[("agree", Act::Agree)],
        Usage::Wrap => &[("wrap", Act::Wrap)],
    };
    let word = |act| match key.state.permits(act) {
        Permission::Allowed => "yes",
        Permission::AtRisk(_) => "at-risk",
        Permission::Refused(_) => "no",
    };
    acts.iter()
        .map(|(name, act)| ((*name).to_owned(), json!(word(*act))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

pub fn described(engine: &mut Engine, client: &Client, key_id: &str) -> Result<Key, Refusal> {
    match engine.operate(client, Operation::Describe { key: key_id.to_owned() })? {
        Response::Key(key) => Ok(*key),
        _ => Err(Reason::Malformed.into()),
    }
}

pub fn list(engine: &mut Engine, client: &Client, _: &Call) -> Result<Reply, Refusal> {
    match engine.operate(client, Operation::List {})? {
        Response::Names(names) => Ok(Reply::json(&json!({ "keys": names }))),
        _ => Err(Reason::Malformed.into()),
    }
}

pub fn describe_path(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    describe(engine, client, call.part("key_id"))
}

pub fn state(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let OneKey { key_id } = call.json()?;
    describe(engine, client, &key_id)
}

fn describe(engine: &mut Engine, client: &Client, key_id: &str) -> Result<Reply, Refusal> {
    let key = described(engine, client, key_id)?;
    let history: Vec<Value> = key
        .history
        .iter()
        .map(|change| json!({ "at": change.at.seconds(), "to": change.to.word(), "by": change.actor }))
        .collect();
    let versions: Vec<Value> = key
        .versions
        .iter()
        .map(|v| json!({ "version": v.number, "since": v.since.seconds(), "operations": v.operations }))
        .collect();
    Ok(Reply::json(&json!({
        "key_id": key.name,
        "owner": key.spec.owner,
        "algorithm": key.spec.kind.word(),
        "usage": key.spec.usage.word(),
        "state": key.state.word(),
        "permits": permits(&key),
        "exportable": key.spec.exportable,
        "min_encryption": key.spec.settings.min_encryption,
        "min_decryption": key.spec.settings.min_decryption,
        "destroyed_at": key.destroy_at.map(|at| at.seconds()),
        "versions": versions,
        "history": history,
    })))
}

pub fn audit(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let from = call.number("from", 1)?;
    let count = call.number("count", MAX_AUDIT_PAGE as u64)?;
    let Response::Audit(log) = engine.operate(client, Operation::ReadAudit { from, count })? else {
        return Err(Reason::Malformed.into());
    };
    let records: Vec<Value> = log
        .iter()
        .map(|record| {
            json!({
                "sequence": record.sequence,
                "at": record.at.seconds(),
                "actor": record.actor,
                "operation": record.operation,
                "key": record.key,
                "outcome": record.refused.map_or("done", Reason::word),
                "hash": hex::encode(record.hash()),
            })
        })
        .collect();
    Ok(Reply::json(&json!({ "records": records })))
}
