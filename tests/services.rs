//! What honest parties make of services, and services of them: whose question an answer is
//! for, which session a message is for, and what was seen before.

use mallory::Scenario;
use mallory::journal::What;
use mallory::scenario::{KeyPool, PlayReport};

fn play(text: &str, seed: u64) -> PlayReport {
    let scenario = Scenario::from_text("services", text).unwrap_or_else(|p| panic!("{p}")).seed(seed);
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap_or_else(|halt| panic!("{halt}"))
}

fn part(play: &PlayReport, run: u32, party: &str) -> String {
    play.run(run).party(party).to_string()
}

#[test]
fn answers_that_overtake_each_other_are_for_their_own_questions() {
    let text = r#"
protocol = "signed-dh"
[network]
latency = "1ms..90ms"
[services.ca]
intermediates = 3
[parties.alice]
revocation     = "ocsp"
on_unavailable = "hard-fail"
[parties.bob]
revocation     = "ocsp"
on_unavailable = "hard-fail"
[[run]]
A = "alice"
B = "bob"
Payload = "transfer 100 to carol"
"#;
    for seed in 0..12 {
        let play = play(text, seed);
        assert_eq!(part(&play, 1, "alice"), "completes", "seed {seed}");
        assert_eq!(part(&play, 1, "bob"), "completes", "seed {seed}");
    }
}

/// A thief uses alice's certificate after it was revoked; bob's clock is two hours behind, so the
/// list that says so is not valid yet to him. Others than he are as they were.
fn thief_meets_a_slow_clock(floor: &str) -> String {
    let text = format!(
        r#"
protocol = "signed-dh"
[services.ca]
certificate_lifetime = "24h"
crl_lifetime         = "6h"
[parties.bob]
revocation     = "crl"
on_unavailable = "soft-fail"
clock_offset   = "-2h"
{floor}
[[run]]
at = "30m"
A  = "alice"
B  = "bob"
Payload = "transfer 100 to carol"
[[event]]
at         = "10h"
compromise = "sk(alice)"
[[event]]
at     = "11h"
revoke = "alice"
reason = "key-compromise"
[attacker]
attack = [
  '2.1 I(alice) -> bob      : alice, g^z',
  '2.2 bob      -> I(alice) : bob, g^y, Sb, Cb',
  '2.3 I(alice) -> bob      : alice, sign(sk(alice), g^z, g^y, bob), cert(alice), {{"transfer 200 to mallory"}}kdf("key", g^z^y)',
]
at = {{ "2.1" = "12h" }}
"#
    );
    part(&play(&text, 0), 2, "bob")
}

#[test]
fn a_list_that_is_not_valid_yet_tells_that_the_clock_is_behind() {
    assert_eq!(thief_meets_a_slow_clock(""), "completes", "nothing that he believes speaks of her");
    assert_eq!(thief_meets_a_slow_clock("clock_floor = true"), "rejects line 3: clock-went-backwards");
}

/// A service that cannot answer line 3 without what it drew in line 2.
const CHALLENGED: &str = r#"
[protocol]
messages = [
  "A -> S : A, {Na}k(A,S)",
  "S -> A : {Na, Ns}k(A,S)",
  "A -> S : {Ns, B}k(A,S)",
  "S -> A : {Na, Ns, B}k(A,S)",
  "A -> B : A, Nb",
]
fresh = { A = ["Na: nonce", "Nb: nonce"], S = ["Ns: nonce"] }
goals = ["A authenticates S on Na, Ns"]
[[run]]
A = "alice"
B = "bob"
[attacker]
insider = false
"#;

#[test]
fn a_message_is_for_the_session_that_can_read_it() {
    // She opens two sessions with alice's one request, and gives alice the second one's answer.
    let text = format!(
        r#"{CHALLENGED}
attack = [
  "1.1 alice  -> I(kdc) : alice, M",
  "1.1 I(alice) -> kdc  : alice, M",
  "1.2 kdc -> I(alice)  : R",
  "1.1 I(alice) -> kdc  : alice, M",
  "1.2 kdc -> I(alice)  : Q",
  "1.2 I(kdc) -> alice  : Q",
]
"#
    );
    let play = play(&text, 0);
    assert_eq!(part(&play, 1, "alice"), "completes");
    assert_eq!(part(&play, 1, "bob"), "completes");
    assert!(play.goals().iter().all(|goal| goal.holds()));
    let drawn: Vec<_> = play.journal().events().iter().filter_map(drawn_by_kdc).collect();
    assert_eq!(drawn.len(), 2);
    assert_eq!((drawn[0].0, drawn[1].0), (0, 1), "two sessions");
    assert_ne!(drawn[0].1, drawn[1].1, "each with a nonce of its own");
}

