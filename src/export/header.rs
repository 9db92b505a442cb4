//! What a model says of itself in its first lines: where it is from, and what of the protocol
//! is not in it. Knows no target's syntax beyond how a comment is marked.

use crate::legible::legible;
use crate::notation::{Claim, Func, Protocol, Term, Type};

use super::{About, Target};

/// The greatest width of a comment.
const WIDTH: usize = 96;

/// The comment at the head of a model; `more` says what else this model leaves out.
pub fn header(protocol: &Protocol, about: &About<'_>, target: Target, more: &[String]) -> String {
    let (open, mark, close) = match target {
        Target::Proverif => ("(*\n", " * ", " *)\n"),
        Target::Tamarin => ("/*\n", " * ", " */\n"),
        Target::Scyther | Target::Verifpal => ("", "// ", ""),
        Target::Anb => ("", "# ", ""),
    };
    let mut lines = Vec::new();
    let title = if about.title.is_empty() { &protocol.name } else { about.title };
    lines.extend(wrapped(&format!("{title} ({}), a model for {}.", protocol.name, name(target)), ""));
    if !about.reference.is_empty() {
        lines.extend(wrapped(about.reference, ""));
    }
    lines.push(String::new());
    for (number, line) in (1..).zip(&protocol.lines) {
        lines.push(format!(
            "  {number}. {}",
            line.source.text.split_whitespace().collect::<Vec<_>>().join(" ")
        ));
    }
    for (name, term) in &protocol.lets {
        lines.push(format!("     {name} = {term}"));
    }
    lines.push(String::new());
    lines.push("What does not carry over:".to_owned());
    for item in losses(protocol, about, target).iter().chain(more) {
        lines.extend(wrapped(item, "- "));
    }
    // What others wrote must not end the comment that it stands in.
    let safe = |line: &str| {
        legible(line).replace("*)", "* )").replace("(*", "( *").replace("*/", "* /").replace("/*", "/ *")
    };
    let text: String =
        lines.iter().map(|l| format!("{}\n", format!("{mark}{}", safe(l)).trim_end())).collect();
    format!("{open}{text}{close}")
}

fn name(target: Target) -> &'static str {
    match target {
        Target::Proverif => "ProVerif",
        Target::Tamarin => "Tamarin",
        Target::Scyther => "Scyther",
        Target::Verifpal => "Verifpal",
        Target::Anb => "OFMC (AnB)",
    }
}

fn losses(protocol: &Protocol, about: &About<'_>, target: Target) -> Vec<String> {
    let uses = |func: Func| any(protocol, |t| matches!(t, Term::App(f, _) if *f == func));
    let of_type = |types: &[Type]| protocol.values.iter().any(|v| types.contains(&v.of));
    let mut all = vec![encodings(about, target), SYMBOLS.to_owned()];
    if protocol.has_certificates {
        all.push(CERTIFICATES.to_owned());
    }
    if !protocol.voice.is_empty() {
        all.push(VOICE.to_owned());
    }
    if protocol.group.is_some() {
        all.push(GROUPS.to_owned());
    }
    if of_type(&[Type::Time, Type::Expiry]) {
        let known = if target == Target::Anb { "fresh values" } else { "fresh values that everybody knows" };
        all.push(format!("Time stamps and expiries are {known}: {TIMES}"));
    }
    if uses(Func::Pw) {
        all.push(PASSWORDS.to_owned());
    }
    if uses(Func::Succ) || uses(Func::Pred) {
        all.push(if target == Target::Anb { ONE_WAY } else { STEPS }.to_owned());
    }
    if target != Target::Anb {
        let several = |service: bool| {
            let mut roles = protocol.roles.iter().filter(|r| r.service.is_some() == service);
            roles.any(|r| protocol.programs.get(&r.name).is_some_and(|p| p.len() > 1))
        };
        if several(true) && matches!(target, Target::Scyther | Target::Verifpal) {
            all.push(SESSIONS.to_owned());
        }
        if several(false) && matches!(target, Target::Scyther | Target::Verifpal) {
            all.push(JOINS.to_owned());
        }
    } else if protocol.roles.iter().any(|r| !r.joins.is_empty()) {
        all.push(JOINS.to_owned());
    }
    if any(protocol, |t| matches!(t, Term::Exp(xs) if xs.len() > 1)) && target == Target::Proverif {
        all.push(POWERS.to_owned());
    }
    all.extend(goals(protocol, target));
    all.push(insider(target).to_owned());
    all
}

const SYMBOLS: &str = "Cryptography is perfect and terms are free: lengths, suites, weak parameters and \
    the randomness of encryption are not in the model.";
