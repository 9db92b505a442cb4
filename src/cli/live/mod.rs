//! `mallory live`: plays scenarios with a program in a party's place.

mod clients;
mod matrix;
mod table;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use mallory::live::stage::{Ends, connect, stop};
use mallory::report::{Detail, Filter};
use mallory::scenario::live::{Command, NotRehearsed, Rehearsed, explained, placeholders, spec_of};
use mallory::scenario::{KeyPool, Problems, Variant};
use mallory::{Scenario, limits};

use super::out::{Out, complain};
use super::select::Selection;
use super::view::View;
use super::{EXIT_CODES, Exit};
use clients::Client;
use table::Form;

const ABOUT: &str = "\
Plays a scenario on real sockets with a program of yours in the place of one party: a TLS
client that connects to another party, fetches lists and asks for OCSP, with the scenario's
attacker in between. Whether the program took the session is an event like any other;
verdicts, evidence and expectations are as in `mallory run`, and so is the exit code.

  mallory live live-certificate/expired -- curl --cacert {ca.pem} https://{bob}/
  mallory live live-list/rolled-back -- ./my-client --crl {list} --connect {bob}
  mallory live live-certificate/expired      no command: serves until Ctrl-C
  mallory live --matrix                      every fault against every client found here

In a command, {bob} stands for host and port of whom it connects to, {ca.pem} for a file
with the authority's certificate; what else there is `mallory live SCENARIO` prints. The
same is in its environment (MALLORY_BOB, …), with SSL_CERT_FILE and the like. What a
scenario has happen before its run has happened, in the past, when the program starts.";

/// Play a scenario on real sockets, with a program in a party's place
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// A scenario with a [live] table, or one variant of it; with --matrix several
    #[arg(value_name = "NAME|PATH|TAG", required_unless_present = "matrix")]
    scenarios: Vec<String>,
    /// The program, with its arguments
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
    /// A client that the matrix knows, in place of a command: `--client curl`
    #[arg(long, value_name = "CLIENT", conflicts_with = "command")]
    client: Option<String>,
    /// Play every fault against every client that is found here, and print a table
    #[arg(long, conflicts_with = "command")]
    matrix: bool,
    /// The table as text, JSON or Markdown
    #[arg(long, value_enum, default_value_t = Form::Text, value_name = "FORM", requires = "matrix")]
    form: Form,
    /// The port for TLS [default: a free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// The port for lists and OCSP [default: a free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    status_port: u16,
    /// Verdicts only
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Every event
    #[arg(short, long)]
    verbose: bool,
}

/// Runs the subcommand.
pub fn live(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let known = match arguments.client.as_deref().map(Client::named).transpose() {
        Ok(known) => known,
        Err(why) => {
            complain(&why);
            return Ok(Exit::Input);
        }
    };
    // What was there before stays, such as that of whoever called this twice.
    let _ = ctrlc::set_handler(stop);
    if arguments.matrix {
        return matrix::matrix(&arguments.scenarios, known, arguments.form, out);
    }
    let selection = Selection::of(&arguments.scenarios);
    for (_, problems) in &selection.wrong {
        out.complain_of(problems)?;
    }
    if !selection.wrong.is_empty() {
        return Ok(Exit::Input);
    }
    let plays: usize = selection.scenarios.iter().map(|scenario| scenario.variants.len()).sum();
    let (Some(scenario), 1) = (selection.scenarios.first(), plays) else {
        complain(&which(&selection.scenarios));
        return Ok(Exit::Input);
    };
    let variant = &scenario.variants[0];
    if let Err(problems) = spec_of(scenario, variant) {
        out.complain_of(&problems)?;
        return Ok(Exit::Input);
    }
    // What it compiled is gone with it.
    let found;
    let command = match known {
        Some(client) => match client.found() {
            Ok(is_here) => {
                found = is_here;
                let spec = spec_of(scenario, variant).ok();
                let list = spec.and_then(|spec| spec.list.as_deref());
                let server = spec.map_or("bob", |spec| &*spec.server);
                Some(Command { is_quiet: false, ..found.command(server, list) })
            }
            Err(why) => {
                complain(&why);
                return Ok(Exit::Input);
            }
        },
        None => (!arguments.command.is_empty())
            .then(|| Command { words: arguments.command.clone(), ..Command::default() }),
    };
    match command {
        Some(command) => play(scenario, variant, Some(&command), arguments, out).map(|(exit, _)| exit),
        None => serve(scenario, variant, arguments, out),
    }
}

/// Connect as a TLS client of rustls does
#[derive(Args)]
#[command(hide = true)]
pub struct ClientArguments {
    /// Host and port
    at: String,
    /// Certificates that are trusted, PEM
    roots: PathBuf,
    /// A list, PEM
    list: Option<PathBuf>,
}

/// Runs the built-in client, for the matrix.
pub fn client(arguments: &ClientArguments) -> Exit {
    match connect(&arguments.at, &arguments.roots, arguments.list.as_deref()) {
        Ok(()) => Exit::Expected,
        Err(why) => {
            complain(&format!("refused: {why}"));
            Exit::Unexpected
        }
    }
}

