//! Who plays which role in the runs of a narration: a line that goes the other way than the
//! protocol's, and one that nobody will ever send or take, are faults. Must not know terms.

use std::collections::{BTreeMap, BTreeSet};

use super::standing::Standing;
use super::{Deed, Says, Setting};
use crate::notation::fault::Fault;
use crate::notation::protocol::{Protocol, Service};
use crate::notation::term::Name;

/// The honest parties that play each role of each run, as far as the file says.
struct Cast<'a> {
    setting: &'a Setting<'a>,
    players: BTreeMap<(u32, &'a str), BTreeSet<&'a Name>>,
}

/// The lines whose honest sender or receiver has no such part in their run.
pub fn check(lines: &[Standing], setting: &Setting<'_>) -> Vec<Fault> {
    if setting.says == Says::Nothing {
        return Vec::new();
    }
    let mut cast = Cast { setting, players: BTreeMap::new() };
    for run in lines.iter().map(|standing| standing.run) {
        for (role, name) in setting.runs.get(&run).iter().flat_map(|run| run.names) {
            if **name != *setting.attacker {
                cast.players.entry((run, role)).or_default().insert(name);
            }
        }
    }
    lines.iter().filter_map(|standing| cast.follow(standing).err()).collect()
}

impl<'a> Cast<'a> {
    fn follow(&mut self, standing: &'a Standing) -> Result<(), Fault> {
        let protocol = self.setting.protocol_of(standing.run);
        match &standing.deed {
            Deed::Send { to, .. } => self.takes(standing, protocol, to),
            Deed::Take { from, .. } | Deed::Overhear { from, .. } => self.sends(standing, protocol, from),
        }
    }

    /// An honest party takes a line that the attacker sends: as who plays the role that
    /// receives it, or as one whose part begins with it.
    fn takes(&mut self, at: &'a Standing, protocol: &'a Protocol, to: &'a Name) -> Result<(), Fault> {
        let role = protocol.receiver_of(at.step);
        if protocol.programs[role].iter().any(|program| program.entry == at.step) {
            self.check_service(at, protocol, role, to)?;
            self.players.entry((at.run, role)).or_default().insert(to);
            return Ok(());
        }
        if self.has_part(at, protocol, role, to)? || self.setting.says == Says::Some {
            return Ok(());
        }
        let message = format!("{to} takes no part in run {} to which this line belongs", at.run);
        let first = protocol.programs[role].first().map_or(1, |program| program.entry);
        Err(at.line.fault_at(to, message).help(match starts(protocol, role) {
            true => format!("{role} opens runs: add a [[run]] in which {to} does"),
            false => format!("a part as {role} begins with line {first}: let her send that first"),
        }))
    }

    /// An honest party sends a line: as who plays the role that sends it.
    fn sends(&mut self, at: &'a Standing, protocol: &'a Protocol, from: &'a Name) -> Result<(), Fault> {
        let role = protocol.sender_of(at.step);
        if self.has_part(at, protocol, role, from)? || self.setting.says == Says::Some {
            return Ok(());
        }
        if !self.setting.runs.contains_key(&at.run) && starts(protocol, role) {
            return Err(at
                .line
                .fault_at(from, format!("{from} never starts run {}: no [[run]] has this number", at.run))
                .help("add a [[run]], or let her open the run: she sends its first line"));
        }
        let player = self.players.get(&(at.run, role)).and_then(|players| players.first());
        let fault = at.line.fault_at(
            from,
            format!("{from} takes no part in run {} in which it could send this line", at.run),
        );
        Err(match player {
            Some(player) => fault.help(format!("line {} goes from {role}, whom {player} plays", at.step)),
            None => fault.help("let her open the run first: she sends the line with which a part begins"),
        })
    }

    /// Whether a party has a part in a role that has this line: it plays the role, or may be
    /// the first whom somebody's message brings into it.
    fn has_part(
        &mut self,
        at: &'a Standing,
        protocol: &'a Protocol,
        role: &'a Name,
        party: &'a Name,
    ) -> Result<bool, Fault> {
        let is_service = self.check_service(at, protocol, role, party)?;
        if self.plays(at.run, role, party) {
            return Ok(true);
        }
        if let Some(other) = self.other_role(at.run, protocol, party).filter(|_| !is_service) {
            return Err(self.wrong_way(at, protocol, party, other, role));
        }
        let comes = !self.is_played(at.run, role) && self.may_have_come(at.run, protocol, role, at.step);
        if comes {
            self.players.entry((at.run, role)).or_default().insert(party);
        }
        Ok(comes)
    }

    /// Whether a message that no line mentions can have begun a part in a role that has this
    /// line: somebody there sends it.
    fn may_have_come(&self, run: u32, protocol: &Protocol, role: &Name, line: u32) -> bool {
        protocol.programs[role].iter().any(|program| {
            let sender = protocol.sender_of(program.entry);
            program.steps.iter().any(|step| step.line == line)
                && sender != role
                && (self.is_played(run, sender) || self.may_have_come(run, protocol, sender, program.entry))
        })
    }

    fn is_played(&self, run: u32, role: &Name) -> bool {
        self.players.get(&(run, role)).is_some_and(|players| !players.is_empty())
    }

    /// Whether a role is a service's; an error unless its service plays it, and nothing else.
    fn check_service(
        &self,
        at: &Standing,
        protocol: &Protocol,
        role: &Name,
        party: &Name,
    ) -> Result<bool, Fault> {
        let service = protocol.role(role).and_then(|role| role.service).map(Service::name);
        let is_service = Service::ALL.iter().any(|(_, name)| **party == **name);
        match service {
            Some(service) if **party == *service => Ok(true),
            None if !is_service => Ok(false),
            _ => {
                let fault =
                    at.line.fault_at(party, format!("{}: {party} does not play {role}", way(at, protocol)));
                Err(fault.help(format!("{} does", service.unwrap_or("a client"))))
            }
        }
    }

    fn plays(&self, run: u32, role: &str, party: &Name) -> bool {
        self.players.get(&(run, role)).is_some_and(|players| players.contains(party))
    }

    /// Another role that a party plays in a run.
    fn other_role(&self, run: u32, protocol: &'a Protocol, party: &Name) -> Option<&'a Name> {
        protocol.roles.iter().map(|role| &role.name).find(|role| self.plays(run, role, party))
    }

    fn wrong_way(
        &self,
        at: &Standing,
        protocol: &Protocol,
        party: &Name,
        plays: &Name,
        role: &Name,
    ) -> Fault {
        let message = format!("{}: {party} is {plays} in run {}, not {role}", way(at, protocol), at.run);
        let player = self.players.get(&(at.run, &**role)).and_then(|players| players.first());
        let fault = at.line.fault_at(party, message);
        match player {
            Some(player) => fault.help(format!("in run {}, {player} is {role}", at.run)),
            None => fault,
        }
    }
}

/// Whether whoever plays a role starts with the run: nobody comes to play it by a message.
fn starts(protocol: &Protocol, role: &Name) -> bool {
    protocol.starters().any(|(starter, _)| starter == role)
}

fn way(at: &Standing, protocol: &Protocol) -> String {
    let (from, to) = (protocol.sender_of(at.step), protocol.receiver_of(at.step));
    format!("line {} of {} goes from {from} to {to}", at.step, protocol.name)
}
