//! What the attacker can do without a narration: tactics, and each action of a rule.

use mallory::Scenario;
use mallory::journal::What;
use mallory::scenario::{KeyPool, PlayReport};

fn play(text: &str) -> PlayReport {
    let scenario = Scenario::from_text("test", text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
}

fn part(play: &PlayReport, run: u32, party: &str) -> String {
    play.run(run).party(party).to_string()
}

/// A protocol under a tactic, with these settings of parties.
fn under(tactic: &str, protocol: &str, parties: &str) -> PlayReport {
    play(&format!("parties = {{ {parties} }}\n{protocol}\n[attacker]\ntactic = \"{tactic}\""))
}

fn holds(play: &PlayReport, goal: &str) -> bool {
    play.goals().iter().find(|g| g.goal == goal).unwrap_or_else(|| panic!("no goal {goal}")).holds()
}

fn violated(play: &PlayReport, goal: &str) -> bool {
    play.goals().iter().find(|g| g.goal == goal).unwrap_or_else(|| panic!("no goal {goal}")).is_violated()
}

/// One message under a shared key, and an acknowledgement.
const ORDER: &str = r#"
[protocol]
messages = ["A -> B : {Payload}k(A,B)", "B -> A : {h(Payload)}k(A,B)"]
goals    = ["secret Payload", "B authenticates A on Payload", "B weakly authenticates A on Payload"]
given    = { A = ["Payload: data"] }

[[run]]
A = "alice"
B = "bob"
Payload = "transfer 100"
"#;

/// A challenge and its answer under a shared key; nothing says who answers.
const CHALLENGE: &str = r#"
[protocol]
messages = ["A -> B : A, Na", "B -> A : mac(k(A,B), Na)"]
goals    = ["A authenticates B on Na"]
fresh    = { A = ["Na: nonce"] }

[[run]]
A = "alice"
B = "bob"
"#;

#[test]
fn a_listener_reads_what_is_not_encrypted_and_no_more() {
    let text = r#"
        [protocol]
        messages = ["A -> B : Open, {Closed}k(A,B)"]
        given    = { A = ["Open: data", "Closed: data"] }
        [[run]]
        A = "alice"
        B = "bob"
        Open = "weather"
        Closed = "figures"
        [attacker]
        tactic = "eavesdrop"
    "#;
    let play = play(text);
    assert!(play.attacker().learned("1.Open"));
    assert!(!play.attacker().learned("1.Closed"));
    assert!(
        play.attacker().derivation("1.Open").is_some_and(|d| d.steps[0].text.contains("went over the wire"))
    );
}

#[test]
fn a_replayed_order_is_carried_out_twice_unless_the_party_remembers() {
    let weak = under("replay", ORDER, "");
    assert_eq!(part(&weak, 2, "bob"), "completes");
    assert!(!holds(&weak, "B authenticates A on Payload"));
    assert!(holds(&weak, "B weakly authenticates A on Payload"), "alice did say it, once");
    assert!(holds(&weak, "secret Payload"));
    let fixed = under("replay", ORDER, "bob = { replay_cache = true }");
    assert_eq!(part(&fixed, 2, "bob"), "rejects line 1: replayed");
    assert!(holds(&fixed, "B authenticates A on Payload"));
}

#[test]
fn a_challenge_is_answered_by_its_own_author_unless_she_knows_her_work() {
    let weak = under("reflect", CHALLENGE, "");
    assert_eq!(part(&weak, 1, "alice"), "completes");
    assert_eq!(part(&weak, 1, "bob"), "never starts");
    assert!(!holds(&weak, "A authenticates B on Na"));
    let fixed = under("reflect", CHALLENGE, "alice = { knows_own = true }");
    assert_eq!(part(&fixed, 1, "alice"), "rejects line 2: reflected");
    assert!(holds(&fixed, "A authenticates B on Na"));
}

#[test]
fn a_changed_bit_is_noticed() {
    for seed in 0..20 {
        let text = format!("{ORDER}\n[attacker]\ntactic = \"tamper\"");
        let scenario = Scenario::from_text("test", &text).unwrap().seed(seed);
        let play = scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap();
        assert_eq!(part(&play, 1, "bob"), "rejects line 1: decrypt-failed", "seed {seed}");
    }
}

#[test]
fn a_stolen_key_lets_her_pose_as_its_owner_and_another_key_does_not() {
    let text = |stolen: &str| {
        format!(
            r#"
            protocol = "signed-dh"
            [[run]]
            at = "1h"
            A = "alice"
            B = "bob"
            Payload = "transfer 100"
            {stolen}
            [attacker]
            tactic = "impersonate bob"
            "#
        )
    };
    let with = play(&text("[[event]]\nat = \"1m\"\ncompromise = \"sk(bob)\""));
    assert_eq!(part(&with, 1, "alice"), "completes");
    assert_eq!(part(&with, 1, "bob"), "never starts");
    assert!(with.attacker().learned("1.Payload"));
    assert!(!holds(&with, "secret Payload"));
    let without = play(&text(""));
    assert_eq!(part(&without, 1, "alice"), "rejects line 2: bad-signature");
    assert!(!without.attacker().learned("1.Payload"));
}

#[test]
fn she_poses_as_an_initiator_in_a_run_of_her_own() {
    let text = r#"
        protocol = "signed-dh"
        [[run]]
        at = "1h"
        A = "alice"
        B = "bob"
        Payload = "transfer 100"
        [[event]]
        at = "1m"
        compromise = "sk(alice)"
        [attacker]
        tactic = "impersonate alice"
        given  = { Payload = "transfer 999" }
    "#;
    let play = play(text);
    assert_eq!(part(&play, 1, "bob"), "completes");
    assert_eq!(part(&play, 2, "bob"), "completes");
    let said = play.run(2).party("bob").sessions()[0]
        .value_named("Payload")
        .and_then(|v| v.text())
        .map(str::to_owned);
    assert_eq!(said.as_deref(), Some("transfer 999"));
    assert!(!holds(&play, "B authenticates A on K, Payload"));
}

#[test]
fn an_outsider_has_no_keys_of_hers() {
    let text = |insider: bool| {
        format!(
            "protocol = \"nspk\"\n[[run]]\nA = \"alice\"\nB = \"I\"\n[attacker]\ninsider = {insider}\nattack = [\"1.1 alice -> I : M\"]"
        )
    };
    assert_eq!(part(&play(&text(true)), 1, "alice"), "waits for line 2 from mallory");
    assert_eq!(part(&play(&text(false)), 1, "alice"), "rejects line 1: unknown-client");
}

/// A password that alice chose proves to her who answers.
const PASSWORD: &str = r#"
[protocol]
messages = ["A -> B : A, Na", "B -> A : mac(pw(A,B), Na, Nb), Nb"]
goals    = ["A authenticates B on Na", "secret pw(A,B)"]
fresh    = { A = ["Na: nonce"], B = ["Nb: nonce"] }
[[run]]
A = "alice"
B = "PEER"
"#;

#[test]
fn an_account_of_her_own_tells_her_nobodys_password() {
    let alice = "parties.alice.password = \"trustno1\"\n";
    let against_bob =
        |more: &str| play(&format!("{alice}{}\n[attacker]\n{more}", PASSWORD.replace("PEER", "bob")));
    for tactic in ["mitm", "impersonate bob"] {
        let play = against_bob(&format!("tactic = \"{tactic}\""));
        assert_eq!(part(&play, 1, "alice"), "rejects line 2: bad-mac", "{tactic}");
        assert!(!violated(&play, "secret pw(A,B)"), "{tactic}");
    }
    let attack =
        "attack = [\"1.1 alice -> I(bob) : alice, N\", \"1.2 I(bob) -> alice : mac(pw(alice,I), N, M), M\"]";
    assert_eq!(part(&against_bob(attack), 1, "alice"), "rejects line 2: bad-mac");
    let guessed = against_bob("dictionary = [\"letmein\", \"trustno1\"]\ntactic = \"eavesdrop\"");
    assert!(violated(&guessed, "secret pw(A,B)"));
    // What she shares with alice is a word of their own, and theirs alone.
    let attack = "attack = [\"1.1 alice -> I : alice, N\", \"1.2 I -> alice : mac(pw(alice,I), N, M), M\"]";
    let own = play(&format!("{alice}{}\n[attacker]\n{attack}", PASSWORD.replace("PEER", "I")));
    assert_eq!(part(&own, 1, "alice"), "completes");
}

fn ruled(rule: &str) -> PlayReport {
    let more = "[[run]]\nat = \"10s\"\nA = \"alice\"\nB = \"carol\"\nPayload = \"transfer 200\"\n";
    play(&format!("{ORDER}\n{more}\n[attacker]\n{rule}"))
}

fn rule(matches: &str, action: &str) -> String {
    format!("[[attacker.rule]]\nmatch = {{ {matches} }}\naction = '{action}'\n")
}

#[test]
fn rules_drop_pass_and_match() {
    let play = ruled(&rule("to = \"carol\", line = 1", "drop"));
    assert_eq!(part(&play, 1, "bob"), "completes");
    assert_eq!(part(&play, 2, "carol"), "never starts");
    assert_eq!(part(&play, 2, "alice"), "waits for line 2 from carol");
    let play = ruled(&rule("from = \"bob\"", "drop"));
    assert_eq!(part(&play, 1, "bob"), "completes", "what alice sends is let pass");
    assert_eq!(part(&play, 1, "alice"), "waits for line 2 from bob");
    assert_eq!(part(&play, 2, "alice"), "completes", "and what carol sends");
    // The first rule that matches decides.
    let play = ruled(&format!("{}{}", rule("run = 2", "pass"), rule("", "drop")));
    assert_eq!(part(&play, 1, "bob"), "never starts");
    assert_eq!(part(&play, 2, "carol"), "completes");
    let play = ruled(&rule("after = \"5s\"", "drop"));
    assert_eq!(part(&play, 1, "alice"), "completes");
    assert_eq!(part(&play, 2, "alice"), "waits for line 2 from carol");
}

fn ends_at(play: &PlayReport, run: u32, party: &str) -> String {
    play.run(run).party(party).sessions()[0].at.to_string()
}

#[test]
fn rules_delay_hold_and_release() {
    let play = ruled(&rule("run = 1, line = 1", "delay 2s"));
    assert_eq!(ends_at(&play, 1, "bob"), "2.020");
    let play = ruled(&rule("run = 1, line = 1", "hold until 30s"));
    assert_eq!(ends_at(&play, 1, "bob"), "30.020");
    let play =
        ruled(&format!("{}{}", rule("run = 1, line = 1", "hold"), rule("run = 2, line = 1", "release")));
    assert_eq!(ends_at(&play, 1, "bob"), "10.020");
    let play = ruled(&rule("run = 1, line = 1", "hold"));
    assert_eq!(part(&play, 1, "bob"), "never starts");
}

#[test]
fn rules_duplicate_replay_and_redirect() {
    let play = ruled(&rule("run = 1, line = 1", "duplicate"));
    assert_eq!(part(&play, 1, "bob"), "completes");
    assert!(holds(&play, "B authenticates A on Payload"), "a duplicate in the same run is no new run");
    let play = ruled(&rule("run = 1, line = 1", "replay 1m"));
    assert_eq!(part(&play, 3, "bob"), "completes");
    assert!(!holds(&play, "B authenticates A on Payload"));
    let play = ruled(&rule("run = 1, line = 1", "redirect carol"));
    assert_eq!(part(&play, 1, "bob"), "never starts");
    assert_eq!(part(&play, 1, "carol"), "rejects line 1: decrypt-failed");
}

#[test]
fn rules_replace_inject_and_tamper() {
    let play = ruled(&rule(
        "run = 1, line = 1, from = \"alice\", to = \"bob\"",
        "replace {\"transfer 999\"}k(I,bob)",
    ));
    assert_eq!(part(&play, 1, "bob"), "rejects line 1: decrypt-failed");
    let play = ruled(&rule("run = 1, line = 1", "inject 3.1 I -> carol : {\"transfer 999\"}k(I,carol)"));
    assert_eq!(part(&play, 1, "bob"), "completes");
    assert_eq!(part(&play, 3, "carol"), "completes", "mallory is a client too, and says so");
    let play = ruled(&rule("line = 2", "tamper"));
    assert_eq!(part(&play, 1, "alice"), "rejects line 2: decrypt-failed");
}

#[test]
fn it_can_be_expected_that_she_learns_a_long_term_key_or_does_not() {
    let unmet = |expect: &str| {
        let alice = "parties.alice.password = \"trustno1\"\n";
        let stolen = "[[event]]\nat = \"1s\"\ncompromise = \"k(alice,bob)\"\n";
        let attacker = "[attacker]\ndictionary = [\"letmein\", \"trustno1\"]\n";
        let expect = format!("[expect.attacker]\n{expect}");
        let text = format!("{alice}{}{stolen}{attacker}{expect}", PASSWORD.replace("PEER", "bob"));
        let scenario = Scenario::from_text("test", &text).unwrap_or_else(|p| panic!("{p}"));
        scenario.check(&scenario.variants[0], &KeyPool::default()).unwrap().failures.len()
    };
    assert_eq!(
        unmet("learns = [\"pw(alice,bob)\", \"k(bob,alice)\"]\nnever_learns = [\"k(alice,alice)\"]"),
        0
    );
    assert_eq!(unmet("never_learns = [\"pw(alice,bob)\", \"k(alice,bob)\"]\nlearns = [\"sk(alice)\"]"), 3);
}

#[test]
fn a_rule_whose_line_she_cannot_make_says_what_she_lacked() {
    // She takes the key on the wire only after the message in whose place the line should go.
    let text = |at: &str| {
        format!(
            "{ORDER}\n[[event]]\nat = \"{at}\"\ncompromise = \"k(alice,bob)\"\n[attacker]\n{}",
            rule("run = 1, line = 2, from = \"bob\", to = \"alice\"", "replace {h(\"x\")}k(alice,bob)")
        )
    };
    let lacked = |play: &PlayReport| {
        play.journal().events().iter().find_map(|event| match &event.what {
            What::AttackStopped { lacked, .. } => Some(lacked.clone()),
            _ => None,
        })
    };
    let late = play(&text("1h"));
    assert_eq!(lacked(&late).as_deref(), Some("she never had k(alice,bob)"));
    let early = play(&text("1ms"));
    assert_eq!(lacked(&early), None);
    assert_eq!(part(&early, 1, "alice"), "rejects line 2: mismatch");
}

#[test]
fn a_limit_of_hers_that_is_reached_ends_the_play_by_its_name() {
    let one = "[[run]]\nA = \"alice\"\nB = \"bob\"\n";
    let protocol = "[protocol]\nmessages = [\"A -> B : A\"]\n";
    let rules = format!("{}{}", rule("before = \"1s\"", "hold"), rule("", "release"));
    let last = one.replacen('\n', "\nat = \"1m\"\n", 1);
    let flood = |runs: usize| {
        let text = format!("{protocol}{}{last}[attacker]\n{rules}", one.repeat(runs));
        let scenario = Scenario::from_text("flood", &text).unwrap();
        scenario.play(&scenario.variants[0], true, &KeyPool::default()).map(|play| part(&play, 1, "bob"))
    };
    assert_eq!(flood(100).as_deref(), Ok("completes"));
    let halt = flood(10_000).unwrap_err().to_string();
    assert!(halt.starts_with("the limit MAX_ATTACKER_ACTIONS (10000) was reached"), "{halt}");
}

#[test]
fn networks_lose_delay_and_double_messages_by_the_seed() {
    let text = |network: &str, seed: u64| {
        let runs = "[[run]]\nA = \"alice\"\nB = \"bob\"\nPayload = \"x\"\n".repeat(40);
        let text = format!("network = {network}\n{ORDER}\n{runs}");
        let scenario = Scenario::from_text("net", &text).unwrap().seed(seed);
        scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
    };
    let completed = |play: &PlayReport| play.sessions().iter().filter(|s| s.completed()).count();
    let lossy = text("{ loss = 0.3 }", 1);
    assert!((10..75).contains(&completed(&lossy)), "{}", completed(&lossy));
    assert_eq!(completed(&lossy), completed(&text("{ loss = 0.3 }", 1)));
    let doubled = text("{ duplicate = 1.0, latency = \"1ms..90ms\" }", 3);
    assert_eq!(completed(&doubled), 82, "a message that comes twice does no harm");
}

#[test]
fn an_idle_year_takes_no_events() {
    let text = format!("{ORDER}\n[[run]]\nat = \"365d\"\nA = \"alice\"\nB = \"bob\"\nPayload = \"later\"\n");
    let play = play(&text);
    assert_eq!(part(&play, 2, "bob"), "completes");
    assert!(play.journal().events().len() < 40);
}
