//! Understands a protocol: reads what a draft declares, writes its `let`s out, numbers its terms
//! and has its roles projected. Must not know TOML or bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bound::read_bounds;
use super::declare::{
    check_names, read_given, read_joins, read_knows, read_lets, read_lines, read_roles, read_values,
    read_voice,
};
use super::fault::{Fault, Quoted};
use super::goal::{self, Goal};
use super::parse::Line;
use super::project;
use super::protocol::{Draft, KeyUses, Origin, Protocol, expand, limit_terms};
use super::table::Table;
use super::term::{Name, Term};
use crate::algebra::Func;
use crate::limits::MAX_TERMS;
use crate::wire::Kind;

impl Protocol {
    /// Understands a draft, or reports what is wrong with it, all at once as far as possible.
    pub fn compile(draft: &Draft) -> Result<Protocol, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut lines = read_lines(draft, &mut faults);
        let mut goals: Vec<(Goal, &Quoted)> = Vec::new();
        for source in &draft.goals {
            match goal::goal(source) {
                Ok(g) => goals.push((g, source)),
                Err(f) => faults.push(f),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut roles = read_roles(draft, &lines, &mut faults);
        let role_names: Vec<Name> = roles.iter().map(|r| r.name.clone()).collect();
        let mut values = Vec::new();
        read_joins(&draft.joins, &lines, &mut roles, &mut faults);
        read_values(&draft.fresh, Origin::Fresh, &role_names, &mut values, &mut faults);
        read_bounds(draft, &mut values, &mut faults);
        read_values(&draft.given, Origin::Given, &role_names, &mut values, &mut faults);
        read_knows(&draft.knows, &mut roles, &role_names, &mut values, &mut faults);
        let lets = read_lets(&draft.lets, &role_names, &values, &mut faults);
        check_names(&lines, &goals, &lets, &role_names, &values, &mut faults);
        let group = read_given(draft.group.as_ref(), "groups", &values, &mut faults);
        let voice = read_voice(&draft.voice, lines.len(), &mut faults);
        let fallback = read_given(draft.fallback.as_ref(), "a protocol", &values, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let expand = |term: &Term| expand(term, &lets);
        for line in &mut lines {
            line.parts = line.parts.iter().map(expand).collect();
            let size: usize = line.parts.iter().map(Term::size).sum();
            if size > MAX_TERMS {
                return Err(vec![
                    line.fault("this line is too large with its `let` names written out").help(limit_terms()),
                ]);
            }
        }
        for (goal, _) in &mut goals {
            goal.terms_mut().iter_mut().for_each(|t| *t = expand(t));
        }
        let mut protocol = Protocol {
            name: draft.name.clone(),
            roles,
            has_certificates: any_term(&lines, |t| matches!(t, Term::App(Func::Cert, _))),
            uses: KeyUses::default().with(lines.iter().flat_map(|l| &l.parts)),
            lines,
            values,
            lets,
            goals: goals.into_iter().map(|(g, _)| g).collect(),
            table: Arc::default(),
            programs: BTreeMap::new(),
            group,
            fallback,
            voice,
            warnings: Vec::new(),
        };
        protocol.table = Arc::new(table_of(&protocol).map_err(|()| vec![too_large(draft)])?);
        project::project(&mut protocol)?;
        Ok(protocol)
    }
}

fn too_large(draft: &Draft) -> Fault {
    let first = draft.messages.first().cloned().unwrap_or_else(|| Quoted::new(""));
    first.fault("the protocol has too many terms").help(limit_terms())
}

fn any_term(lines: &[Line], test: impl Fn(&Term) -> bool) -> bool {
    let mut found = false;
    lines.iter().flat_map(|l| &l.parts).for_each(|t| t.walk(&mut |t| found |= test(t)));
    found
}

fn table_of(protocol: &Protocol) -> Result<Table, ()> {
    let mut kinds: BTreeMap<Name, Kind> =
        protocol.roles.iter().map(|r| (r.name.clone(), Kind::Name)).collect();
    kinds.extend(protocol.values.iter().map(|v| (v.name.clone(), v.of.kind())));
    let mut table = Table::new(kinds);
    let mut add = |term: &Term| table.intern(term).map_err(|_| ());
    for role in &protocol.roles {
        add(&Term::Name(role.name.clone()))?;
        role.grants.iter().try_for_each(|g| add(g).map(|_| ()))?;
    }
    for value in &protocol.values {
        add(&Term::Name(value.name.clone()))?;
    }
    let mut in_lines = Vec::new();
    for (number, line) in (1..).zip(&protocol.lines) {
        for part in &line.parts {
            in_lines.push((add(part)?, number));
        }
    }
    protocol.goals.iter().flat_map(Goal::terms).try_for_each(|t| add(t).map(|_| ()))?;
    let mut shown = Vec::new();
    for (name, term) in &protocol.lets {
        shown.push((add(term)?, name));
    }
    in_lines.iter().for_each(|(id, line)| table.mark_line(*id, *line));
    shown.iter().for_each(|(id, name)| table.show_as(*id, name));
    Ok(table)
}
