//! How many bytes a protocol's lines come to, at most, in the plays that a file describes: known
//! before anything is played. Must not know how bytes are made.

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto::{RSA_2048_LEN, RSA_2048_SPKI_LEN, Suite};
use crate::limits::{MAX_MESSAGE_BYTES, MAX_NAME_BYTES};
use crate::notation::{Func, Id, Kind, Name, Node, Table, Term};
use crate::scenario::problem::Problem;
use crate::scenario::protocol_file::ProtocolFile;
use crate::scenario::setup::Setup;
use crate::wire::{Encoding, TAG_LEN};

/// A bundle of certificates: two of a subject, three authorities, a staple, with long names.
const CERTIFICATES: u64 = 16 << 10;
/// A pair of private keys, for encryption and for signatures.
const PRIVATE: u64 = 4 << 10;

/// Reports the first line, goal or `let` that comes to more bytes than a message may have,
/// everything counted that goes into it.
pub fn check(setup: &Setup) -> Result<(), Problem> {
    for (file, encoding) in &setup.protocols {
        let sizes = Sizes::of(setup, file, encoding);
        if let Some((what, words, bytes)) = sizes.excess(file) {
            return Err(file
                .problem_at(words, format!("{what} comes to {bytes} bytes, with all that goes into it"))
                .help(format!("the limit MAX_MESSAGE_BYTES is {MAX_MESSAGE_BYTES}")));
        }
    }
    Ok(())
}

/// The longest text that anybody is handed under each name, in a run of this protocol.
fn longest<'a>(setup: &'a Setup, protocol: &str) -> BTreeMap<&'a Name, u64> {
    let runs = setup.runs.iter().filter(|run| *run.protocol == *protocol).flat_map(|run| &run.given);
    let hers = setup.attacker.iter().flat_map(|her| &her.given);
    let mut longest = BTreeMap::new();
    for (name, value) in runs.chain(hers) {
        let slot = longest.entry(name).or_insert(0);
        *slot = (value.bytes.len() as u64).max(*slot);
    }
    longest
}

/// The bytes of each term of a table, in the order of their numbers: parts come before the terms
/// that they are in.
struct Sizes<'a> {
    table: &'a Table,
    suite: Suite,
    encoding: &'a Encoding,
    longest: BTreeMap<&'a Name, u64>,
    of: Vec<Size>,
}

#[derive(Clone, Copy)]
struct Size {
    /// Its own bytes.
    bytes: u64,
    /// The bytes of what it is made of, side by side.
    takes: u64,
}

