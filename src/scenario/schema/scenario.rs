//! The top of a scenario's file, and the tables that set its stage.

use super::{
    ANY_TEXT, ATTACKER, ENCODING, EXPECT, Key, PARTY, PROTOCOL, REQUEST, SERVICES, Shape, TEXTS, Table, key,
    needed,
};
use crate::crypto::{Agreement, Kem, PublicKeyEncryption, Signature, Symmetric};
use crate::pki::RevocationReason;

/// A scenario.
pub static SCENARIO: Table = Table {
    name: "scenario",
    about: "A scenario: who plays which protocol, under which attack, and what is expected of it.",
    keys: &[
        &[
            key("title", ANY_TEXT, "A title."),
            key("about", ANY_TEXT, "The story in a few sentences."),
            key(
                "tags",
                TEXTS,
                "Words to find it by; `breaks:PROPERTY`, `needs:POWER` and years are filters of `mallory list`.",
            ),
            key("reference", ANY_TEXT, "Where it is published."),
            key("seed", Shape::Whole(0, u32::MAX), "The seed with which it is played; 0 if nothing says so."),
            key("variant", Shape::Named(&Shape::Of(&VARIANT)), "Variants: each is laid over the file."),
        ],
        STAGE,
    ],
    others: None,
};

static VARIANT: Table = Table {
    name: "variant",
    about: "A variant: what it adds to the file, replaces in it, or removes from it.",
    keys: &[&[key("remove", TEXTS, "Paths of keys that it removes, as in `parties.alice.password`.")], STAGE],
    others: None,
};

static STAGE: &[Key] = &[
    key(
        "protocol",
        Shape::Either(&[Shape::Text(&["nssk", "ours.toml"]), Shape::Of(&PROTOCOL)]),
        "A protocol of the library, the path of a file that ends with `.toml`, or one that stands here.",
    ),
    key(
        "until",
        Shape::Span,
        "How long those who do something every so often go on; until the last thing that is scheduled if nothing says so.",
    ),
    key("run", Shape::List(&Shape::Of(&RUN)), "Who plays which role, run by run."),
    key("event", Shape::List(&Shape::Of(&EVENT)), "What happens at set times."),
    key(
        "request",
        Shape::List(&Shape::Of(&REQUEST)),
        "What parties ask services for at set times; numbered from 1.",
    ),
    key("attacker", Shape::Of(&ATTACKER), "Who attacks, and how."),
    key("parties", Shape::Named(&Shape::Of(&PARTY)), "How parties behave, by name."),
    key("services", Shape::Of(&SERVICES), "The key distribution centre and the certificate authority."),
    key("network", Shape::Of(&NETWORK), "How long messages take, and whether they arrive."),
    key("crypto", Shape::Of(&CRYPTO), "The algorithms."),
    key(
        "encoding",
        Shape::Of(&ENCODING),
        "How terms become bytes, in place of what the protocol's file says.",
    ),
    key(
        "lifetime",
        Shape::Named(&Shape::Span),
        "For each `expiry` by its name how long it is valid; ten hours if nothing says so.",
    ),
    key("live", Shape::Of(&LIVE), "In whose place a program stands in `mallory live`."),
    key("expect", Shape::Of(&EXPECT), "What is expected to come of it. Without, nothing is asserted."),
];

/// `[live]`.
pub static LIVE: Table = Table {
    name: "live",
    about: "In whose place a program stands in `mallory live`, and what is spoken on which port.",
    keys: &[&[
        needed("program", ANY_TEXT, "Who begins the run, and is a program then."),
        needed(
            "ports",
            Shape::Named(&Shape::Word(|| vec!["tls", "crl", "ocsp"])),
            "What is spoken on each port: the one that speaks `tls` bears the name of whom the program connects to.",
        ),
    ]],
    others: None,
};

/// `[[run]]`.
pub static RUN: Table = Table {
    name: "run",
    about: "A run: a party for each client role, as in `A = \"alice\"`, and a text for each `[given]` value.",
    keys: &[&[
        key("at", Shape::Span, "When it begins; at once if nothing says so."),
        key(
            "protocol",
            Shape::Either(&[Shape::Text(&["nssk"]), Shape::Of(&PROTOCOL)]),
            "Its protocol, if it is not the scenario's.",
        ),
        key(
            "falls_back_from",
            Shape::Whole(1, u32::MAX),
            "The run in whose stead it begins, if whoever begins it has not completed that by then.",
        ),
    ]],
    others: Some(ANY_TEXT),
};

