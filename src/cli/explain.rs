//! `mallory explain`: a scenario's story, a protocol, or what a reason for refusing means.

use std::io;
use std::path::Path;

use clap::Args;
use mallory::Scenario;
use mallory::legible::{legible, legible_lines};
use mallory::notation::fault::suggest;
use mallory::notation::protocol::Declared;
use mallory::notation::{Origin, Protocol};
use mallory::party::attacker::Plan;
use mallory::reason::Reason;
use mallory::scenario::{self, Problem, Problems, ProtocolFile, Variant};

use super::out::{Out, folded, wrapped};
use super::select::{Meaning, Selection, is_protocol, text_of};
use super::timeline::{requests, timeline};
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Explains a scenario: its story, the protocol, what the attacker does, what is expected of
each variant and what differs between them. Or a protocol by name, or a reason for which a
party refuses.

  mallory explain dh-mitm          a scenario
  mallory explain story.toml       a file of your own
  mallory explain sigma-i          a protocol
  mallory explain bad-signature    a reason";

/// Explain a scenario, a protocol or a reason
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// A scenario's name or file, a protocol's, or a reason
    #[arg(value_name = "NAME")]
    name: String,
}

/// What a name stands for.
enum Subject {
    Scenario(Box<Scenario>),
    Protocol(Box<ProtocolFile>, String),
    Reason(Reason),
}

/// Explains what was asked for.
pub fn explain(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    match find(&arguments.name) {
        Ok(Subject::Scenario(scenario)) => tell_scenario(&scenario, out)?,
        Ok(Subject::Protocol(file, name)) => {
            title(&name, &file.title, out)?;
            about(&file.about, &file.reference, &file.tags, out)?;
            out.line("")?;
            lines_of(&file.protocol, out)?;
        }
        Ok(Subject::Reason(reason)) => {
            title(reason.word(), "why a party refuses", out)?;
            out.line(&format!("  {}", reason.meaning()))?;
        }
        Err(problems) => {
            out.complain_of(&problems)?;
            return Ok(Exit::Input);
        }
    }
    Ok(Exit::Expected)
}

fn find(name: &str) -> Result<Subject, Problems> {
    if let Ok(reason) = name.parse() {
        return Ok(Subject::Reason(reason));
    }
    if scenario::protocols().iter().any(|p| p.name == name) {
        return Ok(Subject::Protocol(Box::new(ProtocolFile::named(name)?), name.to_owned()));
    }
    match Meaning::of(name) {
        Meaning::File(path, None) if is_protocol(&path) => {
            let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or(name);
            let file = ProtocolFile::from_text(&text_of(Path::new(name))?, stem)?;
            Ok(Subject::Protocol(Box::new(file), stem.to_owned()))
        }
        Meaning::Library | Meaning::File(..) => {
            let mut selection = Selection::of(&[name.to_owned()]);
            match (selection.scenarios.pop(), selection.wrong.pop()) {
                (Some(scenario), _) => Ok(Subject::Scenario(Box::new(scenario))),
                (None, Some((_, problems))) => Err(problems),
                (None, None) => Err(unknown(name).into()),
            }
        }
        Meaning::Tag => Err(unknown(name).help(format!("`mallory list --tag {name}` lists it")).into()),
        Meaning::Folder(_) | Meaning::Nothing(_) => Err(unknown(name).into()),
    }
}

fn unknown(name: &str) -> Problem {
    let entries = scenario::scenarios().into_iter().chain(scenario::protocols()).map(|e| e.name);
    let words: Vec<String> = entries.chain(Reason::ALL.iter().map(|r| r.word().to_owned())).collect();
    let problem = Problem::nowhere(format!("there is no scenario, protocol, file or reason `{name}`"));
    match suggest(name, words.iter().map(String::as_str)) {
        Some(near) if near.starts_with("did you mean") => problem.help(near),
        _ => problem.help("`mallory list` and `mallory list --protocols` show what there is"),
    }
}

fn title(name: &str, title: &str, out: &mut Out) -> io::Result<()> {
    let heading = if title.is_empty() { name.to_owned() } else { format!("{name} · {title}") };
    folded(&legible(&heading)).lines().try_for_each(|line| out.heading(line))
}

fn about(about: &str, reference: &str, tags: &[String], out: &mut Out) -> io::Result<()> {
    if !about.is_empty() {
        out.text(&format!("\n{}", wrapped(&legible_lines(about), 2)))?;
    }
    if !reference.is_empty() {
        out.text(&format!("\n{}", wrapped(&legible(&format!("From: {reference}")), 2)))?;
    }
    if !tags.is_empty() {
        out.text(&format!("\n{}", folded(&format!("  Tags: {}", legible(&tags.join(", "))))))?;
    }
    Ok(())
}

