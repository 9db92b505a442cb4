//! Keys and their versions, as the transit routes have them. Must not know what is encrypted.

use serde_json::{Map, Value, json};

use super::form::{data, flag, name_of, number, prefix, refuse};
use crate::live::answer::Reply;
use crate::live::engine::{Client, Engine};
use crate::live::own::exported;
use crate::live::request::{Call, Refusal, base64};
use crate::reason::Reason;
use crate::time::{SPAN_EXPECTED, Span};
use crate::vault::{Changes, Key, KeyKind, KeySpec, KeyState, Operation, Response, Usage};

pub fn create(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let fields: Map<String, Value> = call.json()?;
    refuse(&fields, &["type", "exportable"])?;
    let (kind, usage) = match fields.get("type").and_then(Value::as_str) {
        None | Some("aes256-gcm96") => (KeyKind::Aes256, Usage::Encrypt),
        Some("rsa-2048") => (KeyKind::Rsa2048, Usage::Encrypt),
        Some("ed25519") => (KeyKind::Ed25519, Usage::Sign),
        Some("ecdsa-p256") => (KeyKind::P256, Usage::Sign),
        Some("hmac") => (KeyKind::Hmac256, Usage::Sign),
        Some(_) => {
            let expected = "type: expected aes256-gcm96, rsa-2048, ed25519, ecdsa-p256 or hmac";
            return Err(Refusal::malformed(expected));
        }
    };
    let exportable = flag(&fields, "exportable")?;
    if exportable && !matches!(kind, KeyKind::Aes256 | KeyKind::Hmac256) {
        return Err(Refusal::malformed("exportable: private keys stay inside"));
    }
    let name = name_of(client, call)?;
    let spec = KeySpec { exportable, ..KeySpec::new(kind, usage, &client.name) };
    match engine.operate(client, Operation::Generate { key: name.clone(), spec }) {
        // As there: whoever has the key already has what it asks for.
        Err(Refusal { reason: Reason::KeyExists, .. }) => {
            let key = described(engine, client, &name)?;
            let is_same =
                key.spec.kind == kind && key.spec.exportable == exportable && key.state == KeyState::Active;
            if !is_same {
                return Err(Refusal::recorded(Reason::KeyExists));
            }
        }
        other => drop(other?),
    }
    read(engine, client, call)
}

/// A key of the client's, which is there and not destroyed.
///
/// # Errors
/// `UnknownKey`; the gate's and the vault's.
pub fn described(engine: &mut Engine, client: &Client, name: &str) -> Result<Key, Refusal> {
    let missing = || Refusal::recorded(Reason::UnknownKey);
    match engine.operate(client, Operation::Describe { key: name.to_owned() }) {
        Ok(Response::Key(key))
            if matches!(key.state, KeyState::Destroyed | KeyState::DestroyedCompromised) =>
        {
            Err(missing())
        }
        Ok(Response::Key(key)) => Ok(*key),
        // The names are the client's own: whoever may not see one has none of that name.
        Err(Refusal { reason: Reason::Forbidden, .. }) => Err(missing()),
        Err(refusal) => Err(refusal),
        Ok(_) => Err(Reason::Malformed.into()),
    }
}

pub fn read(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let name = name_of(client, call)?;
    let key = described(engine, client, &name)?;
    let mut versions = Map::new();
    for version in &key.versions {
        let value = match key.spec.kind {
            KeyKind::Aes256 | KeyKind::Hmac256 => json!(version.since.seconds()),
            _ => {
                let operation = Operation::PublicKey { key: name.clone(), version: Some(version.number) };
                let Response::PublicKey(public) = engine.operate(client, operation)? else {
                    return Err(Reason::Malformed.into());
                };
                let pem = der::pem::encode_string("PUBLIC KEY", der::pem::LineEnding::LF, &public);
                json!({ "creation_time": version.since.seconds(), "name": key.spec.kind.word(), "public_key": pem.map_err(|_| Reason::Malformed)? })
            }
        };
        versions.insert(version.number.to_string(), value);
    }
    let settings = key.spec.settings;
    let oldest = key.versions.first().map_or(1, |version| version.number);
    Ok(data(json!({
        "name": call.part("name"),
        "type": type_of(key.spec.kind),
        "keys": versions,
        "latest_version": key.latest().number,
        "min_available_version": if oldest > 1 { oldest } else { 0 },
        "min_decryption_version": settings.min_decryption.max(1),
        "min_encryption_version": settings.min_encryption,
        "auto_rotate_period": settings.auto_rotate_period.map_or(0, |span| span.0 / 1_000_000_000),
        "deletion_allowed": engine.may_delete(&name)?,
        "derived": false,
        "exportable": key.spec.exportable,
        "allow_plaintext_backup": false,
        "imported_key": false,
        "soft_deleted": false,
        "supports_encryption": key.spec.usage == Usage::Encrypt,
        "supports_decryption": key.spec.usage == Usage::Encrypt,
        "supports_signing": key.spec.usage == Usage::Sign,
        "supports_derivation": false,
    })))
}

