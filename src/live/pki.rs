//! The pki routes of Vault and OpenBao, as far as this authority does what they ask for:
//! certificates for who is enrolled, their revocation, lists. Whoever enrols somebody by them does
//! what `POST /clients` does. Must not know how certificates are written.

use der::Document;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::answer::{Reply, Style};
use super::clock::rfc3339;
use super::engine::{Client, Engine};
use super::enrolment::pem;
use super::relying::no_deltas;
use super::request::{Call, Refusal};
use super::table::{Field, Guard, Route, Work, needed};
use super::transit::{data, refuse, text};
use crate::crypto::Signature;
use crate::pki::{RevocationReason, request_for_signing};
use crate::reason::Reason;
use crate::vault::Role;

const NAME: Field = needed("common_name", "string", "the client's name");
const ISSUE: &[Field] = &[NAME];
const SIGN: &[Field] = &[NAME, needed("csr", "string", "a certificate request (PKCS#10, PEM) for this name")];
const REVOKE: &[Field] = &[needed("serial_number", "string", "in hexadecimal, with `:` or `-` or without")];
const LISTED: &[Field] = &[];

const fn open(path: &'static str, summary: &'static str, work: Work) -> Route {
    let (method, word, guard, style) = ("GET", "publish", Guard::Open, Style::Vault);
    Route { method, path, word, summary, guard, style, fields: LISTED, work }
}

/// The routes. A role is one of this service's.
pub const ROUTES: &[Route] = &[
    Route::vault(
        "POST",
        "/v1/pki/issue/{role}",
        "issue",
        "A new key and a certificate for it: for the caller, or, by an administrator, for who is enrolled by that.",
        ISSUE,
        issue,
    ),
    Route::vault("PUT", "/v1/pki/issue/{role}", "issue", "As POST.", ISSUE, issue),
    Route::vault(
        "POST",
        "/v1/pki/sign/{role}",
        "issue",
        "A certificate for a key that the caller has; else as issue.",
        SIGN,
        sign,
    ),
    Route::vault("PUT", "/v1/pki/sign/{role}", "issue", "As POST.", SIGN, sign),
    Route::vault(
        "POST",
        "/v1/pki/revoke",
        "revoke-certificate",
        "Revokes one certificate: the caller's own, or, by an administrator, another's.",
        REVOKE,
        revoke,
    ),
    Route::vault("PUT", "/v1/pki/revoke", "revoke-certificate", "As POST.", REVOKE, revoke),
    Route::vault("LIST", "/v1/pki/certs", "list-certificates", "Serial numbers.", &[], certs),
    Route::vault("GET", "/v1/pki/certs", "list-certificates", "As LIST, with ?list=true.", &[], certs),
    open("/v1/pki/ca", "The authority's certificate, DER.", ca),
    open("/v1/pki/ca/pem", "The same, PEM.", ca_pem),
    open("/v1/pki/ca_chain", "The same, which is all of the chain.", ca_pem),
    open("/v1/pki/crl", "The certificate revocation list, DER.", crl),
    open("/v1/pki/crl/pem", "The same, PEM.", crl_pem),
    open("/v1/pki/crl/delta", "The delta list, if there are any, DER.", delta),
    open("/v1/pki/crl/delta/pem", "The same, PEM.", delta_pem),
    open("/v1/pki/cert/ca", "The authority's certificate.", cert_ca),
    open("/v1/pki/cert/crl", "The certificate revocation list.", cert_crl),
    open("/v1/pki/cert/delta-crl", "The delta list, if there are any.", cert_delta),
    Route::vault(
        "GET",
        "/v1/pki/cert/{serial}",
        "read-certificate",
        "A certificate of the caller's by its serial number; administrators and auditors see all.",
        &[],
        cert,
    ),
];

/// A serial number as Vault writes it.
fn written(serial: u64) -> String {
    let bytes = serial.to_be_bytes();
    let skip = bytes.iter().take_while(|byte| **byte == 0).count().min(7);
    bytes[skip..].iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

fn serial_of(text: &str) -> Result<u64, Refusal> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-')).collect();
    let is_hex = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
    let wrong = || Refusal::malformed("serial_number: expected hexadecimal digits, such as 0a:1b");
    if !is_hex {
        return Err(wrong());
    }
    // A longer one is nobody's.
    u64::from_str_radix(&digits, 16).map_err(|_| Reason::CertificateUnknown.into())
}

/// What a request for a certificate says beside its key. Nothing is ignored that a caller relies on.
fn asked(call: &Call, known: &[&str]) -> Result<(Map<String, Value>, Role, String), Refusal> {
    let fields: Map<String, Value> = call.json()?;
    refuse(&fields, &[known, &["common_name", "format", "private_key_format"]].concat())?;
    for (name, permitted) in [("format", "pem"), ("private_key_format", "der")] {
        if fields.get(name).and_then(Value::as_str).is_some_and(|value| !["", permitted].contains(&value)) {
            return Err(Refusal::malformed(format!("{name}: expected {permitted}")));
        }
    }
    let word = call.part("role");
    let role =
        Role::ALL.iter().find(|role| role.word() == word).copied().ok_or_else(|| {
            Refusal::malformed("the role: expected client, operator, auditor or administrator")
        })?;
    let name = text(&fields, "common_name")?.to_owned();
    Ok((fields, role, name))
}

/// Whether the caller may have a certificate for this name: one's own by renewal, another's by
/// enrolling it.
fn admit(engine: &mut Engine, client: &Client, (role, name): (Role, &str)) -> Result<(), Refusal> {
    if name != client.name {
        return engine.admit(client, &[Role::Administrator], true);
    }
    engine.admit(client, Role::ALL, false)?;
    if engine.gate.role(name) == Some(role) { Ok(()) } else { Err(Reason::Forbidden.into()) }
}

