//! The service as a whole: how it starts, runs and stops. Must not know what is asked.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc};
use tokio_rustls::TlsAcceptor;

use super::clock::Clock;
use super::door::{self, Door};
use super::engine::{CONSOLE, Engine};
use super::enrolment::{self, Enrolment};
use super::race::{First, first};
use super::settings::Settings;
use super::{desk, folder, routes, tls};
use crate::crypto::StretchCost;
use crate::reason::Reason;
use crate::vault::{FileAnchor, FileStore, Role, Sealing, Unsealing, Vault};

/// Why the service does not start, or ends otherwise than it was told to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure(
    /// In words.
    pub String,
);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// How a start found the state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begun {
    /// There was none, and a new one was made.
    New,
    /// It was there.
    Again,
}

/// A service that has started and is about to run.
pub struct Service {
    engine: Engine,
    certificate: Arc<tls::Certificate>,
    private: TcpListener,
    public: TcpListener,
    addresses: (SocketAddr, SocketAddr),
    /// Held until everything is closed.
    _lock: File,
}

impl Service {
    /// Whether a state is there, so that its passphrase opens it and makes none.
    pub fn exists(settings: &Settings) -> bool {
        !FileStore::is_to_be_made(settings.vault_path())
    }

    /// Opens the state, or makes it, and takes the addresses: nobody is served yet.
    ///
    /// # Errors
    /// What is wrong with the state, the passphrase or the addresses.
    pub fn start(settings: Settings, passphrase: &[u8]) -> Result<(Service, Begun), Failure> {
        let settings = Arc::new(settings);
        let state = settings.state.display().to_string();
        folder::prepare(&settings.state).map_err(|error| Failure(format!("{state}: {error}")))?;
        let lock = folder::lock(&settings.state).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => Failure(format!("{state}: another process uses it")),
            _ => Failure(format!("{state}/lock: {error}")),
        })?;
        let bind = |name: &str, at: SocketAddr| {
            let bound = TcpListener::bind(at).and_then(|listener| {
                listener.set_nonblocking(true)?;
                let at = listener.local_addr()?;
                Ok((listener, at))
            });
            bound.map_err(|error| Failure(format!("{name} = {at}: {error}")))
        };
        let (private, private_at) = bind("listen", settings.listen)?;
        let (public, public_at) = bind("publish", settings.publish)?;
        let (vault, begun) = open(&settings, passphrase)?;
        let url = settings.publish_url.clone().unwrap_or_else(|| format!("http://{public_at}"));
        let words = |reason: Reason| {
            Failure(match reason {
                Reason::InvalidSettings => {
                    format!(
                        "{state}: its authority was made with another crl_period or delta_period, by which its lists are numbered"
                    )
                }
                other => format!("{state}: {other}: {}", other.meaning()),
            })
        };
        let mut engine = Engine::start(vault, settings, url).map_err(words)?;
        let certificate = tls::Certificate::new(&engine.server().map_err(words)?)
            .map_err(|error| Failure(format!("the server's certificate: {error}")))?;
        let certificate = Arc::new(certificate);
        let addresses = (private_at, public_at);
        Ok((Service { engine, certificate, private, public, addresses, _lock: lock }, begun))
    }

    /// Where it listens with TLS.
    pub fn listens_at(&self) -> SocketAddr {
        self.addresses.0
    }

    /// Where relying parties fetch.
    pub fn publishes_at(&self) -> SocketAddr {
        self.addresses.1
    }

    /// The authority's certificate, DER.
    pub fn root(&self) -> &[u8] {
        self.engine.authority.root()
    }

    /// Whether an administrator was ever enrolled.
    ///
    /// # Errors
    /// The vault's.
    pub fn has_administrator(&mut self) -> Result<bool, Failure> {
        let members = self.engine.members().map_err(reason)?;
        Ok(members.iter().any(|(_, member)| member.role == Role::Administrator))
    }

    /// Enrols the first administrator: whoever can open the state may do so, once.
    ///
    /// # Errors
    /// If there is one already, or the folder is not empty; the vault's.
    pub fn enrol_first(&mut self, name: &str, into: &Path) -> Result<Enrolment, Failure> {
        if self.has_administrator()? {
            let text = "there is an administrator already: only one enrols others now";
            return Err(Failure(text.to_owned()));
        }
        self.enrol(name, Role::Administrator, into)
    }

    /// Enrols somebody whose key is made here.
    ///
    /// # Errors
    /// If the folder is not empty; the vault's.
    pub(super) fn enrol(&mut self, name: &str, role: Role, into: &Path) -> Result<Enrolment, Failure> {
        if !enrolment::is_free(into) {
            return Err(Failure(format!("{}: expected a folder that is empty or not there", into.display())));
        }
        let (key, enrolled) = self.engine.enrol_here(name, role).map_err(|refused| {
            Failure(match refused {
                Reason::NotAuthorisedForName => {
                    format!("{name:?}: expected a name of letters, digits, `-`, `_` and `.` that is not the server's")
                }
                other => format!("{name:?}: {other}: {}", other.meaning()),
            })
        })?;
        let parts = (&key.to_pkcs8()[..], &enrolled.certificate[..], self.engine.authority.root());
        let codes = enrolled.codes.as_ref().map(|secret| secret.as_slice());
        enrolment::write(name, into, parts, codes)
            .map_err(|error| Failure(format!("{}: {error}", into.display())))
    }

    /// Serves until `stop` is there; then lets those who are in finish, and closes the vault
    /// cleanly.
    ///
    /// # Errors
    /// If the runtime cannot be made, or the vault cannot be closed.
    pub fn run(self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| Failure(format!("the runtime: {error}")))?;
        let Service { engine, certificate, private, public, _lock: lock, .. } = self;
        let config = tls::config(engine.authority.root(), certificate.clone()).map_err(Failure)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let patience = Duration::from_nanos(engine.settings.limits.patience.0);
        let prefix = format!("{:x}-{:x}", std::process::id(), Clock::default().now().seconds());
        let (desk, back) = desk::open(engine).map_err(|error| Failure(format!("a thread: {error}")))?;
        let served = runtime.block_on(async {
            let listener =
                |listener| tokio::net::TcpListener::from_std(listener).map_err(|e| Failure(e.to_string()));
            let (private, public) = (listener(private)?, listener(public)?);
            let (end, _) = broadcast::channel(1);
            let doors = [
                (private, Some(acceptor), routes::private(), prefix.clone()),
                (public, None, routes::public(), format!("{prefix}-p")),
            ]
            .map(|(listener, tls, rows, prefix)| {
                let router = routes::router(rows, desk.clone(), (prefix, patience));
                let door = Door { tls, router, patience, desk: desk.clone() };
                tokio::spawn(door::keep(listener, door, end.subscribe()))
            });
            let served = until(stop, &desk, &certificate).await;
            // Whoever has no door open any more has heard it.
            let _ = end.send(());
            for door in doors {
                let _ = door.await;
            }
            served
        });
        drop(desk);
        runtime.shutdown_timeout(Duration::from_secs(1));
        let closed = back.join().map_err(reason);
        drop(lock);
        served.and(closed)
    }
}

