//! `mallory export`: writes a model of a protocol for another tool.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use clap::builder::PossibleValuesParser;
use mallory::Scenario;
use mallory::export::{About, Target};
use mallory::notation::fault::suggest;
use mallory::scenario::{self, Problem, Problems, ProtocolFile, Text};
use mallory::wire::Encoding;

use super::out::{Out, complain};
use super::select::text_of;
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Writes a model of a protocol in the language of another tool, for a second opinion. Its parts
read what ours can and its goals mean the same, as far as the language can say it; the comment
at its head says what does not carry over. A term that the language has no words for is an
error.

  mallory export nspk --to proverif                     a protocol of the library
  mallory export mine.toml --to verifpal --out mine.vp  a protocol or a scenario of your own
  mallory export dh-mitm/fixed --to tamarin             what a scenario plays";

/// Write a model of a protocol for another tool
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// A protocol or a scenario: a name of the library, or a file
    #[arg(value_name = "NAME|FILE")]
    name: String,
    /// The tool whose language it is: proverif, tamarin, scyther, verifpal, anb (OFMC)
    #[arg(long, value_name = "TOOL", hide_possible_values = true, value_parser = PossibleValuesParser::new(Target::ALL.map(|t| t.1)))]
    to: String,
    /// A file to write, in place of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes the model.
pub fn export(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    match model(arguments) {
        Ok(model) => deliver(&model, arguments.out.as_deref(), out),
        Err(problems) => {
            out.complain_of(&problems)?;
            Ok(Exit::Input)
        }
    }
}

/// Writes a text where it is wanted.
pub fn deliver(text: &str, path: Option<&Path>, out: &mut Out) -> io::Result<Exit> {
    let Some(path) = path else {
        out.text(text)?;
        return Ok(Exit::Expected);
    };
    match fs::write(path, text) {
        Ok(()) => Ok(Exit::Expected),
        Err(error) => {
            complain(&format!("cannot write {}: {error}", path.display()));
            Ok(Exit::Input)
        }
    }
}

fn model(arguments: &Arguments) -> Result<String, Problems> {
    let target = Target::from_word(&arguments.to).expect("the arguments admit no other word");
    let (file, encoding, text) = protocol(&arguments.name)?;
    let about = About {
        title: &file.title,
        reference: &file.reference,
        encoding: match encoding.as_ref().or(file.encoding.as_ref()) {
            None | Some(Encoding::Tagged) => None,
            Some(Encoding::Untagged(_)) => Some("untagged"),
            Some(Encoding::Labelled) => Some("labelled"),
        },
    };
    mallory::export::export(&file.protocol, &about, target).map_err(|unsayable| {
        let at = text.text.find(&unsayable.term);
        let message = format!("`{}` cannot be said for {}", unsayable.term, target.word());
        let problem = match at {
            Some(at) => Problem::at(&text, at..at + unsayable.term.len(), message),
            // It stands there in other words, such as a `let` name.
            None => {
                Problem::at(&Arc::new(Text { name: text.name.clone(), text: String::new() }), 0..0, message)
            }
        };
        problem.help(unsayable.why).into()
    })
}

/// The protocol that an argument means, with the encoding that a scenario plays it in.
fn protocol(argument: &str) -> Result<(ProtocolFile, Option<Encoding>, Arc<Text>), Problems> {
    if let Some(entry) = scenario::protocols().into_iter().find(|e| e.name == argument) {
        return Ok((ProtocolFile::named(argument)?, None, entry.text));
    }
    let stem = argument.split('/').next().unwrap_or(argument);
    if let Some(entry) = scenario::scenarios().into_iter().find(|e| e.name == stem) {
        return first(&Scenario::named(argument)?, entry.text);
    }
    let path = Path::new(argument);
    if !(path.exists() || argument.ends_with(".toml")) {
        let names: Vec<String> =
            scenario::protocols().into_iter().chain(scenario::scenarios()).map(|e| e.name).collect();
        let mut problem = Problem::nowhere(format!("there is no file, scenario or protocol `{argument}`"));
        problem.help = suggest(argument, names.iter().map(String::as_str));
        return Err(problem.into());
    }
    let text = text_of(path)?;
    if ProtocolFile::is_one(&text) {
        let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or("protocol");
        return Ok((ProtocolFile::from_text(&text, name)?, None, text));
    }
    first(&Scenario::from_path(path)?, text)
}

fn first(
    scenario: &Scenario,
    text: Arc<Text>,
) -> Result<(ProtocolFile, Option<Encoding>, Arc<Text>), Problems> {
    let setup = scenario.variants.first().map(|v| &v.setup).filter(|s| s.plays_protocol);
    match setup.and_then(|s| s.protocols.first()) {
        Some((file, encoding)) => Ok((file.clone(), Some(encoding.clone()), text)),
        None => Err(Problem::at(&text, 0..0, "this scenario plays no protocol").into()),
    }
}
