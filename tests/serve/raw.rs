//! A client that sends whatever it is told to over TLS or TCP, certificates and all, and hears
//! whatever comes back. It waits as long as curl does in the other tests.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::ring::{default_provider, sign};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SignatureScheme, StreamOwned, version};

use super::support::Server;

const PATIENCE: Duration = Duration::from_secs(60);

/// DER of a file in PEM.
pub fn der(path: &Path) -> Vec<u8> {
    der::pem::decode_vec(&fs::read(path).unwrap()).unwrap().1
}

/// Shows a certificate and signs with a key, whether or not they belong together.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// How somebody connects who trusts the authority of the folder `home`, and shows `certificate`
/// signing with `key`, if anything.
pub fn connecting(home: &Path, shown: Option<(&Path, &Path)>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(der(&home.join("ca.pem")))).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der(key)));
            let key = sign::any_supported_type(&key).unwrap();
            let chain = vec![CertificateDer::from(der(certificate))];
            builder.with_client_cert_resolver(Arc::new(Shown(Arc::new(CertifiedKey::new(chain, key)))))
        }
    };
    config.resumption = Resumption::in_memory_sessions(4);
    Arc::new(config)
}

/// As whom a folder is.
pub fn as_in(folder: &Path) -> Arc<ClientConfig> {
    connecting(folder, Some((&folder.join("certificate.pem"), &folder.join("key.pem"))))
}

/// A connection.
pub struct Raw(pub StreamOwned<ClientConnection, TcpStream>);

/// A connection to a port of this machine.
pub fn tcp(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

impl Raw {
    /// One with TLS, whose handshake is done as far as this end knows.
    pub fn open(config: Arc<ClientConfig>, port: u16) -> io::Result<Raw> {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, tcp(port));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Raw(stream))
    }

    pub fn of(s: &Server, folder: &Path) -> Raw {
        Raw::open(as_in(folder), s.port).unwrap()
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    /// A request of the usual form, and its answer.
    pub fn ask(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Heard {
        self.try_ask(method, path, headers, body).unwrap()
    }

    /// As [`ask`](Self::ask), for who may be cut off.
    pub fn try_ask(&mut self, method: &str, path: &str, headers: &str, body: &str) -> io::Result<Heard> {
        let len = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len}\r\n{headers}");
        self.send(format!("{head}\r\n{body}").as_bytes())?;
        self.hear()
    }

    /// One answer: a head, and as much as it says.
    pub fn hear(&mut self) -> io::Result<Heard> {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            if self.0.read(&mut byte)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&bytes).to_lowercase();
        let len = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; len.map_or(0, |len| len.trim().parse().unwrap())];
        self.0.read_exact(&mut body)?;
        Ok(Heard { status: head[9..12].parse().unwrap(), head, body: String::from_utf8(body).unwrap() })
    }

    /// Everything that comes until the other end is done, be it with patience.
    pub fn rest(mut self) -> String {
        let mut all = Vec::new();
        // Whoever cuts off has said what it had to say.
        let _ = self.0.read_to_end(&mut all);
        String::from_utf8_lossy(&all).into_owned()
    }
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Heard {
    /// The reason's word, in either form of errors.
    pub fn word(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let word = body["error"].as_str().or_else(|| body["errors"][0].as_str());
        word.unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn is_refused(&self, status: u16, word: &str) {
        assert_eq!((self.status, self.word().as_str()), (status, word), "{self:?}");
    }

    /// Without what differs from answer to answer for no reason of the request's.
    pub fn without_numbers(&self) -> (u16, Vec<String>, String) {
        let lines =
            self.head.lines().filter(|line| !line.starts_with("date:") && !line.starts_with("x-request-id:"));
        (self.status, lines.map(str::to_owned).collect(), self.body.clone())
    }
}

/// The audit log as `actor operation outcome`, as an auditor reads it.
pub fn audit(s: &Server, reader: &Path) -> Vec<String> {
    let line = |r: &serde_json::Value| {
        [&r["actor"], &r["operation"], &r["outcome"]].map(|part| part.as_str().unwrap().to_owned()).join(" ")
    };
    let mut all = Vec::new();
    loop {
        let page = s.ask_as(reader, &format!("/audit?from={}&count=1000", all.len() + 1), "").done();
        let page = page["records"].as_array().unwrap();
        all.extend(page.iter().map(line));
        if page.len() < 1_000 {
            return all;
        }
    }
}

#[track_caller]
pub fn assert_audited(s: &Server, reader: &Path, wanted: &[&str]) {
    let log = audit(s, reader);
    for line in wanted {
        assert!(log.iter().any(|known| known == line), "{line} is not among {log:#?}");
    }
}
