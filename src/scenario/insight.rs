//! What an editor shows of a file as it is written: what is wrong, what a key means, what each role
//! has after a line, where a name is declared, which words may stand. Must not know editors.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::problem::{Problem, Problems, Text};
use super::protocol_file::{self, ProtocolFile};
use super::schema::{self, Table};
use super::toml_tree::{Data, Key, Node};
use super::{Scenario, library};
use crate::notation::Origin;

/// What is unwise in a file of this text at this path, as `mallory check` says it.
///
/// # Errors
/// What is wrong with it.
pub fn check_text(text: &Arc<Text>, path: &Path) -> Result<Vec<Problem>, Problems> {
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("scenario");
    if ProtocolFile::is_one(text) {
        return ProtocolFile::from_text(text, name).map(|file| file.warnings());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    Scenario::read(text, name, "", folder).map(|scenario| scenario.warnings(text))
}

impl Scenario {
    /// What is unwise in its file, each once; a protocol in a file of its own warns there.
    pub fn warnings(&self, text: &Text) -> Vec<Problem> {
        let mut found: Vec<Problem> = Vec::new();
        for warning in self.variants.iter().flat_map(|variant| variant.setup.warnings()) {
            let known = found.iter().any(|f| f.range == warning.range && f.message == warning.message);
            if warning.file.name == text.name && !known {
                found.push(warning);
            }
        }
        found
    }
}

/// A file that could be read as TOML, and its protocol if it has one that is right.
pub struct Insight {
    text: Arc<Text>,
    tree: Node,
    root: &'static Table,
    /// The table that has its lines.
    lines: Option<Node>,
    protocol: Option<ProtocolFile>,
}

/// A word that may stand at a place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Suggestion {
    /// The word.
    pub word: String,
    /// What it means.
    pub about: String,
    /// Whether it is a key of a table.
    pub is_key: bool,
}

/// Where something stands: the keys that lead to it, and whether it is a key itself.
struct Found<'a> {
    path: Vec<&'a str>,
    node: &'a Node,
    is_key: bool,
}

impl Insight {
    /// Of a text; none if it is not TOML yet.
    pub fn of(text: &Arc<Text>) -> Option<Insight> {
        let tree = Node::parse(text).ok()?;
        let is_protocol = tree.get("messages").is_some();
        let lines = if is_protocol { Some(&tree) } else { tree.get("protocol") }.cloned();
        let named = |node: &Node| match &node.data {
            Data::String(name) => ProtocolFile::named(name).ok(),
            _ => protocol_file::read(node, "protocol").ok(),
        };
        let protocol = lines.as_ref().and_then(named);
        let root = if is_protocol { &schema::PROTOCOL } else { &schema::SCENARIO };
        Some(Insight { text: text.clone(), tree, root, lines, protocol })
    }

    /// The same with the protocol of an earlier state, where this one's is not right yet.
    pub fn after(mut self, earlier: Option<Insight>) -> Insight {
        self.protocol = self.protocol.or(earlier.and_then(|earlier| earlier.protocol));
        self
    }

    /// What is told of the place at this byte, in lines, and the bytes of which it is told.
    pub fn hover(&self, at: usize) -> Option<(String, Range<usize>)> {
        let found = find(&self.tree, at)?;
        if found.is_key {
            let (key, path) = found.path.split_last()?;
            let table = schema::table_at(self.root, &plain(path))?;
            let known = table.keys().find(|known| known.name == *key)?;
            return Some((known.about.to_owned(), found.node.range.clone()));
        }
        let (word, range) = word_at(&self.text.text, at);
        let mut told = self.declared(word);
        if let Some(line) = self.line_at(at) {
            told.extend(self.known_after(line));
        }
        let range = if word.is_empty() { found.node.range.clone() } else { range };
        (!told.is_empty()).then(|| (told.join("\n"), range))
    }

    /// Where the name at this byte is declared.
    pub fn definition(&self, at: usize) -> Option<Range<usize>> {
        let (word, _) = word_at(&self.text.text, at);
        if word.is_empty() || find(&self.tree, at)?.is_key {
            return None;
        }
        let declarations = ["fresh", "given", "knows"].iter().filter_map(|key| self.lines.as_ref()?.get(key));
        for node in declarations.flat_map(|node| node.entries()).flat_map(|(_, list)| list.items()) {
            if let Data::String(text) = &node.data
                && text.split(':').next().is_some_and(|name| name.trim() == word)
            {
                return Some(node.range.clone());
            }
        }
        let lets = self.lines.as_ref().and_then(|lines| lines.get("let"));
        if let Some((key, _)) = lets.into_iter().flat_map(Node::entries).find(|(key, _)| key.name == word) {
            return Some(key.range.clone());
        }
        self.role(word).or_else(|| self.party(word))
    }

