//! What `mallory check` warns of: the slips of weak protocols, and nothing in repaired ones.

use std::collections::BTreeSet;

use mallory::Scenario;
use mallory::notation::{Slip, slips};
use mallory::scenario::{ProtocolFile, scenarios};

fn slips_of(file: &ProtocolFile) -> BTreeSet<Slip> {
    slips::warnings(&file.protocol).into_iter().map(|w| w.slip).collect()
}

/// The protocols, by name, of variants that pass the test.
fn played_in(test: impl Fn(&str) -> bool) -> Vec<ProtocolFile> {
    let mut all: Vec<ProtocolFile> = Vec::new();
    for entry in scenarios() {
        let scenario = Scenario::named(&entry.name).unwrap();
        for variant in &scenario.variants {
            if variant.name.as_deref().is_some_and(&test) {
                let new = |f: &&ProtocolFile| !all.iter().any(|k| k.protocol.lines == f.protocol.lines);
                let found: Vec<ProtocolFile> = variant.setup.protocol_files().filter(new).cloned().collect();
                all.extend(found);
            }
        }
    }
    all
}

#[test]
fn repaired_protocols_are_clean() {
    // Where the same lines also stand in a variant that falls, the repair is elsewhere: in
    // the encoding, or in what a party remembers or asks.
    let weak = played_in(|name| name.starts_with("weak"));
    let fixed = played_in(|name| name.starts_with("fixed"));
    let mut repaired = 0;
    for file in &fixed {
        if weak.iter().any(|w| w.protocol.lines == file.protocol.lines) {
            continue;
        }
        repaired += 1;
        let found = slips::warnings(&file.protocol);
        assert!(found.is_empty(), "{}: {found:?}", file.protocol.name);
    }
    assert!(repaired > 25, "only {repaired} repaired protocols were looked at");
}

/// Also clean although another story breaks them: what is wrong cannot be seen in the lines.
#[test]
fn sound_lines_are_clean() {
    for name in ["denning-sacco", "kaochow-2", "kerberos-5", "otway-rees", "signed-dh", "splice-as-cj"] {
        assert_eq!(slips_of(&ProtocolFile::named(name).unwrap()), BTreeSet::new(), "{name}");
    }
    for name in ["iso-9798-2-2", "iso-9798-2-4", "iso-9798-4-4", "nssk", "yahalom-ban", "yahalom-paulson"] {
        assert_eq!(slips_of(&ProtocolFile::named(name).unwrap()), BTreeSet::new(), "{name}");
    }
}

#[test]
fn weak_protocols_show_their_slip() {
    for (name, slip, line, story) in [
        ("anonymous-dh", Slip::Unconfirmed, 2, "dh-no-key-confirmation"),
        ("dh-psk", Slip::Unconfirmed, 2, "dh-no-key-confirmation"),
        ("andrew-rpc", Slip::Unconfirmed, 4, "andrew-rpc-stale-key"),
        ("signed-dh-nameless", Slip::Nameless, 2, "dh-identity-misbinding"),
        ("sts", Slip::Nameless, 2, "dh-identity-misbinding"),
        ("sts-mac", Slip::Nameless, 3, "dh-identity-misbinding"),
        ("denning-sacco-pk", Slip::Nameless, 1, "denning-sacco-pk"),
        ("ccitt509-3", Slip::Nameless, 3, "dh-identity-misbinding"),
        ("psk-challenge-response", Slip::Reflected, 3, "challenge-reflection"),
        ("wmf", Slip::Exchanged, 2, "wmf-key-refresh"),
        ("woo-lam-pi", Slip::Exchanged, 5, "woo-lam-pi-parallel"),
    ] {
        let file = ProtocolFile::named(name).unwrap();
        assert!(slips_of(&file).contains(&slip), "{name}");
        let start = format!("line {line}: ");
        let help = format!("see `mallory explain {story}`");
        let shown = file.warnings();
        let found = shown.iter().any(|p| p.message.starts_with(&start) && p.help.as_deref() == Some(&*help));
        assert!(found, "{name}: {shown:?}");
        assert!(shown.iter().all(|p| p.is_warning), "{name}");
    }
}

#[test]
fn every_story_is_in_the_library() {
    let names: Vec<String> = scenarios().into_iter().map(|e| e.name).collect();
    for slip in [Slip::Unchecked, Slip::Unconfirmed, Slip::Nameless, Slip::Reflected, Slip::Exchanged] {
        for story in slip.stories() {
            assert!(names.iter().any(|n| n == story), "{story}");
        }
    }
}

/// A protocol that is in no file.
fn slips_in(messages: &str, rest: &str) -> Vec<String> {
    let scenario =
        format!("[protocol]\nmessages = [{messages}]\n{rest}\n[[run]]\nA = \"alice\"\nB = \"bob\"\n");
    let scenario = Scenario::from_text("slips", &scenario).unwrap();
    scenario.variants[0].setup.warnings().map(|w| w.to_string()).collect()
}

#[test]
fn data_both_ways_under_one_key_can_come_back() {
    let fresh = "[protocol.fresh]\nA = [\"M: nonce\"]\nB = [\"N: nonce\"]";
    let found = slips_in(r#""A -> B : A, {M}k(A,B)", "B -> A : {N}k(A,B)""#, fresh);
    assert_eq!(
        found,
        ["slips:2:38: line 2: A's own {M}k(A,B) of line 1 passes for B's {N}k(A,B) \
             (see `mallory explain challenge-reflection`)"]
    );
    let directed = r#""A -> B : A, {\"to B\", M}k(A,B)", "B -> A : {\"to A\", N}k(A,B)""#;
    assert_eq!(slips_in(directed, fresh), Vec::<String>::new());
    let answered = r#""A -> B : A, {M}k(A,B)", "B -> A : {M, N}k(A,B)""#;
    assert_eq!(slips_in(answered, fresh), Vec::<String>::new());
}

#[test]
fn two_messages_of_one_shape_can_change_places() {
    let fresh = "[protocol.fresh]\nA = [\"M: nonce\", \"N: nonce\"]";
    let found = slips_in(r#""A -> B : A, {M}k(A,B)", "A -> B : {N}k(A,B)""#, fresh);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("line 2: {M}k(A,B) of line 1 passes for {N}k(A,B)"), "{found:?}");
    let numbered = r#""A -> B : A, {\"1\", M}k(A,B)", "A -> B : {\"2\", N}k(A,B)""#;
    assert_eq!(slips_in(numbered, fresh), Vec::<String>::new());
}

#[test]
fn what_nobody_checks_is_said() {
    let fresh = "[protocol.fresh]\nA = [\"M: nonce\"]";
    let found = slips_in(r#""A -> B : A, mac(k(A,B), M)""#, fresh);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("B never checks the code"), "{found:?}");
    assert!(found[0].ends_with("(see `mallory explain dh-mitm`)"), "{found:?}");
}
