//! Views of a play: a log that can be read aloud, verdicts set side by side. Must not know
//! channels or cryptography.

pub mod artefacts;
mod evidence;
mod exposure;
pub mod json;
pub mod log;
pub mod result;
mod short;
pub mod summary;
pub mod trace;

pub use artefacts::{Artefact, ArtefactFile, artefact_files, artefacts, plain_name};
pub use log::{Detail, LogStyle, offset_words};
pub use result::PlayResult;
pub use short::shorten;
pub use summary::summary;
