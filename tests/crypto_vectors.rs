//! The crypto room against published vectors, through its public API wherever
//! the API's framing permits, and against the attacks that it must refuse.
//!
//! Vectors without a file come from the standard that the test names. The files
//! under `vectors/` are excerpts of Project Wycheproof; each names its source.

use mallory::crypto::{
    Agreement, DecryptionKey, PublicKeyEncryption, RSA_2048_SPKI_LEN, Rng, Signature, SigningKey, Suite,
    Symmetric, VerifyingKey, constant_time_eq, hkdf_sha256, hmac_sha256, sha256, stream, stretch,
};
use mallory::reason::Reason;
use rand::Rng as _;
use serde_json::Value;

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text.split_whitespace().collect::<String>()).expect("vectors are hexadecimal")
}

fn rng() -> Rng {
    stream(7, &["crypto_vectors"])
}

/// A Wycheproof excerpt: the fields that all cases share, and the cases.
struct Excerpt(Value);

impl Excerpt {
    fn parse(json: &str) -> Self {
        Excerpt(serde_json::from_str(json).expect("an excerpt is JSON"))
    }

    fn shared(&self, field: &str) -> Vec<u8> {
        hex(self.0[field].as_str().expect("a shared field is text"))
    }

    fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        let cases = self.0["tests"].as_array().expect("an excerpt has cases");
        assert!(cases.len() > 20, "an excerpt has a few dozen cases");
        cases.iter().map(Case)
    }
}

struct Case<'a>(&'a Value);

impl Case<'_> {
    fn bytes(&self, field: &str) -> Vec<u8> {
        hex(self.0[field].as_str().expect("a field is text"))
    }

    fn is_valid(&self) -> bool {
        self.0["result"] == "valid"
    }

    fn has_flag(&self, flag: &str) -> bool {
        self.0["flags"].as_array().expect("a case has flags").iter().any(|f| f == flag)
    }
}

impl std::fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "case {} ({}, {})", self.0["tcId"], self.0["comment"], self.0["flags"])
    }
}

mod hash {
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
}

mod randomness {
    use super::*;

    fn bytes(mut rng: Rng) -> [u8; 32] {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        bytes
    }

    /// Computed apart, by hashlib and `openssl enc -chacha20`.
    #[test]
    fn stream_is_a_known_answer() {
        assert_eq!(
            bytes(stream(0, &["alice"])).to_vec(),
            hex("f1916b4fa885947858d1c4251e9b7fbca472f4e787daf334595fbfb48db8aa84")
        );
    }

    #[test]
    fn labels_and_seed_name_the_stream() {
        let names: [(u64, &[&str]); 7] = [
            (0, &[]),
            (0, &["alice"]),
            (1, &["alice"]),
            (0, &["alice", ""]),
            (0, &["ali", "ce"]),
            (0, &["alic", "e"]),
            (0, &["bob"]),
        ];
        for (i, (seed, labels)) in names.iter().enumerate() {
            assert_eq!(bytes(stream(*seed, labels)), bytes(stream(*seed, labels)));
            for (other_seed, other_labels) in &names[..i] {
                assert_ne!(bytes(stream(*seed, labels)), bytes(stream(*other_seed, other_labels)));
            }
        }
    }

    /// Every key and ciphertext follows from the seed alone.
    #[test]
    fn everything_drawn_replays() {
        let play = || {
            let mut rng = rng();
            let mut drawn = Vec::new();
            for suite in Symmetric::ALL {
                drawn.push(suite.seal(b"key", b"aad", b"text", &mut rng));
            }
            for suite in Agreement::ALL {
                drawn.push(suite.generate(&mut rng).to_vec());
            }
            for suite in Signature::ALL {
                let key = suite.generate(&mut rng);
                drawn.push(key.to_pkcs8().to_vec());
                drawn.push(key.sign(b"message", &mut rng));
            }
            for suite in PublicKeyEncryption::ALL {
                let key = suite.generate(&mut rng);
                drawn.push(key.to_pkcs8().to_vec());
                let sealed = suite.encrypt(&key.public(), b"", &[1; 300], &mut rng);
                drawn.push(sealed.expect("a generated key encrypts"));
            }
            drawn
        };
        assert_eq!(play(), play());
    }
}

