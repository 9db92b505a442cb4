//! How parties and services behave.

use super::{ANY_TEXT, Key, RATE, Shape, TEXTS, Table, key};
use crate::limits::{MAX_CRL_HISTORY, MAX_INTERMEDIATES};
use crate::vault::Role;

const BEHAVIOUR: &[Key] = &[
    key("clock_offset", Shape::Text(&["-2m", "+3s"]), "How far its clock is from the true time."),
    key(
        "max_skew",
        Shape::Span,
        "How far a time stamp may be from its own clock; five minutes if nothing says so.",
    ),
    key("max_lifetime", Shape::Span, "How long an `expiry` may lie ahead."),
    key(
        "min_strength",
        Shape::Whole(0, 256),
        "Bits of strength that a group must have; shares in others are refused as `group-too-small`.",
    ),
    key(
        "strength",
        RATE,
        "How many lines that cost public-key operations it can send; more are refused as `rate-limited`.",
    ),
    key(
        "revocation",
        Shape::Word(|| vec!["none", "crl", "ocsp", "stapled"]),
        "Where it asks whether a certificate is revoked; nowhere if nothing says so.",
    ),
    key(
        "on_unavailable",
        Shape::Word(|| vec!["soft-fail", "hard-fail"]),
        "Without a current statement it refuses (`hard-fail`) or shrugs (`soft-fail`).",
    ),
    key(
        "fetch",
        Shape::Text(&["on-expiry", "at-publication", "per-connection", "every 15m"]),
        "When it fetches statements about revocation.",
    ),
    key("deltas", Shape::Flag, "Whether it fetches delta CRLs."),
    key("nonce", Shape::Flag, "Whether an OCSP response must repeat its nonce."),
    key("ocsp_sha1", Shape::Flag, "Whether it names certificates in OCSP by SHA-1, as RFC 5019 has it."),
    key(
        "clock_floor",
        Shape::Flag,
        "Whether it distrusts its clock when that is behind a time that was signed.",
    ),
    key(
        "check_chain",
        Shape::Flag,
        "Whether it checks the path to the authority; `true` if nothing says so.",
    ),
    key(
        "check_ca",
        Shape::Flag,
        "Whether it checks that issuers are authorities; `true` if nothing says so.",
    ),
    key("check_name", Shape::Flag, "Whether it checks the name in a certificate; `true` if nothing says so."),
    key("check_crl_signature", Shape::Flag, "Whether it verifies lists; `true` if nothing says so."),
    key(
        "check_responder",
        Shape::Flag,
        "Whether it checks who signed an OCSP response; `true` if nothing says so.",
    ),
    key(
        "check_next_update",
        Shape::Flag,
        "Whether it refuses statements that are out of date; `true` if nothing says so.",
    ),
    key(
        "keeps_newest",
        Shape::Flag,
        "Whether it refuses a list older than one that it had; `true` if nothing says so.",
    ),
    key("session_max_age", Shape::Span, "A live session older than this ends with its next message."),
    key(
        "recheck",
        Shape::Span,
        "How long a live session goes on without a look whether its peer's certificate still stands.",
    ),
    key("push", Shape::Flag, "Whether the authority tells it of each revocation at once."),
    key("staples", Shape::Flag, "Whether it sends the responder's word along with its own certificates."),
    key("watch_issuance", Shape::Span, "How often it looks at what the authority issued in its name."),
    key(
        "replay_cache",
        Shape::Either(&[Shape::Flag, Shape::Text(&["A, T"])]),
        "Whether it refuses what it accepted before, or the terms by which it knows a message again.",
    ),
    key("persistent_cache", Shape::Flag, "Whether that outlives a restart."),
    key(
        "stamps_after_start",
        Shape::Flag,
        "Whether it refuses, after a restart, time stamps that it may have accepted before (RFC 4120 §3.2.3).",
    ),
    key("knows_own", Shape::Flag, "Whether it refuses what it made itself (`reflected`)."),
    key(
        "alerts",
        Shape::Word(|| vec!["none", "reason", "uniform"]),
        "What it tells whoever sent a message that it refuses.",
    ),
];

/// `[parties.NAME]`.
pub static PARTY: Table = Table {
    name: "party",
    about: "How a party behaves.",
    keys: &[
        BEHAVIOUR,
        &[
            key(
                "password",
                ANY_TEXT,
                "Its password at all its peers and services; drawn from the seed if nothing says so.",
            ),
            key(
                "newest",
                ANY_TEXT,
                "The newest protocol that it speaks: who comes with an older one after that is refused as `inappropriate-fallback`.",
            ),
            key("shares_key_of", ANY_TEXT, "The party under whose long-term keys it works."),
        ],
    ],
    others: None,
};

