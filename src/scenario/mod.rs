//! Scenarios: files read and checked, their variants played, what came of it held against
//! what was expected. Must not know how parties work inside.

mod builder;
mod decided;
mod decision;
mod enrolment;
mod expect;
mod failure;
mod files;
mod hunt;
mod insight;
pub mod lab;
mod library;
#[cfg(feature = "live")]
pub mod live;
mod long_term;
mod overlays;
mod parameters;
mod people;
mod play;
mod power;
mod problem;
mod protocol_file;
mod reader;
pub mod repair;
mod report;
mod rewrite;
mod schema;
pub mod search;
mod searched;
mod setup;
mod tables;
mod tactic;
mod timeline;
mod toml_tree;
mod unmet;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::legible::{acts, legible};
use crate::notation::fault::suggest;

use expect::Expect;
use reader::Reader;
use setup::Setup;
use toml_tree::{Data, Key, Node};

pub use crate::time::EPOCH;
pub use builder::Builder;
pub use decided::{Cut, Decided, DecidedGoal};
pub use failure::Failure;
pub use files::{files_below, read_text};
pub use hunt::{Hunt, Hunted, Prey};
pub use insight::{Insight, Suggestion, check_text};
pub use library::{Entry, protocols, scenarios};
pub use play::{KeyPool, Played};
pub use problem::{Problem, Problems, Text};
pub use protocol_file::ProtocolFile;
pub use report::{AttackerReport, PartReport, PlayReport, Report, RunError, RunReport};
pub use schema::{Of as SchemaOf, schema};
pub use setup::event::EventDeed;
pub use unmet::Checked;

/// A scenario: one story, with its variants.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: the file's, without its ending.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The story in a few sentences.
    pub about: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Where it is published.
    pub reference: String,
    /// The group of the library to which it belongs, or the folder it came from.
    pub group: String,
    /// Its variants, in the order of the file.
    pub variants: Vec<Arc<Variant>>,
    /// The seed with which it is played.
    pub seed: u64,
    /// What the command line calls it: its name in the library, or its path.
    pub called: String,
    /// What was set from outside, as `PATH=VALUE`.
    parameters: Vec<String>,
}

/// A variant of a scenario.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name; none in a file without variants.
    pub name: Option<String>,
    /// What it sets up.
    pub setup: Setup,
    /// What it lays over the file, expectations apart: `parties.alice.revocation = "crl"`.
    pub changes: Vec<String>,
    pub(crate) expect: Expect,
    pub(crate) honest: Option<Expect>,
    /// Its file, with what the variant lays over it.
    pub(crate) tree: Node,
    /// Where paths in it start.
    pub(crate) folder: PathBuf,
}

impl Scenario {
    /// A scenario of the library, `dh-mitm`, or one variant of it, `dh-mitm/weak`.
    ///
    /// # Errors
    /// There is none of that name; the nearest is suggested.
    pub fn named(name: &str) -> Result<Scenario, Problems> {
        let (stem, variant) = match name.split_once('/') {
            Some((stem, variant)) => (stem, Some(variant)),
            None => (name, None),
        };
        let Some(entry) = library::scenario(stem) else {
            let names: Vec<String> = library::scenarios().into_iter().map(|e| e.name).collect();
            let mut problem = Problem::nowhere(format!("there is no scenario `{stem}` in the library"));
            problem.help = suggest(stem, names.iter().map(String::as_str));
            return Err(problem.into());
        };
        let scenario = Scenario::read(&entry.text, stem, &entry.group, Path::new("."))?;
        match variant {
            Some(variant) => scenario.only(variant),
            None => Ok(scenario),
        }
    }

