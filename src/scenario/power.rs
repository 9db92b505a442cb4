//! What an attacker has beyond what everybody has, in the words of the command line and of files.

use super::problem::Problem;
use crate::notation::{Func, Name, Node, Protocol};

/// What the attacker has beyond what everybody has, or lacks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Power {
    /// Session keys of runs that are over come to her a day later.
    OldSessionKey,
    /// She has the long-term keys of whoever plays this role.
    StolenKey(Name),
    /// The same, but only when everything is over.
    StolenKeyLater(Name),
    /// She guesses the password of whoever plays this role, once something can be checked with it.
    WeakPassword(Name),
    /// Fields have no types and no borders.
    Untagged,
    /// Parties take readings of clocks that are long past.
    LaxClock,
    /// Parties take themselves for their peers.
    SelfTalk,
    /// She has no long-term keys of her own.
    NoInsider,
}

impl Power {
    /// The words for powers, as the command line has them.
    pub const WORDS: [&str; 8] = [
        "old-session-key",
        "stolen-key=ROLE",
        "stolen-key-later=ROLE",
        "weak-password=ROLE",
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
            ("weak-password", _) => of(Power::WeakPassword).and_then(|power| match role {
                Some(role) if has_password(protocol, role) => Ok(power),
                _ => {
                    Err(Problem::nowhere(format!("nobody who plays {} has a password", role.unwrap_or("it")))
                        .help("a password is `pw(X,Y)` in the protocol's lines"))
                }
            }),
            _ => Err(unknown()),
        }
    }

    /// As the command line has it.
    pub fn text(&self) -> String {
        match self {
            Power::OldSessionKey => "old-session-key".to_owned(),
            Power::StolenKey(role) => format!("stolen-key={role}"),
            Power::StolenKeyLater(role) => format!("stolen-key-later={role}"),
            Power::WeakPassword(role) => format!("weak-password={role}"),
            Power::Untagged => "untagged".to_owned(),
            Power::LaxClock => "lax-clock".to_owned(),
            Power::SelfTalk => "self-talk".to_owned(),
            Power::NoInsider => "no-insider".to_owned(),
        }
    }
}

/// Whether a role has a password in a protocol.
pub fn has_password(protocol: &Protocol, role: &str) -> bool {
    let table = &protocol.table;
    let id = table.find_name(role);
    let mut passwords = table.ids().filter_map(|id| match table.node(id) {
        Node::App(Func::Pw, owners) => Some(owners),
        _ => None,
    });
    passwords.any(|owners| owners.iter().any(|owner| Some(*owner) == id))
}
