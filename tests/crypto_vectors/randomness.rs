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
