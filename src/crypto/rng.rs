//! Randomness that replays: independent ChaCha20 streams named by a seed and
//! labels. Must not know who draws, nor ever ask the operating system.

use rand::SeedableRng;

use super::hash::sha256;

/// The generator of every random byte. ChaCha20 (RFC 8439) is portable, unlike
/// `StdRng`, whose algorithm may change with the crate: its bytes are part of
/// the replay promise.
pub type Rng = rand::rngs::ChaCha20Rng;

/// The stream that `seed` and `labels` name: ChaCha20 keyed by SHA-256 over
/// `u64-BE(seed)` and then, for each label, `u64-BE(length) ‖ label`.
///
/// Other labels give an independent stream, so a party that draws once more
/// does not shift what the others draw.
pub fn stream(seed: u64, labels: &[&str]) -> Rng {
    let mut name = seed.to_be_bytes().to_vec();
    for label in labels {
        // The length keeps ("ab", "c") apart from ("a", "bc").
        name.extend_from_slice(&(label.len() as u64).to_be_bytes());
        name.extend_from_slice(label.as_bytes());
    }
    Rng::from_seed(sha256(&[&name]))
}
