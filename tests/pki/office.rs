//! An authority's counter: who gets which certificate, and who may revoke it.

use mallory::pki::{Answer, Ask, Office, Petition, Proof};
use mallory::pki::{foreign_request_for_signing, request_for_encryption};

use super::*;

const OFFICER: &str = "registrar";

fn office() -> Office {
    Office { authorises: true, officers: BTreeSet::from([OFFICER.to_owned()]) }
}

fn secret(name: &str) -> Option<Vec<u8>> {
    ["Bob", "Mallory", OFFICER].contains(&name).then(|| format!("secret of {name}").into_bytes())
}

fn decide(ca: &mut Authority, petition: &Petition, now: UnixNanos) -> Answer {
    let read = Petition::read(&petition.to_bytes()).expect("what is written is read");
    assert_eq!(read, *petition);
    let answer = office().decide(ca, &read, &secret, now);
    assert_eq!(Answer::read(&answer.to_bytes()).expect("what is written is read"), answer);
    answer
}

fn vouched(ask: Ask, name: &str) -> Petition {
    ask.vouched(name, &secret(name).unwrap_or_default())
}

fn enrol(name: &str, key: &SigningKey) -> Ask {
    Ask::Enrol(vec![request_for_signing(name, key)])
}

fn revoke(subject: &str) -> Ask {
    let (reason, invalid_since) = (RevocationReason::KeyCompromise, None);
    Ask::Revoke { subject: subject.to_owned(), serial: None, reason, invalid_since }
}

fn signature(answer: Answer) -> Vec<u8> {
    match answer {
        Answer::Granted(certificates) => certificates.signature.expect("a certificate"),
        other => panic!("{other:?}"),
    }
}

fn refused(reason: Reason) -> Answer {
    Answer::Refused(reason)
}

#[test]
fn who_asks_gets_a_certificate_for_its_own_name_and_key() {
    let mut ca = authority();
    let bobs = ed25519("Bob");
    let ask = |ca: &mut Authority, ask: Ask, name: &str| decide(ca, &vouched(ask, name), START);
    signature(ask(&mut ca, enrol("Bob", &bobs), "Bob"));
    let both = vec![request_for_encryption("Bob", &decryption_key()), request_for_signing("Bob", &bobs)];
    assert!(matches!(ask(&mut ca, Ask::Enrol(both), "Bob"), Answer::Granted(_)));
    let for_another = ask(&mut ca, enrol("Bob", &ed25519("Mallory")), "Mallory");
    assert_eq!(for_another, refused(Reason::NotAuthorisedForName));
    let foreign = foreign_request_for_signing("Mallory", &bobs.public(), &ed25519("Mallory"));
    let without_key = ask(&mut ca, Ask::Enrol(vec![foreign]), "Mallory");
    assert_eq!(without_key, refused(Reason::BadProofOfPossession));
    assert_eq!(ask(&mut ca, Ask::Enrol(vec![]), "Bob"), refused(Reason::Malformed));
    let garbage = Ask::Enrol(vec![b"no request".to_vec()]);
    assert_eq!(ask(&mut ca, garbage, "Bob"), refused(Reason::Malformed));
    // Nobody knows a stranger, nor who has a wrong secret, nor a key alone.
    let stranger = vouched(enrol("Eve", &ed25519("Eve")), "Eve");
    assert_eq!(decide(&mut ca, &stranger, START), refused(Reason::Unauthenticated));
    let wrong = enrol("Bob", &bobs).vouched("Bob", b"guess");
    assert_eq!(decide(&mut ca, &wrong, START), refused(Reason::Unauthenticated));
    let certificate = bob(&mut ca);
    let by_key = enrol("Bob", &bobs).signed(&certificate, &bobs);
    assert_eq!(decide(&mut ca, &by_key, START), refused(Reason::Unauthenticated));
    // The secret vouches for this question and this name.
    let Proof::Secret(_, code) = vouched(enrol("Mallory", &bobs), "Mallory").proof else { panic!() };
    for (name, ask) in [("Bob", enrol("Mallory", &bobs)), ("Mallory", enrol("Bob", &bobs))] {
        let petition = Petition { ask, proof: Proof::Secret(name.to_owned(), code.clone()) };
        assert_eq!(decide(&mut ca, &petition, START), refused(Reason::Unauthenticated));
    }
}

