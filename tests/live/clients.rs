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