    /// A scenario in a file of the user's own.
    ///
    /// # Errors
    /// The file cannot be read, or what is wrong with it.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Scenario, Problems> {
        let path = path.as_ref();
        let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or("scenario").to_owned();
        let folder = path.parent().unwrap_or(Path::new(".")).to_path_buf();
        let shown = path.display().to_string();
        match read_text(path) {
            Ok(text) => {
                let group = folder.file_name().and_then(|s| s.to_str()).unwrap_or("").to_owned();
                let text = Arc::new(Text { name: shown.clone(), text });
                let scenario = Scenario::read(&text, &name, &group, &folder)?;
                Ok(Scenario { called: shown, ..scenario })
            }
            Err(why) => Err(Problem::nowhere(format!("cannot read {shown}: {why}")).into()),
        }
    }

    /// A scenario from its text; paths in it start at the current folder.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_text(name: &str, text: &str) -> Result<Scenario, Problems> {
        let text = Arc::new(Text { name: name.to_owned(), text: text.to_owned() });
        Scenario::read(&text, name, "", &PathBuf::from("."))
    }

    /// The same scenario with another seed.
    pub fn seed(mut self, seed: u64) -> Scenario {
        self.seed = seed;
        self
    }

    /// The same scenario with only one of its variants.
    ///
    /// # Errors
    /// It has no such variant.
    pub fn only(mut self, variant: &str) -> Result<Scenario, Problems> {
        let names: Vec<String> = self.variants.iter().filter_map(|v| v.name.clone()).collect();
        self.variants.retain(|v| v.name.as_deref() == Some(variant));
        if !self.variants.is_empty() {
            return Ok(self);
        }
        let mut problem = Problem::nowhere(format!("{} has no variant `{variant}`", self.name));
        problem.help = suggest(variant, names.iter().map(String::as_str));
        Err(problem.into())
    }

    /// The command that plays it again: one variant or all, with the attacker or without.
    pub fn repeat_with(&self, variant: Option<&Variant>, with_attacker: bool) -> String {
        let what = variant.map_or_else(|| self.called.clone(), |v| v.of(&self.called));
        let what = quoted(&what);
        let alone = if with_attacker { "" } else { " --no-attacker" };
        let set: String = self.parameters.iter().map(|word| format!(" --set {}", quoted(word))).collect();
        format!("mallory run {what} --seed {}{alone}{set}", self.seed)
    }

    fn read(text: &Arc<Text>, name: &str, group: &str, folder: &Path) -> Result<Scenario, Problems> {
        let tree = Node::parse(text)?;
        let table = Reader::of(&tree, &schema::SCENARIO)?;
        let word = |key: &str| table.string(key).map(|t| t.unwrap_or_default().trim().to_owned());
        let (title, about, reference) = (word("title")?, word("about")?, word("reference")?);
        let tags = table.strings("tags")?.into_iter().map(|(t, _)| t.to_owned()).collect();
        let seed = u64::from(table.integer("seed", 0)?.unwrap_or(0));
        let (variants, mut problems) = match table.get("variant") {
            None => match Variant::read(None, &tree, Vec::new(), folder) {
                Ok(variant) => (vec![Arc::new(variant)], Vec::new()),
                Err(problems) => (Vec::new(), problems.0),
            },
            Some(node) => overlays::read(&tree, node, folder)?,
        };
        if problems.is_empty() {
            problems = people::unmentioned(&tree, &variants);
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        Ok(Scenario {
            name: name.to_owned(),
            title,
            about,
            tags,
            reference,
            group: group.to_owned(),
            variants,
            seed,
            called: name.to_owned(),
            parameters: Vec::new(),
        })
    }
}

impl Variant {
    /// Its name as a part of its scenario's: `dh-mitm/weak`.
    pub fn of(&self, scenario: &str) -> String {
        match &self.name {
            Some(name) => format!("{scenario}/{name}"),
            None => scenario.to_owned(),
        }
    }

    /// Whether its file expects anything of it.
    pub fn asserts(&self) -> bool {
        self.expect.is_given && (self.setup.attacker.is_some() || !self.expect.words().is_empty())
    }

    /// What it expects, in words.
    pub fn expected(&self) -> Vec<String> {
        self.expect.words()
    }

    /// What it expects without the attacker, in words, beyond that every run completes.
    pub fn expected_without_attacker(&self) -> Vec<String> {
        self.honest.as_ref().map(Expect::words).unwrap_or_default()
    }

    fn read(
        name: Option<&str>,
        tree: &Node,
        changes: Vec<String>,
        folder: &Path,
    ) -> Result<Variant, Problems> {
        let table = Reader::of(tree, &schema::SCENARIO)?;
        // First: what stands under a key that nobody knows is missing where it belongs.
        if let Some((key, node)) = table.entries().iter().find(|(key, _)| !schema::SCENARIO.has(&key.name)) {
            return Err(unknown_key(&table, key, node).into());
        }
        let setup = tables::read(&table, folder)?;
        let mut expect = Expect::default();
        let mut honest = None;
        if let Some(node) = table.get("expect") {
            expect = tables::expect::read(node, &setup, setup.attacker.as_ref())?;
            if let Some(node) = Reader::new(node)?.get("honest") {
                if let Data::Table(_) = node.data {
                    if let Some(node) = Reader::new(node)?.get("search") {
                        let message = "a search does not hang on who takes part in a play";
                        return Err(node.problem(message).help("write it as [expect.search]").into());
                    }
                    honest = Some(tables::expect::read(node, &setup, None)?);
                } else {
                    return Err(node.problem("expected a table of expectations").into());
                }
            }
        }
        Ok(Variant {
            name: name.map(str::to_owned),
            setup,
            changes,
            expect,
            honest,
            tree: tree.clone(),
            folder: folder.to_path_buf(),
        })
    }
}

/// A word of a command, quoted for the shell where that is needed.
fn quoted(what: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@,%".contains(c);
    match what {
        what if what.chars().all(plain) => what.to_owned(),
        what if what.chars().any(acts) => {
            let escaped = what.replace('\\', r"\\").replace('\'', r"\'");
            format!("$'{}'", legible(&escaped))
        }
        what => format!("'{}'", what.replace('\'', r"'\''")),
    }
}

/// The problem that a scenario has no such key. Under a table's head everything belongs to the
/// table, so a key of the file's own that stands there has slipped down.
fn unknown_key(table: &Reader<'_>, key: &Key, node: &Node) -> Problem {
    let problem = table.unknown_key(key, schema::SCENARIO.keys().map(|key| key.name));
    let is_near = problem.help.as_ref().is_some_and(|help| help.starts_with("did you mean"));
    let inside = match &node.data {
        Data::Table(entries) if !is_near => entries.iter().find(|(key, _)| schema::SCENARIO.has(&key.name)),
        _ => None,
    };
    match inside {
        Some((inner, _)) => {
            problem.help(format!("`{}` stands at the top of the file, before any table", inner.name))
        }
        None => problem,
    }
}
