//! `openssl` as a tool: files with what it is asked about, and what it says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mallory::crypto::sha256;
use mallory::pki::RecordKind;

/// The tool, with a folder of files for it.
pub struct Tool {
    folder: PathBuf,
    /// Whether it verifies ML-DSA.
    pub knows_ml_dsa: bool,
}

/// What it says of one certificate.
pub struct Said {
    /// The numbers of the errors that it found (`X509_V_ERR_…`); none if it is content.
    pub errors: BTreeSet<u32>,
}

/// What it says of an OCSP response.
#[derive(Debug)]
pub struct SaidOfResponse {
    /// Whether who signed it may.
    pub verified: bool,
    /// `good`, `revoked`, `unknown`, `ERROR: No Status found.`, or `error` of the responder.
    pub status: String,
    /// This Update and Next Update, as it writes dates.
    pub times: [Option<String>; 2],
}

impl Tool {
    /// None where it is not installed.
    pub fn find() -> Option<Tool> {
        let version = Command::new("openssl").arg("version").output().ok()?;
        println!("judged by {}", String::from_utf8_lossy(&version.stdout).trim());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openssl");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for the files");
        let known = Command::new("openssl").args(["list", "-signature-algorithms"]).output().ok()?;
        let knows_ml_dsa = String::from_utf8_lossy(&known.stdout).contains("ML-DSA-65");
        Some(Tool { folder, knows_ml_dsa })
    }

    /// A file with this in it, written once.
    pub fn file(&self, bytes: &[u8]) -> String {
        let name: String = sha256(&[bytes]).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let path = self.folder.join(&name);
        if !path.exists() {
            fs::write(path, bytes).expect("a file can be written");
        }
        name
    }

    /// A file with these in PEM, one after the other.
    pub fn pem(&self, kind: RecordKind, ders: &[&[u8]]) -> String {
        let pem: String = ders.iter().map(|der| kind.pem(der).expect("it has a label")).collect();
        self.file(pem.as_bytes())
    }

    fn run(&self, arguments: &[&str]) -> (String, String) {
        let output = Command::new("openssl").args(arguments).current_dir(&self.folder).output();
        let output = output.expect("it was there before");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    }

    /// `openssl verify` on several certificates at once.
    pub fn verify(&self, arguments: &[&str], certificates: &[String]) -> Vec<Said> {
        let mut all = vec!["verify", "-x509_strict"];
        all.extend(arguments);
        all.extend(certificates.iter().map(String::as_str));
        let (out, err) = self.run(&all);
        let mut failed = Vec::new();
        let mut errors = BTreeSet::new();
        for line in err.lines() {
            let Some(rest) = line.strip_prefix("error ") else { continue };
            match rest.split_once(" at ") {
                Some((number, _)) => drop(errors.insert(number.parse::<u32>().expect(line))),
                None => {
                    let name = rest.split(':').next().expect("a name");
                    failed.push((name.to_owned(), std::mem::take(&mut errors)));
                }
            }
        }
        let said = |name: &String| {
            if out.lines().any(|line| *line == format!("{name}: OK")) {
                return Said { errors: BTreeSet::new() };
            }
            let errors = failed.iter().find(|(of, _)| of == name).map(|(_, errors)| errors.clone());
            Said { errors: errors.unwrap_or_else(|| panic!("nothing about {name}: {all:?}\n{out}{err}")) }
        };
        certificates.iter().map(said).collect()
    }

    /// `openssl crl`: whether one of the authorities signed it.
    pub fn crl_is_signed(&self, crl: &str, authorities: &str) -> bool {
        let (out, err) = self.run(&["crl", "-in", crl, "-CAfile", authorities, "-noout"]);
        (out + &err).contains("verify OK")
    }

    /// `openssl req`: whether the key in it signed it.
    pub fn request_is_signed(&self, request: &str) -> bool {
        let (out, err) = self.run(&["req", "-in", request, "-verify", "-noout"]);
        (out + &err).contains("verify OK")
    }

    /// `openssl ocsp` on a response about a certificate.
    pub fn response(
        &self,
        response: &str,
        certificate: &str,
        [issuer, others, root]: [&str; 3],
        at: u64,
    ) -> SaidOfResponse {
        let at = at.to_string();
        let (out, err) = self.run(&[
            "ocsp",
            "-respin",
            response,
            "-sha256",
            "-issuer",
            issuer,
            "-cert",
            certificate,
            "-verify_other",
            others,
            "-CAfile",
            root,
            "-attime",
            &at,
            "-no_nonce",
        ]);
        // After the certificate's name there may be a complaint about the times, by its own clock.
        let words = ["good", "revoked", "unknown", "ERROR: No Status found."];
        let mut lines = out.lines().map(|line| line.trim_start_matches(certificate).trim_start_matches(": "));
        let status = match lines.find(|line| words.contains(line)) {
            Some(status) => status.to_owned(),
            None if out.contains("Responder Error") => "error".to_owned(),
            None => format!("nothing: {out}{err}"),
        };
        let time = |key: &str| out.lines().find_map(|line| line.trim().strip_prefix(key)).map(str::to_owned);
        let times = [time("This Update: "), time("Next Update: ")];
        SaidOfResponse { verified: err.contains("Response verify OK"), status, times }
    }
}
