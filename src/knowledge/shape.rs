//! What a reader expects of each field, from the terms alone. Must not know values.

use super::Knowledge;
use crate::algebra::pair::HEADER;
use crate::algebra::{Encapsulation, Form, Func};
use crate::crypto::Suite;
use crate::notation::{Id, Kind, Node};
use crate::wire::{Encoding, Expected, Widths};

impl Knowledge {
    /// What the reader of these parts expects on the wire.
    pub(super) fn expected(&self, parts: &[(u16, Id)], suite: Suite) -> Vec<Expected> {
        parts.iter().map(|(_, id)| self.expected_one(*id, suite)).collect()
    }

    fn expected_one(&self, id: Id, suite: Suite) -> Expected {
        let kind = self.table().kind(id);
        match &*self.grounds().encoding {
            Encoding::Untagged(widths) => Expected {
                kind,
                width: self.width(id, widths, suite),
                elastic: matches!(kind, None | Some(Kind::Cipher | Kind::List | Kind::Masked)),
            },
            // She reads whatever type a field has; honest parties insist on the protocol's.
            _ if self.grounds().rights.certificates => {
                Expected { kind: kind.filter(|k| *k == Kind::List), ..Expected::default() }
            }
            _ => Expected { kind, ..Expected::default() },
        }
    }

    /// The width of a term in the untagged encoding; none if it can have several.
    pub(super) fn width(&self, id: Id, widths: &Widths, suite: Suite) -> Option<usize> {
        let sum = |ids: &[Id]| ids.iter().map(|i| self.width(*i, widths, suite)).sum::<Option<usize>>();
        let kind = self.table().kind(id);
        match self.table().node(id) {
            Node::Name(n) => match widths.of.get(n) {
                Some(width) => *width,
                None => width_of_kind(kind?, widths, suite, self.public_len(suite)),
            },
            Node::Text(t) => Some(t.len()),
            Node::Enc(body, key) => {
                let func = match self.table().node(*key) {
                    Node::App(Func::Pk, _) => Func::EncryptTo,
                    _ => Func::Encrypt,
                };
                let Form::Cipher(cipher) = func.definition().form else { return None };
                Some(cipher.sealed_len(sum(body)?, suite))
            }
            Node::App(func, args) => match func.definition().form {
                Form::Step { .. } | Form::Sum => args.iter().find_map(|a| self.width(*a, widths, suite)),
                Form::OneWay(_) if *func == Func::Short => Some(suite.short.bytes()),
                Form::OneWay(function) => Some(function.result_len()),
                Form::Encapsulation(Encapsulation::Secret | Encapsulation::Opened) => {
                    Some(suite.kem.shared_len())
                }
                Form::OfAgents
                | Form::Cipher(_)
                | Form::Signature
                | Form::Power
                | Form::Encapsulation(Encapsulation::Key | Encapsulation::Ciphertext) => {
                    width_of_kind(kind?, widths, suite, self.public_len(suite))
                }
            },
            Node::Exp(_) => width_of_kind(kind?, widths, suite, self.public_len(suite)),
        }
    }

    fn public_len(&self, suite: Suite) -> usize {
        let uses = self.grounds().uses;
        let encryption = if uses.encryption { HEADER + suite.public_key.spki_len() } else { 0 };
        let signature = if uses.signature { HEADER + suite.signature.spki_len() } else { 0 };
        encryption + signature
    }
}

fn width_of_kind(kind: Kind, widths: &Widths, suite: Suite, public_len: usize) -> Option<usize> {
    Some(match kind {
        Kind::Name => widths.name,
        Kind::Nonce => widths.nonce,
        Kind::Key => widths.key,
        Kind::Time | Kind::Expiry => widths.time,
        Kind::Data => widths.data,
        Kind::Share => suite.agreement.share_len(),
        Kind::Exponent => suite.agreement.secret_len(),
        Kind::Encapsulation => suite.kem.key_len(),
        Kind::Encapsulated => suite.kem.ciphertext_len(),
        Kind::Decapsulation => suite.kem.secret_len(),
        Kind::Coins => suite.kem.coins_len(),
        Kind::Public => public_len,
        Kind::Signature => suite.signature.signature_len(),
        Kind::Mac | Kind::Hash => 32,
        Kind::Text | Kind::Certificate | Kind::Cipher | Kind::Masked | Kind::Private | Kind::List => {
            return None;
        }
    })
}
