//! What a party makes of a message: the edges of its checks, what it keeps of what it opened, and
//! whom it hears of.

use mallory::Scenario;
use mallory::scenario::{KeyPool, PlayReport};

fn play(text: &str) -> PlayReport {
    let scenario = Scenario::from_text("reading", text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap_or_else(|halt| panic!("{halt}"))
}

fn part(play: &PlayReport, run: u32, party: &str) -> String {
    play.run(run).party(party).to_string()
}

/// One run between alice and bob over a network that takes no time, or with mallory on it.
fn run(protocol: &str, rest: &str) -> PlayReport {
    play(&format!(
        "network = {{ latency = \"0ms\" }}\n[protocol]\n{protocol}\n[[run]]\nA = \"alice\"\nB = \"bob\"\n{rest}"
    ))
}

#[test]
fn a_time_is_good_up_to_the_very_edge_of_what_a_party_allows() {
    let stamp = |skew: &str, clock: &str| {
        let protocol = "messages = [\"A -> B : A, {T}k(A,B)\"]\nfresh = { A = [\"T: time\"] }";
        let bob = format!("[parties.bob]\nmax_skew = \"{skew}\"\nclock_offset = \"{clock}\"");
        part(&run(protocol, &bob), 1, "bob")
    };
    for clock in ["5m", "-5m"] {
        assert_eq!(stamp("5m", clock), "completes");
        assert_eq!(stamp("4m", clock), "rejects line 1: stale");
    }
    let expiry = |lifetime: &str, bob: &str| {
        let protocol = format!(
            "messages = [\"A -> B : A, {{Te}}k(A,B)\"]\nfresh = {{ A = [\"Te: expiry\"] }}\nlifetime = {{ Te = \"{lifetime}\" }}"
        );
        part(&run(&protocol, &format!("[parties.bob]\n{bob}")), 1, "bob")
    };
    assert_eq!(expiry("1h", "clock_offset = \"1h\""), "rejects line 1: expired");
    assert_eq!(expiry("1h", "clock_offset = \"59m\""), "completes");
    assert_eq!(expiry("1h", "max_lifetime = \"1h\""), "completes");
    assert_eq!(expiry("1h", "max_lifetime = \"59m\""), "rejects line 1: lifetime-too-long");
}

#[test]
fn what_was_opened_or_checked_is_passed_on_as_it_came() {
    // Made anew it would be other bytes, or could not be made at all.
    for part_of_it in ["{Na}k(A,B)", "{Na}pk(B)", "sign(sk(A), Na)"] {
        let protocol = format!(
            "messages = [\"A -> B : A, Na, {part_of_it}\", \"B -> A : {part_of_it}\"]\nfresh = {{ A = [\"Na: nonce\"] }}"
        );
        assert_eq!(part(&run(&protocol, ""), 1, "alice"), "completes", "{part_of_it}");
    }
    let certificate = "messages = [\"A -> B : A, sign(sk(A), B), cert(A)\", \"B -> A : cert(A)\"]";
    assert_eq!(part(&run(certificate, ""), 1, "alice"), "completes");
}

#[test]
fn a_certificate_tells_the_name_of_somebody_not_yet_heard_of() {
    let play = play(
        r#"
        [protocol]
        messages = ["C -> A : C, cert(C)", "A -> B : cert(C)", "B -> C : {Nb}pk(C)"]
        fresh    = { B = ["Nb: nonce"] }
        knows    = { A = ["B"] }
        [[run]]
        C = "carol"
        A = "alice"
        B = "bob"
        "#,
    );
    assert_eq!(part(&play, 1, "carol"), "completes");
    assert_eq!(play.run(1).party("bob").peer("C"), Some("carol"));
}

#[test]
fn what_passes_for_a_key_or_a_share_must_be_one() {
    let attack = "[attacker]\ninsider = false\nattack = [\"2.1 I(alice) -> bob : alice, N\"]";
    let public = "messages = [\"A -> B : A, pk(E)\"]\nfresh = { A = [\"E: keypair\"] }";
    assert_eq!(part(&run(public, attack), 2, "bob"), "rejects line 1: malformed");
    let share = "messages = [\"A -> B : A, g^x\"]\nfresh = { A = [\"x: dh\"] }";
    assert_eq!(part(&run(share, attack), 2, "bob"), "rejects line 1: malformed");
}

#[test]
fn a_time_that_comes_one_step_on_must_be_as_new_as_any() {
    let protocol = "messages = [\"A -> B : A, {succ(T)}k(A,B)\"]\nfresh = { A = [\"T: time\"] }";
    let again = |at: &str| {
        let attack = format!(
            "[attacker]\ninsider = false\nattack = [\"1.1 alice -> bob : alice, X\", \"2.1 I(alice) -> bob : alice, X\"]\nat = {{ \"2.1\" = \"{at}\" }}"
        );
        part(&run(protocol, &attack), 2, "bob")
    };
    assert_eq!(again("1m"), "completes");
    assert_eq!(again("1h"), "rejects line 1: stale");
}
