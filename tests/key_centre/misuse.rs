//! What somebody may try with the key centre beside asking it: old requests, others' devices,
//! others' consent, restarts. Each is played; what the centre really did is read off its keys.

use mallory::journal::What;
use mallory::scenario::PlayReport;

use super::{KeyPool, gave, outcome};

fn play(text: &str) -> PlayReport {
    super::play(text, 0, &KeyPool::default())
}

const CENTRE: &str = r#"
[services.kdc.keys]
roles         = { olivia = "operator" }
second_factor = ["decrypt"]
one_time_codes = ["alice"]
[[request]]
at    = "1m"
by    = "olivia"
ask   = "generate"
key   = "orders"
owner = "alice"
"#;

/// A request for the description of `orders`, late.
const LATER: &str = "[[request]]\nat = \"1h\"\nby = \"olivia\"\nask = \"describe\"\nkey = \"orders\"\n";

fn eavesdrops(more: &str) -> String {
    format!("[attacker]\ntactic = \"eavesdrop\"\n{more}")
}

#[test]
fn an_old_request_is_refused_also_after_a_restart() {
    let rotate = "[[request]]\nat = \"2m\"\nby = \"olivia\"\nask = \"rotate\"\nkey = \"orders\"\n";
    let replay = eavesdrops(
        "[[attacker.rule]]\nmatch = { protocol = \"kms\", line = 1, run = 2 }\naction = \"replay 10m\"\n",
    );
    for event in ["", "[[event]]\nat = \"5m\"\nrestart = \"kdc\"\n"] {
        let play = play(&format!("{CENTRE}{rotate}{LATER}{event}{replay}"));
        let replayed =
            play.journal().events().iter().filter(|e| matches!(e.what, What::Injected { .. })).count();
        assert_eq!(replayed, 1);
        assert_eq!(gave(&play, 3), "aes-256 to encrypt, active, version 2, of alice", "{event}");
    }
}

#[test]
fn what_is_replayed_is_in_the_log() {
    let replay = eavesdrops(
        "[[attacker.rule]]\nmatch = { protocol = \"kms\", line = 1, run = 1 }\naction = \"replay 10m\"\n",
    );
    let audit = "[[request]]\nat = \"1h\"\nby = \"audrey\"\nask = \"read-audit\"\n";
    let text =
        format!("{CENTRE}{audit}{replay}").replace("roles         = {", "roles = { audrey = \"auditor\",");
    let log = "1 kdc create: done; 2 olivia generate orders: done; 3 olivia unreadable: replayed";
    assert_eq!(gave(&play(&text), 2), log);
}

#[test]
fn what_the_time_has_come_for_has_a_record_of_its_own() {
    let text = CENTRE.replace("owner = \"alice\"", "owner = \"alice\"\nauto_rotate = \"10m\"");
    let audit = "[[request]]\nat = \"15m\"\nby = \"audrey\"\nask = \"read-audit\"\n";
    let text = format!("{text}{audit}").replace("roles         = {", "roles = { audrey = \"auditor\",");
    let log = "1 kdc create: done; 2 olivia generate orders: done; 3 vault tick orders: done";
    assert_eq!(gave(&play(&text), 2), log);
}

/// alice encrypts something, request 2.
const ENCRYPTED: &str =
    "[[request]]\nat = \"2m\"\nby = \"alice\"\nask = \"encrypt\"\nkey = \"orders\"\ntext = \"sell\"\n";

fn decrypt(at: &str, by: &str, more: &str) -> String {
    format!("[[request]]\nat = \"{at}\"\nby = \"{by}\"\nask = \"decrypt\"\nof = 2\n{more}\n")
}

#[test]
fn nobody_shows_a_code_of_anothers_device() {
    let stolen =
        ["k(alice,kdc)", "r2"].map(|what| format!("[[event]]\nat = \"3m\"\ncompromise = \"{what}\"\n"));
    let hers = decrypt("4m", "mallory", "with = \"k(alice,kdc)\"\ncode = \"own\"");
    let played = play(&format!("{CENTRE}{ENCRYPTED}{}{hers}{}", stolen.concat(), eavesdrops("")));
    assert_eq!(outcome(&played, 3), "bad-code");
    let text = CENTRE.replace("second_factor =", "authenticate = false\nsecond_factor =");
    let configure = |who: &str| {
        format!(
            "[[request]]\nat = \"3m\"\nby = \"{who}\"\nclaims = \"alice\"\nproof = false\n\
             ask = \"encrypt\"\nkey = \"orders\"\ntext = \"x\"\ncode = \"own\"\n"
        )
    };
    let text = text.replace("[\"decrypt\"]", "[\"encrypt\"]").replace("[\"alice\"]", "[\"alice\", \"bob\"]");
    let played = play(&format!("{text}{}{}", configure("bob"), configure("alice")));
    assert_eq!((outcome(&played, 2), outcome(&played, 3)), ("bad-code", "granted"));
}

#[test]
fn a_used_code_stays_used_over_a_restart() {
    let own = |at: &str| decrypt(at, "alice", "code = \"own\"");
    let restart = "[[event]]\nat = \"3m 1s\"\nrestart = \"kdc\"\n";
    let played = play(&format!("{CENTRE}{ENCRYPTED}{}{restart}{}", own("3m"), own("3m 5s")));
    assert_eq!((outcome(&played, 3), outcome(&played, 4)), ("granted", "code-already-used"));
}

