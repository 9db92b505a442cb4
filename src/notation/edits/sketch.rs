//! A protocol as it is written, to be edited: `let` names stay, and lines that nobody touches keep
//! their text. Must not know which edits there are.

use crate::algebra::Func;
use crate::notation::fault::Quoted;
use crate::notation::parse::{self, Party};
use crate::notation::protocol::Draft;
use crate::notation::table::Type;
use crate::notation::term::{Name, Term, list};

/// A protocol's draft, its lines and `let`s read.
#[derive(Clone, Debug)]
pub struct Sketch {
    draft: Draft,
    lines: Vec<Written>,
    lets: Vec<Named>,
    /// What was declared fresh beyond the draft.
    declared: Vec<(Name, Name, Type)>,
}

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub from: Name,
    pub to: Name,
    pub parts: Vec<Term>,
    /// Its line in the draft, from 0, if it has one, and whether it still says the same.
    was: Option<usize>,
    is_same: bool,
}

#[derive(Clone, Debug)]
struct Named {
    name: Name,
    term: Term,
    is_same: bool,
}

/// What a sketch has that its draft has not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A line that says something else, by its numbers in the draft and in the sketch, from 1.
    Line {
        /// The line before.
        was: (usize, String),
        /// The line now.
        is: (usize, String),
    },
    /// A line that is new, with its number in the sketch, from 1.
    NewLine(usize, String),
    /// A `let` that says something else.
    Let {
        /// The name.
        name: Name,
        /// The term before.
        was: String,
        /// The term now.
        is: String,
    },
    /// A value that a role generates: `T: time`.
    Fresh {
        /// The role.
        role: Name,
        /// The declaration.
        value: String,
    },
}

impl Sketch {
    /// A draft to be edited; none if it is not one that compiles.
    pub fn of(draft: &Draft) -> Option<Sketch> {
        let named = |party: Party| match party {
            Party::Named(name) => Some(name),
            Party::Attacker | Party::AttackerAs(_) => None,
        };
        let mut lines = Vec::new();
        for (nth, source) in draft.messages.iter().enumerate() {
            let line = parse::line(source).ok()?;
            let (from, to) = (named(line.from)?, named(line.to)?);
            lines.push(Written { from, to, parts: line.parts, was: Some(nth), is_same: true });
        }
        let mut lets = Vec::new();
        for (name, source) in &draft.lets {
            let term = parse::term(source).ok()?;
            lets.push(Named { name: name.text.as_str().into(), term, is_same: true });
        }
        Some(Sketch { draft: draft.clone(), lines, lets, declared: Vec::new() })
    }

    /// The draft that it has become.
    pub fn draft(&self) -> Draft {
        let mut draft = self.draft.clone();
        draft.messages = self.lines.iter().map(|line| Quoted::new(self.text(line))).collect();
        for (named, (_, source)) in self.lets.iter().zip(&mut draft.lets) {
            if !named.is_same {
                *source = Quoted::new(named.term.to_string());
            }
        }
        for (role, name, of) in &self.declared {
            let value = Quoted::new(format!("{name}: {}", of.word()));
            match draft.fresh.iter_mut().find(|(owner, _)| *owner.text == **role) {
                Some((_, values)) => values.push(value),
                None => draft.fresh.push((Quoted::new(&**role), vec![value])),
            }
        }
        draft
    }

    fn text(&self, line: &Written) -> String {
        match line.was.filter(|_| line.is_same) {
            Some(was) => self.draft.messages[was].text.clone(),
            None => format!("{} -> {} : {}", line.from, line.to, list(&line.parts)),
        }
    }

    /// What is new in it, lines first.
    pub fn changes(&self) -> Vec<Change> {
        let mut all = Vec::new();
        for (nth, line) in self.lines.iter().enumerate().filter(|(_, line)| !line.is_same) {
            let is = (nth + 1, self.text(line));
            all.push(match line.was {
                Some(was) => Change::Line { was: (was + 1, self.draft.messages[was].text.clone()), is },
                None => Change::NewLine(is.0, is.1),
            });
        }
        for (named, (_, source)) in self.lets.iter().zip(&self.draft.lets).filter(|(named, _)| !named.is_same)
        {
            let (was, is) = (source.text.clone(), named.term.to_string());
            all.push(Change::Let { name: named.name.clone(), was, is });
        }
        for (role, name, of) in &self.declared {
            all.push(Change::Fresh { role: role.clone(), value: format!("{name}: {}", of.word()) });
        }
        all
    }

    pub(super) fn lines(&self) -> &[Written] {
        &self.lines
    }

    pub(super) fn has_joins(&self) -> bool {
        !self.draft.joins.is_empty()
    }

    /// What a name is short for.
    pub(super) fn meant_by(&self, name: &str) -> Option<&Term> {
        self.lets.iter().find(|named| *named.name == *name).map(|named| &named.term)
    }

