//! Reads OFMC's AnB and writes it in our notation, or says where and why that cannot be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use crate::notation::{Draft, Fault, Protocol, Quoted, Service};

use super::anb_syntax::{self, File, Said, Token, Wish};

/// The protocol that an AnB file describes, as the text of a protocol file.
///
/// # Errors
/// What is wrong, at bytes of the text; its key is 0.
pub fn import(text: &str, name: &str) -> Result<String, Fault> {
    let file = anb_syntax::file(text)?;
    Writer::new(&file)?.protocol(&file, name)
}

/// The values that agents have from the start: who has each, and where that is said.
type Known = BTreeMap<String, (Vec<String>, Range<usize>)>;
/// What each role generates, and where it is first written.
type Fresh = BTreeMap<String, Vec<(String, Range<usize>)>>;

/// Writes what a file says in our notation.
struct Writer {
    types: BTreeMap<String, String>,
    roles: BTreeMap<String, String>,
    exponents: BTreeSet<String>,
}

impl Writer {
    fn new(file: &File) -> Result<Writer, Fault> {
        let mut types = BTreeMap::new();
        let mut roles: BTreeMap<String, String> = BTreeMap::new();
        for (of, names) in &file.types {
            for name in names {
                if types.insert(name.text.clone(), of.text.clone()).is_some() {
                    return Err(Fault::new(
                        0,
                        name.range.clone(),
                        format!("`{}` has a type already", name.text),
                    ));
                }
                if of.text != "Agent" {
                    continue;
                }
                if name.text == "i" || name.text == "I" {
                    let fault = Fault::new(
                        0,
                        name.range.clone(),
                        format!("`{}` is the attacker, who plays no role of her own", name.text),
                    );
                    return Err(fault.help("give the agent another name"));
                }
                let is_constant = name.text.starts_with(|c: char| c.is_ascii_lowercase());
                let role = if is_constant { name.text.to_uppercase() } else { name.text.clone() };
                if roles.values().any(|r| *r == role) {
                    return Err(Fault::new(
                        0,
                        name.range.clone(),
                        format!("another agent is called `{role}`, too"),
                    ));
                }
                roles.insert(name.text.clone(), role);
            }
        }
        let mut exponents = BTreeSet::new();
        let all = file.lines.iter().flat_map(|l| &l.parts);
        all.for_each(|said| {
            said.walk(&mut |s| {
                if let Said::App(name, args, _) = s
                    && name.text == "exp"
                    && let Some(Said::Name(by)) = args.get(1)
                {
                    exponents.insert(by.text.clone());
                }
            });
        });
        Ok(Writer { types, roles, exponents })
    }

    fn type_of(&self, token: &Token) -> Result<&str, Fault> {
        match self.types.get(&token.text) {
            Some(of) => Ok(of),
            None => {
                let fault = Fault::new(0, token.range.clone(), format!("`{}` has no type", token.text));
                Err(fault.nearest(&token.text, self.types.keys().map(String::as_str)))
            }
        }
    }

    fn role(&self, token: &Token) -> Result<&str, Fault> {
        match self.roles.get(&token.text) {
            Some(role) => Ok(role),
            None => {
                let fault = Fault::new(0, token.range.clone(), format!("there is no agent `{}`", token.text));
                Err(fault.nearest(&token.text, self.roles.keys().map(String::as_str)))
            }
        }
    }

    fn is_agent(&self, said: &Said) -> bool {
        matches!(said, Said::Name(token) if self.roles.contains_key(&token.text))
    }

    fn list(&self, all: &[Said]) -> Result<Vec<String>, Fault> {
        let mut out = Vec::new();
        for said in all {
            out.extend(self.said(said)?);
        }
        Ok(out)
    }

    fn one(&self, said: &Said) -> Result<String, Fault> {
        let mut all = self.said(said)?;
        match (all.pop(), all.is_empty()) {
            (Some(one), true) => Ok(one),
            _ => Err(Fault::new(0, said.range(), "expected one term, found several")),
        }
    }

