use super::*;

/// p of ffdhe2048 as bytes, plus `delta`.
fn near_p(delta: i8) -> Vec<u8> {
    let mut p = hex("FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695
         A9E13641146433FBCC939DCE249B3EF97D2FE363630C75D8F681B202AEC4617A
         D3DF1ED5D5FD65612433F51F5F066ED0856365553DED1AF3B557135E7F57C935
         984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE73530ACCA4F483A797A
         BC0AB182B324FB61D108A94BB2C8E3FBB96ADAB760D7F4681D4F42A3DE394DF4
         AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F61
         9172FE9CE98583FF8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005
         C58EF1837D1683B2C6F34A26C1B2EFFA886B423861285C97FFFFFFFFFFFFFFFF");
    // Computed apart from the formula of RFC 7919 appendix A.1,
    // 2^2048 - 2^1984 + (floor(2^1918 * e) + 560316) * 2^64 - 1.
    assert_eq!(
        sha256(&[&p]).to_vec(),
        hex("9cd3b7f336872f46c09428d1bbc19877a4d440512cda8d1c1cf0cd6e33698966")
    );
    let last = p.last_mut().expect("p has 256 bytes");
    *last = last.checked_add_signed(delta).expect("the lowest byte of p is 0xff");
    p
}

/// The number `value` in 256 bytes, big endian.
fn small(value: u8) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    bytes[255] = value;
    bytes
}

fn scalar(value: u8) -> Vec<u8> {
    small(value)[224..].to_vec()
}

/// RFC 7748 §5.2, both vectors and a thousand iterations.
#[test]
fn x25519_of_rfc_7748() {
    for (scalar, u, result) in [
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ),
    ] {
        let agreed = Agreement::X25519.agree(&hex(scalar), &hex(u)).expect("the vector agrees");
        assert_eq!(*agreed, hex(result));
    }
    let (mut k, mut u) = (scalar_nine(), scalar_nine());
    for _ in 0..1_000 {
        let next = Agreement::X25519.agree(&k, &u).expect("the iteration agrees").to_vec();
        u = std::mem::replace(&mut k, next);
    }
    assert_eq!(k, hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
}

/// The base point, 9, little endian.
fn scalar_nine() -> Vec<u8> {
    [&[9][..], &[0; 31]].concat()
}

