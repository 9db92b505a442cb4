//! `mallory man`: manual pages, one for the command and one for each subcommand.

use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory};

use super::out::{Out, complain};
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Writes manual pages into a folder: mallory.1, and one for each subcommand.

  mallory man ~/.local/share/man/man1 && man mallory-run";

/// Write manual pages
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// The folder, which is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the pages and says which.
pub fn man(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let written = std::fs::create_dir_all(&arguments.folder)
        .and_then(|()| clap_mangen::generate_to(super::Arguments::command(), &arguments.folder));
    match written {
        Ok(()) => {
            out.line(&format!("wrote manual pages to {}", arguments.folder.display()))?;
            Ok(Exit::Expected)
        }
        Err(error) => {
            complain(&format!("cannot write to {}: {error}", arguments.folder.display()));
            Ok(Exit::Input)
        }
    }
}
