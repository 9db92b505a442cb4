//! Attacks that a search found, put to the test: each becomes a scenario that is played, and only
//! what the play confirms is reported. Must not know how they are found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::problem::{Problem, Problems};
use super::protocol_file::ProtocolFile;
use super::report::PlayReport;
use super::setup::Setup;
use super::toml_tree::{Data, Node};
use super::{KeyPool, Scenario, Variant, library, read_text};
use crate::crypto::Suite;
use crate::limits::{MAX_SEARCH_STATES, MAX_UNCONFIRMED};
use crate::notation::{Goal, Name, Protocol, Service};
use crate::party::RunSpec;
use crate::search::{self, Bounds, Stolen, Stop, Told};
use crate::time::SimTime;
use crate::wire::{Encoding, Widths};

pub use super::power::{Power, has_password};

/// What a search leaves out of a scenario: what happens in it, and what comes of it.
const NOT_OF_THE_WORLD: [&str; 10] =
    ["run", "event", "request", "attacker", "expect", "variant", "title", "about", "tags", "until"];

/// What is left out where an attack is played among a scenario's own runs and events.
const NOT_OF_THE_PLAY: [&str; 5] = ["expect", "variant", "title", "about", "tags"];

/// Her name where an attack that was found is a scenario of its own.
const HER: &str = "mallory";

/// A protocol in a world in which attacks are looked for.
#[derive(Clone, Debug)]
pub struct Question {
    /// Its name.
    pub name: String,
    /// The protocol.
    pub protocol: Protocol,
    /// How fields become bytes.
    pub encoding: Encoding,
    suite: Suite,
    insider: bool,
    /// The top of the scenarios that are played: the protocol, and how parties behave.
    pub(super) head: toml::Table,
    pub(super) folder: PathBuf,
    /// The protocol's file, if it has one to itself.
    pub(super) file: Option<std::sync::Arc<super::Text>>,
    /// The honest parties of the scenario.
    honest: Vec<Name>,
    /// Whether `head` has runs, events and an attacker of its own, among whom an attack is played.
    is_whole: bool,
    /// The runs in `head` with the players of each in which an attack may take part.
    scheduled: Vec<Option<BTreeMap<Name, Name>>>,
    /// The passwords that its parties are given.
    passwords: BTreeMap<Name, String>,
    /// The roles of a player whose password the scenario's attacker has in her dictionary.
    weak: Vec<Name>,
}

/// What came of a search for attacks on one goal.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The goal.
    pub goal: String,
    /// What it is.
    pub result: Found,
    /// States that were looked at.
    pub states: u64,
    /// Attacks on symbols that the stage did not confirm, as scenarios: each is a defect.
    pub unconfirmed: Vec<String>,
}

/// The result of a search.
#[derive(Clone, Debug)]
pub enum Found {
    /// This attack, which was played.
    Attack(Box<Attack>),
    /// None within the bounds.
    Nothing,
    /// It did not come to an end.
    Unfinished(Stop),
}

/// An attack that was played.
#[derive(Clone, Debug)]
pub struct Attack {
    /// Its lines.
    pub told: Told,
    /// A scenario of it, with what came of it as what is expected.
    pub scenario: String,
    /// The goals that fell when it was played.
    pub fallen: Vec<String>,
}

