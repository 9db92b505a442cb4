//! OCSP: what a responder answers, and which answers are believed.

use der::{Decode, Encode};
use mallory::pki::{AuthorityKeys, OcspPolicy, Status, Want, try_later};
use x509_cert::ext::Extensions;
use x509_cert::name::Name;

use super::odd::{self, OddResponse, any, generalized, of_responder, tagged, unknown};
use super::*;

pub fn asking(ca: &Authority) -> TrustPolicy {
    TrustPolicy { revocation: Revocation::Ocsp, ..trusting(ca) }
}

/// A party that wants to know about a certificate, and what it calls that.
pub fn wants(policy: TrustPolicy, bundle: &[u8]) -> (RelyingParty, Vec<u8>) {
    let mut alice = party(policy);
    let Judgement::Wants(wants) = alice.judge(bundle, None, START, &BTreeSet::new()) else {
        panic!("it wants to know");
    };
    match <[Want; 1]>::try_from(wants.into_iter().collect::<Vec<_>>()) {
        Ok([Want::Ocsp { id }]) => (alice, id),
        other => panic!("{other:?}"),
    }
}

/// An authority, Bob's certificate, and a party that wants to know about it.
fn scene() -> (Authority, RelyingParty, Vec<u8>) {
    let mut ca = authority();
    let certificate = bundle(&bob(&mut ca));
    let (alice, id) = wants(asking(&ca), &certificate);
    (ca, alice, id)
}

fn good(ca: &mut Authority, alice: &RelyingParty, id: &[u8]) -> Vec<u8> {
    ca.ocsp(&alice.ocsp_request(id, &[0; 32]), START)
}

#[test]
fn responders_say_what_the_ledger_says() {
    let mut ca = authority();
    let certificate = bundle(&bob(&mut ca));
    let (mut alice, id) = wants(asking(&ca), &certificate);
    assert_eq!(alice.check(&certificate, None, START), Err(Reason::RevocationUnavailable));
    let response = good(&mut ca, &alice, &id);
    assert_eq!(alice.accept_ocsp(&id, None, &response, START), Ok(Status::Good));
    assert!(alice.check(&certificate, Some("Bob"), START).is_ok());
    assert_eq!(alice.check(&certificate, None, hours(12)), Err(Reason::RevocationUnavailable), "expired");
    ca.revoke("Bob", RevocationReason::KeyCompromise, hours(1));
    let later = ca.ocsp(&alice.ocsp_request(&id, &[0; 32]), hours(1));
    assert_eq!(alice.accept_ocsp(&id, None, &later, hours(1)), Ok(Status::Revoked { at: hours(1) }));
    assert_eq!(alice.check(&certificate, None, hours(1)), Err(Reason::CertificateRevoked));
    // An older answer is a true one, and changes nothing.
    assert_eq!(alice.accept_ocsp(&id, None, &response, hours(1)), Ok(Status::Good));
    assert_eq!(alice.check(&certificate, None, hours(1)), Err(Reason::CertificateRevoked));
}

/// `good` does not say that it was issued (RFC 6960 §2.2).
#[test]
fn what_was_never_issued_is_unknown_or_good() {
    let never = bundle(&{
        let mut twin = authority();
        bob(&mut twin)
    });
    for (knows_issued, expected) in [(true, Err(Reason::CertificateUnknown)), (false, Ok(()))] {
        let ocsp = OcspPolicy { knows_issued, ..OcspPolicy::default() };
        let policy = AuthorityPolicy { ocsp, ..AuthorityPolicy::default() };
        let mut ca = Authority::new("CA", ed25519("CA"), START, policy);
        let (mut alice, id) = wants(asking(&ca), &never);
        let response = good(&mut ca, &alice, &id);
        alice.accept_ocsp(&id, None, &response, START).expect("a response");
        assert_eq!(alice.check(&never, None, START).map(drop), expected);
    }
}

#[test]
fn no_cut_or_changed_byte_of_a_response_is_believed() {
    let (mut ca, mut alice, id) = scene();
    let response = good(&mut ca, &alice, &id);
    for position in 0..response.len() {
        let cut = alice.accept_ocsp(&id, None, &response[..position], START);
        assert_eq!(cut, Err(Reason::Malformed), "{position} bytes");
        for change in [1, 0x20, 0x80, 0xff] {
            let mut changed = response.clone();
            changed[position] ^= change;
            let refused = alice.accept_ocsp(&id, None, &changed, START);
            assert!(refused.is_err(), "byte {position} ^ {change:#x}");
        }
    }
    assert_eq!(alice.accept_ocsp(&id, None, &response, START), Ok(Status::Good));
}

#[test]
fn responses_are_about_the_certificate_that_was_asked_about() {
    let (mut ca, mut alice, id) = scene();
    let other = request_for_signing("Carol", &ed25519("Carol"));
    let carol = bundle(&ca.issue(&other, "Carol", START).expect("a good request").der);
    let (_, other_id) = wants(asking(&ca), &carol);
    let response = good(&mut ca, &alice, &other_id);
    assert_eq!(alice.accept_ocsp(&id, None, &response, START), Err(Reason::OcspCertIdMismatch));
    assert_eq!(alice.accept_notice(&response, START), Ok(Status::Good), "that one, then");
    assert_eq!(alice.accept_ocsp(b"no name", None, &response, START), Err(Reason::Malformed));
}

