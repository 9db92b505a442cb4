//! What the attacker can compute from what she has, and what she cannot.

use mallory::Scenario;
use mallory::scenario::{KeyPool, PlayReport};

fn play(text: &str) -> PlayReport {
    let scenario = Scenario::from_text("deduction", text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
}

fn word(play: &PlayReport, goal: &str) -> String {
    let found = play.goals().iter().find(|g| g.goal == goal).unwrap_or_else(|| panic!("no goal {goal}"));
    found.word().to_string()
}

/// A run between alice and bob on which mallory listens.
fn overheard(protocol: &str, rest: &str) -> PlayReport {
    play(&format!(
        "[protocol]\n{protocol}\n[[run]]\nA = \"alice\"\nB = \"bob\"\n{rest}\n[attacker]\ntactic = \"eavesdrop\""
    ))
}

#[test]
fn a_sum_of_sums_is_hers_and_their_parts_are_not() {
    let play = overheard(
        r#"
        messages = ["A -> B : A, xor(Na, Nb), xor(Nb, Nc), xor(Nc, Nd)", "A -> B : {Na, Nc, Nd}k(A,B)"]
        goals    = ["secret Two", "secret Three", "secret Odd", "secret Na", "secret Nd"]
        fresh    = { A = ["Na: nonce", "Nb: nonce", "Nc: nonce", "Nd: nonce"] }
        let      = { Two = "xor(Na, Nc)", Three = "xor(Na, Nd)", Odd = "xor(Na, xor(Nc, Nd))" }
        "#,
        "",
    );
    assert_eq!(word(&play, "secret Two"), "violated");
    assert_eq!(word(&play, "secret Three"), "violated");
    for unknown in ["secret Odd", "secret Na", "secret Nd"] {
        assert_eq!(word(&play, unknown), "holds", "{unknown}");
    }
    let how = play.attacker().derivation("1.Three").expect("she has it").texts();
    assert!(how.last().is_some_and(|s| s.contains("takes the exclusive or of")), "{how:?}");
}

#[test]
fn one_summand_that_leaks_brings_down_all_that_hang_on_it() {
    let protocol = r#"
        messages = ["A -> B : A, xor(Na, Nb), xor(Nb, Nc)", "A -> B : {Na, Nc}k(A,B)"]
        goals    = ["secret Na", "secret Nc"]
        fresh    = { A = ["Na: nonce", "Nb: nonce", "Nc: nonce"] }
        "#;
    let leak = "[[event]]\nat = \"1h\"\ncompromise = \"1.alice.Nb\"";
    assert_eq!(word(&overheard(protocol, ""), "secret Nc"), "holds");
    assert_eq!(word(&overheard(protocol, leak), "secret Nc"), "violated");
}

#[test]
fn steps_go_both_ways() {
    let play = overheard(
        r#"
        messages = ["A -> B : A, succ(Na), pred(Nb)", "A -> B : {h(Na, Nb)}k(A,B)"]
        goals    = ["secret Na", "secret Nb"]
        fresh    = { A = ["Na: nonce", "Nb: nonce"] }
        "#,
        "",
    );
    assert_eq!(word(&play, "secret Na"), "violated");
    assert_eq!(word(&play, "secret Nb"), "violated");
}

#[test]
fn either_exponent_gives_what_was_agreed_and_shares_do_not() {
    let protocol = r#"
        messages = ["A -> B : A, g^x", "B -> A : g^y", "A -> B : {Text}kdf(g^x^y)"]
        goals    = ["secret Text"]
        fresh    = { A = ["x: dh"], B = ["y: dh"] }
        given    = { A = ["Text: data"] }
        "#;
    let said = |more: &str| word(&overheard(protocol, &format!("Text = \"six\"\n{more}")), "secret Text");
    assert_eq!(said(""), "holds");
    for exponent in ["1.alice.x", "1.bob.y"] {
        assert_eq!(said(&format!("[[event]]\nat = \"1h\"\ncompromise = \"{exponent}\"")), "violated");
    }
}

#[test]
fn each_value_is_judged_in_the_encoding_that_made_it() {
    let dir = std::env::temp_dir().join(format!("mallory-encodings-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let flat = r#"
        messages = ["A -> B : A, Na", "B -> A : Nb, {Pay}kdf(Na, Nb)"]
        goals    = ["secret Pay"]
        fresh    = { A = ["Na: nonce"], B = ["Nb: nonce"] }
        given    = { B = ["Pay: data"] }
        encoding = { kind = "untagged" }
    "#;
    std::fs::write(dir.join("flat.toml"), flat).unwrap();
    let both = r#"
        [protocol]
        messages = ["A -> B : A, Nz"]
        fresh    = { A = ["Nz: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [[run]]
        protocol = "flat.toml"
        A = "alice"
        B = "bob"
        Pay = "pay 100"
        [attacker]
    "#;
    std::fs::write(dir.join("both.toml"), both).unwrap();
    let report = Scenario::from_path(dir.join("both.toml")).unwrap().run().unwrap();
    assert_eq!(word(&report.plays()[0], "secret Pay"), "violated");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn fields_without_tags_can_be_cut_and_joined() {
    // The key is made up of two nonces side by side, which she sees apart.
    let protocol = |kind: &str| {
        format!(
            r#"
            messages = ["A -> B : A, Na, Nb", "A -> B : {{Text}}h(Na, Nb)"]
            goals    = ["secret Text"]
            fresh    = {{ A = ["Na: nonce", "Nb: nonce"] }}
            given    = {{ A = ["Text: data"] }}
            encoding = {{ kind = "{kind}" }}
            "#
        )
    };
    for kind in ["tagged", "untagged", "labelled"] {
        assert_eq!(word(&overheard(&protocol(kind), "Text = \"six\""), "secret Text"), "violated", "{kind}");
    }
}

#[test]
fn a_thousand_runs_hide_nothing() {
    // Runs whose keys each hang on a hundred hashes, the stolen one last.
    let hashes: Vec<String> = (0..100).map(|n| format!("h(Na, \"{n}\")")).collect();
    let mut text = format!(
        "[protocol]\nmessages = [\"A -> B : A, Na, {{P}}K\"]\ngoals = [\"secret P\"]\nfresh = {{ A = [\"Na: nonce\", \"P: nonce\"] }}\nlet = {{ K = 'kdf(k(A,B), {})' }}\n",
        hashes.join(", ")
    );
    for _ in 0..300 {
        text.push_str("[[run]]\nA = \"alice\"\nB = \"bob\"\n");
    }
    text.push_str("[[run]]\nA = \"carol\"\nB = \"dave\"\n[[event]]\nat = \"1h\"\ncompromise = \"k(carol,dave)\"\n[attacker]\n");
    let play = play(&text);
    assert_eq!(word(&play, "secret P"), "violated");
    assert!(play.attacker().learned("301.P") && !play.attacker().learned("300.P"));
}

#[test]
fn what_she_put_on_the_wire_is_told_as_hers() {
    let play = play(
        r#"
        [protocol]
        messages = ["A -> B : A, g^x", "B -> A : g^y", "A -> B : {Text}kdf(g^x^y)"]
        goals    = ["secret Text"]
        fresh    = { A = ["x: dh"], B = ["y: dh"] }
        given    = { A = ["Text: data"] }
        [[run]]
        A = "alice"
        B = "bob"
        Text = "six"
        [attacker]
        tactic = "mitm"
        "#,
    );
    let steps = play.attacker().derivation("1.alice.Text").expect("she reads it").texts();
    let wire: Vec<&String> = steps.iter().filter(|s| s.contains("went over the wire")).collect();
    assert!(wire.iter().all(|s| s.ends_with("from alice")), "bob's share never reached alice: {steps:?}");
}

#[test]
fn two_values_side_by_side_are_a_key_where_nothing_tells_them_apart() {
    // Alice takes her own {Na, Nb} for the {K} that she waits for. Its two halves went over the
    // wire in different messages, so nobody can cut the key out of one.
    let text = |kind: &str| {
        format!(
            r#"
            [protocol]
            messages = [
              "A -> B : A, Na",
              "B -> A : Nb",
              "A -> B : {{Na, Nb}}k(A,B)",
              "B -> A : {{K}}k(A,B)",
              "A -> B : {{Text}}K",
            ]
            goals    = ["secret Text"]
            fresh    = {{ A = ["Na: nonce"], B = ["Nb: nonce", "K: key"] }}
            given    = {{ A = ["Text: data"] }}
            encoding = {{ kind = "{kind}" }}
            [[run]]
            A = "alice"
            B = "bob"
            Text = "six"
            [attacker]
            insider = false
            attack = [
              "1.1 alice  -> bob    : alice, Na",
              "1.2 bob    -> alice  : Nb",
              "1.3 alice  -> I(bob) : C",
              "1.4 I(bob) -> alice  : C",
            ]
            "#
        )
    };
    let flawed = play(&text("untagged"));
    assert_eq!(word(&flawed, "secret Text"), "violated");
    let steps = flawed.attacker().derivation("1.Text").expect("she reads it").texts();
    assert!(steps.iter().any(|s| s.contains("puts side by side Na") && s.contains("Nb")), "{steps:?}");
    let typed = play(&text("tagged"));
    assert_eq!(word(&typed, "secret Text"), "holds");
    assert_eq!(typed.run(1).party("alice").to_string(), "rejects line 4: wrong-type");
}

#[test]
fn what_agents_hold_for_the_long_term_leaks_in_the_end() {
    let play = overheard(
        r#"
        messages = ["A -> B : A, {Text}kdf(Kt, \"text\")"]
        goals    = ["secret Text", "forward secret Text"]
        knows    = { A = ["Kt: key"], B = ["Kt: key"] }
        given    = { A = ["Text: data"] }
        "#,
        "Text = \"six\"",
    );
    assert_eq!(word(&play, "secret Text"), "holds");
    assert_eq!(word(&play, "forward secret Text"), "violated");
}

#[test]
fn a_text_that_was_opened_has_no_borders_either() {
    // Alice reads her own {Na, Nb} as {D, K}, where K begins in the middle of Na: who opens the
    // text later cuts the key out of it.
    let play = play(
        r#"
        [protocol]
        messages = [
          "A -> B : A, {Na, Nb}k(A,B)",
          "B -> A : {D, K}k(A,B)",
          "A -> B : {Text}K",
        ]
        goals    = ["secret Text"]
        fresh    = { A = ["Na: nonce", "Nb: nonce"], B = ["K: key"] }
        given    = { A = ["Text: data"], B = ["D: data"] }
        encoding = { kind = "untagged", data = 8, K = 24 }
        [[run]]
        A = "alice"
        B = "bob"
        Text = "six"
        D = "d"
        [[event]]
        at = "1h"
        compromise = "k(alice,bob)"
        [attacker]
        insider = false
        attack = [
          "1.1 alice  -> I(bob) : alice, C",
          "1.2 I(bob) -> alice  : C",
        ]
        "#,
    );
    assert_eq!(play.run(1).party("alice").to_string(), "completes");
    assert_eq!(word(&play, "secret Text"), "violated");
    let steps = play.attacker().derivation("1.alice.Text").expect("she reads it").texts();
    assert!(steps.iter().any(|s| s.contains("cuts bytes out of the text")), "{steps:?}");
}

#[test]
fn evidence_says_of_a_value_that_no_check_covers_it_only_where_none_does() {
    let steps = |lines: &str| {
        let text = format!(
            r#"
            [protocol]
            messages = [{lines}]
            goals    = ["B authenticates A on Na"]
            fresh    = {{ A = ["Na: nonce"] }}
            [parties.alice]
            [parties.bob]
            [[event]]
            at = "0s"
            compromise = "k(alice,bob)"
            [attacker]
            attack = ["1.1 I(alice) -> bob : {}"]
            at = {{ "1.1" = "1s" }}
            "#,
            lines
                .trim_matches('\'')
                .split_once(": ")
                .map_or("", |(_, parts)| parts)
                .replace("k(A,B)", "k(alice,bob)")
                .replace("A, ", "alice, ")
        );
        let scenario = Scenario::from_text("evidence", &text).unwrap_or_else(|p| panic!("{p}\n{text}"));
        let play = scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap();
        assert_eq!(word(&play, "B authenticates A on Na"), "violated");
        mallory::report::log::render(&play, &mallory::report::LogStyle::default())
    };
    let none = "no check of bob's says who made it";
    assert!(steps("'A -> B : A, Na'").contains(none));
    assert!(!steps("'A -> B : A, Na, mac(k(A,B), h(Na))'").contains(none));
}

#[test]
fn a_signature_that_has_only_one_form_is_made_again_by_who_steals_the_key() {
    // The signature itself travels under a key that she does not have.
    let play_with = |algorithm: &str, theft: &str| {
        overheard(
            r#"
            messages = ["B -> A : Nb, {sign(sk(B), Nb)}pk(A)"]
            goals    = ["secret L"]
            fresh    = { B = ["Nb: nonce"] }
            let      = { L = "kdf(sign(sk(B), Nb))" }
            "#,
            &format!(
                "[parties.carol]\n[crypto]\nsignature = \"{algorithm}\"\n[[event]]\nat = \"1h\"\ncompromise = \"sk({theft})\""
            ),
        )
    };
    for algorithm in ["ed25519", "ecdsa-p256"] {
        let play = play_with(algorithm, "bob");
        assert_eq!(word(&play, "secret L"), "violated", "{algorithm}");
        let how = play.attacker().derivation("1.L").expect("she has it").texts();
        let told = |step: &String| step.starts_with("mallory signs ") && step.contains(" with sk(bob) ");
        assert!(how.iter().any(told), "{how:?}");
    }
    // A salt of 32 bytes is drawn for each signature by RSA-PSS.
    assert_eq!(word(&play_with("rsa-2048-pss", "bob"), "secret L"), "holds");
    // Another's key makes another signature.
    assert_eq!(word(&play_with("ed25519", "carol"), "secret L"), "holds");
}

/// The client's and the centre's part of a log-in whose lines these are, under an attack.
fn logged_in(messages: &str, attack: &str) -> PlayReport {
    play(&format!(
        r#"
        [protocol]
        messages = [{messages}]
        goals    = ["secret pw(C,KDC)"]
        fresh    = {{ C = ["x: dh", "Nc: nonce"], KDC = ["y: dh"] }}
        [[run]]
        C = "alice"
        [parties.alice]
        password = "sunshine7"
        [attacker]
        dictionary = ["123456", "sunshine7"]
        {attack}
        "#
    ))
}

/// A code under a key that both agree on and the password: nothing that a listener could check.
const CONFIRMED: &str = r#""C -> KDC : C, g^x", "KDC -> C : g^y, mac(kdf(g^x^y, pw(C,KDC)), \"s\")""#;

#[test]
fn a_word_is_checked_with_what_she_sent_herself() {
    let listened = logged_in(CONFIRMED, "tactic = \"eavesdrop\"");
    assert_eq!(word(&listened, "secret pw(C,KDC)"), "holds");
    let hers = logged_in(
        CONFIRMED,
        r#"attack = ["1.1 alice -> I(kdc) : alice, g^x", "1.1 I(alice) -> kdc : alice, g^z",
                     "1.2 kdc -> I(alice) : g^y, mac(kdf(g^y^z, pw(alice,kdc)), \"s\")"]"#,
    );
    assert_eq!(word(&hers, "secret pw(C,KDC)"), "violated");
    assert_eq!(hers.attacker().guesses(), 2);
}

#[test]
fn a_word_that_she_could_check_counts_though_no_line_of_hers_does() {
    // Her share, and the code that she does not read in this narration.
    let between = logged_in(
        CONFIRMED,
        r#"attack = ["1.1 alice -> I(kdc) : alice, g^x", "1.1 I(alice) -> kdc : alice, g^z",
                     "1.2 kdc -> I(alice) : g^y, X"]"#,
    );
    assert_eq!(between.attacker().guesses(), 0);
    assert_eq!(word(&between, "secret pw(C,KDC)"), "violated");
    let verdict = between.goals().iter().find(|goal| goal.goal == "secret pw(C,KDC)").unwrap();
    let evidence = format!("{verdict:?}");
    assert!(evidence.contains("with word 2 of her dictionary, which fits mac("), "{evidence}");
}

#[test]
fn a_password_in_a_signature_is_checked_by_anybody() {
    let signed = r#""C -> KDC : C, Nc, sign(sk(C), pw(C,KDC), Nc)""#;
    let play = logged_in(signed, "tactic = \"eavesdrop\"");
    assert_eq!(word(&play, "secret pw(C,KDC)"), "violated");
}

#[test]
fn a_password_among_what_she_cannot_compute_is_not_checked() {
    let sealed = r#""C -> KDC : C, {pw(C,KDC)}pk(KDC)""#;
    let hidden = r#""C -> KDC : C, {Nc}pk(KDC), h(pw(C,KDC), Nc)""#;
    for messages in [sealed, hidden] {
        let play = logged_in(messages, "tactic = \"eavesdrop\"");
        assert_eq!(word(&play, "secret pw(C,KDC)"), "holds", "{messages}");
    }
}
