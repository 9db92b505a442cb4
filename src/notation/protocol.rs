//! A protocol: what a file declares, checked and brought to programs for its roles.
//! Must not know TOML or bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fault::Quoted;
use super::goal::Goal;
use super::parse::{Line, Party};
use super::plan::Rights;
use super::program::Program;
use super::table::{Id, Node, Table, Type};
use super::term::{Name, Term};
use super::warning::Warning;
use crate::algebra::Func;
use crate::limits::MAX_TERMS;

/// The built-in services that may play a role.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Service {
    /// A key distribution centre: shares a long-term key with each client.
    Kdc,
    /// A certificate authority.
    Ca,
}

impl Service {
    /// Every service with its name, which is also its party's name.
    pub const ALL: [(Service, &'static str); 2] = [(Service::Kdc, "kdc"), (Service::Ca, "ca")];

    /// The name of the party that plays it.
    pub fn name(self) -> &'static str {
        Service::ALL[self as usize].1
    }

    /// The service of this name.
    pub fn of(name: &str) -> Option<Service> {
        Service::ALL.iter().find(|service| service.1 == name).map(|service| service.0)
    }

    pub(super) fn by_default(role: &str) -> Option<Service> {
        match role {
            "S" | "KDC" | "AS" | "TGS" => Some(Service::Kdc),
            "CA" => Some(Service::Ca),
            _ => None,
        }
    }
}

/// What a file says of a protocol, before it is understood.
#[derive(Clone, Default, Debug)]
pub struct Draft {
    /// The name under which runs and labels know it.
    pub name: String,
    /// The lines.
    pub messages: Vec<Quoted>,
    /// The goals.
    pub goals: Vec<Quoted>,
    /// Names for terms.
    pub lets: Vec<(Quoted, Quoted)>,
    /// What each role generates.
    pub fresh: Vec<(Quoted, Vec<Quoted>)>,
    /// What the scenario hands to each role.
    pub given: Vec<(Quoted, Vec<Quoted>)>,
    /// What a role knows beyond the defaults.
    pub knows: Vec<(Quoted, Vec<Quoted>)>,
    /// Which service plays a role; `client` makes it none.
    pub services: Vec<(Quoted, Quoted)>,
    /// The lines at which a client's role may join beside its first.
    pub joins: Vec<(Quoted, Vec<Quoted>)>,
    /// The value that names the groups of which one is a run's.
    pub group: Option<Quoted>,
    /// The value that names the protocol that was tried before this one.
    pub fallback: Option<Quoted>,
    /// The lines that people say to each other.
    pub voice: Vec<Quoted>,
}

/// A value that a protocol declares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Declared {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub of: Type,
    /// The role that generates it, is given it, or owns it for the long term.
    pub role: Name,
    /// How the role comes by it.
    pub origin: Origin,
    /// The `expiry` that this one is never after.
    pub until: Option<Name>,
}

/// How a role comes by a declared value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Generated anew in every run.
    Fresh,
    /// Handed in by the scenario.
    Given,
    /// Held for the long term, the same in every run.
    LongTerm,
}

/// A role and who may play it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    /// The role's name.
    pub name: Name,
    /// The service that plays it; a client if none.
    pub service: Option<Service>,
    /// What `[knows]` grants it, as terms.
    pub grants: Vec<Term>,
    /// Lines beside its first at which a client may join, with no memory of earlier ones:
    /// where a part begins that can be repeated, as with a ticket.
    pub joins: Vec<u32>,
}

