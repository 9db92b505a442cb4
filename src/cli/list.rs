//! `mallory list`: what there is to play.

use std::io;

use clap::Args;
use mallory::Scenario;
use mallory::notation::fault::suggest;
use mallory::scenario::{self, ProtocolFile};

use super::out::{Out, complain};
use super::select::Selection;
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Lists the scenarios of the library by group: name, title, tags.

  mallory list                every scenario
  mallory list --tag pki      those with a tag
  mallory list --protocols    the protocols that scenarios can name";

/// List what there is to play
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Only scenarios with this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Only scenarios of this group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Protocols in place of scenarios
    #[arg(long, conflicts_with = "group")]
    protocols: bool,
}

/// A line of the table.
struct Row {
    group: String,
    name: String,
    title: String,
    tags: Vec<String>,
}

/// Lists what was asked for.
pub fn list(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let rows = if arguments.protocols { protocols() } else { scenarios() };
    let groups = rows.iter().map(|r| r.group.as_str());
    let tags = rows.iter().flat_map(|r| r.tags.iter().map(String::as_str));
    let unknown = [
        ("tag", &arguments.tag, tags.collect::<Vec<_>>()),
        ("group", &arguments.group, groups.collect::<Vec<_>>()),
    ];
    for (what, wanted, mut valid) in unknown {
        let Some(word) = wanted.as_deref().filter(|w| !valid.contains(w)) else { continue };
        valid.sort_unstable();
        valid.dedup();
        let help = suggest(word, valid).map_or_else(String::new, |help| format!("; {help}"));
        complain(&format!("there is no {what} `{word}`{help}"));
        return Ok(Exit::Input);
    }
    let wanted = |row: &&Row| {
        arguments.tag.as_ref().is_none_or(|t| row.tags.contains(t))
            && arguments.group.as_ref().is_none_or(|g| row.group == *g)
    };
    let rows: Vec<Row> = rows.into_iter().filter(|r| wanted(&r)).collect();
    table(&rows, out)?;
    Ok(Exit::Expected)
}

fn table(rows: &[Row], out: &mut Out) -> io::Result<()> {
    let width = |of: fn(&Row) -> &str| rows.iter().map(|r| of(r).chars().count()).max().unwrap_or(0);
    let (names, titles) = (width(|r| &r.name), width(|r| &r.title));
    let mut group = None;
    for row in rows {
        if group != Some(&row.group) {
            if group.is_some() {
                out.line("")?;
            }
            out.heading(&row.group)?;
            group = Some(&row.group);
        }
        let line = format!("  {:<names$}  {:<titles$}  {}", row.name, row.title, row.tags.join(", "));
        out.line(line.trim_end())?;
    }
    Ok(())
}

fn scenarios() -> Vec<Row> {
    let selection = Selection::library();
    let broken = selection.wrong.into_iter().map(|(name, _)| Row {
        title: format!("does not load: see `mallory check {name}`"),
        name,
        group: "broken".to_owned(),
        tags: Vec::new(),
    });
    let row = |s: Scenario| Row { group: s.group, name: s.name, title: s.title, tags: s.tags };
    selection.scenarios.into_iter().map(row).chain(broken).collect()
}

fn protocols() -> Vec<Row> {
    let row = |entry: scenario::Entry| match ProtocolFile::named(&entry.name) {
        Ok(file) => Row { group: entry.group, name: entry.name, title: file.title, tags: file.tags },
        Err(_) => Row {
            title: format!("does not load: see `mallory check {}`", entry.name),
            name: entry.name,
            group: entry.group,
            tags: Vec::new(),
        },
    };
    scenario::protocols().into_iter().map(row).collect()
}
