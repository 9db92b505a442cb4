//! What a scenario expects to come of it, as data and in words.

use super::power::Power;
use super::setup::event::{Stolen, ValueRef};
use crate::notation::{Goal, Name, Term};
use crate::reason::Reason;
use crate::time::Span;
use crate::verdict::{GoalId, Word};

/// What a variant expects.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// Of runs.
    pub runs: Vec<(RunRef, RunExpect)>,
    /// Of goals.
    pub goals: Vec<(GoalRef, GoalExpect)>,
    /// Of requests, by number.
    pub requests: Vec<(u32, RequestExpect)>,
    /// Of what parties look up: that one's answer is refused for this reason.
    pub lookups: Vec<(Name, Reason)>,
    /// Of how many public-key operations a party does.
    pub work: Vec<(Name, u32)>,
    /// Of stolen credentials.
    pub exposures: Vec<ExposureExpect>,
    /// Values that the attacker holds or can compute in the end.
    pub learns: Vec<Stolen>,
    /// Values that she does not.
    pub never_learns: Vec<Stolen>,
    /// How many words she tries for passwords, all together.
    pub guesses: Option<u32>,
    /// How often she asks parties by her tactic, all together.
    pub queries: Option<u32>,
    /// How much of what she asks about she finds.
    pub found: Option<u32>,
    /// Values that read as this text.
    pub values: Vec<(ValueRef, String)>,
    /// Pairs that have the same bytes.
    pub equal: Vec<(ValueRef, ValueRef)>,
    /// Pairs that do not.
    pub differ: Vec<(ValueRef, ValueRef)>,
    /// What searches for attacks come to.
    pub searches: Vec<SearchExpect>,
    /// Whether anything was expected at all.
    pub is_given: bool,
}

/// What is expected of a search for attacks.
#[derive(Clone, Debug)]
pub struct SearchExpect {
    /// Runs at most.
    pub runs: usize,
    /// What the attacker has beyond what everybody has.
    pub powers: Vec<Power>,
    /// Goals of the scenario's protocol, and whether an attack on each is found.
    pub goals: Vec<(Goal, bool)>,
}

impl SearchExpect {
    /// What is expected of a goal, in words.
    pub fn words(&self, goal: &Goal, attack: bool) -> String {
        let runs = if self.runs == 1 { "1 run".to_owned() } else { format!("{} runs", self.runs) };
        let powers: Vec<String> = self.powers.iter().map(Power::text).collect();
        let with = if powers.is_empty() { String::new() } else { format!(" with {}", powers.join(", ")) };
        let found = if attack { "an attack" } else { "no attack" };
        format!("a search with up to {runs}{with} finds {found} on `{}`", goal.text)
    }
}

/// A goal of some protocol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GoalRef {
    /// Which.
    pub id: GoalId,
    /// As the protocol has it; with the protocol's name in front where several have it.
    pub text: String,
}

/// What is expected of a goal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GoalExpect {
    /// This verdict and no other.
    Is(Word),
    /// That it is not violated, whether or not anything put it to the test.
    HoldsOrUntested,
}

impl GoalExpect {
    /// Each with its words.
    pub const ALL: [(GoalExpect, &'static str); 4] = [
        (GoalExpect::Is(Word::Violated), "violated"),
        (GoalExpect::Is(Word::Holds), "holds"),
        (GoalExpect::Is(Word::Untested), "untested"),
        (GoalExpect::HoldsOrUntested, "holds or untested"),
    ];

    /// Whether this verdict is as expected.
    pub fn accepts(self, word: Word) -> bool {
        match self {
            GoalExpect::Is(expected) => word == expected,
            GoalExpect::HoldsOrUntested => word != Word::Violated,
        }
    }

    /// Whether it says that the goal does not fall.
    pub fn is_comfort(self) -> bool {
        matches!(self, GoalExpect::Is(Word::Holds) | GoalExpect::HoldsOrUntested)
    }

    /// The words of files.
    pub fn words(self) -> &'static str {
        GoalExpect::ALL.iter().find(|(expect, _)| *expect == self).map_or("", |(_, words)| words)
    }
}

impl std::fmt::Display for GoalExpect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            GoalExpect::Is(Word::Holds) => f.write_str("holds"),
            GoalExpect::Is(word) => write!(f, "is {word}"),
            GoalExpect::HoldsOrUntested => f.write_str("holds or is untested"),
        }
    }
}

