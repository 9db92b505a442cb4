//! What keys compute: round trips of every kind, context, versions, rewrapping, export.

use mallory::crypto::{Agreement, PublicKeyEncryption, Signature};
use mallory::vault::{Frame, Unwrapping, WrapUnder, unwrap_exported};
use proptest::prelude::*;

use super::*;

#[test]
fn texts_come_back_with_their_context_only() {
    let mut desk = desk();
    for (name, kind) in [("aes", KeyKind::Aes256), ("rsa", KeyKind::Rsa2048)] {
        desk.generate(name, kind, Usage::Encrypt);
        for len in [0, 1, 190, 191, 10_000] {
            let text = vec![0x5a; len];
            let ciphertext = desk.encrypt(name, &text).expect("an active key encrypts");
            let frame = Frame::read(&ciphertext).expect("a frame");
            assert_eq!((frame.key, frame.version), (name, 1));
            assert_eq!(desk.decrypt(&ciphertext), Ok(text));
            let other = Operation::Decrypt {
                ciphertext: ciphertext.as_slice().into(),
                context: b"another".into(),
                accept_risk: false,
            };
            assert_eq!(desk.try_do(&other), Err(Reason::DecryptFailed));
        }
    }
}

#[test]
fn a_ciphertext_is_of_one_key_and_version() {
    let mut desk = desk();
    desk.generate("a", KeyKind::Aes256, Usage::Encrypt);
    desk.generate("b", KeyKind::Aes256, Usage::Encrypt);
    let ciphertext = desk.encrypt("a", b"text").expect("an active key encrypts");
    desk.rotate("a");
    let body = Frame::read(&ciphertext).expect("a frame").body;
    for (key, version, reason) in [
        ("b", 1, Reason::DecryptFailed),
        ("a", 2, Reason::DecryptFailed),
        ("a", 3, Reason::DecryptFailed),
        ("a", 0, Reason::DecryptFailed),
        ("c", 1, Reason::UnknownKey),
    ] {
        assert_eq!(desk.decrypt(&Frame { key, version, body }.write()), Err(reason), "{key} {version}");
    }
    for bit in 0..ciphertext.len() * 8 {
        let mut changed = ciphertext.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(desk.decrypt(&changed).is_err(), "bit {bit}");
    }
    assert_eq!(desk.decrypt(&ciphertext), Ok(b"text".to_vec()));
}

#[test]
fn signatures_verify_inside_and_outside() {
    let mut desk = desk();
    for (name, kind, suite) in [
        ("ed", KeyKind::Ed25519, Signature::Ed25519),
        ("rsa", KeyKind::Rsa2048, Signature::Rsa2048Pss),
        ("p256", KeyKind::P256, Signature::EcdsaP256),
    ] {
        desk.generate(name, kind, Usage::Sign);
        let (vault, by) = desk.by("alice");
        let signature = vault.sign(by, name, b"message").expect("an active key signs");
        assert_eq!(vault.verify(by, b"message", &signature), Ok(()));
        assert_eq!(vault.verify(by, b"massage", &signature), Err(Reason::BadSignature));
        let public = desk.must(&Operation::PublicKey { key: name.to_owned(), version: None });
        let Response::PublicKey(public) = public else { panic!("{public:?}") };
        let body = Frame::read(&signature).expect("a frame").body;
        assert_eq!(suite.verify(&public, b"message", body), Ok(()));
        let forged = Frame { key: name, version: 9, body }.write();
        let (vault, by) = desk.by("alice");
        assert_eq!(vault.verify(by, b"message", &forged), Err(Reason::BadSignature));
    }
}

#[test]
fn both_sides_agree() {
    let mut desk = desk();
    for (name, kind, group) in
        [("x", KeyKind::X25519, Agreement::X25519), ("p", KeyKind::P256, Agreement::P256)]
    {
        desk.generate(name, kind, Usage::Agree);
        let public = desk.must(&Operation::PublicKey { key: name.to_owned(), version: None });
        let Response::PublicKey(public) = public else { panic!("{public:?}") };
        let secret = group.generate(&mut rng("peer"));
        let share = group.share(&secret).expect("a share");
        let answer = desk.must(&Operation::Agree { key: name.to_owned(), share: share.into() });
        let shared = group.agree(&secret, &public).expect("a good share");
        assert_eq!(answer, Response::Secret(shared.as_slice().into()));
    }
    let weak = Operation::Agree { key: "x".to_owned(), share: (&[0; 32]).into() };
    let before = desk.key("x");
    assert_eq!(desk.try_do(&weak), Err(Reason::WeakParameter));
    assert_eq!(desk.key("x"), before, "what is refused is not counted");
}

