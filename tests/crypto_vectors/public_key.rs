use super::*;

#[test]
fn oaep_of_wycheproof() {
    let excerpt = Excerpt::parse(include_str!("../vectors/rsa_2048_oaep.json"));
    let key = DecryptionKey::from_pkcs8(&excerpt.shared("private")).expect("the key parses");
    for case in excerpt.cases() {
        let opened = PublicKeyEncryption::Rsa2048Oaep.decrypt(&key, &case.bytes("label"), &case.bytes("ct"));
        let expected = if case.is_valid() { Ok(case.bytes("msg")) } else { Err(Reason::DecryptFailed) };
        assert_eq!(opened.map(|text| text.to_vec()), expected, "{case}");
    }
}

/// Bad padding answers with a made-up text (implicit rejection), never with
/// the text inside.
#[test]
fn pkcs1v15_of_wycheproof() {
    let excerpt = Excerpt::parse(include_str!("../vectors/rsa_2048_pkcs1v15.json"));
    let key = DecryptionKey::from_pkcs8(&excerpt.shared("private")).expect("the key parses");
    for case in excerpt.cases() {
        let suite = PublicKeyEncryption::Rsa2048Pkcs1v15;
        let opened = suite.decrypt(&key, b"", &case.bytes("ct")).map(|text| text.to_vec());
        if case.is_valid() {
            assert_eq!(opened, Ok(case.bytes("msg")), "{case}");
        } else if case.has_flag("InvalidPkcs1Padding") {
            assert_ne!(opened.expect("no oracle"), case.bytes("msg"), "{case}");
        } else {
            assert_eq!(opened, Err(Reason::DecryptFailed), "{case}");
        }
    }
}

#[test]
fn round_trips_direct_and_in_an_envelope() {
    for suite in PublicKeyEncryption::ALL {
        let mut rng = rng();
        let key = suite.generate(&mut rng);
        let public = key.public();
        assert_eq!(public.len(), suite.spki_len());
        let key = DecryptionKey::from_pkcs8(&key.to_pkcs8()).expect("own key parses");
        assert_eq!(key.public(), public);
        for label in [&b""[..], b"ticket"] {
            for len in [0, 1, 32, 85, 86, 117, 118, 190, 191, 213, 214, 245, 246, 5_000] {
                let text = vec![0x5a; len];
                let sealed = suite.encrypt(&public, label, &text, &mut rng).expect("encrypts");
                assert_eq!(sealed.len(), suite.sealed_len(label.len(), len), "{suite} {len}");
                let opened = suite.decrypt(&key, label, &sealed).expect("own text opens");
                assert_eq!(*opened, text, "{suite}, {len} bytes");
            }
        }
        let direct = |label, len| suite.sealed_len(label, len) == suite.modulus_len();
        let (most, most_labelled) = match suite {
            PublicKeyEncryption::Rsa2048Oaep | PublicKeyEncryption::Rsa2048OaepSharedPrime => (190, 190),
            PublicKeyEncryption::Rsa2048Pkcs1v15 => (245, 213),
            PublicKeyEncryption::Rsa1024Pkcs1v15 | PublicKeyEncryption::Rsa1024Pkcs1v15Telling => (117, 85),
        };
        assert!(direct(0, most) && !direct(0, most + 1));
        assert!(direct(6, most_labelled) && !direct(6, most_labelled + 1));
    }
}

/// Refused with one word, but by who tells when a padding is wrong.
fn refused<T>(suite: PublicKeyEncryption, opened: Result<T, Reason>) -> bool {
    let tells = suite == PublicKeyEncryption::Rsa1024Pkcs1v15Telling;
    let reason = opened.err();
    reason == Some(Reason::DecryptFailed) || tells && reason == Some(Reason::BadPadding)
}

#[test]
fn another_label_key_or_bit_is_refused() {
    for suite in PublicKeyEncryption::ALL {
        let mut rng = rng();
        let (key, other) = (suite.generate(&mut rng), suite.generate(&mut rng));
        for len in [20, 1_000] {
            let sealed = suite
                .encrypt(&key.public(), b"label", &vec![1; len], &mut rng)
                .expect("a generated key encrypts");
            assert!(suite.decrypt(&key, b"label", &sealed).is_ok());
            for opened in [
                suite.decrypt(&key, b"other", &sealed),
                suite.decrypt(&other, b"label", &sealed),
                suite.decrypt(&key, b"label", &sealed[..sealed.len() - 1]),
                suite.decrypt(&key, b"label", &[&sealed[..], &[0]].concat()),
                suite.decrypt(&key, b"label", &sealed[..suite.modulus_len() - 1]),
            ] {
                assert!(refused(*suite, opened), "{suite}, {len} bytes");
            }
            for byte in (0..sealed.len()).step_by(37).chain([sealed.len() - 1]) {
                let mut changed = sealed.clone();
                changed[byte] ^= 1;
                let opened = suite.decrypt(&key, b"label", &changed);
                assert!(refused(*suite, opened), "{suite}, byte {byte}");
            }
        }
    }
}

#[test]
fn other_keys_are_malformed() {
    let suite = PublicKeyEncryption::default();
    let ed25519 = Signature::Ed25519.generate(&mut rng());
    for public in [ed25519.public(), vec![], vec![0x30, 0x80], vec![0; 294]] {
        assert_eq!(suite.encrypt(&public, b"", b"", &mut rng()), Err(Reason::Malformed));
    }
    for private in [ed25519.to_pkcs8().to_vec(), vec![], vec![0x30, 0x00]] {
        assert_eq!(DecryptionKey::from_pkcs8(&private).unwrap_err(), Reason::Malformed);
    }
}
