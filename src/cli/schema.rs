//! `mallory schema`: what editors and other tools check files and output against.

use std::io;

use clap::{Args, ValueEnum};
use mallory::scenario::{SchemaOf, schema};

use super::out::Out;
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Writes a JSON Schema (draft 2020-12): of a scenario's file, of a protocol's, or of the lines of
`run --log json`.

  mallory schema scenario > mallory-scenario.json

and in an editor with taplo (Even Better TOML), at the top of a file:

  #:schema ./mallory-scenario.json

A file that a schema refuses is wrong; of one that it accepts `mallory check` says the rest.";

/// Write a JSON Schema of files or output
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Of what
    #[arg(value_enum, default_value = "scenario")]
    of: Subject,
}

#[derive(Clone, Copy, ValueEnum)]
enum Subject {
    /// A scenario's file
    Scenario,
    /// A protocol's file
    Protocol,
    /// A line of `run --log json`
    Play,
}

/// Writes the schema.
pub fn write(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let schema = match arguments.of {
        Subject::Scenario => schema(SchemaOf::Scenario),
        Subject::Protocol => schema(SchemaOf::Protocol),
        Subject::Play => mallory::report::json::schema(),
    };
    out.raw(&format!("{schema:#}\n"))?;
    Ok(Exit::Expected)
}
