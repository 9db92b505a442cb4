//! What a party knows: a map from terms to bytes. Receiving is learning bytes by a pattern,
//! sending is building bytes from a term. Client, service and attacker use this one engine,
//! each on its own names. Must not know who the party is or what it wants.

mod build;
pub mod keys;
mod learn;
mod ring;
mod shape;
pub mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::algebra::{Made, Private, Public, Value};
use crate::crypto::{Agreement, Rng};
use crate::notation::table::Casts;
use crate::notation::{Id, KeyUses, Kind, Node, Origin, Protocol, Rights, Table, Term, Type};
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};
use crate::wire::Encoding;

pub use keys::Keys;
pub use learn::Arrived;
pub use ring::Ring;
pub use shown::{Shown, Values};

/// Where a value that was not received comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Supply {
    /// Generated when it is first needed.
    Generate(Type),
    /// The clock plus a lifetime when it is first needed, but never after this expiry.
    Until(Id),
    /// Held for the long term by the agent whose name the term gives.
    LongTerm {
        /// The owner's role or name.
        owner: Id,
        /// The type.
        of: Type,
        /// Whether the role has the value itself. Of another's exponent it may have been granted
        /// the share, and only that.
        own: bool,
    },
}

/// What does not change while a party speaks a protocol.
#[derive(Clone, Debug)]
pub struct Grounds {
    /// The terms.
    pub table: Arc<Table>,
    /// What may be used without receiving it.
    pub rights: Rights,
    /// Where values come from that are not received.
    pub supply: BTreeMap<Id, Supply>,
    /// The value that names the groups of which one is the run's, if the protocol has one.
    pub group: Option<Id>,
    /// The lines that people say to each other.
    pub voice: BTreeSet<u32>,
    /// What key pairs are used for.
    pub uses: KeyUses,
    /// The protocol's name, to which labelled cryptography is bound.
    pub protocol: Arc<str>,
    /// How fields become bytes.
    pub encoding: Arc<Encoding>,
    /// Labels beside its own under which a party takes what is bound to one: an honest party
    /// insists on that of the line that makes a term.
    pub labels: Arc<[Vec<u8>]>,
}

impl Grounds {
    /// The grounds of a role of a protocol.
    pub fn of_role(protocol: &Protocol, role: &str, encoding: Arc<Encoding>) -> Grounds {
        let table = protocol.table.clone();
        let id = |name: &str| table.find_name(name).expect("roles and values are in the table");
        let mut supply = BTreeMap::new();
        for value in &protocol.values {
            let from = match value.origin {
                Origin::Fresh if *value.role == *role => match &value.until {
                    Some(bound) => Supply::Until(id(bound)),
                    None => Supply::Generate(value.of),
                },
                Origin::LongTerm => Supply::LongTerm {
                    owner: id(&value.role),
                    of: value.of,
                    own: protocol
                        .role(role)
                        .is_some_and(|r| r.grants.contains(&Term::Name(value.name.clone()))),
                },
                _ => continue,
            };
            supply.insert(id(&value.name), from);
        }
        Grounds {
            rights: protocol.rights(role),
            supply,
            voice: protocol.voice.clone(),
            group: protocol.group.as_deref().and_then(|name| table.find_name(name)),
            uses: protocol.uses,
            protocol: protocol.name.as_str().into(),
            encoding,
            labels: Arc::default(),
            table,
        }
    }
}

/// A certificate that passed a party's checks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certified {
    /// The subject's name.
    pub subject: String,
    /// The subject's keys.
    pub public: Public,
}

/// How a party judges certificates and obtains its own.
pub trait Trust {
    /// Checks path, time, name (if one is expected) and revocation at the party's clock.
    fn check(
        &mut self,
        certificate: &[u8],
        expected: Option<&str>,
        now: UnixNanos,
    ) -> Result<Certified, Reason>;
    /// The certificate of this party, or of another if certificates can be had for the asking.
    fn certificate(&self, subject: &str) -> Option<Value>;
    /// The keys of this party, if they are others than those that it began with.
    fn own_keys(&self, _name: &str) -> Option<&Private> {
        None
    }
    /// Whether the centre has registered this name.
    fn is_registered(&self, name: &str) -> bool;
    /// The party's key table: which secrets pairs of names share.
    fn ring(&self) -> &Ring;
    /// The earliest time stamp that the party takes, beside its skew: none if it takes any.
    fn earliest_stamp(&self) -> Option<UnixNanos>;
}