impl Question {
    /// A protocol of the library.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn of_protocol(name: &str) -> Result<Question, Problems> {
        let file = ProtocolFile::named(name)?;
        let head = toml::Table::from_iter([("protocol".to_owned(), name.into())]);
        let text = library::protocol(name).map(|entry| entry.text);
        Ok(Question { file: text, ..Question::of(name, file, head) })
    }

    /// A protocol in a text of the user's own.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_text(name: &str, text: &std::sync::Arc<super::Text>) -> Result<Question, Problems> {
        let file = ProtocolFile::from_text(text, name)?;
        let table = plain(&Node::parse(text)?);
        let head = toml::Table::from_iter([("protocol".to_owned(), table)]);
        Ok(Question { file: Some(text.clone()), ..Question::of(name, file, head) })
    }

    fn of(name: &str, file: ProtocolFile, head: toml::Table) -> Question {
        Question {
            name: name.to_owned(),
            encoding: file.encoding.clone().unwrap_or_default(),
            protocol: file.protocol,
            suite: Suite::default(),
            insider: true,
            head,
            folder: PathBuf::from("."),
            honest: Vec::new(),
            is_whole: false,
            scheduled: Vec::new(),
            passwords: BTreeMap::new(),
            weak: Vec::new(),
            file: None,
        }
    }

    /// The protocol of a scenario's variant, among its parties: what they do and what the attacker
    /// does in it is left out.
    ///
    /// # Errors
    /// The protocol's file cannot be read.
    pub fn of_variant(scenario: &Scenario, variant: &Variant) -> Result<Question, Problems> {
        let setup = &variant.setup;
        let (file, encoding) = &setup.protocols[0];
        let toml::Value::Table(mut head) = plain(&variant.tree) else {
            return Err(Problem::nowhere("a scenario is a table".to_owned()).into());
        };
        head.retain(|key, _| !NOT_OF_THE_WORLD.contains(&key));
        let path = head.get("protocol").and_then(toml::Value::as_str).map(str::to_owned);
        let mut own = path.as_deref().and_then(library::protocol).map(|entry| entry.text);
        if let Some(path) = path.filter(|name| library::protocol(name).is_none()) {
            let path = variant.folder.join(path);
            let unreadable = |why| Problem::nowhere(format!("cannot read {}: {why}", path.display()));
            let text = read_text(&path).map_err(unreadable)?;
            let text = std::sync::Arc::new(super::Text { name: path.display().to_string(), text });
            head.insert("protocol".to_owned(), plain(&Node::parse(&text)?));
            own = Some(text);
        }
        Ok(Question {
            name: variant.of(&scenario.name),
            protocol: file.protocol.clone(),
            encoding: encoding.clone(),
            suite: setup.suite,
            insider: setup.attacker.as_ref().is_none_or(|her| her.insider),
            head,
            folder: variant.folder.clone(),
            file: own,
            honest: honest(setup, HER),
            is_whole: false,
            scheduled: Vec::new(),
            passwords: passwords(setup),
            weak: weak(setup),
        })
    }

    /// The same among the scenario's own runs and events, with its attacker's name and means:
    /// what is found takes part in those of its runs that begin at once and have the players that
    /// it needs, and opens others.
    ///
    /// # Errors
    /// The protocol's file cannot be read.
    pub fn of_play(scenario: &Scenario, variant: &Variant) -> Result<Question, Problems> {
        let setup = &variant.setup;
        let question = Question::of_variant(scenario, variant)?;
        let toml::Value::Table(mut head) = plain(&variant.tree) else { return Ok(question) };
        head.retain(|key, _| !NOT_OF_THE_PLAY.contains(&key));
        if let Some(toml::Value::Table(attacker)) = head.get_mut("attacker") {
            attacker.remove("tactic");
        }
        let her = setup.attacker.as_ref().map_or(HER, |her| &her.name);
        let players = |run: &RunSpec| {
            let name = |name: &Name| if **name == *her { "I".into() } else { name.clone() };
            let is_fit = run.at == SimTime::ZERO && *run.protocol == *setup.protocol().name;
            is_fit.then(|| run.names.iter().map(|(role, player)| (role.clone(), name(player))).collect())
        };
        Ok(Question {
            head,
            honest: honest(setup, her),
            is_whole: true,
            scheduled: setup.runs.iter().map(players).collect(),
            ..question
        })
    }

    /// The same with other lines.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Question {
        self.head.insert("encoding".to_owned(), encoding_table(&encoding));
        self.encoding = encoding;
        self
    }

    /// Looks for the smallest attack on a goal with so many runs at most.
    pub fn search(
        &self,
        goal: &Goal,
        runs: usize,
        powers: &[Power],
        is_over: &(dyn Fn() -> bool + Sync),
        pool: &KeyPool,
    ) -> Finding {
        let question = self.as_powers_have_it(powers);
        let bounds = question.bounds(runs, powers, MAX_SEARCH_STATES);
        let mut unconfirmed: Vec<String> = Vec::new();
        let mut confirmed = None;
        let outcome = search::search(&self.protocol, goal, &bounds, is_over, &mut |told| {
            if unconfirmed.len() >= MAX_UNCONFIRMED {
                return false;
            }
            match question.confirm(told, goal, pool) {
                Ok(played) => {
                    confirmed = Some(played);
                    true
                }
                Err(scenario) => {
                    unconfirmed.push(scenario);
                    false
                }
            }
        });
        let result = match (outcome.attack, confirmed, outcome.stop) {
            (Some(told), Some((scenario, fallen)), _) => {
                Found::Attack(Box::new(Attack { told, scenario, fallen }))
            }
            (_, _, Some(stop)) => Found::Unfinished(stop),
            _ => Found::Nothing,
        };
        Finding { goal: goal.text.clone(), result, states: outcome.states, unconfirmed }
    }

    /// The same in the encoding that these powers ask for.
    pub(super) fn as_powers_have_it(&self, powers: &[Power]) -> Question {
        match (&self.encoding, powers.contains(&Power::Untagged)) {
            (Encoding::Untagged(_), _) | (_, false) => self.clone(),
            (_, true) => self.clone().with_encoding(Encoding::Untagged(Widths::default())),
        }
    }

    /// Within what an attacker with these powers is looked for.
    pub(super) fn bounds(&self, runs: usize, powers: &[Power], states: u64) -> Bounds {
        let stolen = powers.iter().filter_map(|power| match power {
            Power::StolenKey(role) => Some((role.clone(), Stolen::Keys)),
            Power::StolenKeyLater(role) => Some((role.clone(), Stolen::KeysLater)),
            Power::WeakPassword(role) => Some((role.clone(), Stolen::WeakPassword)),
            Power::OldSessionKey | Power::Untagged | Power::LaxClock | Power::SelfTalk | Power::NoInsider => {
                None
            }
        });
        let is_new = |role: &&Name| !powers.contains(&Power::WeakPassword((*role).clone()));
        let weak = self.weak.iter().filter(is_new).map(|role| (role.clone(), Stolen::WeakPassword));
        Bounds {
            runs,
            encoding: self.encoding.clone(),
            suite: self.suite,
            insider: self.insider && !powers.contains(&Power::NoInsider),
            self_talk: powers.contains(&Power::SelfTalk),
            old_session_keys: powers.contains(&Power::OldSessionKey),
            lax_clock: powers.contains(&Power::LaxClock),
            stolen: stolen.chain(weak).collect(),
            passwords: self.passwords.clone(),
            has_dictionary: self.is_whole && !self.weak.is_empty(),
            states,
            honest: self.honest.clone(),
            scheduled: self.scheduled.clone(),
        }
    }

    /// Plays an attack: the scenario with what came of it and the goals that fell, or without, if
    /// that is not what the search says.
    fn confirm(&self, told: &Told, goal: &Goal, pool: &KeyPool) -> Result<(String, Vec<String>), String> {
        let text = self.text(told);
        let played = self.play(&text, 0, pool).ok_or_else(|| text.clone())?;
        if !self.fell(&played, goal) {
            return Err(text);
        }
        let mut expected = toml::Table::new();
        for verdict in played.goals() {
            expected.insert(verdict.goal.clone(), verdict.word().text().into());
        }
        let expected = toml::Table::from_iter([("goals".to_owned(), expected.into())]);
        let expected = toml::Table::from_iter([("expect".to_owned(), expected.into())]);
        let fallen = played.goals().iter().filter(|verdict| verdict.is_violated());
        Ok((format!("{text}\n{expected}"), fallen.map(|verdict| verdict.goal.clone()).collect()))
    }

    /// Whether a goal of this protocol fell in a play of an attack.
    pub fn fell(&self, played: &PlayReport, goal: &Goal) -> bool {
        // Where it is the only protocol, it goes by another name in the scenario of an attack.
        let is_its = |of: &str| !self.is_whole || *of == self.protocol.name;
        let mut verdicts = played.goals().iter();
        verdicts
            .any(|verdict| verdict.goal == goal.text && is_its(&verdict.id.protocol) && verdict.is_violated())
    }

    /// Plays a scenario of an attack that was found, with keys and nonces from this seed; none if it
    /// cannot be played.
    pub fn play(&self, text: &str, seed: u64, pool: &KeyPool) -> Option<PlayReport> {
        let scenario = Scenario::read_in("found", text, &self.folder).ok()?.seed(seed);
        scenario.play_as_set_up(&scenario.variants[0], true, pool).ok()
    }

    /// What an attack that was found sets up.
    pub(super) fn setup(&self, attack: &Attack) -> Result<Setup, Problems> {
        let scenario = Scenario::read_in("found", &attack.scenario, &self.folder)?;
        Ok(scenario.variants[0].setup.clone())
    }

    fn text(&self, told: &Told) -> String {
        let mut head = self.head.clone();
        let table = || toml::Value::Table(toml::Table::new());
        if let Some(parties) = head.entry("parties").or_insert_with(table).as_table_mut() {
            // Who has no part in it is not configured either.
            let has_part = |name: &str| told.parties.iter().any(|other| other == name);
            parties.retain(|name, _| self.is_whole || has_part(name) || Service::of(name).is_some());
            for name in &told.parties {
                if let Some(party) = parties.entry(name).or_insert_with(table).as_table_mut()
                    && told.is_lax
                {
                    party.insert("max_skew".to_owned(), "1000d".into());
                }
                let words = told.passwords.iter().filter(|(owner, _)| owner == name);
                if let Some(party) = parties.get_mut(name).and_then(toml::Value::as_table_mut) {
                    party.extend(words.map(|(_, word)| ("password".to_owned(), word.as_str().into())));
                }
            }
        }
        match told.text.parse::<toml::Table>() {
            Ok(attack) if self.is_whole => merged(head, attack).to_string(),
            _ => format!("{head}\n{}", told.text),
        }
    }
}