fn type_of(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Aes256 => "aes256-gcm96",
        KeyKind::Rsa2048 => "rsa-2048",
        KeyKind::Ed25519 => "ed25519",
        KeyKind::P256 => "ecdsa-p256",
        KeyKind::X25519 => "x25519",
        KeyKind::Hmac256 => "hmac",
    }
}

pub fn list(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let is_list = call.query.get("list").is_none_or(|value| value == "true");
    if !is_list {
        return Err(Refusal::malformed("list: expected true"));
    }
    let Response::Names(names) = engine.operate(client, Operation::List {})? else {
        return Err(Reason::Malformed.into());
    };
    let prefix = prefix(client);
    let own: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(&prefix)).collect();
    if own.is_empty() {
        return Ok(Reply::json(&json!({ "errors": [] })).status(404));
    }
    Ok(data(json!({ "keys": own })))
}

pub fn rotate(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    engine.operate(client, Operation::Rotate { key: name_of(client, call)? })?;
    read(engine, client, call)
}

pub fn configure(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let fields: Map<String, Value> = call.json()?;
    refuse(
        &fields,
        &["min_decryption_version", "min_encryption_version", "deletion_allowed", "auto_rotate_period"],
    )?;
    let name = name_of(client, call)?;
    let auto_rotate_period = match fields.get("auto_rotate_period") {
        None | Some(Value::Null) => None,
        Some(Value::Number(seconds)) => seconds.as_u64().map(Span::seconds),
        Some(Value::String(span)) => Some(
            Span::parse(span)
                .ok_or_else(|| Refusal::malformed(format!("auto_rotate_period: expected {SPAN_EXPECTED}")))?,
        ),
        Some(_) => return Err(Refusal::malformed(format!("auto_rotate_period: expected {SPAN_EXPECTED}"))),
    };
    let changes = Changes {
        min_decryption: number(&fields, "min_decryption_version")?,
        min_encryption: number(&fields, "min_encryption_version")?,
        auto_rotate_period,
        ..Changes::default()
    };
    engine.operate(client, Operation::Configure { key: name.clone(), changes })?;
    match fields.get("deletion_allowed") {
        None | Some(Value::Null) => {}
        Some(Value::Bool(allowed)) => engine.allow_deletion(&client.name, &name, *allowed)?,
        Some(_) => return Err(Refusal::malformed("deletion_allowed: expected true or false")),
    }
    read(engine, client, call)
}

pub fn trim(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let fields: Map<String, Value> = call.json()?;
    refuse(&fields, &["min_available_version"])?;
    let name = name_of(client, call)?;
    let below = number(&fields, "min_available_version")?
        .ok_or_else(|| Refusal::malformed("min_available_version: expected a whole number"))?;
    // As there: what may still be used is not destroyed.
    let settings = described(engine, client, &name)?.spec.settings;
    if below > settings.min_decryption.max(1)
        || settings.min_encryption == 0
        || below > settings.min_encryption
    {
        let detail = "min_available_version: expected no more than min_decryption_version and min_encryption_version, both set";
        return Err(Refusal { detail: Some(detail.to_owned()), ..Reason::InvalidSettings.into() });
    }
    engine.operate(client, Operation::Trim { key: name, below })?;
    read(engine, client, call)
}

/// A symmetric key, to its owner, if it was made to be exported.
pub fn export(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let name = name_of(client, call)?;
    let key = described(engine, client, &name)?;
    let is_kind = match call.part("kind") {
        "encryption-key" => key.spec.kind == KeyKind::Aes256,
        "hmac-key" => key.spec.kind == KeyKind::Hmac256,
        // Of those who sign, private keys stay inside.
        "signing-key" | "public-key" => false,
        _ => return Err(Refusal::malformed("the path: expected export/encryption-key or export/hmac-key")),
    };
    if !is_kind {
        return Err(Reason::NotExportable.into());
    }
    let versions: Vec<u32> = match call.path.get("version").map(String::as_str) {
        None => key.versions.iter().map(|version| version.number).collect(),
        Some("latest") => vec![key.latest().number],
        Some(text) => {
            vec![text.parse().map_err(|_| Refusal::malformed("the version: expected a number or latest"))?]
        }
    };
    let mut keys = Map::new();
    for version in versions.into_iter().filter(|version| *version >= key.spec.settings.min_decryption) {
        let secret = exported(engine, client, &name, Some(version))?;
        keys.insert(version.to_string(), json!(base64(&secret)));
    }
    Ok(data(json!({ "name": call.part("name"), "type": type_of(key.spec.kind), "keys": keys })))
}

pub fn delete(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let name = name_of(client, call)?;
    described(engine, client, &name)?;
    if !engine.may_delete(&name)? {
        let detail = Some("deletion is not allowed for this key: set deletion_allowed first".to_owned());
        return Err(Refusal { detail, ..Reason::InvalidSettings.into() });
    }
    engine.operate(client, Operation::Destroy { key: name })?;
    Ok(Reply::empty())
}
