//! What of a key leaves: its public half, a symmetric key to its owner, what two halves agree on.

use serde::Deserialize;
use serde_json::json;

use crate::crypto::hkdf_sha256;
use crate::live::answer::Reply;
use crate::live::engine::{Client, Engine};
use crate::live::request::{Call, Refusal, base64, from_base64};
use crate::reason::Reason;
use crate::vault::{Bytes, Operation, Response, WrapUnder};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Versioned {
    key_id: String,
    version: Option<u32>,
}

pub fn public(
    engine: &mut Engine,
    client: &Client,
    key: &str,
    version: Option<u32>,
) -> Result<Vec<u8>, Refusal> {
    match engine.operate(client, Operation::PublicKey { key: key.to_owned(), version })? {
        Response::PublicKey(public) => Ok(public.to_vec()),
        _ => Err(Reason::Malformed.into()),
    }
}

pub fn pem_of(spki: &[u8]) -> Result<String, Refusal> {
    der::pem::encode_string("PUBLIC KEY", der::pem::LineEnding::LF, spki)
        .map_err(|_| Reason::Malformed.into())
}

pub fn public_key(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let Versioned { key_id, version } = call.json()?;
    let public = public(engine, client, &key_id, version)?;
    // A share is no SubjectPublicKeyInfo.
    let is_share = public.first() != Some(&0x30);
    let answer = match is_share {
        true => json!({ "key_id": key_id, "share": base64(&public) }),
        false => json!({ "key_id": key_id, "public_key": pem_of(&public)? }),
    };
    Ok(Reply::json(&answer))
}

pub fn exported(
    engine: &mut Engine,
    client: &Client,
    key: &str,
    version: Option<u32>,
) -> Result<Bytes, Refusal> {
    let under = WrapUnder::OwnersChannel;
    match engine.operate(client, Operation::Export { key: key.to_owned(), version, under })? {
        Response::Secret(secret) => Ok(secret),
        _ => Err(Reason::Malformed.into()),
    }
}

pub fn export(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let Versioned { key_id, version } = call.json()?;
    let secret = exported(engine, client, &key_id, version)?;
    Ok(Reply::json(&json!({ "key_id": key_id, "key": base64(&secret) })))
}

pub fn agree(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        key_id: String,
        share: String,
    }
    let Body { key_id, share } = call.json()?;
    let theirs = from_base64("share", &share)?;
    let own = public(engine, client, &key_id, None)?;
    let operation = Operation::Agree { key: key_id.clone(), share: theirs.as_slice().into() };
    let Response::Secret(secret) = engine.operate(client, operation)? else {
        return Err(Reason::Malformed.into());
    };
    // SP 800-56C: what was agreed is no key yet; both shares go in, in an order that both know.
    let mut shares = [own, theirs];
    shares.sort();
    let mut key = zeroize::Zeroizing::new([0; 32]);
    hkdf_sha256(&secret, b"mallory agree 1", &shares.concat(), &mut *key);
    Ok(Reply::json(&json!({
        "key_id": key_id,
        "key": base64(&*key),
        "derivation": "HKDF-SHA-256, salt `mallory agree 1`, info: both shares, the smaller first",
    })))
}
