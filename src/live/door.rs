//! Sockets: who comes in, how many at a time, and that all of them leave when the service stops.
//! Whoever is turned away here is recorded as refused. Must not know what is asked.

#![expect(clippy::disallowed_methods, reason = "whoever is slow is so in real time")]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::middleware::{self, Next};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::CertificateError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_rustls::TlsAcceptor;

use super::desk::Desk;
use super::heard::{Heard, Listened};
use super::places::Places;
use super::race::{First, first};
use super::request::Asker;
use super::routes::Peer;
use crate::limits::{LIVE_HANDSHAKE_SECONDS, LIVE_STOP_SECONDS, MAX_LIVE_HEAD_BYTES, MAX_LIVE_HEADERS};
use crate::reason::Reason;

/// A door.
#[derive(Clone)]
pub struct Door {
    /// Whether and how it speaks TLS.
    pub tls: Option<TlsAcceptor>,
    /// What is behind.
    pub router: Router,
    /// How long a head may take.
    pub patience: Duration,
    /// Where refusals are recorded.
    pub desk: Desk,
}

/// Lets connections in until it is told to stop, then waits for those that are there, not for
/// long.
pub async fn keep(listener: TcpListener, door: Door, mut stop: broadcast::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    let places = Places::default();
    loop {
        let accepted = match first(stop.recv(), listener.accept()).await {
            First::One(_) => break,
            First::Other(accepted) => accepted,
        };
        let (socket, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Such as too many open files: that passes, and asking at once does not help.
                tracing::warn!(target: "mallory::live", %error, "accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(place) = places.take(from.ip()) else {
            tracing::warn!(target: "mallory::live", source = %from.ip(), "no room for another connection");
            continue;
        };
        let (door, watcher) = (door.clone(), graceful.watcher());
        tokio::spawn(async move {
            receive(socket, from, door, watcher).await;
            drop(place);
        });
    }
    drop(listener);
    // Who has not finished by then is cut off.
    let limit = Duration::from_secs(LIVE_STOP_SECONDS);
    if tokio::time::timeout(limit, graceful.shutdown()).await.is_err() {
        tracing::warn!(target: "mallory::live", "connections were cut off");
    }
}

async fn receive(socket: TcpStream, from: SocketAddr, door: Door, watcher: Watcher) {
    let source = from.ip().to_string();
    let Door { tls, router, patience, desk } = door;
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(target: "mallory::live", source, %error, "connection");
        return;
    }
    let mut peer = Peer { source, certificate: None };
    let ended = match tls {
        None => converse(socket, peer.clone(), (router, patience), watcher).await,
        Some(tls) => {
            let limit = patience.min(Duration::from_secs(LIVE_HANDSHAKE_SECONDS));
            let handshake = tokio::time::timeout(limit, tls.accept(socket)).await;
            let stream = match handshake.map_err(io::Error::from).flatten() {
                Ok(stream) => stream,
                Err(error) => {
                    return turned_away(&desk, &peer, "connect", certificate_refused(&error), &error).await;
                }
            };
            let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
            peer.certificate = certificates.first().map(|certificate| Arc::new(certificate.to_vec()));
            converse(stream, peer.clone(), (router, patience), watcher).await
        }
    };
    if let Err((reason, error)) = ended {
        turned_away(&desk, &peer, "read-head", reason, &error).await;
    }
}

/// Logs why a connection ended, and has it recorded if somebody was refused.
async fn turned_away(
    desk: &Desk,
    peer: &Peer,
    what: &'static str,
    reason: Option<Reason>,
    error: &(dyn std::error::Error + Sync),
) {
    let refused = reason.map(Reason::word);
    tracing::debug!(target: "mallory::live", source = %peer.source, refused, %error, "connection");
    let Some(reason) = reason else { return };
    let asker =
        Asker { source: peer.source.clone(), certificate: peer.certificate.clone(), ..Asker::default() };
    let noted = desk.ask(move |engine| engine.note_turned_away(&asker, what, reason)).await;
    if let Err(unrecorded) | Ok(Err(unrecorded)) = noted {
        // Nothing was done that would have to be undone.
        let unrecorded = unrecorded.word();
        tracing::warn!(target: "mallory::live", source = %peer.source, refused, unrecorded, "connection");
    }
}

/// Why a client's certificate, or its signature by that, was not taken; if that is why a handshake
/// failed.
fn certificate_refused(error: &io::Error) -> Option<Reason> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let rustls::Error::InvalidCertificate(error) = error else { return None };
    Some(match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Reason::CertificateExpired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Reason::CertificateNotYetValid
        }
        CertificateError::BadSignature => Reason::BadSignature,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            Reason::CertificateWrongUsage
        }
        CertificateError::BadEncoding => Reason::Malformed,
        _ => Reason::CertificateUntrusted,
    })
}

/// Answers requests until the connection ends, or says why it was ended.
async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: Peer,
    (router, patience): (Router, Duration),
    watcher: Watcher,
) -> Result<(), (Option<Reason>, hyper::Error)> {
    let heard = Heard::default();
    let answered = heard.clone();
    let note = middleware::from_fn(move |request, next: Next| {
        let answered = answered.clone();
        async move {
            let response = next.run(request).await;
            answered.answered();
            response
        }
    });
    let service = TowerToHyperService::new(router.layer(note).layer(Extension(peer)));
    let stream = Listened { stream, heard: heard.clone() };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_headers(MAX_LIVE_HEADERS)
        .max_buf_size(MAX_LIVE_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    watcher.watch(connection).await.map_err(|error| {
        let reason = match &error {
            error if error.is_parse_too_large() => Some(Reason::MessageTooLong),
            error if error.is_parse() => Some(Reason::Malformed),
            // Whoever said nothing was idle, and is let go.
            error if error.is_timeout() && heard.is_unfinished() => Some(Reason::Timeout),
            _ => None,
        };
        (reason, error)
    })
}
