//! Files that a program needs beside its arguments, in a folder of their own that is gone with
//! the rehearsal. Must not know what is in them.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::limits::MAX_TEMPORARY_NAMES;
use crate::live::enrolment::pem;

/// A folder that nobody else reads.
pub struct Papers(PathBuf);

impl Papers {
    /// Makes one where the system keeps what is temporary.
    ///
    /// # Errors
    /// The system's.
    pub fn new() -> io::Result<Papers> {
        let within = std::env::temp_dir();
        for nth in 0..MAX_TEMPORARY_NAMES {
            let folder = within.join(format!("mallory-live-{}-{nth}", std::process::id()));
            let mut builder = fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            match builder.create(&folder) {
                Ok(()) => return Ok(Papers(folder)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(ErrorKind::AlreadyExists, "too many folders of rehearsals that were stopped"))
    }

    /// Where a file of it is, or will be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a certificate, PEM.
    ///
    /// # Errors
    /// The system's.
    pub fn certificate(&self, name: &str, der: &[u8]) -> io::Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, pem("CERTIFICATE", der))?;
        Ok(path)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Papers {
    fn drop(&mut self) {
        // What cannot be removed holds nothing that is secret.
        let _ = fs::remove_dir_all(&self.0);
    }
}
