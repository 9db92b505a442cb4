//! One-time codes: HOTP (RFC 4226) and TOTP (RFC 6238). Must not know who logs in,
//! nor a clock: the caller says how many seconds have passed since 1970.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Result;
use crate::reason::Reason;

/// Most digits that a code may have: RFC 4226 §5.3 has 31 bits to show.
const MAX_DIGITS: u32 = 9;
/// How many steps before the permitted ones a code is still told to be an old one.
/// Knowing that a code was good once is of no use to who guesses.
const REMEMBERED_STEPS: u64 = 10;

/// The hash under HMAC. RFC 4226 has SHA-1 alone, whose collisions do not matter here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OtpHash {
    /// HMAC-SHA-1, 20 bytes: what every app speaks.
    #[default]
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

/// The HOTP value of `counter` (RFC 4226 §5.3), `digits` decimal digits, of which
/// there are at most nine.
pub fn hotp(hash: OtpHash, secret: &[u8], counter: u64, digits: u32) -> String {
    let digits = digits.clamp(1, MAX_DIGITS);
    let mac = match hash {
        OtpHash::Sha1 => mac::<Hmac<Sha1>>(secret, counter),
        OtpHash::Sha256 => mac::<Hmac<Sha256>>(secret, counter),
        OtpHash::Sha512 => mac::<Hmac<Sha512>>(secret, counter),
    };
    // Dynamic truncation: the low four bits of the last byte say where to cut.
    let offset = usize::from(mac.last().copied().unwrap_or(0) & 0x0f);
    let cut = mac[offset..offset + 4].iter().fold(0u32, |n, byte| n << 8 | u32::from(*byte));
    let width = digits as usize;
    format!("{:0width$}", (cut & 0x7fff_ffff) % 10u32.pow(digits))
}

fn mac<M: Mac + KeyInit>(secret: &[u8], counter: u64) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(&counter.to_be_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The verifier of somebody's time-based codes, which accepts each step once.
#[derive(Clone)]
pub struct Totp {
    secret: Zeroizing<Vec<u8>>,
    hash: OtpHash,
    digits: u32,
    period: u64,
    window: u64,
    last_accepted: Option<u64>,
}

impl Totp {
    /// Six digits, SHA-1, steps of 30 seconds, one step either side (RFC 6238 §5.2).
    pub fn new(secret: &[u8]) -> Totp {
        Totp {
            secret: Zeroizing::new(secret.to_vec()),
            hash: OtpHash::default(),
            digits: 6,
            period: 30,
            window: 1,
            last_accepted: None,
        }
    }

    /// With another hash, number of digits and length of a step in seconds.
    #[must_use]
    pub fn with(mut self, hash: OtpHash, digits: u32, period: u64) -> Totp {
        (self.hash, self.digits, self.period) = (hash, digits, period.max(1));
        self
    }

    /// As it was when `step` had been accepted last: what a service keeps over a restart.
    #[must_use]
    pub fn resumed(mut self, step: Option<u64>) -> Totp {
        self.last_accepted = step;
        self
    }

    /// The last step whose code was accepted.
    pub fn last_accepted(&self) -> Option<u64> {
        self.last_accepted
    }

    /// The code at `seconds` since 1970.
    pub fn code(&self, seconds: u64) -> String {
        self.code_of(seconds / self.period)
    }

    fn code_of(&self, step: u64) -> String {
        hotp(self.hash, &self.secret, step, self.digits)
    }

    /// Accepts `code` at `seconds` since 1970, each step once and none before it again.
    ///
    /// # Errors
    /// `CodeAlreadyUsed` for a permitted step that is not after the last accepted one
    /// (RFC 6238 §5.2), `CodeExpired` for one of the ten steps before the window,
    /// `BadCode` for anything else.
    pub fn accept(&mut self, code: &str, seconds: u64) -> Result<()> {
        let now = seconds / self.period;
        let is_of = |step: u64| bool::from(self.code_of(step).as_bytes().ct_eq(code.as_bytes()));
        let earliest = now.saturating_sub(self.window);
        let matching: Vec<u64> = (earliest..=now.saturating_add(self.window)).filter(|s| is_of(*s)).collect();
        // Two steps may have one code: the fresh one counts.
        let fresh = matching.iter().find(|step| self.last_accepted.is_none_or(|last| **step > last));
        match fresh {
            Some(step) => {
                self.last_accepted = Some(*step);
                Ok(())
            }
            None if !matching.is_empty() => Err(Reason::CodeAlreadyUsed),
            None if (earliest.saturating_sub(REMEMBERED_STEPS)..earliest).any(is_of) => {
                Err(Reason::CodeExpired)
            }
            None => Err(Reason::BadCode),
        }
    }

    /// Whether `code` is a permitted step's, used before or not: what a service does that
    /// forgets which codes it has seen.
    ///
    /// # Errors
    /// As [`accept`](Self::accept), `CodeAlreadyUsed` excepted.
    pub fn accept_again(&self, code: &str, seconds: u64) -> Result<()> {
        self.clone().resumed(None).accept(code, seconds)
    }
}

impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Totp").field("last_accepted", &self.last_accepted).finish_non_exhaustive()
    }
}
