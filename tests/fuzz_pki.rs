//! Whatever bytes arrive, parties and authorities read them without falling over; and of what
//! somebody signed, a strict party accepts nothing that was changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use mallory::algebra::Bytes;
use mallory::crypto::{Signature, SigningKey, stream};
use mallory::pki::repository::{self, Item};
use mallory::pki::{Answer, Ask, Office, Petition};
use mallory::pki::{
    Authority, AuthorityKeys, AuthorityPolicy, Certificates, Judgement, Record, RecordKind, RelyingParty,
    Revocation, RevocationReason, TrustPolicy, Want, request_for_signing,
};
use mallory::time::{Span, UnixNanos};
use proptest::collection::vec;
use proptest::prelude::*;

const START: UnixNanos = UnixNanos(1_767_225_600 * 1_000_000_000);
const SECRET: &[u8] = b"secret of Bob";

fn key(owner: &str) -> SigningKey {
    Signature::Ed25519.generate(&mut stream(7, &[owner]))
}

fn authority() -> Authority {
    let keys = AuthorityKeys { root: key("CA"), below: vec![key("CA 1")], responder: None };
    let policy = AuthorityPolicy { delta_period: Some(Span::seconds(900)), ..AuthorityPolicy::default() };
    Authority::with_keys("CA", keys, START, policy)
}

/// An authority, a bundle with everything in it, and Bob's certificate.
struct Scene {
    ca: Authority,
    bob: Vec<u8>,
    bundle: Vec<u8>,
    root: Vec<u8>,
}

impl Scene {
    fn new() -> Scene {
        let mut ca = authority();
        let bob = ca.issue(&request_for_signing("Bob", &key("Bob")), "Bob", START).expect("good").der;
        let carol = ca.issue(&request_for_signing("Carol", &key("Carol")), "Carol", START).expect("good");
        ca.revoke("Carol", RevocationReason::KeyCompromise, START);
        let _ = carol;
        let chain: Vec<Vec<u8>> = ca.chain().map(<[u8]>::to_vec).collect();
        let certificates = Certificates {
            signature: Some(bob.clone()),
            chain,
            staples: vec![ca.notice(1, START)],
            ..Certificates::default()
        };
        let bundle = certificates.to_value().bytes.to_vec();
        let root = ca.root().to_vec();
        Scene { ca, bob, bundle, root }
    }

    fn party(&self, revocation: Revocation) -> RelyingParty {
        let roots = vec![self.root.clone()];
        RelyingParty::new(Arc::new(TrustPolicy { roots, revocation, ..TrustPolicy::default() }))
    }

    /// A party that wants to know about Bob's certificate, and what it calls that.
    fn asking(&self) -> (RelyingParty, Vec<u8>) {
        let mut alice = self.party(Revocation::Ocsp);
        let Judgement::Wants(wants) = alice.judge(&self.bundle, None, START, &BTreeSet::new()) else {
            panic!("it wants to know");
        };
        let mut ids = wants.into_iter().map(|want| match want {
            Want::Ocsp { id } => id,
            other => panic!("{other:?}"),
        });
        let of_bob = |id: &Vec<u8>| id.ends_with(&[2, 1, 1]);
        (alice, ids.find(of_bob).expect("Bob's is asked about"))
    }
}

/// What happens to bytes. Places are shares of the length.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(f64, u8),
    Cut(f64),
    Delete(f64, usize),
    Copy(f64, usize, f64),
    Insert(f64, Vec<u8>),
    /// A length, where there seems to be one: after a tag of DER.
    Length(f64, u8),
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        let place = |share: f64| ((share * len as f64) as usize).min(len - 1);
        match self {
            Mutation::Flip(at, with) => bytes[place(*at)] ^= with,
            Mutation::Cut(at) => bytes.truncate(place(*at)),
            Mutation::Delete(at, many) => {
                let from = place(*at);
                drop(bytes.drain(from..(from + many).min(len)));
            }
            Mutation::Copy(from, many, to) => {
                let from = place(*from);
                let part = bytes[from..(from + many).min(len)].to_vec();
                let to = place(*to);
                bytes.splice(to..to, part);
            }
            Mutation::Insert(at, with) => {
                let at = place(*at);
                bytes.splice(at..at, with.iter().copied());
            }
            Mutation::Length(at, to) => {
                let from = place(*at);
                let is_tag = |byte: &u8| matches!(*byte, 0x02..=0x06 | 0x0a | 0x0c | 0x17 | 0x18 | 0x30 | 0x31 | 0xa0..=0xa3);
                let tag = bytes[from..].iter().position(is_tag).map_or(from, |more| from + more);
                if let Some(length) = bytes.get_mut(tag + 1) {
                    *length = *to;
                }
            }
        }
    }
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let share = || 0.0..1.0f64;
    let mutation = prop_oneof![
        4 => (share(), 1..=255u8).prop_map(|(at, with)| Mutation::Flip(at, with)),
        1 => share().prop_map(Mutation::Cut),
        1 => (share(), 1..40usize).prop_map(|(at, many)| Mutation::Delete(at, many)),
        1 => (share(), 1..200usize, share()).prop_map(|(from, many, to)| Mutation::Copy(from, many, to)),
        1 => (share(), vec(any::<u8>(), 1..9)).prop_map(|(at, with)| Mutation::Insert(at, with)),
        2 => (share(), prop_oneof![any::<u8>(), 0x80..=0x89u8]).prop_map(|(at, to)| Mutation::Length(at, to)),
    ];
    vec(mutation, 1..4)
}

fn mutated(original: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
    bytes
}

