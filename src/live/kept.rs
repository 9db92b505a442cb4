//! The documents of which the engine is made again after a restart: the authority's key, each
//! certificate, the server's own. Must not know when they are written.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::members::{self, Member};
use super::settings::Settings;
use crate::crypto::{self, SigningKey};
use crate::pki::{Authority, AuthorityPolicy, Entry, OcspPolicy};
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};
use crate::vault::{Bytes, FileStore, Vault};

/// The authority's name.
const AUTHORITY: &str = "Mallory rehearsal authority";
/// Its document.
pub const AUTHORITY_DOCUMENT: &str = "authority";
/// How documents about certificates are called.
const CERTIFICATES: &str = "certificate/";
/// How documents with certificates are called.
const ISSUED: &str = "issued/";
/// The server's own.
pub const SERVER_DOCUMENT: &str = "server";

/// A document's name and what is in it; nothing where it is removed.
pub type Document = (String, Option<Zeroizing<Vec<u8>>>);

/// What is kept of the authority.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityDocument {
    /// Its private key, PKCS#8.
    pub key: Bytes,
    /// Since when it is.
    pub since: UnixNanos,
    /// From one list to the next.
    pub crl_period: Span,
    /// From one delta list to the next, if there are any.
    #[serde(default)]
    pub delta_period: Option<Span>,
}

/// What is kept of the server's certificate.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerDocument {
    /// Its private key, PKCS#8.
    pub key: Bytes,
    /// Its certificate, DER.
    pub certificate: Bytes,
    /// Until when it is valid.
    pub not_after: UnixNanos,
    /// Of which settings it is.
    pub of: String,
}

/// The authority, as it was.
///
/// # Errors
/// `InvalidSettings`, `VaultTampered`; the vault's.
pub fn load_authority(
    vault: &Vault<FileStore>,
    settings: &Settings,
    publish_url: &str,
) -> Result<Authority, Reason> {
    let document: AuthorityDocument = read(vault.kept(AUTHORITY_DOCUMENT)?.ok_or(Reason::VaultTampered)?)?;
    if (document.crl_period, document.delta_period) != (settings.crl_period, settings.delta_period) {
        return Err(Reason::InvalidSettings);
    }
    let key = SigningKey::from_pkcs8(&document.key).map_err(|_| Reason::VaultTampered)?;
    let entries = vault.kept_under(CERTIFICATES)?.map(|(_, entry)| read(entry));
    let entries: Vec<Entry> = entries.collect::<Result<_, _>>()?;
    let policy = AuthorityPolicy {
        certificate_lifetime: settings.certificate_lifetime,
        crl_period: settings.crl_period,
        crl_lifetime: settings.crl_lifetime,
        delta_period: settings.delta_period,
        ocsp: OcspPolicy { lifetime: settings.ocsp_lifetime, ..OcspPolicy::default() },
        ..AuthorityPolicy::default()
    };
    let name = format!("{AUTHORITY} {}", hex::encode(&crypto::sha256(&[&key.public()])[..4]));
    let resumed = Authority::resumed(&name, key, document.since, policy, entries);
    let mut authority = resumed.map_err(|_| Reason::VaultTampered)?;
    authority.deltas_at(format!("{publish_url}/delta.der"));
    Ok(authority)
}

/// Everybody who is enrolled.
///
/// # Errors
/// `Sealed`, `VaultTampered`.
pub fn load_members(vault: &Vault<FileStore>) -> Result<Vec<(String, Member)>, Reason> {
    let member = |(name, document): (&str, &[u8])| {
        Ok((name.trim_start_matches(members::MEMBERS).to_owned(), Member::read(document)?))
    };
    vault.kept_under(members::MEMBERS)?.map(member).collect()
}

/// The document about a certificate; its name sorts as its number does.
pub fn document_of(entry: &Entry) -> Document {
    (format!("{CERTIFICATES}{:020}", entry.serial), Some(write(entry)))
}

/// The document with a certificate, DER.
pub fn issued_document(serial: u64, certificate: &[u8]) -> Document {
    (issued_name(serial), Some(Zeroizing::new(certificate.to_vec())))
}

/// Its name.
pub fn issued_name(serial: u64) -> String {
    format!("{ISSUED}{serial:020}")
}

/// A document of this.
pub fn write<T: Serialize>(value: &T) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(serde_json::to_vec(value).expect("a document has no keys but texts"))
}

/// What a document has.
///
/// # Errors
/// `VaultTampered`.
pub fn read<T: for<'a> Deserialize<'a>>(document: &[u8]) -> Result<T, Reason> {
    serde_json::from_slice(document).map_err(|_| Reason::VaultTampered)
}
