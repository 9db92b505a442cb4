//! A TLS client of this program's own, by rustls as its documentation has it: what the matrix
//! compares others with where there are no others. Must not know what it is shown.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use crate::limits::LIVE_JUDGING_SECONDS;

/// Connects to `at`, a host and a port, and says something in the session. With a list, PEM, the
/// path is checked against it, and a list that has expired is none.
///
/// # Errors
/// Why it refuses, in words.
pub fn connect(at: &str, roots: &Path, list: Option<&Path>) -> Result<(), String> {
    let provider = Arc::new(ring::default_provider());
    let mut store = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(&read(roots)?) {
        let root = root.map_err(|error| error.to_string())?;
        store.add(root).map_err(|error| error.to_string())?;
    }
    let mut verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone());
    if let Some(list) = list {
        let lists = read(list)?;
        let lists = CertificateRevocationListDer::pem_slice_iter(&lists).collect::<Result<Vec<_>, _>>();
        let lists = lists.map_err(|error| error.to_string())?;
        if lists.is_empty() {
            return Err(format!("{}: there is no list in it", list.display()));
        }
        verifier = verifier.with_crls(lists).enforce_revocation_expiration();
    }
    let verifier = verifier.build().map_err(|error| error.to_string())?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_webpki_verifier(verifier)
        .with_no_client_auth();
    let host = at.rsplit_once(':').map_or(at, |(host, _)| host).to_owned();
    let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
    let mut session = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    let mut addresses = at.to_socket_addrs().map_err(|error| error.to_string())?;
    let address = addresses.find(std::net::SocketAddr::is_ipv4).ok_or_else(|| format!("{at}: no address"))?;
    let mut socket = TcpStream::connect(address).map_err(|error| error.to_string())?;
    let limit = Some(Duration::from_secs(LIVE_JUDGING_SECONDS));
    socket.set_read_timeout(limit).map_err(|error| error.to_string())?;
    let mut stream = Stream::new(&mut session, &mut socket);
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").map_err(|error| error.to_string())?;
    let mut answer = [0; 512];
    // What it answers is of no matter.
    let _ = stream.read(&mut answer);
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}
