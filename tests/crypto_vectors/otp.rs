use mallory::crypto::{OtpHash, Totp, hotp};

use super::*;

const SHA1_SECRET: &[u8] = b"12345678901234567890";

#[test]
fn hotp_of_rfc_4226_appendix_d() {
    let codes =
        ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    for (counter, code) in codes.into_iter().enumerate() {
        assert_eq!(hotp(OtpHash::Sha1, SHA1_SECRET, counter as u64, 6), code);
    }
}

/// The secrets are as long as the hash, which the RFC's reference code says and its text
/// does not (erratum 2866).
#[test]
fn totp_of_rfc_6238_appendix_b() {
    let secret = |len| SHA1_SECRET.iter().copied().cycle().take(len).collect::<Vec<u8>>();
    for (seconds, sha1, sha256, sha512) in [
        (59, "94287082", "46119246", "90693936"),
        (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"),
        (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"),
        (20_000_000_000, "65353130", "77737706", "47863826"),
    ] {
        for (hash, len, code) in
            [(OtpHash::Sha1, 20, sha1), (OtpHash::Sha256, 32, sha256), (OtpHash::Sha512, 64, sha512)]
        {
            assert_eq!(Totp::new(&secret(len)).with(hash, 8, 30).code(seconds), code, "{hash:?}, {seconds}");
        }
    }
}

#[test]
fn a_step_either_side_once_and_in_order() {
    let at = |step: u64| step * 30 + 7;
    let code = |step: u64| Totp::new(SHA1_SECRET).code(at(step));
    for (offered, expected) in [
        (86, Err(Reason::BadCode)),
        (98, Err(Reason::CodeExpired)),
        (99, Ok(())),
        (100, Ok(())),
        (101, Ok(())),
        (102, Err(Reason::BadCode)),
    ] {
        assert_eq!(Totp::new(SHA1_SECRET).accept(&code(offered), at(100)), expected, "step {offered}");
    }
    let mut totp = Totp::new(SHA1_SECRET);
    assert_eq!(totp.accept(&code(100), at(100)), Ok(()));
    assert_eq!(totp.accept(&code(100), at(100)), Err(Reason::CodeAlreadyUsed));
    assert_eq!(totp.accept(&code(99), at(100)), Err(Reason::CodeAlreadyUsed), "nor one before it");
    assert_eq!(totp.accept(&code(101), at(100)), Ok(()));
    let mut restarted = Totp::new(SHA1_SECRET).resumed(totp.last_accepted());
    assert_eq!(restarted.accept(&code(101), at(101)), Err(Reason::CodeAlreadyUsed));
    for code in ["", "12345", "1234567", "abcdef", "７５５２２４"] {
        assert_eq!(totp.accept(code, at(200)), Err(Reason::BadCode));
    }
    // At the ends of time.
    assert_eq!(Totp::new(SHA1_SECRET).accept("000000", 0), Err(Reason::BadCode));
    assert!(Totp::new(SHA1_SECRET).with(OtpHash::Sha1, 6, 1).accept("000000", u64::MAX).is_err());
}
