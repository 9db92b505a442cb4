//! The seed that the command line names: a number, or one that the operating system draws.

#![expect(clippy::disallowed_types, reason = "who asks for a random seed wants one that nobody chose")]

use std::str::FromStr;

use rand::TryRng as _;
use rand::rngs::SysRng;

/// A seed, as typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seed {
    /// This one.
    This(u64),
    /// One that nobody chose.
    Random,
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Seed, String> {
        match text {
            "random" => Ok(Seed::Random),
            _ => text.parse().map(Seed::This).map_err(|_| "expected a number, or `random`".to_owned()),
        }
    }
}

impl Seed {
    /// The seed's number.
    pub fn draw(self) -> Result<u64, String> {
        match self {
            Seed::This(seed) => Ok(seed),
            Seed::Random => {
                SysRng.try_next_u64().map_err(|error| format!("the operating system draws no seed: {error}"))
            }
        }
    }
}
