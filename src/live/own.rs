//! The service's own routes: keys by the names of their owners, what is done with them, their
//! states, the audit log. Must not know what the gate permits.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Reply, Style};
use super::engine::{Client, Engine};
use super::request::{Call, Refusal, base64, from_base64};
use super::table::{Field, Guard, Route, Work, needed, optional};
use crate::crypto::hkdf_sha256;
use crate::limits::MAX_AUDIT_PAGE;
use crate::reason::Reason;
use crate::time::{SPAN_EXPECTED, Span};
use crate::vault::{
    Act, Changes, Frame, Key, KeyKind, KeySpec, Operation, Permission, Response, RevocationCause, Usage,
    WrapUnder,
};

const fn route(
    method: &'static str,
    path: &'static str,
    word: &'static str,
    summary: &'static str,
    fields: &'static [Field],
    work: Work,
) -> Route {
    Route { method, path, word, summary, guard: Guard::Certificate, style: Style::Own, fields, work }
}

const CLIENT_ID: Field = needed("client_id", "string", "whose key it is to be");
const NEW_KEY_ID: Field =
    optional("key_id", "string", "the key's name, which begins with the client's and `_`");
const KEY_ID: Field = needed("key_id", "string", "the key's name");
const CONTEXT: Field = optional("context", "string", "base64; bound to the ciphertext, and needed again");
const RISK: Field =
    optional("accept_risk", "boolean", "go on although the key is suspended or compromised; needs consent");

