//! Exercises: a scenario of the library without its attack, or a protocol without its defence.
//! `mallory test` grades what a learner makes of it: an attack must bring down what the library's
//! does, a defence must stand up to a search and let honest parties through.

use super::search::plain;
use super::setup::attacker::AttackerSpec;
use super::toml_tree::Node;
use super::{Problems, Scenario, Variant, protocols};
use crate::party::attacker::Plan;

/// What a learner is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// Write the attack of this variant.
    Attack(&'static str),
    /// Mend this protocol, so that these goals stand up to a search.
    Defence(&'static str, &'static [&'static str]),
}

/// An exercise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lab {
    /// Its name.
    pub name: &'static str,
    /// What is to be done.
    pub task: Task,
    /// What it is about, in a sentence.
    pub about: &'static str,
    /// What helps, before the solution itself is shown line by line.
    hints: &'static [&'static str],
}

/// The exercises, the easiest first.
pub const LABS: [Lab; 10] = [
    Lab {
        name: "break-replay",
        task: Task::Attack("msg-replay/weak"),
        about: "Have bob carry out one order twice.",
        hints: &[
            "What proves to bob that an order is new?",
            "Let the message pass in run 1, and send it again in run 2.",
        ],
    },
    Lab {
        name: "break-reflection",
        task: Task::Attack("challenge-reflection/weak"),
        about: "Answer bob's challenge without alice.",
        hints: &[
            "Who else could answer this challenge?",
            "Open a second run and have bob answer his own question.",
        ],
    },
    Lab {
        name: "break-nspk",
        task: Task::Attack("nspk-lowe/weak"),
        about: "Pass for alice at bob, while alice talks to you.",
        hints: &["You cannot open what is for alice. She can.", "Message 2 does not say who sent it."],
    },
    Lab {
        name: "break-signed-dh",
        task: Task::Attack("dh-identity-misbinding/weak"),
        about: "Have bob credit you with what alice sends him, without learning the key.",
        hints: &[
            "Signatures that cover only the shares say that somebody signed, not for whom.",
            "Pass alice's share on in your own name, and sign it yourself.",
        ],
    },
    Lab {
        name: "break-denning-sacco",
        task: Task::Attack("denning-sacco-pk/weak"),
        about: "Pass a session key that alice signed for you on to bob.",
        hints: &[
            "What of alice's message names you?",
            "Only the outer encryption does: open it and encrypt anew.",
        ],
    },
    Lab {
        name: "break-otway-rees",
        task: Task::Attack("otway-rees-type-flaw/weak"),
        about: "Have alice take something for a key that is none.",
        hints: &[
            "In this encoding fields have no types.",
            "How long is what the answer should hold, and what of that length has alice sent herself?",
        ],
    },
    Lab {
        name: "mend-nspk",
        task: Task::Defence("nspk", &["secret Nb", "B authenticates A on Na, Nb"]),
        about: "Change one line so that nobody passes for alice at bob.",
        hints: &["Whom does alice take message 2 to be from?", "Lowe's repair is one word long."],
    },
    Lab {
        name: "mend-denning-sacco",
        task: Task::Defence("denning-sacco-pk", &["secret Payload"]),
        about: "Change one line so that a key that alice signed for one peer is of no use with another.",
        hints: &["For whom is this signature?", "A name inside the signature is enough."],
    },
    Lab {
        name: "mend-signed-dh",
        task: Task::Defence(
            "signed-dh-nameless",
            &["A authenticates B on K", "B authenticates A on K, Payload"],
        ),
        about: "Tie signed Diffie–Hellman to the two who speak.",
        hints: &["The signatures prove who signed. For whom?", "Both of them should name the peer."],
    },
    Lab {
        name: "break-woo-lam",
        task: Task::Attack("woo-lam-pi-parallel/weak"),
        about: "Have bob believe that alice, who is not there, answered him.",
        hints: &[
            "What of the centre's answer says whose proof it was?",
            "Run two sessions with bob at once, and answer one of them in your own name.",
        ],
    },
];

impl Lab {
    /// The exercise of this name.
    pub fn named(name: &str) -> Option<Lab> {
        LABS.into_iter().find(|lab| lab.name == name)
    }

    /// The file that is handed out.
    ///
    /// # Errors
    /// A scenario or protocol of the library that cannot be read: a defect.
    pub fn text(&self) -> Result<String, Problems> {
        match self.task {
            Task::Attack(of) => self.without_attack(of),
            Task::Defence(protocol, goals) => self.without_defence(protocol, goals),
        }
    }

