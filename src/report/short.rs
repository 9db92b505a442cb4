//! Short fingerprints: as few digits as tell the values of one text apart.

use std::collections::BTreeSet;

use crate::journal::prints::places;

/// Digits of a full fingerprint.
const FULL: usize = 16;
/// Digits of the shortest one.
const LEAST: usize = 4;

/// Shortens every fingerprint, `#` and 16 hex digits, to the least length from 4 on at
/// which different ones stay different.
pub fn shorten(text: &str) -> String {
    Shortener::of([text]).short(text)
}

/// The least length at which the fingerprints of some texts stay different.
#[derive(Clone, Copy, Debug)]
pub struct Shortener(usize);

impl Shortener {
    /// For these texts.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Shortener {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for text in texts {
            found.extend(places(text).map(|at| &text[at + 1..at + 1 + FULL]));
        }
        let distinct =
            |len: &usize| found.iter().map(|f| &f[..*len]).collect::<BTreeSet<_>>().len() == found.len();
        Shortener((LEAST..FULL).find(distinct).unwrap_or(FULL))
    }

    /// That length, in digits.
    pub fn digits(self) -> usize {
        self.0
    }

    /// The text with its fingerprints at that length.
    pub fn short(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for at in places(text) {
            out.push_str(&text[from..at + 1 + self.0]);
            from = at + 1 + FULL;
        }
        out.push_str(&text[from..]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn fingerprints_get_as_short_as_they_can() {
        assert_eq!(shorten("a #0123456789abcdef b"), "a #0123 b");
        assert_eq!(
            shorten("#0123456789abcdef #0123466789abcdef #0123456789abcdef"),
            "#012345 #012346 #012345"
        );
        assert_eq!(shorten("issue #42, #0123456789abcdeg"), "issue #42, #0123456789abcdeg");
    }
}
