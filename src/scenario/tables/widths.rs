//! What goes into fields of a fixed width, in the untagged encoding.

use crate::notation::Kind;
use crate::scenario::problem::Problem;
use crate::scenario::reader::{Reader, array};
use crate::scenario::setup::Setup;
use crate::scenario::toml_tree::{Data, Node};
use crate::wire::Encoding;

/// In the untagged encoding, names and data must fit their widths.
pub fn check(setup: &Setup, table: &Reader<'_>) -> Result<(), Problem> {
    for (file, encoding) in &setup.protocols {
        let Encoding::Untagged(widths) = encoding else { continue };
        if !setup.suite.groups.is_empty() {
            let crypto = table.get("crypto").and_then(|node| Reader::new(node).ok()?.get("groups"));
            return Err(crypto
                .unwrap_or(table.node)
                .problem("untagged fields have one width, and shares of several groups have not")
                .help("leave out `untagged`, or `groups`"));
        }
        let attacker = setup.attacker.as_ref().map(|a| &a.name);
        let long = setup.parties.keys().chain(attacker).find(|n| n.len() > widths.name);
        if let Some(name) = long {
            return Err(place_of(table, |_, text| text == &**name)
                .problem(format!("`{name}` does not fit the untagged width of names, {}", widths.name))
                .help(format!("widen it with `name = {}` in [encoding]", name.len())));
        }
        for run in setup.runs.iter().filter(|r| *r.protocol == *file.protocol.name) {
            for (name, value) in run.given.iter().filter(|(_, v)| v.kind == Kind::Data) {
                let width = widths.of.get(name).copied().unwrap_or(Some(widths.data));
                if width.is_some_and(|w| value.bytes.len() > w) {
                    let (wide, limit) = (value.bytes.len(), width.unwrap_or_default());
                    let here = |key: &str, text: &str| key == &**name && Some(text) == value.text();
                    return Err(place_of(table, here)
                        .problem(format!("this has {wide} bytes and does not fit the untagged width {limit}"))
                        .help(format!("widen it with `{name} = {wide}` in [encoding]")));
                }
            }
        }
    }
    Ok(())
}
/// The string under some key of the scenario's runs or attacker, else a key of its parties.
fn place_of(table: &Reader<'_>, is_meant: impl Fn(&str, &str) -> bool) -> Node {
    let runs = table.get("run").and_then(|n| array(n).ok()).unwrap_or_default();
    for node in runs.iter().chain(table.get("attacker")) {
        for (key, value) in Reader::new(node).map_or(&[][..], |r| r.entries()) {
            if matches!(&value.data, Data::String(text) if is_meant(&key.name, text)) {
                return value.clone();
            }
        }
    }
    let parties = table.get("parties").and_then(|n| Reader::new(n).ok());
    let key = parties.and_then(|p| p.entries().iter().find(|(key, _)| is_meant("", &key.name)));
    match key {
        Some((key, node)) => key.as_value(&node.file),
        None => table.node.clone(),
    }
}
