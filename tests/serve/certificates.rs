//! What relying parties fetch, judged by openssl where it is installed.

use std::fs;

use super::clients::enrol;
use super::support::{Server, folder, has, run};

#[test]
fn what_relying_parties_fetch_says_who_is_revoked() {
    if !has("curl") || !run_openssl() {
        return;
    }
    let at = folder("relying");
    let s = Server::first(&at);
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "user2", "client");
    let path = |name: &str| at.join(name).display().to_string();
    let (ca, user1, user2) =
        (path("admin/ca.pem"), path("user1/certificate.pem"), path("user2/certificate.pem"));

    let (_, text) = run("openssl", &["x509", "-in", &user1, "-noout", "-text"], b"");
    for expected in [
        &format!("URI:{}/crl.der", s.public),
        &format!("OCSP - URI:{}/ocsp", s.public),
        "TLS Web Client Authentication",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }

    let revoked = r#"{"client_id": "user1", "reason": "key-compromise"}"#;
    s.ask_as(&at.join("admin"), "/revoke_client", revoked).done();

    // The list appears every second, and a client may come between.
    let mut list = s.fetch("/crl.der");
    for _ in 0..600 {
        let (_, text) = run("openssl", &["crl", "-inform", "DER", "-noout", "-text"], &list.body);
        if text.contains("Key Compromise") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        list = s.fetch("/crl.der");
    }
    assert_eq!(list.header("content-type"), Some("application/pkix-crl"));
    assert!(list.header("cache-control").unwrap().starts_with("max-age="), "{}", list.head);
    assert!(list.header("expires").is_some() && list.header("last-modified").is_some());
    let crl = path("crl.pem");
    let (done, pem) = run("openssl", &["crl", "-inform", "DER"], &list.body);
    assert!(done, "{pem}");
    fs::write(&crl, pem).unwrap();
    let verify = |certificate: &str| {
        run("openssl", &["verify", "-crl_check", "-CAfile", &ca, "-CRLfile", &crl, certificate], b"")
    };
    let (good, told) = verify(&user2);
    assert!(good, "{told}");
    let (good, told) = verify(&user1);
    assert!(!good && told.contains("certificate revoked"), "{told}");

    // OCSP by POST says so at once, and by GET too.
    let url = format!("{}/ocsp", s.public);
    let ocsp = |certificate: &str, more: &[&str]| {
        let base = ["ocsp", "-issuer", &ca, "-CAfile", &ca, "-cert", certificate];
        run("openssl", &[&base[..], more].concat(), b"")
    };
    let (_, told) = ocsp(&user1, &["-url", &url]);
    assert!(told.contains("Response verify OK") && told.contains("revoked"), "{told}");
    let (_, told) = ocsp(&user2, &["-url", &url]);
    assert!(told.contains("Response verify OK") && told.contains("good"), "{told}");
    let request = path("request.der");
    ocsp(&user1, &["-no_nonce", "-reqout", &request]);
    let (_, text) = run("openssl", &["base64", "-A", "-in", &request], b"");
    let encoded = text.trim().replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let answer = s.fetch(&format!("/ocsp/{encoded}"));
    assert_eq!(answer.header("content-type"), Some("application/ocsp-response"));
    let response = path("response.der");
    fs::write(&response, &answer.body).unwrap();
    let (_, told) = ocsp(&user1, &["-no_nonce", "-respin", &response]);
    assert!(told.contains("revoked"), "{told}");
    assert_eq!(s.fetch("/ocsp/%00").status, 400);
    assert_eq!(s.fetch("/keys").status, 404);
}

fn run_openssl() -> bool {
    let found = std::process::Command::new("openssl").arg("version").output().is_ok();
    if !found {
        eprintln!("skipped: openssl is not installed");
    }
    found
}
