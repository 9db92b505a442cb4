//! Routes about clients: enrolling, renewing and revoking them, and a second administrator's
//! consent. Must not know how certificates are written.

use der::Document;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Reply;
use super::engine::{Client, Engine};
use super::enrolment::{code_url, pem};
use super::request::{Call, Refusal};
use super::table::{Route, needed, optional};
use crate::pki::RevocationReason;
use crate::reason::Reason;
use crate::vault::{Proved, Role};

/// The routes.
pub const ROUTES: &[Route] = &[
    Route::own(
        "POST",
        "/clients",
        "enrol",
        "Enrols a client, for an administrator with a one-time code, and issues its certificate.",
        &[
            needed("client_id", "string", "its name: letters, digits, `-`, `_`, `.`"),
            needed("request", "string", "a certificate request (PKCS#10, PEM) for this name"),
            optional("role", "string", "client (the default), operator, auditor or administrator"),
            optional(
                "codes",
                "boolean",
                "whether it gets a device for one-time codes; those whose role needs them do",
            ),
        ],
        enrol,
    ),
    Route::own("GET", "/clients", "list-clients", "Who is enrolled.", &[], list),
    Route::own(
        "POST",
        "/renew",
        "renew",
        "Another certificate for the caller, with the same key or another.",
        &[needed("request", "string", "a certificate request (PKCS#10, PEM) for its own name")],
        renew,
    ),
    Route::own(
        "POST",
        "/revoke_client",
        "revoke-client",
        "Revokes a client's certificates, for an administrator with a one-time code.",
        &[
            needed("client_id", "string", "whose"),
            optional("reason", "string", "such as key-compromise; unspecified by default"),
        ],
        revoke,
    ),
    Route::own(
        "POST",
        "/unlock",
        "unlock",
        "Lifts the lock of a client after too many wrong codes, for an administrator with a one-time code.",
        &[needed("client_id", "string", "whose")],
        unlock,
    ),
    Route::own(
        "POST",
        "/consent",
        "consent",
        "A second administrator's consent to what another asked for.",
        &[needed("operation", "string", "the number in the answer to who asked")],
        consent,
    ),
    Route::own(
        "POST",
        "/backup",
        "back-up",
        "Writes a copy of the state, sealed as it is, for an administrator with a one-time code.",
        &[],
        back_up,
    ),
    Route::own("GET", "/me", "who-am-i", "Who the caller is to the service.", &[], me),
];

const ADMINISTRATORS: &[Role] = &[Role::Administrator];

/// The DER of a request in PEM.
fn request(text: &str) -> Result<Vec<u8>, Refusal> {
    let wrong =
        || Refusal::malformed("request: expected PEM that begins with -----BEGIN CERTIFICATE REQUEST-----");
    let (label, document) = Document::from_pem(text).map_err(|_| wrong())?;
    if label == "CERTIFICATE REQUEST" { Ok(document.as_bytes().to_vec()) } else { Err(wrong()) }
}

fn enrol(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        client_id: String,
        request: String,
        #[serde(default = "client_role")]
        role: Role,
        codes: Option<bool>,
    }
    fn client_role() -> Role {
        Role::Client
    }
    let Body { client_id, request: pem_text, role, codes } = call.json()?;
    let request = request(&pem_text)?;
    engine.admit(client, ADMINISTRATORS, true)?;
    let with_codes = codes.unwrap_or(false) || engine.settings.second_factor_of.contains(&role);
    let enrolled = engine.enrol(&client.name, (&client_id, role, with_codes), &request)?;
    let mut answer = json!({
        "client_id": client_id,
        "role": role.word(),
        "certificate": pem("CERTIFICATE", &enrolled.certificate),
        "ca": pem("CERTIFICATE", engine.authority.root()),
    });
    if let Some(secret) = enrolled.codes {
        answer["codes"] = json!(&*code_url(&client_id, &secret));
    }
    Ok(Reply::json(&answer).status(201))
}

fn list(engine: &mut Engine, client: &Client, _: &Call) -> Result<Reply, Refusal> {
    engine.admit(client, &[Role::Administrator, Role::Auditor], false)?;
    let members = engine.members()?;
    let clients: Vec<Value> = members
        .iter()
        .map(|(name, member)| {
            let serials: Vec<u64> =
                engine.authority.log().iter().filter(|e| e.subject == *name).map(|e| e.serial).collect();
            json!({
                "client_id": name,
                "role": member.role.word(),
                "revoked": member.revoked,
                "codes": member.codes.is_some(),
                "certificates": serials,
            })
        })
        .collect();
    engine.note_done(&client.name, "list-clients", None)?;
    Ok(Reply::json(&json!({ "clients": clients })))
}

fn renew(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        request: String,
    }
    let body: Body = call.json()?;
    let request = request(&body.request)?;
    engine.admit(client, Role::ALL, false)?;
    let certificate = engine.renew(&client.name, &request)?;
    Ok(Reply::json(&json!({ "certificate": pem("CERTIFICATE", &certificate) })).status(201))
}

fn revoke(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        client_id: String,
        #[serde(default)]
        reason: RevocationReason,
    }
    let Body { client_id, reason } = call.json()?;
    engine.admit(client, ADMINISTRATORS, true)?;
    let serials = engine.revoke(&client.name, &client_id, reason)?;
    let now = engine.now();
    let (crl, ocsp) = engine.authority.first_told(now);
    Ok(Reply::json(&json!({
        "client_id": client_id,
        "revoked": serials,
        // Until the next list appears, whoever goes by lists takes the certificate.
        "in_the_crl_at": crl.seconds(),
        "by_ocsp_at": ocsp.seconds(),
    })))
}

fn unlock(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        client_id: String,
    }
    let Body { client_id } = call.json()?;
    engine.admit(client, ADMINISTRATORS, true)?;
    engine.member(&client_id)?;
    engine.note_done(&client.name, "unlock", Some(&client_id))?;
    engine.gate.unlock(&client_id);
    Ok(Reply::json(&json!({ "client_id": client_id })))
}

fn consent(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        operation: String,
    }
    let Body { operation } = call.json()?;
    engine.admit(client, ADMINISTRATORS, true)?;
    let now = engine.now();
    let by = Proved::asserted(&client.name);
    let word = engine.consents.consent(&operation, by, now).ok_or_else(|| Refusal {
        detail: Some("no operation of this number waits".to_owned()),
        ..Refusal::from(Reason::UnknownKey)
    })?;
    engine.note_done(&client.name, "consent", None)?;
    Ok(Reply::json(&json!({ "operation": operation, "consented_to": word })))
}

fn back_up(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {}
    let Body {} = call.json()?;
    engine.admit(client, ADMINISTRATORS, true)?;
    let (name, generation) = engine.back_up(&client.name)?;
    Ok(Reply::json(&json!({ "backup": name, "transactions": generation })).status(201))
}

fn me(engine: &mut Engine, client: &Client, _: &Call) -> Result<Reply, Refusal> {
    engine.admit(client, Role::ALL, false)?;
    let role = engine.gate.role(&client.name).ok_or(Reason::UnknownClient)?;
    Ok(Reply::json(&json!({ "client_id": client.name, "role": role.word() })))
}
