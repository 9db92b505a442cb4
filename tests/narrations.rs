//! What the lines of an attack mean, and that none is decoration: without any one of them, the
//! attack misses its verdict.

use std::path::Path;
use std::sync::Arc;

use mallory::Scenario;
use mallory::journal::What;
use mallory::notation::Attack;
use mallory::party::attacker::Plan;
use mallory::scenario::{KeyPool, PlayReport, scenarios};

fn play(scenario: &Scenario) -> PlayReport {
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
}

fn narrated(text: &str, attack: &[&str]) -> PlayReport {
    let text = format!("{text}\n[attacker]\ninsider = false\nattack = {attack:?}");
    play(&Scenario::from_text("test", &text).unwrap_or_else(|p| panic!("{p}\n{text}")))
}

fn part(play: &PlayReport, run: u32, party: &str) -> String {
    play.run(run).party(party).to_string()
}

/// Whether she followed her lines to the end.
fn stopped(play: &PlayReport) -> bool {
    play.journal().events().iter().any(|event| matches!(event.what, What::AttackStopped { .. }))
}

/// A scenario of two protocols: the first with nonces in the clear, the second in a file of
/// its own that seals one in each direction, in this encoding.
fn of_two_protocols(name: &str, encoding: &str, attack: &[&str]) -> PlayReport {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let sealed = format!(
        r#"
        messages = ["A -> B : \"hello\", {{Ask}}k(A,B)", "B -> A : {{Word, A}}k(A,B)", "A -> B : \"bye\""]
        fresh    = {{ A = ["Ask: key"] }}
        given    = {{ B = ["Word: data"] }}
        {encoding}
        "#
    );
    std::fs::write(folder.join("sealed.toml"), sealed).unwrap();
    let story = format!(
        r#"
        [protocol]
        messages = ["A -> B : A, Na", "B -> A : B, Nb"]
        fresh    = {{ A = ["Na: nonce"], B = ["Nb: nonce"] }}
        [[run]]
        A = "alice"
        B = "bob"
        [[run]]
        at = "1m"
        protocol = "sealed.toml"
        A = "alice"
        B = "bob"
        Word = "yes"
        [[event]]
        at = "1s"
        compromise = "k(alice,bob)"
        [attacker]
        insider = false
        attack = {attack:?}
        "#
    );
    std::fs::write(folder.join("story.toml"), story).unwrap();
    play(&Scenario::from_path(folder.join("story.toml")).unwrap_or_else(|p| panic!("{p}")))
}

#[test]
fn a_line_is_of_the_protocol_of_its_run() {
    let no = [
        "1.1 alice  -> bob      : alice, N",
        "2.1 alice  -> I(bob)   : \"hello\", {Q}k(alice,bob)",
        "2.2 I(bob) -> alice    : {\"no\", alice}k(alice,bob)",
        "2.3 alice  -> I(bob)   : \"bye\"",
    ];
    for (name, encoding) in [("tagged", ""), ("labelled", "encoding = { kind = \"labelled\" }")] {
        let play = of_two_protocols(name, encoding, &no);
        assert_eq!(part(&play, 1, "alice"), "completes", "{name}");
        assert_eq!(part(&play, 2, "alice"), "completes", "{name}");
        let word = play.run(2).party("alice").sessions()[0]
            .value_named("Word")
            .and_then(|v| v.text().map(str::to_owned));
        assert_eq!(word.as_deref(), Some("no"), "{name}");
    }
}

#[test]
fn she_opens_a_run_of_the_scenarios_own_protocol() {
    let open = ["3.1 I(alice) -> bob : alice, N", "3.2 bob -> I(alice) : bob, R"];
    assert_eq!(part(&of_two_protocols("open", "", &open), 3, "bob"), "completes");
}

