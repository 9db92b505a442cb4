//! CRLs that no authority here publishes.

use mallory::pki::repository::{self, Item};
use x509_cert::ext::pkix::{CrlReason, KeyUsage, KeyUsages};

use super::odd::{self, List, because, entry, unknown, with};
use super::*;

fn list(ca: &Authority) -> List {
    List::of(odd::subject_of(ca.root()), 5)
}

fn taken(list: List) -> Result<(), Reason> {
    let mut alice = checking_crls(&authority(), OnUnavailable::HardFail);
    accept(&mut alice, &list.sign(&ed25519("CA")), START).map(drop)
}

#[test]
fn critical_extensions_of_a_list_and_of_its_entries_must_be_known() {
    let ca = authority();
    for (critical, expected) in [(true, Err(Reason::UnknownCriticalExtension)), (false, Ok(()))] {
        assert_eq!(taken(List { more: vec![unknown(critical)], ..list(&ca) }), expected);
        let entries = vec![entry(1, vec![]), entry(2, vec![unknown(critical)])];
        assert_eq!(taken(List { entries, ..list(&ca) }), expected);
    }
}

#[test]
fn what_a_list_must_have() {
    let ca = authority();
    assert_eq!(taken(list(&ca)), Ok(()));
    assert_eq!(taken(List { until: None, ..list(&ca) }), Err(Reason::Malformed), "nextUpdate");
    assert_eq!(taken(List { number: None, ..list(&ca) }), Err(Reason::Malformed), "CRLNumber");
    let two = vec![with(false, &x509_cert::ext::pkix::CrlNumber::try_from(4u64).expect("a number"))];
    assert_eq!(taken(List { more: two, ..list(&ca) }), Err(Reason::Malformed), "one CRLNumber");
    assert_eq!(taken(List { from: hours(1), ..list(&ca) }), Err(Reason::CrlNotYetValid));
    assert_eq!(taken(List { until: Some(START), ..list(&ca) }), Err(Reason::CrlExpired));
    assert_eq!(taken(List { issuer: odd::name("other"), ..list(&ca) }), Err(Reason::CrlIssuerMismatch));
    let mut alice = checking_crls(&ca, OnUnavailable::HardFail);
    let forged = list(&ca).sign(&ed25519("other"));
    assert_eq!(accept(&mut alice, &forged, START), Err(Reason::CrlBadSignature));
}

/// Whatever reason is given, who is listed is revoked; serial numbers are compared as numbers.
#[test]
fn who_is_listed_is_revoked() {
    let mut ca = authority();
    let certificate = bundle(&bob(&mut ca));
    for (serial, reason, expected) in [
        (1, CrlReason::Unspecified, Err(Reason::CertificateRevoked)),
        (1, CrlReason::CertificateHold, Err(Reason::CertificateRevoked)),
        (1, CrlReason::PrivilegeWithdrawn, Err(Reason::CertificateRevoked)),
        (2, CrlReason::KeyCompromise, Ok(())),
        (0x0101, CrlReason::KeyCompromise, Ok(())),
    ] {
        let entries = vec![entry(7, vec![]), entry(serial, because(reason))];
        let crl = List { entries, ..list(&ca) }.sign(&ed25519("CA"));
        let mut alice = checking_crls(&ca, OnUnavailable::HardFail);
        accept(&mut alice, &crl, START).expect("it is current");
        let checked = alice.check(&certificate, Some("Bob"), START).map(drop);
        assert_eq!(checked, expected, "{serial} {reason:?}");
    }
}

#[test]
fn who_may_not_sign_lists_is_refused() {
    let key = ed25519("CA");
    let own = odd::name("CA");
    let usage = KeyUsage(KeyUsages::KeyCertSign.into());
    let mut extensions = odd::of_authority(None);
    extensions[1] = with(true, &usage);
    let root = odd::certificate((&own, &key), (&own, &key), (START, hours(48)), extensions);
    let policy = TrustPolicy { roots: vec![root], ..TrustPolicy::default() };
    let crl = List::of(own, 1).sign(&key);
    assert_eq!(accept(&mut party(policy), &crl, START), Err(Reason::CertificateWrongUsage));
}

#[test]
fn an_answer_is_taken_whole_or_not_at_all() {
    let mut ca = authority();
    let other = Authority::new("CB", ed25519("CB"), START, AuthorityPolicy::default());
    let roots = vec![ca.root().to_vec(), other.root().to_vec()];
    let strict = || party(TrustPolicy { roots: roots.clone(), ..TrustPolicy::default() });
    let good = (Item::Crl, ca.crl(START));
    let forged = (Item::Crl, List::of(odd::subject_of(other.root()), 1).sign(&ed25519("other")));
    let mut alice = strict();
    let answer = Bytes::from(repository::write(&[good.clone(), forged]));
    assert_eq!(alice.accept(&answer, START).map(drop), Err(Reason::CrlBadSignature));
    assert!(needs(&mut alice, &mut ca, START), "nothing of it was kept");
    let answer = repository::write(&[good]);
    for len in 0..answer.len() {
        assert!(alice.accept(&Bytes::from(&answer[..len]), START).is_err(), "{len} bytes");
    }
    for position in 0..answer.len() {
        let mut changed = answer.clone();
        changed[position] ^= 1;
        assert!(alice.accept(&Bytes::from(changed), START).is_err(), "byte {position}");
    }
    assert!(alice.accept(&Bytes::from(answer), START).is_ok());
}

/// Five megabytes: who reads them anew for each of a hundred parties is noticed by the clock of
/// whoever waits for this test.
#[test]
fn a_real_list_is_read_once_and_refused_if_tampered_with() {
    let policy = AuthorityPolicy { history: 160_000, ..AuthorityPolicy::default() };
    let mut ca = Authority::new("CA", ed25519("CA"), START, policy);
    let certificate = bundle(&bob(&mut ca));
    let crl = ca.crl(START);
    assert!(crl.len() > 5_000_000, "{} bytes", crl.len());
    let one = checking_crls(&ca, OnUnavailable::HardFail);
    let mut tampered = crl.clone();
    let middle = tampered.len() / 2;
    tampered[middle] ^= 1;
    let refused = one.clone().accept(&Bytes::from(tampered), START).map(drop);
    assert!(matches!(refused, Err(Reason::CrlBadSignature | Reason::Malformed)), "{refused:?}");
    let crl = Bytes::from(crl);
    for mut party in std::iter::repeat_n(one, 100) {
        assert_eq!(party.accept(&crl, START).expect("it is current")[0].entries, 160_000);
        assert!(party.check(&certificate, Some("Bob"), START).is_ok());
    }
}
