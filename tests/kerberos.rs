//! Tickets: how long a stolen one serves, how far one reaches, what a rotated key and a
//! guessed password change. Every figure is counted in plays.

use std::fmt::Write as _;

use mallory::Scenario;
use mallory::algebra::Value;
use mallory::journal::What;
use mallory::scenario::{KeyPool, PlayReport};
use rand::{Rng as _, RngExt as _};

fn play(text: &str, seed: u64, pool: &KeyPool) -> PlayReport {
    let scenario = Scenario::from_text("test", text).unwrap_or_else(|p| panic!("{p}\n{text}")).seed(seed);
    scenario.play(&scenario.variants[0], true, pool).unwrap()
}

fn part(play: &PlayReport, run: u32, party: &str) -> String {
    play.run(run).party(party).to_string()
}

fn holds(play: &PlayReport, goal: &str) -> bool {
    play.goals().iter().find(|g| g.goal == goal).unwrap_or_else(|| panic!("no goal {goal}")).holds()
}

/// What alice's one run of the Kerberos protocol is, in every test.
const ALICE: &str = r#"
protocol = "kerberos"
[[run]]
C = "alice"
V = "bob"
Payload = "transfer 100"
"#;

/// Life of the ticket-granting ticket and of a service ticket, in hours.
const TGT: f64 = 10.0;
const SERVICE: f64 = 8.0;

