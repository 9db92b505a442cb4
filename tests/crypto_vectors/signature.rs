use super::*;

/// PKCS#8 of a raw Ed25519 seed (RFC 8410 §10.3).
fn ed25519(seed: &str) -> SigningKey {
    let der = [hex("302e020100300506032b657004220420"), hex(seed)].concat();
    let key = SigningKey::from_pkcs8(&der).expect("the key parses");
    assert_eq!(*key.to_pkcs8(), der);
    key
}

/// RFC 8032 §7.1, tests 1 to 3.
#[test]
fn ed25519_of_rfc_8032() {
    for (seed, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
             5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let key = ed25519(seed);
        assert_eq!(key.public(), [hex("302a300506032b6570032100"), hex(public)].concat());
        assert_eq!(key.sign(&hex(message), &mut rng()), hex(signature));
        assert_eq!(key.sign_x509(&hex(message)), hex(signature));
        let verified = Signature::Ed25519.verify(&key.public(), &hex(message), &hex(signature));
        assert_eq!(verified, Ok(()));
    }
}

/// A key of small order would verify one signature over any message.
#[test]
fn ed25519_refuses_keys_of_small_order() {
    let identity = [&[1][..], &[0; 31]].concat();
    let public = [hex("302a300506032b6570032100"), identity.clone()].concat();
    // R the identity, S zero: fits every message under such a key.
    let signature = [identity, vec![0; 32]].concat();
    let verified = Signature::Ed25519.verify(&public, b"any", &signature);
    assert_eq!(verified, Err(Reason::BadSignature));
}

