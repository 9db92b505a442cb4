//! The key log: the only file in which secrets leave a play.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use mallory::journal::What;
use mallory::knowledge::Value;
use mallory::scenario::PlayReport;

/// A key log that is being written.
pub struct KeyLog(BufWriter<File>);

impl KeyLog {
    /// Creates the file, or empties it; only its owner may read it.
    pub fn create(path: &Path) -> io::Result<KeyLog> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        // The mode above is for a new file; one that was there keeps its own.
        #[cfg(unix)]
        if file.metadata()?.is_file() {
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        }
        Ok(KeyLog(BufWriter::new(file)))
    }

    /// Writes every value that a party or the attacker came to hold.
    pub fn write(&mut self, play: &PlayReport) -> io::Result<()> {
        let setup = &play.variant().setup;
        let her = setup.attacker.as_ref().map_or("-", |a| &a.name);
        for event in play.journal().events() {
            match &event.what {
                What::Concluded { session, term, value, .. } => {
                    self.line(play, Some(session.run), &session.party, term, value)?;
                }
                What::Equipped { term, value } => self.line(play, None, her, term, value)?,
                What::Guessed { term, value, .. } => {
                    value.iter().try_for_each(|value| self.line(play, None, her, term, value))?;
                }
                What::Compromised { term, run, value } => {
                    value.iter().try_for_each(|value| self.line(play, *run, her, term, value))?;
                }
                What::Obtained { by, request, value } => {
                    self.line(play, None, by, &format!("r{request}"), value)?;
                }
                What::Issued { .. }
                | What::NotIssued { .. }
                | What::Started { .. }
                | What::Sent { .. }
                | What::Injected { .. }
                | What::Taken { .. }
                | What::Delayed { .. }
                | What::Lost { .. }
                | What::Duplicated { .. }
                | What::Delivered { .. }
                | What::Ignored { .. }
                | What::Completed { .. }
                | What::Refused { .. }
                | What::Waits { .. }
                | What::Revoked { .. }
                | What::Asked { .. }
                | What::Answered { .. }
                | What::Lacked { .. }
                | What::Rekeyed { .. }
                | What::Alarmed { .. }
                | What::ClockSet { .. }
                | What::Unsealed { .. }
                | What::PutBack { .. }
                | What::Forged { .. }
                | What::Rotated { .. }
                | What::Restarted { .. }
                | What::Fetched { .. }
                | What::Followed { .. }
                | What::AttackStopped { .. } => {}
            }
        }
        self.0.flush()
    }

    fn line(
        &mut self,
        play: &PlayReport,
        run: Option<u32>,
        party: &str,
        term: &str,
        value: &Value,
    ) -> io::Result<()> {
        let run = run.map_or_else(|| "-".to_owned(), |run| run.to_string());
        write!(self.0, "{} {run} {party} {term} ", play.name)?;
        value.bytes.iter().try_for_each(|byte| write!(self.0, "{byte:02x}"))?;
        self.0.write_all(b"\n")
    }
}