/// `[services]`.
pub static SERVICES: Table = Table {
    name: "services",
    about: "The services.",
    keys: &[&[
        key("kdc", Shape::Of(&KDC), "The key distribution centre."),
        key("ca", Shape::Of(&CA), "The certificate authority."),
    ]],
    others: None,
};

/// `[services.kdc]`.
pub static KDC: Table = Table {
    name: "kdc",
    about: "The key distribution centre.",
    keys: &[
        BEHAVIOUR,
        &[
            key(
                "rechecks",
                Shape::Flag,
                "Whether it looks a name up in its register even if a ticket of its own vouches for it; `true` if nothing says so.",
            ),
            key("keys", Shape::Of(&KEY_CENTRE), "The vault behind it."),
        ],
    ],
    others: None,
};

/// `[services.ca]`.
pub static CA: Table = Table {
    name: "ca",
    about: "The certificate authority.",
    keys: &[
        BEHAVIOUR,
        &[
            key("crl_period", Shape::Span, "How often it publishes its list; `1h` if nothing says so."),
            key("crl_lifetime", Shape::Span, "How long a list is valid; `24h` if nothing says so."),
            key(
                "certificate_lifetime",
                Shape::Span,
                "How long a certificate is valid; `90d` if nothing says so.",
            ),
            key("delta_period", Shape::Span, "How often it publishes a delta CRL; never if nothing says so."),
            key(
                "crl_history",
                Shape::Whole(0, MAX_CRL_HISTORY as u32),
                "So many old entries are in its list.",
            ),
            key("ocsp_lifetime", Shape::Span, "How long a response is valid; `12h` if nothing says so."),
            key(
                "ocsp_presign",
                Shape::Span,
                "How often it signs responses in advance; on demand if nothing says so.",
            ),
            key("ocsp_knows_issued", Shape::Flag, "`false`: it says `good` of whatever is not revoked."),
            key("ocsp_delegated", Shape::Flag, "Whether a key of its own signs responses."),
            key(
                "intermediates",
                Shape::Whole(0, MAX_INTERMEDIATES),
                "How many authorities are below the root.",
            ),
            key(
                "proof_of_possession",
                Shape::Flag,
                "Whether it asks for a proof that the asker has the key.",
            ),
            key("blocks_keys", Shape::Flag, "Whether it refuses keys that were revoked as compromised."),
            key("authorises", Shape::Flag, "Whether it looks who may ask for what."),
            key("officers", TEXTS, "Who may revoke for others."),
            key("must_staple", TEXTS, "Whose certificates demand a staple."),
            key("down", Shape::List(&Shape::Text(&["2h..5h"])), "When it answers nobody."),
        ],
    ],
    others: None,
};

fn roles() -> Vec<&'static str> {
    Role::ALL.iter().map(|role| role.word()).collect()
}

/// `[services.kdc.keys]`.
pub static KEY_CENTRE: Table = Table {
    name: "key-centre",
    about: "The vault behind the key distribution centre, and its guards, each on by default.",
    keys: &[&[
        key("authenticate", Shape::Flag, "Guard: who asks."),
        key("authorise", Shape::Flag, "Guard: what its role may."),
        key("dual_control", Shape::Flag, "Guard: two consent to what is dangerous."),
        key("deliver_to_owner", Shape::Flag, "Guard: an exported key goes to its owner and nobody else."),
        key("hide_names", Shape::Flag, "Guard: refusals do not tell whether a key is there."),
        key("codes_once", Shape::Flag, "Guard: a one-time code is taken once."),
        key("rate_limit", Shape::Flag, "Guard: how often."),
        key("key_state", Shape::Flag, "Guard: in which state a key may do what."),
        key("audit", Shape::Flag, "Guard: what is not written down is not done."),
        key("requests", RATE, "How many requests a principal may send."),
        key("requests_per_source", RATE, "How many requests may come from one place."),
        key("codes", RATE, "How many codes a principal may try."),
        key("lock_after", Shape::Whole(1, u32::MAX), "After how many wrong codes it is locked."),
        key("second_factor", TEXTS, "Which operations need a code, in the words of `ask`."),
        key("roles", Shape::Named(&Shape::Word(roles)), "Who has which role; everybody else is a `client`."),
        key("one_time_codes", TEXTS, "Who has a device that shows codes."),
        key("code_digits", Shape::Whole(1, 9), "How many digits a code has; 6 if nothing says so."),
        key("passphrase", ANY_TEXT, "Under what the vault is sealed."),
        key("shares", Shape::Text(&["2 of 3"]), "Under how many shares of how many it is sealed."),
        key("file", Shape::Flag, "Whether it is a database file with an anchor."),
    ]],
    others: None,
};