const CERTIFICATES: &str = "Certificates: each is a signature of one authority over a name and its one key. \
    Validity, revocation, paths and the parties' policies are not in the model.";
const GROUPS: &str = "Groups: all shares are in one, whatever is offered, and no logarithm is ever found.";
const VOICE: &str = "Voices: what people say to each other goes over the network like the rest, so that an attack \
    which changes it is none.";
const TIMES: &str = "nothing is ever stale or expired, so a message is good for ever, and \
    replay caches are not in the model.";
const PASSWORDS: &str = "Passwords are keys like others: nobody guesses them.";
const STEPS: &str = "succ and pred can be undone, but do not cancel: succ(pred(N)) is not N.";
const ONE_WAY: &str = "succ and pred are functions that nobody undoes.";
const SESSIONS: &str = "Services' sessions: a service that forgets between two requests is one session here, \
    which has its lines in their order.";
const JOINS: &str = "Joins: no part begins at a later line, so that a ticket is used once.";
const POWERS: &str = "Diffie-Hellman: of the laws of exponents only that their order does not matter.";

fn encodings(about: &About<'_>, target: Target) -> String {
    let here = match target {
        Target::Proverif | Target::Tamarin => {
            "any term may stand where a variable is read, but the borders between fields are fixed"
        }
        Target::Scyther => "variables are typed, so that type flaws appear only with `--match=2`",
        Target::Verifpal => "the borders between fields are fixed",
        Target::Anb => "values are of the types declared here, so that type flaws do not appear",
    };
    let asked = about.encoding.map_or_else(String::new, |e| format!(" The file asks for `{e}`."));
    format!("Encodings and type flaws: {here}; neither fields' widths nor labels are in the model.{asked}")
}

fn goals(protocol: &Protocol, target: Target) -> Vec<String> {
    let agreement = |injective: bool| {
        let is = |c: &Claim| matches!(c, Claim::Agreement { injective: i, .. } if *i == injective);
        protocol.goals.iter().any(|g| is(&g.claim))
    };
    let forward = protocol.goals.iter().any(|g| matches!(g.claim, Claim::Secret { forward: true, .. }));
    let mut all = Vec::new();
    match target {
        Target::Scyther if agreement(true) => {
            all.push("Agreement: Running and Commit are non-injective, so that replays do not count.".to_owned());
        }
        Target::Verifpal if agreement(true) || agreement(false) => all.push(
            "Agreement: the question is whether the last signature, code or ciphertext under a shared key that \
             the party has from its peer was sent by it, with no word on which values they agree on. Secrecy is \
             asked of whoever makes the value."
                .to_owned(),
        ),
        _ => {}
    }
    if forward {
        all.extend(match target {
            Target::Proverif => None,
            Target::Tamarin => {
                Some("Forward secrecy: keys may leak as soon as the part has made its claim, not only after the play.")
            }
            Target::Scyther => Some("Forward secrecy is plain secrecy, unless `--LKRaftercorrect=1` is given."),
            Target::Verifpal => {
                Some("Forward secrecy is plain secrecy: a second phase with leaks would have to be added.")
            }
            Target::Anb => Some("Forward secrecy cannot be said; the goal is left out."),
        }
        .map(str::to_owned));
    }
    if protocol.goals.is_empty() {
        all.push("The protocol has no goals, and neither has the model.".to_owned());
    }
    all
}

fn insider(target: Target) -> &'static str {
    match target {
        Target::Proverif => {
            "The insider: `mallory` is a legitimate agent whose keys the attacker has. Nothing stops a party from \
             taking itself for its peer."
        }
        Target::Tamarin => {
            "The insider: any agent can be revealed, and claims of parts with such a peer do not count. Nothing \
             stops a party from taking itself for its peer."
        }
        Target::Scyther => {
            "The insider: Scyther's untrusted agents. A claim counts only where all roles are played by trusted \
             ones, also those that the goal does not name."
        }
        Target::Verifpal => "Who talks to whom is fixed: names in the clear are left out of messages.",
        Target::Anb => "The insider: OFMC's intruder, who may play any role but a service's.",
    }
}

fn any(protocol: &Protocol, test: impl Fn(&Term) -> bool) -> bool {
    let mut found = false;
    protocol.lines.iter().flat_map(|l| &l.parts).for_each(|t| t.walk(&mut |t| found |= test(t)));
    found
}

fn wrapped(text: &str, bullet: &str) -> Vec<String> {
    let indent = " ".repeat(bullet.len());
    let mut lines = Vec::new();
    let mut line = bullet.to_owned();
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() + 1 > WIDTH && !line.trim().is_empty() {
            lines.push(std::mem::replace(&mut line, indent.clone()));
        }
        if line.len() > indent.len() || (bullet.is_empty() && !line.is_empty()) {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
