//! What a scenario expects to come of it, read and held against what came.

use super::problem::Problem;
use super::reader::{Reader, array, string, unknown};
use super::setup::Setup;
use super::setup::event::{Stolen, ValueRef};
use super::toml_tree::Node;
use crate::notation::{Claim, Goal, Name, Protocol, Quoted, Term, goal};
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
    /// Values that read as this text.
    pub values: Vec<(ValueRef, String)>,
    /// Pairs that have the same bytes.
    pub equal: Vec<(ValueRef, ValueRef)>,
    /// Pairs that do not.
    pub differ: Vec<(ValueRef, ValueRef)>,
    /// Whether anything was expected at all.
    pub is_given: bool,
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
    const ALL: [(GoalExpect, &'static str); 4] = [
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

    /// The words of files.
    pub fn words(self) -> &'static str {
        GoalExpect::ALL.iter().find(|(expect, _)| *expect == self).map_or("", |(_, words)| words)
    }

    fn read(node: &Node) -> Result<GoalExpect, Problem> {
        let text = string(node)?;
        let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = GoalExpect::ALL.iter().find(|(_, words)| *words == plain);
        found.map(|(expect, _)| *expect).ok_or_else(|| {
            let words: Vec<&str> = GoalExpect::ALL.iter().map(|(_, words)| *words).collect();
            unknown(node, "verdict", text, &words)
        })
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

/// What an expectation of a run may be.
const RUN_EXPECTED: &str = "expected `completes`, `waits`, `rejects`, `rejects line 2`, `rejects line 2: bad-signature` or `never starts`";

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
        let values = self.values.iter().map(|(of, text)| format!("{of} is \"{text}\""));
        let equal = self.equal.iter().map(|(a, b)| format!("{a} and {b} are equal"));
        let differ = self.differ.iter().map(|(a, b)| format!("{a} and {b} differ"));
        let requests = self.requests.iter().map(|(number, expected)| format!("request {number} {expected}"));
        let exposures = self.exposures.iter().map(ExposureExpect::to_string);
        let work = self.work.iter().map(|(by, count)| format!("{by} does {count} public-key operations"));
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
            .collect()
    }

    /// The long-term keys of which it says whether the attacker learns them.
    pub fn long_term(&self) -> impl Iterator<Item = &Term> {
        self.learns.iter().chain(&self.never_learns).filter_map(|of| match of {
            Stolen::LongTerm(key) => Some(key),
            Stolen::OfRun(_) => None,
        })
    }

    /// Reads an `[expect]` table; `honest` stands in it and is read apart.
    pub fn read(node: &Node, setup: &Setup) -> Result<Expect, Problem> {
        let table = Reader::new(node)?;
        let mut expect = Expect { is_given: true, ..Expect::default() };
        if let Some(node) = table.get("runs") {
            for (key, value) in Reader::new(node)?.entries() {
                expect.runs.push((run_ref(node, key, setup)?, run_expect(value, setup)?));
            }
        }
        if let Some(node) = table.get("goals") {
            for (key, value) in Reader::new(node)?.entries() {
                let place = Node { range: key.range.clone(), ..node.clone() };
                expect.goals.push((known_goal(&place, &key.name, setup)?, GoalExpect::read(value)?));
            }
        }
        if let Some(node) = table.get("requests") {
            for (key, value) in Reader::new(node)?.entries() {
                expect.requests.push((request_ref(node, key, setup)?, request_expect(value)?));
            }
        }
        if let Some(node) = table.get("lookups") {
            for (key, value) in Reader::new(node)?.entries() {
                let place = Node {
                    range: key.range.clone(),
                    data: super::toml_tree::Data::String(key.name.clone()),
                    ..node.clone()
                };
                expect.lookups.push((setup.known_party(&place)?, reason(value, string(value)?)?));
            }
        }
        if let Some(node) = table.get("work") {
            for (key, value) in Reader::new(node)?.entries() {
                let place = Node {
                    range: key.range.clone(),
                    data: super::toml_tree::Data::String(key.name.clone()),
                    ..node.clone()
                };
                expect.work.push((setup.known_party(&place)?, super::reader::integer(value, 0)?));
            }
        }
        if let Some(node) = table.get("exposure") {
            let several = array(node).map_or_else(|_| vec![node], |nodes| nodes.iter().collect());
            for node in several {
                expect.exposures.push(exposure_expect(node, setup)?);
            }
        }
        if let Some(node) = table.get("attacker") {
            if setup.attacker.is_none() {
                return Err(node
                    .problem("there is no attacker of whom to expect anything")
                    .help("add an [attacker]"));
            }
            let of = Reader::new(node)?;
            expect.learns = refs(&of, "learns", setup)?;
            expect.never_learns = refs(&of, "never_learns", setup)?;
            expect.guesses = of.integer("guesses", 0)?;
            of.finish()?;
        }
        if let Some(node) = table.get("values") {
            for (key, value) in Reader::new(node)?.entries() {
                let data = super::toml_tree::Data::String(key.name.clone());
                let place = Node { file: node.file.clone(), range: key.range.clone(), data };
                expect.values.push((setup.value_ref(&place)?, string(value)?.to_owned()));
            }
        }
        expect.equal = pairs(&table, "equal", setup)?;
        expect.differ = pairs(&table, "differ", setup)?;
        table.get("honest");
        table.finish()?;
        Ok(expect)
    }
}

