//! The program under test: a process with the rehearsal's addresses in its environment. Must not
//! know what it is tested for.

use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{self, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::fetch;
use crate::limits::LIVE_PROGRAM_SECONDS;
use crate::live::enrolment::pem;
use crate::live::service::Failure;

/// How often it is looked at whether a program has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A program to start.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Its path or name, and its arguments.
    pub words: Vec<String>,
    /// What is in its environment beside what is in this process's.
    pub environment: Vec<(String, String)>,
    /// What it reads from its standard input; what this process has there, if none.
    pub input: Option<String>,
    /// A list that is fetched before it starts.
    pub fetched: Option<Fetched>,
    /// Whether nobody sees what it writes.
    pub is_quiet: bool,
}

/// A list that is fetched into a file before a program starts.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// From where.
    pub at: SocketAddr,
    /// Its path there.
    pub path: &'static str,
    /// The file, PEM.
    pub into: PathBuf,
}

/// A program that runs. It is ended when this is dropped.
pub struct Child(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    child: Option<process::Child>,
    /// Whether nobody wants it any more.
    is_over: bool,
}

impl Program {
    /// Fetches what it needs and starts it; `ended` is told its code, or why it did not start.
    ///
    /// # Errors
    /// If there is no thread to watch it.
    pub(super) fn start(
        &self,
        ended: impl FnOnce(Result<Option<i32>, Failure>) + Send + 'static,
    ) -> Result<Child, Failure> {
        let (program, watched) = (self.clone(), Arc::new(Mutex::new(Watched::default())));
        let child = Child(watched.clone());
        let watch = move || ended(program.run(&watched));
        let started = thread::Builder::new().name("program".to_owned()).spawn(watch);
        started.map_err(|error| Failure(format!("a thread: {error}")))?;
        Ok(child)
    }

    fn run(&self, watched: &Mutex<Watched>) -> Result<Option<i32>, Failure> {
        let lock = || watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Fetched { at, path, into }) = &self.fetched
            && let Some(list) = fetch::get(*at, path)
        {
            let written = std::fs::write(into, pem("X509 CRL", &list));
            written.map_err(|error| Failure(format!("{}: {error}", into.display())))?;
        }
        let mut child = self.spawn()?;
        let input = child.stdin.take().zip(self.input.clone());
        // Kept open until the program has ended: some end when their input does.
        let _input = input.map(|(mut pipe, text)| {
            // A program that reads nothing may have ended, which is seen below.
            let _ = pipe.write_all(text.as_bytes());
            pipe
        });
        {
            let mut watched = lock();
            if watched.is_over {
                let _ = child.kill();
            }
            watched.child = Some(child);
        }
        let looks = LIVE_PROGRAM_SECONDS * 1_000 / LOOK.as_millis() as u64;
        for _ in 0..looks {
            let found = lock().child.as_mut().map(process::Child::try_wait);
            match found {
                Some(Ok(None)) => thread::sleep(LOOK),
                Some(Ok(Some(status))) => return Ok(status.code()),
                Some(Err(_)) | None => return Ok(None),
            }
        }
        // It has had its time (LIVE_PROGRAM_SECONDS).
        lock().end();
        Ok(None)
    }

    fn spawn(&self) -> Result<process::Child, Failure> {
        let Some((name, arguments)) = self.words.split_first() else {
            return Err(Failure("expected a program and its arguments".to_owned()));
        };
        let shows = |is_quiet| if is_quiet { Stdio::null() } else { Stdio::inherit() };
        let mut command = Command::new(name);
        command
            .args(arguments)
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::inherit() })
            .stdout(shows(self.is_quiet))
            .stderr(shows(self.is_quiet));
        command.spawn().map_err(|error| {
            Failure(match error.kind() {
                ErrorKind::NotFound => format!("{name}: there is no such program"),
                _ => format!("{name}: {error}"),
            })
        })
    }
}

impl Watched {
    fn end(&mut self) {
        self.is_over = true;
        if let Some(child) = &mut self.child
            && matches!(child.try_wait(), Ok(None))
        {
            // One that has ended is not there to be killed.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).end();
    }
}
