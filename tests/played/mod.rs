//! A play of a text, and what came of it.

use mallory::Scenario;
use mallory::scenario::{KeyPool, PlayReport};

pub fn play(text: &str) -> PlayReport {
    let scenario = Scenario::from_text("test", text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
}

pub fn violated(play: &PlayReport, goal: &str) -> bool {
    play.goals().iter().find(|g| g.goal == goal).unwrap_or_else(|| panic!("no goal {goal}")).is_violated()
}

pub fn part(play: &PlayReport, run: u32, party: &str) -> String {
    play.run(run).party(party).to_string()
}
