//! Key encapsulation and ML-DSA-65 against NIST's and Wycheproof's vectors, and against another
//! implementation of both, libcrux.

use super::*;

fn sha(bytes: &[u8]) -> Vec<u8> {
    sha256(&[bytes]).to_vec()
}

/// Wycheproof: keys from seeds, decapsulation, implicit rejection, ciphertexts of wrong lengths.
#[test]
fn ml_kem_768_decapsulates_as_wycheproof_does() {
    let excerpt = Excerpt::parse(include_str!("../vectors/ml_kem_768.json"));
    for case in excerpt.cases() {
        let (seed, ciphertext) = (case.bytes("seed"), case.bytes("c"));
        let secret = Kem::MlKem768.decapsulate(&seed, &ciphertext);
        if !case.is_valid() {
            assert_eq!(secret.map(|secret| secret.to_vec()), Err(Reason::Malformed), "{case}");
            continue;
        }
        assert_eq!(secret.unwrap().to_vec(), case.bytes("K"), "{case}");
        let key = Kem::MlKem768.encapsulation_key(&seed).unwrap();
        assert_eq!(sha(&key), case.bytes("ek_sha256"), "{case}");
    }
}

/// Wycheproof: encapsulation with given random bytes; keys with a coefficient that is not below
/// the modulus, and of wrong lengths, are refused (FIPS 203 §7.2).
#[test]
fn ml_kem_768_encapsulates_as_wycheproof_does() {
    let excerpt = Excerpt::parse(include_str!("../vectors/ml_kem_768_encaps.json"));
    for case in excerpt.cases() {
        let (key, coins) = (case.bytes("ek"), case.bytes("m"));
        let made = Kem::MlKem768.encapsulate(&key, &coins);
        if case.is_valid() {
            let (ciphertext, secret) = made.unwrap();
            assert_eq!(Kem::MlKem768.validate(&key), Ok(()), "{case}");
            assert_eq!(sha(&ciphertext), case.bytes("c_sha256"), "{case}");
            assert_eq!(secret.to_vec(), case.bytes("K"), "{case}");
        } else {
            assert_eq!(made.map(drop), Err(Reason::Malformed), "{case}");
        }
    }
}

/// NIST ACVP.
#[test]
fn ml_kem_768_encapsulates_as_acvp_does() {
    let case: Value = serde_json::from_str(include_str!("../vectors/ml_kem_768_acvp.json")).unwrap();
    let field = |name: &str| hex(case[name].as_str().unwrap());
    let (ciphertext, secret) = Kem::MlKem768.encapsulate(&field("ek"), &field("m")).unwrap();
    assert_eq!(secret.to_vec(), field("k"));
    assert!(ciphertext.starts_with(&field("c_begins")) && ciphertext.ends_with(&field("c_ends")));
}

#[test]
fn x_wing_of_the_draft() {
    let excerpt: Value = serde_json::from_str(include_str!("../vectors/x_wing.json")).unwrap();
    let cases = excerpt["tests"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let field = |name: &str| hex(case[name].as_str().unwrap());
        let key = Kem::XWing.encapsulation_key(&field("seed")).unwrap();
        let (ciphertext, secret) = Kem::XWing.encapsulate(&key, &field("eseed")).unwrap();
        assert_eq!((sha(&key), sha(&ciphertext)), (field("pk_sha256"), field("ct_sha256")));
        assert_eq!(secret.to_vec(), field("ss"));
        assert_eq!(*Kem::XWing.decapsulate(&field("seed"), &ciphertext).unwrap(), *secret);
    }
}

/// That of TLS is both side by side, ML-KEM first (draft-ietf-tls-ecdhe-mlkem §3).
#[test]
fn x25519_mlkem768_is_both_side_by_side() {
    let kem = Kem::X25519MlKem768;
    let mut rng = rng();
    for _ in 0..8 {
        let key = kem.generate(&mut rng);
        let mut coins = vec![0; kem.coins_len()];
        rng.fill_bytes(&mut coins);
        let public = kem.encapsulation_key(&key).unwrap();
        let (ciphertext, secret) = kem.encapsulate(&public, &coins).unwrap();
        assert_eq!((public.len(), ciphertext.len(), secret.len()), (1216, 1120, 64));
        assert_eq!(*kem.decapsulate(&key, &ciphertext).unwrap(), *secret);
        let pq = Kem::MlKem768.decapsulate(&key[..64], &ciphertext[..1088]).unwrap();
        let classical = Agreement::X25519.agree(&key[64..], &ciphertext[1088..]).unwrap();
        assert_eq!(secret.to_vec(), [pq.as_slice(), &classical].concat());
        // A share that gives zero is refused (§4.3 there, RFC 8446 §7.4.2).
        let zero = [&ciphertext[..1088], &[0; 32]].concat();
        assert_eq!(kem.decapsulate(&key, &zero).map(drop), Err(Reason::WeakParameter));
        let zero = [&public[..1184], &[0; 32]].concat();
        assert_eq!(kem.validate(&zero), Err(Reason::WeakParameter));
    }
}

