//! The transit routes of Vault and OpenBao, so that their clients work unmodified: named keys with
//! versions, `vault:vN:…` ciphertexts, errors in their form. Each client has names of its own.
//! Must not know what the gate permits.

use serde_json::{Map, Value, json};

use super::answer::Reply;
use super::engine::{Client, Engine};
use super::request::{Call, Refusal, base64, from_base64};
use super::table::{Field, Route, needed, optional};
use crate::limits::{MAX_LIVE_BATCH, MAX_LIVE_RANDOM_BYTES};
use crate::reason::Reason;
use crate::time::{SPAN_EXPECTED, Span};
use crate::vault::{Bytes, Changes, Frame, Key, KeyKind, KeySpec, KeyState, Operation, Response, Usage};

const BATCH: Field = optional("batch_input", "array", "several at once");
const AAD: Field = optional("associated_data", "string", "base64; bound to the ciphertext");
const CREATE: &[Field] =
    &[optional("type", "string", "aes256-gcm96 (the default), rsa-2048, ed25519, ecdsa-p256")];
const ENCRYPT: &[Field] = &[
    needed("plaintext", "string", "base64"),
    AAD,
    optional("key_version", "integer", "the latest by default"),
    BATCH,
];
const DECRYPT: &[Field] = &[needed("ciphertext", "string", "vault:vN:…"), AAD, BATCH];
const CONFIG: &[Field] = &[
    optional("min_decryption_version", "integer", "the oldest that decrypts"),
    optional("min_encryption_version", "integer", "the oldest that encrypts; 0: the latest only"),
    optional("deletion_allowed", "boolean", "whether DELETE is permitted"),
    optional("auto_rotate_period", "string", "such as 30d; 0 lifts it"),
];
const TRIM: &[Field] = &[needed("min_available_version", "integer", "the oldest that stays")];

/// The routes.
pub const ROUTES: &[Route] = &[
    Route::vault("POST", "/v1/transit/keys/{name}", "generate", "Makes a key.", CREATE, create),
    Route::vault("PUT", "/v1/transit/keys/{name}", "generate", "As POST.", CREATE, create),
    Route::vault("GET", "/v1/transit/keys/{name}", "describe", "A key's type and versions.", &[], read),
    Route::vault(
        "DELETE",
        "/v1/transit/keys/{name}",
        "destroy",
        "Destroys a key, if its config allows it.",
        &[],
        delete,
    ),
    Route::vault("LIST", "/v1/transit/keys", "list", "The names of the client's keys.", &[], list),
    Route::vault("GET", "/v1/transit/keys", "list", "As LIST, with ?list=true.", &[], list),
    Route::vault("POST", "/v1/transit/keys/{name}/rotate", "rotate", "Makes a new version.", &[], rotate),
    Route::vault("PUT", "/v1/transit/keys/{name}/rotate", "rotate", "As POST.", &[], rotate),
    Route::vault(
        "POST",
        "/v1/transit/keys/{name}/config",
        "configure",
        "Changes settings.",
        CONFIG,
        configure,
    ),
    Route::vault("PUT", "/v1/transit/keys/{name}/config", "configure", "As POST.", CONFIG, configure),
    Route::vault(
        "POST",
        "/v1/transit/keys/{name}/trim",
        "trim",
        "Destroys old versions for ever.",
        TRIM,
        trim,
    ),
    Route::vault("PUT", "/v1/transit/keys/{name}/trim", "trim", "As POST.", TRIM, trim),
    Route::vault("POST", "/v1/transit/encrypt/{name}", "encrypt", "Encrypts.", ENCRYPT, encrypt),
    Route::vault("PUT", "/v1/transit/encrypt/{name}", "encrypt", "As POST.", ENCRYPT, encrypt),
    Route::vault("POST", "/v1/transit/decrypt/{name}", "decrypt", "Decrypts.", DECRYPT, decrypt),
    Route::vault("PUT", "/v1/transit/decrypt/{name}", "decrypt", "As POST.", DECRYPT, decrypt),
    Route::vault(
        "POST",
        "/v1/transit/rewrap/{name}",
        "rewrap",
        "Encrypts anew under the latest version.",
        DECRYPT,
        rewrap,
    ),
    Route::vault("PUT", "/v1/transit/rewrap/{name}", "rewrap", "As POST.", DECRYPT, rewrap),
    Route::vault(
        "POST",
        "/v1/transit/datakey/{kind}/{name}",
        "encrypt",
        "A new random key, encrypted; with `plaintext` as its kind also bare, else `wrapped`.",
        &[optional("bits", "integer", "128, 256 (the default) or 512"), AAD],
        datakey,
    ),
    Route::vault(
        "POST",
        "/v1/transit/sign/{name}",
        "sign",
        "Signs.",
        &[needed("input", "string", "base64")],
        sign,
    ),
    Route::vault(
        "POST",
        "/v1/transit/verify/{name}",
        "verify",
        "Whether a signature is one of this input.",
        &[needed("input", "string", "base64"), needed("signature", "string", "vault:vN:…")],
        verify,
    ),
    Route::vault(
        "POST",
        "/v1/transit/random",
        "random",
        "Random bytes.",
        &[optional("bytes", "integer", "32 by default")],
        random,
    ),
    Route::vault("POST", "/v1/transit/random/{bytes}", "random", "Random bytes.", &[], random),
];