#[test]
fn what_she_made_for_one_protocol_she_makes_anew_for_another() {
    // The same term, as a line of two protocols that bind what is sealed to themselves.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("anew");
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["here", "there"] {
        let text = "messages = [\"A -> B : {Na}k(A,B)\"]\nfresh = { A = [\"Na: nonce\"] }\n\
                    encoding = { kind = \"labelled\" }";
        std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
    }
    let story = r#"
        protocol = "here.toml"
        [[run]]
        A = "alice"
        B = "bob"
        [[run]]
        protocol = "there.toml"
        A = "alice"
        B = "bob"
        [[event]]
        at = "1s"
        compromise = "k(alice,bob)"
        [attacker]
        insider = false
        attack = [
          "1.1 alice    -> I(bob) : X",
          "2.1 alice    -> I(bob) : Y",
          "1.1 I(alice) -> bob    : {N}k(alice,bob)",
          "2.1 I(alice) -> bob    : {N}k(alice,bob)",
        ]
    "#;
    std::fs::write(folder.join("story.toml"), story).unwrap();
    let play = play(&Scenario::from_path(folder.join("story.toml")).unwrap_or_else(|p| panic!("{p}")));
    assert_eq!(part(&play, 1, "bob"), "completes");
    assert_eq!(part(&play, 2, "bob"), "completes");
}

