//! Where a role has other parties' public keys from.

use mallory::Scenario;
use mallory::report::{LogStyle, log};

fn scenario(messages: &str, fresh: &str) -> Result<Scenario, String> {
    let text = format!(
        "[[run]]\nA = \"alice\"\nB = \"bob\"\n[protocol]\nmessages = [{messages}]\n[protocol.fresh]\n{fresh}"
    );
    Scenario::from_text("keys", &text).map_err(|problems| problems.to_string())
}

#[test]
fn a_directory_serves_protocols_that_move_no_keys() {
    // As a key, under a signature or in a hash it is used, not brought.
    for message in ["{N}pk(B)", "N, sign(sk(A), pk(B), N)", "N, h(pk(B))"] {
        scenario(&format!("'A -> B : {message}'"), "A = ['N']").expect(message);
    }
    let keypair = "'A -> B : {pk(E)}pk(B)', 'B -> A : {N}pk(E)'";
    scenario(keypair, "A = ['E: keypair']\nB = ['N']").expect("a fresh key is nobody's");
}

#[test]
fn a_key_that_a_message_brings_is_not_known_before() {
    let lacks = |brings: &str, before: &str| {
        let messages = format!("'A -> B : {{N}}{before}, {brings}', 'B -> A : N'");
        scenario(&messages, "A = ['N']").unwrap_err()
    };
    for brings in ["pk(B)", "{pk(B)}k(A,B)"] {
        assert!(lacks(brings, "pk(B)").contains("A cannot build {N}pk(B): it has no pk(B)"), "{brings}");
    }
    assert!(lacks("cert(A)", "pk(B)").contains("it has no pk(B)"), "with certificates there is no directory");
    for brings in ["pk(A)", "{pk(A)}k(A,B)", "cert(A)"] {
        let messages = format!("'A -> B : A, {brings}', 'B -> A : {{N}}pk(A)'");
        scenario(&messages, "B = ['N']").expect("it came in line 1");
    }
    scenario("'A -> B : pk(A), {N}pk(B)'", "A = ['N']").expect("only alice's own key travels");
}

#[test]
fn services_are_configured_and_have_a_register() {
    let messages = "'A -> S : {B, N}pk(S)', 'S -> A : pk(B), sign(sk(S), pk(B), N)', 'A -> B : {N}pk(B)'";
    let report = scenario(messages, "A = ['N']").expect("S has pk(B), A has pk(S)").run().expect("it plays");
    assert!(report.run(1).party("bob").completed());
}

#[test]
fn a_key_that_was_swapped_looks_another() {
    let text = r#"
        [protocol]
        messages = ["A -> B : A, pk(E)", "B -> A : {Nb}pk(E)"]
        fresh = { A = ["E: keypair"], B = ["Nb: nonce"] }
        [[run]]
        A = "alice"
        B = "bob"
        [attacker]
        fresh = ["D: keypair"]
        attack = ["1.1 alice -> I(bob) : A, pk(E)", "1.1 I(alice) -> bob : A, pk(D)"]
        "#;
    let report = Scenario::from_text("keys", text).unwrap().run().expect("it plays");
    let log = log::render(&report.plays()[0], &LogStyle::default());
    let prints: Vec<&str> =
        log.split("pk(").skip(1).filter_map(|after| after.split([' ', '\n']).nth(1)).collect();
    let keys: Vec<&&str> = prints.iter().filter(|print| print.starts_with('#')).collect();
    assert!(matches!(keys.as_slice(), [hers, others, ..] if hers != others), "{log}");
}
