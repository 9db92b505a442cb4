//! Attacks that a search found, put to the test: each becomes a scenario that is played, and only
//! what the play confirms is reported. Must not know how they are found.

use std::path::{Path, PathBuf};

use super::problem::{Problem, Problems};
use super::protocol_file::ProtocolFile;
use super::report::PlayReport;
use super::toml_tree::{Data, Node};
use super::{KeyPool, Scenario, Variant, library, read_text};
use crate::crypto::Suite;
use crate::limits::{MAX_SEARCH_STATES, MAX_UNCONFIRMED};
use crate::notation::{Goal, Name, Protocol};
use crate::search::{self, Bounds, Stop, Told};
use crate::wire::{Encoding, Widths};

/// What a search leaves out of a scenario: what happens in it, and what comes of it.
const NOT_OF_THE_WORLD: [&str; 10] =
    ["run", "event", "request", "attacker", "expect", "variant", "title", "about", "tags", "until"];

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
    head: toml::Table,
    folder: PathBuf,
}

/// What the attacker has beyond what everybody has, or lacks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Power {
    /// Session keys of runs that are over come to her a day later.
    OldSessionKey,
    /// She has the long-term keys of whoever plays this role.
    StolenKey(Name),
    /// The same, but only when everything is over.
    StolenKeyLater(Name),
    /// Fields have no types and no borders.
    Untagged,
    /// Parties take readings of clocks that are long past.
    LaxClock,
    /// Parties take themselves for their peers.
    SelfTalk,
    /// She has no long-term keys of her own.
    NoInsider,
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
}

impl Power {
    /// The words for powers, as the command line has them.
    pub const WORDS: [&str; 7] = [
        "old-session-key",
        "stolen-key=ROLE",
        "stolen-key-later=ROLE",
        "untagged",
        "lax-clock",
        "self-talk",
        "no-insider",
    ];

    /// The power that a text names: a word, and a role after it where one is needed.
    ///
    /// # Errors
    /// There is no such power, or no such role.
    pub fn read(text: &str, protocol: &Protocol) -> Result<Power, Problem> {
        let mut words = text.split([' ', '=', ':']).filter(|word| !word.is_empty());
        let (word, role) = (words.next().unwrap_or_default(), words.next());
        let unknown = || {
            let mut problem = Problem::nowhere(format!("there is no power `{text}`"));
            let known = Power::WORDS.iter().map(|known| known.split('=').next().unwrap_or_default());
            problem.help = crate::notation::fault::suggest(word, known);
            problem
        };
        let of = |make: fn(Name) -> Power| {
            let roles: Vec<&str> = protocol.client_roles().map(|role| &*role.name).collect();
            match role.filter(|role| roles.contains(role)) {
                Some(role) => Ok(make(role.into())),
                None => {
                    let message = format!("`{word}` is of a client's role");
                    Err(Problem::nowhere(message).help(format!("one of {}", roles.join(", "))))
                }
            }
        };
        match (word, role) {
            ("old-session-key", None) => Ok(Power::OldSessionKey),
            ("untagged", None) => Ok(Power::Untagged),
            ("lax-clock", None) => Ok(Power::LaxClock),
            ("self-talk", None) => Ok(Power::SelfTalk),
            ("no-insider", None) => Ok(Power::NoInsider),
            ("stolen-key", _) => of(Power::StolenKey),
            ("stolen-key-later", _) => of(Power::StolenKeyLater),
            _ => Err(unknown()),
        }
    }

    /// As the command line has it.
    pub fn text(&self) -> String {
        match self {
            Power::OldSessionKey => "old-session-key".to_owned(),
            Power::StolenKey(role) => format!("stolen-key={role}"),
            Power::StolenKeyLater(role) => format!("stolen-key-later={role}"),
            Power::Untagged => "untagged".to_owned(),
            Power::LaxClock => "lax-clock".to_owned(),
            Power::SelfTalk => "self-talk".to_owned(),
            Power::NoInsider => "no-insider".to_owned(),
        }
    }
}

