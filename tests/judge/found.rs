//! What random cases once had the product and the judge disagree about, made small.

use super::classics::come_out;

#[test]
fn a_value_that_its_reader_solved_out_of_a_sum_is_hers_if_the_rest_is() {
    come_out(
        r#"
        [protocol]
        messages = ["A -> B : A, Na", "B -> A : xor(Na, Nb)"]
        goals    = ["secret Nb"]
        fresh    = { A = ["Na: nonce"], B = ["Nb: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [attacker]
        attack = ["1.1 alice -> I(bob) : alice, Na1", "1.2 I(bob) -> alice : Ne"]
        "#,
        &[("goal secret Nb", "violated"), ("value 1.alice.Nb", "learned")],
    );
}

#[test]
fn a_value_that_its_reader_counted_back_to_is_hers_if_she_sent_it() {
    come_out(
        r#"
        [protocol]
        messages = ["A -> B : A, succ(Na)", "A -> B : {Nb}k(A,B)"]
        fresh    = { A = ["Na: nonce", "Nb: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [attacker]
        attack = ["1.2 alice -> bob : Y", "2.1 I(alice) -> bob : alice, Y"]
        "#,
        &[("part 2.bob as B", "waits for line 2"), ("value 2.bob.Na", "learned")],
    );
}

#[test]
fn a_long_term_value_leaks_though_nobody_but_she_speaks_to_its_owner() {
    come_out(
        r#"
        [protocol]
        messages = ["A -> B : A", "B -> A : {A}Kt"]
        goals    = ["secret Kt", "forward secret Kt"]
        knows    = { B = ["Kt: key"] }
        [parties.alice]
        [parties.bob]
        [attacker]
        attack = ["1.1 I(alice) -> bob : alice"]
        "#,
        &[("goal secret Kt", "holds"), ("goal forward secret Kt", "violated")],
    );
}

#[test]
fn a_service_compares_its_challenge_with_what_comes_back() {
    come_out(
        r#"
        [protocol]
        messages = ["A -> S : A", "S -> A : Ns", "A -> S : mac(k(A,S), Ns), Ns", "S -> A : {Ks}k(A,S)"]
        goals    = ["secret Ks"]
        fresh    = { S = ["Ns: nonce", "Ks: key"] }
        [[run]]
        A = "alice"
        [[run]]
        at = "1h"
        A = "alice"
        [attacker]
        attack = ["1.3 alice -> S : M", "2.3 alice -> I(S) : N", "2.3 I(alice) -> S : M"]
        "#,
        &[
            ("part 1.alice as A", "completes"),
            ("part 1.kdc as S", "completes"),
            ("part 2.kdc as S", "rejects line 3: bad-mac or mismatch"),
        ],
    );
}

#[test]
fn a_service_that_says_a_value_twice_says_the_same() {
    come_out(
        r#"
        [protocol]
        messages = ["A -> S : A", "S -> A : Ns", "A -> S : Na", "S -> A : Ns, Na"]
        fresh    = { A = ["Na: nonce"], S = ["Ns: nonce"] }
        [[run]]
        A = "alice"
        "#,
        &[("part 1.alice as A", "completes"), ("part 1.kdc as S", "completes")],
    );
}

#[test]
fn a_word_that_she_passes_off_as_a_key_is_a_key_that_she_has() {
    come_out(
        r#"
        [protocol]
        messages = ["A -> B : {A, K}pk(B)", "B -> A : {Nb}K"]
        goals    = ["secret Nb"]
        fresh    = { A = ["K: key"], B = ["Nb: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [attacker]
        attack = ['2.1 I(alice) -> bob : {alice, "yes"}pk(bob)']
        "#,
        &[("value 2.bob.K", "learned"), ("value 2.bob.Nb", "learned"), ("goal secret Nb", "violated")],
    );
}

#[test]
fn a_code_that_stands_before_what_it_is_of_ends_the_attack_if_it_is_of_something_else() {
    for line in ["h(A), Na", "{h(A), Na}k(A,B)", "mac(k(A,B), A), Na"] {
        let [opened, said] = match line {
            "h(A), Na" => ["h(N), N", "h(N), N"],
            "{h(A), Na}k(A,B)" => ["{h(N), N}k(alice,I)", "{h(N), N}k(alice,bob)"],
            _ => ["mac(k(alice,I), N), N", "mac(k(alice,bob), N), N"],
        };
        come_out(
            &format!(
                r#"
                [protocol]
                messages = ["A -> B : {line}"]
                fresh    = {{ A = ["Na: nonce"] }}
                [parties.bob]
                [[run]]
                A = "alice"
                B = "I"
                [[event]]
                at = "0s"
                compromise = "k(alice,bob)"
                [attacker]
                attack = ["1.1 alice -> I : {opened}", "2.1 I(alice) -> bob : {said}"]
                "#
            ),
            &[("part 1.alice as A", "completes"), ("part 2.bob as B", "never starts")],
        );
    }
}

#[test]
fn a_service_that_she_asks_brings_others_into_the_run() {
    come_out(
        r#"
        [protocol]
        messages = ["A -> S : A, B", "S -> B : A, Ns", "B -> A : B"]
        fresh    = { S = ["Ns: nonce"] }
        [parties.alice]
        [parties.bob]
        [attacker]
        attack = ["1.1 I(alice) -> S : alice, bob", "1.3 bob -> I(alice) : X"]
        "#,
        &[("part 1.kdc as S", "completes"), ("part 1.bob as B", "completes")],
    );
}

#[test]
fn a_part_that_joined_too_late_for_a_value_puts_no_goal_about_it_to_the_test() {
    come_out(
        r#"
        [protocol]
        messages = ["A -> B : Na", "A -> B : g^x"]
        goals    = ["B weakly authenticates A on Na"]
        fresh    = { A = ["Na: nonce", "x: dh"] }
        joins    = { B = [2] }
        [parties.alice]
        [parties.bob]
        [attacker]
        attack = ['2.2 I(alice) -> bob : "ok"']
        "#,
        &[
            ("part 2.bob as B", "rejects line 2: malformed"),
            ("goal B weakly authenticates A on Na", "untested"),
        ],
    );
}

#[test]
fn a_code_that_comes_back_is_over_the_ciphertext_beside_it() {
    come_out(
        r#"
        [protocol]
        messages = ["B -> A : mac(k(A,B), {A}k(A,B))", "A -> B : {A}k(A,B), mac(k(A,B), {A}k(A,B))"]
        [[run]]
        A = "alice"
        B = "bob"
        "#,
        &[("part 1.alice as A", "completes"), ("part 1.bob as B", "rejects line 2: bad-mac")],
    );
}