/// Does what the time has come for, every second, until the end.
async fn until(
    stop: impl Future<Output = ()>,
    desk: &desk::Desk,
    certificate: &tls::Certificate,
) -> Result<(), Failure> {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    let mut stop = std::pin::pin!(stop);
    let mut count = 0_u64;
    loop {
        if let First::One(()) = first(&mut stop, seconds.tick()).await {
            return Ok(());
        }
        if desk.is_closed() {
            return Err(Failure("the engine stopped: this is a defect of mallory".to_owned()));
        }
        count += 1;
        let is_minute = count.is_multiple_of(60);
        let done = desk.ask(move |engine| {
            engine.tick()?;
            let is_open = !engine.gate.vault().is_sealed();
            if is_minute && is_open { engine.server().map(Some) } else { Ok(None) }
        });
        match done.await {
            Ok(Ok(Some(server))) => {
                if let Err(error) = certificate.replace(&server) {
                    tracing::error!(target: "mallory::live", %error, "the server's certificate");
                }
            }
            Ok(Ok(None)) => {}
            Ok(Err(reason)) | Err(reason) => {
                tracing::error!(target: "mallory::live", reason = reason.word(), "housekeeping");
            }
        }
    }
}

/// Comes when somebody presses Ctrl-C or the system asks the process to end. From the call on,
/// not from when it is first waited for, so that whoever is told that the service listens may end it.
///
/// # Errors
/// If the process cannot listen for that, or does so already.
pub fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    let (told, mut hear) = mpsc::unbounded_channel();
    let tell = move || {
        // Nobody listens any more: it is ending.
        let _ = told.send(());
    };
    ctrlc::set_handler(tell).map_err(|error| Failure(format!("signals: {error}")))?;
    Ok(async move {
        hear.recv().await;
    })
}

fn reason(reason: Reason) -> Failure {
    Failure(format!("{reason}: {}", reason.meaning()))
}

/// The vault of the state, unsealed; a new one if there is none.
fn open(settings: &Settings, passphrase: &[u8]) -> Result<(Vault<FileStore>, Begun), Failure> {
    let (path, anchor) = (settings.vault_path(), settings.anchor_path());
    if passphrase.is_empty() && FileStore::is_to_be_made(&path) {
        return Err(Failure("a new vault needs a passphrase that is not empty".to_owned()));
    }
    let words = |reason: Reason| Failure(format!("{}: {reason}: {}", path.display(), reason.meaning()));
    let anchor = || FileAnchor::new(&anchor);
    let found = match path.exists() {
        true => match FileStore::open(&path, anchor()) {
            // A first start may have been interrupted: what is no vault yet is made one.
            Err(Reason::VaultUnavailable) => Err(FileStore::create(&path, anchor())),
            other => Ok(other.map_err(words)?),
        },
        false => Err(FileStore::create(&path, anchor())),
    };
    match found {
        Ok(store) => {
            let mut vault = Vault::open(store).map_err(words)?;
            if vault.takes_shares() {
                let text = "it is sealed under shares, and the service asks for a passphrase";
                return Err(Failure(format!("{}: {text}", path.display())));
            }
            vault.unseal(Unsealing::Passphrase(passphrase)).map_err(|refused| match refused {
                Reason::DecryptFailed => {
                    Failure(format!("{}: the passphrase does not open it", path.display()))
                }
                other => words(other),
            })?;
            Ok((vault, Begun::Again))
        }
        Err(store) => {
            let how = Sealing::Passphrase { passphrase, cost: StretchCost::default() };
            let now = Clock::default().now();
            let vault = Vault::create(store.map_err(words)?, how, CONSOLE, now).map_err(words)?;
            Ok((vault, Begun::New))
        }
    }
}
