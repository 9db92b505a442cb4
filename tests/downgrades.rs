//! What is offered, agreed on and fallen back to: groups, and versions.

mod played;

use mallory::Scenario;
use mallory::algebra::Func;

use played::{part, play, violated};

/// alice offers groups, bob computes in these; parties as they are set.
fn agreed(offer: &str, settings: &str) -> String {
    format!(
        "protocol = \"negotiated-group\"
        crypto = {{ agreement = \"ffdhe2048\", groups = [\"modp-64\", \"x25519\"] }}
        {settings}
        [[run]]
        A = \"alice\"
        B = \"bob\"
        Offer = \"{offer}\"
        Payload = \"pay 100\"
        [attacker]
        insider = false"
    )
}

/// The first of the offer in which the responder computes, and both compute in it.
#[test]
fn the_first_group_of_the_offer_is_taken() {
    for (offer, len) in [
        ("ffdhe2048", 256),
        ("x25519, modp-64", 32),
        ("modp-64, x25519", 8),
        ("ffdhe3072, p256, modp-64", 8),
        ("ffdhe3072,x25519", 32),
    ] {
        let play = play(&agreed(offer, ""));
        for party in ["alice", "bob"] {
            assert_eq!(part(&play, 1, party), "completes", "{offer}");
        }
        let shares: Vec<usize> =
            play.journal().made().iter().filter_map(|maker| share(&maker.made)).collect();
        assert!(shares.len() >= 4 && shares.iter().all(|made| *made == len), "{offer}: {shares:?}");
    }
}

/// How long a share is, if it is one or a secret that was agreed.
fn share(made: &mallory::algebra::Made) -> Option<usize> {
    matches!(made.func(), Some(Func::Share | Func::Agree)).then(|| made.value.bytes.len())
}

/// She has the logarithm of what is in the small group, and only of that.
#[test]
fn she_reads_what_is_agreed_in_the_small_group() {
    for (offer, is_read) in [("x25519, modp-64", false), ("modp-64, x25519", true)] {
        let play = play(&format!("{}\n        computes_logarithms = true", agreed(offer, "")));
        assert_eq!(violated(&play, "secret Payload"), is_read, "{offer}");
    }
}

#[test]
fn a_group_may_be_too_small_or_missing() {
    let bob = "parties = { bob = { min_strength = 112 } }";
    let alice = "parties = { alice = { min_strength = 112 } }";
    assert_eq!(part(&play(&agreed("modp-64", bob)), 1, "bob"), "rejects line 2: no-common-group");
    assert_eq!(part(&play(&agreed("p256", "")), 1, "bob"), "rejects line 2: no-common-group");
    assert_eq!(part(&play(&agreed("modp-64", alice)), 1, "alice"), "rejects line 2: group-too-small");
    let both = play(&agreed("modp-64, x25519", bob));
    assert_eq!(part(&both, 1, "alice"), "completes");
    assert!(!violated(&both, "secret Payload"));
    let strict = "parties = { alice = { min_strength = 128 } }";
    assert_eq!(part(&play(&agreed("ffdhe2048", strict)), 1, "alice"), "rejects line 2: group-too-small");
    assert_eq!(part(&play(&agreed("x25519", strict)), 1, "alice"), "completes");
}

#[test]
fn groups_that_cannot_be_are_mistakes_of_the_file() {
    let crypto = |groups: &str| agreed("x25519", "").replace("[\"modp-64\", \"x25519\"]", groups);
    for (text, why) in [
        (crypto("[\"modp-2048\"]"), "has shares of the same length"),
        (crypto("[\"ffdhe2048\"]"), "is there already"),
        (crypto("[\"x25519\", \"x25519-unchecked\"]"), "has shares of the same length"),
        (crypto("[\"x448\"]"), "there is no key agreement `x448`"),
        (agreed("x25519, p265", ""), "there is no key agreement `p265`"),
        (agreed("x25519", "encoding = { kind = \"untagged\" }"), "shares of several groups"),
        (agreed("x25519", "parties = { bob = { min_strength = 300 } }"), "256 bits of strength"),
    ] {
        let problems = Scenario::from_text("test", &text).err().unwrap_or_else(|| panic!("{why}\n{text}"));
        assert!(problems.to_string().contains(why), "{why}: {problems}");
    }
}

/// A run in another's stead, after what becomes of line 1 of that.
fn fallen_back(action: &str, settings: &str) -> String {
    format!(
        "protocol = \"signed-dh\"
        {settings}
        [[run]]
        A = \"alice\"
        B = \"bob\"
        Payload = \"pay 100\"
        [[run]]
        at = \"5s\"
        protocol = \"key-transport-finished\"
        falls_back_from = 1
        A = \"alice\"
        B = \"bob\"
        Tried = \"signed-dh\"
        Payload = \"pay 100\"
        [attacker]
        insider = false
        [[attacker.rule]]
        match = {{ run = 1, line = 2 }}
        action = \"{action}\""
    )
}

/// Whoever completed the new one does not begin the old one; whoever lost it, or refused it, does.
#[test]
fn who_completed_does_not_fall_back() {
    let newest = "parties = { bob = { newest = \"signed-dh\" } }";
    for (action, settings, old) in [
        ("pass", "", "never starts"),
        ("delay 2s", "", "never starts"),
        ("delay 6s", "", "completes"),
        ("drop", "", "completes"),
        ("tamper", "", "completes"),
        ("drop", newest, "waits for line 2 from bob"),
        ("tamper", newest, "waits for line 2 from bob"),
    ] {
        let play = play(&fallen_back(action, settings));
        let alice = play.sessions().iter().any(|s| s.id.run == 2 && *s.id.party == *"alice");
        let got = if alice { part(&play, 2, "alice") } else { "never starts".to_owned() };
        assert_eq!(got, old, "{action}, {settings}");
        if old.starts_with("waits") {
            assert_eq!(part(&play, 2, "bob"), "rejects line 1: inappropriate-fallback");
        }
    }
    // A server whose newest is the old one takes it, and so does one that was tried with nothing.
    let old = "parties = { bob = { newest = \"key-transport-finished\" } }";
    assert_eq!(part(&play(&fallen_back("drop", old)), 2, "bob"), "completes");
    let first = fallen_back("drop", newest).replace("Tried = \"signed-dh\"", "Tried = \"nothing\"");
    assert_eq!(part(&play(&first), 2, "bob"), "completes");
}

#[test]
fn what_nobody_can_fall_back_from_is_a_mistake_of_the_file() {
    let text = fallen_back("drop", "");
    for (text, why) in [
        (text.replace("falls_back_from = 1", "falls_back_from = 2"), "in the stead of run 2"),
        (text.replace("falls_back_from = 1", "falls_back_from = 7"), "in the stead of run 7"),
        (
            text.replacen("A = \"alice\"\n        B = \"bob\"", "A = \"bob\"\n        B = \"alice\"", 1),
            "bob begins run 1, and not run 2",
        ),
        (
            fallen_back("drop", "parties = { bob = { newest = \"signed-dhh\" } }"),
            "nobody speaks a protocol `signed-dhh`",
        ),
    ] {
        let problems = Scenario::from_text("test", &text).err().unwrap_or_else(|| panic!("{why}"));
        assert!(problems.to_string().contains(why), "{why}: {problems}");
    }
}
