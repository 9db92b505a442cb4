//! `mallory serve`: the key centre and the authority on real sockets and real time.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use mallory::limits::{MAX_FILE_BYTES, MAX_PASSPHRASE_BYTES};
use mallory::live::{Begun, Demo, Enrolment, Failure, Service, Settings, stopped};

use super::out::{Out, complain};
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Serves the key centre and the authority that stand in plays as actors: a vault with its
guards behind HTTP over TLS 1.3 with certificates on both sides, and the authority's lists
and statements over plain HTTP on a second address. For rehearsals, test environments and
teaching, not for production.

  mallory serve --demo                              try it: prints lines to paste
  mallory serve --state DIR --administrator NAME --into DIR2
                                                    the first start: makes DIR, and the first
                                                    administrator's key and certificate in DIR2
  mallory serve --state DIR                         every other start
  mallory restore BACKUP --state DIR                puts a backup in the state's place

The vault's passphrase is asked for, or read from a file descriptor (--passphrase-fd) or
from MALLORY_PASSPHRASE. Ctrl-C or SIGTERM stops it. MALLORY_LOG=mallory::live=info logs
every request on standard error.";

/// Serve the key centre and the authority over TLS
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Settings, in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of its state, which is made if it is not there
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Where it listens with TLS [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where relying parties fetch lists and statements [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    publish: Option<SocketAddr>,
    /// A temporary state with an administrator and two clients, gone when it stops
    #[arg(long, conflicts_with_all = ["state", "administrator"])]
    demo: bool,
    /// Enrol the first administrator under this name
    #[arg(long, value_name = "NAME", requires = "into")]
    administrator: Option<String>,
    /// The folder for the administrator's key and certificate
    #[arg(long, value_name = "DIR", requires = "administrator")]
    into: Option<PathBuf>,
    /// Read the vault's passphrase from this file descriptor, up to the end of its line
    #[arg(long, value_name = "N")]
    passphrase_fd: Option<u32>,
}

/// Runs the subcommand.
pub fn serve(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    match start(arguments, out) {
        Ok(exit) => exit,
        Err(failure) => {
            for line in failure.0.lines() {
                complain(line);
            }
            Ok(Exit::Input)
        }
    }
}

fn start(arguments: &Arguments, out: &mut Out) -> Result<io::Result<Exit>, Failure> {
    let mut settings = settings(arguments.config.as_deref(), arguments.state.as_deref())?;
    settings.listen = arguments.listen.unwrap_or(settings.listen);
    settings.publish = arguments.publish.unwrap_or(settings.publish);
    if arguments.demo {
        let mut passphrase = [0; 32];
        File::open("/dev/urandom")
            .and_then(|mut file| file.read_exact(&mut passphrase))
            .map_err(|error| Failure(format!("/dev/urandom: {error}")))?;
        let demo = Demo::start(settings, &passphrase)?;
        if let Err(error) = introduce(&demo, out) {
            return Ok(Err(error));
        }
        let (service, folder) = demo.into_parts();
        let ended = run(service, out);
        drop(folder);
        return Ok(ended);
    }
    let is_new = !Service::exists(&settings);
    let passphrase = passphrase(arguments.passphrase_fd, is_new)?;
    let state = settings.state.display().to_string();
    let (mut service, begun) = Service::start(settings, passphrase.as_bytes())?;
    let enrolled = match (&arguments.administrator, &arguments.into) {
        (Some(name), Some(into)) => Some(service.enrol_first(name, into)?),
        _ => None,
    };
    let has_administrator = service.has_administrator()?;
    let mut say = || -> io::Result<()> {
        let what = if begun == Begun::New { "made" } else { "opened" };
        out.line(&format!("state      {state} ({what})"))?;
        addresses(&service, out)?;
        if let Some(enrolled) = &enrolled {
            out.line(&format!("enrolled   {} as administrator: {}", enrolled.name, files(enrolled)))?;
        } else if !has_administrator {
            out.line("Nobody is enrolled, so nobody is served. Stop it, and start it once with")?;
            out.line(&format!("  mallory serve --state {state} --administrator NAME --into DIR"))?;
            out.line("which writes the first administrator's key and certificate to DIR.")?;
        }
        Ok(())
    };
    let said = say();
    Ok(said.and_then(|()| run(service, out)))
}

/// Settings of a file, if there is one, for this state, if one is named.
pub fn settings(config: Option<&Path>, state: Option<&Path>) -> Result<Settings, Failure> {
    let mut settings = match config {
        None => Settings::default(),
        Some(path) => {
            let failure = |error: &dyn std::fmt::Display| Failure(format!("{}: {error}", path.display()));
            let mut text = String::new();
            let file = File::open(path).map_err(|error| failure(&error))?;
            let most = MAX_FILE_BYTES as u64 + 1;
            file.take(most).read_to_string(&mut text).map_err(|error| failure(&error))?;
            if text.len() > MAX_FILE_BYTES {
                return Err(failure(&format!("it has more than {MAX_FILE_BYTES} bytes")));
            }
            Settings::read(&text).map_err(|error| failure(&error))?
        }
    };
    if let Some(state) = state {
        settings.state = state.to_owned();
    }
    Ok(settings)
}

/// The vault's passphrase, which is shown nowhere.
pub fn passphrase(descriptor: Option<u32>, is_new: bool) -> Result<String, Failure> {
    if let Some(number) = descriptor {
        let failure = |error: io::Error| Failure(format!("--passphrase-fd {number}: {error}"));
        let file = File::open(format!("/dev/fd/{number}")).map_err(failure)?;
        let mut text = String::new();
        file.take(MAX_PASSPHRASE_BYTES).read_to_string(&mut text).map_err(failure)?;
        return Ok(text.lines().next().unwrap_or_default().to_owned());
    }
    if let Some(text) = std::env::var_os("MALLORY_PASSPHRASE") {
        return text.into_string().map_err(|_| Failure("MALLORY_PASSPHRASE: expected UTF-8".to_owned()));
    }
    if !io::stdin().is_terminal() {
        let text = "no passphrase: use --passphrase-fd or MALLORY_PASSPHRASE, or start it on a terminal";
        return Err(Failure(text.to_owned()));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt).map_err(|error| Failure(format!("the passphrase: {error}")))
    };
    if !is_new {
        return ask("Passphrase of the vault: ");
    }
    let first = ask("Passphrase for the new vault: ")?;
    if ask("The same again: ")? == first { Ok(first) } else { Err(Failure("they differ".to_owned())) }
}

