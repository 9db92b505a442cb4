//! Whoever listens in with `tracing` hears what a play does, filtered as they like; and a play can
//! be written as a trace.

use std::process::Command;

use serde_json::Value as Json;

fn told(filter: &str, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mallory"))
        .args(arguments)
        .env("MALLORY_LOG", filter)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn an_event_comes_with_its_play_party_run_and_line() {
    let log = told("mallory=info", &["run", "dh-mitm/fixed", "-q", "--seed", "3"]);
    let refused = log.lines().find(|line| line.contains("mallory::event::refused")).unwrap();
    for said in [
        r#"play{scenario="dh-mitm" variant="fixed" seed=3 with_attacker=true}"#,
        r#"party{name="alice"}"#,
        r#"run{run=1 protocol="sigma-i"}"#,
        "line{line=2}",
        "bad-signature",
    ] {
        assert!(refused.contains(said), "{said}: {refused}");
    }
    assert!(!log.contains("mallory::event::concluded"), "that is told at DEBUG");
    assert!(told("mallory=debug", &["run", "dh-mitm/fixed", "-q"]).contains("mallory::event::concluded"));
}

#[test]
fn a_subscriber_can_ask_for_one_kind_or_one_run() {
    let log = told("mallory::event::injected=info", &["run", "dh-mitm/weak", "-q"]);
    assert!(log.lines().count() == 3 && log.lines().all(|line| line.contains("event::injected")), "{log}");
    let log = told("off,[run{run=2}]=info", &["run", "nspk-lowe/weak", "-q"]);
    assert!(log.contains("event::completed") && log.lines().all(|line| line.contains("run=2")), "{log}");
    assert_eq!(told("off", &["run", "dh-mitm/weak", "-q"]), "");
}

#[test]
fn a_trace_has_threads_bars_and_arrows() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("trace.json");
    told("off", &["run", "dh-mitm", "-q", "--trace", file.to_str().unwrap()]);
    let trace: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let of = |ph: &str| events.iter().filter(|e| e["ph"] == ph).collect::<Vec<_>>();
    let names: Vec<&str> = of("M").iter().filter_map(|e| e["args"]["name"].as_str()).collect();
    for name in ["dh-mitm/weak · seed 0", "dh-mitm/fixed · seed 0", "alice", "bob", "mallory"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert!(events.iter().all(|e| e["pid"].is_u64() && (e["ph"] == "M" || e["ts"].is_number())));
    // Every bar ends, every arrow that arrives has begun, and nothing goes back in time.
    for (begin, end) in [("b", "e"), ("s", "f")] {
        for last in of(end) {
            let same = |e: &&&Json| e["id"] == last["id"] && e["pid"] == last["pid"];
            let first = of(begin);
            let first = first.iter().find(same).unwrap();
            assert!(first["ts"].as_f64() <= last["ts"].as_f64());
        }
    }
    assert_eq!(of("b").len(), of("e").len());
    assert!(of("X").iter().any(|e| e["name"] == "injected 1.1"));
    assert!(of("i").iter().any(|e| e["name"] == "violated: secret Payload"));
}