#[test]
fn a_compromised_key_is_certified_no_more() {
    let mut ca = authority();
    let stolen = ed25519("Bob");
    decide(&mut ca, &vouched(enrol("Bob", &stolen), "Bob"), START);
    assert_eq!(decide(&mut ca, &vouched(revoke("Bob"), "Bob"), hours(1)), Answer::Done(vec![1]));
    for (name, key) in [("Bob", &stolen), ("Mallory", &stolen)] {
        let again = decide(&mut ca, &vouched(enrol(name, key), name), hours(2));
        assert_eq!(again, refused(Reason::KeyCompromised), "{name}");
    }
    signature(decide(&mut ca, &vouched(enrol("Bob", &ed25519("new")), "Bob"), hours(2)));
    // A key that was only superseded is nobody else's.
    let mut ca = authority();
    decide(&mut ca, &vouched(enrol("Bob", &stolen), "Bob"), START);
    ca.revoke("Bob", RevocationReason::Superseded, hours(1));
    signature(decide(&mut ca, &vouched(enrol("Bob", &stolen), "Bob"), hours(2)));
}

#[test]
fn only_a_valid_certificate_is_renewed() {
    let mut ca = authority();
    let bobs = ed25519("Bob");
    let old = signature(decide(&mut ca, &vouched(enrol("Bob", &bobs), "Bob"), START));
    let renewal = |name: &str, key: &SigningKey, old: &[u8], by: &SigningKey| {
        Ask::Renew(vec![request_for_signing(name, key)]).signed(old, by)
    };
    let renew = |ca: &mut Authority, now| decide(ca, &renewal("Bob", &bobs, &old, &bobs), now);
    signature(renew(&mut ca, hours(1)));
    let new_key = renewal("Bob", &ed25519("new"), &old, &bobs);
    signature(decide(&mut ca, &new_key, hours(1)));
    let another_name = renewal("Mallory", &bobs, &old, &bobs);
    assert_eq!(decide(&mut ca, &another_name, hours(1)), refused(Reason::NotAuthorisedForName));
    let by_another_key = renewal("Bob", &bobs, &old, &ed25519("Mallory"));
    assert_eq!(decide(&mut ca, &by_another_key, hours(1)), refused(Reason::BadSignature));
    let by_secret = vouched(Ask::Renew(vec![request_for_signing("Bob", &bobs)]), "Bob");
    assert_eq!(decide(&mut ca, &by_secret, hours(1)), refused(Reason::Unauthenticated));
    // Expired, unknown, revoked.
    assert_eq!(renew(&mut ca, hours(91 * 24)), refused(Reason::RenewalBlocked));
    let foreign = bob(&mut Authority::new("CB", ed25519("CB"), START, AuthorityPolicy::default()));
    let unknown = renewal("Bob", &ed25519("new"), &foreign, &bobs);
    assert!(matches!(decide(&mut authority(), &unknown, hours(1)), Answer::Refused(Reason::RenewalBlocked)));
    let garbage = renewal("Bob", &bobs, b"no certificate", &bobs);
    assert_eq!(decide(&mut ca, &garbage, hours(1)), refused(Reason::RenewalBlocked));
    ca.revoke("Bob", RevocationReason::CertificateHold, hours(2));
    assert_eq!(renew(&mut ca, hours(2)), refused(Reason::RenewalBlocked), "on hold");
    ca.release("Bob", hours(3));
    signature(renew(&mut ca, hours(3)));
    ca.revoke("Bob", RevocationReason::CessationOfOperation, hours(4));
    assert_eq!(renew(&mut ca, hours(4)), refused(Reason::RenewalBlocked));
}

