//! Fields without tags: bytes that stand side by side are one value as well as two, so whoever
//! has a message has every run of bytes in it, and whoever has the parts has what they make up.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::graph::{By, Graph, Id, RuleId, provenance};
use super::held::{Exhausted, Held, Way};
use crate::algebra::{Bytes, Value, encode};
use crate::hashed::Hashed;
use crate::journal::Journal;
use crate::notation::Kind;

/// Shorter runs of bytes turn up by chance.
const LEAST: usize = 8;

/// Bytes in which fields have no borders: messages, and texts that she opened.
#[derive(Clone, Default, Debug)]
pub struct Blobs {
    all: Vec<Blob>,
    /// Those before it were searched.
    searched: usize,
    /// To how many bytes fields of a kind are padded with zeros.
    widths: Vec<(Kind, usize)>,
    /// Values by their first bytes.
    index: Option<Hashed<[u8; LEAST], SmallVec<[Id; 2]>>>,
}

/// Bytes without borders, and where she has them from.
#[derive(Clone, Debug)]
pub struct Blob {
    pub bytes: Bytes,
    pub source: Source,
}

/// Where bytes are from.
#[derive(Clone, Debug)]
pub enum Source {
    /// This message.
    Message {
        /// The run.
        run: u32,
        /// The line.
        line: u32,
        /// The event with which she had it.
        event: u64,
    },
    /// What this rule opened.
    Opened(RuleId),
}

impl Blobs {
    /// None yet, of protocols with these widths of names and data.
    pub fn of(widths: Vec<(Kind, usize)>) -> Blobs {
        Blobs { widths, ..Blobs::default() }
    }

    /// A message of a protocol without tags.
    pub fn message(&mut self, bytes: Bytes, run: u32, line: u32, event: u64) {
        self.all.push(Blob { bytes, source: Source::Message { run, line, event } });
    }

    /// What a rule opens, if there are no tags in it.
    pub fn open(&mut self, graph: &Graph, rule: RuleId, journal: &Journal) {
        if let By::Opening(nth) = graph.rules[rule.index()].by
            && let Some(of) = provenance(journal, nth)
            && of.binding.is_untagged()
            && let Ok(plain) = encode(&of.binding.encoding(), &of.inputs[1..])
        {
            self.all.push(Blob { bytes: plain.into(), source: Source::Opened(rule) });
        }
    }

    pub fn get(&self, nth: usize) -> &Blob {
        &self.all[nth]
    }

    /// Takes every value that she can cut out, and that she can put together.
    pub fn search(&mut self, graph: &Graph, held: &mut Held) -> Result<(), Exhausted> {
        if self.all.is_empty() {
            return Ok(());
        }
        let index = self.index.get_or_insert_with(|| index(graph));
        for nth in self.searched..self.all.len() {
            let bytes = self.all[nth].bytes.as_slice();
            held.count(bytes.len())?;
            for (at, window) in bytes.windows(LEAST).enumerate() {
                let Ok(first) = <[u8; LEAST]>::try_from(window) else { continue };
                for id in index.get(&first).map_or(&[][..], |ids| ids) {
                    if bytes[at..].starts_with(&graph.value(*id).bytes) {
                        held.take(*id, Way::CutOut { blob: nth });
                    }
                }
            }
        }
        self.searched = self.all.len();
        self.join(graph, held)
    }

    fn join(&self, graph: &Graph, held: &mut Held) -> Result<(), Exhausted> {
        let (mut pieces, mut lengths) = (Hashed::default(), BTreeSet::new());
        for id in graph.ids().filter(|id| held.has(*id)) {
            let Value { kind, bytes } = graph.value(id);
            let widths = self.widths.iter().filter(|(of, _)| of == kind).map(|(_, width)| *width);
            for width in widths.chain([bytes.len()]).filter(|width| *width >= bytes.len().max(1)) {
                let mut piece = bytes.to_vec();
                piece.resize(width, 0);
                lengths.insert(width);
                pieces.insert(piece, id);
            }
        }
        let wanted = graph.ids().filter(|id| !held.has(*id) && graph.value(*id).bytes.len() >= LEAST);
        for id in wanted.collect::<Vec<_>>() {
            let target = graph.value(id).bytes.as_slice();
            held.count(target.len())?;
            if let Some(from) = put_together(target, &pieces, &lengths) {
                held.take(id, Way::Joined(from));
            }
        }
        Ok(())
    }
}

/// The values that lead to each place of a target, from left to right.
fn put_together(target: &[u8], pieces: &Hashed<Vec<u8>, Id>, lengths: &BTreeSet<usize>) -> Option<Vec<Id>> {
    let mut reached: Vec<Option<(usize, Id)>> = vec![None; target.len() + 1];
    for at in 0..target.len() {
        if at > 0 && reached[at].is_none() {
            continue;
        }
        for len in lengths.range(..=target.len() - at) {
            if reached[at + len].is_none()
                && let Some(id) = pieces.get(&target[at..at + len])
            {
                reached[at + len] = Some((at, *id));
            }
        }
    }
    let (mut from, mut at) = (Vec::new(), target.len());
    while at > 0 {
        let (before, id) = reached[at]?;
        from.push(id);
        at = before;
    }
    from.reverse();
    Some(from)
}

fn index(graph: &Graph) -> Hashed<[u8; LEAST], SmallVec<[Id; 2]>> {
    let mut index: Hashed<[u8; LEAST], SmallVec<[Id; 2]>> = Hashed::default();
    for id in graph.ids() {
        let Some(first) = graph.value(id).bytes.first_chunk::<LEAST>() else { continue };
        match index.get_mut(first) {
            Some(ids) => ids.push(id),
            None => {
                index.insert(*first, SmallVec::from_elem(id, 1));
            }
        }
    }
    index
}
