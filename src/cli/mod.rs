//! The command line: the only place that prints. One file for each subcommand. Must not
//! know how protocols are played.

mod asked;
mod check;
mod completions;
mod explain;
mod export;
mod filter;
mod folder;
mod import;
mod junit;
mod keylog;
mod lab;
mod list;
#[cfg(feature = "live")]
mod live;
mod lsp;
mod man;
mod new;
mod out;
mod powers;
mod repair;
mod report;
#[cfg(feature = "live")]
mod restore;
mod run;
mod sarif;
mod schema;
mod search;
mod seed;
mod select;
#[cfg(feature = "live")]
mod serve;
mod test;
mod timeline;
mod view;

use std::io;
use std::panic;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use out::{Out, When};

const EXIT_CODES: &str = "\
Exit codes:
  0  everything came as expected
  1  an expectation failed
  2  the input is wrong: an argument or a file
  3  a limit was reached, or a defect of mallory";

const ABOUT: &str = "\
A rehearsal stage for key management: plays a protocol and its attacker with real
cryptography, in virtual time, and says who completed with whom, what the attacker holds
and which goals fell, by what evidence.

  mallory list                      what there is to play
  mallory explain dh-mitm           the story, its protocol and its attack
  mallory run dh-mitm               play it and read the log
  mallory report pki --html pages   pages to step through, and their index
  mallory new my-story              begin a scenario of your own
  mallory test my-story.toml        hold it against what it expects
  mallory search nspk               look for attacks that nobody wrote down
  mallory repair nspk               propose the smallest edits that mend it
  mallory export nspk --to anb      a model of a protocol for another tool
  mallory serve --demo              a key centre and an authority on real sockets

MALLORY_LOG=info has every event of a play, its party, run and line told on standard error as
it happens; MALLORY_LOG=mallory::event::refused=info only those of a kind (`kind` of
`--log json`), mallory=debug those of `-v`, too. The syntax is that of tracing's EnvFilter.";

/// A rehearsal stage for key management
#[derive(Parser)]
#[command(name = "mallory", version, long_about = ABOUT, after_help = EXIT_CODES)]
#[command(subcommand_required = true, arg_required_else_help = true, max_term_width = 100)]
struct Arguments {
    /// Whether to use colours: only on a terminal and without NO_COLOR, always, or never
    #[arg(long, global = true, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    color: When,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Arguments),
    Report(report::Arguments),
    Search(search::Arguments),
    Powers(powers::Arguments),
    Repair(repair::Arguments),
    Test(test::Arguments),
    List(list::Arguments),
    Explain(explain::Arguments),
    Check(check::Arguments),
    New(new::Arguments),
    Export(export::Arguments),
    Import(import::Arguments),
    #[cfg(feature = "live")]
    Live(live::Arguments),
    #[cfg(feature = "live")]
    TlsClient(live::ClientArguments),
    #[cfg(feature = "live")]
    Serve(serve::Arguments),
    #[cfg(feature = "live")]
    Restore(restore::Arguments),
    #[cfg(feature = "live")]
    Code(serve::CodeArguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
    Schema(schema::Arguments),
    Lab(lab::Arguments),
    Lsp(lsp::Arguments),
}

/// How a command ended, from best to worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Exit {
    /// Everything came as expected.
    Expected = 0,
    /// An expectation failed.
    Unexpected = 1,
    /// The input is wrong.
    Input = 2,
    /// A limit was reached, or a defect.
    Defect = 3,
}

/// Reads the arguments and does what they say.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            out::complain_of_arguments(&error);
            return ExitCode::from(Exit::Input as u8);
        }
        // Help, or the version.
        Err(error) => error.exit(),
    };
    if std::env::var_os("MALLORY_LOG").is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_env("MALLORY_LOG"))
            .with_writer(io::stderr)
            .with_ansi(out::is_watched())
            .init();
    }
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |at| format!(", at {at}"));
        out::complain(&format!("{}{place}; this is a defect of mallory", cause(info.payload())));
    }));
    let done = panic::catch_unwind(move || {
        let mut out = Out::new(arguments.color);
        match arguments.command {
            Command::Run(arguments) => run::run(&arguments, &mut out),
            Command::Report(arguments) => report::report(&arguments, &mut out),
            Command::Search(arguments) => search::search(&arguments, &mut out),
            Command::Powers(arguments) => powers::powers(&arguments, &mut out),
            Command::Repair(arguments) => repair::repair(&arguments, &mut out),
            Command::Test(arguments) => test::test(&arguments, &mut out),
            Command::List(arguments) => list::list(&arguments, &mut out),
            Command::Explain(arguments) => explain::explain(&arguments, &mut out),
            Command::Check(arguments) => check::check(&arguments, &mut out),
            Command::New(arguments) => new::new(&arguments, &mut out),
            Command::Export(arguments) => export::export(&arguments, &mut out),
            Command::Import(arguments) => import::import(&arguments, &mut out),
            #[cfg(feature = "live")]
            Command::Live(arguments) => live::live(&arguments, &mut out),
            #[cfg(feature = "live")]
            Command::TlsClient(arguments) => Ok(live::client(&arguments)),
            #[cfg(feature = "live")]
            Command::Serve(arguments) => serve::serve(&arguments, &mut out),
            #[cfg(feature = "live")]
            Command::Restore(arguments) => restore::restore(&arguments, &mut out),
            #[cfg(feature = "live")]
            Command::Code(arguments) => serve::code(&arguments, &mut out),
            Command::Completions(arguments) => completions::completions(&arguments, &mut out),
            Command::Man(arguments) => man::man(&arguments, &mut out),
            Command::Schema(arguments) => schema::write(&arguments, &mut out),
            Command::Lab(arguments) => lab::lab(&arguments, &mut out),
            Command::Lsp(arguments) => lsp::lsp(&arguments),
        }
        .and_then(|exit| out.flush().map(|()| exit))
    });
    let exit = match done {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Expected,
        Ok(Err(error)) => {
            out::complain(&format!("cannot write: {error}"));
            Exit::Defect
        }
        Err(_) => Exit::Defect,
    };
    ExitCode::from(exit as u8)
}

/// What a panic says.
fn cause(payload: &dyn std::any::Any) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "a panic",
    }
}
