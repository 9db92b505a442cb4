//! What becomes of keys: rotation, settings, states, the end.

use serde::Deserialize;
use serde_json::json;

use super::OneKey;
use super::reading::{described, permits};
use crate::live::answer::Reply;
use crate::live::engine::{Client, Engine};
use crate::live::request::{Call, Refusal};
use crate::reason::Reason;
use crate::time::{SPAN_EXPECTED, Span};
use crate::vault::{Changes, Operation, Response, RevocationCause};

pub fn revoke(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        key_id: String,
        #[serde(default = "unspecified")]
        cause: RevocationCause,
    }
    fn unspecified() -> RevocationCause {
        RevocationCause::Unspecified
    }
    let Body { key_id, cause } = call.json()?;
    engine.operate(client, Operation::Revoke { key: key_id.clone(), cause })?;
    told(engine, client, &key_id)
}

/// The state that something led to.
fn told(engine: &mut Engine, client: &Client, key_id: &str) -> Result<Reply, Refusal> {
    let key = described(engine, client, key_id)?;
    Ok(Reply::json(&json!({ "key_id": key_id, "state": key.state.word(), "permits": permits(&key) })))
}

pub fn rotate(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let OneKey { key_id } = call.json()?;
    match engine.operate(client, Operation::Rotate { key: key_id.clone() })? {
        Response::Version(version) => Ok(Reply::json(&json!({ "key_id": key_id, "version": version }))),
        _ => Err(Reason::Malformed.into()),
    }
}

pub fn configure(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        key_id: String,
        min_encryption: Option<u32>,
        min_decryption: Option<u32>,
        auto_rotate_period: Option<String>,
    }
    let Body { key_id, min_encryption, min_decryption, auto_rotate_period } = call.json()?;
    let auto_rotate_period = auto_rotate_period.as_deref().map(span).transpose()?;
    let changes = Changes { min_encryption, min_decryption, auto_rotate_period, ..Changes::default() };
    engine.operate(client, Operation::Configure { key: key_id.clone(), changes })?;
    told(engine, client, &key_id)
}

fn span(text: &str) -> Result<Span, Refusal> {
    Span::parse(text).ok_or_else(|| Refusal::malformed(format!("expected {SPAN_EXPECTED}")))
}

pub fn trim(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        key_id: String,
        below: u32,
    }
    let Body { key_id, below } = call.json()?;
    engine.operate(client, Operation::Trim { key: key_id.clone(), below })?;
    told(engine, client, &key_id)
}

pub fn suspend(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let OneKey { key_id } = call.json()?;
    engine.operate(client, Operation::Suspend { key: key_id.clone() })?;
    told(engine, client, &key_id)
}

pub fn resume(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let OneKey { key_id } = call.json()?;
    engine.operate(client, Operation::Resume { key: key_id.clone() })?;
    told(engine, client, &key_id)
}

pub fn destroy(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        key_id: String,
        wait: Option<String>,
    }
    let Body { key_id, wait } = call.json()?;
    let operation = match wait {
        None => Operation::Destroy { key: key_id.clone() },
        Some(wait) => Operation::ScheduleDestruction { key: key_id.clone(), wait: span(&wait)? },
    };
    engine.operate(client, operation)?;
    told(engine, client, &key_id)
}

pub fn cancel(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let OneKey { key_id } = call.json()?;
    engine.operate(client, Operation::CancelDestruction { key: key_id.clone() })?;
    told(engine, client, &key_id)
}
