//! `mallory completions`: what a shell needs to complete the command.

use std::io;

use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use mallory::scenario;

use super::out::Out;
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Writes a script with which a shell completes the command, its options and the names of the
library.

  mallory completions bash > ~/.local/share/bash-completion/completions/mallory
  mallory completions zsh  > ~/.zfunc/_mallory
  mallory completions fish > ~/.config/fish/completions/mallory.fish";

/// Write a script with which a shell completes the command
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

/// The arguments that take a name of the library, by subcommand, and whether protocols are meant.
const NAMED: [(&str, &str, Names); 7] = [
    ("run", "scenarios", Names::Scenarios),
    ("test", "scenarios", Names::Scenarios),
    ("explain", "name", Names::Both),
    ("check", "files", Names::Both),
    ("export", "name", Names::Both),
    ("new", "protocol", Names::Protocols),
    ("list", "protocol", Names::Protocols),
];

#[derive(Clone, Copy)]
enum Names {
    Scenarios,
    Protocols,
    Both,
}

impl Names {
    fn all(self) -> Vec<String> {
        let (scenarios, protocols) = match self {
            Names::Scenarios => (scenario::scenarios(), Vec::new()),
            Names::Protocols => (Vec::new(), scenario::protocols()),
            Names::Both => (scenario::scenarios(), scenario::protocols()),
        };
        scenarios.into_iter().chain(protocols).map(|entry| entry.name).collect()
    }
}

/// Writes the script.
pub fn completions(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let mut command = super::Arguments::command();
    for (subcommand, argument, names) in NAMED {
        command = command.mut_subcommand(subcommand, |subcommand| {
            subcommand.mut_arg(argument, |arg| arg.value_parser(PossibleValuesParser::new(names.all())))
        });
    }
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "mallory", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if arguments.shell == Shell::Zsh {
        // Unlike the others, zsh offers no files beside a list of words.
        for names in [Names::Scenarios, Names::Both].map(|names| names.all().join(" ")) {
            let both = format!(":{{_alternative \"names:name:({names})\" \"files:file:_files\"}}'");
            script = script.replace(&format!(":({names})'"), &both);
        }
    }
    if arguments.shell == Shell::Fish {
        // It is told of options alone.
        for (subcommand, argument, names) in NAMED.iter().filter(|(_, argument, _)| *argument != "protocol") {
            let seen = format!("__fish_seen_subcommand_from {subcommand}");
            let names = names.all().join(" ");
            script.push_str(&format!("complete -c mallory -n \"{seen}\" -a \"{names}\" -d \"{argument}\"\n"));
        }
    }
    out.raw(&script)?;
    Ok(Exit::Expected)
}
