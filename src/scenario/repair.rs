//! Repairs of a protocol: the smallest edits after which a search finds no attack on what was
//! broken, each played by honest parties before it is reported. Must not know which edits there are.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::problem::{Problem, Problems, Text};
use super::protocol_file::ProtocolFile;
use super::rewrite::rewritten;
use super::search::{Finding, Found, Power, Question, plain};
use super::toml_tree::Node;
use super::{KeyPool, Scenario};
use crate::limits::{MAX_REPAIR_CANDIDATES, MAX_REPAIR_STATES, MAX_REPAIRS};
use crate::notation::edits::{self, Change, Edit, Sketch};
use crate::notation::{Claim, Goal, Origin, Protocol};
use crate::search::{self, Bounds};
use crate::wire::Encoding;

/// What a repair is looked for with.
pub struct Wanted<'a> {
    /// Runs of the protocol at most.
    pub runs: usize,
    /// What the attacker has beyond what everybody has.
    pub powers: &'a [Power],
    /// Only goals that have this text in them are to be mended; none that holds may fall.
    pub goal: Option<&'a str>,
    /// Threads.
    pub jobs: usize,
    /// Whether whoever asked wants no more of it.
    pub is_over: &'a (dyn Fn() -> bool + Sync),
}

/// What came of looking for repairs.
#[derive(Clone, Debug)]
pub struct Repairs {
    /// What the search says of each goal as the protocol stands.
    pub findings: Vec<Finding>,
    /// The goals that were to be mended.
    pub broken: Vec<String>,
    /// Repairs that mend all of these, smallest first: single edits, or pairs where there are none.
    pub repairs: Vec<Repair>,
    /// Single edits that mend some of them, the smallest for each set.
    pub partial: Vec<Repair>,
    /// Edited protocols that were looked at.
    pub tried: usize,
    /// Those among them whose search did not come to an end, so that nobody knows.
    pub unfinished: usize,
    /// What ended it before all pairs were looked at: the name of a limit.
    pub stop: Option<&'static str>,
}

/// A repair: searched again, and played by honest parties.
#[derive(Clone, Debug)]
pub struct Repair {
    /// What each edit does and buys.
    pub buys: Vec<String>,
    /// What changes.
    pub changes: Vec<Change>,
    /// Terms, declarations and lines that it adds.
    pub size: usize,
    /// The goals that it mends.
    pub mends: Vec<String>,
    /// The goals on which no attack was found afterwards.
    pub stand: Vec<String>,
    /// The file of the repaired protocol.
    pub text: String,
}

/// What came of one candidate: which of the broken goals it mends, while no other falls.
enum Outcome {
    Mends(Vec<bool>),
    Worthless,
    Unfinished,
}

/// What is asked of a candidate: that it mends every broken goal, or any.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    All,
    Some,
}

/// Where goals are held by their places in the protocol, which no edit changes.
struct Bench<'a> {
    question: Question,
    protocol: &'a Protocol,
    wanted: &'a Wanted<'a>,
    bounds: Bounds,
    broken: Vec<usize>,
    held: Vec<usize>,
    pool: KeyPool,
}

