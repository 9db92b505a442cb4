//! Playing a role in somebody's place: with the protocol's own program for that role, with
//! values of her own, and with her own keys wherever she lacks the right one. What she
//! reads she reads leniently; what she cannot make herself she passes on as it came.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::format::Format;
use super::hand::{Address, Hand};
use super::{Desk, Mind};
use crate::algebra::{Bytes, Part, Value, encode};
use crate::journal::{Sight, What};
use crate::knowledge::Grounds;
use crate::notation::{Action, Func, Id, Kind, Name, Node, Op, Origin, Program, Rights, Term, Type};
use crate::party::{RunSpec, SERVICE_PROTOCOLS, Spoken};

/// A role that she plays towards somebody.
struct Puppet {
    spoken: Arc<Spoken>,
    program: Arc<Program>,
    grounds: Arc<Grounds>,
    hand: Hand,
    me: Name,
}

/// Values that events handed her, by the term under which she has them.
type Handed = Vec<(Term, Value)>;

impl Puppet {
    /// She plays `role` as `me`; `names` are the parties whom she takes part with.
    fn new(
        run: u32,
        spoken: &Arc<Spoken>,
        role: &Name,
        me: &Name,
        names: &BTreeMap<Name, Name>,
        handed: &Handed,
        desk: &Desk<'_>,
    ) -> Option<Puppet> {
        let program = spoken.protocol.programs.get(role)?.first()?.clone();
        let base = &spoken.grounds[role];
        let rights = Rights { directory: true, certificates: true, ..Rights::default() };
        let mut supply = base.supply.clone();
        supply.retain(|_, s| !matches!(s, crate::knowledge::Supply::LongTerm { .. }));
        let labels = desk.cast.labels();
        let grounds = Arc::new(Grounds { rights, supply, labels, ..(**base).clone() });
        let her = &desk.profile.character.name;
        let rng = desk.cast.keys.stream(&[her, "puppet", me, role, &run.to_string()]);
        let trust = crate::party::PartyTrust::of_attacker(desk.cast, &desk.profile.character);
        let mut hand = Hand::new(grounds.clone(), rng, trust);
        hand.knowledge.reserve_slots(program.slots);
        let table = hand.knowledge.table().clone();
        for (role, name) in spoken.services.iter().chain(names) {
            if let Some(id) = table.find_name(role) {
                hand.knowledge.set(id, Value::name(name));
            }
        }
        hand.knowledge.set(program.me, Value::name(me));
        let mut puppet = Puppet { spoken: spoken.clone(), program, grounds, hand, me: me.clone() };
        puppet.take_keys(handed, desk);
        puppet.take_given(run, desk);
        Some(puppet)
    }

    /// Gives each key term its right value if she has it, else that of her own such key.
    fn take_keys(&mut self, handed: &Handed, desk: &Desk<'_>) {
        let table = self.hand.knowledge.table().clone();
        let her = &desk.profile.character.name;
        for id in table.ids() {
            let Node::App(func @ (Func::K | Func::Pw | Func::Sk), args) = table.node(id) else { continue };
            let mine = args.contains(&self.program.me);
            if !mine || args.iter().any(|a| table.kind(*a) != Some(Kind::Name)) {
                continue;
            }
            let names: Vec<Option<String>> = args
                .iter()
                .map(|a| self.hand.knowledge.get(*a).and_then(|v| v.text().map(str::to_owned)))
                .collect();
            let Some(names) = names.into_iter().collect::<Option<Vec<String>>>() else { continue };
            let right = Term::app(*func, names.iter().map(|n| Term::name(n)).collect());
            let held = handed.iter().find(|(term, _)| *term == right).map(|(_, value)| value.clone());
            let other = names.iter().find(|n| ***n != *self.me).cloned().unwrap_or_default();
            let own = match func {
                Func::Sk => Some(desk.cast.keys.private(her, self.spoken.protocol.uses).to_value()),
                Func::K if desk.profile.insider => Some(desk.cast.secret_of(Func::K, her, &other)),
                Func::Pw if desk.profile.insider => Some(desk.cast.secret_of(Func::Pw, her, &other)),
                _ => None,
            };
            if let Some(value) = held.or(own) {
                self.hand.knowledge.set(id, value);
            }
        }
    }

    /// Gives values that a scenario hands in: hers, else words of her own.
    fn take_given(&mut self, run: u32, desk: &Desk<'_>) {
        let table = self.hand.knowledge.table().clone();
        for value in &self.spoken.protocol.values {
            let Some(id) = table.find_name(&value.name) else { continue };
            if value.origin != Origin::Given || value.role != self.program.role {
                continue;
            }
            if let Some(own) = desk.profile.given.get(&value.name) {
                self.hand.knowledge.set(id, own.clone());
            } else if value.of == Type::Data && !desk.cast.runs.contains_key(&run) {
                let words = format!("{} of {}", value.name, desk.profile.character.name);
                self.hand.knowledge.set(id, Value::new(Kind::Data, words.into_bytes()));
            }
        }
    }