/// What a party brings to one use of its knowledge.
pub struct Context<'a> {
    /// The session's generator.
    pub rng: &'a mut Rng,
    /// The party's clock.
    pub now: UnixNanos,
    /// How far a time stamp may be from the party's clock.
    pub max_skew: Span,
    /// How far ahead of the party's clock an expiry may lie: any distance if none.
    pub max_lifetime: Option<Span>,
    /// Bits of strength that a group must have for the party to compute in it.
    pub min_strength: u32,
    /// The lifetime that the party gives to an `expiry`, by name or for all.
    pub lifetime: &'a Lifetimes,
    /// The long-term keys.
    pub keys: &'a Keys,
    /// How the party judges certificates.
    pub trust: &'a mut dyn Trust,
    /// The line at hand, to which labelled cryptography of new terms is bound.
    pub line: u32,
    /// Types to write on fields instead of their values' own.
    pub casts: &'a Casts,
    /// Takes note of every value that is made.
    pub made: &'a mut Vec<Made>,
}

/// Lifetimes of `expiry` values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lifetimes {
    /// For those without one of their own.
    pub default: Span,
    /// By name.
    pub of: BTreeMap<String, Span>,
}

impl Default for Lifetimes {
    /// Ten hours, as a domain controller gives to a ticket.
    fn default() -> Self {
        Lifetimes { default: Span::seconds(36_000), of: BTreeMap::new() }
    }
}

/// A party's knowledge in one session, or the attacker's notebook.
#[derive(Clone, Debug)]
pub struct Knowledge {
    grounds: Arc<Grounds>,
    values: Vec<Option<Value>>,
    /// The terms whose value is a computation from those of their parts.
    computed: BTreeSet<Id>,
    slots: Vec<Option<Value>>,
    /// The group of the last share that was read or made, where a protocol lets parties choose.
    group: Option<Agreement>,
}

impl Knowledge {
    /// Knows nothing but its grounds.
    pub fn new(grounds: Arc<Grounds>, slots: usize) -> Self {
        let values = vec![None; grounds.table.len()];
        Knowledge { grounds, values, computed: BTreeSet::new(), slots: vec![None; slots], group: None }
    }

    /// The grounds.
    pub fn grounds(&self) -> &Grounds {
        &self.grounds
    }

    /// Goes on on other grounds, which must have the same terms.
    pub fn stand_on(&mut self, grounds: Arc<Grounds>) {
        self.grounds = grounds;
    }

    /// The terms.
    pub fn table(&self) -> &Arc<Table> {
        &self.grounds.table
    }

    /// The value of a term, if it is known already.
    pub fn get(&self, id: Id) -> Option<&Value> {
        self.values[id.index()].as_ref()
    }

    /// Gives a term a value.
    pub fn set(&mut self, id: Id, value: Value) {
        self.values[id.index()] = Some(value);
    }

    /// Gives a term the value that arrived for it. What was computed from another that it had is
    /// computed anew: a code stands for the ciphertext beside it.
    fn take(&mut self, id: Id, value: Value) {
        if self.get(id).is_some_and(|had| *had != value) {
            let table = self.grounds.table.clone();
            self.computed.iter().filter(|whole| table.is_part(id, **whole)).for_each(|whole| {
                self.values[whole.index()] = None;
            });
        }
        self.set(id, value);
    }

    /// Takes a term's value away: it is made anew when it is needed.
    pub fn unset(&mut self, id: Id) {
        self.values[id.index()] = None;
    }

    /// The terms that have a value.
    pub fn known(&self) -> BTreeSet<Id> {
        self.table().ids().filter(|id| self.get(*id).is_some()).collect()
    }

    /// Forgets every value: what is not needed any more cannot be stolen.
    pub fn forget(&mut self) {
        self.values.iter_mut().for_each(|v| *v = None);
        self.computed.clear();
        self.slots.iter_mut().for_each(|v| *v = None);
        self.group = None;
    }

    /// Makes room for the slots that a plan needs.
    pub fn reserve_slots(&mut self, slots: usize) {
        if self.slots.len() < slots {
            self.slots.resize(slots, None);
        }
    }

    /// The agent's name that a term stands for.
    fn agent(&self, id: Id) -> Result<String, Reason> {
        let value = self.get(id).ok_or(Reason::Malformed)?;
        value.text().map(str::to_owned).ok_or(Reason::Malformed)
    }

    fn is_agent(&self, id: Id) -> bool {
        self.table().kind(id) == Some(Kind::Name)
    }

    fn label(&self, id: Id, ctx: &Context<'_>) -> Vec<u8> {
        match *self.grounds.encoding {
            Encoding::Labelled => {
                label(&self.grounds.protocol, self.table().first_line(id).unwrap_or(ctx.line))
            }
            Encoding::Tagged | Encoding::Untagged(_) => Vec::new(),
        }
    }
}

/// The bytes to which the labelled encoding binds cryptography.
pub fn label(protocol: &str, line: u32) -> Vec<u8> {
    format!("{protocol}/{line}").into_bytes()
}

/// The names of two agents, from a function of both.
fn pair(node: &Node) -> Option<(Id, Id)> {
    match node {
        Node::App(_, args) => Some((*args.first()?, *args.get(1)?)),
        _ => None,
    }
}
