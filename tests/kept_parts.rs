//! What a party does with a part that it cannot read: it keeps it, passes it on, and checks
//! with it what can be checked.

use mallory::Scenario;
use mallory::scenario::KeyPool;

/// Plays a file with one variant and holds it against its own `[expect]`.
fn as_expected(text: &str) {
    let scenario = Scenario::from_text("kept", text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    let checked = scenario.check(&scenario.variants[0], &KeyPool::default()).unwrap();
    let failures: Vec<String> = checked.failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}\n{text}", failures.join("\n"));
}

fn warnings(text: &str) -> Vec<String> {
    let protocol = format!("title = \"a protocol\"\n{text}");
    let scenario =
        Scenario::from_text("kept", &format!("[protocol]\n{protocol}")).unwrap_or_else(|p| panic!("{p}"));
    scenario.variants[0].setup.warnings().map(|w| w.message).collect()
}

#[test]
fn a_code_over_an_unread_hash_is_checked_in_its_line() {
    for order in ["h(Na), mac(k(A,B), h(Na))", "mac(k(A,B), h(Na)), h(Na)"] {
        let hers = order.replace("Na", "Ne").replace("k(A,B)", "Ke");
        as_expected(&format!(
            r#"
            [protocol]
            messages = ["A -> B : A, {order}"]
            fresh    = {{ A = ["Na: nonce"] }}
            [parties.alice]
            [parties.bob]
            [attacker]
            fresh  = ["Ke: key"]
            attack = ["1.1 I(alice) -> bob : alice, {hers}"]
            [expect]
            runs = {{ "1.bob" = "rejects line 1: bad-mac" }}
            "#
        ));
    }
}

#[test]
fn a_signature_over_the_hash_of_what_is_hidden_is_checked_in_its_line() {
    as_expected(
        r#"
        [protocol]
        messages = [
          "C -> M : C, Order, h(Card), sign(sk(C), h(Order, h(Card)))",
          "M -> C : Order",
        ]
        given = { C = ["Order: data", "Card: data"] }
        [[run]]
        C = "carol"
        M = "mona"
        Order = "one"
        Card = "4321"
        [attacker]
        attack = ["2.1 I(carol) -> mona : carol, O, h(P), sign(sk(I), h(O, h(P)))"]
        [expect]
        runs = { "1.mona" = "completes", "2.mona" = "rejects line 1: bad-signature" }
        "#,
    );
}

#[test]
fn a_key_derived_from_an_unread_part_opens_what_lies_beside_it() {
    as_expected(
        r#"
        [protocol]
        messages = ["A -> B : A, h(Na), {Word}kdf(k(A,B), h(Na))"]
        fresh    = { A = ["Na: nonce"] }
        given    = { A = ["Word: data"] }
        [[run]]
        A = "alice"
        B = "bob"
        Word = "yes"
        [expect]
        runs   = { "1.bob" = "completes" }
        values = { "1.bob.Word" = "yes" }
        "#,
    );
}

#[test]
fn a_part_that_stands_twice_must_be_twice_the_same() {
    as_expected(
        r#"
        [protocol]
        messages = ["A -> B : A, h(Na), h(Na)"]
        fresh    = { A = ["Na: nonce"] }
        [parties.alice]
        [parties.bob]
        [attacker]
        attack = ["1.1 I(alice) -> bob : alice, h(N1), h(N2)"]
        [expect]
        runs = { "1.bob" = "rejects line 1: mismatch" }
        "#,
    );
}

#[test]
fn a_code_over_a_ciphertext_that_never_came_is_left_and_said() {
    let lines = r#"messages = ["A -> B : A, Na", "B -> A : mac(k(A,B), {Na, B}k(A,B))"]
                   fresh    = { A = ["Na: nonce"] }"#;
    assert_eq!(warnings(lines), ["line 2: A never checks the code mac(k(A,B), {Na, B}k(A,B))"]);
    as_expected(&format!(
        "[protocol]\n{lines}\n[[run]]\nA = \"alice\"\nB = \"bob\"\n[expect]\nruns = {{ \"1.alice\" = \"completes\" }}"
    ));
}

#[test]
fn what_is_inside_a_part_that_was_only_passed_on_was_never_seen() {
    // B gets the key after it passed the ticket on, and opens it then.
    as_expected(
        r#"
        [protocol]
        messages = [
          "A -> B : {{Na}k(A,S)}Kab",
          "B -> A : {{Na}k(A,S)}Kab",
          "A -> B : Kab",
          "B -> S : A, {Na}k(A,S)",
        ]
        fresh = { A = ["Na: nonce", "Kab: key"] }
        [[run]]
        A = "alice"
        B = "bob"
        [expect]
        runs = { "1.bob" = "completes", "1.kdc" = "completes" }
        "#,
    );
    let lacks = Scenario::from_text(
        "kept",
        r#"
        [protocol]
        messages = [
          "A -> B : {{Na}k(A,S)}Kab",
          "B -> A : {{Na}k(A,S)}Kab",
          "B -> S : A, {Na}k(A,S)",
        ]
        fresh = { A = ["Na: nonce", "Kab: key"] }
        "#,
    );
    let lacks = lacks.err().map(|p| p.to_string()).unwrap_or_default();
    assert!(lacks.contains("line 3: B cannot build {Na}k(A,S)"), "{lacks}");
}

