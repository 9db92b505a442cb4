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

/// How many seeds are played, and from which on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seeds {
    /// So many, from the file's or from the one that is named.
    Count(u64),
    /// From the first one on, so many.
    Range(u64, u64),
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Seeds, String> {
        let expected =
            || "expected how many seeds, as in `20`, or from which up to which, as in `0..19`".to_owned();
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| expected());
        match text.split_once("..") {
            None => number(text).and_then(|count| match count {
                0 => Err(expected()),
                count => Ok(Seeds::Count(count)),
            }),
            Some((from, to)) => {
                let (from, to) = (number(from)?, number(to)?);
                match to.checked_sub(from).and_then(|more| more.checked_add(1)) {
                    Some(count) => Ok(Seeds::Range(from, count)),
                    None => Err(format!("{from}..{to} has no seed")),
                }
            }
        }
    }
}
