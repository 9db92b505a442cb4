//! The library: scenario and protocol files in the binary. A file is found by being there.

use std::sync::Arc;

use include_dir::{Dir, File, include_dir};

use super::problem::Text;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// The folder of protocols.
const PROTOCOLS: &str = "protocols";

/// The name, the group and the text of a file.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The file's name without its ending.
    pub name: String,
    /// The folder in which it is.
    pub group: String,
    /// Its text.
    pub text: Arc<Text>,
}

fn entries(dir: &'static Dir<'_>, found: &mut Vec<&'static File<'static>>) {
    found.extend(dir.files().filter(|f| f.path().extension().is_some_and(|e| e == "toml")));
    dir.dirs().for_each(|d| entries(d, found));
}

fn all() -> Vec<Entry> {
    let mut files = Vec::new();
    entries(&FILES, &mut files);
    let entry = |file: &File<'_>| {
        let path = file.path();
        Some(Entry {
            name: path.file_stem()?.to_str()?.to_owned(),
            group: path.parent()?.to_str()?.to_owned(),
            text: Arc::new(Text {
                name: format!("scenarios/{}", path.display()),
                text: file.contents_utf8()?.to_owned(),
            }),
        })
    };
    let mut all: Vec<Entry> = files.into_iter().filter_map(entry).collect();
    all.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    all
}

/// Every scenario, by group and name.
pub fn scenarios() -> Vec<Entry> {
    all().into_iter().filter(|e| e.group != PROTOCOLS).collect()
}

/// Every protocol, by name.
pub fn protocols() -> Vec<Entry> {
    all().into_iter().filter(|e| e.group == PROTOCOLS).collect()
}

/// The protocol of this name.
pub fn protocol(name: &str) -> Option<Entry> {
    protocols().into_iter().find(|e| e.name == name)
}

/// The scenario of this name.
pub fn scenario(name: &str) -> Option<Entry> {
    scenarios().into_iter().find(|e| e.name == name)
}