mod names {
    use super::*;

    #[test]
    fn names_parse_back() {
        for suite in Symmetric::ALL {
            assert_eq!(suite.name().parse(), Ok(*suite));
        }
        for suite in PublicKeyEncryption::ALL {
            assert_eq!(suite.name().parse(), Ok(*suite));
        }
        for suite in Signature::ALL {
            assert_eq!(suite.name().parse(), Ok(*suite));
        }
        for suite in Agreement::ALL {
            assert_eq!(suite.name().parse(), Ok(*suite));
        }
        assert_eq!("AES-256-GCM".parse::<Symmetric>(), Err(()));
    }

    #[test]
    fn defaults() {
        let Suite { symmetric, public_key, signature, agreement } = Suite::default();
        let names = [symmetric.name(), public_key.name(), signature.name(), agreement.name()];
        assert_eq!(names, ["aes-256-cbc-hmac-sha256", "rsa-2048-oaep", "ed25519", "x25519"]);
    }
}

mod symmetric {
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
        for case in Excerpt::parse(include_str!("vectors/aes_256_gcm.json")).cases() {
            let sealed = [case.bytes("iv"), case.bytes("ct"), case.bytes("tag")].concat();
            let opened = Symmetric::Aes256Gcm.open(&case.bytes("key"), &case.bytes("aad"), &sealed);
            let expected = if case.is_valid() { Ok(case.bytes("msg")) } else { Err(Reason::DecryptFailed) };
            assert_eq!(opened.map(|text| text.to_vec()), expected, "{case}");
        }
    }

    #[test]
    fn cbc_of_wycheproof() {
        for case in Excerpt::parse(include_str!("vectors/aes_256_cbc.json")).cases() {
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
}

mod public_key {
    use super::*;

    #[test]
    fn oaep_of_wycheproof() {
        let excerpt = Excerpt::parse(include_str!("vectors/rsa_2048_oaep.json"));
        let key = DecryptionKey::from_pkcs8(&excerpt.shared("private")).expect("the key parses");
        for case in excerpt.cases() {
            let opened =
                PublicKeyEncryption::Rsa2048Oaep.decrypt(&key, &case.bytes("label"), &case.bytes("ct"));
            let expected = if case.is_valid() { Ok(case.bytes("msg")) } else { Err(Reason::DecryptFailed) };
            assert_eq!(opened.map(|text| text.to_vec()), expected, "{case}");
        }
    }

    /// Bad padding answers with a made-up text (implicit rejection), never with
    /// the text inside.
    #[test]
    fn pkcs1v15_of_wycheproof() {
        let excerpt = Excerpt::parse(include_str!("vectors/rsa_2048_pkcs1v15.json"));
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
            assert_eq!(public.len(), RSA_2048_SPKI_LEN);
            let key = DecryptionKey::from_pkcs8(&key.to_pkcs8()).expect("own key parses");
            assert_eq!(key.public(), public);
            for label in [&b""[..], b"ticket"] {
                for len in [0, 1, 32, 190, 191, 213, 214, 245, 246, 5_000] {
                    let text = vec![0x5a; len];
                    let sealed = suite.encrypt(&public, label, &text, &mut rng).expect("encrypts");
                    assert_eq!(sealed.len(), suite.sealed_len(label.len(), len), "{suite} {len}");
                    let opened = suite.decrypt(&key, label, &sealed).expect("own text opens");
                    assert_eq!(*opened, text, "{suite}, {len} bytes");
                }
            }
            let direct = |label, len| suite.sealed_len(label, len) == 256;
            let (most, most_labelled) = match suite {
                PublicKeyEncryption::Rsa2048Oaep => (190, 190),
                PublicKeyEncryption::Rsa2048Pkcs1v15 => (245, 213),
            };
            assert!(direct(0, most) && !direct(0, most + 1));
            assert!(direct(6, most_labelled) && !direct(6, most_labelled + 1));
        }
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
                    suite.decrypt(&key, b"label", &sealed[..255]),
                ] {
                    assert_eq!(opened, Err(Reason::DecryptFailed), "{suite}, {len} bytes");
                }
                for byte in (0..sealed.len()).step_by(37).chain([sealed.len() - 1]) {
                    let mut changed = sealed.clone();
                    changed[byte] ^= 1;
                    let opened = suite.decrypt(&key, b"label", &changed);
                    assert_eq!(opened, Err(Reason::DecryptFailed), "{suite}, byte {byte}");
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
}

mod signature {
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
        check(include_str!("vectors/ed25519.json"), VerifyingKey::verify);
    }

    #[test]
    fn ecdsa_of_wycheproof() {
        check(include_str!("vectors/ecdsa_p256_p1363.json"), VerifyingKey::verify);
        check(include_str!("vectors/ecdsa_p256_der.json"), VerifyingKey::verify_x509);
    }

    #[test]
    fn pss_of_wycheproof() {
        check(include_str!("vectors/rsa_2048_pss.json"), VerifyingKey::verify);
    }

    #[test]
    fn pkcs1v15_of_wycheproof() {
        check(include_str!("vectors/rsa_2048_pkcs1v15_signature.json"), VerifyingKey::verify_x509);
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
            assert_eq!((key.suite(), key.public()), (*suite, public.clone()));

            let signature = key.sign(b"message", &mut rng);
            assert_eq!(signature.len(), suite.signature_len(), "{suite}");
            assert_eq!(suite.verify(&public, b"message", &signature), Ok(()));
            let parsed = VerifyingKey::from_spki(&public).expect("own key parses");
            assert_eq!(parsed.suite(), *suite);
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
            for suite in Signature::ALL.iter().filter(|suite| **suite != key.suite()) {
                let signature = key.sign(b"m", &mut rng());
                let verified = suite.verify(&key.public(), b"m", &signature);
                assert_eq!(verified, Err(Reason::Malformed));
            }
            for cut in [0, 1, key.public().len() - 1] {
                let parsed = VerifyingKey::from_spki(&key.public()[..cut]);
                assert_eq!(parsed.unwrap_err(), Reason::Malformed);
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
}

mod agreement {
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
        for case in Excerpt::parse(include_str!("vectors/x25519.json")).cases() {
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
        for case in Excerpt::parse(include_str!("vectors/ecdh_p256.json")).cases() {
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
}

mod password {
    use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};

    use super::*;

    /// RFC 9106 §5.3, through the crate with the type and version of `stretch`.
    #[test]
    fn argon2id_of_rfc_9106() {
        let params = ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(AssociatedData::new(&[4; 12]).expect("twelve bytes are permitted"))
            .output_len(32)
            .build()
            .expect("the vector's costs are permitted");
        let mut tag = [0; 32];
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
            .expect("the vector's secret is permitted")
            .hash_password_into(&[1; 32], &[2; 16], &mut tag)
            .expect("the vector hashes");
        assert_eq!(tag.to_vec(), hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
    }

    /// This implementation's own answer, so that a change of costs is seen.
    #[test]
    fn stretch_is_a_known_answer() {
        assert_eq!(
            stretch(b"hunter2", b"alice@EXAMPLE").to_vec(),
            hex("09709d114e895837c3d6ad1ad8ddc1cfe53fe44b30494e2fa4903f28142b21ca")
        );
    }

    #[test]
    fn password_and_salt_both_count() {
        let key = stretch(b"hunter2", b"");
        assert_eq!(*key, *stretch(b"hunter2", b""));
        assert_ne!(*key, *stretch(b"hunter3", b""));
        assert_ne!(*key, *stretch(b"hunter2", b"a"));
    }
}
