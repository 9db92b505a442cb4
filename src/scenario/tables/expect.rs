//! What a scenario expects to come of it: `[expect]`.

use super::references::RunsThere;
use super::{goals, searches};
use crate::notation::fault::suggest;
use crate::reason::Reason;
use crate::scenario::expect::{Expect, ExposureExpect, GoalExpect, RequestExpect, RunExpect, RunRef};
use crate::scenario::problem::Problem;
use crate::scenario::reader::{Reader, array, integer, string, unknown};
use crate::scenario::schema;
use crate::scenario::setup::Setup;
use crate::scenario::setup::attacker::AttackerSpec;
use crate::scenario::setup::event::{Stolen, ValueRef};
use crate::scenario::toml_tree::{Key, Node};

/// What an expectation of a run may be.
const RUN_EXPECTED: &str = "expected `completes`, `waits`, `rejects`, `rejects line 2`, `rejects line 2: bad-signature` or `never starts`";

/// The play of which something is expected.
struct Play<'a> {
    setup: &'a Setup,
    runs: RunsThere<'a>,
}

/// Reads an `[expect]` table, of a play with this attacker; `honest` stands in it and is read
/// apart.
pub fn read(node: &Node, setup: &Setup, attacker: Option<&AttackerSpec>) -> Result<Expect, Problem> {
    let play = Play { setup, runs: RunsThere::of(setup, attacker) };
    let table = Reader::of(node, &schema::EXPECT)?;
    let mut expect = Expect { is_given: true, ..Expect::default() };
    if let Some(node) = table.get("runs") {
        for (key, value) in Reader::new(node)?.entries() {
            expect.runs.push((play.run_ref(node, key)?, run_expect(value, setup)?));
        }
    }
    if let Some(node) = table.get("goals") {
        for (key, value) in Reader::new(node)?.entries() {
            let place = key.as_value(&node.file);
            expect.goals.push((goals::known(&place, &key.name, setup)?, goal_expect(value)?));
        }
    }
    if let Some(node) = table.get("requests") {
        for (key, value) in Reader::new(node)?.entries() {
            expect.requests.push((request_ref(node, key, setup)?, request_expect(value)?));
        }
    }
    if let Some(node) = table.get("lookups") {
        for (key, value) in Reader::new(node)?.entries() {
            let place = key.as_value(&node.file);
            expect.lookups.push((setup.known_party(&place)?, reason(value, string(value)?)?));
        }
    }
    if let Some(node) = table.get("work") {
        for (key, value) in Reader::new(node)?.entries() {
            let place = key.as_value(&node.file);
            expect.work.push((setup.known_party(&place)?, integer(value, 0)?));
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
        let of = Reader::of(node, &schema::HER)?;
        expect.learns = play.refs(&of, "learns")?;
        expect.never_learns = play.refs(&of, "never_learns")?;
        expect.guesses = of.integer("guesses", 0)?;
        expect.queries = of.integer("queries", 0)?;
        expect.found = of.integer("found", 0)?;
        of.finish()?;
    }
    if let Some(node) = table.get("values") {
        for (key, value) in Reader::new(node)?.entries() {
            let place = key.as_value(&node.file);
            expect.values.push((play.value(&place)?, string(value)?.to_owned()));
        }
    }
    expect.equal = play.pairs(&table, "equal")?;
    expect.differ = play.pairs(&table, "differ")?;
    if let Some(node) = table.get("search") {
        expect.searches = searches::read(node, setup)?;
    }
    table.get("honest");
    table.finish()?;
    Ok(expect)
}

impl Play<'_> {
    /// A party's part in a run.
    fn run_ref(&self, node: &Node, key: &Key) -> Result<RunRef, Problem> {
        let setup = self.setup;
        let place = key.as_value(&node.file);
        let (run, party) = key
            .name
            .split_once('.')
            .and_then(|(run, party)| Some((run.trim().parse().ok().filter(|r| *r > 0)?, party.trim())))
            .ok_or_else(|| {
                place
                    .problem(format!("`{}` is no part in a run", key.name))
                    .help("expected a run and a party, as in `1.alice`")
            })?;
        let party = setup
            .aliases()
            .iter()
            .find(|(role, _)| **role == *party)
            .map_or(party.into(), |(_, p)| p.clone());
        if !setup.parties.contains_key(&party) {
            let mut problem = place.problem(format!("there is no party `{party}`"));
            problem.help = suggest(&party, setup.parties.keys().map(|p| &**p));
            return Err(problem);
        }
        self.runs.check(run, &place)?;
        Ok(RunRef { run, party })
    }

    /// A value of a run that there may be, or of a request.
    fn value(&self, node: &Node) -> Result<ValueRef, Problem> {
        let of = self.setup.value_ref(node)?;
        self.runs.check_value(&of, node)?;
        Ok(of)
    }

    /// What the attacker may come to hold: a run's value, or a long-term key.
    fn refs(&self, table: &Reader<'_>, key: &str) -> Result<Vec<Stolen>, Problem> {
        let one = |(text, node): (&str, &Node)| match text.contains('(') {
            true => self.setup.stolen(node),
            false => self.value(node).map(Stolen::OfRun),
        };
        table.strings(key)?.into_iter().map(one).collect()
    }

    fn pairs(&self, table: &Reader<'_>, key: &str) -> Result<Vec<(ValueRef, ValueRef)>, Problem> {
        let Some(node) = table.get(key) else { return Ok(Vec::new()) };
        array(node)?
            .iter()
            .map(|pair| match array(pair)? {
                [a, b] => Ok((self.value(a)?, self.value(b)?)),
                _ => Err(pair.problem("expected two values, as in [\"1.alice.K\", \"1.bob.K\"]")),
            })
            .collect()
    }
}

fn goal_expect(node: &Node) -> Result<GoalExpect, Problem> {
    let text = string(node)?;
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = GoalExpect::ALL.iter().find(|(_, words)| *words == plain);
    found.map(|(expect, _)| *expect).ok_or_else(|| {
        let words: Vec<&str> = GoalExpect::ALL.iter().map(|(_, words)| *words).collect();
        unknown(node, "verdict", text, &words)
    })
}

fn request_ref(node: &Node, key: &Key, setup: &Setup) -> Result<u32, Problem> {
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
    let table = Reader::of(node, &schema::EXPOSURE)?;
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
