use super::*;

/// FIPS 180-4, the examples at csrc.nist.gov.
#[test]
fn sha256_of_abc() {
    let abc = hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(sha256(&[b"abc"]).to_vec(), abc);
    assert_eq!(sha256(&[b"a", b"", b"bc"]).to_vec(), abc, "parts are concatenated");
    let two_blocks = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_eq!(
        sha256(&[two_blocks]).to_vec(),
        hex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    );
}

/// RFC 4231 §4.2, §4.3, §4.7.
#[test]
fn hmac_of_rfc_4231() {
    let long: &[u8] = b"Test Using Larger Than Block-Size Key - Hash Key First";
    for (key, data, tag) in [
        (
            vec![0x0b; 20],
            &b"Hi There"[..],
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe".to_vec(),
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (vec![0xaa; 131], long, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    ] {
        assert_eq!(hmac_sha256(&key, &[data]).to_vec(), hex(tag));
    }
}

/// RFC 5869 appendices A.1 to A.3.
#[test]
fn hkdf_of_rfc_5869() {
    let range = |range: std::ops::Range<u8>| range.collect::<Vec<u8>>();
    let mut info_2 = range(0xb0..0xff);
    info_2.push(0xff);
    for (ikm, salt, info, okm) in [
        (
            vec![0x0b; 22],
            range(0..13),
            range(0xf0..0xfa),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf
             34007208d5b887185865",
        ),
        (
            range(0..80),
            range(0x60..0xb0),
            info_2,
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c
             59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71
             cc30c58179ec3e87c14c01d5c1f3434f1d87",
        ),
        (
            vec![0x0b; 22],
            vec![],
            vec![],
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d
             9d201395faa4b61a96c8",
        ),
    ] {
        let expected = hex(okm);
        let mut out = vec![0; expected.len()];
        hkdf_sha256(&ikm, &salt, &info, &mut out);
        assert_eq!(out, expected);
    }
}

#[test]
fn comparison_sees_content_and_length() {
    assert!(constant_time_eq(b"tag", b"tag"));
    assert!(!constant_time_eq(b"tag", b"tab"));
    assert!(!constant_time_eq(b"tag", b"ta"));
}
