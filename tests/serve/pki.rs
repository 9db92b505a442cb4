//! The pki routes as `hvac` uses them unmodified, and delta CRLs as openssl reads them.

use std::fs;
use std::process::Command;

use super::clients::enrol;
use super::raw::{Raw, assert_audited};
use super::support::{Server, folder, has, run};

const SCRIPT: &str = r#"
import sys, hvac
from hvac import exceptions
url, at = sys.argv[1:3]
def client(name):
    folder = at + "/" + name
    c = hvac.Client(url=url, cert=(folder + "/certificate.pem", folder + "/key.pem"), verify=folder + "/ca.pem")
    c.token = c.adapter.post("/v1/auth/cert/login")["auth"]["client_token"]
    return c
def refused(kind, call):
    try:
        call()
    except kind as e:
        assert e.errors, e
        return
    raise SystemExit("not refused: %r" % call)
admin, user, eve = client("admin").secrets.pki, client("user1").secrets.pki, client("eve").secrets.pki
ca = open(at + "/admin/ca.pem").read().strip()
assert user.read_ca_certificate().strip() == ca
assert user.read_ca_certificate_chain().strip() == ca
# An administrator enrols somebody by it, a client renews its own and nobody else's.
new = admin.generate_certificate("client", "user3")["data"]
assert new["certificate"].startswith("-----BEGIN CERTIFICATE") and new["ca_chain"] == [ca], new
assert new["private_key"].startswith("-----BEGIN PRIVATE KEY") and new["private_key_type"] == "ec"
open(at + "/user3.pem", "w").write(new["certificate"] + "\n" + new["private_key"] + "\n")
refused(exceptions.InvalidRequest, lambda: admin.generate_certificate("client", "user3"))
refused(exceptions.InvalidRequest, lambda: admin.generate_certificate("root", "user4"))
refused(exceptions.InvalidRequest, lambda: admin.generate_certificate("client", "user4", {"ttl": "900h"}))
refused(exceptions.Forbidden, lambda: user.generate_certificate("client", "eve"))
refused(exceptions.Forbidden, lambda: user.generate_certificate("administrator", "user1"))
refused(exceptions.Forbidden, lambda: eve.generate_certificate("client", "user5"))
again = user.generate_certificate("client", "user1")["data"]
csr = open(at + "/user1.csr").read()
signed = user.sign_certificate("client", csr, "user1")["data"]
assert "private_key" not in signed
refused(exceptions.Forbidden, lambda: eve.sign_certificate("client", csr, "user1"))
refused(exceptions.Forbidden, lambda: eve.sign_certificate("client", csr, "eve"))
refused(exceptions.InvalidRequest, lambda: user.sign_certificate("client", "rubbish", "user1"))
# Serial numbers count up, and tell nobody anything of others.
assert user.read_certificate(signed["serial_number"])["data"]["certificate"] == signed["certificate"]
refused(exceptions.InvalidPath, lambda: eve.read_certificate(signed["serial_number"]))
refused(exceptions.InvalidPath, lambda: eve.read_certificate("7f:ff"))
refused(exceptions.InvalidRequest, lambda: eve.read_certificate("rubbish"))
refused(exceptions.Forbidden, lambda: eve.list_certificates())
assert signed["serial_number"] in admin.list_certificates()["data"]["keys"]
refused(exceptions.Forbidden, lambda: eve.revoke_certificate(signed["serial_number"]))
assert user.read_certificate(signed["serial_number"])["data"]["revocation_time"] == 0
assert user.revoke_certificate(signed["serial_number"])["data"]["revocation_time"] > 0
refused(exceptions.Forbidden, lambda: user.revoke_certificate(signed["serial_number"]))
assert admin.read_certificate(signed["serial_number"])["data"]["revocation_time"] > 0
admin.revoke_certificate(again["serial_number"])
assert user.read_crl().startswith("-----BEGIN X509 CRL")
print(signed["serial_number"], again["serial_number"])
"#;

#[test]
fn hvac_issues_and_revokes_certificates() {
    if !has("curl") || !has("python3") || !run("python3", &["-c", "import hvac"], b"").0 {
        eprintln!("skipped: python3 has no hvac (pip install hvac)");
        return;
    }
    let at = folder("pki");
    let s = Server::first(&at);
    for (name, role) in [("user1", "client"), ("eve", "client"), ("audrey", "auditor")] {
        enrol(&s, &at, name, role);
    }
    let key = mallory::crypto::Signature::EcdsaP256.generate(&mut mallory::crypto::stream(3, &["csr"]));
    let request = mallory::pki::request_for_signing("user1", &key);
    let request = der::pem::encode_string("CERTIFICATE REQUEST", der::pem::LineEnding::LF, &request).unwrap();
    fs::write(at.join("user1.csr"), request).unwrap();
    let (good, told) = run("python3", &["-c", SCRIPT, &s.url(""), &at.display().to_string()], b"");
    assert!(good, "{told}");
    // Who was enrolled by it is served; its certificates are revoked one by one.
    let new = at.join("user3.pem").display().to_string();
    let me = Command::new("curl")
        .args(["-sS", "--cacert"])
        .arg(at.join("admin/ca.pem"))
        .args(["--cert", &new, &s.url("/me")])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&me.stdout).contains("\"client_id\":\"user3\""), "{me:?}");
    assert_eq!(s.ask_as(&at.join("user1"), "/me", "").status, 200);
    assert_audited(
        &s,
        &at.join("audrey"),
        &[
            "admin enrol done",
            "user1 renew done",
            "user1 issue forbidden",
            "eve issue forbidden",
            "eve issue not-authorised-for-name",
            "user1 revoke-certificate done",
            "admin revoke-certificate done",
            "eve revoke-certificate forbidden",
            "eve list-certificates forbidden",
            "eve read-certificate certificate-unknown",
        ],
    );
    // It stays so, and a stranger reads what is published and no more.
    assert_eq!(s.stop(), Some(0));
    let s = Server::with_state(&at, &[]);
    let stranger = super::raw::connecting(&at.join("user1"), None);
    let mut raw = Raw::open(stranger, s.port).unwrap();
    assert_eq!(raw.ask("GET", "/v1/pki/ca/pem", "", "").status, 200);
    raw.ask("GET", "/v1/pki/cert/1", "", "").is_refused(403, "permission denied (unauthenticated)");
    raw.ask("GET", "/v1/pki/crl/delta/pem", "", "");
    let serial = told.split_whitespace().next().unwrap();
    let mut auditor = Raw::of(&s, &at.join("audrey"));
    let login = auditor.ask("POST", "/v1/auth/cert/login", "", "");
    let login: serde_json::Value = serde_json::from_str(&login.body).unwrap();
    let token = format!("X-Vault-Token: {}\r\n", login["auth"]["client_token"].as_str().unwrap());
    let read = auditor.ask("GET", &format!("/v1/pki/cert/{serial}"), &token, "");
    let read: serde_json::Value = serde_json::from_str(&read.body).unwrap();
    assert!(read["data"]["revocation_time"].as_u64().unwrap() > 0, "{read}");
}

