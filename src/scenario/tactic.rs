//! The attacker whose tactic is to look for an attack: what she finds is what she plays.

use std::cmp::Reverse;
use std::sync::Arc;

use super::hunt::{Hunt, Hunted, Prey};
use super::report::PlayReport;
use super::search::{Attack, Finding, Found, Question};
use super::setup::Setup;
use super::{KeyPool, Scenario, Variant};
use crate::world::Halt;

impl Scenario {
    /// Plays a variant with its attacker, or without her.
    ///
    /// # Errors
    /// A limit that was reached, or a defect.
    pub fn play(
        &self,
        variant: &Arc<Variant>,
        with_attacker: bool,
        pool: &KeyPool,
    ) -> Result<PlayReport, Halt> {
        let runs = variant.setup.attacker.as_ref().and_then(|her| her.search);
        let Some(runs) = runs.filter(|_| with_attacker) else {
            return self.play_as_set_up(variant, with_attacker, pool);
        };
        let (setup, hunt) = self.hunt(variant, runs, pool)?;
        let found = Arc::new(Variant { setup, ..Variant::clone(variant) });
        let mut report = self.play_as_set_up(&found, true, pool)?;
        report.hunt = Some(hunt);
        Ok(report)
    }

    /// Looks for attacks on all goals of a variant's protocol, among its own runs and events: the
    /// setup in which the best is played. That is the one by which most goals fall, of these the
    /// smallest, and of these the one on the goal that stands first. Where there is none, she only
    /// listens.
    fn hunt(&self, variant: &Variant, runs: usize, pool: &KeyPool) -> Result<(Setup, Hunt), Halt> {
        let unreadable = |problems: super::Problems| Halt::Runtime(problems.to_string());
        let question = Question::of_play(self, variant).map_err(unreadable)?;
        let goals = &question.protocol.goals;
        let findings: Vec<Finding> =
            goals.iter().map(|goal| question.search(goal, runs, &[], &|| false, pool)).collect();
        let attacks = findings.iter().enumerate().filter_map(|(nth, finding)| match &finding.result {
            Found::Attack(attack) => Some((nth, &**attack)),
            Found::Nothing | Found::Unfinished(_) => None,
        });
        let best: Option<(usize, &Attack)> =
            attacks.min_by_key(|(nth, attack)| (Reverse(attack.fallen.len()), attack.size(), *nth));
        let open = findings.iter().find_map(|finding| Some((&finding.goal, finding.open()?)));
        let setup = match (best, open) {
            (Some((_, attack)), _) => question.setup(attack).map_err(unreadable)?,
            // That nothing was found would pass for that there is nothing.
            (None, Some((goal, why))) => return Err(Halt::Open { goal: goal.clone(), why }),
            (None, None) => variant.setup.clone(),
        };
        let goals = findings.iter().map(hunted).collect();
        Ok((setup, Hunt { runs, goals, plays: best.map(|(nth, _)| nth) }))
    }
}

fn hunted(finding: &Finding) -> Hunted {
    let prey = match (&finding.result, finding.open()) {
        (Found::Attack(attack), _) => Prey::Attack { runs: attack.told.runs, lines: attack.told.hers },
        (_, Some(why)) => Prey::Open { why },
        (_, None) => Prey::Nothing,
    };
    Hunted { goal: finding.goal.clone(), prey }
}
