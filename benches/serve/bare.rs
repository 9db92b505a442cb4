//! The same without what a key centre is for: axum and rustls, one key, one encryption for each
//! request, no vault, no guards, no record.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::{get, post};
use base64ct::{Base64, Encoding as _};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use mallory::crypto::{Symmetric, stream};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, version};
use tokio_rustls::TlsAcceptor;

/// Encrypts what is in `plaintext`, as the service's route does.
async fn encrypt(body: Bytes) -> Result<String, StatusCode> {
    let wrong = |_| StatusCode::BAD_REQUEST;
    let body: serde_json::Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let text = body["plaintext"].as_str().ok_or(StatusCode::BAD_REQUEST)?;
    let text = Base64::decode_vec(text).map_err(wrong)?;
    let sealed = Symmetric::Aes256Gcm.seal(&[7; 32], b"", &text, &mut stream(1, &["nonce"]));
    Ok(serde_json::json!({ "ciphertext": Base64::encode_string(&sealed) }).to_string())
}

/// Serves with the identity in a folder until it is killed; prints its port.
pub fn serve(home: &Path) {
    let der = |name: &str| der::pem::decode_vec(&fs::read(home.join(name)).unwrap()).unwrap().1;
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(der("ca.pem"))).unwrap();
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der("key.pem")));
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![CertificateDer::from(der("certificate.pem"))], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let router = Router::new()
        .route("/health", get(|| async { "{\"healthy\":true}" }))
        .route("/encrypt", post(encrypt));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening  https://{}", listener.local_addr().unwrap());
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            let (acceptor, router) = (acceptor.clone(), router.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(socket).await else { return };
                let served = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
                // Whoever goes away has what it came for.
                let _ = served.await;
            });
        }
    });
}
