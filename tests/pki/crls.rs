//! CRLs: when they appear, what they say, and which are taken.

use super::*;

#[test]
fn crls_are_published_on_schedule() {
    let mut ca = authority();
    let mut alice = checking_crls(&ca, OnUnavailable::HardFail);
    assert!(needs(&mut alice, &mut ca, START));
    let at_start = ca.crl(START);
    let summary = accept(&mut alice, &at_start, START).expect("it is current");
    assert_eq!((summary.number, summary.entries), (1, 0));
    assert_eq!((summary.this_update, summary.next_update), (START, hours(24)));
    assert!(!needs(&mut alice, &mut ca, START));
    assert!(!needs(&mut alice, &mut ca, UnixNanos(hours(24).0 - 1)));
    assert!(needs(&mut alice, &mut ca, hours(24)));
    // Between publications the bytes are the same, whatever happens.
    bob(&mut ca);
    assert_eq!(
        ca.revoke("Bob", RevocationReason::KeyCompromise, START.after(Span::seconds(1))),
        [5],
        "after four that were asked for in between"
    );
    assert_eq!(ca.crl(UnixNanos(hours(1).0 - 1)), at_start);
    let summary = accept(&mut alice, &ca.crl(hours(1)), hours(1)).expect("it is current");
    assert_eq!((summary.number, summary.this_update, summary.entries), (2, hours(1), 1));
    let summary = accept(&mut alice, &ca.crl(hours(30).after(Span(5))), hours(31)).expect("it is current");
    assert_eq!((summary.number, summary.this_update, summary.entries), (31, hours(30), 1));
    // Before the first publication there is only the first.
    assert_eq!(ca.crl(UnixNanos(0)), at_start);
}

#[test]
fn a_revoked_certificate_is_refused_from_the_next_crl_on() {
    let mut ca = authority();
    let certificate = bundle(&bob(&mut ca));
    let mut alice = checking_crls(&ca, OnUnavailable::HardFail);
    accept(&mut alice, &ca.crl(START), START).expect("it is current");
    assert!(!ca.is_revoked("Bob"));
    ca.revoke("Bob", RevocationReason::KeyCompromise, START.after(Span::seconds(60)));
    assert!(ca.is_revoked("Bob"));
    // The window: the CRL at hand is current and does not know.
    assert!(alice.check(&certificate, Some("Bob"), UnixNanos(hours(1).0 - 1)).is_ok());
    accept(&mut alice, &ca.crl(hours(1)), hours(1)).expect("it is current");
    assert_eq!(alice.check(&certificate, Some("Bob"), hours(1)), Err(Reason::CertificateRevoked));
    // Name before revocation.
    assert_eq!(alice.check(&certificate, Some("Carol"), hours(1)), Err(Reason::CertificateNameMismatch));
    let mut unaware = party(trusting(&ca));
    assert!(!needs(&mut unaware, &mut ca, hours(1)));
    assert!(unaware.check(&certificate, Some("Bob"), hours(1)).is_ok());
}

#[test]
fn revocation_is_for_good_and_new_certificates_are_others() {
    let mut ca = authority();
    bob(&mut ca);
    bob(&mut ca);
    assert_eq!(ca.revoke("Bob", RevocationReason::Superseded, hours(1)), [1, 2]);
    let before = ca.crl(hours(2));
    assert_eq!(ca.revoke("Bob", RevocationReason::KeyCompromise, hours(3)), [0u64; 0]);
    assert_eq!(ca.revoke("Nobody", RevocationReason::KeyCompromise, hours(3)), [0u64; 0]);
    assert!(!ca.is_revoked("Nobody"));
    ca.crl(hours(3));
    assert_eq!(ca.crl(hours(2)), before, "the first reason and date are kept");
    let renewed = bundle(&bob(&mut ca));
    assert!(!ca.is_revoked("Bob"));
    let mut alice = checking_crls(&ca, OnUnavailable::HardFail);
    assert_eq!(accept(&mut alice, &ca.crl(hours(4)), hours(4)).expect("it is current").entries, 2);
    assert!(alice.check(&renewed, Some("Bob"), hours(4)).is_ok());
}

#[test]
fn an_entry_stays_until_one_crl_beyond_not_after() {
    let mut ca = authority();
    bob(&mut ca);
    ca.revoke("Bob", RevocationReason::Unspecified, START);
    let mut alice = checking_crls(&ca, OnUnavailable::HardFail);
    let mut entries = |now| accept(&mut alice, &ca.crl(now), now).expect("it is current").entries;
    let expiry = 90 * 24;
    assert_eq!(entries(START), 1, "revoked at thisUpdate");
    assert_eq!(entries(hours(expiry)), 1);
    assert_eq!(entries(hours(expiry + 1)), 1, "the first one beyond");
    assert_eq!(entries(hours(expiry + 2)), 0);
}

#[test]
fn without_a_current_crl_the_policy_decides() {
    let mut ca = authority();
    let certificate = bundle(&bob(&mut ca));
    let mut soft = checking_crls(&ca, OnUnavailable::SoftFail);
    let mut hard = checking_crls(&ca, OnUnavailable::HardFail);
    assert!(soft.check(&certificate, Some("Bob"), START).is_ok());
    assert_eq!(hard.check(&certificate, Some("Bob"), START), Err(Reason::RevocationUnavailable));
    ca.revoke("Bob", RevocationReason::KeyCompromise, START);
    let crl = ca.crl(START);
    for alice in [&mut soft, &mut hard] {
        accept(alice, &crl, START).expect("it is current");
        let last = UnixNanos(hours(24).0 - 1);
        assert_eq!(alice.check(&certificate, Some("Bob"), last), Err(Reason::CertificateRevoked));
    }
    // From nextUpdate on the CRL says nothing, not even of whom it lists.
    assert!(soft.check(&certificate, Some("Bob"), hours(24)).is_ok());
    assert_eq!(hard.check(&certificate, Some("Bob"), hours(24)), Err(Reason::RevocationUnavailable));
}

