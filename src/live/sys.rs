//! Routes of Vault and OpenBao about the service itself: whether it is there, sealing, and logging
//! in with a certificate. Must not know keys.

use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::answer::{Reply, Style};
use super::engine::{Client, Engine};
use super::request::{Call, Refusal};
use super::table::{Field, Guard, Route, Work, needed};
use crate::reason::Reason;
use crate::vault::{Role, Unsealing};

const fn route(
    (method, path): (&'static str, &'static str),
    word: &'static str,
    summary: &'static str,
    guard: Guard,
    fields: &'static [Field],
    work: Work,
) -> Route {
    Route { method, path, word, summary, guard, style: Style::Vault, fields, work }
}

const UNSEAL: &[Field] = &[needed("key", "string", "the passphrase: there is one share")];

/// The routes.
pub const ROUTES: &[Route] = &[
    route(
        ("GET", "/v1/sys/health"),
        "health",
        "200 if unsealed, 503 if sealed; needs no certificate.",
        Guard::Open,
        &[],
        health,
    ),
    route(
        ("GET", "/v1/sys/seal-status"),
        "seal-status",
        "Whether it is sealed; needs no certificate.",
        Guard::Open,
        &[],
        seal_status,
    ),
    route(
        ("POST", "/v1/sys/seal"),
        "seal",
        "Forgets every key until it is unsealed, for an administrator.",
        Guard::Token,
        &[],
        seal,
    ),
    route(("PUT", "/v1/sys/seal"), "seal", "As POST.", Guard::Token, &[], seal),
    route(
        ("POST", "/v1/sys/unseal"),
        "unseal",
        "Unseals it with its passphrase, for an administrator.",
        Guard::Certificate,
        UNSEAL,
        unseal,
    ),
    route(("PUT", "/v1/sys/unseal"), "unseal", "As POST.", Guard::Certificate, UNSEAL, unseal),
    route(
        ("POST", "/v1/auth/cert/login"),
        "log-in",
        "A token for the client whose certificate the connection has.",
        Guard::Certificate,
        &[],
        log_in,
    ),
    route(
        ("GET", "/v1/auth/token/lookup-self"),
        "look-up-token",
        "For whom the token stands, and how long.",
        Guard::Token,
        &[],
        look_up,
    ),
    route(
        ("POST", "/v1/auth/token/revoke-self"),
        "revoke-token",
        "Ends the token.",
        Guard::Token,
        &[],
        revoke_self,
    ),
];

const VERSION: &str = concat!("mallory ", env!("CARGO_PKG_VERSION"));

fn health(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    let sealed = engine.gate.vault().is_sealed();
    let now = engine.now();
    let body = json!({
        "initialized": true,
        "sealed": sealed,
        "standby": false,
        "performance_standby": false,
        "server_time_utc": now.seconds(),
        "version": VERSION,
    });
    Ok(Reply::json(&body).status(if sealed { 503 } else { 200 }))
}

fn seal_status(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::json(&status(engine)))
}

fn status(engine: &mut Engine) -> Value {
    json!({
        "type": "passphrase",
        "initialized": true,
        "sealed": engine.gate.vault().is_sealed(),
        "t": 1,
        "n": 1,
        "progress": 0,
        "version": VERSION,
    })
}

fn seal(engine: &mut Engine, client: &Client, _: &Call) -> Result<Reply, Refusal> {
    engine.admit(client, &[Role::Administrator], true)?;
    engine.note_done(&client.name, "seal", None)?;
    engine.gate.vault().seal();
    Ok(Reply::empty())
}

fn unseal(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    struct Body {
        key: String,
    }
    let Body { key } = call.json()?;
    let key = Zeroizing::new(key);
    engine.admit(client, &[Role::Administrator], false)?;
    // Nothing can be recorded while it is sealed, so that guesses are counted here.
    engine.admit_unsealing(&client.name)?;
    if engine.gate.vault().is_sealed() {
        engine.gate.vault().unseal(Unsealing::Passphrase(key.as_bytes())).map_err(|reason| Refusal {
            // There is no log that could be written.
            is_recorded: true,
            ..Refusal::from(reason)
        })?;
        engine.note_done(&client.name, "unseal", None)?;
    }
    Ok(Reply::json(&status(engine)))
}

fn log_in(engine: &mut Engine, client: &Client, _: &Call) -> Result<Reply, Refusal> {
    engine.admit(client, Role::ALL, false)?;
    engine.note_done(&client.name, "log-in", None)?;
    let token = engine.log_in(&client.name)?;
    Ok(Reply::json(&json!({
        "request_id": "",
        "lease_id": "",
        "renewable": false,
        "lease_duration": 0,
        "data": null,
        "auth": {
            "client_token": token,
            "accessor": "",
            "policies": [],
            "token_policies": [],
            "metadata": { "common_name": client.name },
            "lease_duration": engine.settings.token_lifetime.0 / 1_000_000_000,
            "renewable": false,
            "entity_id": client.name,
            "token_type": "service",
            "orphan": true,
        },
    })))
}

fn look_up(engine: &mut Engine, client: &Client, _: &Call) -> Result<Reply, Refusal> {
    engine.admit(client, Role::ALL, false)?;
    let now = engine.now();
    let token = client.asker.token.as_deref().ok_or(Reason::Unauthenticated)?;
    let (name, until) = engine.tokens.of(token, now)?;
    let left = until.seconds().saturating_sub(now.seconds());
    Ok(Reply::json(&json!({
        "data": { "display_name": name, "entity_id": name, "ttl": left, "type": "service", "policies": [] },
    })))
}

fn revoke_self(engine: &mut Engine, client: &Client, _: &Call) -> Result<Reply, Refusal> {
    engine.admit(client, Role::ALL, false)?;
    engine.note_done(&client.name, "revoke-token", None)?;
    if let Some(token) = &client.asker.token {
        engine.tokens.revoke(token);
    }
    Ok(Reply::empty())
}
