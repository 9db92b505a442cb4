//! The end of TLS connections from programs: TLS 1.3 and 1.2 by rustls, with whatever certificates it is
//! told to show. Whether the program took them is what it does next: a client that accepts a
//! session says something in it. Must not know whose certificates they are.

#![expect(clippy::disallowed_methods, reason = "whoever is slow is so in real time")]

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring::{self, sign};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{Acceptor, ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, ServerConfig, version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::LazyConfigAcceptor;
use zeroize::Zeroizing;

use super::{Came, Open, Shared};
use crate::limits::{
    LIVE_HANDSHAKE_SECONDS, LIVE_JUDGING_SECONDS, MAX_LIVE_CONNECTIONS, MAX_LIVE_WORD_BYTES,
};

/// What a program is shown in its handshake.
pub struct Shown {
    /// The subject's certificate and those above it, DER.
    pub chain: Vec<Vec<u8>>,
    /// An OCSP response to go with it.
    pub staple: Option<Vec<u8>>,
    /// The key that signs the handshake, PKCS#8.
    pub key: Zeroizing<Vec<u8>>,
}

/// What a handshake came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Met {
    /// The program finished it and said something.
    Spoke,
    /// The program ended it with this alert (RFC 8446 §6.2).
    Alert(AlertDescription),
    /// The program went away without a word, after the handshake or in it.
    Left,
    /// The program neither spoke nor went away (LIVE_JUDGING_SECONDS).
    Silent,
    /// This end could not go on, for this reason.
    Failed(String),
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Lets programs in for as long as the runtime lives.
pub async fn keep(listener: TcpListener, shared: Arc<Shared>) {
    let room = Arc::new(Semaphore::new(MAX_LIVE_CONNECTIONS));
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let (shared, open) = (shared.clone(), Open::new(&shared));
        tokio::spawn(async move {
            receive(socket, &shared).await;
            drop((open, place));
        });
    }
}

async fn receive(socket: TcpStream, shared: &Shared) {
    // Latency is of no matter if it cannot be set.
    let _ = socket.set_nodelay(true);
    let hello = LazyConfigAcceptor::new(Acceptor::default(), socket);
    let limit = Duration::from_secs(LIVE_HANDSHAKE_SECONDS);
    // Who sends no hello has begun no session.
    let Ok(Ok(hello)) = tokio::time::timeout(limit, hello).await else { return };
    let (connection, shown) = shared.handshakes.add();
    shared.tell(Came::Hello { connection });
    let limit = Duration::from_secs(LIVE_JUDGING_SECONDS);
    let met = match tokio::time::timeout(limit, shown).await {
        Ok(Ok(shown)) => match config(shown) {
            Ok(config) => tokio::time::timeout(limit, converse(hello.into_stream(Arc::new(config))))
                .await
                .unwrap_or(Met::Silent),
            Err(error) => Met::Failed(error.to_string()),
        },
        // Nobody showed it anything: whoever it talks to did not answer.
        Ok(Err(_)) | Err(_) => Met::Failed("nobody answered the hello".to_owned()),
    };
    shared.handshakes.take(connection);
    shared.tell(Came::Ended { connection, met });
}

/// Finishes a handshake and hears what the program says first.
async fn converse(handshake: tokio_rustls::Accept<TcpStream>) -> Met {
    let mut stream = match handshake.await {
        Ok(stream) => stream,
        Err(error) => return refusal(&error),
    };
    let mut word = vec![0; MAX_LIVE_WORD_BYTES];
    match stream.read(&mut word).await {
        Ok(0) => Met::Left,
        Ok(_) => {
            const BODY: &str = "accepted\n";
            let length = BODY.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{BODY}"
            );
            // It has accepted the session, whatever becomes of the answer.
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
            Met::Spoke
        }
        Err(error) => refusal(&error),
    }
}

/// What ended a handshake from the other side.
fn refusal(error: &io::Error) -> Met {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(alert)) => Met::Alert(*alert),
        Some(other) => Met::Failed(other.to_string()),
        None => Met::Left,
    }
}

fn config(shown: Shown) -> Result<ServerConfig, rustls::Error> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(shown.key.to_vec()));
    let key = sign::any_supported_type(&key)?;
    let chain = shown.chain.into_iter().map(CertificateDer::from).collect();
    // Whether certificate and key belong together is for the other end to find out.
    let mut certified = CertifiedKey::new(chain, key);
    certified.ocsp = shown.staple;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(Always(Arc::new(certified))));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Nobody comes back past the certificates: with a ticket, or, in TLS 1.2, with a session.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}