#[test]
fn crls_are_refused_before_after_and_backwards() {
    let mut ca = authority();
    let mut alice = checking_crls(&ca, OnUnavailable::HardFail);
    let crls: Vec<_> = (0..4).map(|n| ca.crl(hours(n))).collect();
    assert_eq!(accept(&mut alice, &crls[1], UnixNanos(hours(1).0 - 1)), Err(Reason::CrlNotYetValid));
    assert_eq!(accept(&mut alice, &crls[1], hours(25)), Err(Reason::CrlExpired));
    assert!(needs(&mut alice, &mut ca, hours(1)), "what is refused is not held");
    assert!(accept(&mut alice, &crls[2], hours(2)).is_ok());
    assert_eq!(accept(&mut alice, &crls[1], hours(2)), Err(Reason::CrlRollback));
    assert!(accept(&mut alice, &crls[2], hours(2)).is_ok(), "the same one again");
    assert!(accept(&mut alice, &crls[3], hours(3)).is_ok());
    assert_eq!(accept(&mut alice, &crls[2], hours(3)), Err(Reason::CrlRollback));
    // A clone has what its original had, and then its own.
    let mut carol = checking_crls(&ca, OnUnavailable::HardFail);
    let mut dave = carol.clone();
    accept(&mut carol, &crls[3], hours(3)).expect("it is current");
    assert!(needs(&mut dave, &mut ca, hours(3)));
    assert!(accept(&mut dave, &crls[2], hours(3)).is_ok());
}

#[test]
fn only_the_issuer_signs_crls() {
    let mut ca = authority();
    let certificate = bundle(&bob(&mut ca));
    let mut namesake = Authority::new("CA", ed25519("not CA"), START, AuthorityPolicy::default());
    let mut other = Authority::new("CB", ed25519("CB"), START, AuthorityPolicy::default());
    let mut alice = checking_crls(&ca, OnUnavailable::HardFail);
    assert_eq!(accept(&mut alice, &namesake.crl(START), START), Err(Reason::CrlBadSignature));
    assert_eq!(accept(&mut alice, &other.crl(START), START), Err(Reason::CrlIssuerMismatch));
    // A root's CRL says nothing of what another root's authority issued.
    let roots = vec![other.root().to_vec(), ca.root().to_vec()];
    let mut both = party(TrustPolicy { roots, ..TrustPolicy::default() });
    other.issue(&request_for_signing("Bob", &ed25519("Bob")), "Bob", START).expect("a good request");
    other.revoke("Bob", RevocationReason::Unspecified, START);
    accept(&mut both, &other.crl(START.after(HOUR)), hours(1)).expect("it is current");
    assert!(needs(&mut both, &mut ca, hours(1)));
    assert_eq!(both.check(&certificate, Some("Bob"), hours(1)), Err(Reason::RevocationUnavailable));
    accept(&mut both, &ca.crl(hours(1)), hours(1)).expect("it is current");
    assert!(!needs(&mut both, &mut ca, hours(1)));
    assert!(both.check(&certificate, Some("Bob"), hours(1)).is_ok());
}

#[test]
fn no_changed_byte_of_a_crl_is_accepted() {
    for suite in [Signature::Ed25519, Signature::EcdsaP256] {
        let mut ca = Authority::new("CA", key("CA", suite), START, AuthorityPolicy::default());
        bob(&mut ca);
        ca.revoke("Bob", RevocationReason::KeyCompromise, START);
        let mut alice = checking_crls(&ca, OnUnavailable::HardFail);
        let good = ca.crl(START);
        for position in 0..good.len() {
            for change in [1, 0x20, 0x80, 0xff] {
                let mut changed = good.clone();
                changed[position] ^= change;
                assert!(accept(&mut alice, &changed, START).is_err(), "byte {position} ^ {change:#x}");
            }
            assert!(accept(&mut alice, &good[..position], START).is_err(), "{position} bytes");
        }
        assert!(accept(&mut alice, &good, START).is_ok());
    }
}

#[test]
fn large_crls_are_read_once_and_shared() {
    let mut ca = authority();
    let request = request_for_signing("Bob", &ed25519("Bob"));
    for _ in 0..300 {
        ca.issue(&request, "Bob", START).expect("a good request");
    }
    let last = bundle(&ca.issue(&request, "Bob", START).expect("a good request").der);
    ca.revoke("Bob", RevocationReason::CessationOfOperation, START);
    let spared = bundle(&ca.issue(&request, "Bob", START).expect("a good request").der);
    let crl = ca.crl(START);
    let one = checking_crls(&ca, OnUnavailable::HardFail);
    for mut party in std::iter::repeat_n(one, 50) {
        assert_eq!(accept(&mut party, &crl, START).expect("it is current").entries, 301);
        assert_eq!(party.check(&last, Some("Bob"), START), Err(Reason::CertificateRevoked));
        assert!(party.check(&spared, Some("Bob"), START).is_ok());
    }
}
