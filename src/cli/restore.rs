//! `mallory restore`: a backup in the place of a service's state.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use clap::Args;
use mallory::legible::legible;
use mallory::limits::MAX_FILE_BYTES;
use mallory::live::{Failure, Restoring, restore as put_back};

use super::out::{Out, complain};
use super::serve::{passphrase, settings};
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Puts a backup of `mallory serve`, the folder that POST /backup has written, in the place of
a state that nobody serves now.

A backup that is older than what others have seen makes an authority whose lists forget who
was revoked, and a key centre that makes a version of a key for a second time. So it is held
against the state's anchor, if that is there, and against what others bring: lists and
certificates that they fetched or were given (--seen), versions of keys that they have met
(--met). What is older is refused, and so is what there is nothing to hold against, unless
--older takes it all the same.";

/// Put a backup in the place of a service's state
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// The backup's folder
    #[arg(value_name = "BACKUP")]
    from: PathBuf,
    /// Settings, in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the state
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// A CRL or a certificate of the authority that somebody holds, DER or PEM
    #[arg(long, value_name = "FILE")]
    seen: Vec<PathBuf>,
    /// A version of a key that somebody has met
    #[arg(long, value_name = "KEY=VERSION", value_parser = met)]
    met: Vec<(String, u32)>,
    /// Take it although it is older, or may be
    #[arg(long)]
    older: bool,
    /// Read the backup's passphrase from this file descriptor, up to the end of its line
    #[arg(long, value_name = "N")]
    passphrase_fd: Option<u32>,
}

fn met(text: &str) -> Result<(String, u32), String> {
    let (key, version) = text.rsplit_once('=').ok_or("expected KEY=VERSION, such as user1_rsa=3")?;
    let version = version.parse().map_err(|_| "expected a number behind `=`".to_owned())?;
    Ok((key.to_owned(), version))
}

/// Runs the subcommand.
pub fn restore(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    match run(arguments, out) {
        Ok(exit) => exit,
        Err(failure) => {
            for line in failure.0.lines() {
                complain(line);
            }
            Ok(Exit::Input)
        }
    }
}

fn run(arguments: &Arguments, out: &mut Out) -> Result<io::Result<Exit>, Failure> {
    let settings = settings(arguments.config.as_deref(), arguments.state.as_deref())?;
    let mut seen = Vec::new();
    for path in &arguments.seen {
        let failure = |error: io::Error| Failure(format!("{}: {error}", path.display()));
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(failure)?;
        file.take(MAX_FILE_BYTES as u64 * 8).read_to_end(&mut bytes).map_err(failure)?;
        seen.push((legible(&path.display().to_string()).into_owned(), bytes));
    }
    let restoring = Restoring {
        from: arguments.from.clone(),
        seen,
        versions: arguments.met.clone(),
        older: arguments.older,
    };
    let passphrase = passphrase(arguments.passphrase_fd, false)?;
    let restored = put_back(&settings, &restoring, passphrase.as_bytes())?;
    let mut say = || {
        for line in &restored.forgotten {
            complain(line);
        }
        let state = settings.state.display();
        out.line(&format!("restored   {state}, as of transaction {}", restored.transactions))?;
        Ok(Exit::Expected)
    };
    Ok(say())
}
