//! Responses that come with a certificate.

use super::ocsp::{asking, wants};
use super::odd::OddResponse;
use super::*;

fn scene() -> (Authority, Vec<u8>, Vec<u8>) {
    let mut ca = authority();
    ca.must_staple(["Bob".to_owned()]);
    let bob = bob(&mut ca);
    let carol = request_for_signing("Carol", &ed25519("Carol"));
    let carol = ca.issue(&carol, "Carol", START).expect("a good request").der;
    (ca, bob, carol)
}

fn response(ca: &mut Authority, der: &[u8], now: UnixNanos) -> Vec<u8> {
    let (alice, id) = wants(asking(ca), &bundle(der));
    ca.ocsp(&alice.ocsp_request(&id, &[0; 32]), now)
}

fn with_staples(der: &[u8], staples: &[&[u8]]) -> Vec<u8> {
    let staples = staples.iter().map(|staple| staple.to_vec()).collect();
    let signature = Some(der.to_vec());
    Certificates { signature, staples, ..Certificates::default() }.to_value().bytes.to_vec()
}

fn taking(ca: &Authority, on_unavailable: OnUnavailable) -> RelyingParty {
    party(TrustPolicy { revocation: Revocation::Stapled, on_unavailable, ..trusting(ca) })
}

#[test]
fn a_certificate_may_demand_a_staple() {
    let (mut ca, bob, carol) = scene();
    let staple = response(&mut ca, &bob, START);
    for policy in [OnUnavailable::SoftFail, OnUnavailable::HardFail] {
        let mut alice = taking(&ca, policy);
        assert_eq!(alice.check(&with_staples(&bob, &[]), None, START), Err(Reason::MissingStaple));
        assert!(alice.check(&with_staples(&bob, &[&staple]), Some("Bob"), START).is_ok());
    }
    // Carol's demands none: then the policy decides.
    let bare = with_staples(&carol, &[]);
    assert!(taking(&ca, OnUnavailable::SoftFail).check(&bare, None, START).is_ok());
    let refused = taking(&ca, OnUnavailable::HardFail).check(&bare, None, START);
    assert_eq!(refused, Err(Reason::MissingStaple));
}

#[test]
fn a_staple_that_does_not_hold_is_not_overlooked() {
    let (mut ca, bob, carol) = scene();
    let good = response(&mut ca, &bob, START);
    let of_carol = response(&mut ca, &carol, START);
    let forged = OddResponse::read(&good).sign(&ed25519("other"), &[]);
    for (staple, now, expected) in [
        (&of_carol, START, Reason::OcspCertIdMismatch),
        (&forged, START, Reason::OcspBadSignature),
        (&good, hours(12), Reason::OcspExpired),
        (&mallory::pki::try_later(), START, Reason::OcspTryLater),
        (&b"no response".to_vec(), START, Reason::Malformed),
    ] {
        let mut alice = taking(&ca, OnUnavailable::SoftFail);
        assert_eq!(alice.check(&with_staples(&bob, &[staple]), None, now), Err(expected));
    }
    let later = response(&mut ca, &bob, hours(2));
    let mut alice = taking(&ca, OnUnavailable::SoftFail);
    let refused = alice.check(&with_staples(&bob, &[&later]), None, hours(1));
    assert_eq!(refused, Err(Reason::OcspNotYetValid));
    // Of several the one that is meant counts.
    assert!(alice.check(&with_staples(&bob, &[&of_carol, &good]), None, START).is_ok());
    let both_of_others = with_staples(&bob, &[&of_carol, &of_carol]);
    assert_eq!(alice.check(&both_of_others, None, START), Err(Reason::MissingStaple));
}

#[test]
fn a_staple_may_say_that_its_certificate_is_revoked() {
    let (mut ca, bob, _) = scene();
    let before = response(&mut ca, &bob, START);
    ca.revoke("Bob", RevocationReason::KeyCompromise, hours(1));
    let after = response(&mut ca, &bob, hours(1));
    let mut alice = taking(&ca, OnUnavailable::SoftFail);
    let revoked = Err(Reason::CertificateRevoked);
    // The window: the staple of before is current and does not know.
    assert!(alice.check(&with_staples(&bob, &[&before]), Some("Bob"), hours(1)).is_ok());
    assert_eq!(alice.check(&with_staples(&bob, &[&after]), None, hours(1)), revoked);
    assert_eq!(alice.check(&with_staples(&bob, &[&before]), None, hours(1)), revoked, "it remembers");
    alice.forget();
    assert!(alice.check(&with_staples(&bob, &[&before]), Some("Bob"), hours(1)).is_ok());
}
