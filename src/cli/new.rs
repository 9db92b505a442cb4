//! `mallory new`: writes a scenario that plays, to be changed into the author's own.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use mallory::notation::Origin;
use mallory::scenario::{KeyPool, PlayReport, Problems, ProtocolFile};
use mallory::{RunError, Scenario};

use super::out::{Out, complain};
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Writes NAME.toml, a scenario with comments that plays and passes `mallory test NAME.toml`
as it is: a small protocol, an attack on it line by line, a variant in which the attack
succeeds and one in which the defence holds. Change it into your own.

  mallory new my-story
  mallory new my-story --protocol sigma-i    begin with a protocol of the library";

/// Write a scenario to begin with
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// The scenario's name, also of its file: NAME.toml
    #[arg(value_name = "NAME")]
    name: String,
    /// A protocol of the library to play, with an attacker who listens
    #[arg(long, value_name = "PROTOCOL")]
    protocol: Option<String>,
}

/// A small protocol that forgets to tie its answer to its question, and one that does not.
const TEMPLATE: &str = r#"# A scenario: `mallory run NAME.toml` plays it, `mallory test NAME.toml` holds it against
# what it expects, `mallory check NAME.toml` says what is wrong with it.
title = "An order is replayed"
about = """
bob asks alice for a fresh nonce in every order, but in the weak variant the code over the order leaves it out. Mallory records one order and sends it again."""
tags  = ["replay"]

# Who says what to whom. pk(X), sk(X), k(X,Y) are long-term keys, {M}K encrypts,
# sign(sk(X), M), mac(K, M), h(M) and kdf(M) are what their names say.
[protocol]
messages = [
  "A -> B : A",
  "B -> A : Nb",
  "A -> B : Order, mac(k(A,B), Order)",
]
# What it promises. Others: "secret K", "forward secret K", "A weakly authenticates B on K".
goals = ["B authenticates A on Order"]

# What each role generates anew in every run: nonce, key, dh, keypair, time, expiry.
[protocol.fresh]
B = ["Nb: nonce"]

# What each role is handed by the runs below.
[protocol.given]
A = ["Order: data"]

# Runs are numbered from 1. A role is played by a party of any name.
[[run]]
A     = "alice"
B     = "bob"
Order = "100 to carol"

# The attack in the same notation, run and line in front. I(alice) is the attacker in
# alice's place; run 2 is one that she opens herself. New names are bound to what she reads.
[attacker]
name   = "mallory"
attack = [
  "1.1 alice    -> bob      : alice",
  "1.2 bob      -> alice    : N1",
  "1.3 alice    -> bob      : Order, Code",
  "2.1 I(alice) -> bob      : alice",
  "2.2 bob      -> I(alice) : N2",
  "2.3 I(alice) -> bob      : Order, Code",
]

# A variant is laid over the file: what it says here is all that differs.
[variant.weak.expect]
runs  = { "1.alice" = "completes", "1.bob" = "completes", "2.bob" = "completes" }
goals = { "B authenticates A on Order" = "violated" }

[variant.fixed.protocol]
messages = [
  "A -> B : A",
  "B -> A : Nb",
  "A -> B : Order, mac(k(A,B), Nb, Order)",
]

[variant.fixed.expect]
runs  = { "1.bob" = "completes", "2.bob" = "rejects line 3: bad-mac" }
goals = { "B authenticates A on Order" = "holds" }
"#;

/// Writes the file.
pub fn new(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let stem = arguments.name.strip_suffix(".toml").unwrap_or(&arguments.name);
    let path = PathBuf::from(format!("{stem}.toml"));
    let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_') {
        complain(&format!("`{stem}` is no scenario's name: use letters, digits, `-` and `_`"));
        return Ok(Exit::Input);
    }
    let text = match &arguments.protocol {
        None => TEMPLATE.replace("NAME", stem),
        Some(protocol) => match around(stem, protocol) {
            Ok(text) => text,
            Err(RunError::Input(problems)) => {
                out.complain_of(&problems)?;
                return Ok(Exit::Input);
            }
            Err(RunError::Halt(halt)) => {
                complain(&halt.to_string());
                return Ok(Exit::Defect);
            }
        },
    };
    let shown = path.display();
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .and_then(|mut f| f.write_all(text.as_bytes()));
    match written {
        Ok(()) => {
            out.line(&format!("wrote {shown}; next: mallory run {shown}"))?;
            Ok(Exit::Expected)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            complain(&format!("{shown} is there already, and stays as it is"));
            Ok(Exit::Input)
        }
        Err(error) => {
            complain(&format!("cannot write {shown}: {error}"));
            Ok(Exit::Input)
        }
    }
}

/// A scenario that plays a protocol of the library and expects what comes of it.
fn around(stem: &str, protocol: &str) -> Result<String, RunError> {
    const NAMES: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];
    let file = ProtocolFile::named(protocol)?;
    let roles = file.protocol.client_roles().map(|r| &r.name);
    let roles: Vec<_> = roles.zip(NAMES.iter()).collect();
    let given = file.protocol.values.iter().filter(|v| v.origin == Origin::Given);
    let mut text = format!(
        "# A scenario: `mallory run {stem}.toml` plays it, `mallory test {stem}.toml` holds it\n\
         # against what it expects; `mallory explain {protocol}` shows the protocol.\n\
         title    = \"{}, overheard\"\n\
         about    = \"What happens, and why.\"\n\
         tags     = []\n\
         protocol = \"{protocol}\"\n\n\
         # Runs are numbered from 1. A role is played by a party of any name.\n[[run]]\n",
        file.title.replace(['"', '\\'], "")
    );
    roles.iter().for_each(|(role, name)| {
        let _ = writeln!(text, "{role} = \"{name}\"");
    });
    given.for_each(|value| {
        let _ = writeln!(text, "{} = \"{} from {}\"", value.name, value.name.to_lowercase(), value.role);
    });
    text.push_str(
        "\n# What she does: `tactic` is eavesdrop, mitm, replay, reflect, tamper or impersonate NAME;\n\
         # or write the attack line by line: attack = [\"1.1 alice -> I(bob) : M\", …].\n\
         [attacker]\nname   = \"mallory\"\ntactic = \"eavesdrop\"\n",
    );
    let scenario = Scenario::from_text(stem, &text)?;
    for variant in &scenario.variants {
        let play = scenario.play(variant, true, &KeyPool::default())?;
        text.push_str(&expected(&play));
    }
    Scenario::from_text(stem, &text).map_err(|problems: Problems| RunError::Input(problems))?;
    Ok(text)
}

/// What came of a play, as what to expect.
fn expected(play: &PlayReport) -> String {
    let mut parts: Vec<String> = Vec::new();
    for session in play.sessions() {
        let of = format!("{}.{}", session.id.run, session.id.party);
        let words = play.run(session.id.run).party(&session.id.party).to_string();
        if words == "completes" && !parts.iter().any(|p| p.starts_with(&format!("\"{of}\""))) {
            parts.push(format!("\"{of}\" = \"{words}\""));
        }
    }
    let goals: Vec<String> =
        play.goals().iter().map(|g| format!("{:?} = \"{}\"", g.goal, g.word())).collect();
    format!(
        "\n# What came of it when this file was written.\n[expect]\nruns  = {{ {} }}\ngoals = {{ {} }}\n",
        parts.join(", "),
        goals.join(", ")
    )
}