/// A certificate for what the request asks, for whom [`admit`] let in.
fn certify(
    engine: &mut Engine,
    client: &Client,
    (role, name): (Role, &str),
    request: &[u8],
) -> Result<Value, Refusal> {
    let certificate = match name == client.name {
        true => engine.renew(name, request)?,
        false => {
            // A secret for codes has no place in this answer.
            if engine.settings.second_factor_of.contains(&role) {
                return Err(Refusal::malformed("the role: POST /clients enrols who needs one-time codes"));
            }
            engine.enrol(&client.name, (name, role, false), request)?.certificate
        }
    };
    let entry = engine.authority.issued(&certificate).ok_or(Reason::CertificateUnknown)?;
    let ca = pem("CERTIFICATE", engine.authority.root());
    Ok(json!({
        "certificate": pem("CERTIFICATE", &certificate).trim_end(),
        "issuing_ca": ca.trim_end(),
        "ca_chain": [ca.trim_end()],
        "serial_number": written(entry.serial),
        "expiration": entry.not_after.seconds(),
    }))
}

fn issue(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let (_, role, name) = asked(call, &[])?;
    admit(engine, client, (role, &name))?;
    let key = Signature::EcdsaP256.generate(engine.gate.vault().generator()?);
    let mut value = certify(engine, client, (role, &name), &request_for_signing(&name, &key))?;
    let key = Zeroizing::new(pem("PRIVATE KEY", &key.to_pkcs8()));
    value["private_key"] = json!(key.trim_end());
    value["private_key_type"] = json!("ec");
    Ok(data(value))
}

fn sign(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let (fields, role, name) = asked(call, &["csr"])?;
    let wrong =
        || Refusal::malformed("csr: expected PEM that begins with -----BEGIN CERTIFICATE REQUEST-----");
    let (label, request) = Document::from_pem(text(&fields, "csr")?).map_err(|_| wrong())?;
    if label != "CERTIFICATE REQUEST" {
        return Err(wrong());
    }
    admit(engine, client, (role, &name))?;
    Ok(data(certify(engine, client, (role, &name), request.as_bytes())?))
}

fn revoke(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let fields: Map<String, Value> = call.json()?;
    refuse(&fields, &["serial_number"])?;
    let serial = serial_of(text(&fields, "serial_number")?)?;
    let subject = engine.authority.entry(serial).map(|entry| entry.subject.clone());
    match subject == Some(client.name.clone()) {
        true => engine.admit(client, Role::ALL, false)?,
        false => engine.admit(client, &[Role::Administrator], true)?,
    }
    engine.revoke_one(&client.name, serial, RevocationReason::Unspecified)?;
    let at = engine.now();
    Ok(data(
        json!({ "revocation_time": at.seconds(), "revocation_time_rfc3339": rfc3339(at), "state": "revoked" }),
    ))
}

fn certs(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    if call.query.get("list").is_some_and(|value| value != "true") {
        return Err(Refusal::malformed("list: expected true"));
    }
    engine.admit(client, &[Role::Administrator, Role::Auditor], false)?;
    engine.note_done(&client.name, "list-certificates", None)?;
    let serials: Vec<String> = engine.authority.log().iter().map(|entry| written(entry.serial)).collect();
    Ok(data(json!({ "keys": serials })))
}

fn ca(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::bytes("application/pkix-cert", engine.authority.root().to_vec()))
}

fn ca_pem(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    let text = pem("CERTIFICATE", engine.authority.root());
    Ok(Reply::bytes("application/pem-certificate-chain", text.into_bytes()))
}

fn crl_der(engine: &mut Engine) -> Vec<u8> {
    let now = engine.now();
    engine.authority.crl(now)
}

fn delta_der(engine: &mut Engine) -> Result<Vec<u8>, Refusal> {
    let now = engine.now();
    engine.authority.delta_crl(now).ok_or_else(no_deltas)
}

fn crl(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::bytes("application/pkix-crl", crl_der(engine)))
}

fn crl_pem(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::bytes("application/x-pem-file", pem("X509 CRL", &crl_der(engine)).into_bytes()))
}

fn delta(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::bytes("application/pkix-crl", delta_der(engine)?))
}

fn delta_pem(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::bytes("application/x-pem-file", pem("X509 CRL", &delta_der(engine)?).into_bytes()))
}

fn told(pem: &str, revoked: u64) -> Reply {
    data(json!({ "certificate": pem.trim_end(), "revocation_time": revoked }))
}

fn cert_ca(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    Ok(told(&pem("CERTIFICATE", engine.authority.root()), 0))
}

fn cert_crl(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    Ok(told(&pem("X509 CRL", &crl_der(engine)), 0))
}

fn cert_delta(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    Ok(told(&pem("X509 CRL", &delta_der(engine)?), 0))
}

fn cert(engine: &mut Engine, client: &Client, call: &Call) -> Result<Reply, Refusal> {
    let serial = serial_of(call.part("serial"))?;
    engine.admit(client, Role::ALL, false)?;
    let sees_all = matches!(engine.gate.role(&client.name), Some(Role::Administrator | Role::Auditor));
    let entry = engine.authority.entry(serial).filter(|entry| sees_all || entry.subject == client.name);
    // Numbers count up: nobody goes through them to learn who there is.
    let entry = entry.ok_or(Reason::CertificateUnknown)?;
    let revoked = entry.revoked().map_or(0, |revoked| revoked.at.seconds());
    Ok(told(&pem("CERTIFICATE", &engine.issued(serial)?), revoked))
}