fn office() -> Office {
    Office { authorises: true, officers: BTreeSet::new() }
}

fn secret(name: &str) -> Option<Vec<u8>> {
    (name == "Bob").then(|| SECRET.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(bytes in vec(any::<u8>(), 0..300)) {
        let mut scene = Scene::new();
        let (mut alice, id) = scene.asking();
        prop_assert!(alice.check(&bytes, None, START).is_err());
        prop_assert!(alice.accept(&Bytes::from(&bytes[..]), START).is_err());
        prop_assert!(alice.accept_ocsp(&id, None, &bytes, START).is_err());
        prop_assert!(alice.accept_ocsp(&bytes, None, &bytes, START).is_err());
        prop_assert!(alice.accept_notice(&bytes, START).is_err());
        alice.ocsp_request(&bytes, &[0; 32]);
        prop_assert_eq!(scene.ca.ocsp(&bytes, START), mallory::pki::try_later());
        prop_assert!(scene.ca.issue(&bytes, "Bob", START).is_err());
        prop_assert!(Petition::read(&bytes).is_err());
        let _ = Answer::read(&bytes);
        for kind in [RecordKind::Certificate, RecordKind::Request, RecordKind::Crl, RecordKind::OcspRequest,
            RecordKind::OcspResponse, RecordKind::PublicKey] {
            prop_assert!(Record::read(kind, &bytes).is_none_or(|record| record.kind == kind));
        }
    }

    #[test]
    fn of_a_changed_bundle_only_bobs_own_certificate_is_accepted(mutations in mutations()) {
        let scene = Scene::new();
        let bytes = mutated(&scene.bundle, &mutations);
        for revocation in [Revocation::None, Revocation::Stapled] {
            if let Ok(certified) = scene.party(revocation).check(&bytes, Some("Bob"), START) {
                let own = Certificates::from_bytes(&bytes).expect("it was accepted");
                prop_assert_eq!(own.signature.as_ref(), Some(&scene.bob));
                prop_assert!(own.encryption.is_none());
                prop_assert_eq!(certified.public.signature, Some(key("Bob").public()));
            }
        }
        let roots = vec![scene.root.clone()];
        for (check_chain, check_ca) in [(false, true), (true, false)] {
            let careless = TrustPolicy { roots: roots.clone(), check_chain, check_ca, ..TrustPolicy::default() };
            let _ = RelyingParty::new(Arc::new(careless)).check(&bytes, None, START);
        }
        for part in Certificates::from_bytes(&bytes).iter().flat_map(Certificates::subjects) {
            let _ = Record::read(RecordKind::Certificate, part);
        }
    }

    #[test]
    fn of_a_changed_answer_only_the_authoritys_lists_are_accepted(mutations in mutations(), deltas: bool) {
        let mut scene = Scene::new();
        let complete = scene.ca.publication(false, START);
        let later = START.after(Span::seconds(900));
        let answer = if deltas { scene.ca.publication(true, later) } else { complete.clone() };
        let bytes = mutated(&answer, &mutations);
        let mut alice = scene.party(Revocation::Crl);
        alice.accept(&complete, later).expect("it is current");
        if alice.accept(&Bytes::from(&bytes[..]), later).is_ok() {
            let originals = repository::read(&answer).expect("an answer");
            for part in repository::read(&bytes).expect("it was accepted") {
                prop_assert!(part.0 == Item::Certificate || originals.contains(&part));
            }
        }
    }

    #[test]
    fn no_changed_response_is_believed(mutations in mutations()) {
        let mut scene = Scene::new();
        let (mut alice, id) = scene.asking();
        let response = scene.ca.ocsp(&alice.ocsp_request(&id, &[0; 32]), START);
        let bytes = mutated(&response, &mutations);
        let believed = alice.accept_ocsp(&id, None, &bytes, START).is_ok();
        prop_assert!(!believed || bytes == response);
        let _ = Record::read(RecordKind::OcspResponse, &bytes);
    }

    #[test]
    fn changed_requests_are_answered(mutations in mutations()) {
        let mut scene = Scene::new();
        let (mut alice, id) = scene.asking();
        let request = alice.ocsp_request(&id, &[0; 32]);
        let bytes = mutated(&request, &mutations);
        let response = scene.ca.ocsp(&bytes, START);
        // What it answers to another question is no answer to this one; or it is true.
        let _ = alice.accept_ocsp(&id, None, &response, START);
        prop_assert!(Record::read(RecordKind::OcspResponse, &response).is_some());
    }

    #[test]
    fn nobody_gets_what_a_changed_petition_asks_for(mutations in mutations(), which in 0..4usize) {
        let mut scene = Scene::new();
        let requests = vec![request_for_signing("Bob", &key("Bob"))];
        let subject = "Bob".to_owned();
        let (reason, invalid_since) = (RevocationReason::KeyCompromise, Some(START));
        let petition = match which {
            0 => Ask::Enrol(requests).vouched("Bob", SECRET),
            1 => Ask::Renew(requests).signed(&scene.bob, &key("Bob")),
            2 => Ask::Revoke { subject, serial: Some(1), reason, invalid_since }.vouched("Bob", SECRET),
            _ => Ask::Release { subject }.signed(&scene.bob, &key("Bob")),
        };
        let bytes = mutated(&petition.to_bytes(), &mutations);
        if let Ok(read) = Petition::read(&bytes) {
            let answer = office().decide(&mut scene.ca, &read, &secret, START);
            prop_assert!(matches!(answer, Answer::Refused(_)) || read.ask == petition.ask);
        }
    }
}