#[test]
fn a_party_that_only_her_lines_name_is_a_client_like_others() {
    let text = r#"
        [protocol]
        messages = ["A -> B : A, Na", "B -> A : {Na}k(A,B)"]
        fresh    = { A = ["Na: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
    "#;
    let attack = ["2.1 I(alice) -> dave : alice, N", "2.2 dave -> I(alice) : X"];
    assert_eq!(part(&narrated(text, &attack), 2, "dave"), "completes");
    let rule = "[[attacker.rule]]\nmatch = { line = 1 }\naction = \"inject 2.1 I(alice) -> dave : alice, N\"";
    let text = format!("{text}\n{rule}");
    assert_eq!(part(&play(&Scenario::from_text("test", &text).unwrap()), 2, "dave"), "completes");
}

/// A sealed slip in a sealed letter; bob returns the slip alone.
const LETTER: &str = r#"
[protocol]
messages = ["A -> B : {Kx}k(A,B)", "A -> B : {{Na}k(A,B)}Kx", "B -> A : {Na}k(A,B), Kx"]
fresh    = { A = ["Na: nonce", "Kx: key"] }
[[run]]
A = "alice"
B = "bob"
"#;

/// She passes the letter on unread, and then shows the slip.
const SLIP: [&str; 3] = [
    "1.2 alice    -> I(bob) : {{N}k(alice,bob)}J",
    "1.2 I(alice) -> bob    : {{N}k(alice,bob)}J",
    "1.3 I(bob)   -> alice  : {N}k(alice,bob), J",
];

#[test]
fn what_she_passes_on_unread_she_has_not_looked_into() {
    let load = |more: &str| {
        let text = format!("{LETTER}\n{more}\n[attacker]\ninsider = false\nattack = {SLIP:?}");
        Scenario::from_text("test", &text).map(|scenario| play(&scenario))
    };
    let problem = load("").err().unwrap().to_string();
    assert!(problem.contains("cannot build {N}k(alice,bob)"), "{problem}");
    // With the key of the letter the slip is hers, whole, though not what is written on it.
    let play = load("[[event]]\nat = \"1h\"\ncompromise = \"1.Kx\"\nas = \"J\"").unwrap();
    assert_eq!(part(&play, 1, "alice"), "completes");
    assert!(!play.attacker().learned("1.Na"));
}

/// A badge is shown with its certificate; it lives for four hours.
const BADGE: &str = r#"
[protocol]
messages = ["A -> B : A, Na, sign(sk(A), B, Na), cert(A)"]
fresh    = { A = ["Na: nonce"] }
[services.ca]
certificate_lifetime = "4h"
[[run]]
A = "badge"
B = "gate"
[[request]]
at  = "3h"
by  = "badge"
ask = "ASK"
[[event]]
at = "STOLEN"
compromise = "sk(badge)"
"#;

/// What becomes of a thief who shows the badge at these times.
fn shown_at(ask: &str, stolen: &str, times: &[&str]) -> Vec<String> {
    let text = BADGE.replace("ASK", ask).replace("STOLEN", stolen);
    let runs = 2..2 + times.len();
    let line =
        |n: usize| format!("{n}.1 I(badge) -> gate : badge, N{n}, sign(sk(badge), gate, N{n}), cert(badge)");
    let lines: Vec<String> = runs.clone().map(line).collect();
    let at: Vec<String> = runs.clone().zip(times).map(|(n, at)| format!("\"{n}.1\" = \"{at}\"")).collect();
    let attacker = format!("[attacker]\nattack = {lines:?}\nat = {{ {} }}", at.join(", "));
    let play = play(&Scenario::from_text("badge", &format!("{text}\n{attacker}")).unwrap());
    runs.map(|n| part(&play, n as u32, "gate")).collect()
}

#[test]
fn a_certificate_in_a_narration_is_the_newest_that_can_be_had() {
    let (fits, expired) = ("completes", "rejects line 1: certificate-expired");
    // Renewed at three: the thief's key stays good until seven.
    assert_eq!(shown_at("renew", "1h", &["2h", "6h", "8h"]), [fits, fits, expired]);
    // A new key at three, stolen at five: it fits the certificate of three.
    assert_eq!(shown_at("rekey", "5h", &["6h", "8h"]), [fits, expired]);
    // The key of before: the newest certificate that is for it is the first.
    assert_eq!(shown_at("rekey", "1h", &["2h", "3h 30m", "6h"]), [fits, fits, expired]);
}

#[test]
fn she_encrypts_to_the_key_that_a_party_has_now() {
    let text = r#"
        [protocol]
        messages = ["A -> B : A", "B -> A : cert(B), sign(sk(B), A)", "A -> B : {Na}pk(B)"]
        fresh    = { A = ["Na: nonce"] }
        [[run]]
        at = "2h"
        A = "alice"
        B = "bob"
        [[request]]
        at = "1h"
        by = "bob"
        ask = "rekey"
    "#;
    let attack = ["1.3 alice -> I(bob) : X", "1.3 I(alice) -> bob : {N}pk(bob)"];
    let play = narrated(text, &attack);
    assert_eq!(play.request(1), Some(None), "granted");
    assert_eq!(part(&play, 1, "bob"), "completes");
}

/// She takes a nonce and returns a key; whoever has the key reads the secret.
const KEY: &str = r#"
[protocol]
messages = ["A -> B : A, Na", "B -> A : Nb", "A -> B : {K, A}pk(B)", "B -> A : {Secret}K"]
goals    = ["secret Secret"]
fresh    = { A = ["Na: nonce", "K: key"], B = ["Nb: nonce"] }
given    = { B = ["Secret: data"] }
[[run]]
A = "alice"
B = "bob"
Secret = "the plan"
"#;

#[test]
fn whatever_she_makes_she_may_call_a_key() {
    for made in ["Nb", "h(Nb)", "kdf(Nb)", "mac(Nb, \"x\")", "xor(Nb, M)", "succ(Nb)", "g^x"] {
        let third = format!("1.3 I(alice) -> bob : {{{made}, alice}}pk(bob)");
        let play = narrated(KEY, &["1.2 bob -> I(alice) : Nb", &third, "1.4 bob -> I(alice) : X"]);
        assert_eq!(part(&play, 1, "bob"), "completes", "{made}");
        assert!(play.attacker().learned("1.Secret"), "{made}");
    }
}

#[test]
fn one_value_in_two_places_of_a_line_has_the_type_of_each() {
    let text = r#"
        [protocol]
        messages = ["A -> B : A, Na", "B -> A : Nb, K, h(Nb, K)"]
        fresh    = { A = ["Na: nonce"], B = ["Nb: nonce", "K: key"] }
        [[run]]
        A = "alice"
        B = "bob"
    "#;
    let play = narrated(text, &["1.1 alice -> I(bob) : alice, M", "1.2 I(bob) -> alice : M, M, h(M, M)"]);
    assert_eq!(part(&play, 1, "alice"), "completes");
}

#[test]
fn she_checks_a_signature_over_what_she_retyped_as_its_signer_made_it() {
    let text = r#"
        [protocol]
        messages = ["A -> B : A, K", "B -> A : sign(sk(B), K)"]
        fresh    = { A = ["K: key"] }
        [[run]]
        A = "alice"
        B = "bob"
    "#;
    let attack = ["1.1 I(alice) -> bob : alice, N", "1.2 bob -> I(alice) : sign(sk(bob), N)"];
    let play = narrated(text, &attack);
    assert_eq!(part(&play, 1, "bob"), "completes");
    assert!(!stopped(&play));
}

#[test]
fn in_labelled_messages_she_binds_to_the_line_that_makes_a_term() {
    // The ticket is made in line 1 and shown in line 3: its label is that of line 1.
    let text = r#"
        [encoding]
        kind = "labelled"
        [protocol]
        messages = ["S -> A : {K}k(A,S), {K, A}k(B,S)", "A -> B : A", "B -> A : Nb", "A -> B : {K, A}k(B,S), {Nb}K"]
        fresh    = { S = ["K: key"], B = ["Nb: nonce"] }
        services = { S = "client" }
        knows    = { S = ["B"], A = ["B"], B = ["S"] }
        [[run]]
        S = "server"
        A = "alice"
        B = "bob"
        [[event]]
        at = "1s"
        compromise = "k(bob,server)"
    "#;
    let attack = [
        "2.2 I(alice) -> bob : alice",
        "2.3 bob -> I(alice) : N",
        "2.4 I(alice) -> bob : {J, alice}k(bob,server), {N}J",
    ];
    let play = narrated(text, &attack);
    assert_eq!(part(&play, 2, "bob"), "completes");
}

#[test]
fn she_opens_later_what_she_keeps_from_a_line_under_its_label() {
    let text = r#"
        [encoding]
        kind = "labelled"
        [protocol]
        messages = ["A -> B : A, {Na}k(A,B)"]
        fresh    = { A = ["Na: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [[event]]
        at = "10s"
        compromise = "k(alice,bob)"
    "#;
    let attack =
        ["1.1 alice -> bob : alice, {N}k(alice,bob)", "2.1 I(alice) -> bob : alice, {succ(N)}k(alice,bob)"];
    assert_eq!(part(&narrated(text, &attack), 2, "bob"), "completes");
}

#[test]
fn every_line_of_every_attack_is_needed() {
    let pool = KeyPool::default();
    let mut needless = Vec::new();
    let mut tried = 0;
    for entry in scenarios() {
        let scenario = Scenario::named(&entry.name).unwrap();
        // In a fixed variant the attack stops anyway; the weak ones are those that reach their end.
        for variant in &scenario.variants {
            if variant.name.as_deref().is_some_and(|name| name.starts_with("fixed")) {
                continue;
            }
            let Some(spec) = &variant.setup.attacker else { continue };
            let Plan::Narration(attack) = &spec.plan else { continue };
            let whole = scenario.check(variant, &pool).unwrap();
            assert!(whole.failures.is_empty(), "{}: {:?}", whole.play.name, whole.failures);
            if whole.play.goals().iter().all(|g| g.holds()) {
                continue;
            }
            for at in 0..attack.lines.len() {
                let mut lines = attack.lines.clone();
                let line = lines.remove(at);
                let mut variant = (**variant).clone();
                if let Some(spec) = &mut variant.setup.attacker {
                    spec.plan = Plan::Narration(Arc::new(Attack { lines, ..(**attack).clone() }));
                }
                tried += 1;
                let without = scenario.check(&Arc::new(variant), &pool).unwrap();
                if without.failures.is_empty() {
                    needless.push(format!("{}: {}", without.play.name, line.text));
                }
            }
        }
    }
    assert!(needless.is_empty(), "lines without which the attack succeeds all the same: {needless:#?}");
    assert!(tried > 0 || scenarios().is_empty());
}

/// What is sealed, signed and authenticated in one line and put in another's place, in which the
/// same term stands.
#[test]
fn what_is_of_one_line_passes_for_another_only_where_nothing_says_which_it_is() {
    for term in ["sign(sk(A), {})", "mac(k(A,B), {})", "{{}, \"order\"}k(A,B)"] {
        let lines = ["P", "Q"].map(|name| format!("'A -> B : {name}, {}'", term.replacen("{}", name, 1)));
        let carried = |kind: &str| {
            let text = format!(
                r#"
                encoding = {{ kind = "{kind}" }}
                [protocol]
                messages = [{}, {}]
                fresh    = {{ A = ["P: nonce", "Q: nonce"] }}
                [[run]]
                A = "alice"
                B = "bob"
                "#,
                lines[0], lines[1]
            );
            let attack = ["1.1 alice -> bob : P, S", "1.2 alice -> bob : Q, T", "2.1 I(alice) -> bob : Q, T"];
            let play = narrated(&text, &attack);
            assert_eq!(part(&play, 1, "bob"), "completes", "{term}");
            part(&play, 2, "bob")
        };
        assert_eq!(carried("tagged"), "waits for line 2 from alice", "{term}");
        assert!(carried("labelled").starts_with("rejects line 1"), "{term}: {}", carried("labelled"));
    }
}