fn tell_scenario(scenario: &Scenario, out: &mut Out) -> io::Result<()> {
    title(&scenario.name, &scenario.title, out)?;
    about(&scenario.about, &scenario.reference, &scenario.tags, out)?;
    /// What a variant has under one heading.
    type Part = fn(&Variant) -> Vec<String>;
    let parts: [(&str, Part); 4] =
        [("Protocol", protocols), ("Requests", requests), ("Timeline", timeline), ("Attacker", attacker)];
    for (heading, part) in parts {
        for (variants, lines) in alike(scenario, part) {
            if !lines.is_empty() {
                out.line("")?;
                out.heading(&format!("{heading}{variants}"))?;
                lines
                    .iter()
                    .try_for_each(|line| out.text(&folded(format!("  {}", legible(line)).trim_end())))?;
            }
        }
    }
    for variant in &scenario.variants {
        if let Some(name) = &variant.name {
            out.line("")?;
            out.heading(&format!("Variant {name}"))?;
            variant
                .changes
                .iter()
                .try_for_each(|change| out.text(&folded(&format!("  {}", legible(change)))))?;
        }
        let expected = variant.expected();
        if !expected.is_empty() {
            out.line("\n  Expected")?;
            expected.iter().try_for_each(|line| out.text(&folded(&format!("    {}", legible(line)))))?;
        }
        let honest = variant.expected_without_attacker();
        if !honest.is_empty() {
            out.line("\n  Expected without the attacker, when all else completes")?;
            honest.iter().try_for_each(|line| out.text(&folded(&format!("    {}", legible(line)))))?;
        }
    }
    Ok(())
}

/// A part of a scenario, once for all variants in which it is the same.
fn alike(scenario: &Scenario, part: fn(&Variant) -> Vec<String>) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
    for variant in &scenario.variants {
        let lines = part(variant);
        let name = variant.name.as_deref().unwrap_or_default();
        match groups.iter_mut().find(|(_, known)| *known == lines) {
            Some((names, _)) => names.push(name),
            None => groups.push((vec![name], lines)),
        }
    }
    let whole = groups.len() == 1;
    let named = |names: Vec<&str>| if whole { String::new() } else { format!(" in {}", names.join(", ")) };
    groups.into_iter().map(|(names, lines)| (named(names), lines)).collect()
}

fn protocols(variant: &Variant) -> Vec<String> {
    let mut lines = Vec::new();
    for file in variant.setup.protocol_files() {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let dash = if file.title.is_empty() { "" } else { " · " };
        lines.push(format!("{}{dash}{}", file.protocol.name, file.title));
        lines.extend(words(&file.protocol));
    }
    lines
}

fn lines_of(protocol: &Protocol, out: &mut Out) -> io::Result<()> {
    out.heading("Protocol")?;
    words(protocol).iter().try_for_each(|line| out.text(&folded(&format!("  {}", legible(line)))))
}

/// A protocol line by line: messages, values, names for terms, goals.
fn words(protocol: &Protocol) -> Vec<String> {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines: Vec<String> = (1..)
        .zip(&protocol.lines)
        .map(|(n, line)| format!("{n:>3}. {}", squeeze(&line.source.text)))
        .collect();
    for (origin, deed) in [
        (Origin::Fresh, "generates"),
        (Origin::Given, "is given"),
        (Origin::LongTerm, "has for the long term"),
    ] {
        for role in &protocol.roles {
            let own = protocol.values.iter().filter(|v| v.origin == origin && v.role == role.name);
            let bound = |v: &Declared| v.until.as_ref().map_or(String::new(), |until| format!(" <= {until}"));
            let own: Vec<String> = own.map(|v| format!("{} ({}{})", v.name, v.of.word(), bound(v))).collect();
            if !own.is_empty() {
                lines.push(format!("     {} {deed} {}", role.name, own.join(", ")));
            }
        }
    }
    for role in &protocol.roles {
        if let Some(service) = role.service {
            lines.push(format!("     {} is the service {}", role.name, service.name()));
        }
    }
    lines.extend(protocol.lets.iter().map(|(name, term)| format!("     {name} is {term}")));
    lines.extend(protocol.goals.iter().map(|goal| format!("     goal: {}", goal.text)));
    lines
}

fn attacker(variant: &Variant) -> Vec<String> {
    let Some(her) = &variant.setup.attacker else { return vec!["none".to_owned()] };
    let kind = if her.insider { "an insider" } else { "an outsider" };
    let from = if her.from.0 == 0 { String::new() } else { format!(", acts from {}", her.from) };
    let mut lines = vec![format!("{}, {kind}{from}", her.name)];
    if her.compares_nonces {
        lines.push("looks for signatures with one nonce".to_owned());
    }
    if her.compares_moduli {
        lines.push("looks for public keys of RSA with a prime in common".to_owned());
    }
    if her.computes_logarithms {
        lines.push("computes logarithms of shares, where the group is small".to_owned());
    }
    if let Plan::Narration(attack) = &her.plan {
        for find in &attack.finds {
            let names: Vec<String> = find.names.iter().map(|name| attack.table.show(*name)).collect();
            let names = names.join(" and ");
            lines.push(format!("tries up to {} hashes for {names} such that {}", her.trials, find.text));
        }
    }
    if !her.dictionary.is_empty() {
        lines.push(format!("tries {} words for passwords", her.dictionary.len()));
    }
    for ((run, line), at) in &her.times {
        lines.push(format!("sends {run}.{line} not before {at}"));
    }
    if let Some(owner) = &her.enrols_key_of {
        lines.push(format!("asks the authority to certify {owner}'s public key in her name"));
    }
    for (name, value) in &her.given {
        lines.push(format!("has {name} = {:?} of her own", value.text().unwrap_or_default()));
    }
    lines.extend(if her.words.is_empty() { vec!["tactic: eavesdrop".to_owned()] } else { her.words.clone() });
    lines
}
