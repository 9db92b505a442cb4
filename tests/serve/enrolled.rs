//! Clients, enrolled by the administrator, and their folders.

use std::path::Path;

use mallory::crypto::{Signature, stream};
use mallory::pki::request_for_signing;
use serde_json::json;

use super::support::Server;

/// Enrols somebody by the administrator, and writes its folder.
pub fn enrol(s: &Server, at: &Path, name: &str, role: &str) {
    enrol_with(s, at, (name, role), &[]);
}

/// As [`enrol`], with more words for curl.
pub fn enrol_with(s: &Server, at: &Path, (name, role): (&str, &str), more: &[&str]) {
    let key = Signature::EcdsaP256.generate(&mut stream(7, &[name]));
    let request = der::pem::encode_string(
        "CERTIFICATE REQUEST",
        der::pem::LineEnding::LF,
        &request_for_signing(name, &key),
    )
    .unwrap();
    let body = json!({ "client_id": name, "request": request, "role": role }).to_string();
    let admin = at.join("admin");
    let more = [&["-d", &body], more].concat();
    let enrolled = s.curl(Some(&admin), &admin.join("ca.pem"), "/clients", &more).done();
    let to = at.join(name);
    std::fs::create_dir_all(&to).unwrap();
    let pem = der::pem::encode_string("PRIVATE KEY", der::pem::LineEnding::LF, &key.to_pkcs8()).unwrap();
    std::fs::write(to.join("key.pem"), pem).unwrap();
    std::fs::write(to.join("certificate.pem"), enrolled["certificate"].as_str().unwrap()).unwrap();
    std::fs::write(to.join("ca.pem"), enrolled["ca"].as_str().unwrap()).unwrap();
}
