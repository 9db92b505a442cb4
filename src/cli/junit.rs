//! The outcome of tests as JUnit XML, which CI systems read: a suite for each group, a case for
//! each variant and seed.

use std::collections::BTreeMap;
use std::time::Duration;

use mallory::legible::legible_lines;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// What one test came to.
pub struct Case {
    /// The suite to which it belongs.
    pub group: String,
    /// Its name.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub status: Status,
}

/// How a test ended.
pub enum Status {
    /// As expected.
    Passed,
    /// It was not run, or asserts nothing: why.
    Skipped(&'static str),
    /// Not as expected: what and how to see it again.
    Failed(String),
    /// It came to no end.
    Stopped(String),
}

/// The report as XML.
///
/// # Errors
/// If it cannot be written as XML.
pub fn junit(cases: impl IntoIterator<Item = Case>) -> Result<String, String> {
    let mut suites: BTreeMap<String, TestSuite> = BTreeMap::new();
    for case in cases {
        let (kind, text) = match &case.status {
            Status::Passed => (TestCaseStatus::success(), None),
            Status::Skipped(why) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(*why);
                (status, None)
            }
            Status::Failed(text) => (TestCaseStatus::non_success(NonSuccessKind::Failure), Some(text)),
            Status::Stopped(text) => (TestCaseStatus::non_success(NonSuccessKind::Error), Some(text)),
        };
        let mut status = kind;
        if let Some(text) = text {
            let text = legible_lines(text);
            status.set_message(text.lines().next().unwrap_or_default());
            status.set_description(&*text);
        }
        let mut test = TestCase::new(case.name, status);
        test.set_classname(format!("mallory.{}", case.group)).set_time(case.took);
        let suite = suites.entry(case.group).or_insert_with_key(|group| TestSuite::new(group.as_str()));
        suite.add_test_case(test);
    }
    let mut report = Report::new("mallory");
    report.add_test_suites(suites.into_values());
    report.to_string().map_err(|error| error.to_string())
}
