//! What honest parties make of services, and services of them: whose question an answer is
//! for, which session a message is for, and what was seen before.

use mallory::Scenario;
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
