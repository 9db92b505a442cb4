//! A scenario as the generator makes it and the shrinker takes it apart: its text is what
//! both sides are given.

use std::fmt::Write;

use super::parse::{End, Line, Step};
use super::term;

/// A generator of numbers for cases: SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.below(from.len())) }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Case {
    pub lines: Vec<Line>,
    pub goals: Vec<String>,
    /// (table, role, declaration): `fresh`, `given`, `knows`.
    pub declared: Vec<(&'static str, String, String)>,
    pub joins: Vec<(String, usize)>,
    pub lets: Vec<(String, String)>,
    pub encoding: &'static str,
    /// When, who plays which role, and given values.
    pub runs: Vec<(String, Vec<(String, String)>)>,
    /// When, what, as.
    pub thefts: Vec<(String, String, Option<String>)>,
    pub attacker: Option<Narration>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Narration {
    pub is_outsider: bool,
    pub fresh: Vec<String>,
    pub steps: Vec<Step>,
    pub not_before: Vec<(String, String)>,
}

impl Case {
    pub fn toml(&self) -> String {
        let mut out = String::new();
        let quoted = |all: &mut dyn Iterator<Item = String>| {
            all.map(|text| format!("  '{text}',\n")).collect::<String>()
        };
        let _ = write!(
            out,
            "[protocol]\nmessages = [\n{}]\n",
            quoted(&mut self.lines.iter().map(Line::to_string))
        );
        let _ = writeln!(out, "goals = [\n{}]", quoted(&mut self.goals.iter().cloned()));
        for table in ["fresh", "given", "knows"] {
            let mine: Vec<_> = self.declared.iter().filter(|(t, ..)| *t == table).collect();
            if mine.is_empty() {
                continue;
            }
            let _ = writeln!(out, "[protocol.{table}]");
            let mut roles: Vec<&String> = mine.iter().map(|(_, role, _)| role).collect();
            roles.sort();
            roles.dedup();
            for role in roles {
                let all: Vec<String> = mine
                    .iter()
                    .filter(|(_, r, _)| r == role)
                    .map(|(.., what)| format!("\"{what}\""))
                    .collect();
                let _ = writeln!(out, "{role} = [{}]", all.join(", "));
            }
        }
        if !self.joins.is_empty() {
            out.push_str("[protocol.joins]\n");
            for (role, line) in &self.joins {
                let _ = writeln!(out, "{role} = [{line}]");
            }
        }
        if !self.lets.is_empty() {
            out.push_str("[protocol.let]\n");
            for (name, term) in &self.lets {
                let _ = writeln!(out, "{name} = '{term}'");
            }
        }
        if self.encoding != "tagged" {
            let _ = writeln!(out, "[encoding]\nkind = \"{}\"", self.encoding);
        }
        self.write_play(&mut out);
        out
    }

    fn write_play(&self, out: &mut String) {
        let mut play = String::new();
        self.write_runs(&mut play);
        for party in ["alice", "bob", "carol", "dave", "erin"] {
            if play.contains(party) {
                let _ = writeln!(out, "[parties.{party}]");
            }
        }
        out.push_str(&play);
    }

    fn write_runs(&self, out: &mut String) {
        for (at, cast) in &self.runs {
            let _ = writeln!(out, "[[run]]\nat = \"{at}\"");
            for (key, value) in cast {
                let _ = writeln!(out, "{key} = \"{value}\"");
            }
        }
        for (at, what, name) in &self.thefts {
            let _ = writeln!(out, "[[event]]\nat = \"{at}\"\ncompromise = \"{what}\"");
            if let Some(name) = name {
                let _ = writeln!(out, "as = \"{name}\"");
            }
        }
        let Some(narration) = &self.attacker else { return };
        out.push_str("[attacker]\n");
        if narration.is_outsider {
            out.push_str("insider = false\n");
        }
        if !narration.fresh.is_empty() {
            let all: Vec<String> = narration.fresh.iter().map(|f| format!("\"{f}\"")).collect();
            let _ = writeln!(out, "fresh = [{}]", all.join(", "));
        }
        if !narration.steps.is_empty() {
            out.push_str("attack = [\n");
            for step in &narration.steps {
                let _ = writeln!(out, "  '{step}',");
            }
            out.push_str("]\n");
        }
        if !narration.not_before.is_empty() {
            let all: Vec<String> =
                narration.not_before.iter().map(|(step, at)| format!("\"{step}\" = \"{at}\"")).collect();
            let _ = writeln!(out, "at = {{ {} }}", all.join(", "));
        }
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -> {} : {}", self.from, self.to, term::list(&self.terms))
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Party(name) => f.write_str(name),
            End::Attacker(None) => f.write_str("I"),
            End::Attacker(Some(name)) => write!(f, "I({name})"),
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} {} -> {} : {}", self.run, self.line, self.from, self.to, term::list(&self.terms))
    }
}
