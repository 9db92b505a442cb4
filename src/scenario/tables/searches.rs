//! What a scenario expects of searches for attacks: `[expect.search]`, or several as an array.

use super::goals;
use crate::limits::MAX_SEARCH_RUNS;
use crate::notation::Goal;
use crate::scenario::expect::SearchExpect;
use crate::scenario::power::Power;
use crate::scenario::problem::Problem;
use crate::scenario::reader::{Reader, array, string, unknown};
use crate::scenario::schema;
use crate::scenario::setup::Setup;
use crate::scenario::toml_tree::{Key, Node};

/// Runs with which to look for an attack, if the file does not say how many.
const RUNS: usize = 2;

/// Reads one table, or an array of them.
pub fn read(node: &Node, setup: &Setup) -> Result<Vec<SearchExpect>, Problem> {
    let several = array(node).map_or_else(|_| vec![node], |nodes| nodes.iter().collect());
    several.into_iter().map(|node| search(node, setup)).collect()
}

fn search(node: &Node, setup: &Setup) -> Result<SearchExpect, Problem> {
    let table = Reader::of(node, &schema::SEARCH)?;
    if !setup.plays_protocol {
        return Err(node.problem("there is no protocol on which to look for attacks"));
    }
    let runs = match table.get("runs") {
        Some(node) => runs(node, table.integer("runs", 1)?)?,
        None => RUNS,
    };
    let mut powers: Vec<Power> = Vec::new();
    for (word, node) in table.strings("powers")? {
        let power = Power::read(word, setup.protocol())
            .map_err(|of| Problem { help: of.help, ..node.problem(of.message) })?;
        if powers.contains(&power) {
            return Err(node.problem(format!("the power `{word}` stands here twice")));
        }
        powers.push(power);
    }
    let mut goals = Vec::new();
    for (key, value) in
        table.entries().iter().filter(|(key, _)| !schema::SEARCH.keys().any(|known| known.name == key.name))
    {
        let goal = goal(node, key, &table, setup)?;
        let attack = match string(value)? {
            "attack" => true,
            "none" => false,
            other => return Err(unknown(value, "result of a search", other, &["attack", "none"])),
        };
        goals.push((goal, attack));
    }
    if goals.is_empty() {
        return Err(node
            .problem("a search of no goal")
            .help("say of a goal whether an attack is found, as in `\"secret K\" = \"none\"`"));
    }
    Ok(SearchExpect { runs, powers, goals })
}

fn runs(node: &Node, number: Option<u32>) -> Result<usize, Problem> {
    let number = number.and_then(|number| usize::try_from(number).ok());
    number.filter(|number| (1..=MAX_SEARCH_RUNS).contains(number)).ok_or_else(|| {
        node.problem(format!("a search is with 1 to {MAX_SEARCH_RUNS} runs (MAX_SEARCH_RUNS)"))
    })
}

/// The goal of the scenario's own protocol that a key names.
fn goal(node: &Node, key: &Key, table: &Reader<'_>, setup: &Setup) -> Result<Goal, Problem> {
    // Every goal is several words.
    if !key.name.contains(' ') {
        let texts = setup.protocol().goals.iter().map(|goal| goal.text.as_str());
        return Err(table.unknown_key(key, schema::SEARCH.keys().map(|key| key.name).chain(texts)));
    }
    let place = key.as_value(&node.file);
    let found = goals::known(&place, &key.name, setup)?;
    let own = setup.protocol();
    let goal = own.goals.get(found.id.nth).filter(|_| *found.id.protocol == *own.name);
    goal.cloned().ok_or_else(|| {
        let message = format!("`{}` is a goal of {}", key.name, found.id.protocol);
        place.problem(message).help(format!("a search is of the scenario's own protocol, {}", own.name))
    })
}
