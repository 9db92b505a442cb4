//! Verdicts: what every session came to, which goals fell, what the attacker holds; all
//! judged on bytes, each with its evidence. Must not know file formats.

mod derive;
mod evidence;
mod exposure;
mod goals;
mod outcome;

pub use derive::{Derivation, Holdings};
pub use exposure::{Acceptance, Exposure, exposures};
pub use goals::{Bench, GoalVerdict, Judgement, judge};
pub use outcome::{Outcome, SessionOutcome, Sessions};
