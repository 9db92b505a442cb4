//! Names under which a file configures somebody: parties, officers, whose device shows codes,
//! the ends of links. One that nothing else in the file mentions is a slip of the fingers, and
//! what it configures would silently not be so.

use std::collections::BTreeSet;

use super::Variant;
use super::problem::Problem;
use super::toml_tree::{Data, Key, Node};
use crate::notation::fault::{near, suggest};

/// Where names stand that act, send, receive or are spoken of. `expect` is not among them:
/// what is expected of a party does not make it one.
const ACTING: [&str; 4] = ["run", "request", "event", "attacker"];

/// The names under which the file configures somebody of whom it says nothing else, in any of
/// its variants.
pub fn unmentioned(tree: &Node, variants: &[std::sync::Arc<Variant>]) -> Vec<Problem> {
    let layers: Vec<&Node> = [tree].into_iter().chain(overlays(tree)).collect();
    let mut mentioned = BTreeSet::new();
    let mut configured = Vec::new();
    for layer in &layers {
        for node in ACTING.iter().filter_map(|key| get(layer, key)) {
            words(node, &mut mentioned);
        }
        for (_, party) in get(layer, "parties").map(entries).unwrap_or_default() {
            words(party, &mut mentioned);
        }
        configured.extend(configurations(layer));
    }
    let setups = variants.iter().map(|variant| &variant.setup);
    let attackers = setups.clone().flat_map(|setup| &setup.attacker).map(|her| her.name.to_string());
    let services = setups.clone().flat_map(|setup| &setup.services).map(|service| service.name().to_owned());
    mentioned.extend(attackers.chain(services));
    let known = setups.flat_map(|setup| setup.parties.keys()).filter(|name| mentioned.contains(&***name));
    let known: BTreeSet<&str> = known.map(|name| &**name).collect();
    let is_table_of = |place: &Node, layer: &&Node| {
        let parties = get(layer, "parties").map(entries).unwrap_or_default();
        parties.iter().any(|(key, _)| key.range == place.range)
    };
    // A party of its own name may stand by: only one that is nearly another's is taken for a slip.
    let is_idle = |place: &Node, name: &str| {
        layers.iter().any(|layer| is_table_of(place, layer)) && near(name, known.iter().copied()).is_none()
    };
    let is_unknown = |(place, name): &(Node, String)| !mentioned.contains(name) && !is_idle(place, name);
    let problem = |(place, name): (Node, String)| {
        let mut problem = place.problem(format!("nobody else here speaks of `{name}`"));
        problem.help = suggest(&name, known.iter().copied());
        problem
    };
    configured.into_iter().filter(is_unknown).map(problem).collect()
}

fn overlays(tree: &Node) -> impl Iterator<Item = &Node> {
    get(tree, "variant").map(entries).unwrap_or_default().iter().map(|(_, over)| over)
}

/// The places at which a table configures somebody, and whom.
fn configurations(layer: &Node) -> Vec<(Node, String)> {
    let at = |path: &[&str]| path.iter().try_fold(layer, |node, key| get(node, key));
    let mut all = Vec::new();
    for path in [&["parties"][..], &["services", "kdc", "keys", "roles"]] {
        for (key, node) in at(path).map(entries).unwrap_or_default() {
            all.push((key.as_value(&node.file), key.name.clone()));
        }
    }
    for path in [
        &["services", "kdc", "keys", "one_time_codes"][..],
        &["services", "ca", "officers"],
        &["services", "ca", "must_staple"],
    ] {
        all.extend(at(path).map(items).unwrap_or_default().iter().filter_map(naming));
    }
    for link in at(&["network", "link"]).map(items).unwrap_or_default() {
        all.extend(["from", "to"].iter().filter_map(|end| naming(get(link, end)?)));
    }
    all
}

fn naming(node: &Node) -> Option<(Node, String)> {
    match &node.data {
        Data::String(name) => Some((node.clone(), name.clone())),
        _ => None,
    }
}

/// Every word of a value's strings and keys that could be a name.
fn words(node: &Node, found: &mut BTreeSet<String>) {
    match &node.data {
        Data::String(text) => found.extend(split(text)),
        Data::Array(items) => items.iter().for_each(|item| words(item, found)),
        Data::Table(entries) => {
            for (key, value) in entries {
                found.extend(split(&key.name));
                words(value, found);
            }
        }
        _ => {}
    }
}

fn split(text: &str) -> impl Iterator<Item = String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.split(move |c| !is_part(c)).filter(|word| !word.is_empty()).map(str::to_owned)
}

fn entries(node: &Node) -> &[(Key, Node)] {
    match &node.data {
        Data::Table(entries) => entries,
        _ => &[],
    }
}

fn items(node: &Node) -> &[Node] {
    match &node.data {
        Data::Array(items) => items,
        _ => &[],
    }
}

fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    entries(node).iter().find(|(k, _)| k.name == key).map(|(_, value)| value)
}
