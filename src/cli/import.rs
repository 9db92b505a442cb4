//! `mallory import`: reads another tool's model of a protocol.

use std::io;
use std::path::PathBuf;

use clap::Args;
use mallory::scenario::{Problem, Problems};

use super::export::deliver;
use super::out::Out;
use super::select::text_of;
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Reads a protocol in AnB, the Alice-and-Bob notation of OFMC, and writes it in ours: a file for
`mallory check`, and for a scenario's `protocol`. A signature, which reveals its text in AnB,
becomes the text and a detached signature.

  mallory import NSPK.anb                  print it
  mallory import NSPK.anb --out nspk.toml  write it";

/// Read a protocol in AnB, and write it in our notation
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// A file in AnB
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A file to write, in place of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Reads the file and writes what it says.
pub fn import(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    match read(arguments) {
        Ok(text) => deliver(&text, arguments.out.as_deref(), out),
        Err(problems) => {
            out.complain_of(&problems)?;
            Ok(Exit::Input)
        }
    }
}

fn read(arguments: &Arguments) -> Result<String, Problems> {
    let text = text_of(&arguments.file)?;
    let name = arguments.file.file_stem().and_then(|s| s.to_str()).unwrap_or("protocol");
    mallory::export::import(&text.text, name).map_err(|fault| {
        let problem = Problem::at(&text, fault.range, fault.message);
        match fault.help {
            Some(help) => problem.help(help),
            None => problem,
        }
        .into()
    })
}
