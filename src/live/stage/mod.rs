//! A rehearsal's ends on real sockets: where programs connect with TLS, where they ask who is
//! revoked, and the program itself. What becomes of it is decided behind the channel. Must not
//! know parties, rules or what is right.
//!
//! ```text
//! program ─▶ tls (hello, certificates shown, its word) ─┐
//!         ─▶ status (lists, OCSP) ──────────────────────┼─▶ Came … behind the channel … ─▶ answers
//! program's end ────────────────────────────────────────┘
//! ```

mod client;
mod clock;
mod fetch;
mod papers;
mod program;
mod status;
mod tls;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::service::Failure;

pub use client::connect;
pub use clock::Wall;
pub use papers::Papers;
pub use program::{Child, Fetched, Program};
pub use tls::{Met, Shown};

/// Whether this process is to end its rehearsals.
static STOP: AtomicBool = AtomicBool::new(false);

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Ends every rehearsal of this process, the one at hand and those after it.
pub fn stop() {
    STOP.store(true, Ordering::SeqCst);
}

/// What comes from outside.
#[derive(Debug)]
pub enum Came {
    /// A program began a handshake.
    Hello {
        /// The connection's number.
        connection: u64,
    },
    /// What it came to.
    Ended {
        /// The connection's number.
        connection: u64,
        /// What.
        met: Met,
    },
    /// Somebody asks who is revoked.
    Asked {
        /// The exchange's number.
        exchange: u64,
        /// What for.
        what: Asked,
    },
    /// The program ended, with this code if it has one; or it did not start.
    Exited(Result<Option<i32>, Failure>),
    /// Whoever runs this process wants it to end.
    Stopped,
}

/// What is asked over plain HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// The list of the authority that issues to subjects.
    List,
    /// The list of the root, where that is another.
    RootList,
    /// Of a certificate whether it stands: an OCSP request, DER.
    Status(Vec<u8>),
}

/// Answers that are waited for, by number.
struct Waiting<T>(Mutex<(u64, BTreeMap<u64, oneshot::Sender<T>>)>);

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Waiting(Mutex::default())
    }
}

impl<T> Waiting<T> {
    fn add(&self) -> (u64, oneshot::Receiver<T>) {
        let (answer, answered) = oneshot::channel();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.0 += 1;
        let number = waiting.0;
        waiting.1.insert(number, answer);
        (number, answered)
    }

    fn take(&self, number: u64) -> Option<oneshot::Sender<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&number)
    }
}

/// What tasks on sockets share.
struct Shared {
    came: Mutex<Sender<Came>>,
    handshakes: Waiting<Shown>,
    exchanges: Waiting<Vec<u8>>,
    /// Connections and exchanges that are under way.
    open: AtomicUsize,
    /// The authority's certificate, once there is one.
    root: Mutex<Vec<u8>>,
}

impl Shared {
    fn tell(&self, came: Came) {
        // Nobody hears it any more when the play is over.
        let _ = self.came.lock().unwrap_or_else(PoisonError::into_inner).send(came);
    }
}

/// Counts something as under way while it lives.
struct Open(Arc<Shared>);

impl Open {
    fn new(shared: &Arc<Shared>) -> Open {
        shared.open.fetch_add(1, Ordering::SeqCst);
        Open(shared.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The sockets of one rehearsal.
pub struct Ends {
    shared: Arc<Shared>,
    came: Receiver<Came>,
    tls: SocketAddr,
    status: SocketAddr,
    runtime: Option<Runtime>,
}

impl Ends {
    /// Takes a loopback port for TLS and one for lists and OCSP: these, or free ones for 0.
    ///
    /// # Errors
    /// If an address is taken, or the runtime cannot be made.
    pub fn open(tls: u16, status: u16) -> Result<Ends, Failure> {
        let bind = |port: u16| {
            let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| {
                listener.set_nonblocking(true)?;
                let at = listener.local_addr()?;
                Ok((listener, at))
            });
            bound.map_err(|error| Failure(format!("127.0.0.1:{port}: {error}")))
        };
        let (tls_listener, tls_at) = bind(tls)?;
        let (status_listener, status_at) = bind(status)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| Failure(format!("the runtime: {error}")))?;
        let (sender, came) = channel();
        let shared = Arc::new(Shared {
            came: Mutex::new(sender),
            handshakes: Waiting::default(),
            exchanges: Waiting::default(),
            open: AtomicUsize::new(0),
            root: Mutex::default(),
        });
        let listen = |listener: TcpListener| {
            let _within = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(|error| Failure(error.to_string()))
        };
        runtime.spawn(tls::keep(listen(tls_listener)?, shared.clone()));
        runtime.spawn(status::keep(listen(status_listener)?, shared.clone()));
        Ok(Ends { shared, came, tls: tls_at, status: status_at, runtime: Some(runtime) })
    }

    /// Where programs connect with TLS.
    pub fn tls_at(&self) -> SocketAddr {
        self.tls
    }

    /// Where lists and OCSP are.
    pub fn status_at(&self) -> SocketAddr {
        self.status
    }

    /// Hands the authority's certificate out, too, from now on.
    pub fn publish(&self, root: &[u8]) {
        *self.shared.root.lock().unwrap_or_else(PoisonError::into_inner) = root.to_vec();
    }

    /// Starts a program, whose end comes as `Exited`.
    ///
    /// # Errors
    /// If there is no thread to watch it.
    pub fn start(&self, program: &Program) -> Result<Child, Failure> {
        let shared = self.shared.clone();
        program.start(move |ended| shared.tell(Came::Exited(ended)))
    }

    /// What comes next, at the latest after `limit`; nothing if nothing did.
    pub fn wait(&self, limit: Option<Duration>) -> Option<Came> {
        let mut left = limit;
        loop {
            if STOP.load(Ordering::SeqCst) {
                return Some(Came::Stopped);
            }
            let slice = left.map_or(LOOK, |left| left.min(LOOK));
            match self.came.recv_timeout(slice) {
                Ok(came) => return Some(came),
                // This end has a sender, too: it is never the only one.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if let Some(time) = &mut left {
                *time = time.saturating_sub(slice);
                if time.is_zero() {
                    return None;
                }
            }
        }
    }

    /// What has come and was not looked at yet.
    pub fn told(&self) -> Option<Came> {
        self.came.try_recv().ok()
    }

    /// Whether connections or exchanges are under way. What came of those that are not is told.
    pub fn is_busy(&self) -> bool {
        self.shared.open.load(Ordering::SeqCst) > 0
    }

    /// Shows certificates in a handshake, signed for with this key.
    pub fn show(&self, connection: u64, shown: Shown) {
        if let Some(waiting) = self.shared.handshakes.take(connection) {
            // Whoever went away in the middle does not see them.
            let _ = waiting.send(shown);
        }
    }

    /// Shows nothing in a handshake: nobody is there to answer it.
    pub fn ignore(&self, connection: u64) {
        drop(self.shared.handshakes.take(connection));
    }

    /// Answers an exchange.
    pub fn answer(&self, exchange: u64, body: Vec<u8>) {
        if let Some(waiting) = self.shared.exchanges.take(exchange) {
            let _ = waiting.send(body);
        }
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // It may be dropped where a play runs, which nothing may hold up.
            runtime.shutdown_background();
        }
    }
}
