//! An expectation that was not met, as it is told.

use std::fmt;

use crate::legible::legible;

/// An expectation that was not met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What was expected.
    pub expected: String,
    /// What came.
    pub found: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What was found may be anybody's text.
        f.write_str(&legible(&format!("expected {}, but {}", self.expected, self.found)))
    }
}