fn which(scenarios: &[Scenario]) -> String {
    let names: Vec<String> = scenarios
        .iter()
        .flat_map(|scenario| scenario.variants.iter().map(|variant| variant.of(&scenario.called)))
        .take(limits::MAX_VARIANTS)
        .collect();
    format!("one play at a time: name a variant, as in `mallory live {}`", names.join("`, `"))
}

/// Opens the ports and plays once; whether somebody stopped it.
fn play(
    scenario: &Scenario,
    variant: &Arc<Variant>,
    command: Option<&Command>,
    arguments: &Arguments,
    out: &mut Out,
) -> io::Result<(Exit, bool)> {
    let ends = match Ends::open(arguments.port, arguments.status_port) {
        Ok(ends) => ends,
        Err(failure) => {
            complain(&failure.0);
            return Ok((Exit::Input, true));
        }
    };
    if command.is_none() {
        suggest(scenario, variant, &ends, out)?;
    }
    out.flush()?;
    match scenario.rehearse(variant, command, ends, &KeyPool::default()) {
        Ok(rehearsed) => {
            if command.is_none() && rehearsed.met.is_empty() && rehearsed.was_stopped {
                out.line("stopped")?;
                return Ok((Exit::Expected, true));
            }
            let exit = tell(scenario, variant, &rehearsed, arguments, out)?;
            Ok((exit, rehearsed.was_stopped))
        }
        Err(failure) => failed(&failure, out).map(|exit| (exit, true)),
    }
}

/// Plays again and again until somebody stops it.
fn serve(
    scenario: &Scenario,
    variant: &Arc<Variant>,
    arguments: &Arguments,
    out: &mut Out,
) -> io::Result<Exit> {
    loop {
        let (exit, is_over) = play(scenario, variant, None, arguments, out)?;
        if is_over {
            return Ok(exit);
        }
    }
}

/// What to try, where nobody said what.
fn suggest(scenario: &Scenario, variant: &Variant, ends: &Ends, out: &mut Out) -> io::Result<()> {
    let Some(spec) = &variant.setup.live else { return Ok(()) };
    let (tls, status) = (ends.tls_at(), ends.status_at());
    out.heading(&format!("{} · live", variant.of(&scenario.name)))?;
    out.line(&format!("{:<10} https://localhost:{}", spec.server, tls.port()))?;
    out.line(&format!("{:<10} http://{status}/ca.der", "ca"))?;
    if let Some(list) = &spec.list {
        out.line(&format!("{list:<10} http://{status}/crl.der"))?;
    }
    if let Some(name) = &spec.status {
        out.line(&format!("{name:<10} http://{status}/ocsp"))?;
    }
    out.line("\nTry, for instance:\n")?;
    out.line(&format!("  curl -s http://{status}/ca.der | openssl x509 -inform DER > ca.pem"))?;
    out.line(&format!("  curl --cacert ca.pem https://localhost:{}/", tls.port()))?;
    out.line("\nor, with a command that is played once, and its verdict as the exit code:\n")?;
    out.line(&format!(
        "  mallory live {} -- curl --cacert {{ca.pem}} https://{{{}}}/\n",
        variant.of(&scenario.called),
        spec.server
    ))?;
    for (placeholder, meaning) in placeholders(spec) {
        out.line(&format!("  {placeholder:<14} {meaning}"))?;
    }
    out.line("\nEvery connection is a play of its own. Ctrl-C stops it.\n")
}

fn tell(
    scenario: &Scenario,
    variant: &Variant,
    rehearsed: &Rehearsed,
    arguments: &Arguments,
    out: &mut Out,
) -> io::Result<Exit> {
    let play = &rehearsed.play;
    let version = env!("CARGO_PKG_VERSION");
    out.heading(&format!("mallory {version} · {} · live", variant.of(&scenario.name)))?;
    out.line("")?;
    let detail = match (arguments.quiet, arguments.verbose) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Full,
        _ => Detail::Normal,
    };
    View::Log.show(play, &Filter::default(), detail, out)?;
    out.line("")?;
    for (run, met) in &rehearsed.met {
        out.line(&format!("  the program, in run {run}, {}", explained(met)))?;
    }
    if rehearsed.met.is_empty() {
        out.line("  the program began no handshake")?;
    }
    let unmet = play.unmet();
    for failure in &unmet {
        out.verdict(false, "  not as expected", "")?;
        out.line(&format!("             {failure}"))?;
    }
    Ok(if unmet.is_empty() { Exit::Expected } else { Exit::Unexpected })
}

fn failed(failure: &NotRehearsed, out: &mut Out) -> io::Result<Exit> {
    out.flush()?;
    match failure {
        NotRehearsed::Input(problems) => {
            let problems: &Problems = problems;
            out.complain_of(problems)?;
            Ok(Exit::Input)
        }
        NotRehearsed::Outside(why) => {
            complain(why);
            Ok(Exit::Input)
        }
        NotRehearsed::Halt(halt) => {
            complain(&halt.to_string());
            Ok(Exit::Defect)
        }
    }
}
