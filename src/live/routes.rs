//! From a request of HTTP to a row of the table, and from its answer to a response; each request
//! is logged with a number and without any secret. Must not know what the rows do.

#![expect(clippy::disallowed_methods, reason = "whoever sends a body slowly does so in real time")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Extension, MatchedPath, Query, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::response::Response;
use axum::routing::any;

use super::answer::{Reply, Style};
use super::desk::Desk;
use super::engine::{Client, Engine};
use super::metrics::Gauges;
use super::request::{Asker, Call, Refusal};
use super::table::{Guard, Route, Work};
use super::{openapi, own, people, pki, relying, sys, transit};
use crate::legible::legible;
use crate::limits::{MAX_LIVE_BODY_BYTES, MAX_LIVE_HEAD_BYTES, MAX_LIVE_OPEN_BODY_BYTES};
use crate::reason::Reason;
use crate::vault::Role;

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address.
    pub source: String,
    /// Its certificate, verified.
    pub certificate: Option<Arc<Vec<u8>>>,
}

/// What requests need of the service.
struct Hall {
    desk: Desk,
    rows: BTreeMap<&'static str, Vec<&'static Route>>,
    /// Sets requests of this process apart from those of others in a log.
    prefix: String,
    count: AtomicU64,
    /// How long a body may take.
    patience: Duration,
}

/// Every row of the first address.
pub fn private() -> Vec<&'static Route> {
    [own::ROUTES, people::ROUTES, sys::ROUTES, transit::ROUTES, pki::ROUTES, GENERAL]
        .into_iter()
        .flatten()
        .collect()
}

/// Every row of the second.
pub fn public() -> Vec<&'static Route> {
    relying::ROUTES.iter().collect()
}

const fn general(
    path: &'static str,
    word: &'static str,
    summary: &'static str,
    guard: Guard,
    work: Work,
) -> Route {
    Route { method: "GET", path, word, summary, guard, style: Style::Own, fields: &[], work }
}

const GENERAL: &[Route] = &[
    general(
        "/health",
        "health",
        "Whether the service is there; needs no certificate.",
        Guard::Open,
        relying::health,
    ),
    general(
        "/openapi.json",
        "describe-service",
        "This description, in OpenAPI 3.1; needs no certificate.",
        Guard::Open,
        openapi,
    ),
    general(
        "/metrics",
        "read-metrics",
        "What was counted, for Prometheus; for administrators and auditors.",
        Guard::Certificate,
        metrics,
    ),
];

fn openapi(_: &mut Engine, _: &Client, _: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::json(&openapi::document(&private())))
}

fn metrics(engine: &mut Engine, client: &Client, _: &Call) -> Result<Reply, Refusal> {
    engine.admit(client, &[Role::Administrator, Role::Auditor], false)?;
    let log = engine.authority.log();
    let gauges = Gauges {
        certificates: log.len(),
        revoked: log.iter().filter(|entry| entry.revoked().is_some()).count(),
        sealed: engine.gate.vault().is_sealed(),
        audit_records: engine.gate.vault().audit_head().map_or(0, |head| head.records),
    };
    let text = engine.counts.text(&gauges);
    Ok(Reply::bytes("text/plain; version=0.0.4", text.into_bytes()))
}

/// The service of these rows; `patience`: how long a body may take.
pub fn router(rows: Vec<&'static Route>, desk: Desk, (prefix, patience): (String, Duration)) -> Router {
    let mut by_path: BTreeMap<&'static str, Vec<&'static Route>> = BTreeMap::new();
    for row in rows {
        by_path.entry(row.path).or_default().push(row);
    }
    let paths: Vec<&'static str> = by_path.keys().copied().collect();
    let hall = Arc::new(Hall { desk, rows: by_path, prefix, count: AtomicU64::new(1), patience });
    let router = paths.into_iter().fold(Router::new(), |router, path| router.route(path, any(dispatch)));
    router.fallback(nowhere).with_state(hall)
}

