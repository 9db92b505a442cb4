//! Paths over authorities below the root, and those that are none.

use mallory::pki::{AuthorityKeys, repository};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages, NameConstraints};
use x509_cert::name::Name;

use super::odd::{self, of_authority, of_subject, unknown, with};
use super::*;

const VALIDITY: (UnixNanos, UnixNanos) = (START, UnixNanos(START.0 + LIFETIME.0));

/// Bob's certificate under the authorities `ca-1`, `ca-2`, …, each with these extensions.
fn chain_of(
    ca: &Authority,
    authorities: &[Vec<Extension>],
    of_bob: Vec<Extension>,
) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut above: (Name, SigningKey) = (odd::subject_of(ca.root()), ed25519("CA"));
    let mut chain = Vec::new();
    for (nth, extensions) in (1..).zip(authorities) {
        let own = (odd::name(&format!("ca-{nth}")), ed25519(&format!("ca-{nth}")));
        chain.insert(
            0,
            odd::certificate((&above.0, &above.1), (&own.0, &own.1), VALIDITY, extensions.clone()),
        );
        above = own;
    }
    let bob = (odd::name("Bob"), ed25519("Bob"));
    (odd::certificate((&above.0, &above.1), (&bob.0, &bob.1), VALIDITY, of_bob), chain)
}

fn with_chain(der: &[u8], chain: &[Vec<u8>]) -> Vec<u8> {
    let signature = Some(der.to_vec());
    let certificates = Certificates { signature, chain: chain.to_vec(), ..Certificates::default() };
    certificates.to_value().bytes.to_vec()
}

fn judged(policy: TrustPolicy, authorities: &[Vec<Extension>]) -> Result<(), Reason> {
    let (bob, chain) = chain_of(&authority(), authorities, of_subject("Bob"));
    party(policy).check(&with_chain(&bob, &chain), Some("Bob"), START).map(drop)
}

fn strict() -> TrustPolicy {
    trusting(&authority())
}

fn careless() -> TrustPolicy {
    TrustPolicy { check_ca: false, ..strict() }
}

fn dns(name: &str) -> GeneralSubtree {
    let base = GeneralName::DnsName(der::asn1::Ia5String::new(name).expect("ASCII"));
    GeneralSubtree { base, minimum: 0, maximum: None }
}

#[test]
fn odd_papers_are_good_if_nothing_is_odd() {
    assert_eq!(judged(strict(), &[]), Ok(()));
    assert_eq!(judged(strict(), &[of_authority(None)]), Ok(()));
    assert_eq!(judged(strict(), &[of_authority(Some(1)), of_authority(Some(0))]), Ok(()));
}

#[test]
fn critical_extensions_must_be_known() {
    let ca = authority();
    for (critical, expected) in [(true, Err(Reason::UnknownCriticalExtension)), (false, Ok(()))] {
        let of_bob = [of_subject("Bob"), vec![unknown(critical)]].concat();
        let (bob, chain) = chain_of(&ca, &[], of_bob);
        let ours = party(strict()).check(&with_chain(&bob, &chain), Some("Bob"), START).map(drop);
        assert_eq!(ours, expected, "of a subject");
        let of_ca = [of_authority(None), vec![unknown(critical)]].concat();
        assert_eq!(judged(strict(), &[of_ca]), expected, "of an authority");
    }
}

#[test]
fn no_more_authorities_than_the_path_length_permits() {
    let shallow = [of_authority(Some(0)), of_authority(None)];
    assert_eq!(judged(strict(), &shallow), Err(Reason::PathLenExceeded));
    assert_eq!(judged(careless(), &shallow), Ok(()));
    let deep: Vec<_> = (0..12).map(|_| of_authority(None)).collect();
    assert_eq!(judged(strict(), &deep), Err(Reason::CertificateUntrusted), "there is an end to everything");
    assert_eq!(judged(careless(), &deep), Err(Reason::CertificateUntrusted));
}

