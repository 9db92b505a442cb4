//! Amounts with a form of their own: rates, offsets, periods, whole seconds.

use std::ops::Range;

use crate::scenario::problem::Problem;
use crate::scenario::reader::{span, string};
use crate::scenario::toml_tree::Node;
use crate::time::{SPAN_EXPECTED, SimTime, Span};
use crate::vault::Rate;

/// A duration of at least a second: X.509 times have whole ones.
pub fn seconds(node: &Node) -> Result<Span, Problem> {
    let span = span(node)?;
    if span.0 < Span::seconds(1).0 {
        return Err(node.problem("X.509 times have whole seconds").help("give at least `1s`"));
    }
    Ok(span)
}

/// A duration with a sign: `"+3s"`, `"-2m"`, or without one.
pub fn offset(node: &Node) -> Result<i64, Problem> {
    let text = string(node)?;
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let span = Span::parse(rest).and_then(|s| i64::try_from(s.0).ok());
    span.map(|s| sign * s).ok_or_else(|| {
        node.problem(format!("`{text}` is not a clock's offset"))
            .help("expected a duration with a sign, such as `-2m`")
    })
}

/// `5 in 30s`.
pub fn rate(node: &Node) -> Result<Rate, Problem> {
    let text = string(node)?;
    let rate = text.split_once(" in ").and_then(|(burst, per)| {
        let rate = Rate { burst: burst.trim().parse().ok()?, per: Span::parse(per.trim())? };
        Some(rate).filter(|rate| rate.burst > 0 && rate.per.0 > 0)
    });
    rate.ok_or_else(|| {
        node.problem(format!("`{text}` is no rate"))
            .help(format!("expected a count and a time, such as `5 in 30s`; a time is {SPAN_EXPECTED}"))
    })
}

/// `"2h..5h"`: from one time to another.
pub fn period(node: &Node) -> Result<Range<SimTime>, Problem> {
    let text = string(node)?;
    let ends = text.split_once("..").and_then(|(from, to)| Some((Span::parse(from)?, Span::parse(to)?)));
    match ends {
        Some((from, to)) if from < to => Ok(SimTime::ZERO.after(from)..SimTime::ZERO.after(to)),
        _ => Err(node
            .problem(format!("`{text}` is no period"))
            .help(format!("expected two times, such as `2h..5h`; a time is {SPAN_EXPECTED}"))),
    }
}