async fn nowhere(
    State(hall): State<Arc<Hall>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let style = if request.uri().path().starts_with("/v1/") { Style::Vault } else { Style::Own };
    let refusal = Refusal::malformed("no route has this path: see /openapi.json");
    let reply = Reply::refused(&refusal, style).status(404);
    let asked = (asker(&peer, request.headers()), request.method().as_str().to_owned());
    drop(request);
    hall.turn_away(&peer, asked, ("-", style), reply).await
}

impl Hall {
    /// Answers a request for what there is not, and records it.
    async fn turn_away(
        &self,
        peer: &Peer,
        (asker, method): (Asker, String),
        (route, style): (&str, Style),
        reply: Reply,
    ) -> Response {
        let id = self.next();
        let noted =
            self.desk.ask(move |engine| engine.note_turned_away(&asker, "find-route", Reason::Malformed));
        let reply = match noted.await.flatten() {
            Ok(()) => reply,
            Err(reason) => Reply::refused(&reason.into(), style),
        };
        log(&id, peer, (&method, route), None, &reply);
        respond(reply, &id)
    }

    fn next(&self) -> String {
        format!("{}-{}", self.prefix, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

async fn dispatch(
    State(hall): State<Arc<Hall>>,
    Extension(peer): Extension<Peer>,
    path: MatchedPath,
    parts: Result<RawPathParams, axum::extract::rejection::RawPathParamsRejection>,
    query: Result<Query<Vec<(String, String)>>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Response {
    let method = request.method().as_str().to_owned();
    let rows = hall.rows.get(path.as_str()).map_or(&[][..], Vec::as_slice);
    let wanted = if method == "HEAD" { "GET" } else { &method };
    let Some(row) = rows.iter().find(|row| row.method == wanted).copied() else {
        let allowed: Vec<&str> = rows.iter().map(|row| row.method).collect();
        let style = rows.first().map_or(Style::Own, |row| row.style);
        let refusal = Refusal::malformed(format!("expected {}", allowed.join(" or ")));
        let mut reply = Reply::refused(&refusal, style).status(405);
        reply.headers.push(("allow", allowed.join(", ")));
        let asked = (asker(&peer, request.headers()), method);
        drop(request);
        return hall.turn_away(&peer, asked, (path.as_str(), style), reply).await;
    };
    let id = hall.next();
    let asker = asker(&peer, request.headers());
    let known_tag = header_text(request.headers(), "if-none-match");
    let read = match check_head(&request) {
        Err(refused) => Err(refused),
        // Nobody has to keep what a stranger sends to where no stranger is heard.
        Ok(()) if row.guard != Guard::Open && peer.certificate.is_none() => Ok(Call::default()),
        Ok(()) => {
            let most = if row.guard == Guard::Open { MAX_LIVE_OPEN_BODY_BYTES } else { MAX_LIVE_BODY_BYTES };
            read(request.into_body(), (most, hall.patience), parts, query).await
        }
    };
    let answer = hall.desk.ask(move |engine| carry_out(engine, row, &asker, read)).await;
    let (client, mut reply) = answer.unwrap_or_else(|reason| {
        let refusal = Refusal { detail: Some("the service is busy".to_owned()), ..reason.into() };
        (None, Reply::refused(&refusal, row.style))
    });
    let is_known = known_tag.is_some_and(|tag| reply.headers.iter().any(|(n, v)| *n == "etag" && *v == tag));
    if is_known && reply.status == 200 {
        reply.status = 304;
        reply.body.clear();
    }
    log(&id, &peer, (row.method, row.path), client.as_deref(), &reply);
    respond(reply, &id)
}

/// What no head may have that was read as one.
fn check_head(request: &Request) -> Result<(), (Refusal, u16)> {
    let headers = request.headers();
    let len: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if len > MAX_LIVE_HEAD_BYTES {
        let detail = Some(format!("the headers have more than {MAX_LIVE_HEAD_BYTES} bytes"));
        return Err((Refusal { detail, ..Refusal::from(Reason::MessageTooLong) }, 431));
    }
    // RFC 9112 §3.2: of two, somebody in between may have gone by the other.
    let hosts = headers.get_all(header::HOST).iter().count();
    if hosts > 1 || hosts == 0 && request.version() == Version::HTTP_11 {
        return Err((Refusal::malformed("the headers: expected one Host"), 400));
    }
    Ok(())
}

/// Everything that a request says but who asks; or why that cannot be read.
async fn read(
    body: Body,
    (most, patience): (usize, Duration),
    parts: Result<RawPathParams, axum::extract::rejection::RawPathParamsRejection>,
    query: Result<Query<Vec<(String, String)>>, axum::extract::rejection::QueryRejection>,
) -> Result<Call, (Refusal, u16)> {
    let malformed = |what: &str| (Refusal::malformed(what), 400);
    let parts = parts.map_err(|_| malformed("the path: expected UTF-8, percent-encoded"))?;
    let Query(query) = query.map_err(|_| malformed("the query: expected NAME=VALUE, joined by &"))?;
    let long = || {
        let detail = Some(format!("the body has more than {most} bytes"));
        (Refusal { detail, ..Refusal::from(Reason::MessageTooLong) }, 413)
    };
    if body.size_hint().lower() > most as u64 {
        return Err(long());
    }
    let body = match tokio::time::timeout(patience, to_bytes(body, most)).await {
        Err(_) => {
            let detail = Some(format!("the body did not arrive within {} s", patience.as_secs()));
            return Err((Refusal { detail, ..Refusal::from(Reason::Timeout) }, 408));
        }
        Ok(Err(error)) => {
            let is_long = std::error::Error::source(&error)
                .is_some_and(|source| source.to_string().contains("length limit"));
            if !is_long {
                return Err(malformed("the body: it ended before its length"));
            }
            return Err(long());
        }
        Ok(Ok(body)) => body.to_vec(),
    };
    let path = parts.iter().map(|(name, part)| (name.to_owned(), part.to_owned())).collect();
    Ok(Call { path, query: query.into_iter().collect(), body })
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn asker(peer: &Peer, headers: &HeaderMap) -> Asker {
    Asker {
        source: peer.source.clone(),
        certificate: peer.certificate.clone(),
        token: header_text(headers, "x-vault-token"),
        code: header_text(headers, "x-mallory-code"),
    }
}

/// Does what a row says, for who may ask; answers who that was. What is refused is recorded, and
/// what cannot be recorded says so instead.
fn carry_out(
    engine: &mut Engine,
    row: &Route,
    asker: &Asker,
    read: Result<Call, (Refusal, u16)>,
) -> (Option<String>, Reply) {
    let known = match row.guard {
        Guard::Open => Ok(Client { name: String::new(), asker: asker.clone() }),
        Guard::Certificate | Guard::Token => engine.who(asker),
    };
    let known = known.and_then(|client| match (row.guard, &asker.token) {
        (Guard::Token, None) => Err(Reason::Unauthenticated.into()),
        _ => Ok(client),
    });
    let name = known.as_ref().ok().map(|client| client.name.clone()).filter(|name| !name.is_empty());
    let mut status = None;
    let answer = known.and_then(|client| {
        let call = read.map_err(|(refusal, of)| {
            status = Some(of);
            refusal
        })?;
        (row.work)(engine, &client, &call)
    });
    let reply = answer.unwrap_or_else(|mut refusal| {
        // What anybody may fetch is no operation: refusals of it are logged and not recorded.
        if !refusal.is_recorded
            && row.guard != Guard::Open
            && let Err(reason) = engine.note_refused(name.as_deref(), row.word, refusal.reason)
        {
            refusal = reason.into();
            status = None;
        }
        let reply = Reply::refused(&refusal, row.style);
        let status = status.unwrap_or(reply.status);
        reply.status(status)
    });
    engine.counts.request(row.method, row.path, reply.status);
    (name, reply)
}

fn log(id: &str, peer: &Peer, (method, path): (&str, &str), client: Option<&str>, reply: &Reply) {
    let refused = reply.refused.map(Reason::word);
    tracing::info!(
        target: "mallory::live",
        id,
        source = %peer.source,
        client = client.unwrap_or("-"),
        method = %legible(method),
        route = path,
        status = reply.status,
        refused,
        "request"
    );
}

fn respond(reply: Reply, id: &str) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.kind));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", id);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}
