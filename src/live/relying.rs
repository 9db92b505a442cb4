//! What relying parties fetch, over plain HTTP since all of it is signed: the authority's
//! certificate, its list, its word about one certificate (RFC 5280, RFC 6960 appendix A, RFC 5019).
//! Must not know clients.

use base64ct::{Base64, Encoding as _};
use serde_json::json;

use super::answer::{Reply, Style};
use super::clock::http_date;
use super::engine::{Client, Engine};
use super::enrolment::pem;
use super::request::{Call, Refusal};
use super::table::{Field, Guard, Route, Work};
use crate::crypto::sha256;
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};

const fn route(method: &'static str, path: &'static str, summary: &'static str, work: Work) -> Route {
    const NONE: &[Field] = &[];
    Route {
        method,
        path,
        word: "publish",
        summary,
        guard: Guard::Open,
        style: Style::Own,
        fields: NONE,
        work,
    }
}

/// The routes of the second address.
pub const ROUTES: &[Route] = &[
    route("GET", "/ca.der", "The authority's certificate, DER.", ca_der),
    route("GET", "/ca.pem", "The same, PEM.", ca_pem),
    route("GET", "/crl.der", "The certificate revocation list, DER.", crl),
    route("GET", "/delta.der", "The latest delta CRL, if there are any (`delta_period`), DER.", delta),
    route("POST", "/ocsp", "An OCSP request in the body, DER.", ocsp_by_post),
    route("GET", "/ocsp/{*request}", "An OCSP request in the path, base64 of DER.", ocsp_by_get),
    route("GET", "/health", "Whether the service is there.", health),
];

/// Headers that tell caches until when they may keep it (RFC 5019 §6.2).
fn cached(mut reply: Reply, (since, until, now): (UnixNanos, UnixNanos, UnixNanos)) -> Reply {
    let tag = format!("\"{}\"", hex::encode(&sha256(&[&reply.body])[..16]));
    let left = until.seconds().saturating_sub(now.seconds());
    reply.headers = vec![
        ("cache-control", format!("max-age={left},public,no-transform,must-revalidate")),
        ("last-modified", http_date(since)),
        ("expires", http_date(until)),
        ("etag", tag),
    ];
    reply
}

const A_DAY: Span = Span::seconds(86_400);

fn ca_der(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    let now = engine.now();
    let reply = Reply::bytes("application/pkix-cert", engine.authority.root().to_vec());
    Ok(cached(reply, (now, now.after(A_DAY), now)))
}

fn ca_pem(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    let now = engine.now();
    let text = pem("CERTIFICATE", engine.authority.root());
    Ok(cached(Reply::bytes("application/x-pem-file", text.into_bytes()), (now, now.after(A_DAY), now)))
}

fn crl(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    let now = engine.now();
    let (since, next) = engine.authority.crl_times(now);
    let crl = engine.authority.crl(now);
    Ok(cached(Reply::bytes("application/pkix-crl", crl), (since, next, now)))
}

fn delta(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    let now = engine.now();
    let (Some(delta), Some((since, next))) =
        (engine.authority.delta_crl(now), engine.authority.delta_times(now))
    else {
        return Err(no_deltas());
    };
    Ok(cached(Reply::bytes("application/pkix-crl", delta), (since, next, now)))
}

/// That this authority publishes none.
pub fn no_deltas() -> Refusal {
    let detail = Some("this authority publishes no delta CRLs (delta_period)".to_owned());
    Refusal { detail, ..Reason::DeltaBaseMissing.into() }
}

fn ocsp_by_post(engine: &mut Engine, _: &Client, call: &Call) -> Result<Reply, Refusal> {
    let now = engine.now();
    let answer = engine.authority.ocsp(&call.body, now);
    Ok(Reply::bytes("application/ocsp-response", answer))
}

fn ocsp_by_get(engine: &mut Engine, _: &Client, call: &Call) -> Result<Reply, Refusal> {
    let text = call.part("request");
    let request = Base64::decode_vec(text).map_err(|_| {
        Refusal::malformed("the path: expected base64 of a DER OCSP request, percent-encoded (RFC 6960 A.1)")
    })?;
    let now = engine.now();
    let answer = engine.authority.ocsp(&request, now);
    // A response is good for longer; but a cache that keeps it so long hides a revocation so long.
    let policy = engine.authority.policy();
    let until = now.after(policy.ocsp.lifetime.min(policy.crl_period));
    Ok(cached(Reply::bytes("application/ocsp-response", answer), (now, until, now)))
}

/// Whether the service is there, and whether its vault is open.
pub fn health(engine: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    let sealed = engine.gate.vault().is_sealed();
    let status = if sealed { 503 } else { 200 };
    Ok(Reply::json(&json!({ "healthy": !sealed, "sealed": sealed })).status(status))
}
