//! How a line is written and read: the types, encoding and labels of one protocol. What the
//! attacker made in one line she makes anew where another wants it in another format; what she
//! took off the wire stays as it came. Must not know why she acts.

use std::sync::Arc;

use crate::knowledge::{Grounds, Knowledge, label};
use crate::notation::table::{Casts, Place};
use crate::notation::{Func, Id, KeyUses, Kind, Node};
use crate::wire::Encoding;

/// The format of a line.
#[derive(Debug)]
pub struct Format {
    /// The protocol's encoding and name, with the notebook's terms as they stand in the line.
    pub grounds: Arc<Grounds>,
    /// The protocol's line.
    pub line: u32,
    /// The types to write, by place.
    pub casts: Casts,
}

/// All of a format on which the bytes of one composite term depend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spelling {
    encoding: Arc<Encoding>,
    marks: Vec<Mark>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Mark {
    Kind(Place, Option<Kind>),
    Label(Id, Vec<u8>),
    Uses(KeyUses),
}

impl Format {
    /// The format of a line in which every value has its own type.
    pub fn plain(grounds: &Arc<Grounds>, line: u32) -> Arc<Format> {
        Arc::new(Format { grounds: grounds.clone(), line, casts: Casts::new() })
    }

    /// Whether the protocol says how this term is spelt: it knows such a one in its place.
    pub fn knows(&self, id: Id) -> bool {
        matches!(self.grounds.table.node(id), Node::App(Func::Pk | Func::Sk, _))
            || self.casts.contains_key(&(Some(id), 0))
    }

    /// How a term is spelt; nothing if its bytes are the same in every format.
    pub fn spelling(&self, id: Id, knowledge: &Knowledge) -> Option<Spelling> {
        let mut marks = Vec::new();
        self.mark(id, knowledge, &mut marks);
        (!marks.is_empty()).then(|| Spelling { encoding: self.grounds.encoding.clone(), marks })
    }

    fn mark(&self, id: Id, knowledge: &Knowledge, marks: &mut Vec<Mark>) {
        let table = &self.grounds.table;
        match table.node(id) {
            Node::App(Func::Pk | Func::Sk, _) => return marks.push(Mark::Uses(self.grounds.uses)),
            Node::Name(_) | Node::Text(_) | Node::Exp(_) | Node::App(Func::K | Func::Pw | Func::Cert, _) => {
                return;
            }
            Node::Enc(..) | Node::App(..) => {}
        }
        let is_bound = matches!(table.node(id), Node::Enc(..) | Node::App(Func::Mac | Func::Sign, _));
        if is_bound && *self.grounds.encoding == Encoding::Labelled {
            let line = table.first_line(id).unwrap_or(self.line);
            marks.push(Mark::Label(id, label(&self.grounds.protocol, line)));
        }
        for (at, part) in table.each_part(id).enumerate() {
            let place = (Some(id), at);
            let own = || knowledge.get(part).map(|value| value.kind);
            marks.push(Mark::Kind(place, self.casts.get(&place).copied().or_else(own)));
            self.mark(part, knowledge, marks);
        }
    }
}
