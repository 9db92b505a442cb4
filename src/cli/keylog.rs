//! The key log: the only file in which secrets leave a play.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use mallory::algebra::Value;
use mallory::journal::Gain;
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
            let Some(gain) = event.what.topics().gain else { continue };
            let (run, who) = match gain {
                Gain::Concluded(session, ..) => (Some(session.run), &*session.party),
                Gain::Equipped(..) | Gain::Guessed(..) | Gain::Recovered(..) => (None, her),
                Gain::Handed(_, run, _) => (run, her),
                Gain::Obtained(by, ..) => (None, &**by),
            };
            let (term, value) = gain.named();
            self.line(play, run, who, &term, value)?;
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
