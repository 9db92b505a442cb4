//! The transit routes of Vault and OpenBao, so that their clients work unmodified: named keys with
//! versions, `vault:vN:…` ciphertexts, errors in their form. Each client has names of its own.
//! Must not know what the gate permits.

mod form;
mod keys;
mod using;

pub use form::{data, refuse, text};

use super::table::{Field, Route, needed, optional};

const BATCH: Field = optional("batch_input", "array", "several at once");
const AAD: Field = optional("associated_data", "string", "base64; bound to the ciphertext");
const CREATE: &[Field] = &[
    optional("type", "string", "aes256-gcm96 (the default), rsa-2048, ed25519, ecdsa-p256, hmac"),
    optional("exportable", "boolean", "whether its owner may have a symmetric key itself"),
];
const INPUT: Field = needed("input", "string", "base64");
const HMAC: &[Field] = &[INPUT, optional("algorithm", "string", "sha2-256"), BATCH];
const ENCRYPT: &[Field] = &[
    needed("plaintext", "string", "base64"),
    AAD,
    optional("key_version", "integer", "the latest by default"),
    BATCH,
];
const DECRYPT: &[Field] = &[needed("ciphertext", "string", "vault:vN:…"), AAD, BATCH];
const CONFIG: &[Field] = &[
    optional("min_decryption_version", "integer", "the oldest that decrypts"),
    optional("min_encryption_version", "integer", "the oldest that encrypts; 0: the latest only"),
    optional("deletion_allowed", "boolean", "whether DELETE is permitted"),
    optional("auto_rotate_period", "string", "such as 30d; 0 lifts it"),
];
const TRIM: &[Field] = &[needed("min_available_version", "integer", "the oldest that stays")];

/// The routes.
pub const ROUTES: &[Route] = &[
    Route::vault("POST", "/v1/transit/keys/{name}", "generate", "Makes a key.", CREATE, keys::create),
    Route::vault("PUT", "/v1/transit/keys/{name}", "generate", "As POST.", CREATE, keys::create),
    Route::vault("GET", "/v1/transit/keys/{name}", "describe", "A key's type and versions.", &[], keys::read),
    Route::vault(
        "DELETE",
        "/v1/transit/keys/{name}",
        "destroy",
        "Destroys a key, if its config allows it.",
        &[],
        keys::delete,
    ),
    Route::vault("LIST", "/v1/transit/keys", "list", "The names of the client's keys.", &[], keys::list),
    Route::vault("GET", "/v1/transit/keys", "list", "As LIST, with ?list=true.", &[], keys::list),
    Route::vault(
        "POST",
        "/v1/transit/keys/{name}/rotate",
        "rotate",
        "Makes a new version.",
        &[],
        keys::rotate,
    ),
    Route::vault("PUT", "/v1/transit/keys/{name}/rotate", "rotate", "As POST.", &[], keys::rotate),
    Route::vault(
        "POST",
        "/v1/transit/keys/{name}/config",
        "configure",
        "Changes settings.",
        CONFIG,
        keys::configure,
    ),
    Route::vault("PUT", "/v1/transit/keys/{name}/config", "configure", "As POST.", CONFIG, keys::configure),
    Route::vault(
        "POST",
        "/v1/transit/keys/{name}/trim",
        "trim",
        "Destroys old versions for ever.",
        TRIM,
        keys::trim,
    ),
    Route::vault("PUT", "/v1/transit/keys/{name}/trim", "trim", "As POST.", TRIM, keys::trim),
    Route::vault("POST", "/v1/transit/encrypt/{name}", "encrypt", "Encrypts.", ENCRYPT, using::encrypt),
    Route::vault("PUT", "/v1/transit/encrypt/{name}", "encrypt", "As POST.", ENCRYPT, using::encrypt),
    Route::vault("POST", "/v1/transit/decrypt/{name}", "decrypt", "Decrypts.", DECRYPT, using::decrypt),
    Route::vault("PUT", "/v1/transit/decrypt/{name}", "decrypt", "As POST.", DECRYPT, using::decrypt),
    Route::vault(
        "POST",
        "/v1/transit/rewrap/{name}",
        "rewrap",
        "Encrypts anew under the latest version.",
        DECRYPT,
        using::rewrap,
    ),
    Route::vault("PUT", "/v1/transit/rewrap/{name}", "rewrap", "As POST.", DECRYPT, using::rewrap),
    Route::vault(
        "POST",
        "/v1/transit/datakey/{kind}/{name}",
        "encrypt",
        "A new random key, encrypted; with `plaintext` as its kind also bare, else `wrapped`.",
        &[optional("bits", "integer", "128, 256 (the default) or 512"), AAD],
        using::datakey,
    ),
    Route::vault("POST", "/v1/transit/sign/{name}", "sign", "Signs.", &[INPUT], using::sign),
    Route::vault(
        "POST",
        "/v1/transit/hmac/{name}",
        "sign",
        "A message authentication code, with a key of type hmac.",
        HMAC,
        using::hmac,
    ),
    Route::vault("POST", "/v1/transit/hmac/{name}/{algorithm}", "sign", "The same.", HMAC, using::hmac),
    Route::vault(
        "GET",
        "/v1/transit/export/{kind}/{name}",
        "export",
        "The versions of a symmetric key that was made exportable, to its owner.",
        &[],
        keys::export,
    ),
    Route::vault(
        "GET",
        "/v1/transit/export/{kind}/{name}/{version}",
        "export",
        "One of them.",
        &[],
        keys::export,
    ),
    Route::vault(
        "POST",
        "/v1/transit/verify/{name}",
        "verify",
        "Whether a signature is one of this input.",
        &[
            INPUT,
            optional("signature", "string", "vault:vN:…"),
            optional("hmac", "string", "vault:vN:…, in its place"),
        ],
        using::verify,
    ),
    Route::vault(
        "POST",
        "/v1/transit/random",
        "random",
        "Random bytes.",
        &[optional("bytes", "integer", "32 by default")],
        using::random,
    ),
    Route::vault("POST", "/v1/transit/random/{bytes}", "random", "Random bytes.", &[], using::random),
];