/// Keys, ciphertexts and secrets are those of libcrux, and so is what it makes of a ciphertext that
/// was changed.
#[test]
fn ml_kem_768_agrees_with_libcrux() {
    use libcrux_ml_kem::mlkem768;
    let mut rng = rng();
    for _ in 0..16 {
        let seed = Kem::MlKem768.generate(&mut rng);
        let mut coins = [0; 32];
        rng.fill_bytes(&mut coins);
        let theirs = mlkem768::generate_key_pair(seed.as_slice().try_into().unwrap());
        let public = Kem::MlKem768.encapsulation_key(&seed).unwrap();
        assert_eq!(theirs.pk(), public.as_slice());
        let (their_ciphertext, their_secret) = mlkem768::encapsulate(theirs.public_key(), coins);
        let (mut ciphertext, secret) = Kem::MlKem768.encapsulate(&public, &coins).unwrap();
        assert_eq!(their_ciphertext.as_ref(), ciphertext.as_slice());
        assert_eq!(&their_secret[..], secret.as_slice());
        ciphertext[7] ^= 1;
        let changed: [u8; 1088] = ciphertext.as_slice().try_into().unwrap();
        let theirs = mlkem768::decapsulate(theirs.private_key(), &changed.into());
        let ours = Kem::MlKem768.decapsulate(&seed, &ciphertext).unwrap();
        assert_eq!(&theirs[..], ours.as_slice());
        assert_ne!(ours, secret, "implicit rejection");
    }
}

/// PKCS#8 of an ML-DSA-65 seed (RFC 9881 §6).
fn ml_dsa(seed: &[u8]) -> SigningKey {
    let der = [hex("3034020100300b0609608648016503040312 04228020"), seed.to_vec()].concat();
    let key = SigningKey::from_pkcs8(&der).expect("the key parses");
    assert_eq!(*key.to_pkcs8(), der);
    key
}

/// The public key itself, without what says of which algorithm it is.
fn bare(key: &SigningKey) -> Vec<u8> {
    let spki = key.public();
    assert_eq!(spki.len(), Signature::MlDsa65.spki_len());
    spki[spki.len() - 1952..].to_vec()
}

/// Wycheproof: signatures by the deterministic variant with an empty context.
#[test]
fn ml_dsa_65_signs_as_wycheproof_does() {
    let excerpt = Excerpt::parse(include_str!("../vectors/ml_dsa_65.json"));
    for case in excerpt.cases() {
        let key = ml_dsa(&case.bytes("seed"));
        assert_eq!(sha(&bare(&key)), case.bytes("public_sha256"), "{case}");
        let (text, mut drawn) = (case.bytes("msg"), rng());
        let signature = key.sign(&text, &mut drawn);
        assert_eq!(sha(&signature), case.bytes("sig_sha256"), "{case}");
        assert_eq!(signature.len(), Signature::MlDsa65.signature_len());
        assert_eq!(key.sign_x509(&text), signature, "X.509 signs with an empty context, too");
        assert_eq!(Signature::MlDsa65.verify(&key.public(), &text, &signature), Ok(()), "{case}");
    }
}

/// Wycheproof: hints that repeat, are out of order or too many (CVE-2026-24850), norms that are
/// too large, wrong lengths.
#[test]
fn ml_dsa_65_refuses_what_wycheproof_refuses() {
    let text = include_str!("../vectors/ml_dsa_65_verify.json");
    let keys: Value = serde_json::from_str(text).unwrap();
    let excerpt = Excerpt::parse(text);
    let mut hints = 0;
    for case in excerpt.cases() {
        let key = hex(keys["keys"][case.0["key"].as_u64().unwrap() as usize].as_str().unwrap());
        let verified = Signature::MlDsa65.verify(&key, &case.bytes("msg"), &case.bytes("sig"));
        let expected = if case.is_valid() { Ok(()) } else { Err(Reason::BadSignature) };
        assert_eq!(verified, expected, "{case}");
        hints += u32::from(case.has_flag("InvalidHintsEncoding"));
    }
    assert_eq!(hints, 9);
}

/// Each takes the other's signatures, and both sign alike.
#[test]
fn ml_dsa_65_agrees_with_libcrux() {
    use libcrux_ml_dsa::ml_dsa_65;
    let mut rng = rng();
    for nth in 0..8 {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let (key, text) = (ml_dsa(&seed), vec![nth; usize::from(nth) * 37]);
        let theirs = ml_dsa_65::generate_key_pair(seed);
        assert_eq!(theirs.verification_key.as_slice(), bare(&key));
        let ours = key.sign(&text, &mut rng);
        let signature = ml_dsa_65::sign(&theirs.signing_key, &text, b"", [0; 32]).unwrap();
        assert_eq!(signature.as_slice(), ours, "the deterministic variant takes zeros for randomness");
        let signature = ml_dsa_65::sign(&theirs.signing_key, &text, b"", [nth; 32]).unwrap();
        let verified = Signature::MlDsa65.verify(&key.public(), &text, signature.as_slice());
        assert_eq!(verified, Ok(()), "and another is no worse");
        ml_dsa_65::verify(&theirs.verification_key, &text, b"", &signature).unwrap();
    }
}