impl Finding {
    /// Why it leaves the question open: there may be an attack within the bounds or none.
    pub fn open(&self) -> Option<String> {
        match (&self.result, self.unconfirmed.len()) {
            (Found::Attack(_), _) | (Found::Nothing, 0) => None,
            (Found::Nothing, 1) => {
                Some("the stage does not confirm an attack that the symbols allow".to_owned())
            }
            (Found::Nothing, many) => {
                Some(format!("the stage does not confirm {many} attacks that the symbols allow"))
            }
            (Found::Unfinished(stop), _) => Some(match stop {
                Stop::States => format!("the limit MAX_SEARCH_STATES, {MAX_SEARCH_STATES}, came first"),
                Stop::Over => "its time was over".to_owned(),
                Stop::Unsaid => "a role or an attack cannot be said in the search's terms".to_owned(),
                Stop::Steps => "more steps at once than MAX_BUNDLE_STEPS".to_owned(),
                Stop::Unifications => "more ways to make two messages equal than MAX_UNIFICATIONS".to_owned(),
            }),
        }
    }
}

impl Attack {
    /// How large it is: runs, and lines of hers.
    pub fn size(&self) -> (usize, usize) {
        (self.told.runs, self.told.hers)
    }
}

/// The honest parties of a scenario: those that its runs name, in the order of their roles, then
/// others that it configures, except for hosts that work under another's keys.
fn honest(setup: &Setup, her: &str) -> Vec<Name> {
    let in_runs = setup.runs.iter().filter_map(|run| Some((run, setup.protocol_named(&run.protocol)?)));
    let in_runs = in_runs.flat_map(|(run, protocol)| {
        protocol.client_roles().filter_map(|role| run.names.get(&role.name)).collect::<Vec<_>>()
    });
    let others = setup.parties.iter().filter(|(_, party)| party.shares_key_of.is_none());
    let mut all: Vec<Name> = Vec::new();
    for name in in_runs.chain(others.map(|(name, _)| name)) {
        let is_other = |one: &str| **name != *one;
        let is_hers = [her, HER, "I"].iter().any(|hers| !is_other(hers));
        if !is_hers && Service::of(name).is_none() && all.iter().all(|one| is_other(one)) {
            all.push(name.clone());
        }
    }
    all
}

