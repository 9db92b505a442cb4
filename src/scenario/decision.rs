//! From which event on it was decided that a goal falls: the play again and again, with the
//! attacker stopped after each of her acts, for several seeds. Must not know how that is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decided::{Cut, Decided, DecidedGoal};
use super::play::{Surroundings, play_in};
use super::report::PlayReport;
use super::{KeyPool, Scenario};
use crate::journal::{Journal, What};
use crate::limits::{MAX_DECIDED_CUTS, MAX_DECIDED_SEEDS};
use crate::verdict::{GoalVerdict, Judgement};
use crate::world::Halt;

/// Which goals fell.
type Fallen = Vec<bool>;

impl Scenario {
    /// Plays a play again, with the attacker stopped after each of her acts, for so many seeds.
    ///
    /// # Errors
    /// More seeds than MAX_DECIDED_SEEDS or none, a limit that a play reached, or a defect.
    pub fn decided(&self, play: &PlayReport, seeds: u32, pool: &KeyPool) -> Result<Decided, Halt> {
        if seeds == 0 || seeds > MAX_DECIDED_SEEDS {
            let cause = "more seeds than anybody waits for, or none";
            return Err(Halt::Limit {
                name: "MAX_DECIDED_SEEDS",
                value: u64::from(MAX_DECIDED_SEEDS),
                cause,
            });
        }
        let acts = if play.with_attacker { acts(&play.journal) } else { Vec::new() };
        let mut wholes = vec![Whole { seed: play.seed, acts: acts.clone(), fallen: fallen(&play.goals) }];
        for nth in 1..seeds {
            let seed = play.seed.wrapping_add(u64::from(nth));
            let played =
                play_in(&play.variant.setup, seed, play.with_attacker, &[], pool, Surroundings::default())?;
            wholes.push(Whole { seed, acts: self::acts(&played.journal), fallen: fallen(&played.goals) });
        }
        let mut bench = Bench { play, pool, wholes, stopped: BTreeMap::new() };
        bench.cut_everywhere(acts.len())?;
        Ok(bench.decided(&acts, seeds))
    }
}

/// What came of a seed where she goes on.
struct Whole {
    seed: u64,
    /// The events that are her acts.
    acts: Vec<u64>,
    fallen: Fallen,
}

struct Bench<'a> {
    play: &'a PlayReport,
    pool: &'a KeyPool,
    wholes: Vec<Whole>,
    /// Which goals fell in each seed, by how many acts she had.
    stopped: BTreeMap<usize, Vec<Fallen>>,
}

impl Bench<'_> {
    /// Stops her after each act; where there are too many, after some, and then between the last
    /// that made a difference and the next.
    fn cut_everywhere(&mut self, acts: usize) -> Result<(), Halt> {
        let cuts = acts.min(MAX_DECIDED_CUTS - 1);
        for nth in 0..=cuts {
            self.cut(acts * nth / cuts.max(1))?;
        }
        for goal in 0..self.play.goals.len() {
            let differs = |(_, stopped): &(&usize, &Vec<Fallen>)| self.differs(goal, stopped);
            let Some((last, _)) = self.stopped.iter().rev().find(differs) else { continue };
            let Some((next, _)) = self.stopped.range(last + 1..).next() else { continue };
            let (mut last, mut next) = (*last, *next);
            // Halved each time: as often as a number of acts has bits.
            while next - last > 1 {
                let middle = last + (next - last) / 2;
                self.cut(middle)?;
                match self.differs(goal, &self.stopped[&middle]) {
                    true => last = middle,
                    false => next = middle,
                }
            }
        }
        Ok(())
    }

    fn differs(&self, goal: usize, stopped: &[Fallen]) -> bool {
        self.wholes.iter().zip(stopped).any(|(whole, stopped)| whole.fallen[goal] != stopped[goal])
    }

    fn cut(&mut self, acts: usize) -> Result<(), Halt> {
        if self.stopped.contains_key(&acts) {
            return Ok(());
        }
        let stopped = self.wholes.iter().map(|whole| self.stopped_after(acts, whole));
        let stopped = stopped.collect::<Result<_, _>>()?;
        self.stopped.insert(acts, stopped);
        Ok(())
    }

    fn stopped_after(&self, acts: usize, whole: &Whole) -> Result<Fallen, Halt> {
        let last = match acts {
            0 => 0,
            // She acted less often with this seed: all of it is what she did.
            _ if acts > whole.acts.len() => return Ok(whole.fallen.clone()),
            _ => whole.acts[acts - 1],
        };
        let surroundings = Surroundings { wire_after: Some(last), ..Surroundings::default() };
        let setup = &self.play.variant.setup;
        let played = play_in(setup, whole.seed, self.play.with_attacker, &[], self.pool, surroundings)?;
        Ok(fallen(&played.goals))
    }

    fn decided(&self, acts: &[u64], seeds: u32) -> Decided {
        let cut = |of: &usize| Cut { acts: *of, event: of.checked_sub(1).map_or(0, |last| acts[last]) };
        let many = |all: &mut dyn Iterator<Item = bool>| all.filter(|fell| *fell).count() as u32;
        let goal = |nth: usize| {
            let stopped = self.stopped.values();
            let last = stopped.clone().enumerate().rfind(|(_, stopped)| self.differs(nth, stopped));
            DecidedGoal {
                nth,
                going_on: many(&mut self.wholes.iter().map(|whole| whole.fallen[nth])),
                stopped: stopped.map(|all| many(&mut all.iter().map(|fallen| fallen[nth]))).collect(),
                decided: last.map_or(0, |(last, _)| last + 1),
            }
        };
        Decided {
            seeds,
            acts: acts.len(),
            cuts: self.stopped.keys().map(cut).collect(),
            goals: (0..self.play.goals.len()).map(goal).filter(DecidedGoal::ever_falls).collect(),
        }
    }
}

/// The events that are the attacker's doing on the wire.
fn acts(journal: &Journal) -> Vec<u64> {
    let is_act = |what: &What| {
        matches!(
            what,
            What::Injected { .. } | What::Taken { .. } | What::Delayed { .. } | What::Queried { .. }
        )
    };
    journal.events().iter().filter(|event| is_act(&event.what)).map(|event| event.number).collect()
}

fn fallen(goals: &[GoalVerdict]) -> Fallen {
    goals.iter().map(|goal| matches!(goal.judgement, Judgement::Violated { .. })).collect()
}

impl PlayReport {
    /// The same with what [`Scenario::decided`] said of it, for whatever shows it.
    pub fn with_decided(mut self, decided: Decided) -> PlayReport {
        self.decided = Some(Arc::new(decided));
        self
    }

    /// From which event on it was decided which goals fall, if that was asked.
    pub fn decided(&self) -> Option<&Decided> {
        self.decided.as_deref()
    }
}