impl Question {
    /// A protocol of the library.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn of_protocol(name: &str) -> Result<Question, Problems> {
        let file = ProtocolFile::named(name)?;
        let head = toml::Table::from_iter([("protocol".to_owned(), name.into())]);
        Ok(Question::of(name, file, head))
    }

    /// A protocol in a text of the user's own.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_text(name: &str, text: &std::sync::Arc<super::Text>) -> Result<Question, Problems> {
        let file = ProtocolFile::from_text(text, name)?;
        let table = plain(&Node::parse(text)?);
        let head = toml::Table::from_iter([("protocol".to_owned(), table)]);
        Ok(Question::of(name, file, head))
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
        if let Some(path) = path.filter(|name| library::protocol(name).is_none()) {
            let path = variant.folder.join(path);
            let unreadable = |why| Problem::nowhere(format!("cannot read {}: {why}", path.display()));
            let text = read_text(&path).map_err(unreadable)?;
            let text = std::sync::Arc::new(super::Text { name: path.display().to_string(), text });
            head.insert("protocol".to_owned(), plain(&Node::parse(&text)?));
        }
        Ok(Question {
            name: variant.of(&scenario.name),
            protocol: file.protocol.clone(),
            encoding: encoding.clone(),
            suite: setup.suite,
            insider: setup.attacker.as_ref().is_none_or(|her| her.insider),
            head,
            folder: variant.folder.clone(),
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
        let question = match (&self.encoding, powers.contains(&Power::Untagged)) {
            (Encoding::Untagged(_), _) | (_, false) => self.clone(),
            (_, true) => self.clone().with_encoding(Encoding::Untagged(Widths::default())),
        };
        let stolen = powers.iter().filter_map(|power| match power {
            Power::StolenKey(role) => Some((role.clone(), false)),
            Power::StolenKeyLater(role) => Some((role.clone(), true)),
            _ => None,
        });
        let bounds = Bounds {
            runs,
            encoding: question.encoding.clone(),
            suite: self.suite,
            insider: self.insider && !powers.contains(&Power::NoInsider),
            self_talk: powers.contains(&Power::SelfTalk),
            old_session_keys: powers.contains(&Power::OldSessionKey),
            lax_clock: powers.contains(&Power::LaxClock),
            stolen: stolen.collect(),
            states: MAX_SEARCH_STATES,
        };
        let mut unconfirmed: Vec<String> = Vec::new();
        let mut confirmed = None;
        let outcome = search::search(&self.protocol, goal, &bounds, is_over, &mut |told| {
            if unconfirmed.len() >= MAX_UNCONFIRMED {
                return false;
            }
            match question.confirm(told, goal, pool) {
                Ok(scenario) => {
                    confirmed = Some(scenario);
                    true
                }
                Err(scenario) => {
                    unconfirmed.push(scenario);
                    false
                }
            }
        });
        let result = match (outcome.attack, confirmed, outcome.stop) {
            (Some(told), Some(scenario), _) => Found::Attack(Box::new(Attack { told, scenario })),
            (_, _, Some(stop)) => Found::Unfinished(stop),
            _ => Found::Nothing,
        };
        Finding { goal: goal.text.clone(), result, states: outcome.states, unconfirmed }
    }

    /// Plays an attack: the scenario with what came of it, or without, if that is not what the
    /// search says.
    fn confirm(&self, told: &Told, goal: &Goal, pool: &KeyPool) -> Result<String, String> {
        let text = self.text(told);
        let played = self.play(&text, 0, pool).ok_or_else(|| text.clone())?;
        let fell = played.goals().iter().any(|verdict| verdict.goal == goal.text && verdict.is_violated());
        if !fell {
            return Err(text);
        }
        let mut expected = toml::Table::new();
        for verdict in played.goals() {
            expected.insert(verdict.goal.clone(), verdict.word().text().into());
        }
        let expected = toml::Table::from_iter([("goals".to_owned(), expected.into())]);
        let expected = toml::Table::from_iter([("expect".to_owned(), expected.into())]);
        Ok(format!("{text}\n{expected}"))
    }

    /// Plays a scenario of an attack that was found, with keys and nonces from this seed; none if it
    /// cannot be played.
    pub fn play(&self, text: &str, seed: u64, pool: &KeyPool) -> Option<PlayReport> {
        let scenario = Scenario::read_in("found", text, &self.folder).ok()?.seed(seed);
        scenario.play(&scenario.variants[0], true, pool).ok()
    }

    fn text(&self, told: &Told) -> String {
        format!("{}\n{}", self.head, told.text)
    }
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
fn plain(node: &Node) -> toml::Value {
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