/// A protocol, understood: roles have programs, and every fault was reported.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// Its name.
    pub name: String,
    /// Its roles in the order in which they first appear.
    pub roles: Vec<Role>,
    /// Its lines, `let` names written out.
    pub lines: Vec<Line>,
    /// Its declared values.
    pub values: Vec<Declared>,
    /// Its `let` names and their terms.
    pub lets: Vec<(Name, Term)>,
    /// Its goals, `let` names written out.
    pub goals: Vec<Goal>,
    /// Its terms.
    pub table: Arc<Table>,
    /// The program of each role; a service has one for each line at which it may join.
    pub programs: BTreeMap<Name, Vec<Arc<Program>>>,
    /// Whether some message carries a certificate.
    pub has_certificates: bool,
    /// Whether key pairs encrypt, and whether they sign: what the lines ask for, and those of an
    /// attack on it.
    pub uses: KeyUses,
    /// The value that names the groups in which a run's shares may be, the preferred first; the
    /// suite's own if there is none.
    pub group: Option<Name>,
    /// The value that names the protocol that its sender tried before this one.
    pub fallback: Option<Name>,
    /// The lines that people say to each other, from 1: the attacker hears them, and can neither
    /// say, change nor stop them.
    pub voice: BTreeSet<u32>,
    /// What a role never checks; see [`super::slips::warnings`] for all that is unwise.
    pub warnings: Vec<Warning>,
}

/// What a protocol uses agents' key pairs for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct KeyUses {
    /// `{M}pk(X)`.
    pub encryption: bool,
    /// `sign(sk(X), M)`.
    pub signature: bool,
}

impl KeyUses {
    /// These, and what these terms ask of key pairs: one that is only shown is one that signs.
    #[must_use]
    pub fn with<'a>(self, terms: impl IntoIterator<Item = &'a Term>) -> KeyUses {
        let (mut uses, mut is_shown) = (self, false);
        for term in terms {
            term.walk(&mut |t| match t {
                Term::Enc(_, key) => uses.encryption |= matches!(**key, Term::App(Func::Pk, _)),
                Term::App(Func::Sign, _) => uses.signature = true,
                Term::App(Func::Pk | Func::Cert, _) => is_shown = true,
                _ => {}
            });
        }
        uses.signature |= is_shown && !uses.encryption;
        uses
    }

    /// What either asks for.
    #[must_use]
    pub fn and(self, other: KeyUses) -> KeyUses {
        KeyUses {
            encryption: self.encryption || other.encryption,
            signature: self.signature || other.signature,
        }
    }
}

