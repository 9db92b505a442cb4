//! The judge on stories whose end everybody knows; and the product must agree on each.

use mallory::scenario::KeyPool;

use super::compare::{differences, judged, produced};

#[track_caller]
pub fn come_out(text: &str, expected: &[(&str, &str)]) {
    let judge = judged(text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    assert_eq!(judge.refused, None, "{text}");
    for (key, word) in expected {
        let found = judge.says.get(*key).map_or("never starts", String::as_str);
        assert_eq!(found, *word, "{key}\n{judge:#?}");
    }
    let product = produced(text, &judge, &KeyPool::default());
    let differ = differences(&product, &judge);
    assert!(differ.is_empty(), "{differ:#?}\n{text}");
}

fn needham_schroeder(second: &str) -> String {
    format!(
        r#"
        [protocol]
        messages = ["A -> B : {{A, Na}}pk(B)", "B -> A : {{{second}}}pk(A)", "A -> B : {{Nb}}pk(B)"]
        goals    = ["secret Nb", "B authenticates A on Na, Nb", "A authenticates B on Na, Nb"]
        fresh    = {{ A = ["Na: nonce"], B = ["Nb: nonce"] }}
        [parties.bob]
        [[run]]
        A = "alice"
        B = "I"
        [attacker]
        attack = [
          "1.1 alice    -> I        : {{alice, Na}}pk(I)",
          "2.1 I(alice) -> bob      : {{alice, Na}}pk(bob)",
          "2.2 bob      -> I(alice) : Z",
          "1.2 I        -> alice    : Z",
          "1.3 alice    -> I        : {{Nb}}pk(I)",
          "2.3 I(alice) -> bob      : {{Nb}}pk(bob)",
        ]
        "#
    )
}

#[test]
fn lowe_deceives_bob() {
    come_out(
        &needham_schroeder("Na, Nb"),
        &[
            ("part 1.alice as A", "completes"),
            ("part 2.bob as B", "completes"),
            ("goal secret Nb", "violated"),
            ("goal B authenticates A on Na, Nb", "violated"),
            ("value 2.bob.Nb", "learned"),
        ],
    );
}

#[test]
fn a_name_in_the_second_message_repairs_it() {
    come_out(
        &needham_schroeder("Na, Nb, B"),
        &[
            ("part 1.alice as A", "rejects line 2: wrong-peer"),
            ("part 2.bob as B", "waits for line 3"),
            ("goal secret Nb", "untested"),
            ("goal B authenticates A on Na, Nb", "untested"),
            ("value 2.bob.Nb", "not learned"),
        ],
    );
}

#[test]
fn plain_shares_fall_to_whoever_stands_in_the_middle() {
    come_out(
        r#"
        [protocol]
        messages = ["A -> B : A, g^x", "B -> A : B, g^y", "A -> B : {Payload}K"]
        goals    = ["secret Payload", "A authenticates B on K", "forward secret Payload"]
        fresh    = { A = ["x: dh"], B = ["y: dh"] }
        given    = { A = ["Payload: data"] }
        let      = { K = 'kdf("key", g^x^y)' }
        [[run]]
        A = "alice"
        B = "bob"
        Payload = "transfer 100"
        [attacker]
        attack = [
          "1.1 alice    -> I(bob)   : alice, g^x",
          "1.1 I(alice) -> bob      : alice, g^z",
          "1.2 bob      -> I(alice) : bob, g^y",
          "1.2 I(bob)   -> alice    : bob, g^z",
          '1.3 alice    -> I(bob)   : {P}kdf("key", g^x^z)',
          '1.3 I(alice) -> bob      : {P}kdf("key", g^y^z)',
        ]
        "#,
        &[
            ("part 1.bob as B", "completes"),
            ("goal secret Payload", "violated"),
            ("goal A authenticates B on K", "violated"),
            ("value 1.alice.Payload", "learned"),
            ("value 1.alice.K", "learned"),
        ],
    );
}

#[test]
fn shares_keep_their_secret_from_a_listener() {
    come_out(
        r#"
        [protocol]
        messages = ["A -> B : A, g^x", "B -> A : B, g^y", "A -> B : {Payload}kdf(g^x^y)"]
        goals    = ["secret Payload", "forward secret Payload"]
        fresh    = { A = ["x: dh"], B = ["y: dh"] }
        given    = { A = ["Payload: data"] }
        [[run]]
        A = "alice"
        B = "bob"
        Payload = "transfer 100"
        [attacker]
        "#,
        &[("goal secret Payload", "holds"), ("goal forward secret Payload", "holds")],
    );
}

#[test]
fn a_ticket_with_an_old_key_is_taken_again() {
    come_out(
        r#"
        [protocol]
        messages = [
          "A -> S : A, B, Na",
          "S -> A : {Na, B, Kab, {Kab, A}k(B,S)}k(A,S)",
          "A -> B : {Kab, A}k(B,S)",
          "B -> A : {Nb}Kab",
          "A -> B : {succ(Nb)}Kab",
        ]
        goals = ["secret Kab", "B authenticates A on Kab"]
        fresh = { A = ["Na: nonce"], S = ["Kab: key"], B = ["Nb: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [[event]]
        at = "1h"
        compromise = "1.Kab"
        as = "Kold"
        [attacker]
        attack = [
          "1.3 alice    -> bob      : T",
          "2.3 I(alice) -> bob      : T",
          "2.4 bob      -> I(alice) : {Nb}Kold",
          "2.5 I(alice) -> bob      : {succ(Nb)}Kold",
        ]
        at = { "2.3" = "2h" }
        "#,
        &[
            ("part 2.bob as B", "completes"),
            ("goal B authenticates A on Kab", "violated"),
            ("value 2.bob.Kab", "learned"),
        ],
    );
}

#[test]
fn what_is_sealed_and_relayed_keeps_its_goals() {
    come_out(
        r#"
        [protocol]
        messages = ["A -> B : A, {Na}k(A,B)", "B -> A : {succ(Na), Nb}k(A,B)"]
        goals    = ["secret Nb", "A authenticates B on Na, Nb", "B authenticates A on Na"]
        fresh    = { A = ["Na: nonce"], B = ["Nb: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [attacker]
        attack = [
          "1.1 alice    -> I(bob)   : alice, X",
          "1.1 I(alice) -> bob      : alice, X",
          "2.1 I(alice) -> bob      : alice, X",
        ]
        "#,
        &[
            ("part 1.alice as A", "completes"),
            ("part 2.bob as B", "completes"),
            ("goal secret Nb", "holds"),
            ("goal A authenticates B on Na, Nb", "holds"),
            ("goal B authenticates A on Na", "violated"),
        ],
    );
}
