//! What the transit routes do with keys. Must not know how keys come to be.

use serde_json::{Map, Value, json};

use super::form::{data, each, name_of, number, refuse, text};
use super::keys::described;
use crate::limits::MAX_LIVE_RANDOM_BYTES;
use crate::live::answer::Reply;
use crate::live::engine::{Client, Engine};
use crate::live::request::{Call, Refusal, base64, from_base64};
use crate::reason::Reason;
use crate::vault::{Bytes, Frame, KeyKind, Operation, Response};

/// What binds a ciphertext. A `context` is for derived keys, of which there are none here.
fn bound(fields: &Map<String, Value>) -> Result<Bytes, Refusal> {
    match fields.get("associated_data").and_then(Value::as_str) {
        Some(text) => Ok(from_base64("associated_data", text)?.into()),
        None => Ok(Bytes::default()),
    }
}

pub fn encrypt(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

pub fn decrypt(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

pub fn rewrap(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let name = name_of(client, call)?;
    each(call.json()?, |item| {
        refuse(item, &["ciphertext", "associated_data", "batch_input", "reference"])?;
        let framed = framed(&name, "ciphertext", text(item, "ciphertext")?)?;
        ciphertext(engine.operate(client, Operation::Rewrap { ciphertext: framed, context: bound(item)? })?)
    })
}

pub fn datakey(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

pub fn sign(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let fields: Map<String, Value> = call.json()?;
    let name = name_of(client, call)?;
    check_form(&fields, &["input"])?;
    let message = from_base64("input", text(&fields, "input")?)?.into();
    let kind = check_kind(engine, client, (&name, false))?;
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

pub fn hmac(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let name = name_of(client, call)?;
    let fields: Map<String, Value> = call.json()?;
    let algorithm = call.path.get("algorithm").map(String::as_str);
    let named = fields.get("algorithm").and_then(Value::as_str);
    if algorithm.or(named).is_some_and(|algorithm| !["", "sha2-256"].contains(&algorithm)) {
        return Err(Refusal::malformed("algorithm: expected sha2-256"));
    }
    check_kind(engine, client, (&name, true))?;
    each(fields, |item| {
        refuse(item, &["input", "algorithm", "batch_input", "reference"])?;
        let message = from_base64("input", text(item, "input")?)?.into();
        let operation = Operation::Sign { key: name.clone(), message };
        let Response::Signature(framed) = engine.operate(client, operation)? else {
            return Err(Reason::Malformed.into());
        };
        let Frame { version, body, .. } = Frame::read(&framed)?;
        Ok(json!({ "hmac": format!("vault:v{version}:{}", base64(body)) }))
    })
}

/// A key has one purpose: what signs makes no codes, and the other way round.
fn check_kind(
    engine: &mut Engine,
    client: &Client,
    (name, for_codes): (&str, bool),
) -> Result<KeyKind, Refusal> {
    let kind = described(engine, client, name)?.spec.kind;
    if (kind == KeyKind::Hmac256) == for_codes {
        return Ok(kind);
    }
    let detail = "a key of type hmac makes codes, and no other does: a key has one purpose".to_owned();
    Err(Refusal { detail: Some(detail), ..Reason::WrongKeyUsage.into() })
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

pub fn verify(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let fields: Map<String, Value> = call.json()?;
    let name = name_of(client, call)?;
    check_form(&fields, &["input", "signature", "hmac"])?;
    let message = from_base64("input", text(&fields, "input")?)?.into();
    let field = if fields.get("hmac").is_some_and(Value::is_string) { "hmac" } else { "signature" };
    let written = framed(&name, field, text(&fields, field)?)?;
    let kind = check_kind(engine, client, (&name, field == "hmac"))?;
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

pub fn random(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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
