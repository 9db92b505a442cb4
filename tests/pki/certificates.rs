//! Certificates of a root: names, times, uses, signatures, encodings.

use mallory::knowledge::Certified;
use mallory::pki::request_for_encryption;

use super::*;

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