    /// A message; a signature is two terms, as here it does not reveal what is signed.
    fn said(&self, said: &Said) -> Result<Vec<String>, Fault> {
        match said {
            Said::List(all, _) => self.list(all),
            Said::Name(token) => Ok(vec![self.name(token)?]),
            Said::App(name, args, range) => Ok(vec![self.app(name, args, range)?]),
            Said::Sealed { body, key, symmetric: true, .. } => {
                Ok(vec![format!("{{{}}}{}", self.list(body)?.join(", "), self.one(key)?)])
            }
            Said::Sealed { body, key, .. } => match self.pair(key)? {
                Some((owner, false)) => Ok(vec![format!("{{{}}}pk({owner})", self.list(body)?.join(", "))]),
                Some((owner, true)) => self.signed(body, &owner),
                None => {
                    let fault = Fault::new(
                        0,
                        key.range(),
                        "expected a public key, or the private half of one, after `{…}`",
                    );
                    Err(fault.help("symmetric encryption is `{|M|}K`"))
                }
            },
        }
    }

    fn signed(&self, body: &[Said], owner: &str) -> Result<Vec<String>, Fault> {
        // What `export` writes for a detached signature, and for a certificate.
        if let [Said::App(name, args, _)] = body
            && name.text == "digest"
        {
            return Ok(vec![format!("sign(sk({owner}), {})", self.list(args)?.join(", "))]);
        }
        if let [Said::Name(tag), Said::Name(of), Said::App(pk, key, _)] = body
            && tag.text == "t_certificate"
            && pk.text == "pk"
            && matches!(key.as_slice(), [Said::Name(k)] if k.text == of.text)
        {
            return Ok(vec![format!("cert({})", self.role(of)?)]);
        }
        let mut all = self.list(body)?;
        all.push(format!("sign(sk({owner}), {})", all.join(", ")));
        Ok(all)
    }

    /// Whose key pair a key is of, and whether it is the private half.
    fn pair(&self, key: &Said) -> Result<Option<(String, bool)>, Fault> {
        Ok(match key {
            Said::App(name, args, _) if name.text == "inv" && args.len() == 1 => {
                self.pair(&args[0])?.filter(|(_, private)| !private).map(|(owner, _)| (owner, true))
            }
            Said::App(name, args, _) if name.text == "pk" && args.len() == 1 => match &args[0] {
                Said::Name(of) => Some((self.role(of)?.to_owned(), false)),
                _ => None,
            },
            Said::Name(token) if self.type_of(token)? == "PublicKey" => Some((token.text.clone(), false)),
            _ => None,
        })
    }

    fn name(&self, token: &Token) -> Result<String, Fault> {
        let of = self.type_of(token)?;
        let is_constant = token.text.starts_with(|c: char| c.is_ascii_lowercase());
        match of {
            "Agent" => Ok(self.role(token)?.to_owned()),
            "Function" => Err(Fault::new(
                0,
                token.range.clone(),
                format!("the function `{}` is no message", token.text),
            )),
            "PublicKey" => Ok(format!("pk({})", token.text)),
            _ if is_constant => Ok(format!("\"{}\"", token.text.strip_prefix("t_").unwrap_or(&token.text))),
            _ => Ok(token.text.clone()),
        }
    }

    fn app(&self, name: &Token, args: &[Said], range: &Range<usize>) -> Result<String, Fault> {
        let fault = |message: String| Fault::new(0, range.clone(), message);
        let agents = args.iter().all(|a| self.is_agent(a));
        let func = match name.text.as_str() {
            "exp" => return self.power(args, range),
            "inv" => {
                return Err(
                    fault("a private key cannot be sent".to_owned()).help("a signature is `{M}inv(pk(A))`")
                );
            }
            "pk" if args.len() == 1 && agents => "pk",
            "xor" if args.len() == 2 => "xor",
            "pw" if args.len() == 2 && agents => "pw",
            "hash" | "h" => "h",
            "mac" | "hmac" if args.len() > 1 => "mac",
            "kdf" => "kdf",
            "succ" | "pred" if args.len() == 1 => &name.text,
            other => {
                if self.type_of(name)? != "Function" {
                    return Err(fault(format!("`{other}` is no function")));
                }
                if args.len() == 2 && agents {
                    return Ok(format!("k({})", self.list(args)?.join(",")));
                }
                if agents {
                    let help = "long-term secrets are `pk(A)`, `inv(pk(A))` and a function of two agents, such as `shk(A,B)`";
                    return Err(fault(format!(
                        "`{other}` is a function of agents that has no counterpart here"
                    ))
                    .help(help));
                }
                // Another function is a hash that knows its name.
                return Ok(format!("h(\"{other}\", {})", self.list(args)?.join(", ")));
            }
        };
        let by = if func == "pw" { "," } else { ", " };
        Ok(format!("{func}({})", self.list(args)?.join(by)))
    }

