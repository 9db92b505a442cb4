//! The service's own routes: keys by the names of their owners, what is done with them, their
//! states, the audit log. Must not know what the gate permits.

mod generate;
mod lifecycle;
mod material;
mod reading;
mod using;

pub use material::exported;

use serde::Deserialize;

use super::table::{Field, Route, needed, optional};

const CLIENT_ID: Field = needed("client_id", "string", "whose key it is to be");
const NEW_KEY_ID: Field =
    optional("key_id", "string", "the key's name, which begins with the client's and `_`");
const KEY_ID: Field = needed("key_id", "string", "the key's name");
const CONTEXT: Field = optional("context", "string", "base64; bound to the ciphertext, and needed again");
const RISK: Field =
    optional("accept_risk", "boolean", "go on although the key is suspended or compromised; needs consent");

/// The routes.
pub const ROUTES: &[Route] = &[
    Route::own(
        "POST",
        "/generate_symmetric_key",
        "generate",
        "Makes an AES-256 key. Its owner, and nobody else, gets the key itself.",
        &[CLIENT_ID, NEW_KEY_ID],
        generate::generate_symmetric,
    ),
    Route::own(
        "POST",
        "/generate_rsa_key",
        "generate",
        "Makes an RSA-2048 key, whose private half stays inside.",
        &[CLIENT_ID, NEW_KEY_ID, optional("usage", "string", "encrypt (the default) or sign")],
        generate::generate_rsa,
    ),
    Route::own(
        "POST",
        "/generate_dh_key",
        "generate",
        "Makes a Diffie-Hellman key pair, each time a new one, and answers its share.",
        &[
            optional("client_id", "string", "whose it is to be; the caller's by default"),
            NEW_KEY_ID,
            optional("group", "string", "x25519 (the default) or p256"),
        ],
        generate::generate_dh,
    ),
    Route::own(
        "POST",
        "/revoke_key",
        "revoke-key",
        "Revokes a key: compromised for key-compromise, else deactivated.",
        &[
            KEY_ID,
            optional("cause", "string", "such as key-compromise or superseded; unspecified by default"),
        ],
        lifecycle::revoke,
    ),
    Route::own(
        "POST",
        "/encrypt",
        "encrypt",
        "Encrypts under a key's latest version.",
        &[KEY_ID, needed("plaintext", "string", "base64"), CONTEXT],
        using::encrypt,
    ),
    Route::own(
        "POST",
        "/decrypt",
        "decrypt",
        "Decrypts what was encrypted here.",
        &[needed("ciphertext", "string", "base64"), CONTEXT, RISK],
        using::decrypt,
    ),
    Route::own(
        "POST",
        "/rewrap",
        "rewrap",
        "Encrypts anew under the latest version; the text stays inside.",
        &[needed("ciphertext", "string", "base64"), CONTEXT],
        using::rewrap,
    ),
    Route::own("POST", "/rotate", "rotate", "Makes a new version of a key.", &[KEY_ID], lifecycle::rotate),
    Route::own(
        "POST",
        "/sign",
        "sign",
        "Signs with a key's latest version.",
        &[KEY_ID, needed("message", "string", "base64")],
        using::sign,
    ),
    Route::own(
        "POST",
        "/verify",
        "verify",
        "Says whether a signature that was made here is one of this message.",
        &[needed("message", "string", "base64"), needed("signature", "string", "base64"), RISK],
        using::verify,
    ),
    Route::own(
        "POST",
        "/agree",
        "agree",
        "Agrees with the holder of another share, and answers a key that is derived of both.",
        &[KEY_ID, needed("share", "string", "base64: the other's share")],
        material::agree,
    ),
    Route::own(
        "POST",
        "/public_key",
        "public-key",
        "The public half of a key.",
        &[KEY_ID, optional("version", "integer", "the latest by default")],
        material::public_key,
    ),
    Route::own(
        "POST",
        "/export",
        "export",
        "Hands a symmetric key to its owner, who asks for it itself.",
        &[KEY_ID, optional("version", "integer", "the latest by default")],
        material::export,
    ),
    Route::own(
        "POST",
        "/configure",
        "configure",
        "Changes a key's settings.",
        &[
            KEY_ID,
            optional("min_encryption", "integer", "the oldest version that may protect; 0: the latest only"),
            optional("min_decryption", "integer", "the oldest version that may process"),
            optional("auto_rotate_period", "string", "such as 30d; 0 lifts it"),
        ],
        lifecycle::configure,
    ),
    Route::own(
        "POST",
        "/trim",
        "trim",
        "Destroys a key's versions below one, for ever.",
        &[KEY_ID, needed("below", "integer", "the oldest version that stays")],
        lifecycle::trim,
    ),
    Route::own(
        "POST",
        "/suspend",
        "suspend",
        "Takes a key out of use for a while.",
        &[KEY_ID],
        lifecycle::suspend,
    ),
    Route::own("POST", "/resume", "resume", "Takes it back into use.", &[KEY_ID], lifecycle::resume),
    Route::own(
        "POST",
        "/destroy",
        "destroy",
        "Destroys a key, now or after a while.",
        &[KEY_ID, optional("wait", "string", "such as 7d; now by default")],
        lifecycle::destroy,
    ),
    Route::own(
        "POST",
        "/cancel_destruction",
        "cancel-destruction",
        "Thinks better of a destruction that waits.",
        &[KEY_ID],
        lifecycle::cancel,
    ),
    Route::own("GET", "/keys", "list", "The names of the keys that the caller may see.", &[], reading::list),
    Route::own(
        "GET",
        "/keys/{key_id}",
        "describe",
        "A key's state, versions and history.",
        &[],
        reading::describe_path,
    ),
    Route::own(
        "POST",
        "/state",
        "describe",
        "The same, with the name in the body.",
        &[KEY_ID],
        reading::state,
    ),
    Route::own(
        "GET",
        "/audit",
        "read-audit",
        "Audit records: `from` a number on, `count` of them.",
        &[],
        reading::audit,
    ),
];

/// A body that names a key and says no more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneKey {
    pub key_id: String,
}