impl Question {
    /// Looks for repairs.
    ///
    /// # Errors
    /// Honest parties alone do not get through the protocol as it stands, so that nobody can tell
    /// what an edit breaks.
    pub fn repair(&self, wanted: &Wanted<'_>) -> Result<Repairs, Problems> {
        let pool = KeyPool::default();
        let protocol = &self.protocol;
        let findings: Vec<Finding> = protocol
            .goals
            .iter()
            .map(|goal| self.search(goal, wanted.runs, wanted.powers, wanted.is_over, &pool))
            .collect();
        let places = |test: &dyn Fn(&Finding) -> bool| -> Vec<usize> {
            (0..findings.len()).filter(|nth| test(&findings[*nth])).collect()
        };
        let is_wanted = |finding: &Finding| wanted.goal.is_none_or(|text| finding.goal.contains(text));
        let mut broken = places(&|of| is_wanted(of) && matches!(of.result, Found::Attack(_)));
        // Most edits help against nothing: what soonest shows that comes first.
        broken.sort_by_key(|nth| findings[*nth].states);
        let held = places(&|of| matches!(of.result, Found::Nothing) && of.unconfirmed.is_empty());
        let mut repairs = Repairs {
            broken: broken.iter().map(|nth| protocol.goals[*nth].text.clone()).collect(),
            findings,
            repairs: Vec::new(),
            partial: Vec::new(),
            tried: 0,
            unfinished: 0,
            stop: None,
        };
        if broken.is_empty() {
            return Ok(repairs);
        }
        let text = self.protocol_text();
        let file = ProtocolFile::from_text(&named(&text), &protocol.name)?;
        let Some(sketch) = Sketch::of(&file.draft) else {
            return Err(Problem::nowhere("its lines cannot be read again".to_owned()).into());
        };
        let question = self.as_powers_have_it(wanted.powers);
        let bounds = question.bounds(wanted.runs, wanted.powers, MAX_REPAIR_STATES);
        let bench = Bench { question, protocol, wanted, bounds, broken, held, pool };
        if !bench.completes_honestly(&text) {
            let message = "honest parties alone do not complete this protocol, with no attacker there";
            return Err(Problem::nowhere(message.to_owned()).help("play it with `mallory run`").into());
        }
        bench.look(&sketch, &text, &mut repairs);
        Ok(repairs)
    }

    /// The text of the protocol's file, or of what its scenario says of it.
    fn protocol_text(&self) -> String {
        match (&self.file, self.head.get("protocol")) {
            (Some(file), _) => file.text.clone(),
            (None, Some(toml::Value::Table(table))) => toml::to_string_pretty(table).unwrap_or_default(),
            (None, _) => String::new(),
        }
    }

    /// The same world with another protocol in it.
    fn with_protocol(&self, text: &str) -> Result<Question, Problems> {
        let text = named(text);
        let file = ProtocolFile::from_text(&text, &self.protocol.name)?;
        let mut question = self.clone();
        (question.protocol, question.file) = (file.protocol, Some(text.clone()));
        question.head.insert("protocol".to_owned(), plain(&Node::parse(&text)?));
        Ok(question)
    }
}

fn named(text: &str) -> Arc<Text> {
    Arc::new(Text { name: "the repaired protocol".to_owned(), text: text.to_owned() })
}

