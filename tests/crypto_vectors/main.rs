//! The crypto room against published vectors, through its public API wherever
//! the API's framing permits, and against the attacks that it must refuse.
//!
//! Vectors without a file come from the standard that the test names. The files
//! under `vectors/` are excerpts of Project Wycheproof; each names its source.

mod agreement;
mod hash;
mod kem;
mod names;
mod otp;
mod password;
mod public_key;
mod randomness;
mod shares;
mod signature;
mod symmetric;

use mallory::crypto::{
    Agreement, DecryptionKey, Kem, PublicKeyEncryption, Rng, SMALL_FACTORS, Signature, SigningKey, Suite,
    Symmetric, VerifyingKey, constant_time_eq, hkdf_sha256, hmac_sha256, of_small_order, powers_of, sha256,
    stream, stretch,
};
use mallory::reason::Reason;
use rand::Rng as _;
use serde_json::Value;

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text.split_whitespace().collect::<String>()).expect("vectors are hexadecimal")
}

fn rng() -> Rng {
    stream(7, &["crypto_vectors"])
}

/// A Wycheproof excerpt: the fields that all cases share, and the cases.
struct Excerpt(Value);

impl Excerpt {
    fn parse(json: &str) -> Self {
        Excerpt(serde_json::from_str(json).expect("an excerpt is JSON"))
    }

    fn shared(&self, field: &str) -> Vec<u8> {
        hex(self.0[field].as_str().expect("a shared field is text"))
    }

    fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        let cases = self.0["tests"].as_array().expect("an excerpt has cases");
        assert!(cases.len() > 20, "an excerpt has a few dozen cases");
        cases.iter().map(Case)
    }
}

struct Case<'a>(&'a Value);

impl Case<'_> {
    fn bytes(&self, field: &str) -> Vec<u8> {
        hex(self.0[field].as_str().expect("a field is text"))
    }

    fn is_valid(&self) -> bool {
        self.0["result"] == "valid"
    }

    fn has_flag(&self, flag: &str) -> bool {
        self.0["flags"].as_array().expect("a case has flags").iter().any(|f| f == flag)
    }
}

impl std::fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "case {} ({}, {})", self.0["tcId"], self.0["comment"], self.0["flags"])
    }
}