    fn power(&self, args: &[Said], range: &Range<usize>) -> Result<String, Fault> {
        let mut exponents: Vec<&str> = Vec::new();
        let mut args = args;
        loop {
            match args {
                [base, Said::Name(by)] => {
                    self.type_of(by)?;
                    exponents.push(&by.text);
                    match base {
                        Said::Name(g) if g.text == "g" => break,
                        Said::App(name, inner, _) if name.text == "exp" => args = inner,
                        other => {
                            return Err(Fault::new(0, other.range(), "expected `g` or a power of it").help(
                                "there is one generator, and powers are `exp(g,X)` and `exp(exp(g,X),Y)`",
                            ));
                        }
                    }
                }
                _ => return Err(Fault::new(0, range.clone(), "expected `exp(g,X)`: a base and a name")),
            }
        }
        exponents.reverse();
        Ok(format!("g^{}", exponents.join("^")))
    }

    fn protocol(&self, file: &File, name: &str) -> Result<String, Fault> {
        let mut places = Vec::new();
        let mut quote = |text: String, range: &Range<usize>| {
            places.push(range.clone());
            Quoted { text, key: places.len() as u32 - 1 }
        };
        let mut draft = Draft { name: name.to_owned(), ..Draft::default() };
        for line in &file.lines {
            let parts = self.list(&line.parts)?.join(", ");
            let text = format!("{} -> {} : {parts}", self.role(&line.from)?, self.role(&line.to)?);
            draft.messages.push(quote(text, &line.range));
        }
        for (wish, range) in &file.goals {
            for text in self.wish(wish)? {
                draft.goals.push(quote(text, range));
            }
        }
        let known = self.known(file)?;
        for (role, values) in self.fresh(file, &known)? {
            let all = values.into_iter().map(|(text, range)| quote(text, &range)).collect();
            draft.fresh.push((quote(role, &(0..0)), all));
        }
        for (token, role) in &self.roles {
            let is_constant = token.starts_with(|c: char| c.is_ascii_lowercase());
            let is_default = matches!(role.as_str(), "S" | "KDC" | "AS" | "TGS" | "CA");
            let takes_part = file.lines.iter().any(|l| l.from.text == *token || l.to.text == *token);
            if takes_part && is_constant != is_default {
                let service = if is_constant { Service::Kdc.name() } else { "client" };
                draft.services.push((quote(role.clone(), &(0..0)), quote(service.to_owned(), &(0..0))));
            }
        }
        let mut knows: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (value, (roles, _)) in &known {
            for role in roles {
                knows.entry(role.clone()).or_default().push(format!("{value}: {}", self.kind(value)));
            }
        }
        let tabled = |knows: &BTreeMap<String, Vec<String>>| {
            let text = |t: &String| Quoted { text: t.clone(), key: u32::MAX };
            knows.iter().map(|(role, all)| (text(role), all.iter().map(text).collect())).collect::<Vec<_>>()
        };
        draft.knows = tabled(&knows);
        let first = Protocol::compile(&draft).err();
        if first.is_some() {
            // AnB's roles know each other from the start; ours only where they have to be told.
            for (who, has) in &file.knowledge {
                let me = self.role(who)?.to_owned();
                let others = has.iter().filter_map(|s| match s {
                    Said::Name(token) => self.roles.get(&token.text).filter(|r| **r != me).cloned(),
                    _ => None,
                });
                knows.entry(me.clone()).or_default().extend(others);
            }
            draft.knows = tabled(&knows);
            Protocol::compile(&draft).map_err(|_| {
                let mut fault =
                    first.into_iter().flatten().next().unwrap_or_else(|| Fault::new(0, 0..0, "no protocol"));
                fault.range = places.get(fault.key as usize).cloned().unwrap_or(0..0);
                fault.key = 0;
                fault
            })?;
        }
        Ok(written(&draft))
    }

