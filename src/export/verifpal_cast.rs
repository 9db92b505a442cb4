//! What a model for Verifpal has before its first line and after its last: the principals with
//! their keys and fresh values, the authority, and whom the initiator talks to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::notation::{Func, Type};

use super::pattern::{plain, terms, texts};
use super::reading::Expr;
use super::verifpal::Model;

impl Model<'_> {
    /// What each principal has before the first line, and public keys, which nobody can replace.
    pub fn set_up(&mut self) -> String {
        let mut out = String::new();
        let mut have: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut public: BTreeSet<String> =
            ["t_sealed", "t_hash", "t_h", "t_kdf", "t_succ", "t_pred"].map(str::to_owned).into();
        public.extend(texts(self.parts));
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut makes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut order = Vec::new();
        for part in self.parts {
            let me = self.principal(&part.role);
            if !order.contains(&me) {
                order.push(me.clone());
            }
            for (name, _) in &part.own {
                let constant = self.constant(&part.role, &Expr::Var(name.clone()));
                makes.entry(me.clone()).or_default().insert(constant);
            }
            for expr in part.acts.iter().flat_map(terms) {
                let mut needs = Vec::new();
                expr.walk(&mut |e| needs.push(e.clone()));
                for e in needs {
                    match &e {
                        Expr::App(func @ (Func::K | Func::Pw), of) => {
                            have.entry(me.clone()).or_default().insert(self.shared(*func, of));
                        }
                        Expr::LongTerm(name, _) => {
                            have.entry(me.clone())
                                .or_default()
                                .insert(format!("own_{}", plain(name).to_lowercase()));
                        }
                        Expr::App(Func::Pk | Func::Sk, of) if matches!(of[0], Expr::Agent(_)) => {
                            if let Expr::Agent(of) = &of[0] {
                                let owner = self.principal(of);
                                keys.entry(self.tag(of)).or_default().extend([owner, me.clone()]);
                            }
                        }
                        Expr::Certificate(of, _) => {
                            if let Expr::Agent(of) = &**of {
                                keys.entry(self.tag(of)).or_default().insert(self.principal(of));
                            }
                        }
                        Expr::Agent(of) => {
                            public.insert(format!("name_{}", self.tag(of)));
                        }
                        _ => {}
                    }
                }
            }
        }
        for me in &order {
            let mut block =
                vec![format!("knows public {}", public.iter().cloned().collect::<Vec<_>>().join(", "))];
            if let Some(all) = have.get(me) {
                block.push(format!("knows private {}", all.iter().cloned().collect::<Vec<_>>().join(", ")));
            }
            let mine =
                self.parts.iter().filter(|p| self.principal(&p.role) == *me).map(|p| self.tag(&p.role));
            for tag in mine.collect::<BTreeSet<_>>().iter().filter(|t| keys.contains_key(*t)) {
                block.push(format!("knows private sk_{tag}"));
                block.push(format!("pk_{tag} = PUBKEY(sk_{tag})"));
            }
            if self.insider.as_ref().is_some_and(|role| self.principal(role) == *me) {
                block.push("knows public peer_key, peer_name, name_mallory".to_owned());
            }
            if let Some(all) = makes.get(me) {
                block.push(format!("generates {}", all.iter().cloned().collect::<Vec<_>>().join(", ")));
            }
            let _ = writeln!(out, "\nprincipal {me}[\n  {}\n]", block.join("\n  "));
        }
        if self.insider.is_some() {
            out.push_str("\nprincipal Mallory[\n  knows private sk_mallory\n  pk_mallory = PUBKEY(sk_mallory)\n  leaks sk_mallory\n]\n");
        }
        for (tag, who) in &keys {
            let Some(owner) =
                self.parts.iter().find(|p| self.tag(&p.role) == *tag).map(|p| self.principal(&p.role))
            else {
                continue;
            };
            for reader in who.iter().filter(|w| **w != owner) {
                let _ = writeln!(out, "\n{owner} -> {reader}: [pk_{tag}]");
            }
        }
        if let Some(role) = &self.insider {
            let _ = writeln!(out, "\nMallory -> {}: [pk_mallory]", self.principal(role));
        }
        if self.protocol.has_certificates {
            self.certificates(&mut out, &keys, &order);
        }
        self.times(&mut out);
        out
    }

    fn certificates(&self, out: &mut String, keys: &BTreeMap<String, BTreeSet<String>>, order: &[String]) {
        let owner = |tag: &str| {
            self.parts
                .iter()
                .find(|p| self.tag(&p.role) == tag)
                .map(|p| self.principal(&p.role))
                .unwrap_or_default()
        };
        let mut block =
            vec!["knows public t_certificate".to_owned(), "knows private sk_authority".to_owned()];
        block.push("pk_authority = PUBKEY(sk_authority)".to_owned());
        for tag in keys.keys() {
            let _ = writeln!(out, "\n{} -> Authority: [pk_{tag}]", owner(tag));
            block.push(format!("knows public name_{tag}"));
            block.push(format!(
                "cert_{tag} = CONCAT(name_{tag}, pk_{tag}, SIGN(sk_authority, CONCAT(t_certificate, name_{tag}, pk_{tag})))"
            ));
        }
        let _ = writeln!(out, "\nprincipal Authority[\n  {}\n]", block.join("\n  "));
        for reader in order {
            let _ = writeln!(out, "\nAuthority -> {reader}: [pk_authority]");
        }
        for tag in keys.keys() {
            let _ = writeln!(out, "\nAuthority -> {}: [cert_{tag}]", owner(tag));
        }
    }

    fn times(&mut self, out: &mut String) {
        for part in self.parts {
            let stamps: Vec<String> = part
                .own
                .iter()
                .filter(|(_, of)| matches!(of, Type::Time | Type::Expiry))
                .map(|(name, _)| self.names[&(part.role.clone(), Expr::Var(name.clone()))].clone())
                .collect();
            if !stamps.is_empty() {
                let me = self.principal(&part.role);
                let _ = writeln!(out, "\nprincipal {me}[\n  leaks {}\n]", stamps.join(", "));
            }
        }
    }

    /// The two peers of the initiator, of whom one is the attacker.
    pub fn scenarios(&self) -> String {
        let Some(role) = &self.insider else { return String::new() };
        let me = self.principal(role);
        let Some(peer) = self.protocol.roles.iter().find(|r| r.name != *role).map(|r| self.tag(&r.name))
        else {
            return String::new();
        };
        format!(
            "\nscenarios[\n  {me}[peer_key = pk_{peer}, peer_name = name_{peer}]\n  {me}[peer_key = pk_mallory, peer_name = name_mallory]\n]\n"
        )
    }
}
