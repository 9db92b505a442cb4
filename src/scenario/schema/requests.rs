//! What parties ask services for.

use super::scenario::REASON;
use super::{ANY_TEXT, Shape, Table, key, needed};
use crate::limits::MAX_REQUEST_TRIES;
use crate::party::wish::Plain;
use crate::vault::{KeyKind, RevocationCause, Usage};

/// What may be asked of the authority.
const ASKS_OF_CA: [&str; 5] = ["enrol", "renew", "rekey", "revoke", "release"];

/// What may be asked of the key centre, the words of [`Plain`] apart.
const ASKS_OF_KDC: [&str; 14] = [
    "generate",
    "encrypt",
    "decrypt",
    "rewrap",
    "sign",
    "verify",
    "agree",
    "export",
    "configure",
    "trim",
    "revoke-key",
    "schedule-destruction",
    "list",
    "read-audit",
];

/// Every word that a request to the key centre may begin with.
pub fn asks_of_kdc() -> impl Iterator<Item = &'static str> {
    ASKS_OF_KDC.into_iter().chain(Plain::ALL.iter().map(|(_, word)| *word))
}

/// Every word that a request may begin with.
pub fn asks() -> Vec<&'static str> {
    ASKS_OF_CA.into_iter().chain(asks_of_kdc()).collect()
}

fn reasons() -> Vec<&'static str> {
    RevocationCause::ALL.iter().map(|cause| cause.word()).collect()
}

const SPAN: Shape = Shape::Span;

/// `[[request]]`.
pub static REQUEST: Table = Table {
    name: "request",
    about: "What a party asks the authority or the key centre for.",
    keys: &[&[
        needed("at", Shape::Span, "When."),
        needed("by", ANY_TEXT, "Who asks."),
        needed("ask", Shape::Word(asks), "What for."),
        key("name", ANY_TEXT, "`enrol`, `renew`, `rekey`: in whose name; the asker's if nothing says so."),
        key("key", ANY_TEXT, "`enrol`: `same` or `new`; of the key centre: the key's name."),
        key("subject", ANY_TEXT, "`revoke`, `release`: of whom; of the asker if nothing says so."),
        key("reason", Shape::Either(&[REASON, Shape::Word(reasons)]), "`revoke`, `revoke-key`: why."),
        key("since", Shape::Span, "`revoke`: the suspected time of the theft."),
        key(
            "with",
            Shape::Text(&["sk(alice)", "k(alice,ca)"]),
            "Of the attacker: the key that she stole and asks with.",
        ),
        key("as", ANY_TEXT, "Of the attacker: the name of what she gets in her notebook."),
        key(
            "kind",
            Shape::Word(|| KeyKind::ALL.iter().map(|kind| kind.word()).collect()),
            "`generate`: the algorithm; `aes-256` if nothing says so.",
        ),
        key(
            "usage",
            Shape::Word(|| Usage::ALL.iter().map(|usage| usage.word()).collect()),
            "`generate`: what the key is for; `encrypt` if nothing says so.",
        ),
        key("owner", ANY_TEXT, "`generate`: whose it is; the asker's if nothing says so."),
        key("exportable", Shape::Flag, "`generate`: whether it may be exported."),
        key("active_from", SPAN, "`generate`: from when it may be used."),
        key("text", ANY_TEXT, "`encrypt`, `sign`, `verify`: the text."),
        key("context", ANY_TEXT, "`encrypt`, `decrypt`, `rewrap`: what the ciphertext is bound to."),
        key(
            "version",
            Shape::Whole(1, u32::MAX),
            "`encrypt`, `export`: which version of the key; the newest if nothing says so.",
        ),
        key(
            "of",
            Shape::Whole(1, u32::MAX),
            "`decrypt`, `rewrap`, `verify`: the number of the request whose result it is about.",
        ),
        key(
            "accept_risk",
            Shape::Flag,
            "`decrypt`, `verify`: whether a suspended or compromised key will do.",
        ),
        key("below", Shape::Whole(1, u32::MAX), "`trim`: the oldest version that stays."),
        key("wait", SPAN, "`schedule-destruction`: how long until then."),
        key("min_encryption", Shape::Whole(0, u32::MAX), "The oldest version that still protects."),
        key("min_decryption", Shape::Whole(0, u32::MAX), "The oldest version that still opens."),
        key("auto_rotate", SPAN, "How often the key gets a new version."),
        key("max_operations", Shape::Whole(1, u32::MAX), "How often a version may be used."),
        key("rotate_when_used_up", Shape::Flag, "Whether it then gets a new version."),
        key("protects_for", SPAN, "How long a version protects (SP 800-57 pt 1 §5.3.4)."),
        key("processes_for", SPAN, "How long a version opens and verifies."),
        key("claims", ANY_TEXT, "Whom the request says that it is from."),
        key("proof", Shape::Flag, "`false`: it is not sealed."),
        key("approved_by", ANY_TEXT, "Who consents to it besides."),
        key("code", Shape::Text(&["own", "guess", "code(alice)"]), "The one-time code that comes with it."),
        key("attempts", Shape::Whole(1, MAX_REQUEST_TRIES), "With `code = \"guess\"`: how often."),
        key("every", SPAN, "With `code = \"guess\"`: how long between guesses; `1s` if nothing says so."),
    ]],
    others: None,
};