#[test]
fn names_are_constrained() {
    for (permitted, excluded, expected) in [
        (Some("Bob"), None, Ok(())),
        (Some("alice"), None, Err(Reason::NameConstraintViolation)),
        (None, Some("alice"), Ok(())),
        (None, Some("Bob"), Err(Reason::NameConstraintViolation)),
        (Some("Bob"), Some("Bob"), Err(Reason::NameConstraintViolation)),
    ] {
        let constraints = NameConstraints {
            permitted_subtrees: permitted.map(|name| vec![dns(name)]),
            excluded_subtrees: excluded.map(|name| vec![dns(name)]),
        };
        let extensions = [of_authority(None), vec![with(true, &constraints)]].concat();
        assert_eq!(judged(strict(), &[extensions]), expected, "{permitted:?} but {excluded:?}");
    }
}

#[test]
fn who_signs_certificates_must_be_an_authority() {
    let usage = KeyUsage(KeyUsages::CRLSign.into());
    let is_ca = BasicConstraints { ca: true, path_len_constraint: None };
    for (extensions, expected) in [
        (of_subject("ca-1"), Reason::CertificateNotACa),
        (vec![with(true, &KeyUsage(KeyUsages::KeyCertSign.into()))], Reason::CertificateNotACa),
        (vec![with(true, &is_ca), with(true, &usage)], Reason::CertificateWrongUsage),
    ] {
        assert_eq!(judged(strict(), std::slice::from_ref(&extensions)), Err(expected));
        assert_eq!(judged(careless(), &[extensions]), Ok(()), "who follows signatures only");
    }
    assert_eq!(judged(strict(), &[vec![with(true, &is_ca)]]), Ok(()), "for any use");
}

#[test]
fn issuers_have_the_name_and_the_key_that_certificates_say() {
    let ca = authority();
    let bob = (odd::name("Bob"), ed25519("Bob"));
    let root = odd::subject_of(ca.root());
    for (issuer, issuer_key) in [(&root, ed25519("other")), (&odd::name("other"), ed25519("CA"))] {
        let der = odd::certificate((issuer, &issuer_key), (&bob.0, &bob.1), VALIDITY, of_subject("Bob"));
        for policy in [strict(), careless()] {
            let refused = party(policy).check(&bundle(&der), Some("Bob"), START);
            assert_eq!(refused, Err(Reason::CertificateUntrusted));
        }
    }
}

#[test]
fn every_certificate_of_a_path_has_its_time() {
    let ca = authority();
    let root = (odd::subject_of(ca.root()), ed25519("CA"));
    let below = (odd::name("ca-1"), ed25519("ca-1"));
    let bob = (odd::name("Bob"), ed25519("Bob"));
    let short = (START, hours(1));
    let of_ca = odd::certificate((&root.0, &root.1), (&below.0, &below.1), short, of_authority(None));
    let of_bob = odd::certificate((&below.0, &below.1), (&bob.0, &bob.1), VALIDITY, of_subject("Bob"));
    let bundle = with_chain(&of_bob, &[of_ca]);
    let mut alice = party(strict());
    assert!(alice.check(&bundle, Some("Bob"), hours(1)).is_ok());
    let late = hours(1).after(Span::seconds(1));
    assert_eq!(alice.check(&bundle, Some("Bob"), late), Err(Reason::CertificateExpired));
}

#[test]
fn a_truncated_chain_leads_nowhere() {
    let (bob, chain) = chain_of(&authority(), &[of_authority(None)], of_subject("Bob"));
    let mut alice = party(strict());
    for len in 0..chain[0].len() {
        let cut = with_chain(&bob, &[chain[0][..len].to_vec()]);
        assert!(alice.check(&cut, Some("Bob"), START).is_err(), "{len} bytes");
    }
    for position in 0..chain[0].len() {
        let mut changed = chain[0].clone();
        changed[position] ^= 1;
        assert!(alice.check(&with_chain(&bob, &[changed]), Some("Bob"), START).is_err(), "byte {position}");
    }
}

fn with_intermediates(count: usize) -> Authority {
    let below = (1..=count).map(|nth| ed25519(&format!("CA {nth}"))).collect();
    let keys = AuthorityKeys { root: ed25519("CA"), below, responder: Some(ed25519("responder")) };
    Authority::with_keys("CA", keys, START, AuthorityPolicy::default())
}

