//! Where programs ask who is revoked, over plain HTTP (RFC 5280, RFC 6960 appendix A). The answers
//! come from behind the channel, or do not come. Must not know whether they are true.

#![expect(clippy::disallowed_methods, reason = "whoever waits does so in real time")]

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64ct::{Base64, Encoding as _};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::{Asked, Came, Open, Shared};
use crate::limits::{
    LIVE_HEAD_SECONDS, LIVE_STATUS_SECONDS, MAX_LIVE_BODY_BYTES, MAX_LIVE_CONNECTIONS, MAX_LIVE_HEAD_BYTES,
    MAX_LIVE_HEADERS,
};

/// How often it is looked at whether there is an authority yet.
const LOOK: Duration = Duration::from_millis(10);
const LIST: &str = "application/pkix-crl";
const OCSP: &str = "application/ocsp-response";

/// Answers for as long as the runtime lives.
pub async fn keep(listener: TcpListener, shared: Arc<Shared>) {
    let router = Router::new()
        .route("/ca.der", get(root))
        .route("/crl.der", get(|State(shared)| ask(shared, Asked::List, LIST)))
        .route("/root.crl", get(|State(shared)| ask(shared, Asked::RootList, LIST)))
        .route("/ocsp", post(by_post))
        .route("/ocsp/{*request}", get(by_get))
        .layer(DefaultBodyLimit::max(MAX_LIVE_BODY_BYTES))
        .with_state(shared);
    let room = Arc::new(Semaphore::new(MAX_LIVE_CONNECTIONS));
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(LIVE_HEAD_SECONDS))
                .max_headers(MAX_LIVE_HEADERS)
                .max_buf_size(MAX_LIVE_HEAD_BYTES)
                .serve_connection(TokioIo::new(socket), service);
            if let Err(error) = connection.await {
                tracing::debug!(target: "mallory::live", %error, "status connection");
            }
            drop(place);
        });
    }
}

async fn root(State(shared): State<Arc<Shared>>) -> Response {
    // The ports are open a little before there is an authority.
    for _ in 0..LIVE_STATUS_SECONDS * 1_000 / LOOK.as_millis() as u64 {
        let root = shared.root.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !root.is_empty() {
            return ([(CONTENT_TYPE, "application/pkix-cert")], root).into_response();
        }
        tokio::time::sleep(LOOK).await;
    }
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

async fn by_post(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    ask(shared, Asked::Status(body.to_vec()), OCSP).await
}

async fn by_get(State(shared): State<Arc<Shared>>, Path(text): Path<String>) -> Response {
    match Base64::decode_vec(&text) {
        Ok(request) => ask(shared, Asked::Status(request), OCSP).await,
        Err(_) => (StatusCode::BAD_REQUEST, "expected base64 of an OCSP request\n").into_response(),
    }
}

/// Asks behind the channel; a question that is not answered ends as one that nobody heard.
async fn ask(shared: Arc<Shared>, what: Asked, kind: &'static str) -> Response {
    let _open = Open::new(&shared);
    let (exchange, answered) = shared.exchanges.add();
    shared.tell(Came::Asked { exchange, what });
    let limit = Duration::from_secs(LIVE_STATUS_SECONDS);
    let answer = tokio::time::timeout(limit, answered).await;
    shared.exchanges.take(exchange);
    match answer {
        Ok(Ok(body)) => ([(CONTENT_TYPE, kind)], body).into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::GATEWAY_TIMEOUT.into_response(),
    }
}
