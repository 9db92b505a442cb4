//! Shares of small order in the place of others': raised to anything they give zero. Must not
//! know any exponent.

use smallvec::smallvec;

use crate::algebra::{Bytes, Value};
use crate::crypto::X25519_SMALL_ORDER;
use crate::journal::Sight;
use crate::knowledge::Shown;
use crate::notation::Kind;
use crate::wire::tagged_fields;

/// The message with the n-th share of small order for each of its shares.
///
/// # Errors
/// What it lacks, in words.
pub fn confined(message: &Sight, nth: usize) -> Result<Sight, String> {
    let low = X25519_SMALL_ORDER.get(nth).ok_or("there is no such share")?;
    let mut bytes = message.bytes.to_vec();
    let fields = tagged_fields(&bytes).unwrap_or_default();
    let shares = fields.into_iter().filter(|(kind, range)| *kind == Kind::Share && range.len() == low.len());
    let shares: Vec<_> = shares.map(|(_, range)| range).collect();
    if shares.is_empty() {
        return Err("the message has no share".to_owned());
    }
    shares.into_iter().for_each(|range| bytes[range].copy_from_slice(low));
    let bytes = Bytes::from(bytes);
    let values = smallvec![Value::new(Kind::Share, &low[..])];
    Ok(Sight { bytes, shown: Shown::with_values("a share of small order", values), ..message.clone() })
}
