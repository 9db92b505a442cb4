//! What a text says that she came by without its key. Must not know how.

use super::Desk;
use crate::algebra::Value;
use crate::journal::Sight;
use crate::notation::Node;
use crate::wire::tagged_fields;

/// The fields of the text of a ciphertext, by the terms that stand in its place in the protocol:
/// `field`, from 0, of a message. None if it has no such fields.
pub fn fields_of(text: &[u8], message: &Sight, field: usize, desk: &Desk<'_>) -> Vec<(String, Value)> {
    let terms = desk.cast.protocols.get(&message.protocol).and_then(|spoken| {
        let (protocol, table) = (&spoken.protocol, &spoken.protocol.table);
        let line = protocol.lines.get((message.line as usize).checked_sub(1)?)?;
        match table.node(table.find(line.parts.get(field)?)?) {
            Node::Enc(body, _) => Some(body.iter().map(|id| table.show(*id)).collect::<Vec<_>>()),
            _ => None,
        }
    });
    let terms = terms.unwrap_or_default();
    let fields = tagged_fields(text).unwrap_or_default().into_iter().enumerate();
    let named = fields.map(|(nth, (kind, range))| {
        let term = terms.get(nth).cloned().unwrap_or_else(|| format!("field {}", nth + 1));
        (term, Value::new(kind, &text[range]))
    });
    named.collect()
}