    /// Reads a line as far as it can be read.
    fn read(&mut self, message: &Sight, desk: &mut Desk<'_>) {
        let program = self.program.clone();
        let step = program.steps.iter().find(|s| s.line == message.line);
        let Some(Action::Receive { ops, .. }) = step.map(|s| &s.action) else { return };
        let format = Format::plain(&self.grounds, message.line);
        for op in ops {
            // A check that fails is no reason for her to stop.
            if self.hand.learn(std::slice::from_ref(op), message, &format, desk).is_err()
                && let Op::Open(source, term, _) = op
            {
                let keep = Op::Keep(*source, *term);
                let _ = self.hand.learn(&[keep], message, &format, desk);
            }
        }
    }

    /// Makes this line. A part that she cannot make is taken from `original`, if there is
    /// one. `None` if no part is of her own making, or some part cannot be had.
    fn write(
        &mut self,
        line: u32,
        run: u32,
        to: &Name,
        original: Option<&Sight>,
        desk: &mut Desk<'_>,
    ) -> Option<Sight> {
        let program = self.program.clone();
        let step = program.steps.iter().find(|s| s.line == line)?;
        let Action::Send { parts, .. } = &step.action else { return None };
        let encoding = self.spoken.encoding.clone();
        let theirs =
            original.map(|m| crate::wire::tagged_fields(&m.bytes).unwrap_or_default()).unwrap_or_default();
        let format = Format::plain(&self.grounds, line);
        let mut own = false;
        let mut built = Vec::new();
        for (nth, id) in parts.iter().enumerate() {
            let value = match self.hand.build(*id, &format, desk) {
                Ok(value) => {
                    own |= self.is_own_making(*id);
                    value
                }
                Err(_) => {
                    let (message, (kind, range)) = (original?, theirs.get(nth)?);
                    let value = Value::new(*kind, &message.bytes[range.clone()]);
                    self.hand.knowledge.set(*id, value.clone());
                    value
                }
            };
            built.push(Part { value, width: None });
        }
        if !own {
            return None;
        }
        let at = Address { run, line, protocol: &self.spoken.protocol.name, from: &self.me, to };
        if encoding.has_tags() {
            let bytes = encode(&encoding, &built).inspect_err(|reason| desk.stop_at_limit(*reason)).ok()?;
            return Some(self.hand.sight(&at, Bytes::from(bytes), parts));
        }
        self.hand.write(&at, parts, &format, desk).ok()
    }

    /// Whether a part differs from what anybody would have sent: it is no name.
    fn is_own_making(&self, id: Id) -> bool {
        let table = self.hand.knowledge.table();
        !matches!(table.node(id), Node::Text(_) | Node::App(Func::Cert, _))
            && table.kind(id) != Some(Kind::Name)
    }

    /// Takes over what another puppet read of values that a scenario hands in.
    fn copy_given(&mut self, from: &Puppet) {
        let table = self.hand.knowledge.table().clone();
        for value in self.spoken.protocol.values.iter().filter(|v| v.origin == Origin::Given) {
            if let Some(id) = table.find_name(&value.name)
                && self.hand.knowledge.get(id).is_none()
                && let Some(read) = from.hand.knowledge.get(id)
            {
                self.hand.knowledge.set(id, read.clone());
            }
        }
    }

    /// Makes the lines that follow one that was read, up to the next that must be waited for.
    fn answers(&self, after: u32) -> Vec<u32> {
        let steps = self.program.steps.iter().skip_while(|s| s.line <= after);
        steps.take_while(|s| matches!(s.action, Action::Send { .. })).map(|s| s.line).collect()
    }
}

/// Stands between two clients.
#[derive(Default)]
pub struct Mitm {
    /// For each run and role, the puppet that plays this role.
    puppets: BTreeMap<(u32, Name), Puppet>,
    handed: Handed,
}