/// The passwords that a scenario's parties are given.
fn passwords(setup: &Setup) -> BTreeMap<Name, String> {
    let parties = setup.parties.iter();
    parties.filter_map(|(name, party)| Some((name.clone(), party.password.clone()?))).collect()
}

/// The roles of whose players the scenario's attacker can guess a password.
fn weak(setup: &Setup) -> Vec<Name> {
    let Some(her) = &setup.attacker else { return Vec::new() };
    let (passwords, protocol) = (passwords(setup), setup.protocol());
    let is_weak = |player: &Name| passwords.get(player).is_some_and(|word| her.dictionary.contains(word));
    let runs = || setup.runs.iter().filter(|run| *run.protocol == *protocol.name);
    let roles = protocol.client_roles().map(|role| &role.name);
    roles.filter(|role| runs().any(|run| run.names.get(*role).is_some_and(is_weak))).cloned().collect()
}

/// One table over another: tables merge, and what an array has comes after what was there.
fn merged(mut base: toml::Table, over: toml::Table) -> toml::Table {
    for (key, value) in over {
        let value = match (base.remove(&key), value) {
            (Some(toml::Value::Array(mut all)), toml::Value::Array(more)) => {
                all.extend(more);
                toml::Value::Array(all)
            }
            (Some(toml::Value::Table(table)), toml::Value::Table(more)) => merged(table, more).into(),
            (_, value) => value,
        };
        base.insert(key, value);
    }
    base
}