    /// The words that may stand at this byte of a text that is being written; this is the last
    /// state of it that was TOML.
    pub fn suggestions(&self, text: &str, at: usize) -> Vec<Suggestion> {
        let before = text.get(..at).unwrap_or_default();
        let (header, line) = headed(before);
        let path: Vec<&str> = plain(&header);
        let table = schema::table_at(self.root, &path);
        let Some(key) = open_key(before, line) else {
            let keys = table.into_iter().flat_map(Table::keys);
            let of = |key: &schema::Key| (key.name.to_owned(), key.about.to_owned());
            return keys.map(of).map(|(word, about)| Suggestion { word, about, is_key: true }).collect();
        };
        let word = |word: String, about: &str| Suggestion { word, about: about.to_owned(), is_key: false };
        let mut all: Vec<Suggestion> = match key {
            "protocol" => library::protocols().into_iter().map(|e| word(e.name, "of the library")).collect(),
            _ => table
                .map(|table| table.words(key))
                .unwrap_or_default()
                .into_iter()
                .map(|of| word(of.to_owned(), ""))
                .collect(),
        };
        all.extend(self.names());
        all.sort();
        all.dedup_by(|a, b| a.word == b.word);
        all
    }

    /// Names of the protocol and of who plays it.
    fn names(&self) -> Vec<Suggestion> {
        let of = |word: &str, about: String| Suggestion { word: word.to_owned(), about, is_key: false };
        let mut all = Vec::new();
        if let Some(ProtocolFile { protocol, .. }) = &self.protocol {
            all.extend(protocol.roles.iter().map(|role| of(&role.name, "a role".to_owned())));
            all.extend(
                protocol.values.iter().map(|value| of(&value.name, self.declared(&value.name).join(" "))),
            );
            all.extend(protocol.lets.iter().map(|(name, term)| of(name, term.to_string())));
        }
        let runs = self.tree.get("run").into_iter().flat_map(Node::items);
        for (role, party) in runs.flat_map(Node::entries) {
            let is_role = self
                .protocol
                .as_ref()
                .is_some_and(|file| file.protocol.roles.iter().any(|known| *known.name == *role.name));
            if let Data::String(name) = &party.data
                && is_role
            {
                all.push(of(name, "a party".to_owned()));
            }
        }
        all
    }

    /// What a name of the protocol is.
    fn declared(&self, word: &str) -> Vec<String> {
        let Some(ProtocolFile { protocol, .. }) = &self.protocol else { return Vec::new() };
        let value = protocol.values.iter().find(|value| *value.name == *word).map(|value| {
            let how = match value.origin {
                Origin::Fresh => "makes afresh in every run",
                Origin::Given => "is given by the scenario",
                Origin::LongTerm => "holds for the long term",
            };
            format!("{word}: what {} {how}", value.role)
        });
        let term = protocol.lets.iter().find(|(name, _)| **name == *word);
        let term = term.map(|(name, term)| format!("{name} = {term}"));
        let role = protocol.roles.iter().find(|role| *role.name == *word).map(|role| match role.service {
            Some(service) => format!("{word}: a role, played by the service {}", service.name()),
            None => format!("{word}: a role"),
        });
        value.into_iter().chain(term).chain(role).collect()
    }

    /// Which line of the protocol stands at this byte, from 1.
    fn line_at(&self, at: usize) -> Option<u32> {
        let lines = self.lines.as_ref()?.get("messages")?.items();
        let nth = lines.iter().position(|line| line.range.contains(&at))?;
        u32::try_from(nth + 1).ok()
    }

    /// What each role has after a line, if it gets so far.
    fn known_after(&self, line: u32) -> Vec<String> {
        let Some(ProtocolFile { protocol, .. }) = &self.protocol else { return Vec::new() };
        let mut told = vec![format!("After line {line}")];
        for role in &protocol.roles {
            let program = protocol.programs.get(&role.name).and_then(|all| all.first());
            let Some(program) = program else { continue };
            let mut has: Vec<String> = Vec::new();
            for id in program.steps.iter().filter(|step| step.line <= line).flat_map(|step| &step.concludes) {
                let term = protocol.table.show(*id);
                // Whose peer is who goes without saying.
                if !protocol.roles.iter().any(|role| *role.name == *term) && !has.contains(&term) {
                    has.push(term);
                }
            }
            let has = if has.is_empty() { "nothing yet".to_owned() } else { has.join(", ") };
            told.push(format!("  {} has {has}", role.name));
        }
        told
    }

