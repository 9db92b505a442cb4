//! Clients of others, where they are here: what any of them must do, whatever its version.

use serde_json::Value;

use crate::command::mallory;

/// What these clients do with these faults; a client that is missing says so and is left out.
fn cells(of: &[&str]) -> Vec<(String, String, String)> {
    let mut words = vec!["live", "--matrix", "--form", "json"];
    words.extend(of);
    let (code, told, complaints) = mallory(&words);
    assert_eq!(code, 0, "{complaints}");
    let told: Value = serde_json::from_str(&told).unwrap();
    for client in told["clients"].as_array().unwrap() {
        if let Some(why) = client["gap"].as_str() {
            eprintln!("skipped: {}: {why}", client["client"]);
        }
    }
    let mut all = Vec::new();
    for row in told["faults"].as_array().unwrap() {
        for cell in row["cells"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let did = text(&cell["did"]);
            assert_ne!(did, "failed", "{row}");
            if did != "gap" {
                all.push((text(&row["fault"]), text(&cell["client"]), did));
            }
        }
    }
    all
}

#[test]
fn every_client_takes_the_genuine_and_no_strangers() {
    let found = cells(&[
        "live-certificate/genuine",
        "live-certificate/false-authority",
        "live-certificate/another-name",
        "live-certificate/expired",
        "live-certificate/key-not-held",
        "live-list/current",
    ]);
    assert!(found.iter().any(|(_, client, _)| client == "rustls"), "{found:?}");
    for (fault, client, did) in found {
        // Who asks for a staple and demands it misses it here.
        let demands = client == "curl --cert-status" || client == "java PKIX, staple";
        let good = ["live-certificate/genuine", "live-list/current"].contains(&&*fault);
        if good && demands {
            continue;
        }
        // A client that asks a responder that there is not, or is not asked for, may refuse.
        if good && ["java PKIX, OCSP", "gnutls-cli --ocsp"].contains(&&*client) {
            continue;
        }
        let expected = if good { "accepted" } else { "refused" };
        assert_eq!(did, expected, "{client} with {fault}");
    }
}

#[test]
fn who_is_given_the_list_refuses_whom_it_names() {
    for (fault, client, did) in cells(&["live-list/revoked"]) {
        let goes_by_it =
            ["crlfile", "crl_check", "crl-file", "CRL", "crl"].iter().any(|word| client.contains(word));
        if goes_by_it {
            assert_eq!(did, "refused", "{client} with {fault}");
        }
    }
}

#[test]
fn a_client_of_tls_1_2_is_shown_the_same() {
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: curl is not installed");
        return;
    }
    let curl = |variant: &str, more: &[&str]| {
        let old = ["live", variant, "-q", "--", "curl", "-sS", "--tlsv1.2", "--tls-max", "1.2"];
        let words = [&old[..], more, &["--cacert", "{ca.pem}", "https://{bob}/"]].concat();
        let (code, told, complaints) = mallory(&words);
        (code, told + &complaints)
    };
    let (code, told) = curl("live-certificate/genuine", &[]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("finished the handshake and spoke"), "{told}");
    for fault in ["false-authority", "expired", "another-name", "key-not-held", "self-signed"] {
        let (code, told) = curl(&format!("live-certificate/{fault}"), &[]);
        assert_eq!(code, 0, "{fault}: {told}");
        // curl looks at names when OpenSSL is done, and then goes away without an alert.
        let ended = ["ended the handshake with alert", "went away without a word"];
        assert!(ended.iter().any(|word| told.contains(word)), "{fault}: {told}");
    }
    let (code, told) = curl("live-list/revoked", &[]);
    assert_eq!(code, 1, "{told}");
    let (code, told) = curl("live-list/revoked", &["--crlfile", "{list.pem}"]);
    assert_eq!(code, 0, "{told}");
}
