//! The clients that the matrix knows: what each is called with, and which version is here. Must not
//! know faults.

use std::fs;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;

use mallory::live::stage::Papers;
use mallory::notation::fault::suggest;
use mallory::pki::Revocation;
use mallory::scenario::live::Command;

/// A client, as it is called in one of its ways.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Its name in the table.
    pub name: &'static str,
    /// What it looks at to know who is revoked.
    pub asks: Asks,
    /// The program that must be there; this very one, if none.
    program: Option<&'static str>,
    /// How it tells its version.
    version: &'static [&'static str],
    words: &'static [&'static str],
    input: Option<&'static str>,
}

/// What a client looks at to know who is revoked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// A list.
    List,
    /// The responder.
    Ocsp,
    /// What the server staples.
    Staple,
}

impl Asks {
    /// Whether it can do what a party does that goes by this: what it goes by itself, or, if it asks
    /// nobody, less than it should.
    pub fn is_of(self, party: Revocation) -> bool {
        match party {
            Revocation::None => true,
            Revocation::Crl => matches!(self, Asks::List | Asks::Nothing),
            Revocation::Ocsp => matches!(self, Asks::Ocsp | Asks::Nothing),
            Revocation::Stapled => matches!(self, Asks::Staple | Asks::Nothing),
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Asks::Nothing => "asks nobody who is revoked",
            Asks::List => "goes by the list",
            Asks::Ocsp => "asks the responder",
            Asks::Staple => "goes by what is stapled",
        }
    }
}

/// A client that is here.
#[derive(Clone)]
pub struct Found {
    /// Which.
    pub client: Client,
    /// What it says of its version.
    pub version: String,
    /// How it is called.
    words: Vec<String>,
    /// Files of its own.
    _papers: Option<Arc<Papers>>,
}

const REQUEST: Option<&str> = Some("GET / HTTP/1.0\r\n\r\n");
const PYTHON: &str = include_str!("client.py");
const NODE: &str = include_str!("client.js");
const JAVA: &str = include_str!("Client.java");
/// How many characters of a version are told.
const MAX_VERSION: usize = 90;

type Words = &'static [&'static str];

const fn client(
    name: &'static str,
    asks: Asks,
    program: &'static str,
    version: Words,
    words: Words,
) -> Client {
    Client { name, asks, program: Some(program), version, words, input: None }
}

const fn fed(client: Client) -> Client {
    Client { input: REQUEST, ..client }
}

const CURL: Words = &["-sS", "-m", "40", "--cacert", "{ca.pem}", "https://{bob}/"];
const S_CLIENT: Words = &[
    "s_client",
    "-connect",
    "{bob}",
    "-servername",
    "{bob.host}",
    "-CAfile",
    "{ca.pem}",
    "-verify_hostname",
    "{bob.host}",
    "-verify_return_error",
    "-quiet",
    "-no_ign_eof",
];
const GNUTLS: Words = &["--x509cafile", "{ca.pem}", "-p", "{bob.port}", "{bob.host}"];

/// All of them.
#[rustfmt::skip]
pub const CLIENTS: &[Client] = &[
    client("curl", Asks::Nothing, "curl", &["--version"], CURL),
    client("curl --crlfile", Asks::List, "curl", &["--version"],
        &["-sS", "-m", "40", "--cacert", "{ca.pem}", "--crlfile", "{list.pem}", "https://{bob}/"]),
    client("curl --cert-status", Asks::Staple, "curl", &["--version"],
        &["-sS", "-m", "40", "--cacert", "{ca.pem}", "--cert-status", "https://{bob}/"]),
    fed(client("openssl s_client", Asks::Nothing, "openssl", &["version"], S_CLIENT)),
    fed(client("openssl -crl_check", Asks::List, "openssl", &["version"], &[
        "s_client", "-connect", "{bob}", "-servername", "{bob.host}", "-CAfile", "{ca.pem}",
        "-CRL", "{list.pem}", "-crl_check", "-verify_hostname", "{bob.host}", "-verify_return_error",
        "-quiet", "-no_ign_eof",
    ])),
    fed(client("gnutls-cli", Asks::Staple, "gnutls-cli", &["--version"], GNUTLS)),
    fed(client("gnutls-cli --ocsp", Asks::Ocsp, "gnutls-cli", &["--version"],
        &["--ocsp", "--x509cafile", "{ca.pem}", "-p", "{bob.port}", "{bob.host}"])),
    client("wget", Asks::Staple, "wget", &["--version"],
        &["-q", "-T", "40", "-t", "1", "-O", "/dev/null", "--ca-certificate={ca.pem}", "https://{bob}/"]),
    client("wget --crl-file", Asks::List, "wget", &["--version"],
        &["-q", "-T", "40", "-t", "1", "-O", "/dev/null", "--ca-certificate={ca.pem}", "--crl-file={list.pem}", "https://{bob}/"]),
    client("python ssl", Asks::Nothing, "python3", &["-c", "import ssl, sys; print('Python', sys.version.split()[0], 'with', ssl.OPENSSL_VERSION)"],
        &["-c", PYTHON, "{bob.host}", "{bob.port}", "{ca.pem}"]),
    client("python ssl, CRL", Asks::List, "python3", &["-c", "import ssl, sys; print('Python', sys.version.split()[0], 'with', ssl.OPENSSL_VERSION)"],
        &["-c", PYTHON, "{bob.host}", "{bob.port}", "{ca.pem}", "{list.pem}"]),
    client("node tls", Asks::Nothing, "node", &["-p", "`Node ${process.version} with OpenSSL ${process.versions.openssl}`"],
        &["-e", NODE, "{bob.host}", "{bob.port}", "{ca.pem}"]),
    client("node tls, crl", Asks::List, "node", &["-p", "`Node ${process.version} with OpenSSL ${process.versions.openssl}`"],
        &["-e", NODE, "{bob.host}", "{bob.port}", "{ca.pem}", "{list.pem}"]),
    client("java", Asks::Nothing, "java", &["-version"], &["none", "{bob.host}", "{bob.port}", "{ca.pem}"]),
    client("java PKIX, CRL", Asks::List, "java", &["-version"], &["crl", "{bob.host}", "{bob.port}", "{ca.pem}"]),
    client("java PKIX, OCSP", Asks::Ocsp, "java", &["-version"], &["ocsp", "{bob.host}", "{bob.port}", "{ca.pem}"]),
    client("java PKIX, staple", Asks::Staple, "java", &["-version"], &["staple", "{bob.host}", "{bob.port}", "{ca.pem}"]),
    Client { program: None, ..client("rustls", Asks::Nothing, "", &[], &["{bob}", "{ca.pem}"]) },
    Client { program: None, ..client("rustls, CRL", Asks::List, "", &[], &["{bob}", "{ca.pem}", "{list.pem}"]) },
];

