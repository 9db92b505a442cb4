//! Requests for certificates.

use mallory::pki::{foreign_request_for_encryption, foreign_request_for_signing, request_for_encryption};

use super::*;

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
