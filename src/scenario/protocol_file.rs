//! A protocol's table: in a file of its own, or inline in a scenario.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::library;
use super::problem::{Problem, Problems, Text};
use super::reader::{Reader, array, integer, string};
use super::schema;
use super::toml_tree::{Data, Node, Places};
use crate::limits::MAX_MESSAGE_BYTES;
use crate::notation::fault::suggest;
use crate::notation::{Draft, Name, Protocol, Quoted, Warning, slips};
use crate::time::Span;
use crate::wire::{Encoding, Widths};

/// A protocol and what its file says about it.
#[derive(Clone, Debug)]
pub struct ProtocolFile {
    /// The protocol.
    pub protocol: Protocol,
    /// What it was made of.
    pub draft: Draft,
    /// Its title.
    pub title: String,
    /// What it is for.
    pub about: String,
    /// Where it is published.
    pub reference: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The encoding that the file asks for.
    pub encoding: Option<Encoding>,
    /// The lifetimes that the file asks for.
    pub lifetimes: BTreeMap<String, Span>,
    /// Where its strings stand.
    places: Places,
}

impl ProtocolFile {
    /// A protocol of the library.
    ///
    /// # Errors
    /// There is none of that name; the nearest is suggested.
    pub fn named(name: &str) -> Result<ProtocolFile, Problems> {
        let Some(entry) = library::protocol(name) else {
            let names: Vec<String> = library::protocols().into_iter().map(|e| e.name).collect();
            let mut problem = Problem::nowhere(format!("there is no protocol `{name}` in the library"));
            problem.help = suggest(name, names.iter().map(String::as_str));
            return Err(problem.into());
        };
        ProtocolFile::from_text(&entry.text, name)
    }

    /// A protocol from a file's text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_text(text: &Arc<Text>, name: &str) -> Result<ProtocolFile, Problems> {
        read(&Node::parse(text)?, name)
    }

    /// What is unwise in it, with the scenario that shows why. Found when asked for: a play
    /// does not need it.
    pub fn warnings(&self) -> Vec<Problem> {
        let shown = |warning: Warning| {
            let mut problem = self.places.problem(&warning.fault)?;
            problem.is_warning = true;
            let mut stories = warning.story.iter().chain(warning.slip.stories());
            let story = stories.find(|name| library::scenario(name).is_some());
            problem.help = story.map(|name| format!("see `mallory explain {name}`")).or(problem.help);
            Some(problem)
        };
        slips::warnings(&self.protocol).into_iter().filter_map(shown).collect()
    }

    /// A problem with the string or key that says these words.
    pub(super) fn problem_at(&self, words: &str, message: String) -> Problem {
        self.places.problem_at(words, message)
    }

    /// Whether a file has a protocol and no scenario: `messages` stand at its top level.
    pub fn is_one(text: &Arc<Text>) -> bool {
        Node::parse(text).is_ok_and(|tree| match &tree.data {
            Data::Table(entries) => entries.iter().any(|(key, _)| key.name == "messages"),
            _ => false,
        })
    }
}

/// Reads a protocol's table.
pub fn read(node: &Node, name: &str) -> Result<ProtocolFile, Problems> {
    let table = Reader::of(node, &schema::PROTOCOL)?;
    let mut places = Places::default();
    let draft = draft(&table, name, &mut places)?;
    let encoding = table.get("encoding").map(encoding).transpose()?;
    let text = |key: &str| table.string(key).map(|t| t.unwrap_or_default().to_owned());
    let (title, about, reference) = (text("title")?, text("about")?, text("reference")?);
    let tags = table.strings("tags")?.into_iter().map(|(t, _)| t.to_owned()).collect();
    let lifetimes = lifetimes(&table)?;
    table.finish()?;
    let protocol = Protocol::compile(&draft).map_err(|faults| Problems(places.problems(&faults)))?;
    if let Some(node) = table.get("encoding") {
        check_width_names(node, &[&protocol])?;
    }
    Ok(ProtocolFile { protocol, draft, title, about, reference, tags, encoding, lifetimes, places })
}

fn draft(table: &Reader<'_>, name: &str, places: &mut Places) -> Result<Draft, Problem> {
    let Some(node) = table.get("messages") else {
        return Err(table
            .missing("messages")
            .help("a protocol has lines, as in `messages = [\"A -> B : Na\"]`"));
    };
    let messages = quoted(node, places)?;
    if messages.is_empty() {
        return Err(node.problem("a protocol needs at least one line").help("as in `A -> B : Na`"));
    }
    Ok(Draft {
        name: name.to_owned(),
        messages,
        goals: table.get("goals").map_or(Ok(Vec::new()), |g| quoted(g, places))?,
        lets: pairs(table, "let", places)?,
        fresh: lists(table, "fresh", places)?,
        given: lists(table, "given", places)?,
        knows: lists(table, "knows", places)?,
        services: pairs(table, "services", places)?,
        joins: joins(table, places)?,
        voice: voice(table, places)?,
        fallback: table.get("fallback").map(|node| Ok(places.quote(string(node)?, node))).transpose()?,
        group: table.get("group").map(|node| Ok(places.quote(string(node)?, node))).transpose()?,
    })
}

