//! Verdicts: what every session came to, which goals fell, what the attacker holds; all
//! judged on bytes, each with its evidence. Must not know file formats.

mod deduce;
mod evidence;
mod exposure;
mod goals;
mod judgement;
mod outcome;
mod traffic;

pub use deduce::{Derivation, DerivationStep, Holdings, Setting, Undecided};
pub use evidence::{Finding, Lack, Part, Step};
pub use exposure::{Acceptance, Exposure, exposures};
pub use goals::{Bench, judge};
pub use judgement::{GoalId, GoalVerdict, Judgement, Rebuff, Untested, Word};
pub use outcome::{Had, Outcome, SessionOutcome, Sessions};
pub use traffic::{Injection, Traffic, place_of};
