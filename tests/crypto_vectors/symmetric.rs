use aes::Aes256;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};

use super::*;

const LENGTHS: [usize; 9] = [0, 1, 15, 16, 17, 31, 32, 1_000, 65_536];

/// SP 800-38A F.2.5 and F.2.6. The vector has no padding, so the block that
/// padding adds is encrypted apart, chained to the vector's last block.
#[test]
fn cbc_of_sp_800_38a() {
    let key = hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    let iv = hex("000102030405060708090a0b0c0d0e0f");
    let text = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51
         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
    let ciphertext = hex("f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d
         39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b");
    let encrypt = |iv: &[u8], text: &[u8]| {
        cbc::Encryptor::<Aes256>::new_from_slices(&key, iv)
            .expect("the vector's lengths are right")
            .encrypt_padded_vec::<NoPadding>(text)
    };
    assert_eq!(encrypt(&iv, &text), ciphertext);
    let padding = encrypt(&ciphertext[48..], &[16; 16]);
    let sealed = [iv, ciphertext, padding].concat();
    let opened = Symmetric::Aes256Cbc.open(&key, b"", &sealed).expect("the vector opens");
    assert_eq!(*opened, text);
}

/// The GCM specification (McGrew and Viega), test case 16.
#[test]
fn gcm_of_its_specification() {
    let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let sealed = hex("cafebabefacedbaddecaf888
         522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
         8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662
         76fc6ece0f4e1768cddf8853bb2d551b");
    let opened = Symmetric::Aes256Gcm.open(&key, &aad, &sealed).expect("the vector opens");
    assert_eq!(
        *opened,
        hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
    );
}

#[test]
fn gcm_of_wycheproof() {
    for case in Excerpt::parse(include_str!("../vectors/aes_256_gcm.json")).cases() {
        let sealed = [case.bytes("iv"), case.bytes("ct"), case.bytes("tag")].concat();
        let opened = Symmetric::Aes256Gcm.open(&case.bytes("key"), &case.bytes("aad"), &sealed);
        let expected = if case.is_valid() { Ok(case.bytes("msg")) } else { Err(Reason::DecryptFailed) };
        assert_eq!(opened.map(|text| text.to_vec()), expected, "{case}");
    }
}

#[test]
fn cbc_of_wycheproof() {
    for case in Excerpt::parse(include_str!("../vectors/aes_256_cbc.json")).cases() {
        let sealed = [case.bytes("iv"), case.bytes("ct")].concat();
        let opened = Symmetric::Aes256Cbc.open(&case.bytes("key"), b"", &sealed);
        let expected = if case.is_valid() { Ok(case.bytes("msg")) } else { Err(Reason::BadPadding) };
        assert_eq!(opened.map(|text| text.to_vec()), expected, "{case}");
    }
}

#[test]
fn round_trips_of_every_length() {
    for suite in Symmetric::ALL {
        for key in [&[3; 32][..], b"short", &[3; 64], b""] {
            for len in LENGTHS {
                let text = vec![0x5a; len];
                let sealed = suite.seal(key, b"aad", &text, &mut rng());
                assert_eq!(sealed.len(), suite.sealed_len(len), "{suite}, {len} bytes");
                let opened = suite.open(key, b"aad", &sealed).expect("own text opens");
                assert_eq!(*opened, text, "{suite}, {len} bytes");
            }
        }
    }
}

/// The layout of encrypt-then-MAC, rebuilt from the documented parts.
#[test]
fn encrypt_then_mac_is_what_it_says() {
    let suite = Symmetric::Aes256CbcHmacSha256;
    let derive = |info: &str| {
        let mut key = [0; 32];
        hkdf_sha256(b"key", b"", info.as_bytes(), &mut key);
        key
    };
    let sealed = suite.seal(b"key", b"aad", b"text", &mut rng());
    let (body, tag) = sealed.split_at(sealed.len() - 32);
    let mac = derive("mallory aes-256-cbc-hmac-sha256 mac");
    assert_eq!(hmac_sha256(&mac, &[&3u64.to_be_bytes(), b"aad", body]), tag);
    let encryption = derive("mallory aes-256-cbc-hmac-sha256 encryption");
    let inner = Symmetric::Aes256Cbc.open(&encryption, b"", body).expect("the body is CBC");
    assert_eq!(*inner, b"text");
}

/// Every bit of IV or nonce, ciphertext and tag counts.
#[test]
fn authenticated_suites_refuse_every_flipped_bit() {
    for suite in [Symmetric::Aes256CbcHmacSha256, Symmetric::Aes256Gcm] {
        let sealed = suite.seal(&[9; 32], b"aad", b"attack at dawn", &mut rng());
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let opened = suite.open(&[9; 32], b"aad", &changed);
            assert_eq!(opened, Err(Reason::DecryptFailed), "{suite}, bit {bit}");
        }
    }
}

#[test]
fn authenticated_suites_refuse_other_lengths_keys_and_data() {
    for suite in [Symmetric::Aes256CbcHmacSha256, Symmetric::Aes256Gcm] {
        let sealed = suite.seal(&[9; 32], b"aad", b"attack at dawn", &mut rng());
        for len in 0..sealed.len() {
            let opened = suite.open(&[9; 32], b"aad", &sealed[..len]);
            assert_eq!(opened, Err(Reason::DecryptFailed), "{suite}, {len} bytes");
        }
        assert_eq!(suite.open(&[8; 32], b"aad", &sealed), Err(Reason::DecryptFailed));
        assert_eq!(suite.open(&[9; 32], b"", &sealed), Err(Reason::DecryptFailed));
        assert_eq!(suite.open(&[9; 32], b"aae", &sealed), Err(Reason::DecryptFailed));
    }
}

/// A flipped IV bit flips the same bit of the first block, unnoticed.
#[test]
fn cbc_alone_is_malleable() {
    let suite = Symmetric::Aes256Cbc;
    let mut sealed = suite.seal(&[9; 32], b"ignored", b"pay 100 to Bob", &mut rng());
    sealed[4] ^= b'1' ^ b'9';
    let opened = suite.open(&[9; 32], b"other", &sealed).expect("CBC notices nothing");
    assert_eq!(*opened, b"pay 900 to Bob");
}

#[test]
fn cbc_alone_refuses_bad_padding_and_lengths() {
    let suite = Symmetric::Aes256Cbc;
    // 14 bytes of text: the last byte of padding is 2, and becomes 0x12.
    let mut sealed = suite.seal(&[9; 32], b"", b"attack at dawn", &mut rng());
    sealed[15] ^= 0x10;
    assert_eq!(suite.open(&[9; 32], b"", &sealed), Err(Reason::BadPadding));
    for len in [0, 1, 15, 16, 17, 31] {
        assert_eq!(suite.open(&[9; 32], b"", &sealed[..len]), Err(Reason::BadPadding));
    }
}

/// A tag that leaves the IV out covers all but the first block of text.
#[test]
fn a_tag_without_the_iv_lets_the_first_block_change() {
    let suite = Symmetric::Aes256CbcHmacSha256WithoutIv;
    let sealed = suite.seal(&[9; 32], b"aad", b"pay 100 to Bob", &mut rng());
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let opened = suite.open(&[9; 32], b"aad", &changed);
        match bit / 8 {
            at @ 0..14 => assert_eq!(opened.unwrap()[at], b"pay 100 to Bob"[at] ^ (1 << (bit % 8))),
            // The padding, which the same suite refuses in the same word as a wrong tag.
            _ => assert_eq!(opened, Err(Reason::DecryptFailed), "bit {bit}"),
        }
    }
    assert_eq!(suite.open(&[9; 32], b"", &sealed), Err(Reason::DecryptFailed));
}
