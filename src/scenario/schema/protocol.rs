//! A protocol's table, in a file of its own or in a scenario's.

use super::{ANY_TEXT, Shape, TEXTS, Table, key, needed};
use crate::limits::MAX_MESSAGE_BYTES;

const WIDTH: Shape = Shape::Whole(1, MAX_MESSAGE_BYTES as u32 - 1);
const LINES: Shape = Shape::List(&Shape::Text(&["A -> B : {Na, A}pk(B)"]));
const GOALS: Shape = Shape::List(&Shape::Text(&["secret Kab", "B authenticates A on Kab"]));

/// A protocol.
pub static PROTOCOL: Table = Table {
    name: "protocol",
    about: "A protocol in the notation of Alice and Bob.",
    keys: &[&[
        needed("messages", LINES, "Its lines, in order."),
        key("goals", GOALS, "What it promises."),
        key("let", Shape::Named(&ANY_TEXT), "Names for terms, as in `Ticket = \"{A, Kab}k(B,S)\"`."),
        key(
            "fresh",
            Shape::Named(&TEXTS),
            "For each role the values that it draws, as in `A = [\"Na: nonce\"]`.",
        ),
        key("given", Shape::Named(&TEXTS), "For each role the values that the scenario gives it."),
        key("knows", Shape::Named(&TEXTS), "For each role what it knows besides."),
        key(
            "services",
            Shape::Named(&ANY_TEXT),
            "Which service plays a role, as in `S = \"kdc\"`; `client` if none.",
        ),
        key(
            "joins",
            Shape::Named(&Shape::List(&Shape::Whole(1, u32::MAX))),
            "For each role the lines at which it may begin.",
        ),
        key(
            "group",
            ANY_TEXT,
            "The value that names the groups in which shares may be, the preferred first.",
        ),
        key("fallback", ANY_TEXT, "The value that names the protocol which was tried before this one."),
        key(
            "voice",
            Shape::List(&Shape::Whole(1, u32::MAX)),
            "The lines that people say to each other: the attacker hears them, and no more.",
        ),
        key("encoding", Shape::Of(&ENCODING), "How terms become bytes; tagged if nothing says so."),
        key("lifetime", Shape::Named(&Shape::Span), "For each `expiry` by its name how long it is valid."),
        key("title", ANY_TEXT, "A title."),
        key("about", ANY_TEXT, "What it is for."),
        key("reference", ANY_TEXT, "Where it is published."),
        key("tags", TEXTS, "Words to find it by."),
    ]],
    others: None,
};

/// `[encoding]`.
pub static ENCODING: Table = Table {
    name: "encoding",
    about: "How terms become bytes; besides, for `untagged`, the width of single values by name, in bytes, or `any`.",
    keys: &[&[
        key(
            "kind",
            Shape::Word(|| vec!["tagged", "untagged", "labelled"]),
            "Whether fields carry tags with kind and length, or widths alone tell them apart, or what is sealed and signed says of which line it is, too.",
        ),
        key("name", WIDTH, "The width of a name."),
        key("nonce", WIDTH, "The width of a nonce."),
        key("key", WIDTH, "The width of a key."),
        key("time", Shape::Whole(8, 8), "The width of a time."),
        key("data", WIDTH, "The width of data."),
    ]],
    others: Some(Shape::Either(&[WIDTH, Shape::Word(|| vec!["any"])])),
};