impl Protocol {
    /// The role of this name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|r| &*r.name == name)
    }

    /// The term that a name stands for: a role, a value or a `let`.
    pub fn named(&self, name: &str) -> Option<Id> {
        self.find(&Term::name(name))
    }

    /// The roles that have a term by the end of their own part.
    pub fn roles_with(&self, term: Id) -> impl Iterator<Item = &Name> {
        let has = move |program: &Arc<Program>| program.steps.iter().any(|s| s.concludes.contains(&term));
        self.programs.iter().filter(move |(_, all)| all.iter().any(has)).map(|(role, _)| role)
    }

    /// Whether a term is made of nothing but a role's own values, long-term keys and constants.
    pub fn is_own(&self, term: Id, role: &Name) -> bool {
        match self.table.node(term) {
            Node::Name(name) => match self.value(name) {
                Some(value) => value.role == *role,
                None => self.role(name).is_some(),
            },
            Node::Text(_) => true,
            Node::Exp(_) | Node::Enc(..) | Node::App(..) => {
                self.table.each_part(term).all(|part| self.is_own(part, role))
            }
        }
    }

    /// The roles that clients play.
    pub fn client_roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.iter().filter(|r| r.service.is_none())
    }

    /// The role that sends the first message.
    pub fn initiator(&self) -> &Name {
        self.sender_of(1)
    }

    /// The clients' roles whose part begins with a line that they send, with that line: whoever
    /// plays one starts with the run, as nothing has to arrive first.
    pub fn starters(&self) -> impl Iterator<Item = (&Name, u32)> {
        let first = move |role: &Name| {
            let mut mine = (1..=self.lines.len() as u32)
                .filter(move |n| self.sender_of(*n) == role || self.receiver_of(*n) == role);
            mine.next().filter(|n| self.sender_of(*n) == role)
        };
        self.client_roles().filter_map(move |role| Some((&role.name, first(&role.name)?)))
    }

    /// The role that sends line `number`, which counts from 1.
    pub fn sender_of(&self, number: u32) -> &Name {
        role_of(&self.lines[number as usize - 1].from)
    }

    /// The role that receives line `number`, which counts from 1.
    pub fn receiver_of(&self, number: u32) -> &Name {
        role_of(&self.lines[number as usize - 1].to)
    }

    /// Whether line `number` has a part that its receiver, or the service that plays it,
    /// sent in an earlier line.
    pub fn returns_own(&self, number: u32) -> bool {
        self.own_returned(number).next().is_some()
    }

    /// Whether such a part names this role: a ticket vouches for its client.
    pub fn vouches(&self, number: u32, role: &Name) -> bool {
        self.own_returned(number).any(|t| t.names().contains(role))
    }

    fn own_returned(&self, number: u32) -> impl Iterator<Item = &Term> {
        let (at, receiver) = (number as usize - 1, self.receiver_of(number));
        let service = |role: &str| self.role(role).and_then(|r| r.service);
        let same = move |role: &Name| {
            role == receiver || service(role).is_some_and(|s| service(receiver) == Some(s))
        };
        let cryptic = |t: &&Term| matches!(t, Term::Enc(..) | Term::App(Func::Mac | Func::Sign, _));
        let parts = self.lines[at].parts.iter().filter(cryptic);
        parts.filter(move |t| self.lines[..at].iter().any(|l| same(role_of(&l.from)) && l.parts.contains(t)))
    }

    /// The declared value of this name.
    pub fn value(&self, name: &str) -> Option<&Declared> {
        self.values.iter().find(|v| &*v.name == name)
    }

    /// What a role may use though it never received it (see "What a role knows" in the
    /// notation's documentation). Public keys are in a directory that all trust, except
    /// where a message brings them: as a certificate, or as the key itself. Services are
    /// configured, and a service has its register.
    pub fn rights(&self, role: &str) -> Rights {
        let mine = self.role(role);
        let is_service = mine.is_some_and(|r| r.service.is_some());
        let in_directory = |owner: &&Role| {
            is_service
                || owner.service.is_some()
                || !(self.has_certificates || self.carries_key_of(&owner.name))
        };
        let keys = self.roles.iter().filter(in_directory).map(|owner| Term::of(Func::Pk, &[&owner.name]));
        let grants = mine.map(|r| &r.grants[..]).unwrap_or_default();
        Rights {
            own: self.table.find_name(role).into_iter().collect(),
            directory: false,
            certificates: false,
            registered: true,
            granted: grants.iter().cloned().chain(keys).filter_map(|t| self.table.find(&t)).collect(),
        }
    }

    fn carries_key_of(&self, role: &Name) -> bool {
        self.lines.iter().flat_map(|l| &l.parts).any(|t| carries_key(t, role))
    }

    /// The number of a term in which `let` names may stand.
    pub fn find(&self, term: &Term) -> Option<Id> {
        self.table.find(&expand(term, &self.lets))
    }
}

pub(super) fn limit_terms() -> String {
    format!("the limit MAX_TERMS is {MAX_TERMS}")
}

/// The role that a protocol's line names; the attacker is refused when lines are read.
pub(super) fn role_of(party: &Party) -> &Name {
    match party {
        Party::Named(n) | Party::AttackerAs(n) => n,
        Party::Attacker => unreachable!("read_lines refuses the attacker in a protocol"),
    }
}

/// Whether whoever reads this part gets the role's public key from it.
fn carries_key(part: &Term, role: &Name) -> bool {
    match part {
        Term::App(Func::Pk, of) => matches!(&of[0], Term::Name(n) if n == role),
        Term::Enc(body, _) => body.iter().any(|t| carries_key(t, role)),
        _ => false,
    }
}

/// A term with its `let` names written out.
pub fn expand(term: &Term, lets: &[(Name, Term)]) -> Term {
    term.replace(&|n| lets.iter().find(|(name, _)| name == n).map(|(_, t)| t.clone()))
}
