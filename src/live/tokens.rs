//! Tokens, each of which stands for a client that has logged in with its certificate, for a while.
//! Must not know requests.

use std::collections::BTreeMap;

use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::crypto::sha256;
use crate::limits::MAX_LIVE_TOKENS;
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};

/// Tokens by their SHA-256, so that no comparison tells how much of a guess was right.
#[derive(Default)]
pub struct Tokens(BTreeMap<[u8; 32], (String, UnixNanos)>);

impl Tokens {
    /// A token for `name` of 32 random bytes.
    ///
    /// # Errors
    /// `RateLimited` if there are too many.
    pub fn issue(
        &mut self,
        name: &str,
        random: [u8; 32],
        (now, lifetime): (UnixNanos, Span),
    ) -> Result<String, Reason> {
        if self.0.len() >= MAX_LIVE_TOKENS {
            self.0.retain(|_, (_, until)| now < *until);
            if self.0.len() >= MAX_LIVE_TOKENS {
                return Err(Reason::RateLimited);
            }
        }
        let token = format!("hvs.{}", Base64UrlUnpadded::encode_string(&random));
        self.0.insert(sha256(&[token.as_bytes()]), (name.to_owned(), now.after(lifetime)));
        Ok(token)
    }

    /// For whom a token stands, and until when.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub fn of(&self, token: &str, now: UnixNanos) -> Result<(&str, UnixNanos), Reason> {
        let found = self.0.get(&sha256(&[token.as_bytes()]));
        let found = found.filter(|(_, until)| now < *until);
        found.map(|(name, until)| (name.as_str(), *until)).ok_or(Reason::Unauthenticated)
    }

    /// Ends all of somebody's.
    pub fn revoke_of(&mut self, name: &str) {
        self.0.retain(|_, (of, _)| of != name);
    }

    /// Ends a token.
    pub fn revoke(&mut self, token: &str) {
        self.0.remove(&sha256(&[token.as_bytes()]));
    }
}