fn run_ref(node: &Node, key: &super::toml_tree::Key, setup: &Setup) -> Result<RunRef, Problem> {
    let problem = |message: String| Problem::at(&node.file, key.range.clone(), message);
    let (run, party) = key
        .name
        .split_once('.')
        .and_then(|(run, party)| Some((run.trim().parse().ok().filter(|r| *r > 0)?, party.trim())))
        .ok_or_else(|| {
            problem(format!("`{}` is no part in a run", key.name))
                .help("expected a run and a party, as in `1.alice`")
        })?;
    let party =
        setup.aliases().iter().find(|(role, _)| **role == *party).map_or(party.into(), |(_, p)| p.clone());
    if !setup.parties.contains_key(&party) {
        let mut problem = problem(format!("there is no party `{party}`"));
        problem.help = crate::notation::fault::suggest(&party, setup.parties.keys().map(|p| &**p));
        return Err(problem);
    }
    if run as usize > setup.runs.len() && setup.attacker.is_none() {
        return Err(problem(format!("there is no run {run}, and no attacker who could open it"))
            .help(format!("the scenario has {} [[run]]", setup.runs.len())));
    }
    Ok(RunRef { run, party })
}

fn request_ref(node: &Node, key: &super::toml_tree::Key, setup: &Setup) -> Result<u32, Problem> {
    let number = key.name.trim().parse().ok();
    number.filter(|number| setup.request(*number).is_some()).ok_or_else(|| {
        Problem::at(&node.file, key.range.clone(), format!("there is no request {}", key.name))
            .help(format!("the scenario has {} [[request]]", setup.requests.len()))
    })
}

fn request_expect(node: &Node) -> Result<RequestExpect, Problem> {
    let text = string(node)?;
    match text.split_once(':').map_or((text.trim(), None), |(what, why)| (what.trim(), Some(why.trim()))) {
        ("granted", None) => Ok(RequestExpect::Granted),
        ("unanswered", None) => Ok(RequestExpect::Unanswered),
        ("refused", None) => Ok(RequestExpect::Refused(None)),
        ("refused", Some(word)) => Ok(RequestExpect::Refused(Some(reason(node, word)?))),
        _ => Err(node
            .problem(format!("`{text}` is no expectation of a request"))
            .help("expected `granted`, `refused`, `refused: forbidden` or `unanswered`")),
    }
}

fn exposure_expect(node: &Node, setup: &Setup) -> Result<ExposureExpect, Problem> {
    let table = Reader::new(node)?;
    let of = setup.known_party(table.get("of").ok_or_else(|| table.missing("of"))?)?;
    let (min, max) = (table.span("min")?, table.span("max")?);
    if min.is_none() && max.is_none() {
        return Err(table.missing("max").help("say how long at most, or with `min` how long at least"));
    }
    table.finish()?;
    Ok(ExposureExpect { of, min, max })
}

fn reason(node: &Node, word: &str) -> Result<Reason, Problem> {
    word.parse::<Reason>().map_err(|()| {
        let words: Vec<&str> = Reason::ALL.iter().map(|r| r.word()).collect();
        unknown(node, "reason", word, &words)
    })
}

