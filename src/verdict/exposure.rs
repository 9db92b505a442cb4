//! For each stolen credential: when it was stolen, reported, revoked, when that could first be
//! read, and who accepted the thief for how long. Must not know file formats.

use super::outcome::{Outcome, SessionOutcome, Sessions};
use super::traffic::Traffic;
use crate::journal::{Journal, Revocation, Told, What};
use crate::notation::Name;
use crate::reason::Reason;
use crate::time::{SimTime, Span};

/// How long a stolen credential was of use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exposure {
    /// Whose it is.
    pub of: Name,
    /// What was stolen, as the scenario names it.
    pub stolen: String,
    /// When.
    pub at: SimTime,
    /// When somebody asked that it be revoked.
    pub reported: Option<SimTime>,
    /// When a service had revoked it.
    pub revoked: Option<SimTime>,
    /// When that could first be read, of an authority.
    pub told: Option<Told>,
    /// Every time that somebody completed a run with the thief in the owner's place.
    pub accepted: Vec<Acceptance>,
    /// The first time after the last of them that somebody refused her, and why; without a reason
    /// if what she sent found no session that it could be meant for.
    pub refused: Option<(Acceptance, Option<Reason>)>,
}

/// Somebody's run with the thief.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acceptance {
    /// When it ended.
    pub at: SimTime,
    /// Who ran it.
    pub by: Name,
    /// The run.
    pub run: u32,
}

impl Exposure {
    /// Whether it is known to have ended: somebody refused her after the last time that anybody
    /// accepted her. Else she may be accepted still, or never tried.
    pub fn has_ended(&self) -> bool {
        self.refused.is_some()
    }

    /// From the theft to the last acceptance; nothing if nobody accepted the thief.
    pub fn span(&self) -> Span {
        self.accepted.last().map_or(Span(0), |last| last.at.since(self.at))
    }

    /// From the revocation to the last acceptance: the window W of relying parties.
    pub fn window(&self) -> Span {
        match (self.accepted.last(), self.revoked) {
            (Some(last), Some(revoked)) => last.at.since(revoked),
            _ => Span(0),
        }
    }
}

/// The exposure of each credential that an event handed to the attacker, in order.
pub fn exposures(journal: &Journal, traffic: &Traffic<'_>, sessions: &Sessions) -> Vec<Exposure> {
    let stolen = journal.events().iter().filter_map(|event| match &event.what {
        What::Compromised { term, run: None, value: Some(_) } if is_credential(term) => {
            Some((event, term, owner(term)?))
        }
        _ => None,
    });
    stolen.map(|(event, term, of)| exposure(journal, traffic, sessions, event.at, term, of)).collect()
}

/// Whether who has it can pose as its owner.
fn is_credential(term: &str) -> bool {
    ["sk(", "k(", "pw("].iter().any(|function| term.starts_with(function))
}

/// Whose key a term is: the first name in `sk(alice)`, `k(alice,kdc)`, `pw(alice,kdc)`.
fn owner(term: &str) -> Option<Name> {
    let inside = term.split_once('(')?.1.trim_end_matches(')');
    Some(inside.split(',').next()?.trim().into())
}

fn exposure(
    journal: &Journal,
    traffic: &Traffic<'_>,
    sessions: &Sessions,
    at: SimTime,
    term: &str,
    of: Name,
) -> Exposure {
    let after = journal.events().iter().filter(|event| event.at >= at);
    let mut exposure = Exposure {
        stolen: term.to_owned(),
        at,
        reported: None,
        revoked: None,
        told: None,
        accepted: Vec::new(),
        refused: None,
        of,
    };
    for event in after {
        match event.what.topics().revocation {
            Some(Revocation::Asked(subject)) if *subject == exposure.of => {
                exposure.reported.get_or_insert(event.at);
            }
            Some(Revocation::Done(subject, told)) if *subject == exposure.of => {
                exposure.reported.get_or_insert(event.at);
                exposure.revoked.get_or_insert(event.at);
                // A centre that revokes beside the authority tells nobody by a list.
                exposure.told = exposure.told.or(told);
            }
            Some(Revocation::Asked(_) | Revocation::Done(..)) | None => {}
        }
    }
    let with_thief = sessions.0.iter().filter(|s| s.at >= at && is_with_thief(traffic, s, &exposure.of));
    let sessions_met = with_thief.filter_map(|session| {
        let met = Acceptance { at: session.at, by: session.id.party.clone(), run: session.id.run };
        let refused = match session.outcome {
            Outcome::Completed => None,
            Outcome::Refused { refusal, .. } => Some(Some(refusal.reason)),
            Outcome::Waits { .. } => return None,
        };
        Some((session.ended, met, refused))
    });
    let unheeded = journal.events().iter().filter_map(|event| match &event.what {
        What::Ignored { id, by, .. } if event.at >= at => {
            let message = traffic.injection(*id).filter(|message| {
                message.from == exposure.of
                    && *by != exposure.of
                    && !traffic.was_said_by(&message.from, &message.bytes)
            })?;
            Some((event.number, Acceptance { at: event.at, by: by.clone(), run: message.run }, Some(None)))
        }
        _ => None,
    });
    let mut met: Vec<(u64, Acceptance, Option<Option<Reason>>)> = sessions_met.chain(unheeded).collect();
    met.sort_by_key(|(event, ..)| *event);
    for (_, meeting, refused) in met {
        match refused {
            None => {
                exposure.accepted.push(meeting);
                exposure.refused = None;
            }
            Some(reason) => {
                exposure.refused.get_or_insert((meeting, reason));
            }
        }
    }
    exposure
}

/// Whether a session takes somebody for the owner, and what it was sent as the owner's in the
/// course of it comes from the attacker.
fn is_with_thief(traffic: &Traffic<'_>, session: &SessionOutcome, owner: &Name) -> bool {
    if session.id.party == *owner {
        return false;
    }
    let within = traffic.injected(&session.id).iter().take_while(|i| i.event <= session.ended);
    let mut as_owner = within.map(|injection| injection.message);
    as_owner.any(|message| {
        message.from == *owner
            && message.to == session.id.party
            && !traffic.was_said_by(owner, &message.bytes)
    })
}
