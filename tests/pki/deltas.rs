//! Delta CRLs: which are taken, what they change, and for how long.

use x509_cert::ext::pkix::CrlReason;

use super::odd::{self, List, because, entry};
use super::*;

fn publishing_deltas() -> Authority {
    let policy = AuthorityPolicy {
        crl_period: Span::seconds(4 * 3_600),
        delta_period: Some(Span::seconds(900)),
        ..AuthorityPolicy::default()
    };
    Authority::new("CA", ed25519("CA"), START, policy)
}

fn minutes(n: u64) -> UnixNanos {
    START.after(Span::seconds(60 * n))
}

fn take(alice: &mut RelyingParty, ca: &mut Authority, deltas: bool, now: UnixNanos) -> Result<(), Reason> {
    let answer = ca.publication(deltas, now);
    alice.accept(&answer, now).map(drop)
}

fn with_deltas(ca: &Authority) -> RelyingParty {
    party(TrustPolicy { revocation: Revocation::Crl, deltas: true, ..trusting(ca) })
}

#[test]
fn a_delta_needs_its_base() {
    let mut ca = publishing_deltas();
    let mut alice = with_deltas(&ca);
    assert_eq!(take(&mut alice, &mut ca, true, minutes(15)), Err(Reason::DeltaBaseMissing), "no base");
    take(&mut alice, &mut ca, false, START).expect("a base");
    take(&mut alice, &mut ca, true, minutes(15)).expect("a delta to it");
    take(&mut alice, &mut ca, true, minutes(240)).expect("still a delta to it");
    // From then on deltas are to the next complete CRL.
    let late = take(&mut alice, &mut ca, true, minutes(255));
    assert_eq!(late, Err(Reason::DeltaBaseMissing), "an old base");
    take(&mut alice, &mut ca, false, minutes(255)).expect("the next base");
    take(&mut alice, &mut ca, true, minutes(255)).expect("a delta to it");
}

#[test]
fn a_delta_revokes_before_the_next_complete_crl() {
    let mut ca = publishing_deltas();
    let certificate = bundle(&bob(&mut ca));
    let mut alice = with_deltas(&ca);
    take(&mut alice, &mut ca, false, START).expect("a base");
    ca.revoke("Bob", RevocationReason::KeyCompromise, minutes(20));
    assert!(alice.check(&certificate, Some("Bob"), minutes(30)).is_ok());
    take(&mut alice, &mut ca, true, minutes(30)).expect("a delta");
    assert_eq!(alice.check(&certificate, Some("Bob"), minutes(30)), Err(Reason::CertificateRevoked));
    // It has expired and no other came: revoked is revoked.
    assert_eq!(alice.check(&certificate, Some("Bob"), minutes(50)), Err(Reason::CertificateRevoked));
    // The next complete CRL says so itself.
    take(&mut alice, &mut ca, false, minutes(240)).expect("a complete CRL");
    assert_eq!(alice.check(&certificate, Some("Bob"), minutes(240)), Err(Reason::CertificateRevoked));
}

