//! Fingerprints as they leave a play. Inside, a fingerprint is the beginning of a value's
//! SHA-256: of a code of six digits or a word of a dictionary that is as good as the value, to
//! whoever hashes a million. What is shown is keyed by the play: the same value has the same
//! fingerprint wherever it appears, equal seeds show equal bytes, and no table made elsewhere
//! fits. Must not know what the fingerprints are of.

use serde_json::Value as Json;

use crate::crypto;

/// Hexadecimal digits of a fingerprint, after its `#`.
const DIGITS: usize = 16;

/// The key of a play's fingerprints.
#[derive(Clone, Default)]
pub struct Prints {
    key: [u8; 32],
}

impl std::fmt::Debug for Prints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prints")
    }
}

impl Prints {
    /// Those of plays of this seed.
    pub fn of(seed: u64) -> Prints {
        use rand::Rng as _;
        let mut key = [0; 32];
        crypto::stream(seed, &["fingerprints"]).fill_bytes(&mut key);
        Prints { key }
    }

    /// A text with each fingerprint in it, `#` and 16 digits, as it is shown.
    pub fn in_text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for at in places(text) {
            let end = at + 1 + DIGITS;
            out.push_str(&text[from..=at]);
            let keyed = crypto::hmac_sha256(&self.key, &[&text.as_bytes()[at + 1..end]]);
            out.push_str(&hex::encode(&keyed[..DIGITS / 2]));
            from = end;
        }
        out.push_str(&text[from..]);
        out
    }

    /// JSON with each fingerprint in its texts as it is shown.
    pub fn in_json(&self, json: Json) -> Json {
        match json {
            Json::String(text) => Json::String(self.in_text(&text)),
            Json::Array(items) => items.into_iter().map(|item| self.in_json(item)).collect(),
            Json::Object(fields) => {
                Json::Object(fields.into_iter().map(|(name, of)| (name, self.in_json(of))).collect())
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => json,
        }
    }
}

/// Where fingerprints begin in a text.
pub fn places(text: &str) -> impl Iterator<Item = usize> + '_ {
    text.match_indices('#').map(|(at, _)| at).filter(|at| {
        let digits = text.as_bytes().get(at + 1..at + 1 + DIGITS);
        let more = text.as_bytes().get(at + 1 + DIGITS).is_some_and(u8::is_ascii_hexdigit);
        digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)) && !more
    })
}

#[cfg(test)]
mod tests {
    use super::Prints;

    #[test]
    fn the_same_value_has_the_same_fingerprint_in_one_play_and_another_in_others() {
        let text = "a #0123456789abcdef, b #0123456789abcdef, c #fedcba9876543210, issue #42";
        let shown = Prints::of(7).in_text(text);
        let found: Vec<&str> = shown.split([' ', ',']).filter(|word| word.len() == 17).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], found[1]);
        assert_ne!(found[0], found[2]);
        assert_ne!(found[0], "#0123456789abcdef");
        assert!(shown.ends_with("issue #42"));
        assert_ne!(shown, Prints::of(8).in_text(text));
        assert_eq!(shown, Prints::of(7).in_text(text));
    }
}
