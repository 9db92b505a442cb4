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