impl Scenario {
    /// A scenario from its text; paths in it start at this folder.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read_in(name: &str, text: &str, folder: &Path) -> Result<Scenario, Problems> {
        let text = std::sync::Arc::new(super::Text { name: name.to_owned(), text: text.to_owned() });
        Scenario::read(&text, name, "", folder)
    }
}

/// A tree without its places.
pub(super) fn plain(node: &Node) -> toml::Value {
    match &node.data {
        Data::String(text) => text.as_str().into(),
        Data::Integer(number) => (*number).into(),
        Data::Float(number) => (*number).into(),
        Data::Boolean(truth) => (*truth).into(),
        Data::Array(items) => toml::Value::Array(items.iter().map(plain).collect()),
        Data::Table(entries) => {
            toml::Value::Table(entries.iter().map(|(key, value)| (key.name.clone(), plain(value))).collect())
        }
        Data::Other(what) => (*what).into(),
    }
}

fn encoding_table(encoding: &Encoding) -> toml::Value {
    let mut table = toml::Table::from_iter([("kind".to_owned(), encoding.name().into())]);
    if let Encoding::Untagged(widths) = encoding {
        let Widths { name, nonce, key, time, data, of } = widths;
        for (word, width) in [("name", name), ("nonce", nonce), ("key", key), ("time", time), ("data", data)]
        {
            table.insert(word.to_owned(), (*width as i64).into());
        }
        for (value, width) in of {
            let width = width.map_or_else(|| "any".into(), |width| (width as i64).into());
            table.insert(value.to_string(), width);
        }
    }
    table.into()
}