impl Mind for Mitm {
    fn on_wire(&mut self, message: Sight, desk: &mut Desk<'_>) {
        let spoken = desk.cast.protocols.get(&message.protocol).cloned();
        let clients = desk.is_client(&message.from) && desk.is_client(&message.to);
        let Some(spoken) = spoken.filter(|_| clients) else { return desk.pass(message) };
        let sender = spoken.protocol.sender_of(message.line).clone();
        let receiver = spoken.protocol.receiver_of(message.line).clone();
        let names =
            BTreeMap::from([(sender.clone(), message.from.clone()), (receiver.clone(), message.to.clone())]);
        for (role, me) in &names {
            if !self.puppets.contains_key(&(message.run, role.clone())) {
                let puppet = Puppet::new(message.run, &spoken, role, me, &names, &self.handed, desk);
                self.puppets.extend(puppet.map(|p| ((message.run, role.clone()), p)));
            }
        }
        let (Some(mut reader), Some(mut writer)) = (
            self.puppets.remove(&(message.run, receiver.clone())),
            self.puppets.remove(&(message.run, sender.clone())),
        ) else {
            return desk.pass(message);
        };
        reader.read(&message, desk);
        writer.copy_given(&reader);
        match writer.write(message.line, message.run, &message.to, Some(&message), desk) {
            Some(own) => {
                desk.take(&message);
                desk.inject(own, Some(message.id));
            }
            None => desk.pass(message.clone()),
        }
        self.puppets.insert((message.run, receiver), reader);
        self.puppets.insert((message.run, sender), writer);
    }

    fn handed(&mut self, term: &Term, value: &Value, _desk: &mut Desk<'_>) {
        self.handed.push((term.clone(), value.clone()));
    }
}

/// Plays one party towards all others.
pub struct Impersonator {
    name: Name,
    /// Runs that the real party started, which she leaves alone.
    theirs: Vec<u32>,
    puppets: BTreeMap<(u32, Name), Puppet>,
    handed: Handed,
    stuck: Option<(u32, u32)>,
}

impl Impersonator {
    pub fn new(name: Name) -> Impersonator {
        Impersonator { name, theirs: Vec::new(), puppets: BTreeMap::new(), handed: Vec::new(), stuck: None }
    }

    fn speak(&mut self, run: u32, role: &Name, after: u32, desk: &mut Desk<'_>) {
        let Some(puppet) = self.puppets.get_mut(&(run, role.clone())) else { return };
        for line in puppet.answers(after) {
            let receiver = puppet.spoken.protocol.receiver_of(line).clone();
            let table = puppet.hand.knowledge.table();
            let to = table
                .find_name(&receiver)
                .and_then(|id| puppet.hand.knowledge.get(id)?.text().map(Name::from));
            match to.and_then(|to| puppet.write(line, run, &to, None, desk)) {
                Some(message) => desk.inject(message, None),
                None => {
                    self.stuck.get_or_insert((run, line));
                    return;
                }
            }
        }
    }
}

impl Mind for Impersonator {
    fn on_wire(&mut self, message: Sight, desk: &mut Desk<'_>) {
        if message.from == self.name && !self.theirs.contains(&message.run) {
            self.theirs.push(message.run);
        }
        let spoken = desk.cast.protocols.get(&message.protocol).cloned();
        let hers = message.to == self.name
            && !self.theirs.contains(&message.run)
            && !SERVICE_PROTOCOLS.contains(&&*message.protocol);
        let Some(spoken) = spoken.filter(|_| hers) else { return desk.pass(message) };
        desk.take(&message);
        let role = spoken.protocol.receiver_of(message.line).clone();
        if !self.puppets.contains_key(&(message.run, role.clone())) {
            let sender = spoken.protocol.sender_of(message.line).clone();
            let names = BTreeMap::from([(sender, message.from.clone())]);
            let puppet = Puppet::new(message.run, &spoken, &role, &self.name, &names, &self.handed, desk);
            self.puppets.extend(puppet.map(|p| ((message.run, role.clone()), p)));
        }
        if let Some(puppet) = self.puppets.get_mut(&(message.run, role.clone())) {
            puppet.read(&message, desk);
            puppet.take_keys(&self.handed, desk);
        }
        self.speak(message.run, &role, message.line, desk);
    }

    fn start(&mut self, run: &RunSpec, desk: &mut Desk<'_>) {
        let Some(spoken) = desk.cast.protocols.get(&run.protocol).cloned() else { return };
        let role = spoken.protocol.initiator().clone();
        let puppet = Puppet::new(run.number, &spoken, &role, &self.name, &run.names, &self.handed, desk);
        self.puppets.extend(puppet.map(|p| ((run.number, role.clone()), p)));
        self.speak(run.number, &role, 0, desk);
    }

    fn handed(&mut self, term: &Term, value: &Value, _desk: &mut Desk<'_>) {
        self.handed.push((term.clone(), value.clone()));
    }

    fn end(&mut self, desk: &mut Desk<'_>) {
        if let Some((run, line)) = self.stuck {
            let line = format!("{run}.{line} as {}", self.name);
            desk.effects.note(What::AttackStopped { line, lacked: "she could not build it".into() });
        }
    }
}
