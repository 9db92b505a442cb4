//! `mallory lab`: hands out exercises, and helps with them.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use mallory::notation::fault::suggest;
use mallory::scenario::lab::{LABS, Lab, Task};

use super::out::{Out, complain};
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Hands out an exercise as a file: a scenario without its attack, or a protocol without its
defence. `mallory test` grades what you make of it: an attack must bring down the goals that
the library's brings down; a defence must stand up to a search, and honest parties must get
through.

  mallory lab                        the exercises
  mallory lab break-nspk             write break-nspk.toml
  mallory test break-nspk.toml       grade it
  mallory lab break-nspk --hint 1    what helps, a little more with each number";

/// Hand out an exercise, which `test` grades
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// The exercise [default: say which there are]
    #[arg(value_name = "LAB")]
    lab: Option<String>,
    /// The file to write [default: LAB.toml]
    #[arg(long, value_name = "FILE", conflicts_with = "hint")]
    out: Option<PathBuf>,
    /// Help instead, from 1
    #[arg(long, value_name = "N", requires = "lab")]
    hint: Option<usize>,
}

/// Lists the exercises, writes one, or helps.
pub fn lab(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let Some(name) = &arguments.lab else { return list(out) };
    let Some(lab) = Lab::named(name) else {
        let help = suggest(name, LABS.iter().map(|lab| lab.name)).map(|help| format!(": {help}"));
        complain(&format!("there is no lab `{name}`{}", help.unwrap_or_default()));
        return Ok(Exit::Input);
    };
    if let Some(nth) = arguments.hint {
        return hint(&lab, nth, out);
    }
    let text = match lab.text() {
        Ok(text) => text,
        Err(problems) => {
            out.complain_of(&problems)?;
            return Ok(Exit::Defect);
        }
    };
    let path = arguments.out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
    let written = OpenOptions::new().write(true).create_new(true).open(&path);
    if let Err(error) = written.and_then(|mut file| file.write_all(text.as_bytes())) {
        complain(&format!("cannot write {}: {error}", path.display()));
        return Ok(Exit::Input);
    }
    let path = path.display();
    out.line(&format!("wrote {path}: {}\n", lab.about))?;
    out.line(&format!("  mallory test {path}    grades it"))?;
    out.line(&format!("  mallory lab {name} --hint 1    helps"))?;
    Ok(Exit::Expected)
}

fn list(out: &mut Out) -> io::Result<Exit> {
    let width = LABS.iter().map(|lab| lab.name.len()).max().unwrap_or(0);
    for lab in LABS {
        let task = match lab.task {
            Task::Attack(_) => "attack ",
            Task::Defence(..) => "defence",
        };
        out.line(&format!("  {:<width$}  {task}  {}", lab.name, lab.about))?;
    }
    Ok(Exit::Expected)
}

fn hint(lab: &Lab, nth: usize, out: &mut Out) -> io::Result<Exit> {
    let hints = match lab.hints() {
        Ok(hints) => hints,
        Err(problems) => {
            out.complain_of(&problems)?;
            return Ok(Exit::Defect);
        }
    };
    match nth.checked_sub(1).and_then(|at| hints.get(at)) {
        Some(hint) => {
            out.text(&format!("{hint}\n"))?;
            if nth < hints.len() {
                out.line(&format!("\n  mallory lab {} --hint {}    a little more", lab.name, nth + 1))?;
            }
            Ok(Exit::Expected)
        }
        None => {
            complain(&format!("hints of {} go from 1 to {}", lab.name, hints.len()));
            Ok(Exit::Input)
        }
    }
}
