//! Why a party refuses: a closed set of words, each produced by a check that a
//! standard or a paper names. Must not know who refuses or in which protocol.

use std::fmt;
use std::str::FromStr;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

macro_rules! reasons {
    ($($variant:ident = $word:literal, $meaning:literal;)+) => {
        /// Why a party ended a session or refused a request.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Reason { $(#[doc = $meaning] $variant,)+ }

        impl Reason {
            /// Every reason, in the order in which the documentation lists them.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)+];

            /// The word that logs and scenario files use, in kebab case.
            pub fn word(self) -> &'static str {
                match self { $(Reason::$variant => $word,)+ }
            }

            /// What the check found, in one clause, with its source.
            pub fn meaning(self) -> &'static str {
                match self { $(Reason::$variant => $meaning,)+ }
            }
        }
    };
}

reasons! {
    BadSignature = "bad-signature", "a signature does not verify under the signer's public key (RFC 8032 §5.1.7, FIPS 186-5)";
    BadMac = "bad-mac", "a message authentication code differs from the one computed (RFC 2104)";
    BadPadding = "bad-padding", "the padding of an unauthenticated ciphertext is wrong (RFC 5652 §6.3)";
    DecryptFailed = "decrypt-failed", "a ciphertext does not open under the key (SP 800-38D §7.2, RFC 8017 §7.1.2)";
    Mismatch = "mismatch", "a value that the party can compute itself is another one than arrived";
    SasMismatch = "sas-mismatch", "what the peer says by voice is another value than the party's own (RFC 6189 §4.3)";
    WrongType = "wrong-type", "a field carries another type than the protocol has in its place";
    WrongPeer = "wrong-peer", "a message names another party than the one this session talks to";
    MessageTooLong = "message-too-long", "what the line takes has more bytes than a message may have, and the play ends (MAX_MESSAGE_BYTES)";
    MemoryUnavailable = "memory-unavailable", "the system gives no memory to stretch a password in, and the play ends (ARGON2_MEMORY_KIB)";
    Malformed = "malformed", "the bytes do not have the shape of the line";
    Stale = "stale", "a time stamp is further from the party's clock than its permitted skew (RFC 4120 §3.2.3)";
    Expired = "expired", "a value's expiry lies before the party's clock (RFC 4120 §3.2.3)";
    LifetimeTooLong = "lifetime-too-long", "an expiry lies further ahead than the party would grant (RFC 4120 §3.1.3)";
    Replayed = "replayed", "the party's replay cache holds this message already (RFC 4120 §3.2.3)";
    Reflected = "reflected", "the party receives what it made itself as its peer's (ISO/IEC 9798-4)";
    CertificateUntrusted = "certificate-untrusted", "no path of valid signatures leads to a trusted root (RFC 5280 §6.1)";
    CertificateExpired = "certificate-expired", "a certificate's notAfter has passed at the party's clock (RFC 5280 §6.1.3 (a)(2))";
    CertificateNotYetValid = "certificate-not-yet-valid", "a certificate's notBefore lies ahead of the party's clock (RFC 5280 §6.1.3 (a)(2))";
    CertificateNameMismatch = "certificate-name-mismatch", "the certificate names another subject than the peer (RFC 9525 §6)";
    CertificateNotACa = "certificate-not-a-ca", "an issuer's certificate lacks cA=TRUE (RFC 5280 §6.1.4 (k))";
    PathLenExceeded = "path-len-exceeded", "an authority of the path may not have so many others below it (RFC 5280 §6.1.4 (l), (m))";
    CertificateWrongUsage = "certificate-wrong-usage", "the key usage does not permit what the key was used for (RFC 5280 §4.2.1.3)";
    CertificateRevoked = "certificate-revoked", "a valid CRL lists the certificate (RFC 5280 §6.3.3)";
    CertificateUnknown = "certificate-unknown", "the issuer's responder does not know the certificate (RFC 6960 §2.2)";
    NameConstraintViolation = "name-constraint-violation", "an authority of the path may not certify this name (RFC 5280 §4.2.1.10)";
    UnknownCriticalExtension = "unknown-critical-extension", "a critical extension is not understood (RFC 5280 §4.2, §5.2)";
    RevocationUnavailable = "revocation-unavailable", "no current revocation statement could be had and the policy is hard-fail (RFC 5280 §6.3.3)";
    CrlRollback = "crl-rollback", "a CRL is older than the one already held (RFC 5280 §5.2.3)";
    CrlBadSignature = "crl-bad-signature", "a CRL is not signed by the certificate's issuer (RFC 5280 §6.3.3 (g))";
    CrlIssuerMismatch = "crl-issuer-mismatch", "a CRL's issuer is no authority that the party knows (RFC 5280 §6.3.3 (b))";
    DeltaBaseMissing = "delta-base-missing", "the complete CRL at hand is too old for the delta CRL (RFC 5280 §5.2.4)";
    CrlExpired = "crl-expired", "a CRL's nextUpdate has passed, so it says nothing (RFC 5280 §6.3.3)";
    CrlNotYetValid = "crl-not-yet-valid", "a CRL's thisUpdate lies ahead of the party's clock (RFC 5280 §5.1.2.4)";
    OcspUnauthorizedSigner = "ocsp-unauthorized-signer", "an OCSP response is signed by someone whom the issuer did not authorise (RFC 6960 §4.2.2.2)";
    OcspBadSignature = "ocsp-bad-signature", "an OCSP response's signature does not verify (RFC 6960 §3.2)";
    OcspCertIdMismatch = "ocsp-cert-id-mismatch", "an OCSP response is about another certificate (RFC 6960 §3.2)";
    OcspExpired = "ocsp-expired", "an OCSP response's nextUpdate has passed (RFC 6960 §3.2)";
    OcspNotYetValid = "ocsp-not-yet-valid", "an OCSP response's thisUpdate lies ahead of the party's clock (RFC 6960 §4.2.2.1)";
    OcspTryLater = "ocsp-try-later", "the responder answered with an error, which nobody signs (RFC 6960 §2.3)";
    OcspNonceMismatch = "ocsp-nonce-mismatch", "an OCSP response lacks the request's nonce (RFC 9654)";
    MissingStaple = "missing-staple", "a certificate that demands a stapled response came without (RFC 7633)";
    ClockWentBackwards = "clock-went-backwards", "the party's clock is behind a time that somebody it trusts has signed (Malhotra et al., NDSS 2016)";
    SessionTerminated = "session-terminated", "a live session reached its greatest age, or its peer's certificate was revoked meanwhile (NIST SP 800-63B §7.2)";
    WeakParameter = "weak-parameter", "a Diffie–Hellman share is out of range, off the curve or of small order (RFC 7748 §6.1, RFC 7919 §5.1)";
    GroupTooSmall = "group-too-small", "a share is in a group that has less strength than the party asks for (RFC 7919 §3, SP 800-57 pt 1 §5.6)";
    NoCommonGroup = "no-common-group", "of the groups that are offered there is none in which the party would compute (RFC 8446 §4.1.1)";
    InappropriateFallback = "inappropriate-fallback", "the peer comes with an older protocol and says that it tried first one that the party speaks (RFC 7507 §3)";
    UnknownClient = "unknown-client", "the service has no such principal (RFC 4120 KDC_ERR_C_PRINCIPAL_UNKNOWN)";
    ClientRevoked = "client-revoked", "the service has revoked the principal (RFC 4120 KDC_ERR_CLIENT_REVOKED)";
    KeyExpired = "key-expired", "a key is past its cryptoperiod (SP 800-57 pt 1 §5.3)";
    KeyCompromised = "key-compromised", "a key is in the state compromised (SP 800-57 pt 1 §7.5)";
    BadProofOfPossession = "bad-proof-of-possession", "a certificate request is not signed with the key that it names (RFC 2986 §3)";
    NotAuthorisedForName = "not-authorised-for-name", "the requester may not have a certificate for this name (RFC 8555 §7.4)";
    RenewalBlocked = "renewal-blocked", "a revoked, expired or unknown certificate cannot be renewed (RFC 5280 §3.3)";
    Forbidden = "forbidden", "the principal may not do this (deny by default)";
    Unauthenticated = "unauthenticated", "nobody proved who asks";
    RateLimited = "rate-limited", "too many attempts in the time allowed (RFC 4226 §7.3)";
    CodeAlreadyUsed = "code-already-used", "a one-time code was accepted before (RFC 6238 §5.2)";
    KeyNotActive = "key-not-active", "a key is in the state pre-activation (SP 800-57 pt 1 §7.1)";
    KeySuspended = "key-suspended", "a key is in the state suspended (SP 800-57 pt 1 §7.3)";
    KeyDeactivated = "key-deactivated", "a key is in the state deactivated, and may no longer protect (SP 800-57 pt 1 §7.4)";
    KeyDestroyed = "key-destroyed", "a key is in the state destroyed (SP 800-57 pt 1 §7.6)";
    PendingDestruction = "pending-destruction", "a key waits for its scheduled destruction (AWS KMS PendingDeletion)";
    InvalidTransition = "invalid-transition", "the table of key states has no such transition from the key's state (SP 800-57 pt 1 §7)";
    UnknownKey = "unknown-key", "the vault has no such key or version";
    KeyExists = "key-exists", "the vault has a key of this name already";
    VersionBelowMinimum = "version-below-minimum", "a key's version lies below the minimum set for the operation (Vault transit)";
    VersionTrimmed = "version-trimmed", "a key's version was destroyed by trimming (Vault transit)";
    KeyUsageLimit = "key-usage-limit", "a key's version has done all the operations it may (SP 800-38D §8.3)";
    WrongKeyUsage = "wrong-key-usage", "a key is for another purpose than the operation (SP 800-57 pt 1 §5.2)";
    InvalidSettings = "invalid-settings", "a key's periods and minimum versions do not go together (SP 800-57 pt 1 §5.3.5)";
    NotExportable = "not-exportable", "a key was made never to leave the vault";
    NeedsSecondApprover = "needs-second-approver", "a second administrator must approve this very operation (SP 800-57 pt 2 dual control)";
    SecondFactorRequired = "second-factor-required", "the operation needs a one-time code, and none came";
    BadCode = "bad-code", "a one-time code is none of the permitted steps' (RFC 6238 §5.2)";
    CodeExpired = "code-expired", "a one-time code is of a step before the permitted ones (RFC 6238 §5.2)";
    LockedOut = "locked-out", "too many wrong codes in a row locked the principal (RFC 4226 §7.3)";
    AuditUnavailable = "audit-unavailable", "the audit record cannot be written, so the operation is not done (SP 800-53 AU-5)";
    OutcomeUnknown = "outcome-unknown", "the transaction was written and could not be confirmed: it was done or not, whole in either case, and what is asked next goes by what was";
    EntropyUnavailable = "entropy-unavailable", "the operating system gives no random bytes, so nothing is made of them (SP 800-90C)";
    AuditChainBroken = "audit-chain-broken", "an audit record was changed, removed or moved";
    Sealed = "sealed", "the vault's master key is not in memory";
    VaultTampered = "vault-tampered", "the vault's storage is not what the vault wrote";
    VaultRollback = "vault-rollback", "the vault's storage is older than its anchor, or has none";
    VaultUnavailable = "vault-unavailable", "the vault's storage or its anchor cannot be read or written";
    RefusedByProgram = "refused-by-program", "the program in the party's place ended the session, and says no more than that (RFC 8446 §6.2)";
    Timeout = "timeout", "no answer came in the time allowed";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Reason {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Reason::ALL.iter().copied().find(|r| r.word() == word).ok_or(())
    }
}

/// Its word.
impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl JsonSchema for Reason {
    fn schema_name() -> Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = Reason::ALL.iter().map(|reason| reason.word()).collect();
        json_schema!({ "enum": words })
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        word.parse().map_err(|()| de::Error::custom("a reason's word"))
    }
}