#[test]
fn a_key_has_one_purpose() {
    let mut desk = desk();
    for kind in KeyKind::ALL {
        for usage in [Usage::Encrypt, Usage::Sign, Usage::Agree, Usage::Wrap] {
            let name = format!("{kind:?} {usage:?}");
            let spec = KeySpec::new(*kind, usage, "alice");
            let answer = desk.try_do(&Operation::Generate { key: name.clone(), spec });
            if !kind.usages().contains(&usage) {
                assert_eq!(answer, Err(Reason::WrongKeyUsage), "{name}");
                continue;
            }
            assert_eq!(answer, Ok(Response::Version(1)));
            let encrypted = desk.encrypt(&name, b"x").map(drop);
            let expected = if usage == Usage::Encrypt { Ok(()) } else { Err(Reason::WrongKeyUsage) };
            assert_eq!(encrypted, expected, "{name}");
            let signed = desk.try_do(&Operation::Sign { key: name.clone(), message: b"x".into() }).map(drop);
            let expected = if usage == Usage::Sign { Ok(()) } else { Err(Reason::WrongKeyUsage) };
            assert_eq!(signed, expected, "{name}");
        }
    }
    let twice = Operation::Generate {
        key: "X25519 Agree".to_owned(),
        spec: KeySpec::new(KeyKind::X25519, Usage::Agree, "bob"),
    };
    assert_eq!(desk.try_do(&twice), Err(Reason::KeyExists));
}

#[test]
fn only_an_exportable_key_leaves_and_only_to_its_owner() {
    let mut desk = desk();
    desk.generate("kept", KeyKind::Aes256, Usage::Encrypt);
    let spec = KeySpec { exportable: true, ..KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice") };
    desk.generate_as("lent", spec);
    desk.generate_as(
        "crate",
        KeySpec { exportable: true, ..KeySpec::new(KeyKind::Aes256, Usage::Wrap, "alice") },
    );
    desk.generate_as("bob's crate", KeySpec::new(KeyKind::Aes256, Usage::Wrap, "bob"));
    let private = PublicKeyEncryption::Rsa2048Oaep.generate(&mut rng("owner"));
    let to_owner = WrapUnder::PublicKey(private.public().into());
    let export = |key: &str, under: &WrapUnder| Operation::Export {
        key: key.to_owned(),
        version: None,
        under: under.clone(),
    };
    assert_eq!(desk.try_do(&export("kept", &to_owner)), Err(Reason::NotExportable));
    let wrapped = |response| match response {
        Response::Wrapped(wrapped) => wrapped,
        other => panic!("{other:?}"),
    };
    let unwrap = |wrapped: &[u8], name, with| unwrap_exported(wrapped, name, 1, with);
    let lent = wrapped(desk.must(&export("lent", &to_owner)));
    let lent = unwrap(&lent, "lent", Unwrapping::Rsa2048(&private)).expect("the owner unwraps");
    // The owner's copy is the vault's key: it opens what the vault encrypted.
    let ciphertext = desk.encrypt("lent", b"text").expect("an active key encrypts");
    let body = Frame::read(&ciphertext).expect("a frame").body;
    let head = &ciphertext[..ciphertext.len() - body.len()];
    let aad = [b"mallory vault".as_slice(), head, b"context"].concat();
    assert_eq!(mallory::crypto::Symmetric::Aes256Gcm.open(&lent, &aad, body).unwrap().as_slice(), b"text");
    // By way of another key.
    let case = wrapped(desk.must(&export("crate", &to_owner)));
    let case = unwrap(&case, "crate", Unwrapping::Rsa2048(&private)).expect("the owner unwraps");
    let case: [u8; 32] = case.as_slice().try_into().expect("an AES-256 key");
    let under = WrapUnder::Key("crate".to_owned());
    let again = wrapped(desk.must(&export("lent", &under)));
    assert_eq!(unwrap(&again, "lent", Unwrapping::Aes256(&case)), Ok(lent));
    assert_eq!(unwrap(&again, "kept", Unwrapping::Aes256(&case)), Err(Reason::DecryptFailed));
    let foreign = WrapUnder::Key("bob's crate".to_owned());
    assert_eq!(desk.try_do(&export("lent", &foreign)), Err(Reason::Forbidden));
    let not_a_crate = WrapUnder::Key("kept".to_owned());
    assert_eq!(desk.try_do(&export("lent", &not_a_crate)), Err(Reason::WrongKeyUsage));
}

#[test]
fn rotation_without_rewrapping_leaves_old_versions_at_work() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    let old = desk.encrypt("k", b"text").expect("an active key encrypts");
    assert_eq!(desk.rotate("k"), 2);
    assert_eq!(desk.decrypt(&old), Ok(b"text".to_vec()));
    let (vault, by) = desk.by("a process that sees no texts");
    let new = vault.rewrap(by, b"context", &old).expect("rewraps");
    assert_eq!(Frame::read(&new).expect("a frame").version, 2);
    desk.configure("k", |settings| settings.min_decryption = 2);
    assert_eq!(desk.decrypt(&old), Err(Reason::VersionBelowMinimum));
    assert_eq!(desk.decrypt(&new), Ok(b"text".to_vec()));
    // The bound is a policy, and can be moved back; trimming is for good.
    desk.configure("k", |settings| settings.min_decryption = 0);
    assert_eq!(desk.decrypt(&old), Ok(b"text".to_vec()));
    desk.must(&Operation::Trim { key: "k".to_owned(), below: 2 });
    assert_eq!(desk.decrypt(&old), Err(Reason::VersionTrimmed));
    assert_eq!(desk.try_do(&Operation::Trim { key: "k".to_owned(), below: 3 }), Err(Reason::UnknownKey));
    assert_eq!(desk.decrypt(&new), Ok(b"text".to_vec()));
}