/// The routes.
pub const ROUTES: &[Route] = &[
    route(
        "POST",
        "/generate_symmetric_key",
        "generate",
        "Makes an AES-256 key. Its owner, and nobody else, gets the key itself.",
        &[CLIENT_ID, NEW_KEY_ID],
        generate_symmetric,
    ),
    route(
        "POST",
        "/generate_rsa_key",
        "generate",
        "Makes an RSA-2048 key, whose private half stays inside.",
        &[CLIENT_ID, NEW_KEY_ID, optional("usage", "string", "encrypt (the default) or sign")],
        generate_rsa,
    ),
    route(
        "POST",
        "/generate_dh_key",
        "generate",
        "Makes a Diffie-Hellman key pair, each time a new one, and answers its share.",
        &[
            optional("client_id", "string", "whose it is to be; the caller's by default"),
            NEW_KEY_ID,
            optional("group", "string", "x25519 (the default) or p256"),
        ],
        generate_dh,
    ),
    route(
        "POST",
        "/revoke_key",
        "revoke-key",
        "Revokes a key: compromised for key-compromise, else deactivated.",
        &[
            KEY_ID,
            optional("cause", "string", "such as key-compromise or superseded; unspecified by default"),
        ],
        revoke,
    ),
    route(
        "POST",
        "/encrypt",
        "encrypt",
        "Encrypts under a key's latest version.",
        &[KEY_ID, needed("plaintext", "string", "base64"), CONTEXT],
        encrypt,
    ),
    route(
        "POST",
        "/decrypt",
        "decrypt",
        "Decrypts what was encrypted here.",
        &[needed("ciphertext", "string", "base64"), CONTEXT, RISK],
        decrypt,
    ),
    route(
        "POST",
        "/rewrap",
        "rewrap",
        "Encrypts anew under the latest version; the text stays inside.",
        &[needed("ciphertext", "string", "base64"), CONTEXT],
        rewrap,
    ),
    route("POST", "/rotate", "rotate", "Makes a new version of a key.", &[KEY_ID], rotate),
    route(
        "POST",
        "/sign",
        "sign",
        "Signs with a key's latest version.",
        &[KEY_ID, needed("message", "string", "base64")],
        sign,
    ),
    route(
        "POST",
        "/verify",
        "verify",
        "Says whether a signature that was made here is one of this message.",
        &[needed("message", "string", "base64"), needed("signature", "string", "base64"), RISK],
        verify,
    ),
    route(
        "POST",
        "/agree",
        "agree",
        "Agrees with the holder of another share, and answers a key that is derived of both.",
        &[KEY_ID, needed("share", "string", "base64: the other's share")],
        agree,
    ),
    route(
        "POST",
        "/public_key",
        "public-key",
        "The public half of a key.",
        &[KEY_ID, optional("version", "integer", "the latest by default")],
        public_key,
    ),
    route(
        "POST",
        "/export",
        "export",
        "Hands a symmetric key to its owner, who asks for it itself.",
        &[KEY_ID, optional("version", "integer", "the latest by default")],
        export,
    ),
    route(
        "POST",
        "/configure",
        "configure",
        "Changes a key's settings.",
        &[
            KEY_ID,
            optional("min_encryption", "integer", "the oldest version that may protect; 0: the latest only"),
            optional("min_decryption", "integer", "the oldest version that may process"),
            optional("auto_rotate_period", "string", "such as 30d; 0 lifts it"),
        ],
        configure,
    ),
    route(
        "POST",
        "/trim",
        "trim",
        "Destroys a key's versions below one, for ever.",
        &[KEY_ID, needed("below", "integer", "the oldest version that stays")],
        trim,
    ),
    route("POST", "/suspend", "suspend", "Takes a key out of use for a while.", &[KEY_ID], suspend),
    route("POST", "/resume", "resume", "Takes it back into use.", &[KEY_ID], resume),
    route(
        "POST",
        "/destroy",
        "destroy",
        "Destroys a key, now or after a while.",
        &[KEY_ID, optional("wait", "string", "such as 7d; now by default")],
        destroy,
    ),
    route(
        "POST",
        "/cancel_destruction",
        "cancel-destruction",
        "Thinks better of a destruction that waits.",
        &[KEY_ID],
        cancel,
    ),
    route("GET", "/keys", "list", "The names of the keys that the caller may see.", &[], list),
    route("GET", "/keys/{key_id}", "describe", "A key's state, versions and history.", &[], describe_path),
    route("POST", "/state", "describe", "The same, with the name in the body.", &[KEY_ID], state),
    route("GET", "/audit", "read-audit", "Audit records: `from` a number on, `count` of them.", &[], audit),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Generate {
    client_id: String,
    key_id: Option<String>,
    usage: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneKey {
    key_id: String,
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
        && engine.gate.role(&client.name).is_some_and(|role| role != crate::vault::Role::Client)
    {
        return Err(Reason::UnknownClient.into());
    }
    match engine.operate(client, operation)? {
        Response::Version(version) => Ok(version),
        _ => Err(Reason::Malformed.into()),
    }
}

fn generate_symmetric(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn exported(
    engine: &mut Engine,
    client: &Client,
    key: &str,
    version: Option<u32>,
) -> Result<crate::vault::Bytes, Refusal> {
    let under = WrapUnder::OwnersChannel;
    match engine.operate(client, Operation::Export { key: key.to_owned(), version, under })? {
        Response::Secret(secret) => Ok(secret),
        _ => Err(Reason::Malformed.into()),
    }
}

fn generate_rsa(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn generate_dh(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn public(engine: &mut Engine, client: &Client, key: &str, version: Option<u32>) -> Result<Vec<u8>, Refusal> {
    match engine.operate(client, Operation::PublicKey { key: key.to_owned(), version })? {
        Response::PublicKey(public) => Ok(public.to_vec()),
        _ => Err(Reason::Malformed.into()),
    }
}

fn pem_of(spki: &[u8]) -> Result<String, Refusal> {
    der::pem::encode_string("PUBLIC KEY", der::pem::LineEnding::LF, spki)
        .map_err(|_| Reason::Malformed.into())
}

fn public_key(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Versioned {
    key_id: String,
    version: Option<u32>,
}

fn export(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let Versioned { key_id, version } = call.json()?;
    let secret = exported(engine, client, &key_id, version)?;
    Ok(Reply::json(&json!({ "key_id": key_id, "key": base64(&secret) })))
}

fn revoke(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

/// What the key may still do; `at-risk`: only if the request accepts the risk.
fn permits(key: &Key) -> Value {
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

fn described(engine: &mut Engine, client: &Client, key_id: &str) -> Result<Key, Refusal> {
    match engine.operate(client, Operation::Describe { key: key_id.to_owned() })? {
        Response::Key(key) => Ok(*key),
        _ => Err(Reason::Malformed.into()),
    }
}

fn encrypt(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Framed {
    ciphertext: String,
    #[serde(default)]
    context: String,
    #[serde(default)]
    accept_risk: bool,
}

fn decrypt(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let Framed { ciphertext, context, accept_risk } = call.json()?;
    let ciphertext = from_base64("ciphertext", &ciphertext)?.into();
    let context = from_base64("context", &context)?.into();
    match engine.operate(client, Operation::Decrypt { ciphertext, context, accept_risk })? {
        Response::Plaintext(text) => Ok(Reply::json(&json!({ "plaintext": base64(&text) }))),
        _ => Err(Reason::Malformed.into()),
    }
}

fn rewrap(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let Framed { ciphertext: framed, context, accept_risk } = call.json()?;
    if accept_risk {
        return Err(Refusal::malformed("accept_risk: what is rewrapped is protected anew, at no risk"));
    }
    let framed = from_base64("ciphertext", &framed)?.into();
    let context = from_base64("context", &context)?.into();
    ciphertext(engine.operate(client, Operation::Rewrap { ciphertext: framed, context })?)
}

fn rotate(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let OneKey { key_id } = call.json()?;
    match engine.operate(client, Operation::Rotate { key: key_id.clone() })? {
        Response::Version(version) => Ok(Reply::json(&json!({ "key_id": key_id, "version": version }))),
        _ => Err(Reason::Malformed.into()),
    }
}

fn sign(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn verify(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn agree(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn configure(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn trim(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn suspend(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let OneKey { key_id } = call.json()?;
    engine.operate(client, Operation::Suspend { key: key_id.clone() })?;
    told(engine, client, &key_id)
}

fn resume(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let OneKey { key_id } = call.json()?;
    engine.operate(client, Operation::Resume { key: key_id.clone() })?;
    told(engine, client, &key_id)
}

fn destroy(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn cancel(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let OneKey { key_id } = call.json()?;
    engine.operate(client, Operation::CancelDestruction { key: key_id.clone() })?;
    told(engine, client, &key_id)
}

fn list(engine: &mut Engine, client: &Client, _: &Call) -> Result<Reply, Refusal> {
    match engine.operate(client, Operation::List {})? {
        Response::Names(names) => Ok(Reply::json(&json!({ "keys": names }))),
        _ => Err(Reason::Malformed.into()),
    }
}

fn describe_path(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    describe(engine, client, call.part("key_id"))
}

fn state(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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

fn audit(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
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
