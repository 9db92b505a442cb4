//! TLS 1.3 with certificates on both sides, all of the authority's own making. Must not know who
//! may do what.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring::{self, sign};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, version};

use super::kept::ServerDocument;

/// The server's certificate, which is replaced while the service runs.
#[derive(Debug)]
pub struct Certificate(RwLock<Arc<CertifiedKey>>);

impl Certificate {
    /// A certificate with its key.
    ///
    /// # Errors
    /// In words.
    pub fn new(server: &ServerDocument) -> Result<Certificate, rustls::Error> {
        Ok(Certificate(RwLock::new(certified(server)?)))
    }

    /// Puts another in its place.
    ///
    /// # Errors
    /// In words.
    pub fn replace(&self, server: &ServerDocument) -> Result<(), rustls::Error> {
        let certified = certified(server)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certified;
        Ok(())
    }
}

fn certified(server: &ServerDocument) -> Result<Arc<CertifiedKey>, rustls::Error> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server.key.to_vec()));
    let key = sign::any_supported_type(&key)?;
    Ok(Arc::new(CertifiedKey::new(vec![CertificateDer::from(server.certificate.to_vec())], key)))
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// The server's side: TLS 1.3, and of clients a certificate of this authority or none. What a
/// client without one may ask for is not decided here, nor whether its own was revoked.
///
/// # Errors
/// In words.
pub fn config(root: &[u8], certificate: Arc<Certificate>) -> Result<ServerConfig, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(root.to_vec())).map_err(|error| words(&error))?;
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()
        .map_err(|error| words(&error))?;
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .map_err(|error| words(&error))?;
    let mut config = builder.with_client_cert_verifier(clients).with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