/// What is expected of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestExpect {
    /// What was asked for is granted.
    Granted,
    /// It is refused, for this reason if one is given.
    Refused(Option<Reason>),
    /// No answer comes, or who asks could not even ask.
    Unanswered,
}

impl std::fmt::Display for RequestExpect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RequestExpect::Granted => f.write_str("granted"),
            RequestExpect::Refused(None) => f.write_str("refused"),
            RequestExpect::Refused(Some(reason)) => write!(f, "refused: {reason}"),
            RequestExpect::Unanswered => f.write_str("unanswered"),
        }
    }
}

/// What is expected of a stolen credential: how long, from the theft to the last time that
/// somebody accepted the thief.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExposureExpect {
    /// Whose it is.
    pub of: Name,
    /// At least.
    pub min: Option<Span>,
    /// At most.
    pub max: Option<Span>,
}

impl std::fmt::Display for ExposureExpect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "what was stolen from {} is of use", self.of)?;
        let bounds =
            [self.min.map(|min| format!("at least {min}")), self.max.map(|max| format!("at most {max}"))];
        let bounds: Vec<String> = bounds.into_iter().flatten().collect();
        write!(f, " for {}", bounds.join(" and "))
    }
}

/// A party's part in a run: `1.alice`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RunRef {
    /// The run.
    pub run: u32,
    /// The party.
    pub party: Name,
}

impl std::fmt::Display for RunRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.run, self.party)
    }
}

/// What is expected of a party's part in a run, as precisely as the author wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunExpect {
    /// It comes to its end.
    Completes,
    /// It still waits when all is over.
    Waits,
    /// It refuses, at this line if one is given, for this reason if one is given.
    Rejects(Option<u32>, Option<Reason>),
    /// It never begins.
    NeverStarts,
}

impl std::fmt::Display for RunExpect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RunExpect::Completes => f.write_str("completes"),
            RunExpect::Waits => f.write_str("waits"),
            RunExpect::NeverStarts => f.write_str("never starts"),
            RunExpect::Rejects(line, reason) => {
                f.write_str("rejects")?;
                line.map_or(Ok(()), |l| write!(f, " line {l}"))?;
                reason.map_or(Ok(()), |r| write!(f, ": {r}"))
            }
        }
    }
}

impl Expect {
    /// What is expected, each in words.
    pub fn words(&self) -> Vec<String> {
        let runs = self.runs.iter().map(|(of, expected)| format!("{of} {expected}"));
        let goals = self
            .goals
            .iter()
            .map(|(goal, expected)| format!("{:<9} {}", format!("{}:", expected.words()), goal.text));
        let learns = self.learns.iter().map(|of| format!("the attacker learns {of}"));
        let never = self.never_learns.iter().map(|of| format!("the attacker never learns {of}"));
        let never = never.chain(self.guesses.map(|n| format!("the attacker tries {n} words for passwords")));
        let never = never.chain(self.queries.map(|n| format!("the attacker asks {n} times")));
        let never = never.chain(self.found.map(|n| format!("the attacker finds {n} of what she asks about")));
        let values = self.values.iter().map(|(of, text)| format!("{of} is \"{text}\""));
        let equal = self.equal.iter().map(|(a, b)| format!("{a} and {b} are equal"));
        let differ = self.differ.iter().map(|(a, b)| format!("{a} and {b} differ"));
        let requests = self.requests.iter().map(|(number, expected)| format!("request {number} {expected}"));
        let exposures = self.exposures.iter().map(ExposureExpect::to_string);
        let work = self.work.iter().map(|(by, count)| format!("{by} does {count} public-key operations"));
        let searches = self
            .searches
            .iter()
            .flat_map(|search| search.goals.iter().map(|(goal, attack)| search.words(goal, *attack)));
        let lookups = self.lookups.iter().map(|(by, why)| format!("{by} does not believe an answer: {why}"));
        runs.chain(requests)
            .chain(lookups)
            .chain(work)
            .chain(exposures)
            .chain(goals)
            .chain(learns)
            .chain(never)
            .chain(values)
            .chain(equal)
            .chain(differ)
            .chain(searches)
            .collect()
    }

    /// The long-term keys of which it says whether the attacker learns them.
    pub fn long_term(&self) -> impl Iterator<Item = &Term> {
        self.learns.iter().chain(&self.never_learns).filter_map(|of| match of {
            Stolen::LongTerm(key) => Some(key),
            Stolen::OfRun(_) => None,
        })
    }
}