#[test]
fn an_old_version_encrypts_only_above_the_minimum() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    desk.rotate("k");
    desk.rotate("k");
    let with = |desk: &mut Desk<_>, version| {
        desk.try_do(&Operation::Encrypt {
            key: "k".to_owned(),
            version: Some(version),
            plaintext: b"x".into(),
            context: b"".into(),
        })
        .map(drop)
    };
    assert_eq!(with(&mut desk, 2), Err(Reason::VersionBelowMinimum));
    assert_eq!(with(&mut desk, 3), Ok(()));
    assert_eq!(with(&mut desk, 4), Err(Reason::UnknownKey));
    desk.configure("k", |settings| settings.min_encryption = 2);
    assert_eq!(with(&mut desk, 1), Err(Reason::VersionBelowMinimum));
    assert_eq!(with(&mut desk, 2), Ok(()));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Encrypt,
    Rotate,
    Rewrap,
    Reopen,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is rotated, rewrapped and sealed in between, a text comes back.
    #[test]
    fn texts_survive_rotation_and_rewrapping(
        steps in prop::collection::vec(
            prop_oneof![Just(Step::Encrypt), Just(Step::Rotate), Just(Step::Rewrap), Just(Step::Reopen)], 1..24),
        text in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut desk = desk();
        desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
        let mut ciphertexts = vec![desk.encrypt("k", &text).unwrap()];
        for step in steps {
            match step {
                Step::Encrypt => ciphertexts.push(desk.encrypt("k", &text).unwrap()),
                Step::Rotate => drop(desk.rotate("k")),
                Step::Rewrap => {
                    let old = ciphertexts.remove(0);
                    let (vault, by) = desk.by("alice");
                    ciphertexts.push(vault.rewrap(by, b"context", &old).unwrap());
                    let latest = desk.key("k").latest().number;
                    prop_assert_eq!(Frame::read(ciphertexts.last().unwrap()).unwrap().version, latest);
                }
                Step::Reopen => {
                    desk.vault = reopened(desk.vault.into_store());
                }
            }
        }
        for ciphertext in ciphertexts {
            prop_assert_eq!(desk.decrypt(&ciphertext), Ok(text.clone()));
        }
    }
}