#[test]
fn a_session_that_could_not_read_anothers_message_reads_its_own() {
    // Mallory opens two sessions of her own and answers them in the other order.
    let attack = [
        "2.1 I -> kdc : I, {N}k(I,kdc)",
        "2.2 kdc -> I : {N, X1}k(I,kdc)",
        "2.1 I -> kdc : I, {N}k(I,kdc)",
        "2.2 kdc -> I : {N, X2}k(I,kdc)",
        "2.3 I -> kdc : {X2, bob}k(I,kdc)",
        "2.4 kdc -> I : {N, X2, bob}k(I,kdc)",
        "2.3 I -> kdc : {X1, bob}k(I,kdc)",
        "2.4 kdc -> I : {N, X1, bob}k(I,kdc)",
    ];
    let text = CHALLENGED.replace("insider = false", &format!("attack = {attack:?}"));
    let play = play(&text, 0);
    let sessions = play.sessions().iter().filter(|s| s.id.run == 2 && &*s.id.party == "kdc");
    let completed: Vec<bool> = sessions.map(|s| s.completed()).collect();
    assert_eq!(completed, [true, true]);
}

/// The number of a session of the centre's and its nonce.
fn drawn_by_kdc(event: &mallory::journal::Event) -> Option<(u32, String)> {
    match &event.what {
        What::Concluded { session, term, value, .. } if &*session.party == "kdc" && term == "Ns" => {
            Some((session.nth, value.fingerprint()))
        }
        _ => None,
    }
}

#[test]
fn a_second_opening_leaves_the_first_session_alone() {
    let text = format!(
        "{CHALLENGED}\n[[attacker.rule]]\nmatch = {{ line = 1, to = \"kdc\" }}\naction = \"duplicate\"\n"
    );
    let play = play(&text, 0);
    assert_eq!(part(&play, 1, "alice"), "completes");
    assert_eq!(part(&play, 1, "bob"), "completes");
}

/// A ticket under a key of bob's own, and an order under the key in it.
fn ticket(bob: &str, more: &str) -> PlayReport {
    let text = format!(
        r#"
[protocol]
messages = [
  "A -> B : A, Na",
  "B -> A : {{Ks, A, Te}}Kt, {{Ks, Na}}k(A,B)",
  "A -> B : Note, {{Ks, A, Te}}Kt, {{T, Order}}Ks",
]
fresh = {{ A = ["Na: nonce", "T: time"], B = ["Ks: key", "Te: expiry"] }}
given = {{ A = ["Note: data", "Order: data"] }}
knows = {{ B = ["Kt: key"] }}
joins = {{ B = [3] }}
[parties.bob]
{bob}
[[run]]
A     = "alice"
B     = "bob"
Note  = "urgent"
Order = "sell 100"
{more}
"#
    );
    play(&text, 0)
}

/// Mallory shows alice's ticket and order again, to this host and with another note.
fn shown_again(host: &str) -> String {
    format!(
        r#"
[attacker]
insider = false
attack  = ["1.3 alice -> bob : N, M, X", "2.3 I(alice) -> {host} : \"no hurry\", M, X"]
"#
    )
}

#[test]
fn a_replay_cache_knows_what_is_protected_also_from_inside_a_run() {
    let again = shown_again("bob");
    assert_eq!(part(&ticket("", &again), 2, "bob"), "completes");
    let cached = ticket("replay_cache = true", &again);
    assert_eq!(part(&cached, 1, "bob"), "completes");
    assert_eq!(part(&cached, 2, "bob"), "rejects line 3: replayed");
    let named = ticket("replay_cache = \"{T, Order}Ks\"", &again);
    assert_eq!(part(&named, 2, "bob"), "rejects line 3: replayed");
}

#[test]
fn two_honest_orders_of_one_instant_are_no_replay_unless_known_by_their_time_alone() {
    let second = "[[run]]\nA = \"alice\"\nB = \"bob\"\nNote = \"urgent\"\nOrder = \"sell 100\"\n";
    let by_part = ticket("replay_cache = true", second);
    assert_eq!(
        (part(&by_part, 1, "bob"), part(&by_part, 2, "bob")),
        ("completes".into(), "completes".into())
    );
    // RFC 4120 §3.2.3: whose cache is keyed on client and time leaves it to clients to differ.
    let by_time = ticket("replay_cache = \"A, T\"", second);
    assert_eq!(part(&by_time, 1, "bob"), "completes");
    assert_eq!(part(&by_time, 2, "bob"), "rejects line 3: replayed");
    let later = second.replacen('\n', "\nat = \"1s\"\n", 1);
    assert_eq!(part(&ticket("replay_cache = \"A, T\"", &later), 2, "bob"), "completes");
}

#[test]
fn two_hosts_of_a_service_share_a_key_that_its_protocol_gives_it() {
    let host = format!("[parties.bob2]\nreplay_cache = true\n{}", shown_again("bob2"));
    let shared = host.replace("replay_cache = true", "replay_cache = true\nshares_key_of = \"bob\"");
    assert_eq!(part(&ticket("replay_cache = true", &host), 2, "bob2"), "rejects line 3: decrypt-failed");
    let play = ticket("replay_cache = true", &shared);
    assert_eq!(part(&play, 2, "bob2"), "completes", "each host remembers for itself");
}
