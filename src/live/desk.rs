//! The thread on which the engine does one request after the other: the vault's disk would hold
//! all others up. Must not know what is asked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use super::engine::Engine;
use crate::limits::MAX_LIVE_WAITING;
use crate::reason::Reason;

type Job = Box<dyn FnOnce(&mut Engine) + Send>;

/// Where jobs for the engine are handed in.
#[derive(Clone)]
pub struct Desk(mpsc::Sender<Job>);

/// The engine's thread.
pub struct Back(JoinHandle<Result<(), Reason>>);

/// Puts an engine to work until every desk is gone.
///
/// # Errors
/// Those of starting a thread.
pub fn open(mut engine: Engine) -> std::io::Result<(Desk, Back)> {
    let (sender, mut jobs) = mpsc::channel::<Job>(MAX_LIVE_WAITING);
    let work = move || {
        while let Some(job) = jobs.blocking_recv() {
            // Whatever a defect left behind is not worked on; the file has only what is whole.
            if catch_unwind(AssertUnwindSafe(|| job(&mut engine))).is_err() {
                return Err(Reason::VaultUnavailable);
            }
        }
        engine.close()
    };
    let thread = thread::Builder::new().name("engine".to_owned()).spawn(work)?;
    Ok((Desk(sender), Back(thread)))
}

impl Desk {
    /// Has a job done, and answers what comes of it.
    ///
    /// # Errors
    /// `RateLimited` if too many wait; `VaultUnavailable` if nobody works there any more.
    pub async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> Result<T, Reason> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |engine: &mut Engine| {
            // Whoever does not wait any more needs no answer.
            let _ = answer.send(job(engine));
        });
        self.0.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Reason::RateLimited,
            mpsc::error::TrySendError::Closed(_) => Reason::VaultUnavailable,
        })?;
        answered.await.map_err(|_| Reason::VaultUnavailable)
    }

    /// Whether the engine has stopped by itself.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl Back {
    /// Waits until the engine has closed its vault.
    ///
    /// # Errors
    /// The vault's.
    pub fn join(self) -> Result<(), Reason> {
        self.0.join().unwrap_or(Err(Reason::VaultUnavailable))
    }
}