/// An array of strings, handed to the notation.
pub fn quoted(node: &Node, places: &mut Places) -> Result<Vec<Quoted>, Problem> {
    array(node)?.iter().map(|item| Ok(places.quote(string(item)?, item))).collect()
}

/// The strings under a table's keys, and the keys, handed to the notation.
pub fn pairs(table: &Reader<'_>, key: &str, places: &mut Places) -> Result<Vec<(Quoted, Quoted)>, Problem> {
    let Some(node) = table.get(key) else { return Ok(Vec::new()) };
    let inner = Reader::new(node)?;
    let pair = |(key, value): &(super::toml_tree::Key, Node)| {
        Ok((places.quote(&key.name, &key.as_value(&node.file)), places.quote(string(value)?, value)))
    };
    inner.entries().iter().map(pair).collect()
}

fn lists(table: &Reader<'_>, key: &str, places: &mut Places) -> Result<Vec<(Quoted, Vec<Quoted>)>, Problem> {
    let Some(node) = table.get(key) else { return Ok(Vec::new()) };
    let inner = Reader::new(node)?;
    let list = |(key, value): &(super::toml_tree::Key, Node)| {
        Ok((places.quote(&key.name, &key.as_value(&node.file)), quoted(value, places)?))
    };
    inner.entries().iter().map(list).collect()
}

/// `[joins]`: for each role the numbers of lines.
fn joins(table: &Reader<'_>, places: &mut Places) -> Result<Vec<(Quoted, Vec<Quoted>)>, Problem> {
    let Some(node) = table.get("joins") else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (key, value) in Reader::new(node)?.entries() {
        let line = |n: &Node| Ok(places.quote(&integer(n, 1)?.to_string(), n));
        let lines = array(value)?.iter().map(line).collect::<Result<_, Problem>>()?;
        all.push((places.quote(&key.name, &key.as_value(&node.file)), lines));
    }
    Ok(all)
}

/// `voice`: the numbers of lines.
fn voice(table: &Reader<'_>, places: &mut Places) -> Result<Vec<Quoted>, Problem> {
    let Some(node) = table.get("voice") else { return Ok(Vec::new()) };
    array(node)?.iter().map(|n| Ok(places.quote(&integer(n, 1)?.to_string(), n))).collect()
}

/// `[encoding]`: its kind and, for `untagged`, the widths of fields.
pub fn encoding(node: &Node) -> Result<Encoding, Problem> {
    let table = Reader::of(node, &schema::ENCODING)?;
    let kind = table.get("kind").ok_or_else(|| table.missing("kind"))?;
    // Widths may stay when a variant changes the kind alone; only untagged fields have them.
    let widths = widths(&table)?;
    let encoding = match string(kind)? {
        "tagged" => Encoding::Tagged,
        "labelled" => Encoding::Labelled,
        "untagged" => Encoding::Untagged(widths),
        other => {
            return Err(super::reader::unknown(kind, "encoding", other, &schema::ENCODING.words("kind")));
        }
    };
    table.finish()?;
    Ok(encoding)
}

/// Reports a width for something that no protocol at hand declares.
pub fn check_width_names(node: &Node, protocols: &[&Protocol]) -> Result<(), Problem> {
    let values = protocols.iter().flat_map(|p| p.values.iter().map(|v| &*v.name));
    let words: Vec<&str> = schema::ENCODING.keys().map(|key| key.name).chain(values).collect();
    let table = Reader::new(node)?;
    match table.entries().iter().find(|(key, _)| !words.contains(&key.name.as_str())) {
        Some((key, _)) => Err(table.unknown_key(key, words)),
        None => Ok(()),
    }
}

fn widths(table: &Reader<'_>) -> Result<Widths, Problem> {
    let mut widths = Widths::default();
    let slots: [(&str, &mut usize); 5] = [
        ("name", &mut widths.name),
        ("nonce", &mut widths.nonce),
        ("key", &mut widths.key),
        ("time", &mut widths.time),
        ("data", &mut widths.data),
    ];
    for (key, slot) in slots {
        if let Some(node) = table.get(key) {
            *slot = width(node)?;
        }
    }
    for (key, node) in table.others() {
        let any = matches!(&node.data, Data::String(s) if s == "any");
        widths.of.insert(Name::from(key.name.as_str()), if any { None } else { Some(width(node)?) });
    }
    if widths.time != 8 {
        return Err(table.node.problem("a time has 8 bytes: nanoseconds since 1970"));
    }
    Ok(widths)
}

fn width(node: &Node) -> Result<usize, Problem> {
    let width = integer(node, 1).map_err(|_| {
        node.problem(format!("expected a width in bytes or \"any\", found {}", node.describe()))
    })?;
    if (width as usize) < MAX_MESSAGE_BYTES {
        Ok(width as usize)
    } else {
        Err(node
            .problem("no field is this wide")
            .help(format!("the limit MAX_MESSAGE_BYTES is {MAX_MESSAGE_BYTES}")))
    }
}

/// `[lifetime]`: the lifetime of each `expiry`, by name.
pub fn lifetimes(table: &Reader<'_>) -> Result<BTreeMap<String, Span>, Problem> {
    let Some(node) = table.get("lifetime") else { return Ok(BTreeMap::new()) };
    let entries = Reader::new(node)?.entries();
    entries.iter().map(|(key, value)| Ok((key.name.clone(), super::reader::span(value)?))).collect()
}