#[test]
fn responses_have_their_time() {
    let (mut ca, mut alice, id) = scene();
    let response = ca.ocsp(&alice.ocsp_request(&id, &[0; 32]), hours(1));
    let mut at = |now| alice.accept_ocsp(&id, None, &response, now);
    assert_eq!(at(START), Err(Reason::OcspNotYetValid));
    assert_eq!(at(hours(1)), Ok(Status::Good));
    assert_eq!(at(UnixNanos(hours(13).0 - 1)), Ok(Status::Good));
    assert_eq!(at(hours(13)), Err(Reason::OcspExpired));
    // Without nextUpdate there may always be a newer one, and this one holds.
    let mut odd = OddResponse::read(&response);
    odd.single.truncate(3);
    odd.single[2] = any(&generalized(START));
    let endless = odd.sign(&ed25519("CA"), &[]);
    assert_eq!(alice.accept_ocsp(&id, None, &endless, hours(900)), Ok(Status::Good));
}

#[test]
fn nobody_signs_an_error() {
    let (_, mut alice, id) = scene();
    assert_eq!(alice.accept_ocsp(&id, None, &try_later(), START), Err(Reason::OcspTryLater));
    for status in [1, 2, 5, 6] {
        let error = [0x30, 3, 0x0a, 1, status];
        assert_eq!(alice.accept_ocsp(&id, None, &error, START), Err(Reason::OcspTryLater), "{status}");
    }
    let success_without_bytes = [0x30, 3, 0x0a, 1, 0];
    assert_eq!(alice.accept_ocsp(&id, None, &success_without_bytes, START), Err(Reason::Malformed));
    assert_eq!(alice.accept_ocsp(&id, None, &[0x30, 3, 0x0a, 1, 4], START), Err(Reason::Malformed));
}

#[test]
fn nonces_come_back() {
    let mut ca = authority();
    let certificate = bundle(&bob(&mut ca));
    let (mut alice, id) = wants(TrustPolicy { nonce: true, ..asking(&ca) }, &certificate);
    let with = ca.ocsp(&alice.ocsp_request(&id, &[7; 32]), START);
    let (careless, _) = wants(asking(&ca), &certificate);
    let without = ca.ocsp(&careless.ocsp_request(&id, &[7; 32]), START);
    let mut accept = |nonce: &[u8], response: &[u8]| alice.accept_ocsp(&id, Some(nonce), response, START);
    assert_eq!(accept(&[7; 32], &with), Ok(Status::Good));
    assert_eq!(accept(&[8; 32], &with), Err(Reason::OcspNonceMismatch), "another");
    assert_eq!(accept(&[7; 31], &with), Err(Reason::OcspNonceMismatch), "a shorter one");
    assert_eq!(accept(&[7; 32], &without), Err(Reason::OcspNonceMismatch), "none");
    // What nobody asked for repeats none either, so it may say one thing only.
    assert_eq!(alice.accept_notice(&without, START), Err(Reason::OcspNonceMismatch), "unasked");
    ca.revoke("Bob", RevocationReason::KeyCompromise, START);
    let notice = ca.notice(1, START);
    assert_eq!(alice.accept_notice(&notice, START), Ok(Status::Revoked { at: START }));
    // Who signs in advance repeats none.
    let ocsp = OcspPolicy { presign: Some(HOUR), ..OcspPolicy::default() };
    let policy = AuthorityPolicy { ocsp, ..AuthorityPolicy::default() };
    let mut presigning = Authority::new("CA", ed25519("CA"), START, policy);
    bob(&mut presigning);
    let stale = presigning.ocsp(&alice.ocsp_request(&id, &[7; 32]), START);
    assert_eq!(alice.accept_ocsp(&id, Some(&[7; 32]), &stale, START), Err(Reason::OcspNonceMismatch));
}

#[test]
fn critical_extensions_must_be_known_by_both_sides() {
    let (mut ca, mut alice, id) = scene();
    let response = good(&mut ca, &alice, &id);
    for (critical, expected) in [(true, Err(Reason::UnknownCriticalExtension)), (false, Ok(Status::Good))] {
        let extensions: Extensions = vec![unknown(critical)];
        // The scene's responses repeat no nonce, so they have no extensions of their own.
        let mut of_all = OddResponse::read(&response);
        of_all.data.truncate(3);
        of_all.data.push(tagged(1, &extensions));
        let mut of_single = OddResponse::read(&response);
        of_single.single.push(tagged(1, &extensions));
        for odd in [of_all, of_single] {
            let signed = odd.sign(&ed25519("CA"), &[]);
            assert_eq!(alice.accept_ocsp(&id, None, &signed, START), expected);
        }
    }
}

