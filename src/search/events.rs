//! The world of an attack that was found: who plays its runs, who stands by, and what leaks when.
//! Must not know the narration's lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::bundle::{StepId, Stolen};
use super::names::Run;
use super::sort::HER;
use super::spell::{Grouping, Writer};
use super::term::{Args, Head, Term};
use crate::notation::{Func, Id, Name, Origin};

/// An hour at which what was before is old: longer than tickets live and clocks differ.
pub const LATER: &str = "2d";
/// A password that every dictionary has.
const COMMON_WORD: &str = "letmein";
/// When what leaks comes to her.
const LEAK: &str = "1d";

impl Writer<'_, '_> {
    /// Says which numbers the runs have, and who plays in them; none if there are not enough names.
    pub fn number_runs(&mut self, grouping: &Grouping<'_>) -> Option<()> {
        for run in grouping.runs {
            let cast = self.cast(run)?;
            let number = self.next_number(run, &cast, grouping.scheduled);
            self.numbers.push(number);
            self.casts.push(cast);
        }
        Some(())
    }

    /// The number of the run in which a part is.
    pub fn number_of(&self, part: usize) -> usize {
        self.numbers[self.of[part]]
    }

    /// The number of a run: that of one which the world has with these players, or a new one.
    fn next_number(
        &self,
        run: &Run,
        cast: &BTreeMap<Name, String>,
        scheduled: &[Option<BTreeMap<Name, Name>>],
    ) -> usize {
        let is_it = |players: &BTreeMap<Name, Name>| {
            run.epoch == 0
                && players.len() == cast.len()
                && players.iter().all(|(role, name)| cast.get(role).is_some_and(|other| **other == **name))
        };
        let mut free = (1..).zip(scheduled).filter(|(number, _)| !self.numbers.contains(number));
        let same = free.find(|(_, players)| players.as_ref().is_some_and(is_it));
        let last = self.numbers.iter().copied().max().unwrap_or(0).max(scheduled.len());
        same.map_or(last + 1, |(number, _)| number)
    }

    /// Who plays which client's role in a run.
    fn cast(&mut self, run: &Run) -> Option<BTreeMap<Name, String>> {
        let known: BTreeMap<Name, String> = (run.players.iter())
            .map(|(role, name)| Some((role.clone(), self.party(*name)?)))
            .collect::<Option<_>>()?;
        let starters: BTreeSet<&Name> = self.protocol.starters().map(|(role, _)| role).collect();
        // She plays what nobody does, but one role at most; whoever only answers may stand by.
        let open = self.protocol.client_roles().map(|role| &role.name).filter(|r| !known.contains_key(*r));
        let mut open: Vec<&Name> = open.collect();
        open.sort_by_key(|role| !starters.contains(role));
        let mut filled = known.clone();
        for role in open {
            let is_free = |name: &String| !filled.values().any(|other| other == name);
            let honest = self.at.widths.names[1 + self.at.widths.services..].iter();
            let name = ["I".to_owned()].into_iter().chain(honest.cloned()).find(is_free)?;
            filled.insert(role.clone(), name);
        }
        Some(filled)
    }

    /// The runs that the world does not have of its own.
    pub fn runs(&self, grouping: &Grouping<'_>, text: &mut String) {
        for ((run, number), cast) in grouping.runs.iter().zip(&self.numbers).zip(&self.casts) {
            if *number <= grouping.scheduled.len() {
                continue;
            }
            text.push_str("[[run]]\n");
            if run.epoch > 0 {
                let _ = writeln!(text, "at = \"{LATER}\"");
            }
            for role in self.protocol.client_roles().map(|role| &role.name) {
                let _ = writeln!(text, "{role} = {:?}", cast[role]);
            }
            for value in self.protocol.values.iter().filter(|value| value.origin == Origin::Given) {
                let _ = writeln!(text, "{} = \"{} {number}\"", value.name, value.name);
            }
            text.push('\n');
        }
    }

