//! The chain of events behind a violated goal, as data. Must not judge, and must not know how it
//! is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::journal::{Journal, MessageId};
use crate::notation::{Action, Node, Op, Program, Protocol};

use super::outcome::SessionOutcome;
use super::traffic::Traffic;

/// What fell, in one sentence's worth of fields.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Finding {
    /// The attacker holds a value that a part has.
    Held {
        /// The term, as the goal has it.
        term: String,
        /// The value's fingerprint.
        fingerprint: String,
        /// The value itself, if it is an application's text.
        text: Option<String>,
        /// Whether only because all long-term keys leaked after the play.
        after_leak: bool,
        /// Whose part it is.
        part: Part,
    },
    /// A part completed with somebody who has no part that agrees.
    NoPartner {
        /// The part.
        part: Part,
        /// Whom it took for the role that it authenticates.
        peer: String,
        /// That role.
        role: String,
        /// What it took to be agreed: terms and the values' fingerprints.
        on: Vec<(String, String)>,
        /// Why none of the peer's parts is its partner.
        lack: Lack,
    },
}

/// Why a completed part has no partner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Lack {
    /// Nobody agrees.
    Nobody,
    /// Who agrees had the values only afterwards.
    TooLate,
    /// Several completed, and fewer agree.
    TooFew {
        /// So many completed.
        completed: usize,
        /// So many agree.
        agree: usize,
    },
}

/// A party's part in a run.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// The party.
    pub party: String,
    /// Its role.
    pub role: String,
    /// The run.
    pub run: u32,
    /// The other clients, as the party takes them.
    pub peers: Vec<String>,
}

impl Part {
    /// A session's part.
    pub fn of(session: &SessionOutcome) -> Part {
        let others = session.protocol().client_roles().filter(|role| role.name != session.id.role);
        Part {
            party: session.id.party.to_string(),
            role: session.id.role.to_string(),
            run: session.id.run,
            peers: others.filter_map(|role| session.peer(&role.name)).map(str::to_owned).collect(),
        }
    }
}

/// One step of the way to a violated goal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Step {
    /// The attacker put another message in the place of one.
    Replaced {
        /// The message that never arrived.
        instead_of: MessageId,
        /// The message in its place.
        message: MessageId,
        /// The run.
        run: u32,
        /// The line.
        line: u32,
        /// Who sent what never arrived.
        from: String,
        /// To whom.
        to: String,
        /// What it said.
        sent: String,
        /// What arrived.
        put: String,
    },
    /// The attacker sent a message in somebody's name.
    Sent {
        /// The message.
        message: MessageId,
        /// The run.
        run: u32,
        /// The line.
        line: u32,
        /// In whose name.
        from: String,
        /// To whom.
        to: String,
        /// What it said.
        put: String,
    },
    /// A party took a value that the attacker made, and no check says who made it.
    Unchecked {
        /// The party.
        party: String,
        /// The value's term.
        term: String,
        /// The value's fingerprint.
        fingerprint: String,
        /// The line in which it arrived.
        line: u32,
    },
    /// The attacker has or computes something.
    Derived {
        /// In words.
        text: String,
        /// The event from which on she can; none of what takes keys that leak after the play.
        #[serde(default)]
        since: Option<u64>,
    },
    /// What the supposed partner really did.
    TookPart {
        /// The partner's part.
        part: Part,
    },
    /// The supposed partner did nothing of the kind.
    TookNoPart {
        /// Who.
        party: String,
        /// In which role.
        role: String,
    },
}

/// What the attacker did to the messages of a session, in order.
pub fn interference(traffic: &Traffic<'_>, session: &SessionOutcome) -> Vec<Step> {
    let mut steps = Vec::new();
    for injection in traffic.injected(&session.id).iter().take_while(|i| i.event <= session.ended) {
        let message = injection.message;
        let (run, line, to) = (message.run, message.line, message.to.to_string());
        let put = message.shown.text();
        match injection.instead_of.and_then(|id| traffic.message(id)) {
            Some(sent) if sent.to == message.to && sent.run == message.run => steps.push(Step::Replaced {
                instead_of: sent.id,
                message: message.id,
                run,
                line,
                from: sent.from.to_string(),
                to,
                sent: sent.shown.text(),
                put,
            }),
            _ if message.to == session.id.party => {
                let from = message.from.to_string();
                steps.push(Step::Sent { message: message.id, run, line, from, to, put });
            }
            _ => {}
        }
    }
    steps
}

/// Values that a session took for its peer's although the attacker made them, and that
/// none of its checks covers.
pub fn unchecked(
    journal: &Journal,
    programs: &[&Program],
    session: &SessionOutcome,
    attacker: &str,
) -> Vec<Step> {
    let protocol = session.protocol();
    let table = &protocol.table;
    let mut steps = Vec::new();
    for (id, had) in &session.values {
        let (id, value) = (*id, &had.value);
        let maker = journal.made().iter().find(|m| m.made.value.bytes == value.bytes);
        let binds = |op: &Op| matches!(op, Op::Bind(_, t) if *t == id);
        let Some(line) = line_of(programs, &binds) else { continue };
        if maker.is_none_or(|m| *m.by != *attacker) {
            continue;
        }
        let covers = |op: &Op| match op {
            Op::Open(_, t, _) | Op::Verify(_, t) => contains(protocol, *t, id),
            Op::Equal(_, t) => matches!(table.node(*t), Node::App(..)) && contains(protocol, *t, id),
            _ => false,
        };
        if line_of(programs, &covers).is_none() {
            let (party, term) = (session.id.party.to_string(), table.show(id));
            steps.push(Step::Unchecked { party, term, fingerprint: value.fingerprint(), line });
        }
    }
    steps
}

fn line_of(programs: &[&Program], test: &dyn Fn(&Op) -> bool) -> Option<u32> {
    programs.iter().flat_map(|p| &p.steps).find_map(|step| match &step.action {
        Action::Receive { ops, .. } if ops.iter().any(test) => Some(step.line),
        _ => None,
    })
}

fn contains(protocol: &Protocol, whole: crate::notation::Id, part: crate::notation::Id) -> bool {
    whole == part || protocol.table.parts(whole).iter().any(|p| contains(protocol, *p, part))
}