/// Who may sign for the authority (RFC 6960 §4.2.2.2).
#[test]
fn responders_are_authorised_by_the_issuer() {
    let (mut ca, mut alice, id) = scene();
    let response = good(&mut ca, &alice, &id);
    let root: (Name, SigningKey) = (odd::subject_of(ca.root()), ed25519("CA"));
    let stranger = (odd::name("CB"), ed25519("CB"));
    let responder = (odd::name("responder"), ed25519("responder"));
    let certified = |by: &(Name, SigningKey), until, extensions| {
        odd::certificate((&by.0, &by.1), (&responder.0, &responder.1), (START, until), extensions)
    };
    let namesake = (root.0.clone(), ed25519("CB"));
    let unauthorised = Err(Reason::OcspUnauthorizedSigner);
    for (certificate, now, expected) in [
        (certified(&root, hours(9), of_responder()), START, Ok(Status::Good)),
        (certified(&root, hours(9), of_responder()), hours(10), unauthorised),
        (certified(&root, hours(9), vec![]), START, unauthorised),
        (certified(&root, hours(9), odd::of_subject("responder")), START, unauthorised),
        (certified(&stranger, hours(9), of_responder()), START, unauthorised),
        (certified(&namesake, hours(9), of_responder()), START, unauthorised),
    ] {
        let signed = OddResponse::read(&response).sign(&responder.1, &[&certificate]);
        assert_eq!(alice.accept_ocsp(&id, None, &signed, now), expected);
        let by_another = OddResponse::read(&response).sign(&ed25519("other"), &[&certificate]);
        let refused = alice.accept_ocsp(&id, None, &by_another, START);
        assert_eq!(refused, Err(Reason::OcspBadSignature));
    }
    let without = OddResponse::read(&response).sign(&responder.1, &[]);
    assert_eq!(alice.accept_ocsp(&id, None, &without, START), Err(Reason::OcspBadSignature));
    // The issuer may name itself by its key.
    let mut by_key = OddResponse::read(&response);
    by_key.data[0] = tagged(2, &der::asn1::OctetString::new([7; 20]).expect("it is short"));
    let signed = by_key.sign(&root.1, &[]);
    assert_eq!(alice.accept_ocsp(&id, None, &signed, START), Ok(Status::Good));
    let (mut careless, _) = {
        let policy = TrustPolicy { check_responder: false, ..asking(&ca) };
        wants(policy, &bundle(&bob(&mut authority())))
    };
    let forged = OddResponse::read(&response).sign(&responder.1, &[&certified(&stranger, hours(9), vec![])]);
    assert_eq!(careless.accept_ocsp(&id, None, &forged, START), Ok(Status::Good));
}

/// A delegated responder speaks for the authority that named it, not for the one above.
#[test]
fn a_delegated_responder_speaks_for_one_authority() {
    let keys = AuthorityKeys {
        root: ed25519("CA"),
        below: vec![ed25519("CA 1")],
        responder: Some(ed25519("responder")),
    };
    let mut ca = Authority::with_keys("CA", keys, START, AuthorityPolicy::default());
    let signature = Some(bob(&mut ca));
    let chain = ca.chain().map(<[u8]>::to_vec).collect();
    let certificates = Certificates { signature, chain, ..Certificates::default() };
    let mut alice = party(asking(&ca));
    let bundle = certificates.to_value().bytes;
    let Judgement::Wants(wants) = alice.judge(&bundle, None, START, &BTreeSet::new()) else { panic!() };
    for want in wants {
        let Want::Ocsp { id } = want else { panic!("{want:?}") };
        let response = ca.ocsp(&alice.ocsp_request(&id, &[0; 32]), START);
        assert_eq!(alice.accept_ocsp(&id, None, &response, START), Ok(Status::Good));
        let forged = OddResponse::read(&response).sign(&ed25519("other"), &[]);
        assert_eq!(alice.accept_ocsp(&id, None, &forged, START), Err(Reason::OcspBadSignature));
    }
    assert!(alice.check(&bundle, Some("Bob"), START).is_ok());
}

#[test]
fn what_a_responder_cannot_read_it_answers_with_an_error() {
    let (mut ca, alice, id) = scene();
    let request = alice.ocsp_request(&id, &[0; 32]);
    for len in 0..request.len() {
        assert_eq!(ca.ocsp(&request[..len], START), try_later(), "{len} bytes");
    }
    assert_eq!(ca.ocsp(&[&request[..], &[0]].concat(), START), try_later());
    assert_eq!(ca.ocsp(b"please", START), try_later());
    assert_ne!(ca.ocsp(&request, START), try_later());
    // A critical extension that it does not know.
    let extended = |critical| {
        let id = der::Any::from_der(&id).expect("it is DER");
        let single = any(&vec![any(&vec![id])]);
        let extensions: Extensions = vec![unknown(critical)];
        let tbs = vec![single, tagged(2, &extensions)];
        vec![any(&tbs)].to_der().expect("it encodes")
    };
    assert_ne!(ca.ocsp(&extended(false), START), try_later());
    assert_eq!(ca.ocsp(&extended(true), START), try_later());
}