fn addresses(service: &Service, out: &mut Out) -> io::Result<()> {
    out.line(&format!("listening  https://{}", service.listens_at()))?;
    out.line(&format!("publishing http://{}  (/ca.der, /crl.der, /ocsp)", service.publishes_at()))
}

fn files(enrolled: &Enrolment) -> String {
    let codes = if enrolled.has_codes { ", codes.txt" } else { "" };
    format!("{} has key.pem, certificate.pem, ca.pem{codes}", enrolled.folder.display())
}

/// Lines to paste.
fn introduce(demo: &Demo, out: &mut Out) -> io::Result<()> {
    addresses(&demo.service, out)?;
    let folder = demo.folder().display();
    out.line(&format!("people     {folder}/{{admin,user1,user2}}: a key and a certificate each"))?;
    out.line("\nPaste, for instance:\n")?;
    let url = format!("https://localhost:{}", demo.service.listens_at().port());
    out.line(&format!("  D={folder}"))?;
    out.line("  as() { curl -sS --cacert $D/$1/ca.pem --cert $D/$1/certificate.pem --key $D/$1/key.pem \"${@:2}\"; }")?;
    for (who, path, body) in [
        ("user1", "/generate_symmetric_key", r#"{"client_id": "user1"}"#),
        ("user1", "/generate_rsa_key", r#"{"client_id": "user1"}"#),
        ("user1", "/generate_dh_key", "{}"),
        ("user1", "/encrypt", r#"{"key_id": "user1_symmetric", "plaintext": "aGVsbG8="}"#),
        ("user2", "/state", r#"{"key_id": "user1_rsa"}"#),
        ("user1", "/revoke_key", r#"{"key_id": "user1_rsa", "cause": "key-compromise"}"#),
    ] {
        out.line(&format!("  as {who} {url}{path} -d '{body}'"))?;
    }
    out.line(&format!(
        "  as admin {url}/revoke_client -H \"X-Mallory-Code: $(mallory code $D/admin/codes.txt)\" -d '{{\"client_id\": \"user2\"}}'"
    ))?;
    out.line(&format!(
        "  curl -sS http://{}/crl.der | openssl crl -inform DER -noout -text",
        demo.service.publishes_at()
    ))?;
    out.line("\nCtrl-C stops it and removes all of it.")
}

fn run(service: Service, out: &mut Out) -> io::Result<Exit> {
    let served = stopped().and_then(|stop| {
        out.flush().map_err(|error| Failure(error.to_string()))?;
        service.run(stop)
    });
    match served {
        Ok(()) => {
            out.line("stopped")?;
            Ok(Exit::Expected)
        }
        Err(failure) => {
            complain(&failure.0);
            Ok(Exit::Defect)
        }
    }
}

/// Show the one-time code of this moment
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct CodeArguments {
    /// A file with an otpauth URL, such as the codes.txt of `mallory serve`
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs `mallory code`.
pub fn code(arguments: &CodeArguments, out: &mut Out) -> io::Result<Exit> {
    match code_in(&arguments.file) {
        Ok(code) => {
            out.line(&code)?;
            Ok(Exit::Expected)
        }
        Err(text) => {
            complain(&format!("{}: {text}", arguments.file.display()));
            Ok(Exit::Input)
        }
    }
}

fn code_in(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_PASSPHRASE_BYTES).read_to_string(&mut text).map_err(|error| error.to_string())?;
    mallory::live::code(&text)
}