#[test]
fn a_disk_is_put_back_once() {
    let events = [
        ("2m", "compromise = \"vault\""),
        ("3m", "put_back = \"vault\""),
        ("3m", "restart = \"kdc\""),
        ("5m", "restart = \"kdc\""),
    ];
    let events = events.map(|(at, what)| format!("[[event]]\nat = \"{at}\"\n{what}\n")).concat();
    let after = "[[request]]\nat = \"4m\"\nby = \"olivia\"\nask = \"rotate\"\nkey = \"orders\"\n";
    let played = play(&format!("{CENTRE}{events}{after}{LATER}{}", eavesdrops("")));
    assert_eq!(gave(&played, 3), "aes-256 to encrypt, active, version 2, of alice");
}

#[test]
fn a_long_text_comes_back() {
    let long = "x".repeat(200_000);
    let encrypt = ENCRYPTED.replace("sell", &long);
    let text = CENTRE.replace("[\"decrypt\"]", "[]");
    let played = play(&format!("{text}{encrypt}{}", decrypt("3m", "alice", "")));
    assert_eq!(gave(&played, 3), long);
}

/// alice agrees on a secret with a key of the centre, request 2; then mallory steals `what`.
fn agreed(kind: &str, what: &[&str]) -> (PlayReport, bool) {
    let text = CENTRE
        .replace("owner = \"alice\"", &format!("owner = \"alice\"\nkind = \"{kind}\"\nusage = \"agree\""));
    let agree = "[[request]]\nat = \"2m\"\nby = \"alice\"\nask = \"agree\"\nkey = \"orders\"\n";
    let stolen: String =
        what.iter().map(|what| format!("[[event]]\nat = \"1d\"\ncompromise = \"{what}\"\n")).collect();
    let crypto = if kind == "p256" { "[crypto]\nagreement = \"p256\"\n" } else { "" };
    let played = play(&format!("{text}{agree}{stolen}{crypto}{}", eavesdrops("")));
    let learned = played.attacker().learned("r2");
    (played, learned)
}

#[test]
fn an_agreed_secret_never_goes_over_the_wire() {
    for kind in ["x25519", "p256"] {
        let (played, learned) = agreed(kind, &["k(alice,kdc)"]);
        assert_eq!((outcome(&played, 2), learned), ("granted", false), "{kind}");
        // Whoever has the centre's half and alice's share computes it.
        let (_, learned) = agreed(kind, &["k(alice,kdc)", "key(orders,1)"]);
        assert!(learned, "{kind}");
        let (_, learned) = agreed(kind, &["key(orders,1)"]);
        assert!(!learned, "{kind}: alice's share is under seal");
    }
}

#[test]
fn a_share_that_is_stolen_twice_is_one() {
    let text = CENTRE.replace("[services.kdc.keys]", "[services.kdc.keys]\nshares = \"2 of 3\"");
    let robbed = |shares: &[u8]| {
        let stolen: String = shares
            .iter()
            .map(|nth| format!("[[event]]\nat = \"1h\"\ncompromise = \"share({nth})\"\n"))
            .collect();
        let rest = ["r2", "vault"].map(|what| format!("[[event]]\nat = \"1h\"\ncompromise = \"{what}\"\n"));
        let played = play(&format!("{text}{ENCRYPTED}{stolen}{}{}", rest.concat(), eavesdrops("")));
        played.attacker().learned("r2")
    };
    assert!(!robbed(&[1, 1]));
    assert!(robbed(&[1, 1, 2]));
    assert!(robbed(&[3, 2, 1]));
}

/// On an old disk a name may come to mean another key: what was encrypted under the first falls
/// with the first, and what was encrypted under the second with the second.
#[test]
fn a_name_means_another_key_after_an_old_disk_was_put_back() {
    let learned = |stolen_at: &str| {
        let mut text = String::from("[services.kdc.keys]\nroles = { olivia = \"operator\" }\n");
        let mut ask = |at: &str, by: &str, ask: &str| {
            text += &format!("[[request]]\nat = \"{at}\"\nby = \"{by}\"\nkey = \"orders\"\n{ask}\n");
        };
        let generate = "ask = \"generate\"\nowner = \"alice\"";
        ask("2m", "olivia", generate);
        ask("3m", "alice", "ask = \"encrypt\"\ntext = \"the first order\"");
        ask("6m", "olivia", generate);
        ask("7m", "alice", "ask = \"encrypt\"\ntext = \"the second order\"");
        text += &format!(
            "[attacker]\ntactic = \"eavesdrop\"\n\
             [[event]]\nat = \"1m\"\ncompromise = \"vault\"\n\
             [[event]]\nat = \"5m\"\nput_back = \"vault\"\n\
             [[event]]\nat = \"5m\"\nrestart = \"kdc\"\n\
             [[event]]\nat = \"8m\"\ncompromise = \"r2\"\n\
             [[event]]\nat = \"8m\"\ncompromise = \"r4\"\n\
             [[event]]\nat = \"{stolen_at}\"\ncompromise = \"key(orders,1)\"\n"
        );
        let played = play(&text);
        assert_eq!([1, 2, 3, 4].map(|number| outcome(&played, number)), ["granted"; 4]);
        ["r2", "r4"].map(|result| played.attacker().learned(result))
    };
    assert_eq!(learned("4m"), [true, false]);
    assert_eq!(learned("9m"), [false, true]);
}