/// What a client calls a key, as the vault does: nobody meets another's.
fn name_of(client: &Client, call: &Call) -> Result<String, Refusal> {
    let name = call.part("name");
    let is_one_of = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 60 || !name.chars().all(is_one_of) {
        return Err(Refusal::malformed(
            "the key's name: expected up to 60 letters, digits, `-`, `_` and `.`",
        ));
    }
    Ok(format!("{}{name}", prefix(client)))
}

fn prefix(client: &Client) -> String {
    format!("transit/{}/", client.name)
}

fn data(value: Value) -> Reply {
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
fn refuse(fields: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
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

fn create(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let fields: Map<String, Value> = call.json()?;
    refuse(&fields, &["type"])?;
    let (kind, usage) = match fields.get("type").and_then(Value::as_str) {
        None | Some("aes256-gcm96") => (KeyKind::Aes256, Usage::Encrypt),
        Some("rsa-2048") => (KeyKind::Rsa2048, Usage::Encrypt),
        Some("ed25519") => (KeyKind::Ed25519, Usage::Sign),
        Some("ecdsa-p256") => (KeyKind::P256, Usage::Sign),
        Some(_) => {
            return Err(Refusal::malformed("type: expected aes256-gcm96, rsa-2048, ed25519 or ecdsa-p256"));
        }
    };
    let name = name_of(client, call)?;
    let spec = KeySpec::new(kind, usage, &client.name);
    match engine.operate(client, Operation::Generate { key: name.clone(), spec }) {
        // As there: whoever has the key already has what it asks for.
        Err(Refusal { reason: Reason::KeyExists, .. }) => {
            let key = described(engine, client, &name)?;
            let is_same = key.spec.kind == kind && key.state == KeyState::Active;
            if !is_same {
                return Err(Refusal::recorded(Reason::KeyExists));
            }
        }
        other => drop(other?),
    }
    read(engine, client, call)
}

fn described(engine: &mut Engine, client: &Client, name: &str) -> Result<Key, Refusal> {
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

fn read(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let name = name_of(client, call)?;
    let key = described(engine, client, &name)?;
    let mut versions = Map::new();
    for version in &key.versions {
        let value = match key.spec.kind {
            KeyKind::Aes256 => json!(version.since.seconds()),
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
        "exportable": false,
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
    }
}

fn list(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn rotate(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    engine.operate(client, Operation::Rotate { key: name_of(client, call)? })?;
    read(engine, client, call)
}

fn number(fields: &Map<String, Value>, name: &str) -> Result<Option<u32>, Refusal> {
    let wrong = || Refusal::malformed(format!("{name}: expected a whole number"));
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| wrong()),
        Some(value) => value.as_u64().and_then(|n| u32::try_from(n).ok()).map(Some).ok_or_else(wrong),
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    fields
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| Refusal::malformed(format!("{name}: expected a text, and there is none")))
}

fn configure(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn trim(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn delete(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let name = name_of(client, call)?;
    described(engine, client, &name)?;
    if !engine.may_delete(&name)? {
        let detail = Some("deletion is not allowed for this key: set deletion_allowed first".to_owned());
        return Err(Refusal { detail, ..Reason::InvalidSettings.into() });
    }
    engine.operate(client, Operation::Destroy { key: name })?;
    Ok(Reply::empty())
}

/// Does one item, or each of a batch, whose refusals stand in their places.
fn each(
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

/// What binds a ciphertext. A `context` is for derived keys, of which there are none here.
fn bound(fields: &Map<String, Value>) -> Result<Bytes, Refusal> {
    match fields.get("associated_data").and_then(Value::as_str) {
        Some(text) => Ok(from_base64("associated_data", text)?.into()),
        None => Ok(Bytes::default()),
    }
}

fn encrypt(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let name = name_of(client, call)?;
    each(call.json()?, |item| {
        refuse(item, &["plaintext", "associated_data", "key_version", "batch_input", "reference"])?;
        let plaintext = from_base64("plaintext", text(item, "plaintext")?)?.into();
        let version = number(item, "key_version")?.filter(|version| *version != 0);
        let operation = Operation::Encrypt { key: name.clone(), version, plaintext, context: bound(item)? };
        ciphertext(engine.operate(client, operation)?)
    })
}

fn ciphertext(response: Response) -> Result<Value, Refusal> {
    let Response::Ciphertext(framed) = response else { return Err(Reason::Malformed.into()) };
    let Frame { version, body, .. } = Frame::read(&framed)?;
    Ok(json!({ "ciphertext": format!("vault:v{version}:{}", base64(body)), "key_version": version }))
}

/// The frame of what is written `vault:vN:…`.
fn framed(name: &str, field: &str, written: &str) -> Result<Bytes, Refusal> {
    let expected = || Refusal::malformed(format!("{field}: expected vault:vN: and base64"));
    let (version, body) =
        written.strip_prefix("vault:v").and_then(|rest| rest.split_once(':')).ok_or_else(expected)?;
    let version = version.parse().map_err(|_| expected())?;
    let body = from_base64(field, body)?;
    Ok(Frame { key: name, version, body: &body }.write().into())
}

fn decrypt(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let name = name_of(client, call)?;
    each(call.json()?, |item| {
        refuse(item, &["ciphertext", "associated_data", "batch_input", "reference"])?;
        let ciphertext = framed(&name, "ciphertext", text(item, "ciphertext")?)?;
        let operation = Operation::Decrypt { ciphertext, context: bound(item)?, accept_risk: false };
        match engine.operate(client, operation)? {
            Response::Plaintext(text) => Ok(json!({ "plaintext": base64(&text) })),
            _ => Err(Reason::Malformed.into()),
        }
    })
}

fn rewrap(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let name = name_of(client, call)?;
    each(call.json()?, |item| {
        refuse(item, &["ciphertext", "associated_data", "batch_input", "reference"])?;
        let framed = framed(&name, "ciphertext", text(item, "ciphertext")?)?;
        ciphertext(engine.operate(client, Operation::Rewrap { ciphertext: framed, context: bound(item)? })?)
    })
}

fn datakey(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let fields: Map<String, Value> = call.json()?;
    refuse(&fields, &["bits", "associated_data"])?;
    let is_bare = match call.part("kind") {
        "plaintext" => true,
        "wrapped" => false,
        _ => return Err(Refusal::malformed("the path: expected datakey/plaintext or datakey/wrapped")),
    };
    let len = match number(&fields, "bits")?.unwrap_or(256) {
        bits @ (128 | 256 | 512) => bits as usize / 8,
        _ => return Err(Refusal::malformed("bits: expected 128, 256 or 512")),
    };
    let key = engine.random(len)?;
    let operation = Operation::Encrypt {
        key: name_of(client, call)?,
        version: None,
        plaintext: Bytes::from(key.clone()),
        context: bound(&fields)?,
    };
    let mut value = ciphertext(engine.operate(client, operation)?)?;
    if is_bare {
        value["plaintext"] = json!(base64(&key));
    }
    Ok(data(value))
}

fn sign(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let fields: Map<String, Value> = call.json()?;
    let name = name_of(client, call)?;
    check_form(&fields, &["input"])?;
    let message = from_base64("input", text(&fields, "input")?)?.into();
    let kind = described(engine, client, &name)?.spec.kind;
    let Response::Signature(framed) = engine.operate(client, Operation::Sign { key: name, message })? else {
        return Err(Reason::Malformed.into());
    };
    let Frame { version, body, .. } = Frame::read(&framed)?;
    let body = match kind {
        KeyKind::P256 => p256::ecdsa::Signature::from_slice(body)
            .map_err(|_| Reason::Malformed)?
            .to_der()
            .as_bytes()
            .to_vec(),
        _ => body.to_vec(),
    };
    Ok(data(json!({ "signature": format!("vault:v{version}:{}", base64(&body)), "key_version": version })))
}

/// The forms of signatures that there are here: SHA-256, of ECDSA in ASN.1, of RSA none.
fn check_form(fields: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    let forms = ["hash_algorithm", "marshaling_algorithm", "signature_algorithm", "salt_length"];
    refuse(fields, &[known, &forms].concat())?;
    for (name, permitted) in [
        ("hash_algorithm", &["", "sha2-256"][..]),
        ("marshaling_algorithm", &["", "asn1"]),
        ("signature_algorithm", &["", "pss"]),
        ("salt_length", &["", "auto", "hash"]),
    ] {
        if fields.get(name).and_then(Value::as_str).is_some_and(|value| !permitted.contains(&value)) {
            return Err(Refusal::malformed(format!("{name}: expected {}", permitted[1..].join(" or "))));
        }
    }
    Ok(())
}

fn verify(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let fields: Map<String, Value> = call.json()?;
    let name = name_of(client, call)?;
    check_form(&fields, &["input", "signature"])?;
    let message = from_base64("input", text(&fields, "input")?)?.into();
    let written = framed(&name, "signature", text(&fields, "signature")?)?;
    let kind = described(engine, client, &name)?.spec.kind;
    let signature = match kind {
        KeyKind::P256 => {
            let Frame { key, version, body } = Frame::read(&written)?;
            match p256::ecdsa::Signature::from_der(body) {
                Ok(signature) => Frame { key, version, body: &signature.to_bytes() }.write().into(),
                // No signature at all is refused by the vault, which records it.
                Err(_) => Frame { key, version, body: &[] }.write().into(),
            }
        }
        _ => written,
    };
    let valid = match engine.operate(client, Operation::Verify { message, signature, accept_risk: false }) {
        Ok(_) => true,
        Err(Refusal { reason: Reason::BadSignature, .. }) => false,
        Err(refusal) => return Err(refusal),
    };
    Ok(data(json!({ "valid": valid })))
}

fn random(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let fields: Map<String, Value> = call.json()?;
    refuse(&fields, &["bytes", "format"])?;
    let is_hex = match fields.get("format").and_then(Value::as_str) {
        None | Some("base64") => false,
        Some("hex") => true,
        Some(_) => return Err(Refusal::malformed("format: expected base64 or hex")),
    };
    let wrong = || Refusal::malformed(format!("bytes: expected 1 to {MAX_LIVE_RANDOM_BYTES}"));
    let count = match call.path.get("bytes") {
        Some(text) => text.parse().map_err(|_| wrong())?,
        None => number(&fields, "bytes")?.unwrap_or(32),
    } as usize;
    if !(1..=MAX_LIVE_RANDOM_BYTES).contains(&count) {
        return Err(wrong());
    }
    engine.admit(client, crate::vault::Role::ALL, false)?;
    engine.note_done(&client.name, "random", None)?;
    let bytes = engine.random(count)?;
    let text = if is_hex { hex::encode(&*bytes) } else { base64(&bytes) };
    Ok(data(json!({ "random_bytes": text })))
}
