//! Views of a play: a log that can be read aloud, verdicts set side by side. Must not know
//! channels or cryptography.

pub mod artefacts;
#[cfg(feature = "cli")]
pub mod capture;
pub mod chart;
mod decided;
pub mod diagrams;
mod evidence;
mod exposure;
mod filter;
pub mod html;
mod hunt;
pub mod json;
pub mod log;
pub mod markdown;
pub mod result;
pub mod sequence;
pub mod shiviz;
mod short;
pub mod summary;
pub mod svg;
mod telling;
pub mod trace;

pub use artefacts::{Artefact, ArtefactFile, artefact_files, artefacts, plain_name};
pub use chart::chart;
pub use filter::{Filter, everybody};
pub use log::{Detail, LogStyle};
pub use result::PlayResult;
pub use sequence::Sequence;
pub use short::shorten;
pub use summary::summary;
pub use telling::{Tone, offset_words};