    fn wish(&self, wish: &Wish) -> Result<Vec<String>, Fault> {
        match wish {
            Wish::Secret(terms, between) => {
                let roles = between.iter().map(|r| self.role(r)).collect::<Result<Vec<_>, _>>()?.join(", ");
                Ok(self.list(terms)?.into_iter().map(|t| format!("secret {t} between {roles}")).collect())
            }
            Wish::Agreement { who, weakly, with, on } => {
                let weakly = if *weakly { "weakly " } else { "" };
                let (who, with) = (self.role(who)?, self.role(with)?);
                Ok(vec![format!("{who} {weakly}authenticates {with} on {}", self.list(on)?.join(", "))])
            }
        }
    }

    /// The values that agents have from the start: by name, who, and where that is said.
    fn known(&self, file: &File) -> Result<Known, Fault> {
        let mut known: Known = BTreeMap::new();
        for (who, has) in &file.knowledge {
            let role = self.role(who)?;
            for said in has {
                let Said::Name(token) = said else { continue };
                let of = self.type_of(token)?;
                let is_constant = token.text.starts_with(|c: char| c.is_ascii_lowercase());
                if !is_constant && !matches!(of, "Agent" | "Function") {
                    let entry =
                        known.entry(token.text.clone()).or_insert_with(|| (Vec::new(), token.range.clone()));
                    entry.0.push(role.to_owned());
                }
            }
        }
        Ok(known)
    }

    fn kind(&self, value: &str) -> &'static str {
        match self.types.get(value).map(String::as_str) {
            _ if self.exponents.contains(value) => "dh",
            Some("Symmetric_key") => "key",
            Some("PublicKey") => "keypair",
            _ => "nonce",
        }
    }

    /// What each role generates: what it is the first to send, and nobody has from the start.
    fn fresh(&self, file: &File, known: &Known) -> Result<Fresh, Fault> {
        let mut seen = BTreeSet::new();
        let mut fresh: Fresh = BTreeMap::new();
        for line in &file.lines {
            let role = self.role(&line.from)?;
            let mut names = Vec::new();
            line.parts.iter().for_each(|p| {
                p.walk(&mut |s| {
                    if let Said::Name(token) = s {
                        names.push(token);
                    }
                });
            });
            for token in names {
                let is_value = token.text.starts_with(|c: char| c.is_ascii_uppercase())
                    && !matches!(self.type_of(token)?, "Agent" | "Function");
                if is_value && !known.contains_key(&token.text) && seen.insert(token.text.clone()) {
                    let declared = format!("{}: {}", token.text, self.kind(&token.text));
                    fresh.entry(role.to_owned()).or_default().push((declared, token.range.clone()));
                }
            }
        }
        Ok(fresh)
    }
}

/// A draft as the text of a protocol file.
fn written(draft: &Draft) -> String {
    // A name may have a `'`.
    let string = |q: &Quoted| match q.text.contains('"') && !q.text.contains('\'') {
        true => format!("'{}'", q.text),
        false => format!("\"{}\"", q.text.replace('"', "\\\"")),
    };
    let lines = |all: &[Quoted]| all.iter().map(|q| format!("  {},\n", string(q))).collect::<String>();
    let mut out = String::new();
    let title = draft.name.replace(|c: char| !(c.is_alphanumeric() || "-_. ".contains(c)), "-");
    let _ = writeln!(out, "title    = \"{title}\"");
    let _ =
        write!(out, "messages = [\n{}]\ngoals    = [\n{}]\n", lines(&draft.messages), lines(&draft.goals));
    for (table, all) in [("fresh", &draft.fresh), ("knows", &draft.knows)] {
        let all: Vec<_> = all.iter().filter(|(_, values)| !values.is_empty()).collect();
        if !all.is_empty() {
            let _ = writeln!(out, "\n[{table}]");
        }
        for (role, values) in all {
            let values: Vec<String> = values.iter().map(string).collect();
            let _ = writeln!(out, "{} = [{}]", role.text, values.join(", "));
        }
    }
    if !draft.services.is_empty() {
        out.push_str("\n[services]\n");
        for (role, service) in &draft.services {
            let _ = writeln!(out, "{} = {}", role.text, string(service));
        }
    }
    out
}
