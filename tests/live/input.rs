//! What is wrong is said, with the nearest word, and exits with 2.

use std::fs;
use std::path::Path;

use crate::command::mallory;

fn refused(words: &[&str], expected: &[&str]) {
    let (code, told, complaints) = mallory(words);
    assert_eq!(code, 2, "{words:?}: {told}{complaints}");
    for part in expected {
        assert!((told.clone() + &complaints).contains(part), "{part} is not in\n{told}{complaints}");
    }
}

#[test]
fn commands_that_cannot_be_played() {
    refused(&["live", "dh-mitm/weak"], &["dh-mitm/weak has no [live] table"]);
    refused(&["live", "live-certificate"], &["one play at a time", "live-certificate/genuine"]);
    refused(&["live", "live-certificate/expierd"], &["no variant `expierd`", "did you mean `expired`?"]);
    refused(
        &["live", "live-certificate/expired", "--", "curl", "https://{bbo}/"],
        &["there is no placeholder `{bbo}` here", "did you mean `bob`?"],
    );
    refused(
        &["live", "live-certificate/expired", "--", "/nowhere/client", "{bob}"],
        &["/nowhere/client: there is no such program"],
    );
    refused(
        &["live", "live-certificate/expired", "--client", "crul"],
        &["there is no client `crul`", "curl"],
    );
    refused(&["live", "--matrix", "dh-mitm"], &["none of these scenarios has a [live] table"]);
}

#[test]
fn a_port_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    refused(
        &["live", "live-certificate/expired", "--port", &port, "--", "true"],
        &[&format!("127.0.0.1:{port}")],
    );
}

const STORY: &str = r#"
protocol = "tls13-server-only"

[[run]]
A  = "alice"
B  = "bob"
Offer   = "http/1.1"
Payload = "GET /"
"#;

#[test]
fn tables_that_are_wrong() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live-input");
    fs::create_dir_all(&folder).unwrap();
    for (nth, (table, expected)) in [
        (
            "[live]\nprogram = \"alcie\"\nports = { bob = \"tls\" }",
            &["no party `alcie`", "did you mean `alice`?", ":11:"][..],
        ),
        ("[live]\nprogram = \"bob\"\nports = { alice = \"tls\" }", &["bob begins no run", ":11:"]),
        (
            "[live]\nprogram = \"alice\"\nports = { bob = \"tsl\" }",
            &["no protocol for a port `tsl`", "did you mean `tls`?", ":12:"],
        ),
        (
            "[live]\nprogram = \"alice\"\nports = { bbo = \"tls\" }",
            &["alice talks to no `bbo`", "did you mean `bob`?"],
        ),
        (
            "[live]\nprogram = \"alice\"\nports = { list = \"crl\" }",
            &["no port speaks `tls`", "`bob = \"tls\"`"],
        ),
        (
            "[live]\nprogram = \"alice\"\nports = { bob = \"tls\", a = \"crl\", b = \"crl\" }",
            &["a second port for crl"],
        ),
        ("[live]\nprogram = \"alice\"", &["`ports` is missing"]),
        ("[live]\nports = { bob = \"tls\" }", &["`program` is missing"]),
        (
            "[live]\nprogam = \"alice\"\nprogram = \"alice\"\nports = { bob = \"tls\" }",
            &["there is no key `progam` here"],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.join(format!("wrong-{nth}.toml"));
        fs::write(&path, format!("{STORY}\n{table}\n")).unwrap();
        refused(&["live", path.to_str().unwrap(), "--", "true"], expected);
    }
}

#[test]
fn a_flaw_that_nobody_knows() {
    let story =
        mallory::scenario::scenarios().into_iter().find(|entry| entry.name == "live-certificate").unwrap();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live-flaw.toml");
    fs::write(&path, story.text.text.replace("flaw      = \"expired\"", "flaw      = \"expird\"")).unwrap();
    refused(&["check", path.to_str().unwrap()], &["there is no flaw `expird`", "did you mean `expired`?"]);
}