    /// What helps, one after another: words, then for an attack its lines, one more each time.
    ///
    /// # Errors
    /// As `text`.
    pub fn hints(&self) -> Result<Vec<String>, Problems> {
        let mut hints: Vec<String> = self.hints.iter().map(|hint| (*hint).to_owned()).collect();
        match self.task {
            Task::Attack(of) => {
                let (_, variant) = variant(of)?;
                let lines = lines(variant.setup.attacker.as_ref());
                hints.push(format!("The library's attack has {} lines.", lines.len()));
                hints.extend((1..=lines.len()).map(|count| lines[..count].join("\n")));
            }
            Task::Defence(protocol, _) => {
                hints.push(format!("`mallory repair {protocol}` proposes edits, each searched and played."));
            }
        }
        Ok(hints)
    }

    fn without_attack(&self, of: &str) -> Result<String, Problems> {
        let (scenario, variant) = variant(of)?;
        let toml::Value::Table(mut table) = plain(&variant.tree) else { return Ok(String::new()) };
        for key in ["variant", "title", "about", "tags", "reference"] {
            table.remove(key);
        }
        let lines = toml::Value::Array(Vec::new());
        if let Some(attacker) = table.get_mut("attacker").and_then(toml::Value::as_table_mut) {
            // What she is to find out for herself.
            for key in ["fresh", "at", "rule"] {
                attacker.remove(key);
            }
            attacker.insert("attack".to_owned(), lines);
        }
        let expected = table.remove("expect");
        let fallen = expected
            .and_then(|expect| expect.get("goals").cloned())
            .and_then(|goals| goals.as_table().cloned())
            .into_iter()
            .flatten()
            .filter(|(_, word)| word.as_str() == Some("violated"));
        let goals: toml::Table = fallen.collect();
        table
            .insert("expect".to_owned(), toml::Table::from_iter([("goals".to_owned(), goals.into())]).into());
        Ok(format!(
            "# {}\n#\n# Write the attack: lines with run and line in front, `I(alice) -> bob` in alice's name.\n\
             # `mallory run FILE` plays it, `mallory test FILE` grades it: the goals below must fall.\n\
             # `mallory explain {}` tells the protocol, `mallory lab {} --hint 1` helps.\n\n{}",
            self.about,
            scenario.called,
            self.name,
            toml::to_string_pretty(&table).unwrap_or_default()
        ))
    }

    fn without_defence(&self, protocol: &str, goals: &[&str]) -> Result<String, Problems> {
        let entry = protocols().into_iter().find(|entry| entry.name == protocol);
        let Some(entry) = entry else { return Ok(String::new()) };
        let toml::Value::Table(mut lines) = plain(&Node::parse(&entry.text)?) else {
            return Ok(String::new());
        };
        for key in ["title", "about", "tags", "reference"] {
            lines.remove(key);
        }
        let of = super::ProtocolFile::named(protocol)?.protocol;
        let roles = ["alice", "bob", "carol", "dave"];
        let mut run: toml::Table = (of.client_roles().zip(roles))
            .map(|(role, party)| (role.name.to_string(), party.into()))
            .collect();
        for value in of.values.iter().filter(|value| value.origin == crate::notation::Origin::Given) {
            run.insert(value.name.to_string(), format!("{} of run 1", value.name).into());
        }
        let word =
            |word: &str| goals.iter().map(|goal| ((*goal).to_owned(), word.into())).collect::<toml::Table>();
        let mut expect = toml::Table::new();
        expect.insert("goals".to_owned(), word("holds or untested").into());
        expect.insert("search".to_owned(), word("none").into());
        let attacker = toml::Table::from_iter([("tactic".to_owned(), "search".into())]);
        let table = toml::Table::from_iter([
            ("protocol".to_owned(), lines.into()),
            ("run".to_owned(), toml::Value::Array(vec![run.into()])),
            ("attacker".to_owned(), attacker.into()),
            ("expect".to_owned(), expect.into()),
        ]);
        Ok(format!(
            "# {}\n#\n# Mend the messages. The attacker looks for an attack herself and plays what she finds.\n\
             # `mallory test FILE` grades it: a search with two runs finds nothing, and honest parties get through.\n\
             # `mallory run FILE` shows the attack on it as it stands, `mallory lab {} --hint 1` helps.\n\n{}",
            self.about,
            self.name,
            toml::to_string_pretty(&table).unwrap_or_default()
        ))
    }
}

/// The variant of the library that `scenario/variant` names.
fn variant(of: &str) -> Result<(Scenario, std::sync::Arc<Variant>), Problems> {
    let scenario = Scenario::named(of)?;
    let variant = scenario.variants[0].clone();
    Ok((scenario, variant))
}

/// The lines of an attack, as written.
fn lines(attacker: Option<&AttackerSpec>) -> Vec<String> {
    match attacker.map(|attacker| &attacker.plan) {
        Some(Plan::Narration(attack)) => attack.lines.iter().map(|line| line.text.clone()).collect(),
        _ => Vec::new(),
    }
}
