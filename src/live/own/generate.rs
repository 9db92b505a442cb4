//! Makes keys: for their owners, by those who may.

use serde::Deserialize;
use serde_json::json;

use super::material::{exported, pem_of, public};
use crate::live::answer::Reply;
use crate::live::engine::{Client, Engine};
use crate::live::request::{Call, Refusal, base64};
use crate::reason::Reason;
use crate::vault::{KeyKind, KeySpec, Operation, Response, Role, Usage};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Generate {
    client_id: String,
    key_id: Option<String>,
    usage: Option<String>,
}

/// The name of a key of somebody's: nobody takes a name that looks like another's.
fn named(client_id: &str, key_id: Option<String>, suffix: &str) -> Result<String, Refusal> {
    let Some(key_id) = key_id else { return Ok(format!("{client_id}_{suffix}")) };
    let is_own = key_id.strip_prefix(client_id).is_some_and(|rest| rest.starts_with('_'));
    if is_own {
        return Ok(key_id);
    }
    Err(Refusal::malformed("key_id: expected a name that begins with the client_id and `_`"))
}

/// Makes a key for somebody who is enrolled.
fn generate(engine: &mut Engine, client: &Client, (name, spec): (&str, KeySpec)) -> Result<u32, Refusal> {
    let owner = spec.owner.clone();
    let operation = Operation::Generate { key: name.to_owned(), spec };
    // Whoever may make keys for others may be told who there is.
    if owner != client.name
        && engine.gate.role(&owner).is_none()
        && engine.gate.role(&client.name).is_some_and(|role| role != Role::Client)
    {
        return Err(Reason::UnknownClient.into());
    }
    match engine.operate(client, operation)? {
        Response::Version(version) => Ok(version),
        _ => Err(Reason::Malformed.into()),
    }
}

pub fn generate_symmetric(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let Generate { client_id, key_id, usage } = call.json()?;
    if usage.is_some() {
        return Err(Refusal::malformed("usage: a symmetric key is to encrypt"));
    }
    let name = named(&client_id, key_id, "symmetric")?;
    let mut spec = KeySpec::new(KeyKind::Aes256, Usage::Encrypt, &client_id);
    spec.exportable = true;
    let version = generate(engine, client, (&name, spec))?;
    let mut answer =
        json!({ "key_id": name, "owner": client_id, "algorithm": "aes-256-gcm", "version": version });
    if client_id == client.name {
        answer["key"] = json!(base64(&exported(engine, client, &name, Some(version))?));
    }
    Ok(Reply::json(&answer).status(201))
}

pub fn generate_rsa(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let Generate { client_id, key_id, usage } = call.json()?;
    let (usage, algorithm) = match usage.as_deref() {
        None | Some("encrypt") => (Usage::Encrypt, "rsa-2048 (OAEP)"),
        Some("sign") => (Usage::Sign, "rsa-2048 (PSS)"),
        Some(_) => return Err(Refusal::malformed("usage: expected `encrypt` or `sign`")),
    };
    let name = named(&client_id, key_id, "rsa")?;
    let spec = KeySpec::new(KeyKind::Rsa2048, usage, &client_id);
    let version = generate(engine, client, (&name, spec))?;
    let mut answer =
        json!({ "key_id": name, "owner": client_id, "algorithm": algorithm, "version": version });
    answer["public_key"] = json!(pem_of(&public(engine, client, &name, None)?)?);
    Ok(Reply::json(&answer).status(201))
}

pub fn generate_dh(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        client_id: Option<String>,
        key_id: Option<String>,
        group: Option<String>,
    }
    let Body { client_id, key_id, group } = call.json()?;
    let (kind, group) = match group.as_deref() {
        None | Some("x25519") => (KeyKind::X25519, "x25519"),
        Some("p256") => (KeyKind::P256, "p256"),
        Some(_) => return Err(Refusal::malformed("group: expected `x25519` or `p256`")),
    };
    let client_id = client_id.unwrap_or_else(|| client.name.clone());
    let name = named(&client_id, key_id, "dh")?;
    let spec = KeySpec::new(kind, Usage::Agree, &client_id);
    let version = match generate(engine, client, (&name, spec)) {
        // Key pairs are ephemeral: another exchange takes another.
        Err(Refusal { reason: Reason::KeyExists, .. }) => {
            match engine.operate(client, Operation::Rotate { key: name.clone() })? {
                Response::Version(version) => version,
                _ => return Err(Reason::Malformed.into()),
            }
        }
        other => other?,
    };
    let share = public(engine, client, &name, None)?;
    let answer = json!({
        "key_id": name, "owner": client_id, "group": group, "version": version, "share": base64(&share),
    });
    Ok(Reply::json(&answer).status(201))
}