#[test]
fn a_delta_list_tells_what_the_complete_one_does_not_yet() {
    if !has("curl") || Command::new("openssl").arg("version").output().is_err() {
        eprintln!("skipped: no openssl, or no curl");
        return;
    }
    let at = folder("delta");
    let into = at.join("admin").display().to_string();
    let state = at.join("state").display().to_string();
    let config = at.join("config.toml");
    fs::write(&config, "second_factor_of = []\ncrl_period = \"1h\"\ndelta_period = \"1s\"\n").unwrap();
    let config = config.display().to_string();
    let with = ["--config", &config, "--state", &state];
    let s = Server::start(&[&with[..], &["--administrator", "admin", "--into", &into]].concat());
    enrol(&s, &at, "user1", "client");
    enrol(&s, &at, "user2", "client");
    let path = |name: &str| at.join(name).display().to_string();
    let verify = |certificate: &str, with_delta: bool| {
        let (ca, certificate) = (path("admin/ca.pem"), path(certificate));
        let (complete, delta) = (path("complete.pem"), path("delta.pem"));
        let mut words = vec!["verify", "-crl_check", "-CAfile", &ca, "-CRLfile", &complete];
        if with_delta {
            words.extend(["-extended_crl", "-use_deltas", "-CRLfile", &delta]);
        }
        words.push(&certificate);
        run("openssl", &words, b"")
    };
    let fetch = |from: &str, name: &str| {
        let list = s.fetch(from);
        assert_eq!(list.status, 200, "{list:?}");
        let (good, pem) = run("openssl", &["crl", "-inform", "DER"], &list.body);
        assert!(good, "{pem}");
        fs::write(at.join(name), pem).unwrap();
        run("openssl", &["crl", "-inform", "DER", "-noout", "-text"], &list.body).1
    };
    let complete = fetch("/crl.der", "complete.pem");
    assert!(
        complete.contains("Freshest CRL") && complete.contains(&format!("URI:{}/delta.der", s.public)),
        "{complete}"
    );
    let revoked = r#"{"client_id": "user1", "reason": "key-compromise"}"#;
    let told = s.ask_as(&at.join("admin"), "/revoke_client", revoked).done();
    let mut delta = String::new();
    for _ in 0..600 {
        delta = fetch("/delta.der", "delta.pem");
        if delta.contains("Key Compromise") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(delta.contains("Delta CRL Indicator: critical") && delta.contains("Key Compromise"), "{delta}");
    // The complete one goes on to say nothing of it for an hour; both together do.
    let complete = fetch("/crl.der", "complete.pem");
    assert!(!complete.contains("Key Compromise"), "{complete}");
    let (good, words) = verify("user1/certificate.pem", false);
    assert!(good, "{words}");
    let (good, words) = verify("user1/certificate.pem", true);
    assert!(!good && words.contains("certificate revoked"), "{words}");
    let (good, words) = verify("user2/certificate.pem", true);
    assert!(good, "{words}");
    // What the service says of when it can be read is when the delta says so.
    let at = |of: &str| told[of].as_u64().unwrap();
    assert!(at("in_the_crl_at") <= at("by_ocsp_at") + 1, "{told}");
    assert_eq!(s.stop(), Some(0));
    // Lists are numbered by both periods, which stay what they were.
    fs::write(&config, "second_factor_of = []\ncrl_period = \"1h\"\n").unwrap();
    let ended = super::support::refused(&with, super::support::PASSPHRASE);
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(2), "{told}");
    assert!(told.contains("another crl_period or delta_period"), "{told}");
    for delta in ["1h", "2h", "0s"] {
        fs::write(&config, format!("crl_period = \"1h\"\ndelta_period = \"{delta}\"\n")).unwrap();
        let ended = super::support::refused(&with, super::support::PASSPHRASE);
        assert!(String::from_utf8_lossy(&ended.stderr).contains("delta_period is"), "{ended:?}");
    }
}

#[test]
fn where_there_are_no_delta_lists_that_is_said() {
    if !has("curl") {
        return;
    }
    let s = Server::demo();
    s.fetch("/delta.der").is_refused(404, "delta-base-missing");
}