/// RFC 7748 §6.1.
#[test]
fn x25519_key_exchange_of_rfc_7748() {
    let group = Agreement::X25519;
    let alice = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    let bob = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    let (a, b) = (group.share(&alice).expect("shares"), group.share(&bob).expect("shares"));
    assert_eq!(a, hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
    assert_eq!(b, hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
    let shared = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    assert_eq!(*group.agree(&alice, &b).expect("agrees"), shared);
    assert_eq!(*group.agree(&bob, &a).expect("agrees"), shared);
}

#[test]
fn x25519_of_wycheproof() {
    let group = Agreement::X25519;
    let mut refused = 0;
    for case in Excerpt::parse(include_str!("../vectors/x25519.json")).cases() {
        let (share, shared) = (case.bytes("public"), case.bytes("shared"));
        let agreed = group.agree(&case.bytes("private"), &share);
        if shared == [0; 32] {
            refused += 1;
            assert_eq!(agreed, Err(Reason::WeakParameter), "{case}");
            assert_eq!(group.validate(&share), Err(Reason::WeakParameter), "{case}");
        } else {
            assert_eq!(*agreed.expect("agrees"), shared, "{case}");
            assert_eq!(group.validate(&share), Ok(()), "{case}");
        }
    }
    assert!(refused >= 14, "seven shares, with and without the top bit: {refused}");
}

/// The list of small orders is exactly what multiplication says, among all
/// encodings near 0, p and 2^255, with and without the top bit.
#[test]
fn x25519_validation_equals_multiplication() {
    let group = Agreement::X25519;
    for lowest in 0..=u8::MAX {
        for rest in [0x00, 0xff] {
            for top in [0x00, 0x7f, 0x80, 0xff] {
                let mut share = [rest; 32];
                (share[0], share[31]) = (lowest, top);
                let agreed = group.agree(&[0x42; 32], &share).map(drop);
                assert_eq!(group.validate(&share), agreed, "{}", hex::encode(share));
            }
        }
    }
}

/// NIST CAVP, KAS ECC CDH primitive (SP 800-56A §5.7.1.2), P-256, COUNT = 0.
#[test]
fn p256_of_cavp() {
    let group = Agreement::P256;
    let peer = hex("04
         700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287
         db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac");
    let secret = hex("7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534");
    let share = hex("04
         ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b230
         28af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141");
    assert_eq!(group.share(&secret), Ok(share));
    let agreed = group.agree(&secret, &peer).expect("the vector agrees");
    assert_eq!(*agreed, hex("46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b"));
}

#[test]
fn p256_of_wycheproof() {
    let group = Agreement::P256;
    for case in Excerpt::parse(include_str!("../vectors/ecdh_p256.json")).cases() {
        let (mut secret, share) = (case.bytes("private"), case.bytes("public"));
        // Wycheproof writes numbers as signed: perhaps a leading zero more, or fewer.
        while secret.len() > 32 && secret[0] == 0 {
            secret.remove(0);
        }
        while secret.len() < 32 {
            secret.insert(0, 0);
        }
        let agreed = group.agree(&secret, &share).map(|shared| shared.to_vec());
        assert_eq!(group.validate(&share).err(), agreed.clone().err(), "{case}");
        if case.is_valid() {
            assert_eq!(agreed, Ok(case.bytes("shared")), "{case}");
        } else {
            let expected = match share.as_slice() {
                [0] => Reason::WeakParameter,
                [4, ..] if share.len() == 65 => Reason::WeakParameter,
                // Compressed, empty or of another curve's length.
                _ => Reason::Malformed,
            };
            assert_eq!(agreed, Err(expected), "{case}");
        }
    }
}

#[test]
fn p256_refuses_identity_and_foreign_points() {
    let group = Agreement::P256;
    let share = group.share(&scalar(1)).expect("one is a scalar");
    let mut off_curve = share.clone();
    off_curve[64] ^= 1;
    let zero = [&[4][..], &[0; 64]].concat();
    for weak in [vec![0], off_curve, zero] {
        assert_eq!(group.validate(&weak), Err(Reason::WeakParameter));
        assert_eq!(group.agree(&scalar(1), &weak), Err(Reason::WeakParameter));
    }
    let compressed = [&[2 + (share[64] & 1)], &share[1..33]].concat();
    for malformed in [vec![], compressed, share[..64].to_vec(), vec![0; 65]] {
        assert_eq!(group.validate(&malformed), Err(Reason::Malformed));
    }
    // Neither zero nor the order (SEC 2 §2.4.2) is a scalar.
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    for secret in [scalar(0), order] {
        assert_eq!(group.share(&secret), Err(Reason::Malformed));
    }
}

#[test]
fn ffdhe2048_counts_in_the_right_group() {
    let group = Agreement::Ffdhe2048;
    // 2^x below p, and the first power that wraps: 2^2048 mod p = 2^2048 - p.
    assert_eq!(group.share(&scalar(0)), Ok(small(1)));
    assert_eq!(group.share(&scalar(1)), Ok(small(2)));
    assert_eq!(group.share(&scalar(7)), Ok(small(128)));
    let exponent = [&[0; 30][..], &[8, 0]].concat();
    let wrapped: Vec<u8> = near_p(0).iter().map(|byte| !byte).collect();
    let plus_one = {
        // The complement of p ends in eight zero bytes, so no carry.
        let mut number = wrapped;
        number[255] += 1;
        number
    };
    assert_eq!(group.share(&exponent), Ok(plus_one));
    // (p - 2)^2 = 4
    assert_eq!(*group.agree(&scalar(2), &near_p(-2)).expect("agrees"), small(4));
}

#[test]
fn ffdhe2048_refuses_shares_out_of_range() {
    let group = Agreement::Ffdhe2048;
    for weak in [small(0), small(1), near_p(-1), near_p(0), vec![0xff; 256]] {
        assert_eq!(group.validate(&weak), Err(Reason::WeakParameter));
        assert_eq!(group.agree(&scalar(5), &weak), Err(Reason::WeakParameter));
    }
    for good in [small(2), near_p(-2)] {
        assert_eq!(group.validate(&good), Ok(()));
    }
}

/// By Python's integers, of p by the formula of RFC 7919 appendix A.2 (and as OpenSSL has it), and
/// of the constants of modp-2048: exponents SHA-256 of "x" and "y", results as their SHA-256.
#[test]
fn groups_modulo_primes_count_as_python_does() {
    let (x, y) = (sha256(&[b"x"]), sha256(&[b"y"]));
    for (group, share, secret) in [
        (
            Agreement::Ffdhe3072,
            "21339d6973a8a7f27b8a1252cd2b3e29bfdeff78f07331b28b9cd5f33418d00c",
            "7acd2275923544873c2d289053b8ba9568f0ec254b4b6983988564a74e34f896",
        ),
        (
            Agreement::Modp2048,
            "6a8474467ffaad80d0c19c1b689ddbedee2769535fdfed4bf4f2f99508a9a70c",
            "dd05d61383dafbfbbd8b6a0802461afd779b6a473cb384f29d0bdcf52cd2ab82",
        ),
    ] {
        assert_eq!(sha256(&[&group.share(&x).unwrap()]).to_vec(), hex(share), "{group}");
        let agreed = group.agree(&x, &group.share(&y).unwrap()).unwrap();
        assert_eq!(sha256(&[&agreed]).to_vec(), hex(secret), "{group}");
    }
    let group = Agreement::Modp64;
    assert_eq!(group.share(&hex("0b5c4590adc9ac11")), Ok(hex("34585013d31839a3")));
    let other = group.share(&hex("287f390d8e153fe2")).unwrap();
    assert_eq!(group.agree(&hex("0b5c4590adc9ac11"), &other).unwrap().to_vec(), hex("b61591cece805057"));
}

/// Elements of small order are there in modp-2048, which one variant refuses and the other takes.
#[test]
fn only_the_unchecked_group_takes_elements_of_small_order() {
    for factor in SMALL_FACTORS {
        let element = of_small_order(factor).unwrap();
        let powers = powers_of(&element, usize::from(factor) + 1);
        assert_ne!(powers[1], powers[0], "{factor}");
        assert_eq!(powers[usize::from(factor)], powers[0], "{factor}");
        assert_eq!(Agreement::Modp2048.validate(&element), Err(Reason::WeakParameter), "{factor}");
        let agreed = Agreement::Modp2048Unchecked.agree(&[0xff; 32], &element).unwrap();
        assert!(powers.contains(&agreed), "{factor}");
    }
    assert_eq!(of_small_order(3), None);
    // Modulo a safe prime half of all numbers are squares, and those alone are taken.
    let taken = (2..=65_u64).filter(|n| Agreement::Modp64.validate(&n.to_be_bytes()).is_ok()).count();
    assert!((20..45).contains(&taken), "{taken} of 64");
}

#[test]
fn agreement_commutes() {
    for group in Agreement::ALL {
        let mut rng = rng();
        for _ in 0..4 {
            let (a, b) = (group.generate(&mut rng), group.generate(&mut rng));
            assert_eq!(a.len(), group.secret_len());
            let share_a = group.share(&a).expect("own secret shares");
            let share_b = group.share(&b).expect("own secret shares");
            assert_eq!(share_a.len(), group.share_len());
            assert_eq!(group.validate(&share_a), Ok(()));
            let shared = group.agree(&a, &share_b).expect("agrees");
            assert_eq!(shared.len(), group.shared_len());
            assert_eq!(shared, group.agree(&b, &share_a).expect("agrees"), "{group}");
            assert_ne!(shared, group.agree(&a, &share_a).expect("agrees"), "{group}");
        }
    }
}

#[test]
fn other_lengths_are_malformed() {
    for group in Agreement::ALL {
        let secret = group.generate(&mut rng());
        let share = group.share(&secret).expect("own secret shares");
        let longer = [&share[..], &[0]].concat();
        for other in [&share[1..], &longer, b""] {
            assert_eq!(group.validate(other), Err(Reason::Malformed), "{group}");
            assert_eq!(group.agree(&secret, other), Err(Reason::Malformed), "{group}");
        }
        assert_eq!(group.share(&secret[1..]), Err(Reason::Malformed), "{group}");
        assert_eq!(group.agree(b"", &share), Err(Reason::Malformed), "{group}");
    }
}