/// How long a thief is served after the centre has disabled her victim, in hours: she took
/// the ticket that bought tickets at `age` hours, bought one more a second before the end,
/// and shows it every half hour, from `phase` of the first on.
fn exposure(age: f64, phase: f64, seed: u64, pool: &KeyPool) -> f64 {
    const STEP: f64 = 0.5;
    let nanos = |hours: f64| format!("{}ns", (hours * 3.6e12) as u64);
    let probes = (SERVICE / STEP) as u32 + 2;
    let mut text = format!(
        r#"
        protocol = "kerberos"
        lifetime = {{ Tt = "{TGT}h", Ts = "{SERVICE}h" }}
        [[run]]
        C = "alice"
        V = "bob"
        Payload = "transfer 100"
        [[event]]
        at = "1s"
        compromise = "1.Kct"
        [[event]]
        at = "{off}"
        revoke = "alice"
        by = "kdc"
        [attacker]
        insider = false
        attack = [
          "1.2 kdc -> alice : TGT, {{Kct, Tt, N1}}k(alice,kdc)",
          "2.3 I(alice) -> kdc : bob, N, TGT, {{alice, T}}Kct",
          "2.4 kdc -> I(alice) : Ticket, {{bob, Kcv, Ts, N}}Kct",
        "#,
        off = nanos(age),
    );
    for probe in 0..probes {
        let _ = writeln!(
            text,
            r#"  "{}.5 I(alice) -> bob : Ticket, {{alice, T{probe}}}Kcv, {{P{probe}}}Kcv","#,
            probe + 3
        );
    }
    let _ = writeln!(
        text,
        "]\nfresh = [\"T: time\"{}]",
        (0..probes).fold(String::new(), |all, n| all + &format!(", \"T{n}: time\", \"P{n}: data\""))
    );
    let _ = writeln!(text, "at.\"2.3\" = \"{}\"", nanos(age - 1.0 / 3600.0));
    for probe in 0..probes {
        let _ =
            writeln!(text, "at.\"{}.5\" = \"{}\"", probe + 3, nanos(age + (f64::from(probe) + phase) * STEP));
    }
    let play = play(&text, seed, pool);
    assert_eq!(part(&play, 2, "kdc"), "completes", "{text}");
    let served = (0..probes).filter(|probe| play.run(probe + 3).party("bob").completed()).count();
    served as f64 * STEP
}

/// A ticket stolen at an even age and a last service ticket that ends with it at the latest
/// leave Ts − Ts²/2T on average: 4.8 hours of ten and eight.
#[test]
fn a_disabled_users_last_ticket_serves_for_as_long_as_it_should_on_average() {
    const PLAYS: u64 = 240;
    let pool = KeyPool::default();
    let mut rng = mallory::crypto::stream(0, &["a day of the theft"]);
    let mut draw = || f64::from(rng.next_u32()) / 4_294_967_296.0;
    let found: Vec<f64> =
        (0..PLAYS).map(|n| exposure((TGT * draw()).max(0.01), draw(), n % 3, &pool)).collect();
    let count = found.len() as f64;
    let mean = found.iter().sum::<f64>() / count;
    let variance = found.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let expected = SERVICE - SERVICE * SERVICE / (2.0 * TGT);
    let error = (variance / count).sqrt();
    assert!((mean - expected).abs() < 3.0 * error, "mean {mean} hours, expected {expected} ± {error}");
    assert!(found.iter().all(|w| *w <= SERVICE + 0.5), "nobody is served longer than a ticket lives");
}

/// Whether a replay of alice's request is accepted `after` seconds, if her clock is ahead.
fn replay_is_accepted(after: i64, ahead: i64) -> bool {
    let sign = if ahead < 0 { "-" } else { "+" };
    let play = play(
        &format!(
            r#"{ALICE}
            [parties.alice]
            clock_offset = "{sign}{}s"
            [attacker]
            insider = false
            from = "{after}s"
            attack = ["1.5 alice -> bob : M", "2.5 I(alice) -> bob : M"]"#,
            ahead.abs()
        ),
        0,
        &KeyPool::default(),
    );
    assert_eq!(part(&play, 1, "bob"), "completes");
    match part(&play, 2, "bob").as_str() {
        "completes" => true,
        other => other != "rejects line 5: stale" && panic!("{other}"),
    }
}

#[test]
fn an_authenticator_can_be_replayed_for_the_skew_and_as_much_as_its_clock_is_ahead() {
    for ahead in [-240, -60, 0, 60, 240] {
        assert!(replay_is_accepted(300 + ahead - 1, ahead), "{ahead} s ahead");
        assert!(!replay_is_accepted(300 + ahead + 1, ahead), "{ahead} s ahead");
    }
}

#[test]
fn a_ticket_ends_with_the_one_that_bought_it() {
    let ends = |tt: &str, ts: &str| {
        let text = format!("lifetime = {{ Tt = \"{tt}\", Ts = \"{ts}\" }}\n{ALICE}");
        let play = play(&text, 0, &KeyPool::default());
        let session = play.sessions().iter().find(|s| *s.id.party == *"alice").unwrap();
        let nanos = |v: &Value| u64::from_be_bytes(v.bytes.as_slice().try_into().unwrap());
        (nanos(session.value_named("Tt").unwrap()), nanos(session.value_named("Ts").unwrap()))
    };
    let (tt, ts) = ends("1h", "8h");
    assert_eq!(tt, ts, "cut off at the first ticket's end");
    let (tt, ts) = ends("10h", "8h");
    assert!(ts < tt, "a life of its own, if that is shorter");
}

#[test]
fn a_theft_hands_over_the_version_of_its_time() {
    let learns = |theft: &str| {
        let text = format!(
            r#"{ALICE}
            [[event]]
            at = "1h"
            rotate = "k(alice,kdc)"
            [[event]]
            at = "{theft}"
            compromise = "k(alice,kdc)"
            [attacker]
            insider = false"#
        );
        play(&text, 0, &KeyPool::default()).attacker().learned("1.Payload")
    };
    assert!(learns("59m"), "the old key opens what was said under it");
    assert!(!learns("61m"), "the new one does not");
}

#[test]
fn a_key_that_was_dropped_cannot_leak() {
    let forward = |keep: u32| {
        let text = format!(
            r#"
            [protocol]
            messages = ["A -> B : {{Payload}}k(A,B)"]
            goals    = ["forward secret Payload"]
            given    = {{ A = ["Payload: data"] }}
            [[run]]
            A = "alice"
            B = "bob"
            Payload = "transfer 100"
            [[event]]
            at     = "1h"
            rotate = "k(alice,bob)"
            keep   = {keep}
            [attacker]
            insider = false"#
        );
        holds(&play(&text, 0, &KeyPool::default()), "forward secret Payload")
    };
    assert!(!forward(1));
    assert!(forward(0));
}

/// The words that she tried, and whether the last was right, for each password that she tried.
fn guesses(play: &PlayReport) -> Vec<(String, usize, bool)> {
    let guessed = |what: &What| match what {
        What::Guessed { term, words, value, .. } => Some((term.clone(), *words, value.is_some())),
        _ => None,
    };
    play.journal().events().iter().filter_map(|e| guessed(&e.what)).collect()
}

/// A protocol of alice, whose password is a word, bob and the centre, overheard by someone
/// with a dictionary.
fn overheard(protocol: &str, more: &str) -> PlayReport {
    let text = format!(
        r#"{protocol}
        [[run]]
        A = "alice"
        B = "bob"
        [parties.alice]
        password = "sunshine7"
        [attacker]
        insider    = false
        dictionary = ["123456", "dragon", "sunshine7", "monkey"]
        {more}"#
    );
    play(&text, 0, &KeyPool::default())
}

#[test]
fn whatever_is_made_with_a_password_tells_right_words_from_wrong_ones() {
    let fresh = "fresh = { A = [\"Na: nonce\"], B = [\"Nb: nonce\", \"K: key\"] }";
    for messages in [
        r#"["A -> B : A, {Na}pw(A,B)", "B -> A : B, Nb, K"]"#,
        r#"["A -> B : A, Na, K2", "B -> A : B, Nb, mac(pw(A,B), Na, K)", "B -> A : K"]"#,
        r#"["A -> B : A, Na", "B -> A : B, Nb, K, h(pw(A,B), Na)"]"#,
        r#"["A -> B : A, Na", "B -> A : B, Nb, {{Na, K}kdf(pw(A,B))}kdf(\"outer\", Nb)"]"#,
    ] {
        let fresh = fresh.replace(
            "Na: nonce\"",
            if messages.contains("K2") { "Na: nonce\", \"K2: key\"" } else { "Na: nonce\"" },
        );
        for encoding in ["tagged", "labelled", "untagged"] {
            let protocol =
                format!("encoding = {{ kind = \"{encoding}\" }}\n[protocol]\nmessages = {messages}\n{fresh}");
            let play = overheard(&protocol, "");
            assert_eq!(part(&play, 1, "alice"), "completes", "{protocol}");
            assert_eq!(guesses(&play), [("pw(alice,bob)".to_owned(), 3, true)], "{protocol}");
        }
    }
}

/// Encryption without authentication opens under one wrong key in 256, more or less; what
/// comes out must have the shape of the line.
#[test]
fn a_wrong_word_is_not_taken_for_right_where_ciphertexts_are_not_authenticated() {
    let words: Vec<String> = (0..400).map(|n| format!("\"word{n}\"")).collect();
    let text = format!(
        r#"
        crypto = {{ symmetric = "aes-256-cbc" }}
        [protocol]
        messages = ["A -> B : A, {{Na, A}}kdf(pw(A,B))"]
        fresh    = {{ A = ["Na: nonce"] }}
        [[run]]
        A = "alice"
        B = "bob"
        [parties.alice]
        password = "word399"
        [attacker]
        insider    = false
        dictionary = [{}]"#,
        words.join(", ")
    );
    let play = play(&text, 0, &KeyPool::default());
    assert_eq!(guesses(&play), [("pw(alice,bob)".to_owned(), 400, true)]);
}

/// Whoever asks for a ticket in alice's name finds her password after as many words as stand
/// before it in the list: (n + 1) / 2 of n on average, if every word is as likely.
#[test]
fn a_reply_without_pre_authentication_falls_after_half_the_list_on_average() {
    let pool = KeyPool::default();
    let words: Vec<String> = (0..8).map(|n| format!("word-{n}")).collect();
    let list: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let mut dice = mallory::crypto::stream(8, &["which word"]);
    let found: Vec<f64> = (0..40)
        .map(|seed| {
            let position = dice.random_range(0..words.len());
            let text = format!(
                r#"
                protocol = "kerberos-password"
                [[run]]
                at = "1h"
                C = "alice"
                V = "bob"
                Payload = "transfer 100"
                [parties.alice]
                password = "{}"
                [attacker]
                insider = false
                dictionary = [{}]
                attack = [
                  "2.1 I(alice) -> kdc : alice, N",
                  "2.2 kdc -> I(alice) : TGT, {{Kct, Tt, N}}pw(alice,kdc)",
                ]"#,
                words[position],
                list.join(", ")
            );
            let play = play(&text, seed, &pool);
            let tried = guesses(&play);
            assert_eq!(tried, [("pw(alice,kdc)".to_owned(), position + 1, true)]);
            tried[0].1 as f64
        })
        .collect();
    let (count, n) = (found.len() as f64, words.len() as f64);
    let mean = found.iter().sum::<f64>() / count;
    let error = ((n * n - 1.0) / 12.0 / count).sqrt();
    let expected = (n + 1.0) / 2.0;
    assert!((mean - expected).abs() < 3.0 * error, "mean {mean}, expected {expected} ± {error}");
}

#[test]
fn what_is_not_made_with_a_password_gives_her_nothing_to_try() {
    let play = overheard("protocol = \"diffie-hellman\"", "");
    assert_eq!(guesses(&play), []);
    let sealed = r#"[protocol]
        messages = ["A -> B : A, {{Na}pw(A,B)}k(A,B)"]
        fresh    = { A = ["Na: nonce"] }"#;
    assert_eq!(guesses(&overheard(sealed, "")), [], "she cannot open the outer ciphertext");
}

#[test]
fn a_reset_password_is_another_word() {
    let text = r#"
        [protocol]
        messages = ["A -> B : A, {Na}pw(A,B)"]
        goals    = ["secret Na"]
        fresh    = { A = ["Na: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [[run]]
        at = "2h"
        A = "alice"
        B = "bob"
        [[event]]
        at = "1h"
        rotate = "pw(alice,bob)"
        [parties.alice]
        password = "sunshine7"
        [attacker]
        insider    = false
        dictionary = ["123456", "dragon", "sunshine7", "monkey"]"#;
    let play = play(text, 0, &KeyPool::default());
    let word = "pw(alice,bob)".to_owned();
    assert_eq!(guesses(&play), [(word.clone(), 3, true), (word, 4, false)]);
    assert!(play.attacker().learned("1.Na") && !play.attacker().learned("2.Na"));
    let derivation = play.attacker().derivation("1.Na").unwrap().texts().join("\n");
    assert!(
        derivation.contains("guesses pw(alice,bob) with word 3 of her dictionary, which fits {Na}"),
        "{derivation}"
    );
}

#[test]
fn two_hosts_of_a_service_work_under_one_key() {
    let text = |shares: &str| {
        format!(
            r#"{ALICE}
            [[event]]
            at     = "10s"
            rotate = "k(bob,kdc)"
            [[run]]
            at = "20s"
            C = "alice"
            V = "bob2"
            Payload = "transfer 200"
            [parties.bob2]
            {shares}
            [attacker]
            insider = false
            attack = ["1.5 alice -> bob : M", "3.5 I(alice) -> bob2 : M"]"#
        )
    };
    // The new key reaches both hosts: the centre makes the second ticket under it.
    let one_key = play(&text("shares_key_of = \"bob\""), 0, &KeyPool::default());
    assert_eq!(part(&one_key, 2, "bob2"), "completes");
    assert_eq!(part(&one_key, 3, "bob2"), "completes");
    let two_keys = play(&text(""), 0, &KeyPool::default());
    assert_eq!(part(&two_keys, 2, "bob2"), "completes");
    assert_eq!(part(&two_keys, 3, "bob2"), "rejects line 5: decrypt-failed");
}

#[test]
fn an_attack_waits_for_the_time_that_a_line_has() {
    let text = format!(
        r#"{ALICE}
        [attacker]
        insider = false
        attack = ["1.5 alice -> bob : M", "2.5 I(alice) -> bob : M", "3.5 I(alice) -> bob : M"]
        at = {{ "2.5" = "3m", "3.5" = "6m" }}"#
    );
    let play = play(&text, 0, &KeyPool::default());
    let sent = |run: u32| {
        play.journal().events().iter().find_map(|e| match &e.what {
            What::Injected { message, .. } if message.run == run => Some(e.at.to_string()),
            _ => None,
        })
    };
    assert_eq!((sent(2).as_deref(), sent(3).as_deref()), (Some("00:03:00.000"), Some("00:06:00.000")));
    assert_eq!(part(&play, 2, "bob"), "completes");
    assert_eq!(part(&play, 3, "bob"), "rejects line 5: stale");
}

/// Mallory, a user, opens what is meant for her and finds there what is meant for bob.
#[test]
fn an_insider_guesses_at_a_ticket_inside_what_she_may_open() {
    let text = |insider: bool| {
        format!(
            r#"
            [protocol]
            messages = [
              "A -> S : A, B, Na",
              "S -> A : {{Na, B, Kab, {{Kab, A}}pw(B,S)}}k(A,S)",
              "A -> B : {{{{Kab, A}}pw(B,S)}}k(A,B)",
            ]
            fresh = {{ A = ["Na: nonce"], S = ["Kab: key"] }}
            [[run]]
            A = "alice"
            B = "bob"
            [parties.bob]
            password = "sunshine7"
            [attacker]
            insider    = {insider}
            dictionary = ["123456", "sunshine7"]
            attack     = ["2.1 I -> kdc : I, bob, N"]"#
        )
    };
    let found = ("pw(bob,kdc)".to_owned(), 2, true);
    assert_eq!(guesses(&play(&text(true), 0, &KeyPool::default())), [found]);
    assert_eq!(guesses(&play(&text(false), 0, &KeyPool::default())), []);
}

/// What bob, the centre and alice check of tickets, authenticators and answers, one attempt each.
#[test]
fn each_check_of_a_ticket_has_its_reason() {
    let attempt = |setting: &str, attack: &[&str], run: u32, party: &str| {
        let lines: Vec<String> = attack.iter().map(|line| format!("'{line}'")).collect();
        let text = format!(
            "{ALICE}
            [[run]]
            at = \"5m\"
            C = \"alice\"
            V = \"bob\"
            Payload = \"transfer 200\"
            {setting}
            [attacker]
            fresh  = [\"T1: time\", \"T2: time\"]
            attack = [{}]",
            lines.join(", ")
        );
        part(&play(&text, 0, &KeyPool::default()), run, party)
    };
    let own = [
        "3.1 I   -> kdc : I, N",
        "3.2 kdc -> I   : TGT, {Kct, Tt, N}k(I,kdc)",
        "3.3 I   -> kdc : bob, M, TGT, {I, T1}Kct",
        "3.4 kdc -> I   : Ticket, {bob, Kcv, Ts, M}Kct",
    ];
    let with = |last: &'static str| [&own[..], &[last]].concat();
    // Somebody else's name in the authenticator (KRB_AP_ERR_BADMATCH).
    let line = r#"3.5 I -> bob : Ticket, {alice, T2}Kcv, {"mine"}Kcv"#;
    assert_eq!(attempt("", &with(line), 3, "bob"), "rejects line 5: wrong-peer");
    let line = r#"3.5 I -> bob : Ticket, {I, T2}Kcv, {"mine"}Kcv"#;
    assert_eq!(attempt("", &with(line), 3, "bob"), "completes");
    // A ticket for one service shown to another (KRB_AP_ERR_NOT_US).
    let line = r#"3.5 I -> carol : Ticket, {I, T2}Kcv, {"mine"}Kcv"#;
    assert_eq!(attempt("[parties.carol]", &with(line), 3, "carol"), "rejects line 5: decrypt-failed");
    // A service ticket shown to the centre for another (KRB_AP_ERR_BAD_INTEGRITY).
    let line = "4.3 I -> kdc : carol, N4, Ticket, {I, T2}Kcv";
    assert_eq!(attempt("[parties.carol]", &with(line), 4, "kdc"), "rejects line 3: decrypt-failed");
    // An old answer to a new request: the nonce differs (RFC 4120 §3.1.5).
    let old = ["1.2 kdc -> alice : X, Y", "2.2 kdc -> I(alice) : Z, W", "2.2 I(kdc) -> alice : X, Y"];
    assert_eq!(attempt("", &old, 2, "alice"), "rejects line 2: mismatch");
    // Whom the centre does not know (KDC_ERR_C_PRINCIPAL_UNKNOWN).
    let stranger = format!("{ALICE}\n[attacker]\ninsider = false\nattack = [\"2.1 I -> kdc : I, N\"]");
    let play = play(&stranger, 0, &KeyPool::default());
    assert_eq!(part(&play, 2, "kdc"), "rejects line 2: unknown-client");
}