#[test]
fn deltas_bring_holds_and_end_them() {
    let mut ca = publishing_deltas();
    let certificate = bundle(&bob(&mut ca));
    let mut alice = with_deltas(&ca);
    let check = |alice: &mut RelyingParty, now| alice.check(&certificate, Some("Bob"), now).map(drop);
    take(&mut alice, &mut ca, false, START).expect("a base");
    ca.revoke("Bob", RevocationReason::CertificateHold, minutes(20));
    take(&mut alice, &mut ca, true, minutes(30)).expect("a delta");
    assert_eq!(check(&mut alice, minutes(30)), Err(Reason::CertificateRevoked));
    ca.release("Bob", minutes(40));
    take(&mut alice, &mut ca, true, minutes(45)).expect("a delta");
    assert_eq!(check(&mut alice, minutes(45)), Ok(()));
    // On hold in the complete CRL, too, and then removed by a delta.
    ca.revoke("Bob", RevocationReason::CertificateHold, minutes(200));
    take(&mut alice, &mut ca, false, minutes(240)).expect("a complete CRL");
    assert_eq!(check(&mut alice, minutes(240)), Err(Reason::CertificateRevoked));
    ca.release("Bob", minutes(250));
    take(&mut alice, &mut ca, true, minutes(255)).expect("a delta");
    assert_eq!(check(&mut alice, minutes(255)), Ok(()));
    // A delta that has expired removes nothing: there may be a later one that holds again.
    assert_eq!(check(&mut alice, UnixNanos(minutes(270).0 - 1)), Ok(()));
    assert_eq!(check(&mut alice, minutes(270)), Err(Reason::CertificateRevoked));
    // After a hold comes revocation for good, and no release.
    assert_eq!(ca.revoke("Bob", RevocationReason::CertificateHold, minutes(280)), [1]);
    assert_eq!(ca.revoke("Bob", RevocationReason::KeyCompromise, minutes(285)), [1]);
    assert_eq!(ca.release("Bob", minutes(290)), [0u64; 0]);
    take(&mut alice, &mut ca, true, minutes(300)).expect("a delta");
    assert_eq!(check(&mut alice, minutes(300)), Err(Reason::CertificateRevoked));
}

#[test]
fn deltas_go_forward_only() {
    let ca = publishing_deltas();
    let issuer = odd::subject_of(ca.root());
    let delta = |number, base, from| {
        List { base: Some(base), from, ..List::of(issuer.clone(), number) }.sign(&ed25519("CA"))
    };
    let mut alice = with_deltas(&ca);
    let complete = List::of(issuer.clone(), 5).sign(&ed25519("CA"));
    accept(&mut alice, &complete, hours(2)).expect("a base");
    for (number, base, from, expected) in [
        (7, 6, hours(1), Err(Reason::DeltaBaseMissing)),
        (7, 5, hours(1), Ok(())),
        (6, 5, hours(1), Err(Reason::CrlRollback)),
        (8, 5, START, Err(Reason::CrlRollback)),
        (8, 5, hours(3), Err(Reason::CrlNotYetValid)),
        (7, 5, hours(1), Ok(())),
        (9, 3, hours(2), Ok(())),
    ] {
        let taken = accept(&mut alice, &delta(number, base, from), hours(2)).map(drop);
        assert_eq!(taken, expected, "number {number}, base {base}, of {from:?}");
    }
    // And so do the complete ones that follow.
    let older = List::of(issuer, 4).sign(&ed25519("CA"));
    assert_eq!(accept(&mut alice, &older, hours(2)), Err(Reason::CrlRollback));
}

#[test]
fn only_a_delta_removes() {
    let mut ca = publishing_deltas();
    let certificate = bundle(&bob(&mut ca));
    let issuer = odd::subject_of(ca.root());
    let list = || {
        let entries = vec![entry(1, because(CrlReason::RemoveFromCRL))];
        List { entries, ..List::of(issuer.clone(), 5) }
    };
    let mut alice = with_deltas(&ca);
    accept(&mut alice, &list().sign(&ed25519("CA")), START).expect("a complete CRL");
    assert_eq!(alice.check(&certificate, Some("Bob"), START), Err(Reason::CertificateRevoked));
    let delta = List { base: Some(5), number: Some(6), ..list() };
    accept(&mut alice, &delta.sign(&ed25519("CA")), START).expect("a delta");
    assert!(alice.check(&certificate, Some("Bob"), START).is_ok());
}

#[test]
fn complete_crls_say_where_their_deltas_are() {
    let of = |ca: &mut Authority, deltas| {
        let answer = ca.publication(deltas, hours(1)).to_vec();
        // id-ce-freshestCRL, 2.5.29.46 (RFC 5280 §5.2.6).
        answer.windows(5).any(|bytes| bytes == [6, 3, 0x55, 0x1d, 0x2e])
    };
    assert!(of(&mut publishing_deltas(), false));
    assert!(!of(&mut publishing_deltas(), true));
    assert!(!of(&mut authority(), false));
}