#[test]
fn owners_and_officers_revoke_and_strangers_do_not() {
    let (bobs, mallorys) = (ed25519("Bob"), ed25519("Mallory"));
    let scene = || {
        let mut ca = authority();
        let bob = signature(decide(&mut ca, &vouched(enrol("Bob", &bobs), "Bob"), START));
        let mallory = vouched(enrol("Mallory", &mallorys), "Mallory");
        let mallory = signature(decide(&mut ca, &mallory, START));
        (ca, bob, mallory)
    };
    let (mut ca, bob, mallory) = scene();
    for (petition, reason) in [
        (vouched(revoke("Bob"), "Mallory"), Reason::Forbidden),
        (revoke("Bob").signed(&mallory, &mallorys), Reason::Forbidden),
        (revoke("Bob").signed(&bob, &mallorys), Reason::BadSignature),
        (revoke("Bob").vouched("Bob", b"guess"), Reason::Unauthenticated),
        (revoke("Bob").vouched("Eve", b""), Reason::Unauthenticated),
        (vouched(Ask::Release { subject: "Bob".to_owned() }, "Mallory"), Reason::Forbidden),
    ] {
        assert_eq!(decide(&mut ca, &petition, hours(1)), refused(reason));
    }
    assert!(!ca.is_revoked("Bob"));
    for petition in
        [revoke("Bob").signed(&bob, &bobs), vouched(revoke("Bob"), "Bob"), vouched(revoke("Bob"), OFFICER)]
    {
        let (mut ca, ..) = scene();
        assert_eq!(decide(&mut ca, &petition, hours(1)), Answer::Done(vec![1]));
        assert!(ca.is_revoked("Bob") && !ca.is_revoked("Mallory"));
        assert_eq!(decide(&mut ca, &vouched(revoke("Bob"), "Bob"), hours(2)), Answer::Done(vec![]), "once");
    }
    // One certificate of several, and not one of somebody else's.
    let (mut ca, ..) = scene();
    decide(&mut ca, &vouched(enrol("Bob", &bobs), "Bob"), START);
    let one = |serial| match revoke("Bob") {
        Ask::Revoke { subject, reason, invalid_since, .. } => {
            vouched(Ask::Revoke { subject, serial: Some(serial), reason, invalid_since }, "Bob")
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(decide(&mut ca, &one(3), hours(1)), Answer::Done(vec![3]));
    assert_eq!(decide(&mut ca, &one(2), hours(1)), Answer::Done(vec![]), "it is Mallory's");
    assert!(!ca.is_revoked("Bob") && !ca.is_revoked("Mallory"));
}

/// A key that was revoked, perhaps because it was stolen, speaks for its owner no more.
#[test]
fn a_revoked_key_acts_for_nobody() {
    let mut ca = authority();
    let stolen = ed25519("Bob");
    let old = signature(decide(&mut ca, &vouched(enrol("Bob", &stolen), "Bob"), START));
    ca.revoke("Bob", RevocationReason::CertificateHold, hours(1));
    let release = Ask::Release { subject: "Bob".to_owned() };
    let by_thief = release.clone().signed(&old, &stolen);
    assert_eq!(decide(&mut ca, &by_thief, hours(2)), refused(Reason::Forbidden));
    signature(decide(&mut ca, &vouched(enrol("Bob", &ed25519("new")), "Bob"), hours(2)));
    let by_thief = revoke("Bob").signed(&old, &stolen);
    assert_eq!(decide(&mut ca, &by_thief, hours(3)), refused(Reason::Forbidden));
    assert_eq!(decide(&mut ca, &vouched(release, "Bob"), hours(3)), Answer::Done(vec![1]));
    let after_its_time = revoke("Bob").signed(&old, &stolen);
    assert_eq!(decide(&mut ca, &after_its_time, hours(91 * 24)), refused(Reason::Forbidden));
}

#[test]
fn an_office_that_does_not_look_serves_everybody() {
    let office = Office { authorises: false, officers: BTreeSet::new() };
    let mut ca = authority();
    let petition = enrol("Bob", &ed25519("Mallory")).vouched("Eve", b"");
    let granted = office.decide(&mut ca, &petition, &secret, START);
    assert!(matches!(granted, Answer::Granted(_)), "{granted:?}");
    let revoked = office.decide(&mut ca, &revoke("Bob").vouched("Eve", b""), &secret, START);
    assert_eq!(revoked, Answer::Done(vec![1]));
}

#[test]
fn anybody_may_look_into_the_log() {
    let mut ca = authority();
    decide(&mut ca, &vouched(enrol("Bob", &ed25519("Bob")), "Bob"), START);
    let look = Ask::Log { subject: "Bob".to_owned() }.vouched("Eve", b"");
    let Answer::Log(entries) = decide(&mut ca, &look, START) else { panic!() };
    assert_eq!(entries, [(1, mallory::crypto::sha256(&[&ed25519("Bob").public()]))]);
}

#[test]
fn cut_and_changed_petitions_are_refused() {
    let mut ca = authority();
    let bobs = ed25519("Bob");
    let old = bob(&mut ca);
    let issued = ca.log().len();
    for petition in [
        vouched(enrol("Bob", &bobs), "Bob"),
        vouched(revoke("Bob"), "Bob"),
        Ask::Renew(vec![request_for_signing("Bob", &bobs)]).signed(&old, &bobs),
    ] {
        let bytes = petition.to_bytes();
        for position in 0..bytes.len() {
            assert!(Petition::read(&bytes[..position]).is_err(), "{position} bytes");
            for change in [1, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[position] ^= change;
                let Ok(petition) = Petition::read(&changed) else { continue };
                // A certificate in a proof stands for its serial number and key: what else it
                // says may change.
                let by_key = matches!(petition.proof, Proof::Key(..));
                let answer = office().decide(&mut ca, &petition, &secret, START);
                assert!(by_key || matches!(answer, Answer::Refused(_)), "byte {position}: {answer:?}");
            }
        }
    }
    assert!(!ca.is_revoked("Bob"));
    let subjects: BTreeSet<_> = ca.log()[issued..].iter().map(|entry| &*entry.subject).collect();
    assert!(subjects.iter().all(|subject| *subject == "Bob"));
}
