//! Bounds of expiry times: `Ts: expiry <= Tt`. A ticket does not outlive the one that
//! bought it (RFC 4120 §3.1.3, §3.3.3). Must not know clocks.

use super::fault::{Fault, Quoted};
use super::parse;
use super::protocol::{Declared, Draft};
use super::table::Type;
use super::term::Name;

/// The word of a type and the bound beside it, if it has one.
pub(super) fn split(kind: &str) -> (&str, Option<&str>) {
    match kind.split_once("<=") {
        Some((word, bound)) => (word.trim(), Some(bound.trim())),
        None => (kind, None),
    }
}

/// Notes the bounds that `[fresh]` gives, and reports those that cannot be one.
pub(super) fn read_bounds(draft: &Draft, values: &mut [Declared], faults: &mut Vec<Fault>) {
    let sources = draft.fresh.iter().flat_map(|(_, sources)| sources);
    for source in sources {
        let Ok((name, Some(kind))) = parse::declaration(source) else { continue };
        let (word, Some(bound)) = split(&kind) else { continue };
        match read(source, &name, word, bound, values) {
            Ok(bound) => {
                if let Some(value) = values.iter_mut().find(|v| v.name == name) {
                    value.until = Some(bound);
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
}

fn read(source: &Quoted, name: &Name, word: &str, bound: &str, values: &[Declared]) -> Result<Name, Fault> {
    if Type::from_word(word) != Some(Type::Expiry) {
        return Err(at(source, word, "only an `expiry` has a bound").help("as in `Ts: expiry <= Tt`"));
    }
    let expiries = || values.iter().filter(|v| v.of == Type::Expiry && v.name != *name).map(|v| &*v.name);
    if !expiries().any(|n| n == bound) {
        let message = format!("`{bound}` is no expiry that could bound `{name}`");
        return Err(at(source, bound, message).nearest(bound, expiries()));
    }
    // Bounds are noted one by one, so the one that closes a circle is found when it comes.
    let next = |of: &str| values.iter().find(|v| *v.name == *of)?.until.clone();
    let mut above = Some(Name::from(bound));
    while let Some(one) = above {
        if one == *name {
            return Err(at(source, bound, format!("`{name}` bounds itself through `{bound}`")));
        }
        above = next(&one);
    }
    Ok(bound.into())
}

/// A fault at the last place of a word in the text.
fn at(source: &Quoted, word: &str, message: impl Into<String>) -> Fault {
    let range = source.text.rfind(word).map_or(0..source.text.len(), |from| from..from + word.len());
    Fault::new(source.key, range, message)
}
