//! Searches for attacks, held against what a file expects of them.

use super::expect::SearchExpect;
use super::failure::Failure;
use super::search::{Found, Power, Question};
use super::{KeyPool, Problems, Scenario, Variant, quoted};
use crate::notation::Goal;

/// What searches did not come to as a file expects.
#[derive(Default)]
pub struct Searched {
    /// What was not met, each with the command that shows it.
    pub unmet: Vec<(Failure, String)>,
    /// Whether a search was not finished: then neither answer was found.
    pub is_open: bool,
}

impl Scenario {
    /// Does the searches of which a variant expects something.
    ///
    /// # Errors
    /// The protocol's file cannot be read any more.
    pub(super) fn searched(&self, variant: &Variant, pool: &KeyPool) -> Result<Searched, Problems> {
        let mut searched = Searched::default();
        if variant.expect.searches.is_empty() {
            return Ok(searched);
        }
        let question = Question::of_variant(self, variant)?;
        for search in &variant.expect.searches {
            for (goal, attack) in &search.goals {
                let Some((found, is_open)) = self.otherwise(&question, search, (goal, *attack), pool) else {
                    continue;
                };
                let expected = format!("that {}", search.words(goal, *attack));
                searched.is_open |= is_open;
                let shown = self.search_with(variant, search, goal);
                searched.unmet.push((Failure { expected, found }, shown));
            }
        }
        Ok(searched)
    }

    /// What was found instead, and whether the search was not finished; none if all is as expected.
    fn otherwise(
        &self,
        question: &Question,
        search: &SearchExpect,
        (goal, attack): (&Goal, bool),
        pool: &KeyPool,
    ) -> Option<(String, bool)> {
        let finding = question.search(goal, search.runs, &search.powers, &|| false, pool);
        if let Some(why) = finding.open() {
            return Some((format!("it is not finished: {why}"), true));
        }
        match (&finding.result, attack) {
            (Found::Attack(found), true) => {
                let played = question.play(&found.scenario, self.seed, pool);
                let fell = played.is_some_and(|played| question.fell(&played, goal));
                (!fell).then(|| (format!("what it finds fails with seed {}", self.seed), false))
            }
            (Found::Attack(found), false) => {
                let (runs, lines) = found.size();
                Some((format!("it finds one, with runs: {runs}, lines of hers: {lines}"), false))
            }
            (Found::Nothing, true) => Some(("it finds none".to_owned(), false)),
            (Found::Nothing | Found::Unfinished(_), _) => None,
        }
    }

    /// The command that does a search again.
    fn search_with(&self, variant: &Variant, search: &SearchExpect, goal: &Goal) -> String {
        let of = quoted(&variant.of(&self.called));
        let powers = search.powers.iter().map(|power| format!(" --power {}", quoted(&Power::text(power))));
        let powers: String = powers.collect();
        format!("mallory search {of} --runs {}{powers} --goal {}", search.runs, quoted(&goal.text))
    }
}
