//! Sockets: who comes in, how many at a time, and that all of them leave when the service stops.
//! Must not know what is asked.

#![expect(clippy::disallowed_methods, reason = "whoever is slow is so in real time")]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, broadcast};
use tokio_rustls::TlsAcceptor;

use super::race::{First, first};
use super::routes::Peer;
use crate::limits::{
    LIVE_HANDSHAKE_SECONDS, LIVE_HEAD_SECONDS, LIVE_STOP_SECONDS, MAX_LIVE_CONNECTIONS, MAX_LIVE_HEAD_BYTES,
    MAX_LIVE_HEADERS,
};

/// Lets connections in until it is told to stop, then waits for those that are there, not for
/// long.
pub async fn keep(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    mut stop: broadcast::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_LIVE_CONNECTIONS));
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
        let Ok(place) = room.clone().try_acquire_owned() else {
            tracing::warn!(target: "mallory::live", source = %from.ip(), "no room for another connection");
            continue;
        };
        let (tls, router, watcher) = (tls.clone(), router.clone(), graceful.watcher());
        tokio::spawn(async move {
            if let Err(error) = receive(socket, from, tls, router, watcher).await {
                tracing::debug!(target: "mallory::live", source = %from.ip(), %error, "connection");
            }
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

async fn receive(
    socket: TcpStream,
    from: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    watcher: Watcher,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    socket.set_nodelay(true)?;
    let source = from.ip().to_string();
    match tls {
        None => converse(socket, Peer { source, certificate: None }, router, watcher).await,
        Some(tls) => {
            let limit = Duration::from_secs(LIVE_HANDSHAKE_SECONDS);
            let stream = tokio::time::timeout(limit, tls.accept(socket)).await.map_err(io::Error::from)??;
            let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let certificate = certificates.first().map(|certificate| Arc::new(certificate.to_vec()));
            converse(stream, Peer { source, certificate }, router, watcher).await
        }
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: Peer,
    router: Router,
    watcher: Watcher,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let service = TowerToHyperService::new(router.layer(Extension(peer)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(LIVE_HEAD_SECONDS))
        .max_headers(MAX_LIVE_HEADERS)
        .max_buf_size(MAX_LIVE_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    Ok(watcher.watch(connection).await?)
}
