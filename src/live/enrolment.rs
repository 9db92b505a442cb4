//! What somebody is handed who is enrolled where the service runs: a folder with a key, a
//! certificate, the authority's certificate and, for who needs one-time codes, their secret. Must
//! not know how names are proved.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::clock::Clock;
use super::folder;
use crate::crypto::Totp;

/// A folder for somebody who was enrolled.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// The client's name.
    pub name: String,
    /// The folder, with `key.pem`, `certificate.pem`, `ca.pem` and, if the client needs one-time
    /// codes, `codes.txt`, which has their otpauth URL.
    pub folder: PathBuf,
    /// Whether it needs one-time codes.
    pub has_codes: bool,
}

/// Writes the folder, which must not be there, or be empty.
pub fn write(
    name: &str,
    folder: &Path,
    (key, certificate, authority): (&[u8], &[u8], &[u8]),
    codes: Option<&[u8]>,
) -> io::Result<Enrolment> {
    folder::prepare(folder)?;
    let key = Zeroizing::new(pem("PRIVATE KEY", key));
    folder::write_new(&folder.join("key.pem"), key.as_bytes())?;
    folder::write_new(&folder.join("certificate.pem"), pem("CERTIFICATE", certificate).as_bytes())?;
    folder::write_new(&folder.join("ca.pem"), pem("CERTIFICATE", authority).as_bytes())?;
    if let Some(secret) = codes {
        let url = code_url(name, secret);
        folder::write_new(&folder.join("codes.txt"), format!("{}\n", *url).as_bytes())?;
    }
    Ok(Enrolment { name: name.to_owned(), folder: folder.to_owned(), has_codes: codes.is_some() })
}

/// Whether a folder can be written: nobody's key is put over another's.
pub fn is_free(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// PEM (RFC 7468).
pub fn pem(label: &'static str, der: &[u8]) -> String {
    der::pem::encode_string(label, der::pem::LineEnding::LF, der).expect("a label of our own")
}

/// What authenticator apps read: `otpauth://totp/…?secret=BASE32`.
pub fn code_url(name: &str, secret: &[u8]) -> Zeroizing<String> {
    let secret = base32(secret);
    Zeroizing::new(format!("otpauth://totp/mallory:{name}?secret={}&issuer=mallory", *secret))
}

/// The one-time code that the URL in `codes.txt` stands for at this moment.
///
/// # Errors
/// In words, if it is no such URL.
pub fn code(url: &str) -> Result<String, String> {
    let expected = || "expected a URL that begins with otpauth://totp/ and has secret=BASE32".to_owned();
    let query = url.trim().strip_prefix("otpauth://totp/").and_then(|rest| rest.split_once('?'));
    let (_, query) = query.ok_or_else(expected)?;
    let secret = query.split('&').find_map(|part| part.strip_prefix("secret=")).ok_or_else(expected)?;
    let secret = from_base32(secret).ok_or_else(expected)?;
    Ok(Totp::new(&secret).code(Clock::default().now().seconds()))
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// RFC 4648 §6, without padding.
fn base32(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    let (mut held, mut bits) = (0u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
    }
    text
}

fn from_base32(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut held, mut bits) = (0u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter.to_ascii_uppercase())?;
        held = (held & 0xff) << 5 | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 0xff) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (text, encoded) in
            [("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(*base32(text.as_bytes()), encoded);
            assert_eq!(from_base32(encoded).unwrap().as_slice(), text.as_bytes());
        }
        assert!(from_base32("0").is_none());
    }
}