    /// The honest parties that a text names.
    pub fn parties(&self, text: &str) -> Vec<String> {
        let is_word = |name: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == name);
        let honest = self.at.widths.names[1 + self.at.widths.services..].iter();
        honest.filter(|name| is_word(name)).cloned().collect()
    }

    /// The events that hand keys to her.
    pub fn leaks(&mut self, runs: &[Run], order: &[StepId], text: &mut String) {
        if self.at.powers.old_session_keys && runs.iter().any(|run| run.epoch == 0) {
            for (number, run) in self.numbers.clone().into_iter().zip(runs) {
                if run.epoch > 0 {
                    continue;
                }
                let keys = self.at.cast.templates.first().map(|t| t.session_keys.clone()).unwrap_or_default();
                for key in keys {
                    let name = self.protocol.table.show(key);
                    let Some(known) = self.known_as(number, key, order) else { continue };
                    let _ = writeln!(text, "[[event]]\nat = \"{LEAK}\"\ncompromise = \"{number}.{name}\"");
                    if known != name {
                        let _ = writeln!(text, "as = {known:?}");
                    }
                    text.push('\n');
                }
            }
        }
        let mut keys: Vec<(Term, Stolen)> = Vec::new();
        for place in self.bundle.places.iter() {
            for part in &self.bundle.parts[place.part].instance.steps[place.step].parts {
                let term = self.bundle.store.write_out(self.at.terms, *part);
                self.stolen_keys(term, &mut keys);
            }
        }
        for (key, what) in keys {
            let Some(key) = self.stolen_as(key) else { continue };
            // A declared value is there when its run has begun.
            let is_declared = key.contains('.');
            let when = match what {
                Stolen::KeysLater => LEAK,
                Stolen::Keys if is_declared => "1ms",
                Stolen::Keys => "0s",
                // She guesses it herself.
                Stolen::WeakPassword => continue,
            };
            let _ = writeln!(text, "[[event]]\nat = \"{when}\"\ncompromise = \"{key}\"\n");
        }
    }

    /// The parties whose passwords she guesses, with the word that each has.
    pub fn guessed(&mut self, passwords: &BTreeMap<Name, String>) -> Vec<(String, String)> {
        let mut guessed = Vec::new();
        let weak = self.bundle.stolen.iter().filter(|(_, what)| *what == Stolen::WeakPassword);
        for name in weak.map(|(name, _)| *name).collect::<Vec<_>>() {
            if let Some(name) = self.party(name).filter(|name| name != "I") {
                let word = passwords.get(name.as_str()).cloned();
                guessed.push((name, word.unwrap_or_else(|| COMMON_WORD.to_owned())));
            }
        }
        guessed
    }

    /// How an event names a stolen key: a declared value of a party's by a run that it plays in.
    fn stolen_as(&mut self, key: Term) -> Option<String> {
        let name = self.term(key)?;
        if !matches!(self.at.terms.head(key), Head::LongTerm(_)) {
            return Some(name);
        }
        let owner = self.at.terms.args(key)[0];
        let owner = self.party(owner)?;
        let plays = |cast: &BTreeMap<Name, String>| cast.values().any(|player| *player == owner);
        let run = self.casts.iter().position(plays)?;
        Some(format!("{}.{owner}.{name}", self.numbers[run]))
    }

    /// The stolen keys with which a term is made.
    fn stolen_keys(&mut self, term: Term, keys: &mut Vec<(Term, Stolen)>) {
        let args = Args::from_slice(self.at.terms.args(term));
        let key = match self.at.terms.head(term) {
            Head::OfAgents(Func::K | Func::Pw | Func::Sk) | Head::LongTerm(_) => Some(term),
            Head::OfAgents(Func::Pk | Func::Cert) => {
                Some(self.at.terms.raw(Head::OfAgents(Func::Sk), args.clone()))
            }
            _ => None,
        };
        // A key that an honest party shares with her is hers anyway, and so are those of a role
        // that she plays.
        let her = self.at.terms.leaf(HER);
        if let Some(key) = key.filter(|_| !args.contains(&her)) {
            for (name, what) in self.bundle.stolen.iter() {
                let name = self.bundle.store.walk(self.at.terms, *name);
                if args.contains(&name) && !keys.iter().any(|(other, _)| *other == key) {
                    keys.push((key, *what));
                }
            }
        }
        args.iter().for_each(|arg| self.stolen_keys(*arg, keys));
    }

    /// The name under which the narration knows a run's session key.
    fn known_as(&mut self, number: usize, key: Id, order: &[StepId]) -> Option<String> {
        let parts: BTreeSet<usize> =
            order.iter().map(|step| self.bundle.places[usize::from(*step)].part).collect();
        for part in parts {
            if self.number_of(part) == number
                && let Some((_, value)) = self.bundle.value(part, key)
            {
                let value = self.bundle.store.walk(self.at.terms, value);
                return match self.at.terms.head(value) {
                    head @ Head::Atom(_) => self.named.get(&head).cloned(),
                    // What she chose herself needs no leak.
                    Head::Var(_) => None,
                    _ => Some(self.protocol.table.show(key)),
                };
            }
        }
        None
    }
}
