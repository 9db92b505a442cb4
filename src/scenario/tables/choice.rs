//! Which protocols a scenario plays: of the library, of a file of its own, or inline.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::scenario::files::read_text;
use crate::scenario::library;
use crate::scenario::problem::{Problem, Problems, Text};
use crate::scenario::protocol_file::{self, ProtocolFile};
use crate::scenario::reader::Reader;
use crate::scenario::toml_tree::{Data, Node};

/// The protocol of a scenario in which nobody runs any.
const NO_PROTOCOL: &str = r#"messages = ["A -> B : A"]"#;

/// The scenario's protocol and those of single runs. `folder` is where paths start.
pub fn protocols(table: &Reader<'_>, runs: &[Node], folder: &Path) -> Result<Vec<ProtocolFile>, Problems> {
    let mut protocols = Vec::new();
    match table.get("protocol") {
        Some(node) => protocols.push(protocol(node, folder)?),
        // A story of requests alone needs no protocol of its own.
        None if table.get("request").is_some() && table.get("run").is_none() => {
            let text = Text { name: "requests".to_owned(), text: NO_PROTOCOL.to_owned() };
            protocols.push(protocol_file::read(&Node::parse(&Arc::new(text))?, "requests")?);
        }
        None => return Err(no_protocol(table).into()),
    }
    for run in runs {
        if let Some(node) = Reader::new(run)?.get("protocol") {
            let file = protocol(node, folder)?;
            if !protocols.iter().any(|p: &ProtocolFile| p.protocol.name == file.protocol.name) {
                protocols.push(file);
            }
        }
    }
    Ok(protocols)
}

/// The problem that no protocol is named, at the place where it stands if it slipped into a table.
fn no_protocol(table: &Reader<'_>) -> Problem {
    let slipped = table.entries().iter().find_map(|(key, node)| match &node.data {
        Data::Table(inner) => Some((key, &inner.iter().find(|(key, _)| key.name == "protocol")?.0)),
        _ => None,
    });
    match slipped {
        Some((key, inner)) => {
            let message = format!("`protocol` stands under [{}]", key.name);
            Problem::at(&table.node.file, inner.range.clone(), message)
                .help("write it at the top of the file, before any table")
        }
        None => table.missing("protocol").help("name one of the library, or write it inline as [protocol]"),
    }
}

/// The name of a protocol that stands in the library or in a file.
pub fn name_of(of: &str) -> String {
    let stem = Path::new(of).file_stem().and_then(|s| s.to_str());
    stem.unwrap_or(of).to_owned()
}

/// A protocol: a name of the library, a path, or an inline table.
fn protocol(node: &Node, folder: &Path) -> Result<ProtocolFile, Problems> {
    let Data::String(of) = &node.data else { return protocol_file::read(node, "inline") };
    let name = name_of(of);
    if crate::party::SERVICE_PROTOCOLS.contains(&name.as_str()) {
        return Err(node.problem(format!("`{name}` names messages outside the notation")).into());
    }
    let text = if of.ends_with(".toml") {
        let path: PathBuf = folder.join(of);
        let text =
            read_text(&path).map_err(|why| node.problem(format!("cannot read {}: {why}", path.display())))?;
        Arc::new(Text { name: path.display().to_string(), text })
    } else {
        let Some(entry) = library::protocol(of) else {
            let names: Vec<String> = library::protocols().into_iter().map(|e| e.name).collect();
            let mut problem = node.problem(format!("there is no protocol `{of}` in the library"));
            problem.help = crate::notation::fault::suggest(of, names.iter().map(String::as_str));
            return Err(problem.into());
        };
        entry.text
    };
    let tree = Node::parse(&text)?;
    protocol_file::read(&tree, &name)
}