impl<'a> Sizes<'a> {
    fn of(setup: &'a Setup, file: &'a ProtocolFile, encoding: &'a Encoding) -> Sizes<'a> {
        let table = &*file.protocol.table;
        let longest = longest(setup, &file.protocol.name);
        let mut sizes = Sizes { table, suite: setup.suite, encoding, longest, of: Vec::new() };
        for id in table.ids() {
            let takes = match table.node(id) {
                Node::Enc(parts, _) => sizes.list(parts),
                Node::App(_, args) => sizes.list(args),
                Node::Name(_) | Node::Text(_) | Node::Exp(_) => 0,
            };
            sizes.of.push(Size { bytes: sizes.size(id), takes });
        }
        sizes
    }

    /// What comes to too many bytes, in words, with the words by which the file has it.
    fn excess(&self, file: &'a ProtocolFile) -> Option<(String, &'a str, u64)> {
        let protocol = &file.protocol;
        let ids = |terms: &[Term]| terms.iter().filter_map(|term| self.table.find(term)).collect();
        let lines = (1..)
            .zip(&protocol.lines)
            .map(|(number, line)| (format!("line {number}"), line.source.text.as_str(), ids(&line.parts)));
        let goals =
            protocol.goals.iter().map(|goal| ("a goal".to_owned(), goal.text.as_str(), ids(goal.terms())));
        let lets = protocol
            .lets
            .iter()
            .map(|(name, term)| (name.to_string(), &**name, ids(std::slice::from_ref(term))));
        let weighed = lines
            .chain(goals)
            .chain(lets)
            .map(|(what, words, parts): (_, _, Vec<Id>)| (what, words, self.with_all_that_goes_into(&parts)));
        weighed.into_iter().find(|(_, _, bytes)| *bytes > MAX_MESSAGE_BYTES as u64)
    }

    /// The bytes of a list, and of each term below it once: whoever makes it has them all.
    fn with_all_that_goes_into(&self, parts: &[Id]) -> u64 {
        let mut seen = BTreeSet::new();
        let mut open = parts.to_vec();
        let mut sum = self.list(parts);
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                let of = self.of[id.index()];
                sum = sum.saturating_add(of.bytes).saturating_add(of.takes);
                open.extend(self.table.parts(id));
            }
        }
        sum
    }

    /// The bytes of fields side by side.
    fn list(&self, parts: &[Id]) -> u64 {
        let tag = if self.encoding.has_tags() { TAG_LEN as u64 } else { 0 };
        parts.iter().fold(0, |sum: u64, id| sum.saturating_add(self.of[id.index()].bytes).saturating_add(tag))
    }

    fn size(&self, id: Id) -> u64 {
        match self.table.node(id) {
            Node::Name(name) => self.name(id, name),
            Node::Text(text) => text.len() as u64,
            Node::Exp(_) => self.of_kind(Kind::Share),
            Node::Enc(body, key) => {
                let plain = self.list(body);
                // More than a message anyway: its exact length is nobody's business.
                let Ok(len) = usize::try_from(plain) else { return plain };
                if len > MAX_MESSAGE_BYTES {
                    return plain;
                }
                match self.table.node(*key) {
                    Node::App(Func::Pk, _) => (RSA_2048_LEN + self.suite.symmetric.sealed_len(len)) as u64,
                    _ => self.suite.symmetric.sealed_len(len) as u64,
                }
            }
            Node::App(Func::Succ | Func::Pred | Func::Xor, args) => {
                args.iter().map(|arg| self.of[arg.index()].bytes).max().unwrap_or(0)
            }
            Node::App(Func::Sk, _) => PRIVATE,
            Node::App(Func::Secret, _) => self.suite.kem.shared_len() as u64,
            Node::App(..) => self.table.kind(id).map_or(0, |kind| self.of_kind(kind)),
        }
    }

    fn name(&self, id: Id, name: &Name) -> u64 {
        let kind = self.table.kind(id).unwrap_or(Kind::Data);
        let handed = self.longest.get(name).copied().unwrap_or(0);
        match self.encoding {
            Encoding::Untagged(widths) => match widths.of.get(name) {
                Some(Some(width)) => *width as u64,
                _ => self.of_kind(kind).max(handed),
            },
            _ => self.of_kind(kind).max(handed),
        }
    }

    fn of_kind(&self, kind: Kind) -> u64 {
        let untagged = match self.encoding {
            Encoding::Untagged(widths) => Some(widths),
            _ => None,
        };
        let width = match kind {
            Kind::Name => untagged.map_or(MAX_NAME_BYTES, |w| w.name),
            Kind::Nonce => untagged.map_or(16, |w| w.nonce),
            Kind::Key => untagged.map_or(32, |w| w.key),
            Kind::Data => untagged.map_or(0, |w| w.data),
            Kind::Time | Kind::Expiry => 8,
            Kind::Share => self.suite.longest_share(),
            Kind::Exponent => self.suite.agreement.secret_len(),
            Kind::Encapsulation => self.suite.kem.key_len(),
            Kind::Encapsulated => self.suite.kem.ciphertext_len(),
            Kind::Decapsulation => self.suite.kem.secret_len(),
            Kind::Coins => self.suite.kem.coins_len(),
            Kind::Signature => self.suite.signature.signature_len(),
            Kind::Mac | Kind::Hash => 32,
            Kind::Public => RSA_2048_SPKI_LEN + self.suite.signature.spki_len().max(RSA_2048_SPKI_LEN),
            Kind::Private => return PRIVATE,
            Kind::Certificate => return CERTIFICATES,
            Kind::Text | Kind::Cipher | Kind::Masked | Kind::List => 0,
        };
        width as u64
    }
}
