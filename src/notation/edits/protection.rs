//! Edits that say more in what is protected, or protect what was not. Must not know whether they
//! help.

use super::sketch::{Sketch, body};
use super::{Edit, Kind};
use crate::algebra::Func;
use crate::notation::protocol::{Origin, Protocol};
use crate::notation::table::{Node, Type};
use crate::notation::term::{Name, Term};

/// Names, values, labels and stamps in what is protected; encryption and signatures for what is
/// not.
pub(super) fn edits(sketch: &Sketch, protocol: &Protocol, flat: bool) -> Vec<Edit> {
    let containers = sketch.containers();
    let mut all = Vec::new();
    for container in &containers {
        let at = Place::of(sketch, protocol, container, flat);
        at.names(&mut all);
        at.values(&mut all);
        at.stamp(&mut all);
        at.label(&containers, &mut all);
    }
    encrypted(sketch, protocol, &mut all);
    signed(sketch, protocol, &mut all);
    all
}

/// Something that protects, and who makes and reads it.
struct Place<'a> {
    sketch: &'a Sketch,
    protocol: &'a Protocol,
    container: &'a Term,
    flat: bool,
    maker: Option<&'a Name>,
    readers: Vec<&'a Name>,
}

impl<'a> Place<'a> {
    fn of(sketch: &'a Sketch, protocol: &'a Protocol, container: &'a Term, flat: bool) -> Place<'a> {
        let lines = sketch.lines_with(container);
        let maker = lines.first().map(|line| &sketch.lines()[*line].from);
        let readers = lines.iter().map(|line| &sketch.lines()[*line].to).collect();
        Place { sketch, protocol, container, flat, maker, readers }
    }

    /// The container with these in it, at each place that makes a difference.
    fn with(&self, terms: &[&Term]) -> Vec<Term> {
        let mut all = vec![terms.iter().fold(self.container.clone(), |now, term| with_last(&now, term))];
        if self.flat {
            all.push(terms.iter().rfold(self.container.clone(), |now, term| with_first(&now, term)));
        }
        all
    }

    fn says(&self, term: &Term) -> bool {
        body(self.container).is_some_and(|body| body.contains(term))
    }

    /// Whether the key says it already: who signed, for whom it is sealed.
    fn key_says(&self, role: &Term) -> bool {
        let key = match self.container {
            Term::Enc(_, key) => key,
            Term::App(Func::Sign, args) => &args[0],
            _ => return false,
        };
        matches!(key, Term::App(Func::Pk | Func::Sk, of) if of[0] == *role)
    }

    fn push(&self, terms: &[&Term], kind: Kind, size: usize, buys: &str, sketch: &Sketch) -> Vec<Edit> {
        let shown: Vec<String> = terms.iter().map(|term| term.to_string()).collect();
        let sentence = format!("puts {} into {}: {buys}", shown.join(", "), self.container);
        let edit = |now| Edit::new(sketch.with(self.container, &now), kind, size, sentence.clone());
        self.with(terms).into_iter().map(edit).collect()
    }

    fn names(&self, all: &mut Vec<Edit>) {
        let roles = self.protocol.roles.iter().map(|role| Term::Name(role.name.clone()));
        let absent: Vec<Term> = roles.filter(|role| !self.says(role) && !self.key_says(role)).collect();
        for (nth, name) in absent.iter().enumerate() {
            let buys = if self.maker.is_some_and(|maker| is_role(name, maker)) {
                "its reader sees who made it, so what another made does not pass for it"
            } else if self.readers.iter().any(|reader| is_role(name, reader)) {
                "its reader sees for whom it was made, so it cannot be passed on to somebody else"
            } else {
                "its reader sees of whom it speaks, so one about others does not pass for it"
            };
            all.extend(self.push(&[name], Kind::Name, 1, buys, self.sketch));
            let is_service = |name: &Term| {
                self.protocol.roles.iter().any(|r| r.service.is_some() && is_role(name, &r.name))
            };
            for other in absent[nth + 1..].iter().filter(|other| !is_service(name) && !is_service(other)) {
                let buys = "its reader sees whose run it is of, and who is who in it";
                all.extend(self.push(&[name, other], Kind::Name, 2, buys, self.sketch));
            }
        }
    }

    fn values(&self, all: &mut Vec<Edit>) {
        let names = self.container.names();
        for value in self.protocol.values.iter().filter(|value| value.origin == Origin::Fresh) {
            let term = match value.of {
                Type::Dh => Term::Exp(vec![value.name.clone()]),
                Type::Nonce | Type::Key => Term::Name(value.name.clone()),
                Type::Keypair | Type::Time | Type::Expiry | Type::Data | Type::Kem | Type::Coins => continue,
            };
            if names.contains(&value.name) {
                continue;
            }
            let buys = format!("it is bound to this run's {term}, so one of another run does not fit");
            all.extend(self.push(&[&term], Kind::Bind, 1, &buys, self.sketch));
        }
    }

    fn stamp(&self, all: &mut Vec<Edit>) {
        let is_time = |name: &Name| {
            let value = self.protocol.value(name);
            value.is_some_and(|value| matches!(value.of, Type::Time | Type::Expiry))
        };
        let (Some(maker), false) = (self.maker, self.container.names().iter().any(is_time)) else { return };
        let mut sketch = self.sketch.clone();
        let time = Term::Name(sketch.declare(maker, "T", Type::Time));
        let buys = format!("{maker}'s clock says when it was made, so an old one is refused");
        all.extend(self.push(&[&time], Kind::Stamp, 2, &buys, &sketch));
    }

    fn label(&self, containers: &[Term], all: &mut Vec<Edit>) {
        let alike = |other: &&Term| *other != self.container && key(other) == key(self.container);
        let has_label =
            body(self.container).is_some_and(|all| all.iter().any(|t| matches!(t, Term::Text(_))));
        let lines = self.sketch.lines_with(self.container);
        let (Some(line), Some(_), false) = (lines.first(), containers.iter().find(alike), has_label) else {
            return;
        };
        let label = Term::Text(format!("line {}", line + 1).into());
        let buys = "no other part under this key passes for it";
        all.extend(self.push(&[&label], Kind::Label, 1, buys, self.sketch));
    }
}

fn is_role(term: &Term, role: &Name) -> bool {
    matches!(term, Term::Name(name) if name == role)
}

/// What a part is under: its function, and its key.
fn key(term: &Term) -> Option<(Option<Func>, &Term)> {
    match term {
        Term::Enc(_, key) => Some((None, key)),
        Term::App(func @ (Func::Sign | Func::Mac), args) => Some((Some(*func), &args[0])),
        _ => None,
    }
}

/// A container with one more term at its end.
pub(super) fn with_last(container: &Term, term: &Term) -> Term {
    with_at(container, term, usize::MAX)
}

fn with_first(container: &Term, term: &Term) -> Term {
    let keys = usize::from(matches!(container, Term::App(Func::Sign | Func::Mac, _)));
    with_at(container, term, keys)
}

fn with_at(container: &Term, term: &Term, at: usize) -> Term {
    let with = |all: &[Term]| {
        let mut all = all.to_vec();
        all.insert(at.min(all.len()), term.clone());
        all
    };
    match container {
        Term::Enc(body, key) => Term::Enc(with(body), key.clone()),
        Term::App(func, args) => Term::app(*func, with(args)),
        Term::Name(_) | Term::Text(_) | Term::Exp(_) => container.clone(),
    }
}

/// Symmetric keys that something is under, as they are written, and the fresh ones.
pub(super) fn keys(sketch: &Sketch, protocol: &Protocol) -> Vec<Term> {
    let mut all: Vec<Term> = Vec::new();
    for container in sketch.containers() {
        if let Some((None | Some(Func::Mac), key)) = key(&container)
            && !matches!(key, Term::App(Func::Pk | Func::Pw, _))
            && !all.contains(key)
        {
            all.push(key.clone());
        }
    }
    let fresh = protocol.values.iter().filter(|value| value.of == Type::Key && value.origin == Origin::Fresh);
    let shared = sketch.short().filter(|(_, term)| matches!(term, Term::App(Func::Kdf, _)));
    for name in fresh.map(|value| &value.name).chain(shared.map(|(name, _)| name)) {
        let key = Term::Name(name.clone());
        if !all.contains(&key) {
            all.push(key);
        }
    }
    all
}

/// Each value that goes in the clear, under each key that may do.
fn encrypted(sketch: &Sketch, protocol: &Protocol, all: &mut Vec<Edit>) {
    let keys = keys(sketch, protocol);
    let has_pairs = protocol.uses.encryption || !has_keys(protocol);
    for (nth, line) in sketch.lines().iter().enumerate() {
        for (part, term) in line.parts.iter().enumerate() {
            let is_value = match term {
                Term::Name(name) => protocol.value(name).is_some(),
                Term::Exp(_) => true,
                Term::Text(_) | Term::Enc(..) | Term::App(..) => false,
            };
            if !is_value {
                continue;
            }
            let sealed = Term::of(Func::Pk, &[&line.to]);
            let sealed = has_pairs.then_some(&sealed);
            for key in keys.iter().chain(sealed).filter(|key| *key != term) {
                let now = Term::Enc(vec![term.clone()], Box::new(key.clone()));
                let buys = format!(
                    "encrypts {term} under {key} in line {}: nobody without the key reads it",
                    nth + 1
                );
                let size = 1 + key.size();
                all.push(Edit::new(sketch.with_part(nth, part, now), Kind::Encrypt, size, buys));
            }
        }
    }
}

/// Whether any long-term key is in use: where there are some, edits bring in no other kind.
fn has_keys(protocol: &Protocol) -> bool {
    let is_key =
        |id| matches!(protocol.table.node(id), Node::App(Func::K | Func::Pw | Func::Pk | Func::Sk, _));
    protocol.table.ids().any(is_key)
}

/// For each line between clients a signature over the shares and nonces so far, and for whom it is;
/// where parties sign already, or have no long-term keys in use at all.
fn signed(sketch: &Sketch, protocol: &Protocol, all: &mut Vec<Edit>) {
    if has_keys(protocol) && !protocol.uses.signature {
        return;
    }
    let mut shown: Vec<Term> = Vec::new();
    for (nth, line) in sketch.lines().iter().enumerate() {
        for part in &line.parts {
            let is_fresh = match part {
                Term::Name(name) => protocol.value(name).is_some_and(|v| v.origin == Origin::Fresh),
                Term::Exp(of) => of.len() == 1,
                Term::Text(_) | Term::Enc(..) | Term::App(..) => false,
            };
            if is_fresh && !shown.contains(part) {
                shown.push(part.clone());
            }
        }
        let is_client = |role: &str| protocol.role(role).is_some_and(|role| role.service.is_none());
        let signs = line.parts.iter().any(|part| matches!(part, Term::App(Func::Sign, _)));
        if shown.is_empty() || signs || !is_client(&line.from) || !is_client(&line.to) {
            continue;
        }
        let peer = Term::Name(line.to.clone());
        let args = [Term::of(Func::Sk, &[&line.from])].into_iter().chain(shown.iter().cloned()).chain([peer]);
        let signature = Term::app(Func::Sign, args.collect());
        let buys = format!(
            "adds {signature} to line {}: {} sees that {} said this, and to whom",
            nth + 1,
            line.to,
            line.from
        );
        let size = signature.size();
        let mut sketch = sketch.clone();
        sketch.append(nth, signature);
        all.push(Edit::new(sketch, Kind::Sign, size, buys));
    }
}