    /// Where a role first stands in the lines.
    fn role(&self, word: &str) -> Option<Range<usize>> {
        let file = self.protocol.as_ref()?;
        file.protocol.roles.iter().find(|role| *role.name == *word)?;
        let lines = self.lines.as_ref()?.get("messages")?.items();
        lines.iter().find_map(|node| {
            let Data::String(text) = &node.data else { return None };
            let mut starts = text.match_indices(word).map(|(start, _)| start);
            let start = starts.find(|start| word_at(text, *start).0 == word)?;
            Some(node.inside(start..start + word.len()))
        })
    }

    /// Where a party is first given a role.
    fn party(&self, word: &str) -> Option<Range<usize>> {
        let runs = self.tree.get("run").into_iter().flat_map(Node::items);
        let mut players = runs.flat_map(Node::entries).map(|(_, node)| node);
        let player = players.find(|node| matches!(&node.data, Data::String(name) if name == word));
        player.map(|node| node.range.clone())
    }
}

impl Node {
    fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(known, _)| known.name == key).map(|(_, node)| node)
    }

    fn entries(&self) -> &[(Key, Node)] {
        if let Data::Table(entries) = &self.data { entries } else { &[] }
    }

    fn items(&self) -> &[Node] {
        if let Data::Array(items) = &self.data { items } else { &[] }
    }
}

/// What stands at a byte: a key, or the smallest value.
fn find(node: &Node, at: usize) -> Option<Found<'_>> {
    for (key, value) in node.entries() {
        let is_key = key.range.contains(&at);
        if is_key || value.range.contains(&at) || !value.entries().is_empty() || !value.items().is_empty() {
            let inner = if is_key { None } else { find(value, at) };
            let here = || is_key.then(|| Found { path: Vec::new(), node: value, is_key });
            if let Some(mut found) = inner.or_else(here) {
                found.path.insert(0, &key.name);
                return Some(found);
            }
        }
    }
    if let Some(found) = node.items().iter().find_map(|item| find(item, at)) {
        return Some(found);
    }
    let is_text = matches!(node.data, Data::String(_));
    (is_text && node.range.contains(&at)).then(|| Found { path: Vec::new(), node, is_key: false })
}

/// A path without the variant in which it stands: its keys are those of the file.
fn plain<'a>(path: &[&'a str]) -> Vec<&'a str> {
    match path {
        ["variant", _, rest @ ..] => rest.to_vec(),
        path => path.to_vec(),
    }
}

/// The name at a byte, and its bytes.
fn word_at(text: &str, at: usize) -> (&str, Range<usize>) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let (Some(before), Some(after)) = (text.get(..at), text.get(at..)) else { return ("", at..at) };
    let start = at - before.chars().rev().take_while(|c| is_part(*c)).map(char::len_utf8).sum::<usize>();
    let end = at + after.chars().take_while(|c| is_part(*c)).map(char::len_utf8).sum::<usize>();
    (&text[start..end], start..end)
}

/// The keys of the last head before the end, `[services.ca]`, and the line that is being written.
fn headed(before: &str) -> (Vec<&str>, &str) {
    let (above, line) = before.rsplit_once('\n').unwrap_or(("", before));
    let is_head = |line: &&str| line.starts_with('[') && line.ends_with(']') && !line.contains(['"', ',']);
    let head = above.lines().rev().map(str::trim).find(is_head).unwrap_or_default();
    let keys = head.trim_matches(['[', ']']).split('.').map(str::trim);
    (keys.filter(|key| !key.is_empty()).collect(), line)
}

/// The key whose value is being written, if one is: on this line, or in a list that began above.
fn open_key<'a>(before: &'a str, line: &'a str) -> Option<&'a str> {
    let key = |line: &'a str| Some(line.split_once('=')?.0.trim());
    if let Some(key) = key(line) {
        return Some(key);
    }
    let above = &before[..before.len() - line.len()];
    let begins = above.lines().rev().find(|line| line.contains('=') || line.trim_start().starts_with('['));
    let begins = begins.filter(|line| !line.trim_start().starts_with('['))?;
    let (_, value) = begins.split_once('=')?;
    // What opened above and is not closed yet.
    let since = &above[above.rfind(value)?..];
    (since.matches('[').count() > since.matches(']').count()).then(|| key(begins))?
}