    /// The names that are short for a term.
    pub(super) fn short(&self) -> impl Iterator<Item = (&Name, &Term)> {
        self.lets.iter().map(|named| (&named.name, &named.term))
    }

    /// Everything that protects what is in it, in the order in which it is written.
    pub(super) fn containers(&self) -> Vec<Term> {
        let mut all: Vec<Term> = Vec::new();
        let written = self.lines.iter().flat_map(|line| &line.parts);
        for term in written.chain(self.lets.iter().map(|named| &named.term)) {
            term.walk(&mut |part| {
                if body(part).is_some() && !all.contains(part) {
                    all.push(part.clone());
                }
            });
        }
        all
    }

    /// The lines that have a term, from 0, also under a `let` name.
    pub(super) fn lines_with(&self, term: &Term) -> Vec<usize> {
        let has = |line: &Written| line.parts.iter().any(|part| self.has(part, term));
        (0..self.lines.len()).filter(|nth| has(&self.lines[*nth])).collect()
    }

    fn has(&self, within: &Term, term: &Term) -> bool {
        let mut found = false;
        within.walk(&mut |part| {
            found = found
                || part == term
                || matches!(part, Term::Name(name) if self.meant_by(name).is_some_and(|t| self.has(t, term)));
        });
        found
    }

    /// The same with a term in another's place, wherever that stands.
    #[must_use]
    pub(super) fn with(&self, term: &Term, now: &Term) -> Sketch {
        let mut sketch = self.clone();
        for line in &mut sketch.lines {
            let parts: Vec<Term> = line.parts.iter().map(|part| exchanged(part, term, now)).collect();
            line.is_same &= parts == line.parts;
            line.parts = parts;
        }
        for named in &mut sketch.lets {
            let now = exchanged(&named.term, term, now);
            named.is_same &= now == named.term;
            named.term = now;
        }
        sketch
    }

    /// The same with a part in another's place, in one line.
    #[must_use]
    pub(super) fn with_part(&self, line: usize, part: usize, now: Term) -> Sketch {
        let mut sketch = self.clone();
        sketch.lines[line].parts[part] = now;
        sketch.lines[line].is_same = false;
        sketch
    }

    /// Puts a part at the end of a line.
    pub(super) fn append(&mut self, line: usize, part: Term) {
        self.lines[line].parts.push(part);
        self.lines[line].is_same = false;
    }

    /// Puts a new line in, before the one that is at this place.
    pub(super) fn insert(&mut self, at: usize, from: &Name, to: &Name, parts: Vec<Term>) {
        let line = Written { from: from.clone(), to: to.clone(), parts, was: None, is_same: false };
        self.lines.insert(at, line);
    }

    /// Has a role generate a new value, whose name begins so.
    pub(super) fn declare(&mut self, role: &Name, stem: &str, of: Type) -> Name {
        let stem = format!("{stem}{}", role.to_lowercase());
        let numbered = (2..).map(|number| format!("{stem}{number}"));
        let name = std::iter::once(stem.clone()).chain(numbered).find(|name| !self.is_taken(name));
        let name: Name = name.unwrap_or(stem).into();
        self.declared.push((role.clone(), name.clone(), of));
        name
    }

    fn is_taken(&self, name: &str) -> bool {
        let draft = &self.draft;
        let lists = [&draft.fresh, &draft.given, &draft.knows];
        let declared = lists.into_iter().flatten().flat_map(|(_, values)| values);
        declared.filter_map(|value| parse::declaration(value).ok()).any(|(other, _)| *other == *name)
            || self.declared.iter().any(|(_, other, _)| **other == *name)
            || self.lets.iter().any(|named| *named.name == *name)
            || self.lines.iter().any(|line| *line.from == *name || *line.to == *name)
    }
}

/// What a term protects, if it does.
pub(super) fn body(term: &Term) -> Option<&[Term]> {
    match term {
        Term::Enc(body, _) => Some(body),
        Term::App(Func::Sign | Func::Mac, args) => Some(&args[1..]),
        Term::App(Func::Hash | Func::Short | Func::Kdf, args) => Some(args),
        Term::App(..) | Term::Name(_) | Term::Text(_) | Term::Exp(_) => None,
    }
}

fn exchanged(within: &Term, term: &Term, now: &Term) -> Term {
    if within == term {
        return now.clone();
    }
    let all = |parts: &[Term]| parts.iter().map(|part| exchanged(part, term, now)).collect::<Vec<_>>();
    match within {
        Term::Name(_) | Term::Text(_) | Term::Exp(_) => within.clone(),
        Term::Enc(body, key) => Term::Enc(all(body), Box::new(exchanged(key, term, now))),
        Term::App(func, args) => Term::app(*func, all(args)),
    }
}
