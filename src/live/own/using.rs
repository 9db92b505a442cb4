//! What is done with keys: encrypts, decrypts, signs, verifies.

use serde::Deserialize;
use serde_json::json;

use crate::live::answer::Reply;
use crate::live::engine::{Client, Engine};
use crate::live::request::{Call, Refusal, base64, from_base64};
use crate::reason::Reason;
use crate::vault::{Frame, Operation, Response};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Framed {
    ciphertext: String,
    #[serde(default)]
    context: String,
    #[serde(default)]
    accept_risk: bool,
}

pub fn encrypt(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        key_id: String,
        plaintext: String,
        #[serde(default)]
        context: String,
    }
    let Body { key_id, plaintext, context } = call.json()?;
    let plaintext = from_base64("plaintext", &plaintext)?.into();
    let context = from_base64("context", &context)?.into();
    ciphertext(engine.operate(client, Operation::Encrypt { key: key_id, version: None, plaintext, context })?)
}

fn ciphertext(response: Response) -> Result<Reply, Refusal> {
    let Response::Ciphertext(framed) = response else { return Err(Reason::Malformed.into()) };
    let Frame { key, version, .. } = Frame::read(&framed)?;
    Ok(Reply::json(&json!({ "key_id": key, "version": version, "ciphertext": base64(&framed) })))
}

pub fn decrypt(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let Framed { ciphertext, context, accept_risk } = call.json()?;
    let ciphertext = from_base64("ciphertext", &ciphertext)?.into();
    let context = from_base64("context", &context)?.into();
    match engine.operate(client, Operation::Decrypt { ciphertext, context, accept_risk })? {
        Response::Plaintext(text) => Ok(Reply::json(&json!({ "plaintext": base64(&text) }))),
        _ => Err(Reason::Malformed.into()),
    }
}

pub fn rewrap(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let Framed { ciphertext: framed, context, accept_risk } = call.json()?;
    if accept_risk {
        return Err(Refusal::malformed("accept_risk: what is rewrapped is protected anew, at no risk"));
    }
    let framed = from_base64("ciphertext", &framed)?.into();
    let context = from_base64("context", &context)?.into();
    ciphertext(engine.operate(client, Operation::Rewrap { ciphertext: framed, context })?)
}

pub fn sign(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        key_id: String,
        message: String,
    }
    let Body { key_id, message } = call.json()?;
    let message = from_base64("message", &message)?.into();
    match engine.operate(client, Operation::Sign { key: key_id, message })? {
        Response::Signature(framed) => {
            let Frame { key, version, body } = Frame::read(&framed)?;
            Ok(Reply::json(&json!({
                "key_id": key, "version": version, "signature": base64(&framed), "plain": base64(body),
            })))
        }
        _ => Err(Reason::Malformed.into()),
    }
}

pub fn verify(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        message: String,
        signature: String,
        #[serde(default)]
        accept_risk: bool,
    }
    let Body { message, signature, accept_risk } = call.json()?;
    let message = from_base64("message", &message)?.into();
    let signature = from_base64("signature", &signature)?.into();
    match engine.operate(client, Operation::Verify { message, signature, accept_risk }) {
        Ok(_) => Ok(Reply::json(&json!({ "valid": true }))),
        Err(Refusal { reason: Reason::BadSignature, .. }) => Ok(Reply::json(&json!({ "valid": false }))),
        Err(other) => Err(other),
    }
}
