//! What is expected to come of a scenario.

use super::{ANY_TEXT, Shape, TEXTS, Table, key, needed};
use crate::limits::MAX_SEARCH_RUNS;
use crate::reason::Reason;
use crate::scenario::expect::GoalExpect;
use crate::scenario::power::Power;

const EXPECTED_OF_A_RUN: Shape = Shape::Text(&[
    "completes",
    "waits",
    "rejects",
    "rejects line 3",
    "rejects line 3: stale",
    "never starts",
]);

const PAIRS: Shape = Shape::List(&Shape::List(&ANY_TEXT));

fn verdicts() -> Vec<&'static str> {
    GoalExpect::ALL.iter().map(|(_, words)| *words).collect()
}

fn reasons() -> Vec<&'static str> {
    Reason::ALL.iter().map(|reason| reason.word()).collect()
}

/// `[expect]`.
pub static EXPECT: Table = Table {
    name: "expect",
    about: "What is expected to come of a play.",
    keys: &[&[
        key(
            "runs",
            Shape::Named(&EXPECTED_OF_A_RUN),
            "Of parts in runs, as in `\"1.alice\" = \"completes\"`.",
        ),
        key("goals", Shape::Named(&Shape::Word(verdicts)), "Of goals, as in `\"secret Kab\" = \"holds\"`."),
        key(
            "requests",
            Shape::Named(&Shape::Text(&["granted", "refused", "refused: forbidden", "unanswered"])),
            "Of requests, by number.",
        ),
        key(
            "lookups",
            Shape::Named(&Shape::Word(reasons)),
            "Why a party does not believe an answer about revocation.",
        ),
        key(
            "work",
            Shape::Named(&Shape::Whole(0, u32::MAX)),
            "How many public-key operations a party carries out.",
        ),
        key(
            "exposure",
            Shape::Either(&[Shape::Of(&EXPOSURE), Shape::List(&Shape::Of(&EXPOSURE))]),
            "How long a thief is accepted in a party's place.",
        ),
        key("attacker", Shape::Of(&HER), "What the attacker learns."),
        key(
            "values",
            Shape::Named(&ANY_TEXT),
            "What values are, as in `\"1.bob.Payload\" = \"transfer 900\"`.",
        ),
        key("equal", PAIRS, "Pairs of values that are equal."),
        key("differ", PAIRS, "Pairs of values that differ."),
        key(
            "search",
            Shape::Either(&[Shape::Of(&SEARCH), Shape::List(&Shape::Of(&SEARCH))]),
            "What searches for attacks find.",
        ),
        key("honest", Shape::Of(&EXPECT), "The same, of the play without the attacker."),
    ]],
    others: None,
};

/// `[expect.attacker]`.
pub static HER: Table = Table {
    name: "her",
    about: "What the attacker learns.",
    keys: &[&[
        key("learns", TEXTS, "Values and long-term keys that she has in the end, as in `1.Payload`."),
        key("never_learns", TEXTS, "What she does not have in the end."),
        key("guesses", Shape::Whole(0, u32::MAX), "How many words she tried, all together."),
        key("queries", Shape::Whole(0, u32::MAX), "How often she asked parties by her tactic, all together."),
        key(
            "found",
            Shape::Whole(0, u32::MAX),
            "How much of what she asked about she found, in the units of her tactic.",
        ),
    ]],
    others: None,
};

/// `[[expect.exposure]]`.
pub static EXPOSURE: Table = Table {
    name: "exposure",
    about: "How long it is from the theft of a party's key to the last time that anybody accepted the thief.",
    keys: &[&[
        needed("of", ANY_TEXT, "Whose key."),
        key("min", Shape::Span, "At least so long."),
        key("max", Shape::Span, "At most so long, after which somebody refused the thief."),
    ]],
    others: None,
};

fn powers() -> Vec<&'static str> {
    Power::WORDS.to_vec()
}

/// `[expect.search]`.
pub static SEARCH: Table = Table {
    name: "search",
    about: "What a search for attacks on goals of the scenario's protocol finds, as in `\"secret Kab\" = \"none\"`.",
    keys: &[&[
        key(
            "runs",
            Shape::Whole(1, MAX_SEARCH_RUNS as u32),
            "With up to how many runs; 2 if nothing says so.",
        ),
        key(
            "powers",
            Shape::List(&Shape::Either(&[Shape::Word(powers), ANY_TEXT])),
            "What the attacker has besides.",
        ),
    ]],
    others: Some(Shape::Word(|| vec!["attack", "none"])),
};
