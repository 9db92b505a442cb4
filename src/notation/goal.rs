//! Goals: what a protocol promises. Must not know how they are judged.

use std::fmt;

use super::fault::{Fault, Quoted};
use super::parse::Parser;
use super::term::{Name, Term, list};

/// A promise of a protocol, in the roles' names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Goal {
    /// What is promised.
    pub claim: Claim,
    /// The text with single spaces.
    pub text: String,
    /// Its terms as they were written, each a `let` name where the text has one.
    pub written: Vec<Term>,
}

/// What a goal claims.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claim {
    /// `secret T`: the attacker does not hold and cannot compute T's value.
    Secret {
        /// The secret.
        term: Term,
        /// The roles that must be honest; all clients if empty.
        between: Vec<Name>,
        /// `forward secret`: not even when all long-term keys leak after the run.
        forward: bool,
    },
    /// `A authenticates B on T…`: agreement (Lowe, "A hierarchy of authentication specifications", 1997).
    Agreement {
        /// Who concludes it.
        who: Name,
        /// Whose run it concludes.
        with: Name,
        /// The values on which both agree.
        on: Vec<Term>,
        /// One to one (injective), or not (`weakly`).
        injective: bool,
    },
}

/// The forms a goal may have, for messages and help.
pub const FORMS: &str = "`secret T [between A, B]`, `forward secret T`, `A authenticates B on T, U` or `A weakly authenticates B on T`";

/// Reads a goal.
pub fn goal(source: &Quoted) -> Result<Goal, Fault> {
    let mut p = Parser::new(source);
    let forward = p.keyword("forward");
    let claim = if p.keyword("secret") {
        let mut between = Vec::new();
        let mut terms = p.terms(0)?;
        if p.keyword("between") {
            between.push(p.name("a role after `between`")?);
            between.extend(roles_after_comma(&mut p)?);
        }
        p.end("`between` or the end of the goal")?;
        if terms.len() != 1 {
            return Err(source.fault("a secrecy goal names one term").help("write one goal for each secret"));
        }
        Claim::Secret { term: terms.remove(0), between, forward }
    } else if forward {
        return Err(source.fault("expected `secret` after `forward`").help(format!("a goal is {FORMS}")));
    } else {
        let who = p.name("a goal")?;
        let weakly = p.keyword("weakly");
        if !p.keyword("authenticates") {
            return Err(source
                .fault(format!("`{}` is not a goal", source.text.trim()))
                .help(format!("a goal is {FORMS}")));
        }
        let with = p.name("the role that is authenticated")?;
        let on = if p.keyword("on") { p.terms(0)? } else { Vec::new() };
        p.end("`on`, `,` or the end of the goal")?;
        Claim::Agreement { who, with, on, injective: !weakly }
    };
    let text = source.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut goal = Goal { claim, text, written: Vec::new() };
    goal.written = goal.terms().to_vec();
    Ok(goal)
}

fn roles_after_comma(p: &mut Parser<'_>) -> Result<Vec<Name>, Fault> {
    let mut roles = Vec::new();
    while p.comma() {
        roles.push(p.name("a role")?);
    }
    Ok(roles)
}

impl Goal {
    /// The terms that this goal speaks of.
    pub fn terms(&self) -> &[Term] {
        match &self.claim {
            Claim::Secret { term, .. } => std::slice::from_ref(term),
            Claim::Agreement { on, .. } => on,
        }
    }

    /// The terms, to be rewritten.
    pub(super) fn terms_mut(&mut self) -> &mut [Term] {
        match &mut self.claim {
            Claim::Secret { term, .. } => std::slice::from_mut(term),
            Claim::Agreement { on, .. } => on,
        }
    }

    /// The roles that this goal names.
    pub fn roles(&self) -> Vec<&Name> {
        match &self.claim {
            Claim::Secret { between, .. } => between.iter().collect(),
            Claim::Agreement { who, with, .. } => vec![who, with],
        }
    }
}

impl fmt::Display for Claim {
    /// The one form in which goals are compared, whatever their spacing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Claim::Secret { term, between, forward } => {
                write!(f, "{}secret {term}", if *forward { "forward " } else { "" })?;
                if between.is_empty() { Ok(()) } else { write!(f, " between {}", between.join(", ")) }
            }
            Claim::Agreement { who, with, on, injective } => {
                write!(f, "{who} {}authenticates {with}", if *injective { "" } else { "weakly " })?;
                if on.is_empty() { Ok(()) } else { write!(f, " on {}", list(on)) }
            }
        }
    }
}