impl Client {
    /// The client of this name.
    ///
    /// # Errors
    /// There is none; the nearest is suggested.
    pub fn named(name: &str) -> Result<Client, String> {
        let names = CLIENTS.iter().map(|client| client.name);
        CLIENTS.iter().find(|client| client.name == name).copied().ok_or_else(|| {
            let help = suggest(name, names).map(|help| format!(": {help}")).unwrap_or_default();
            format!("there is no client `{name}`{help}")
        })
    }

    /// It, as it is here.
    ///
    /// # Errors
    /// Why it is not.
    pub fn found(&self) -> Result<Found, String> {
        self.found_with(&mut None)
    }

    /// As `found`, with what was compiled for others.
    pub fn found_with(&self, java: &mut Option<Arc<Papers>>) -> Result<Found, String> {
        let Some(program) = self.program else {
            let here = std::env::current_exe().map_err(|error| error.to_string())?;
            let mut words = vec![here.display().to_string(), "tls-client".to_owned()];
            words.extend(self.words.iter().map(|word| (*word).to_owned()));
            let version = format!("rustls, in mallory {}", env!("CARGO_PKG_VERSION"));
            return Ok(Found { client: *self, version, words, _papers: None });
        };
        let version = version(program, self.version)?;
        let mut words = vec![program.to_owned()];
        let mut papers = None;
        if program == "java" {
            let compiled = match java {
                Some(compiled) => compiled.clone(),
                None => java.insert(compiled()?).clone(),
            };
            words.extend(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp"].map(str::to_owned));
            words.extend([compiled.folder().display().to_string(), "Client".to_owned()]);
            papers = Some(compiled);
        }
        words.extend(self.words.iter().map(|word| (*word).to_owned()));
        Ok(Found { client: *self, version, words, _papers: papers })
    }

    /// Whether it is called with a list that was fetched for it.
    pub fn is_given_list(&self) -> bool {
        self.words.iter().any(|word| word.contains("{list.pem}"))
    }
}

impl Found {
    /// Its command for a scenario that calls whom it connects to, and the port for lists, so.
    pub fn command(&self, server: &str, list: Option<&str>) -> Command {
        let put = |word: &String| {
            let word = word.replace("{bob", &format!("{{{server}"));
            list.map_or(word.clone(), |list| word.replace("{list", &format!("{{{list}")))
        };
        Command {
            words: self.words.iter().map(put).collect(),
            input: self.client.input.map(str::to_owned),
            is_quiet: true,
        }
    }
}

/// What a program says of its version: its first line.
fn version(program: &str, arguments: &[&str]) -> Result<String, String> {
    let told = Process::new(program).args(arguments).stdin(Stdio::null()).output();
    let told = told.map_err(|_| format!("{program} is not installed here"))?;
    let text = if told.stdout.is_empty() { told.stderr } else { told.stdout };
    let text = String::from_utf8_lossy(&text).into_owned();
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    if !told.status.success() || line.is_empty() {
        return Err(format!("{program} does not tell its version"));
    }
    Ok(line.chars().take(MAX_VERSION).collect())
}

/// The class of the Java client.
fn compiled() -> Result<Arc<Papers>, String> {
    let papers = Papers::new().map_err(|error| error.to_string())?;
    let source = papers.path("Client.java");
    fs::write(&source, JAVA).map_err(|error| error.to_string())?;
    let compiler =
        Process::new("javac").arg("-d").arg(papers.folder()).arg(&source).stdin(Stdio::null()).output();
    let compiled =
        compiler.map_err(|_| "java is here, and no javac to compile the client with".to_owned())?;
    match compiled.status.success() {
        true => Ok(Arc::new(papers)),
        false => Err(format!("javac: {}", String::from_utf8_lossy(&compiled.stderr))),
    }
}
