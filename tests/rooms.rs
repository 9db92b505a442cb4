//! The house's plan, held against its walls: a room imports only from rooms below it, in the
//! order of the table in `docs/ARCHITECTURE.md`, and files do not import one another in circles.
//!
//! `cargo test --test rooms -- --nocapture` lists who imports from whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
}

/// The path of a file's module from the crate's root: `scenario/setup.rs` is `scenario::setup`,
/// `scenario/mod.rs` is `scenario`.
fn module(file: &Path) -> Vec<String> {
    let inner = file.strip_prefix(source()).unwrap().with_extension("");
    let mut parts: Vec<String> = inner.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The text without comments and without the tests in it, which may look anywhere.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect()
}

/// Every path that follows `from` in the text, as far as it consists of names in small letters;
/// a list in braces gives several.
fn paths(text: &str, from: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(from) {
        let is_inside = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        if !is_inside {
            branches(&text[at + from.len()..], &[], &mut found);
        }
    }
    found
}

/// Reads `a::b`, `{a::B, c}` after `before`; gives what is left.
fn branches<'a>(text: &'a str, before: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        while !rest.trim_start().starts_with('}') && !rest.is_empty() {
            rest = branches(rest, before, found).trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        return rest.trim_start().strip_prefix('}').unwrap_or("");
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let is_module = name.starts_with(|c: char| c.is_lowercase());
    let path: Vec<String> = before.iter().cloned().chain(is_module.then(|| name.to_owned())).collect();
    match rest.strip_prefix("::") {
        Some(rest) if is_module => branches(rest, &path, found),
        _ => {
            found.push(path);
            // An alias, or a character that is no part of a path: on by one at least.
            let end = rest.find([',', '}', ';']).unwrap_or(rest.len());
            if name.is_empty() && end == 0 { rest.get(1..).unwrap_or("") } else { &rest[end..] }
        }
    }
}

/// The modules that a file names, as paths from the root.
fn imports(file: &Path) -> BTreeSet<Vec<String>> {
    let (text, own) = (code(file), module(file));
    let is_mod = file.ends_with("mod.rs");
    let parent: &[String] = if is_mod { &own } else { &own[..own.len().saturating_sub(1)] };
    let mut all: BTreeSet<Vec<String>> = paths(&text, "crate::").into_iter().collect();
    for path in paths(&text, "super::") {
        let above = if is_mod { &parent[..parent.len().saturating_sub(1)] } else { parent };
        all.insert(above.iter().cloned().chain(path).collect());
    }
    all
}

/// The rooms of the table, from the roof down; those in one row share a floor.
fn floors() -> BTreeMap<String, usize> {
    let plan =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ARCHITECTURE.md")).unwrap();
    let rows = plan.lines().skip_while(|line| !line.starts_with("| room |")).skip(2);
    let mut floors = BTreeMap::new();
    for (floor, row) in rows.take_while(|line| line.starts_with('|')).enumerate() {
        let names = row.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2);
        for name in names {
            floors.insert(name.trim_end_matches('/').trim_end_matches(".rs").to_owned(), floor);
        }
    }
    floors
}

fn all_files() -> Vec<PathBuf> {
    let mut all = Vec::new();
    files(&source(), &mut all);
    all
}

#[test]
fn a_room_imports_only_from_rooms_below_it() {
    let floors = floors();
    assert!(floors.len() > 12, "the table was read: {floors:?}");
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in all_files() {
        let own = module(&file);
        let Some(room) = own.first().filter(|room| !["lib", "main"].contains(&room.as_str())) else {
            continue;
        };
        let Some(floor) = floors.get(room) else {
            wrong.push(format!("{room} is no room of docs/ARCHITECTURE.md"));
            continue;
        };
        for of in imports(&file).iter().filter_map(|path| path.first()).filter(|of| *of != room) {
            seen.entry(room.clone()).or_default().insert(of.clone());
            // Rooms that all share a floor at the bottom may know one another.
            let is_below = floors.get(of).is_none_or(|below| {
                below > floor || (below == floor && *floor == floors.values().copied().max().unwrap_or(0))
            });
            if !is_below {
                wrong.push(format!("{} imports from {of}, which is not below {room}", own.join("::")));
            }
        }
    }
    for (room, of) in &seen {
        println!("{room}: {}", of.iter().cloned().collect::<Vec<_>>().join(" "));
    }
    assert!(seen.len() > 10, "imports were found: {seen:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_do_not_import_one_another_in_circles() {
    let all = all_files();
    let names: BTreeMap<Vec<String>, usize> = all
        .iter()
        .enumerate()
        .filter(|(_, file)| !file.ends_with("mod.rs"))
        .map(|(nth, file)| (module(file), nth))
        .collect();
    // A folder's `mod.rs` declares its files, which use what it has: that is no circle of files.
    let of = |file: &PathBuf| -> Vec<usize> {
        let longest =
            |path: &Vec<String>| (1..=path.len()).rev().find_map(|len| names.get(&path[..len]).copied());
        imports(file).iter().filter_map(longest).collect()
    };
    let edges: Vec<Vec<usize>> = all.iter().map(of).collect();
    let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
    for start in names.values() {
        let there = reached(*start, &edges);
        let circle: Vec<String> = names
            .iter()
            .filter(|(_, at)| there.contains(at) && reached(**at, &edges).contains(start))
            .map(|(name, _)| name.join("::"))
            .collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    assert!(edges.iter().map(Vec::len).sum::<usize>() > 100, "imports were found");
    assert!(circles.is_empty(), "{circles:#?}");
}

/// The files to which imports lead from this one.
fn reached(start: usize, edges: &[Vec<usize>]) -> BTreeSet<usize> {
    let mut there = BTreeSet::new();
    let mut open = edges[start].clone();
    while let Some(at) = open.pop() {
        if there.insert(at) {
            open.extend(&edges[at]);
        }
    }
    there
}
