//! Makes a case on which the two disagree as small as it can be while they still do.

use super::case::Case;
use super::parse::Step;
use super::term::Term;

/// Tries to leave things out, over and over, while `fails` says that they still disagree.
pub fn shrink(case: &Case, fails: &mut dyn FnMut(&Case) -> bool) -> Case {
    let mut best = case.clone();
    loop {
        let Some(smaller) = candidates(&best).into_iter().find(|c| fails(c)) else { return best };
        best = smaller;
    }
}

fn candidates(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Case)| {
        let mut other = case.clone();
        change(&mut other);
        tidy(&mut other);
        if other != *case {
            all.push(other);
        }
    };
    with(&|c| c.attacker = None);
    with(&|c| c.encoding = "tagged");
    for at in (0..case.runs.len()).rev() {
        with(&|c| drop(c.runs.remove(at)));
    }
    for at in 0..case.thefts.len() {
        with(&|c| drop(c.thefts.remove(at)));
    }
    for at in 0..case.goals.len() {
        with(&|c| drop(c.goals.remove(at)));
    }
    with(&|c| c.lets.clear());
    with(&|c| c.joins.clear());
    for at in (0..case.lines.len()).rev() {
        with(&|c| without_line(c, at));
    }
    let steps = case.attacker.as_ref().map_or(0, |a| a.steps.len());
    for at in (0..steps).rev() {
        with(&|c| steps_of(c, |s| drop(s.remove(at))));
    }
    with(&|c| {
        if let Some(a) = &mut c.attacker {
            a.not_before.clear();
        }
    });
    for line in 0..case.lines.len() {
        for field in 0..case.lines[line].terms.len() {
            with(&|c| without_field(c, line, field));
            for other in simpler(&case.lines[line].terms[field]) {
                with(&|c| c.lines[line].terms[field] = other.clone());
            }
        }
    }
    for at in 0..steps {
        let terms = case.attacker.as_ref().map_or(&[][..], |a| &a.steps[at].terms);
        for (field, term) in terms.iter().enumerate() {
            for other in simpler(term) {
                with(&|c| steps_of(c, |s| s[at].terms[field] = other.clone()));
            }
        }
    }
    for at in 0..case.declared.len() {
        with(&|c| drop(c.declared.remove(at)));
    }
    all
}

/// Takes away declarations and goals of values that no line has any more.
fn tidy(case: &mut Case) {
    let mut said = Vec::new();
    case.lines.iter().flat_map(|l| &l.terms).for_each(|t| t.names(&mut said));
    let is_said = |name: &str| said.iter().any(|s| s == name);
    let mut gone = Vec::new();
    case.declared.retain(|(table, _, what)| {
        let name = what.split(':').next().unwrap_or(what);
        let stays = *table == "knows" && !what.contains(':') || is_said(name);
        if !stays {
            gone.push(name.to_owned());
        }
        stays
    });
    case.goals.retain(|g| !g.split([' ', ',']).any(|word| gone.iter().any(|n| n == word)));
    case.runs.iter_mut().for_each(|(_, cast)| cast.retain(|(key, _)| !gone.contains(key)));
    case.thefts.retain(|(_, what, _)| !gone.iter().any(|n| what.ends_with(&format!(".{n}"))));
}

fn steps_of(case: &mut Case, change: impl FnOnce(&mut Vec<Step>)) {
    if let Some(attacker) = &mut case.attacker {
        change(&mut attacker.steps);
        let steps = attacker.steps.clone();
        attacker.not_before.retain(|(own, _)| steps.iter().any(|s| format!("{}.{}", s.run, s.line) == *own));
    }
}

fn without_line(case: &mut Case, at: usize) {
    case.lines.remove(at);
    let number = at as u32 + 1;
    steps_of(case, |steps| {
        steps.retain(|s| s.line != number);
        steps.iter_mut().filter(|s| s.line > number).for_each(|s| s.line -= 1);
    });
    case.joins.retain(|(_, line)| *line != at + 1);
    case.joins.iter_mut().filter(|(_, line)| *line > at + 1).for_each(|(_, line)| *line -= 1);
}

/// The field of a line, and of every line of the attack that has as many.
fn without_field(case: &mut Case, line: usize, field: usize) {
    let fields = case.lines[line].terms.len();
    if fields == 1 {
        return;
    }
    case.lines[line].terms.remove(field);
    steps_of(case, |steps| {
        let same = |s: &&mut Step| s.line as usize == line + 1 && s.terms.len() == fields;
        steps.iter_mut().filter(same).for_each(|s| drop(s.terms.remove(field)));
    });
}

/// Terms with one thing less.
fn simpler(term: &Term) -> Vec<Term> {
    let lists = |list: &[Term], least: usize, make: &dyn Fn(Vec<Term>) -> Term| {
        let mut all = Vec::new();
        for at in 0..list.len() {
            if list.len() > least {
                let mut fewer = list.to_vec();
                fewer.remove(at);
                all.push(make(fewer));
            }
            for other in simpler(&list[at]) {
                let mut changed = list.to_vec();
                changed[at] = other;
                all.push(make(changed));
            }
        }
        all
    };
    let mut all: Vec<Term> = match term {
        Term::Enc(body, _) | Term::Hash(body) | Term::Kdf(body) | Term::Sign(_, body) => body.clone(),
        Term::Mac(body) => body[1..].to_vec(),
        Term::Succ(one) | Term::Pred(one) => vec![(**one).clone()],
        Term::Xor(x, y) => vec![(**x).clone(), (**y).clone()],
        _ => Vec::new(),
    };
    match term {
        Term::Enc(body, key) => all.extend(lists(body, 1, &|b| Term::Enc(b, key.clone()))),
        Term::Sign(by, body) => all.extend(lists(body, 1, &|b| Term::Sign(by.clone(), b))),
        Term::Hash(body) => all.extend(lists(body, 1, &Term::Hash)),
        Term::Kdf(body) => all.extend(lists(body, 1, &Term::Kdf)),
        Term::Mac(body) => {
            let key = body[0].clone();
            all.extend(lists(&body[1..], 1, &|b| Term::Mac([vec![key.clone()], b].concat())));
        }
        _ => {}
    }
    all
}
