//! `mallory completions`: what a shell needs to complete the command.

use std::io;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::out::Out;
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Writes a script with which a shell completes the command.

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

/// Writes the script.
pub fn completions(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "mallory", &mut script);
    out.raw(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Expected)
}