/// RFC 6979 A.2.5, message "sample" with SHA-256.
#[test]
fn ecdsa_of_rfc_6979() {
    let secret = hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721");
    let der = [
        // PKCS#8 of the bare scalar: OneAsymmetricKey, ECPrivateKey version 1.
        hex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420"),
        secret,
    ]
    .concat();
    let key = SigningKey::from_pkcs8(&der).expect("the key parses");
    let spki = hex("3059301306072a8648ce3d020106082a8648ce3d03010703420004
         60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6
         7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299");
    assert_eq!(key.public(), spki);
    let signature = hex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
         F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
    assert_eq!(key.sign(b"sample", &mut rng()), signature);
    assert_eq!(Signature::EcdsaP256.verify(&spki, b"sample", &signature), Ok(()));
}

/// Checks the cases of an excerpt by `verify(public, message, signature)`.
fn check(json: &str, verify: impl Fn(&VerifyingKey, &[u8], &[u8]) -> Result<(), Reason>) {
    let excerpt = Excerpt::parse(json);
    for case in excerpt.cases() {
        let public =
            if case.0["public"].is_string() { case.bytes("public") } else { excerpt.shared("public") };
        let key = VerifyingKey::from_spki(&public).expect("the key parses");
        let verified = verify(&key, &case.bytes("msg"), &case.bytes("sig"));
        // "acceptable" is legacy leniency (a missing NULL): refused here.
        let expected = if case.is_valid() { Ok(()) } else { Err(Reason::BadSignature) };
        assert_eq!(verified, expected, "{case}");
    }
}

#[test]
fn ed25519_of_wycheproof() {
    check(include_str!("../vectors/ed25519.json"), VerifyingKey::verify);
}

#[test]
fn ecdsa_of_wycheproof() {
    check(include_str!("../vectors/ecdsa_p256_p1363.json"), VerifyingKey::verify);
    check(include_str!("../vectors/ecdsa_p256_der.json"), VerifyingKey::verify_x509);
}

#[test]
fn pss_of_wycheproof() {
    check(include_str!("../vectors/rsa_2048_pss.json"), VerifyingKey::verify);
}

#[test]
fn pkcs1v15_of_wycheproof() {
    check(include_str!("../vectors/rsa_2048_pkcs1v15_signature.json"), VerifyingKey::verify_x509);
}

#[test]
fn round_trips_and_lengths() {
    for suite in Signature::ALL {
        let mut rng = rng();
        let key = suite.generate(&mut rng);
        assert_eq!(key.suite(), *suite);
        let public = key.public();
        assert_eq!(public.len(), suite.spki_len(), "{suite}");
        let key = SigningKey::from_pkcs8(&key.to_pkcs8()).expect("own key parses");
        // PKCS#8 does not say how its owner draws nonces.
        assert_eq!((key.suite(), key.public()), (suite.verifies_as(), public.clone()));

        let signature = key.sign(b"message", &mut rng);
        assert_eq!(signature.len(), suite.signature_len(), "{suite}");
        assert_eq!(suite.verify(&public, b"message", &signature), Ok(()));
        let parsed = VerifyingKey::from_spki(&public).expect("own key parses");
        assert_eq!(parsed.suite(), suite.verifies_as());
        let x509 = key.sign_x509(b"message");
        assert_eq!(parsed.verify_x509(b"message", &x509), Ok(()));
        assert_eq!(parsed.verify_x509(b"massage", &x509), Err(Reason::BadSignature));

        for (message, signature) in [
            (&b"massage"[..], signature.clone()),
            (b"message", signature[1..].to_vec()),
            (b"message", [&signature[..], &[0]].concat()),
            (b"message", vec![]),
            (b"message", vec![0; signature.len()]),
            (b"message", vec![0xff; signature.len()]),
        ] {
            let verified = suite.verify(&public, message, &signature);
            assert_eq!(verified, Err(Reason::BadSignature), "{suite}");
        }
        for byte in 0..signature.len() {
            let mut changed = signature.clone();
            changed[byte] ^= 1 << (byte % 8);
            let verified = parsed.verify(b"message", &changed);
            assert_eq!(verified, Err(Reason::BadSignature), "{suite}, byte {byte}");
        }
    }
}

#[test]
fn a_key_of_another_kind_is_malformed() {
    let keys = Signature::ALL.iter().map(|suite| suite.generate(&mut rng()));
    for key in keys {
        for suite in Signature::ALL.iter().filter(|suite| suite.verifies_as() != key.suite().verifies_as()) {
            let signature = key.sign(b"m", &mut rng());
            let verified = suite.verify(&key.public(), b"m", &signature);
            assert_eq!(verified, Err(Reason::Malformed));
        }
        for cut in [0, 1, key.public().len() - 1] {
            let parsed = VerifyingKey::from_spki(&key.public()[..cut]);
            assert_eq!(parsed.unwrap_err(), Reason::Malformed);
        }
        for cut in [0, 1, key.to_pkcs8().len() - 1] {
            let parsed = SigningKey::from_pkcs8(&key.to_pkcs8()[..cut]);
            assert_eq!(parsed.unwrap_err(), Reason::Malformed);
        }
    }
}

#[test]
fn debug_shows_no_secret() {
    let key = ed25519("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    assert_eq!(format!("{key:?}"), "SigningKey(Ed25519)");
    let key = PublicKeyEncryption::default().generate(&mut rng());
    assert_eq!(format!("{key:?}"), "DecryptionKey { .. }");
}

/// The signer with one nonce makes signatures that anybody verifies, and all have one r; one by
/// RFC 6979 has another r for each text.
#[test]
fn a_repeated_nonce_shows_in_r() {
    let key = Signature::EcdsaP256RepeatedNonce.generate(&mut rng());
    let sound = SigningKey::from_pkcs8(&key.to_pkcs8()).unwrap();
    let signed = |key: &SigningKey, text: &[u8]| {
        let signature = key.sign(text, &mut rng());
        assert_eq!(Signature::EcdsaP256.verify(&key.public(), text, &signature), Ok(()));
        assert_eq!(Signature::EcdsaP256RepeatedNonce.verify(&key.public(), text, &signature), Ok(()));
        signature[..32].to_vec()
    };
    assert_eq!(signed(&key, b"one"), signed(&key, b"another"));
    assert_ne!(signed(&sound, b"one"), signed(&sound, b"another"));
    assert_ne!(signed(&key, b"one"), signed(&sound, b"one"));
}
