//! The certificates' room: what an authority issues and publishes, and what relying parties
//! accept and refuse, with OpenSSL as a second opinion where it is installed.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::Arc;

use mallory::crypto::{DecryptionKey, PublicKeyEncryption, Signature, SigningKey, stream};
use mallory::knowledge::{Bytes, Certified};
use mallory::pki::{
    Authority, AuthorityPolicy, Certificates, CrlSummary, Judgement, OnUnavailable, RelyingParty, Revocation,
    RevocationReason, TrustPolicy, foreign_request_for_encryption, foreign_request_for_signing,
    request_for_encryption, request_for_signing,
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
fn what_an_authority_issues_is_accepted() {
    let decryption = decryption_key();
    for suite in Signature::ALL {
        let mut ca = Authority::new("CA", key("CA", *suite), START, AuthorityPolicy::default());
        for subject_suite in Signature::ALL {
            let signing = key("Bob", *subject_suite);
            let first =
                ca.issue(&request_for_signing("Bob", &signing), "Bob", START).expect("a good request");
            let second =
                ca.issue(&request_for_encryption("Bob", &decryption), "Bob", START).expect("another");
            assert_eq!(second.serial, first.serial + 1);
            let Certified { subject, public } = party(trusting(&ca))
                .check(&bundle_of(Some(&second.der), Some(&first.der)), Some("Bob"), START)
                .expect("both certificates are good");
            assert_eq!(subject, "Bob");
            assert_eq!(public.signature, Some(signing.public()));
            assert_eq!(public.encryption, Some(decryption.public()));
        }
    }
}

#[test]
fn names_are_compared_as_principals() {
    let mut ca = authority();
    let mut alice = party(trusting(&ca));
    for name in ["Bob", "bob", "KDC_1", "a", "_", "0"] {
        let der =
            ca.issue(&request_for_signing(name, &ed25519(name)), name, START).expect("a good request").der;
        let certified = alice.check(&bundle(&der), Some(name), START).expect("its own name");
        assert_eq!(certified.subject, name);
        assert_eq!(alice.check(&bundle(&der), None, START).expect("no name is asked for").subject, name);
        for other in ["BOB", "Bo", "Bob2", "CA", ""] {
            let refused = alice.check(&bundle(&der), Some(other), START);
            assert_eq!(refused, Err(Reason::CertificateNameMismatch), "{name} is not {other}");
        }
    }
    let mut careless = party(TrustPolicy { check_name: false, ..trusting(&ca) });
    assert_eq!(
        careless.check(&bundle(&bob(&mut ca)), Some("Alice"), START).map(|c| c.subject),
        Ok("Bob".to_owned())
    );
}

#[test]
fn all_certificates_of_a_bundle_name_one_subject() {
    let mut ca = authority();
    let request = request_for_encryption("Mallory", &decryption_key());
    let mallory = ca.issue(&request, "Mallory", START).expect("a good request").der;
    let mixed = bundle_of(Some(&mallory), Some(&bob(&mut ca)));
    for expected in [Some("Bob"), Some("Mallory"), None] {
        assert_eq!(party(trusting(&ca)).check(&mixed, expected, START), Err(Reason::CertificateNameMismatch));
    }
}

#[test]
fn other_roots_lead_nowhere() {
    let mut ca = authority();
    let certificate = bundle(&bob(&mut ca));
    let named_otherwise = Authority::new("CB", ed25519("CB"), START, AuthorityPolicy::default());
    let namesake = Authority::new("CA", ed25519("not CA"), START, AuthorityPolicy::default());
    for other in [named_otherwise, namesake] {
        let refused = party(trusting(&other)).check(&certificate, Some("Bob"), START);
        assert_eq!(refused, Err(Reason::CertificateUntrusted));
        // A stranger's certificate that has also expired is a stranger's.
        let refused = party(trusting(&other)).check(&certificate, Some("Alice"), hours(24 * 365));
        assert_eq!(refused, Err(Reason::CertificateUntrusted));
        let both = TrustPolicy { roots: vec![other.root().to_vec(), ca.root().to_vec()], ..trusting(&other) };
        assert!(party(both).check(&certificate, Some("Bob"), START).is_ok());
    }
    let mut nobody = party(TrustPolicy { roots: vec![b"no certificate".to_vec()], ..trusting(&ca) });
    assert_eq!(nobody.check(&certificate, Some("Bob"), START), Err(Reason::CertificateUntrusted));
    let mut careless = party(TrustPolicy { check_chain: false, roots: Vec::new(), ..trusting(&ca) });
    assert!(careless.check(&certificate, Some("Bob"), START).is_ok());
}

#[test]
fn validity_ends_with_the_second_that_not_after_names() {
    let mut ca = authority();
    let issued = START.after(Span::millis(1_500));
    let request = request_for_signing("Bob", &ed25519("Bob"));
    let certificate = bundle(&ca.issue(&request, "Bob", issued).expect("a good request").der);
    let mut alice = party(trusting(&ca));
    let mut check = |now| alice.check(&certificate, Some("Bob"), now).map(|_| ());
    let not_before = START.after(Span::seconds(1));
    let not_after = not_before.after(LIFETIME);
    assert_eq!(check(UnixNanos(not_before.0 - 1)), Err(Reason::CertificateNotYetValid));
    assert_eq!(check(not_before), Ok(()));
    assert_eq!(check(issued), Ok(()));
    assert_eq!(check(not_after), Ok(()));
    assert_eq!(check(not_after.after(Span(999_999_999))), Ok(()));
    assert_eq!(check(not_after.after(Span::seconds(1))), Err(Reason::CertificateExpired));
    assert_eq!(check(UnixNanos(0)), Err(Reason::CertificateNotYetValid));
    assert_eq!(check(UnixNanos(u64::MAX)), Err(Reason::CertificateExpired));
    // Time before name.
    let late = not_after.after(Span::seconds(1));
    assert_eq!(alice.check(&certificate, Some("Alice"), late), Err(Reason::CertificateExpired));
}

#[test]
fn nothing_outlives_the_root() {
    let mut ca = authority();
    let year = |n: u64| START.after(Span::seconds(n * 365 * 86_400));
    let late = UnixNanos(year(20).0 - 2 * HOUR.0);
    let der =
        ca.issue(&request_for_signing("Bob", &ed25519("Bob")), "Bob", late).expect("a good request").der;
    let mut alice = party(trusting(&ca));
    assert!(alice.check(&bundle(&der), Some("Bob"), UnixNanos(year(20).0 - HOUR.0)).is_ok());
    let refused = alice.check(&bundle(&der), Some("Bob"), year(20));
    assert_eq!(refused, Err(Reason::CertificateExpired));
}

#[test]
fn keys_are_used_for_what_they_are_certified_for() {
    let mut ca = authority();
    let signature = bob(&mut ca);
    let request = request_for_encryption("Bob", &decryption_key());
    let encryption = ca.issue(&request, "Bob", START).expect("a good request").der;
    let mut alice = party(trusting(&ca));
    for swapped in [bundle_of(Some(&signature), None), bundle(&encryption)] {
        assert_eq!(alice.check(&swapped, Some("Bob"), START), Err(Reason::CertificateWrongUsage));
    }
    // An authority's certificate is no subject's.
    assert_eq!(alice.check(&bundle(ca.root()), None, START), Err(Reason::CertificateWrongUsage));
}

#[test]
fn a_subject_is_no_authority() {
    let mut ca = authority();
    let der =
        ca.issue(&request_for_signing("Mallory", &ed25519("Mallory")), "Mallory", START).expect("good").der;
    // Mallory signs with the key that the authority certified, under her own name.
    let mut rogue = Authority::new("Mallory", ed25519("Mallory"), START, AuthorityPolicy::default());
    let forged =
        rogue.issue(&request_for_signing("Bob", &ed25519("false Bob")), "Bob", START).expect("good").der;
    let mut alice = party(trusting(&ca));
    let chain = bundle_of(Some(&der), Some(&forged));
    assert_eq!(alice.check(&chain, Some("Bob"), START), Err(Reason::CertificateNotACa));
    assert_eq!(alice.check(&bundle(&forged), Some("Bob"), START), Err(Reason::CertificateUntrusted));
    let mut careless = party(TrustPolicy { check_chain: false, ..trusting(&ca) });
    assert!(careless.check(&bundle(&forged), Some("Bob"), START).is_ok());
}

#[test]
fn no_changed_byte_is_accepted() {
    let mut ca = authority();
    let mut alice = party(trusting(&ca));
    // Whoever checks no chain accepts much, but reads the same bytes without falling over.
    let mut careless = party(TrustPolicy { check_chain: false, ..trusting(&ca) });
    let good = bob(&mut ca);
    for position in 0..good.len() {
        for change in [1, 0x20, 0x80, 0xff] {
            let mut changed = good.clone();
            changed[position] ^= change;
            assert!(alice.check(&bundle(&changed), None, START).is_err(), "byte {position} ^ {change:#x}");
            let _ = careless.check(&bundle(&changed), None, START);
        }
        assert!(alice.check(&bundle(&good[..position]), None, START).is_err(), "{position} bytes");
    }
    let longer = [&good[..], &[0]].concat();
    assert_eq!(alice.check(&bundle(&longer), None, START), Err(Reason::Malformed));
}

#[test]
fn a_bundle_has_one_encoding() {
    let mut ca = authority();
    let mut alice = party(trusting(&ca));
    let one = bundle(&bob(&mut ca));
    for bytes in
        [Vec::new(), [&one[..], &one].concat(), [&one[..], &[0]].concat(), vec![3, 0, 0], vec![2, 0, 0]]
    {
        assert_eq!(alice.check(&bytes, None, START), Err(Reason::Malformed));
    }
    for len in 0..one.len() {
        assert_eq!(alice.check(&one[..len], None, START), Err(Reason::Malformed), "{len} bytes");
    }
}

#[test]
fn a_lax_authority_certifies_a_key_for_who_does_not_hold_it() {
    let (bobs, mallorys) = (ed25519("Bob"), ed25519("Mallory"));
    let requests = [
        foreign_request_for_signing("Mallory", &bobs.public(), &mallorys),
        foreign_request_for_encryption("Mallory", &decryption_key().public(), &mallorys),
    ];
    let policy = AuthorityPolicy { proof_of_possession: false, ..AuthorityPolicy::default() };
    let mut lax = Authority::new("CA", ed25519("CA"), START, policy);
    for request in &requests {
        assert_eq!(authority().issue(request, "Mallory", START), Err(Reason::BadProofOfPossession));
        assert_eq!(lax.issue(request, "Bob", START), Err(Reason::NotAuthorisedForName));
        lax.issue(request, "Mallory", START).expect("it asks for no proof");
    }
    let certificate = lax.issue(&requests[0], "Mallory", START).expect("it asks for no proof").der;
    let certified = party(trusting(&lax)).check(&bundle(&certificate), None, START).expect("a good path");
    assert_eq!((&*certified.subject, certified.public.signature), ("Mallory", Some(bobs.public())));
}

#[test]
fn requests_prove_possession_and_ask_for_their_own_name() {
    let mut ca = authority();
    let request = request_for_signing("Bob", &ed25519("Bob"));
    assert_eq!(ca.issue(&request, "Mallory", START), Err(Reason::NotAuthorisedForName));
    assert_eq!(ca.issue(&request, "bob", START), Err(Reason::NotAuthorisedForName));
    // Mallory puts Bob's key under her name: the signature is his and covers his name.
    let mut stolen = request.clone();
    let name = stolen.windows(3).position(|bytes| bytes == b"Bob").expect("the subject is in it");
    stolen[name..name + 3].copy_from_slice(b"Eve");
    assert_eq!(ca.issue(&stolen, "Eve", START), Err(Reason::BadProofOfPossession));
    // A name that a dNSName cannot hold.
    let foreign = request_for_signing("Bøb", &ed25519("Bob"));
    assert_eq!(ca.issue(&foreign, "Bøb", START), Err(Reason::NotAuthorisedForName));
    for request in [request, request_for_encryption("Bob", &decryption_key())] {
        for position in 0..request.len() {
            let mut changed = request.clone();
            changed[position] ^= 1;
            assert!(ca.issue(&changed, "Bob", START).is_err(), "byte {position}");
            assert!(ca.issue(&request[..position], "Bob", START).is_err(), "{position} bytes");
        }
    }
    // Nothing of this was issued.
    assert_eq!(
        ca.issue(&request_for_signing("Bob", &ed25519("Bob")), "Bob", START).map(|issued| issued.serial),
        Ok(1)
    );
}

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

#[test]
fn openssl_agrees() {
    if Command::new("openssl").arg("version").output().is_err() {
        println!("openssl is not installed: nothing to compare with");
        return;
    }
    let dir = std::env::temp_dir().join(format!("mallory-pki-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a directory for the files");
    let file = |name: &str, bytes: &[u8]| {
        fs::write(dir.join(name), bytes).expect("a file can be written");
    };
    let openssl = |arguments: &str| {
        let output =
            Command::new("openssl").args(arguments.split(' ')).current_dir(&dir).output().expect("it ran");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    for suite in Signature::ALL {
        let mut ca = Authority::new("CA", key("CA", *suite), START, AuthorityPolicy::default());
        let request = request_for_signing("Bob", &key("Bob", *suite));
        let bob = ca.issue(&request, "Bob", START).expect("a good request").der;
        let encryption_request = request_for_encryption("Carol", &decryption_key());
        let carol = ca.issue(&encryption_request, "Carol", START).expect("a good request").der;
        ca.revoke("Carol", RevocationReason::KeyCompromise, START);
        file("root.der", ca.root());
        file("crl.der", &ca.crl(START));
        file("bob.der", &bob);
        file("carol.der", &carol);
        file("request.der", &request);
        file("encryption.der", &encryption_request);
        for name in ["root", "bob", "carol"] {
            assert!(
                openssl(&format!("x509 -inform DER -in {name}.der -out {name}.pem")).0,
                "{suite}: {name}"
            );
        }
        assert!(openssl("crl -inform DER -in crl.der -out crl.pem").0);
        for request in ["request", "encryption"] {
            let (passed, said) = openssl(&format!("req -inform DER -in {request}.der -verify -noout"));
            assert!(passed && said.contains("OK"), "{suite}: {said}");
        }
        let (passed, said) = openssl("crl -in crl.pem -CAfile root.pem -noout");
        assert!(passed && said.contains("verify OK"), "{suite}: {said}");
        let verify = format!(
            "verify -x509_strict -attime {} -CAfile root.pem -crl_check -CRLfile crl.pem",
            START.after(Span::seconds(60)).seconds()
        );
        let (passed, said) = openssl(&format!("{verify} bob.pem"));
        assert!(passed, "{suite}: {said}");
        let (passed, said) = openssl(&format!("{verify} carol.pem"));
        assert!(!passed && said.contains("certificate revoked"), "{suite}: {said}");
        let (_, said) = openssl("crl -in crl.pem -text -noout");
        assert!(said.contains("Key Compromise") && said.contains("X509v3 CRL Number"), "{suite}: {said}");
    }
    fs::remove_dir_all(&dir).expect("the directory is ours");
}
