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
    for suite in Kem::ALL {
        assert_eq!(suite.name().parse(), Ok(*suite));
    }
    assert_eq!("AES-256-GCM".parse::<Symmetric>(), Err(()));
}

#[test]
fn defaults() {
    let Suite { symmetric, public_key, signature, agreement, kem, groups, short } = Suite::default();
    let names = [symmetric.name(), public_key.name(), signature.name(), agreement.name(), kem.name()];
    assert_eq!(names, ["aes-256-cbc-hmac-sha256", "rsa-2048-oaep", "ed25519", "x25519", "ml-kem-768"]);
    assert!(groups.is_empty());
    assert_eq!(short.0, 20);
}