#[test]
fn what_a_late_key_brings_to_light_is_kept_in_its_turn() {
    // Inside {…}K1 lies a ciphertext that she can pass on without ever opening it.
    as_expected(
        r#"
        [protocol]
        messages = [
          "A -> B : {Kab}k(A,B)",
          "B -> A : Nb",
          "A -> B : {{Na}k(A,B), Nb}Kab",
        ]
        goals = ["B authenticates A on Nb"]
        fresh = { A = ["Na: nonce", "Kab: key"], B = ["Nb: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [[event]]
        at = "2h"
        compromise = "1.Kab"
        as = "Kold"
        [attacker]
        attack = [
          "1.1 alice -> bob : Ticket",
          "1.3 alice -> bob : {{Na}k(alice,bob), N1}Kold",
          "2.1 I(alice) -> bob : Ticket",
          "2.2 bob -> I(alice) : N2",
          "2.3 I(alice) -> bob : {{Na}k(alice,bob), N2}Kold",
        ]
        [expect]
        runs  = { "2.bob" = "completes" }
        goals = { "B authenticates A on Nb" = "violated" }
        "#,
    );
}

#[test]
fn nobody_computes_with_anothers_exponent() {
    // Whose share it is nothing says: bob takes mallory's, whatever the exponents are called.
    for exponent in ["a", "s"] {
        as_expected(&format!(
            r#"
            [protocol]
            messages = ["B -> A : B, g^b", "A -> B : A, g^{exponent}, {{Text}}K"]
            goals    = ["secret Text", "B authenticates A on Text"]
            knows    = {{ A = ["{exponent}: dh"], B = ["b: dh"] }}
            given    = {{ A = ["Text: data"] }}
            let      = {{ K = "kdf(g^{exponent}^b)" }}
            [[run]]
            A = "alice"
            B = "bob"
            Text = "six o'clock"
            [attacker]
            attack = [
              "1.1 bob -> I(alice) : bob, g^b",
              "1.2 I(alice) -> bob : alice, g^z, {{\"noon\"}}kdf(g^b^z)",
            ]
            [expect]
            runs   = {{ "1.bob" = "completes" }}
            values = {{ "1.bob.Text" = "noon" }}
            goals  = {{ "B authenticates A on Text" = "violated" }}
            "#
        ));
    }
}

#[test]
fn a_static_share_that_is_granted_is_public() {
    // Nothing says whose share g^s is: with bob's, which all know, mallory poses as alice.
    as_expected(
        r#"
        [protocol]
        messages = ["A -> B : A, g^s", "A -> B : {Text}K"]
        goals    = ["B authenticates A on Text"]
        knows    = { A = ["g^b", "s: dh"], B = ["b: dh"] }
        given    = { A = ["Text: data"] }
        let      = { K = "kdf(g^s^b)" }
        [[run]]
        A = "alice"
        B = "bob"
        Text = "six o'clock"
        [attacker]
        attack = [
          "2.1 I(alice) -> bob : alice, g^z",
          "2.2 I(alice) -> bob : {\"noon\"}kdf(g^b^z)",
        ]
        [expect]
        runs   = { "1.bob" = "completes", "2.bob" = "completes" }
        values = { "2.bob.Text" = "noon" }
        goals  = { "B authenticates A on Text" = "violated" }
        "#,
    );
}

#[test]
fn a_code_that_came_back_is_not_one_over_another_ciphertext() {
    // Alice never sees bob's ciphertext: she sends one of her own beside what bob computed.
    for (term, why) in [
        ("mac(k(A,B), {A}k(A,B))", "bad-mac"),
        ("h({A}k(A,B))", "mismatch"),
        ("h(h({A}k(A,B)), Nb)", "mismatch"),
    ] {
        as_expected(&format!(
            r#"
            [protocol]
            messages = ["B -> A : Nb, {term}", "A -> B : {{A}}k(A,B), {term}"]
            fresh    = {{ B = ["Nb: nonce"] }}
            [[run]]
            A = "alice"
            B = "bob"
            [expect]
            runs = {{ "1.bob" = "rejects line 2: {why}" }}
            "#
        ));
    }
}

#[test]
fn a_key_over_a_ciphertext_is_that_of_the_one_that_arrived() {
    as_expected(
        r#"
        [protocol]
        messages = ["B -> A : {Nb}kdf({A}k(A,B))", "A -> B : {A}k(A,B), {Na}kdf({A}k(A,B))"]
        fresh    = { A = ["Na: nonce"], B = ["Nb: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [expect]
        runs = { "1.alice" = "completes", "1.bob" = "completes" }
        "#,
    );
}