fn below(ca: &mut Authority) -> Vec<u8> {
    let der = bob(ca);
    let chain: Vec<Vec<u8>> = ca.chain().map(<[u8]>::to_vec).collect();
    with_chain(&der, &chain)
}

#[test]
fn a_revoked_authority_takes_its_subtree_along() {
    for count in [1, 2] {
        let mut ca = with_intermediates(count);
        let certificate = below(&mut ca);
        let mut alice = checking_crls(&ca, OnUnavailable::HardFail);
        alice.accept(&ca.publication(false, START), START).expect("they are current");
        assert!(alice.check(&certificate, Some("Bob"), START).is_ok());
        assert!(ca.revoke_intermediate(hours(1)));
        assert!(!ca.revoke_intermediate(hours(1)), "once");
        let answer = ca.publication(false, hours(1));
        assert_eq!(alice.accept(&answer, hours(1)).expect("they are current").len(), count + 1);
        assert_eq!(alice.check(&certificate, Some("Bob"), hours(1)), Err(Reason::CertificateRevoked));
        // The list of the issuer alone is not enough.
        let items = repository::read(&answer).expect("an answer");
        let (last, others) = items.split_last().expect("several");
        let without_root: Vec<_> = others
            .iter()
            .chain([last])
            .filter(|(item, _)| *item == repository::Item::Certificate)
            .chain([last])
            .map(|(item, der)| (*item, der.to_vec()))
            .collect();
        let mut carol = checking_crls(&ca, OnUnavailable::HardFail);
        carol.accept(&Bytes::from(repository::write(&without_root)), hours(1)).expect("it is current");
        assert_eq!(carol.check(&certificate, Some("Bob"), hours(1)), Err(Reason::RevocationUnavailable));
    }
    assert!(!authority().revoke_intermediate(START), "a root is not revocable in-band");
}

#[test]
fn responders_are_asked_about_authorities_too() {
    let mut ca = with_intermediates(1);
    let certificate = below(&mut ca);
    let mut alice = party(TrustPolicy { revocation: Revocation::Ocsp, ..trusting(&ca) });
    let ask = |alice: &mut RelyingParty, ca: &mut Authority, now| {
        let Judgement::Wants(wants) = alice.judge(&certificate, Some("Bob"), now, &BTreeSet::new()) else {
            panic!("it wants to know");
        };
        assert_eq!(wants.len(), 2, "of Bob and of who certified him");
        for want in &wants {
            let mallory::pki::Want::Ocsp { id } = want else { panic!("{want:?}") };
            let response = ca.ocsp(&alice.ocsp_request(id, &[0; 32]), now);
            alice.accept_ocsp(id, None, &response, now).expect("a good response");
        }
        alice.judge(&certificate, Some("Bob"), now, &wants)
    };
    assert!(matches!(ask(&mut alice, &mut ca, START), Judgement::Good(_)));
    ca.revoke_intermediate(hours(1));
    let refused = Judgement::Refused(Reason::CertificateRevoked);
    assert_eq!(ask(&mut alice, &mut ca, hours(13)), refused);
}

/// Whoever has a certificate can sign something that calls itself an authority. Who follows
/// signatures only would take that one's lists.
#[test]
fn a_subject_names_no_authority_of_lists() {
    let ca = authority();
    let (mallory, _) = chain_of(&ca, &[], of_subject("Bob"));
    let own = (odd::name("Bob"), ed25519("Bob"));
    let false_ca = (odd::name("false"), ed25519("false"));
    let der = odd::certificate((&own.0, &own.1), (&false_ca.0, &false_ca.1), VALIDITY, of_authority(None));
    let list = odd::List::of(false_ca.0.clone(), 9).sign(&false_ca.1);
    let items = [
        (repository::Item::Certificate, mallory),
        (repository::Item::Certificate, der),
        (repository::Item::Crl, list),
    ];
    let mut alice = checking_crls(&ca, OnUnavailable::HardFail);
    let refused = alice.accept(&Bytes::from(repository::write(&items)), START);
    assert_eq!(refused, Err(Reason::CrlIssuerMismatch));
}