fn reasons() -> Vec<&'static str> {
    RevocationReason::ALL.iter().map(|reason| reason.word()).collect()
}

pub(super) const REASON: Shape = Shape::Word(reasons);

/// `[[event]]`.
pub static EVENT: Table = Table {
    name: "event",
    about: "What happens at a set time: `at`, and one of `compromise`, `revoke`, `restart`, `rotate`, `clock`, `put_back` and `quantum`.",
    keys: &[&[
        needed("at", Shape::Span, "When."),
        key(
            "compromise",
            Shape::Text(&[
                "sk(bob)",
                "k(alice,kdc)",
                "pw(alice,kdc)",
                "1.Kab",
                "1.alice.Kab",
                "vault",
                "key(orders,1)",
            ]),
            "What the attacker gets: a long-term key, a run's value, or what the key centre keeps.",
        ),
        key("as", ANY_TEXT, "With `compromise` of a run's value: its name in her notebook."),
        key("revoke", ANY_TEXT, "Whose keys and certificates are revoked."),
        key("reason", REASON, "With `revoke`: why (RFC 5280 §5.3.1)."),
        key(
            "by",
            ANY_TEXT,
            "With `revoke`: by `kdc`, by `ca`, or told to a party; by every service there is if nothing says so.",
        ),
        key("restart", ANY_TEXT, "Who restarts: sessions and caches are gone."),
        key("rotate", Shape::Text(&["k(bob,kdc)", "pw(alice,kdc)"]), "Which key gets a new version."),
        key(
            "keep",
            Shape::Whole(0, u32::MAX),
            "With `rotate`: how many older versions still open what was made under them; none if nothing says so.",
        ),
        key("clock", ANY_TEXT, "Whose clock is set."),
        key("offset", Shape::Text(&["-35d", "+2m"]), "With `clock`: how far from the true time."),
        key(
            "put_back",
            Shape::Word(|| vec!["vault"]),
            "The copy of the key centre's disk that she got last takes the disk's place.",
        ),
        key("quantum", Shape::Flag, "From now on she has discrete logarithms and factors."),
    ]],
    others: None,
};

const LINKS: &[Key] = &[
    key(
        "latency",
        Shape::Text(&["20ms", "10ms..50ms"]),
        "How long a message takes: a duration, or a range to draw from.",
    ),
    key("loss", Shape::Share, "The share of messages that are lost."),
    key("duplicate", Shape::Share, "The share of messages that arrive twice."),
];

/// `[network]`.
pub static NETWORK: Table = Table {
    name: "network",
    about: "How long messages take, and whether they arrive.",
    keys: &[LINKS, &[key("link", Shape::List(&Shape::Of(&LINK)), "Single links, in one direction each.")]],
    others: None,
};

/// `[[network.link]]`.
pub static LINK: Table = Table {
    name: "link",
    about: "A link, in one direction.",
    keys: &[
        &[
            needed("from", ANY_TEXT, "Where its messages come from."),
            needed("to", ANY_TEXT, "Where they go."),
        ],
        LINKS,
    ],
    others: None,
};

/// `[crypto]`.
pub static CRYPTO: Table = Table {
    name: "crypto",
    about: "The algorithms. `mallory check` warns of weak ones.",
    keys: &[&[
        key(
            "symmetric",
            Shape::Word(|| Symmetric::ALL.iter().map(|one| one.name()).collect()),
            "Encryption under symmetric keys.",
        ),
        key(
            "public_key",
            Shape::Word(|| PublicKeyEncryption::ALL.iter().map(|one| one.name()).collect()),
            "Encryption under public keys.",
        ),
        key(
            "signature",
            Shape::Word(|| Signature::ALL.iter().map(|one| one.name()).collect()),
            "Signatures.",
        ),
        key(
            "agreement",
            Shape::Word(|| Agreement::ALL.iter().map(|one| one.name()).collect()),
            "Diffie–Hellman.",
        ),
        key(
            "groups",
            Shape::List(&Shape::Word(|| Agreement::ALL.iter().map(|one| one.name()).collect())),
            "Groups in which parties compute beside that one, where a protocol has a `group`.",
        ),
        key(
            "short_bits",
            Shape::Whole(4, 256),
            "To how many bits a `short` hash is cut; 20 if nothing says so.",
        ),
        key("kem", Shape::Word(|| Kem::ALL.iter().map(|one| one.name()).collect()), "Key encapsulation."),
    ]],
    others: None,
};
