//! Who attacks, and how.

use super::{ANY_TEXT, Shape, TEXTS, Table, key, needed};
use crate::limits::{MAX_QUERIES, MAX_TRIALS};
use crate::pki::Flaw;

/// `[attacker]`.
pub static ATTACKER: Table = Table {
    name: "attacker",
    about: "Who attacks, and how: by an `attack` written down, or a `tactic`, and by rules.",
    keys: &[&[
        key("name", ANY_TEXT, "Her name; `mallory` if nothing says so."),
        key(
            "insider",
            Shape::Flag,
            "Whether she has keys and certificates as a party has; `true` if nothing says so.",
        ),
        key("enrols_key_of", ANY_TEXT, "Whose public key she has certified in her name."),
        key("from", Shape::Span, "Until then she only listens."),
        key(
            "given",
            Shape::Named(&ANY_TEXT),
            "What she says where the scenario gives a value to honest parties.",
        ),
        key("dictionary", TEXTS, "Words that she tries for passwords."),
        key("compares_nonces", Shape::Flag, "Whether she looks for signatures by ECDSA that have one nonce."),
        key(
            "compares_moduli",
            Shape::Flag,
            "Whether she looks for public keys of RSA that have a prime in common.",
        ),
        key(
            "computes_logarithms",
            Shape::Flag,
            "Whether she computes the exponents of shares, in the group of 64 bits.",
        ),
        key("fresh", TEXTS, "Values that she draws."),
        key(
            "finds",
            Shape::Named(&ANY_TEXT),
            "Values of hers that she finds by trying, and what they are to fit, as in `N = \"short(Na, N) = short(Na, Nb)\"`; two as in `\"N, M\"`.",
        ),
        key(
            "trials",
            Shape::Whole(1, MAX_TRIALS),
            "How many hashes she may try for each of those; 1,000,000 if nothing says so.",
        ),
        key(
            "queries",
            Shape::Whole(1, MAX_QUERIES),
            "How often she may ask a party, where her tactic is to ask; 10,000 if nothing says so.",
        ),
        key(
            "tactic",
            Shape::Text(&[
                "eavesdrop",
                "mitm",
                "replay",
                "reflect",
                "tamper",
                "impersonate NAME",
                "padding-oracle",
                "small-subgroup",
                "bleichenbacher",
                "search",
            ]),
            "A way that is not written down.",
        ),
        key(
            "attack",
            Shape::List(&Shape::Text(&["1.2 I(bob) -> alice : g^e"])),
            "Her lines, in the notation of attacks.",
        ),
        key(
            "at",
            Shape::Named(&Shape::Span),
            "Times before which she does not send a line of hers, as in `\"2.3\" = \"9h\"`.",
        ),
        key(
            "rule",
            Shape::List(&Shape::Of(&RULE)),
            "What becomes of messages; the first rule that matches decides.",
        ),
        key("certificate", Shape::List(&Shape::Of(&CERTIFICATE)), "Certificates that she forges."),
    ]],
    others: None,
};

/// `[[attacker.rule]]`.
pub static RULE: Table = Table {
    name: "rule",
    about: "What becomes of the messages that it matches.",
    keys: &[&[
        key("match", Shape::Of(&MATCH), "Which messages; all if nothing says so."),
        needed(
            "action",
            Shape::Text(&[
                "pass",
                "drop",
                "delay 2s",
                "hold",
                "hold until 2h",
                "release",
                "duplicate",
                "replay 1s",
                "redirect NAME",
                "tamper",
                "change \"TEXT\" to \"TEXT\" at FIELD:BYTE",
                "change \"TEXT\" to \"TEXT\" at FIELD:BYTE, tagged anew",
                "extend by \"TEXT\" behind BYTES",
                "low-order",
                "low-order 3",
                "replace TERMS",
                "inject LINE",
                "roll back to 2h",
                "try-later",
                "forge good",
                "forge list NAMES",
                "forge own list NAMES",
            ]),
            "What becomes of them.",
        ),
    ]],
    others: None,
};

/// `match` of a rule.
pub static MATCH: Table = Table {
    name: "match",
    about: "Which messages a rule is for.",
    keys: &[&[
        key("from", ANY_TEXT, "Who sends it."),
        key("to", ANY_TEXT, "To whom it goes."),
        key(
            "protocol",
            ANY_TEXT,
            "Of which protocol it is: one of the scenario's, or `crl`, `ocsp`, `ca`, `kms`, `alert`.",
        ),
        key("line", Shape::Whole(1, u32::MAX), "Which line it is."),
        key("run", Shape::Whole(1, u32::MAX), "Of which run it is."),
        key("after", Shape::Span, "From when on."),
        key("before", Shape::Span, "Until when."),
    ]],
    others: None,
};

/// `[[attacker.certificate]]`.
pub static CERTIFICATE: Table = Table {
    name: "certificate",
    about: "A certificate that she forges, for her own key.",
    keys: &[&[
        needed("as", ANY_TEXT, "Its name in her notebook."),
        needed("subject", ANY_TEXT, "Whose it says that it is."),
        needed("signed_by", Shape::Word(|| vec!["false-ca", "herself", "stolen-ca"]), "Who signs it."),
        key(
            "flaw",
            Shape::Word(|| Flaw::ALL.iter().map(|flaw| flaw.word()).collect()),
            "What is wrong with it beside that.",
        ),
    ]],
    others: None,
};
