//! The certificates' room: what an authority issues and publishes, and what relying parties
//! accept and refuse, whatever they are offered.

mod certificates;
mod crls;
mod deltas;
mod hostile_lists;
mod ocsp;
mod odd;
mod office;
mod paths;
mod requests;
mod staples;

use std::collections::BTreeSet;
use std::sync::Arc;

use mallory::algebra::Bytes;
use mallory::crypto::{DecryptionKey, PublicKeyEncryption, Signature, SigningKey, stream};
use mallory::pki::{
    Authority, AuthorityPolicy, Certificates, CrlSummary, Judgement, OnUnavailable, RelyingParty, Revocation,
    RevocationReason, TrustPolicy, request_for_signing,
};
use mallory::reason::Reason;
use mallory::time::{Span, UnixNanos};

/// 2026-01-01T00:00:00Z.
const START: UnixNanos = UnixNanos(1_767_225_600 * 1_000_000_000);
const HOUR: Span = Span::seconds(3_600);
const LIFETIME: Span = Span::seconds(90 * 86_400);

fn hours(n: u64) -> UnixNanos {
    START.after(Span::seconds(3_600 * n))
}

fn key(owner: &str, suite: Signature) -> SigningKey {
    suite.generate(&mut stream(7, &[owner]))
}

fn ed25519(owner: &str) -> SigningKey {
    key(owner, Signature::Ed25519)
}

fn decryption_key() -> DecryptionKey {
    PublicKeyEncryption::Rsa2048Oaep.generate(&mut stream(7, &["decryption"]))
}

fn authority() -> Authority {
    Authority::new("CA", ed25519("CA"), START, AuthorityPolicy::default())
}

fn bundle(der: &[u8]) -> Vec<u8> {
    bundle_of(None, Some(der))
}

fn bundle_of(encryption: Option<&[u8]>, signature: Option<&[u8]>) -> Vec<u8> {
    let owned = |der: &[u8]| der.to_vec();
    let certificates = Certificates {
        encryption: encryption.map(owned),
        signature: signature.map(owned),
        ..Certificates::default()
    };
    certificates.to_value().bytes.to_vec()
}

/// Bob's certificate for his signing key, issued at `START`.
fn bob(ca: &mut Authority) -> Vec<u8> {
    ca.issue(&request_for_signing("Bob", &ed25519("Bob")), "Bob", START).expect("a good request").der
}

fn trusting(ca: &Authority) -> TrustPolicy {
    TrustPolicy { roots: vec![ca.root().to_vec()], revocation: Revocation::None, ..TrustPolicy::default() }
}

fn party(policy: TrustPolicy) -> RelyingParty {
    RelyingParty::new(Arc::new(policy))
}

fn accept(party: &mut RelyingParty, crl: &[u8], now: UnixNanos) -> Result<CrlSummary, Reason> {
    party.accept(&Bytes::from(crl), now).map(|summaries| summaries[0])
}

/// Whether a party wants a CRL before it decides about a certificate of this authority's.
fn needs(party: &mut RelyingParty, ca: &mut Authority, now: UnixNanos) -> bool {
    let request = request_for_signing("Needy", &ed25519("Needy"));
    let certificate = ca.issue(&request, "Needy", now).expect("a good request").der;
    matches!(party.judge(&bundle(&certificate), None, now, &BTreeSet::new()), Judgement::Wants(_))
}

fn checking_crls(ca: &Authority, on_unavailable: OnUnavailable) -> RelyingParty {
    party(TrustPolicy { revocation: Revocation::Crl, on_unavailable, ..trusting(ca) })
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let play = || {
        let mut ca = Authority::new("CA", key("CA", Signature::EcdsaP256), START, AuthorityPolicy::default());
        let certificate = bob(&mut ca);
        ca.revoke("Bob", RevocationReason::Superseded, START);
        (ca.root().to_vec(), certificate, ca.crl(hours(1)))
    };
    assert_eq!(play(), play());
}

#[test]
fn reasons_have_words_and_codes() {
    for reason in RevocationReason::ALL {
        assert_eq!(reason.word().parse(), Ok(*reason));
    }
    let codes: Vec<_> = RevocationReason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 9, 10], "RFC 5280 §5.3.1");
}