impl Bench<'_> {
    /// Single edits, then pairs of them.
    fn look(&self, sketch: &Sketch, text: &str, repairs: &mut Repairs) {
        let broken: Vec<Goal> = self.broken.iter().map(|nth| self.protocol.goals[*nth].clone()).collect();
        let flat = matches!(self.bounds.encoding, Encoding::Untagged(_));
        let mut seen = BTreeSet::new();
        let mut is_new = |edit: &Edit| seen.insert(written(&edit.sketch));
        let mut singles = edits::edits(sketch, self.protocol, &broken, flat);
        singles.retain(&mut is_new);
        self.go_through(&singles, Aim::All, text, repairs);
        if !repairs.repairs.is_empty() || repairs.stop.is_some() {
            return;
        }
        if self.broken.len() > 1 {
            let tried = std::mem::take(&mut repairs.tried);
            repairs.unfinished = 0;
            self.go_through(&singles, Aim::Some, text, repairs);
            repairs.tried = tried;
            if repairs.stop.is_some() {
                return;
            }
        }
        let mut pairs = Vec::new();
        for first in &singles {
            let Ok(protocol) = Protocol::compile(&first.sketch.draft()) else { continue };
            let seconds = edits::edits(&first.sketch, &protocol, &broken, flat);
            pairs.extend(seconds.into_iter().map(|second| first.and(second)).filter(&mut is_new));
        }
        pairs.sort_by_key(|edit| (edit.size, edit.kind));
        self.go_through(&pairs, Aim::All, text, repairs);
    }

    /// Looks at candidate after candidate until there are enough repairs, several side by side; what
    /// comes of it does not depend on how many.
    fn go_through(&self, candidates: &[Edit], aim: Aim, text: &str, repairs: &mut Repairs) {
        const AT_ONCE: usize = 64;
        for some in candidates.chunks(AT_ONCE) {
            if repairs.tried + some.len() > MAX_REPAIR_CANDIDATES {
                repairs.stop = Some("MAX_REPAIR_CANDIDATES");
                return;
            }
            let outcomes = self.side_by_side(some, aim);
            if (self.wanted.is_over)() {
                repairs.stop = Some("--seconds");
                return;
            }
            for (edit, outcome) in some.iter().zip(outcomes) {
                repairs.tried += 1;
                match outcome {
                    Outcome::Worthless => {}
                    Outcome::Unfinished => repairs.unfinished += 1,
                    Outcome::Mends(which) => {
                        let mends: Vec<String> = repairs
                            .broken
                            .iter()
                            .zip(&which)
                            .filter(|(_, it)| **it)
                            .map(|(g, _)| g.clone())
                            .collect();
                        let is_whole = mends.len() == repairs.broken.len();
                        if !is_whole && repairs.partial.iter().any(|other| includes(&other.mends, &mends)) {
                            continue;
                        }
                        let Some(repair) = self.confirm(edit, mends, text) else { continue };
                        if is_whole { &mut repairs.repairs } else { &mut repairs.partial }.push(repair);
                        if repairs.repairs.len() >= MAX_REPAIRS {
                            return;
                        }
                    }
                }
            }
        }
    }

    fn side_by_side(&self, some: &[Edit], aim: Aim) -> Vec<Outcome> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                let Some(edit) = some.get(nth) else { return done };
                done.push((nth, self.judge(edit, aim)));
            }
        };
        let mut all: Vec<(usize, Outcome)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.wanted.jobs.max(1)).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        all.sort_by_key(|(nth, _)| *nth);
        all.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// Which broken goals an edit mends on symbols, where none that held falls.
    fn judge(&self, edit: &Edit, aim: Aim) -> Outcome {
        let Ok(protocol) = Protocol::compile(&edit.sketch.draft()) else { return Outcome::Worthless };
        // Any attack will do, on symbols alone: the smallest need not be found, nor be played.
        let is_open = |nth: &usize| {
            let (goal, fell) = (&protocol.goals[*nth], AtomicBool::new(false));
            let is_over = || fell.load(Ordering::Relaxed) || (self.wanted.is_over)();
            let found = search::search(&protocol, goal, &self.bounds, &is_over, &mut |_| {
                fell.store(true, Ordering::Relaxed);
                true
            });
            (found.attack.is_some(), found.stop.is_some())
        };
        let (mut mends, mut is_unfinished) = (Vec::new(), false);
        for nth in &self.broken {
            let (attack, stop) = is_open(nth);
            is_unfinished |= stop && !attack;
            mends.push(!attack && !stop);
            if aim == Aim::All && mends.last() == Some(&false) {
                return if is_unfinished { Outcome::Unfinished } else { Outcome::Worthless };
            }
        }
        if !mends.contains(&true) {
            return if is_unfinished { Outcome::Unfinished } else { Outcome::Worthless };
        }
        for nth in &self.held {
            match is_open(nth) {
                (true, _) => return Outcome::Worthless,
                (false, true) => return Outcome::Unfinished,
                (false, false) => {}
            }
        }
        if self.still_speak(&protocol) { Outcome::Mends(mends) } else { Outcome::Worthless }
    }

    /// Whether every goal speaks of as many roles as it did: a secret that a role never comes to
    /// have is easily kept from others.
    fn still_speak(&self, protocol: &Protocol) -> bool {
        let roles = |of: &Protocol, goal: &Goal| -> BTreeSet<String> {
            let ids = goal.terms().iter().filter_map(|term| of.table.find(term));
            ids.flat_map(|id| of.roles_with(id).map(|role| role.to_string()).collect::<Vec<_>>()).collect()
        };
        self.protocol
            .goals
            .iter()
            .zip(&protocol.goals)
            .all(|(was, is)| roles(self.protocol, was).is_subset(&roles(protocol, is)))
    }

    /// Reads the repaired protocol from what is its file, has honest parties play it, and searches
    /// it once more.
    fn confirm(&self, edit: &Edit, mends: Vec<String>, text: &str) -> Option<Repair> {
        let changes = edit.sketch.changes();
        let mut file = String::new();
        for buys in &edit.buys {
            let _ = writeln!(file, "# Repaired: {buys}.");
        }
        file.push_str(&rewritten(text, &changes)?);
        if !self.completes_honestly(&file) {
            return None;
        }
        let question = self.question.with_protocol(&file).ok()?;
        let wanted = self.wanted;
        let held = self.held.iter().map(|nth| &self.protocol.goals[*nth].text);
        let stand: Vec<String> = self
            .protocol
            .goals
            .iter()
            .map(|goal| &goal.text)
            .filter(|goal| mends.contains(goal) || held.clone().any(|other| other == *goal))
            .cloned()
            .collect();
        for goal in question.protocol.goals.iter().filter(|goal| stand.contains(&goal.text)) {
            let found = question.search(goal, wanted.runs, wanted.powers, wanted.is_over, &self.pool);
            if !matches!(found.result, Found::Nothing) || !found.unconfirmed.is_empty() {
                return None;
            }
        }
        Some(Repair { buys: edit.buys.clone(), changes, size: edit.size, mends, stand, text: file })
    }

    /// Whether in two runs, the second with roles exchanged, everybody completes and every
    /// agreement holds, with no attacker there.
    fn completes_honestly(&self, text: &str) -> bool {
        const NAMES: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];
        let Ok(question) = self.question.with_protocol(text) else { return false };
        let roles: Vec<_> = question.protocol.client_roles().map(|role| role.name.clone()).collect();
        if roles.len() > NAMES.len() {
            return false;
        }
        let player = |run: usize, nth: usize| NAMES[(nth + run) % roles.len()];
        let mut story = question.head.to_string();
        for run in 0..2 {
            let _ = writeln!(story, "\n[[run]]\nat = \"{run}m\"");
            for (nth, role) in roles.iter().enumerate() {
                let _ = writeln!(story, "{role} = \"{}\"", player(run, nth));
            }
            let given = question.protocol.values.iter().filter(|value| value.origin == Origin::Given);
            for value in given {
                let _ = writeln!(story, "{} = \"{} {run}\"", value.name, value.name);
            }
        }
        let Ok(story) = Scenario::read_in("honest", &story, &question.folder) else { return false };
        let story = story.seed(0);
        let Ok(play) = story.play(&story.variants[0], false, &self.pool) else { return false };
        let complete = (0..2).all(|run| {
            (0..roles.len()).all(|nth| play.run(run as u32 + 1).party(player(run, nth)).completed())
        });
        let agreed = play.goals().iter().zip(&question.protocol.goals).all(|(verdict, goal)| {
            !verdict.is_violated() && (verdict.holds() || matches!(goal.claim, Claim::Secret { .. }))
        });
        complete && agreed
    }
}

fn includes(all: &[String], some: &[String]) -> bool {
    some.iter().all(|one| all.contains(one))
}

/// What tells two edited protocols apart.
fn written(sketch: &Sketch) -> Vec<String> {
    let draft = sketch.draft();
    let lets = draft.lets.iter().map(|(_, term)| &term.text);
    let fresh = draft.fresh.iter().flat_map(|(_, values)| values.iter().map(|value| &value.text));
    draft.messages.iter().map(|line| &line.text).chain(lets).chain(fresh).cloned().collect()
}
