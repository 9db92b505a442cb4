//! Variants: tables that are laid over a file, which add to it, replace and remove. Must not know
//! what keys mean.

use std::path::Path;
use std::sync::Arc;

use super::Variant;
use super::problem::{Problem, Problems};
use super::reader::{Reader, string};
use super::toml_tree::{Data, Node};
use crate::limits::MAX_VARIANTS;
use crate::notation::fault::suggest;

/// What a variant does not change: what the file is about.
const OF_THE_FILE: [&str; 6] = ["variant", "title", "about", "tags", "reference", "seed"];

/// The variants of a file, and what is wrong with some of them, each problem once.
///
/// # Errors
/// What is wrong with the overlays themselves.
pub fn read(tree: &Node, node: &Node, folder: &Path) -> Result<(Vec<Arc<Variant>>, Vec<Problem>), Problems> {
    let overlays = Reader::new(node)?.entries();
    if overlays.is_empty() || overlays.len() > MAX_VARIANTS {
        let limit = format!("expected 1 to {MAX_VARIANTS} variants (MAX_VARIANTS)");
        return Err(node.problem(limit).into());
    }
    let mut variants = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    for (key, over) in overlays {
        let laid = lay(tree, over)
            .and_then(|tree| Variant::read(Some(&key.name), &tree, over.leaves(&["expect"]), folder));
        match laid {
            Ok(variant) => variants.push(Arc::new(variant)),
            Err(found) => note(found, &key.name, &mut problems),
        }
    }
    // What is wrong in every variant is the file's.
    for problem in problems.iter_mut().filter(|problem| problem.variants.len() == overlays.len()) {
        problem.variants.clear();
    }
    Ok((variants, problems))
}

fn note(found: Problems, variant: &str, problems: &mut Vec<Problem>) {
    for problem in found.0 {
        let same = |p: &Problem| p.range == problem.range && p.message == problem.message;
        let at = problems.iter().position(same).unwrap_or_else(|| {
            problems.push(problem.clone());
            problems.len() - 1
        });
        problems[at].variants.push(variant.to_owned());
    }
}

/// The file with a variant laid over it: what it removes is gone before.
fn lay(tree: &Node, over: &Node) -> Result<Node, Problems> {
    let table = Reader::new(over)?;
    if let Some(node) = OF_THE_FILE.iter().find_map(|key| table.get(key)) {
        return Err(node
            .problem("a variant does not change what the file is about")
            .help("write this key at the top of the file")
            .into());
    }
    let mut base = tree.clone();
    for (path, node) in table.strings("remove")? {
        remove(&mut base, path, node)?;
    }
    let mut over = over.clone();
    if let Data::Table(entries) = &mut over.data {
        entries.retain(|(key, _)| key.name != "remove");
    }
    Ok(base.overlaid(&over))
}

/// Removes what a path names: keys joined by dots, as in `parties.alice.password`.
fn remove(table: &mut Node, path: &str, place: &Node) -> Result<(), Problem> {
    let Data::Table(entries) = &mut table.data else {
        return Err(place.problem(format!("there is no table to have a key `{path}`")));
    };
    // A key may have dots of its own, as `1.alice` has.
    let at = entries.iter().position(|(key, _)| key.name == path);
    if let Some(at) = at {
        entries.remove(at);
        return Ok(());
    }
    let inside = |name: &str| path.strip_prefix(name)?.strip_prefix('.').map(str::to_owned);
    if let Some((rest, node)) = entries.iter_mut().find_map(|(key, node)| Some((inside(&key.name)?, node))) {
        return remove(node, &rest, place);
    }
    let words = entries.iter().map(|(key, _)| key.name.as_str());
    let first = path.split('.').next().unwrap_or(path);
    let mut problem = place.problem(format!("the file has no key `{}` to remove", string(place)?));
    problem.help = suggest(first, words);
    Err(problem)
}