fn run_expect(node: &Node, setup: &Setup) -> Result<RunExpect, Problem> {
    let text = string(node)?;
    let (what, reason) = match text.split_once(':') {
        Some((what, reason)) => (what, Some(reason.trim())),
        None => (text, None),
    };
    let reason = match reason {
        Some(word) => Some(self::reason(node, word)?),
        None => None,
    };
    let wrong = || node.problem(format!("`{text}` is no expectation of a run")).help(RUN_EXPECTED);
    match (what.split_whitespace().collect::<Vec<_>>().as_slice(), reason) {
        (["completes"], None) => Ok(RunExpect::Completes),
        (["waits"], None) => Ok(RunExpect::Waits),
        (["never", "starts"], None) => Ok(RunExpect::NeverStarts),
        (["rejects"], reason) => Ok(RunExpect::Rejects(None, reason)),
        (["rejects", "line", line], reason) => {
            let line: u32 = line.parse().map_err(|_| wrong())?;
            let last = setup.protocols.iter().map(|(p, _)| p.protocol.lines.len()).max().unwrap_or(0);
            if line == 0 || line as usize > last {
                return Err(node
                    .problem(format!("there is no line {line}"))
                    .help(format!("lines are numbered 1 to {last}")));
            }
            Ok(RunExpect::Rejects(Some(line), reason))
        }
        _ => Err(wrong()),
    }
}

/// The goal that a text names: `secret K`, or `PROTOCOL: secret K` where several protocols of
/// the scenario have it.
fn known_goal(node: &Node, text: &str, setup: &Setup) -> Result<GoalRef, Problem> {
    let all = || setup.protocols.iter().map(|(file, _)| &file.protocol);
    let (of, claim) = match text.split_once(':') {
        Some((protocol, claim)) => (Some(protocol.trim()), claim.trim()),
        None => (None, text),
    };
    if let Some(of) = of.filter(|of| !all().any(|protocol| protocol.name == *of)) {
        let names: Vec<&str> = all().map(|protocol| protocol.name.as_str()).collect();
        return Err(unknown(node, "protocol", of, &names));
    }
    let read = goal::goal(&Quoted::new(claim)).map_err(|f| node.problem(f.message))?;
    let asked = all().filter(|protocol| of.is_none_or(|of| protocol.name == of));
    let found: Vec<GoalRef> = asked.clone().filter_map(|protocol| found_in(&read, protocol)).collect();
    match found.as_slice() {
        [one] => Ok(match of {
            Some(of) => GoalRef { text: format!("{of}: {}", one.text), ..one.clone() },
            None => one.clone(),
        }),
        [first, ..] => Err(node
            .problem(format!("{} protocols have the goal `{text}`", found.len()))
            .help(format!("say which, as in `{}: {}`", first.id.protocol, first.text))),
        [] => {
            let mut problem = node.problem(format!("the protocol has no goal `{text}`"));
            let goals = asked.flat_map(|protocol| &protocol.goals).map(|goal| goal.text.as_str());
            problem.help = crate::notation::fault::suggest(text, goals);
            Err(problem)
        }
    }
}

/// A protocol's goal that claims what `read` does: the one that says it in the same words, if
/// there are several.
fn found_in(read: &Goal, protocol: &Protocol) -> Option<GoalRef> {
    let expand = |term: &mut Term| *term = crate::notation::protocol::expand(term, &protocol.lets);
    let mut claim = read.claim.clone();
    match &mut claim {
        Claim::Secret { term, .. } => expand(term),
        Claim::Agreement { on, .. } => on.iter_mut().for_each(expand),
    }
    let same = || protocol.goals.iter().enumerate().filter(|(_, goal)| goal.claim == claim);
    let (nth, goal) = same().find(|(_, goal)| goal.written == read.written).or_else(|| same().next())?;
    let id = GoalId { protocol: protocol.name.as_str().into(), nth };
    Some(GoalRef { id, text: goal.text.clone() })
}

/// What the attacker may come to hold: a run's value, or a long-term key.
fn refs(table: &Reader<'_>, key: &str, setup: &Setup) -> Result<Vec<Stolen>, Problem> {
    let one = |(text, node): (&str, &Node)| match text.contains('(') {
        true => setup.stolen(node),
        false => setup.value_ref(node).map(Stolen::OfRun),
    };
    table.strings(key)?.into_iter().map(one).collect()
}

fn pairs(table: &Reader<'_>, key: &str, setup: &Setup) -> Result<Vec<(ValueRef, ValueRef)>, Problem> {
    let Some(node) = table.get(key) else { return Ok(Vec::new()) };
    array(node)?
        .iter()
        .map(|pair| match array(pair)? {
            [a, b] => Ok((setup.value_ref(a)?, setup.value_ref(b)?)),
            _ => Err(pair.problem("expected two values, as in [\"1.alice.K\", \"1.bob.K\"]")),
        })
        .collect()
}
