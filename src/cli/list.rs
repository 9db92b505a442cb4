//! `mallory list`: what there is to play.

use std::io;

use clap::Args;
use mallory::Scenario;
use mallory::legible::legible;
use mallory::notation::fault::suggest;
use mallory::scenario::{self, ProtocolFile};

use super::out::{Out, complain};
use super::select::Selection;
use super::{EXIT_CODES, Exit};

const ABOUT: &str = "\
Lists the scenarios of the library by group: name, title, tags. Filters narrow one another.

  mallory list                     every scenario
  mallory list reflection          those that speak of a word
  mallory list --tag pki           those with a tag
  mallory list --protocol nssk     those that play a protocol
  mallory list --breaks secrecy --needs insider
  mallory list --protocols         the protocols that scenarios can name";

/// List what there is to play
#[derive(Args)]
#[command(long_about = ABOUT, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Only what has all of these words in its name, title, tags, story or reference
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Only scenarios with this tag; several times, with all of them
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Only scenarios of this group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Only scenarios in which this protocol of the library is played
    #[arg(long, value_name = "PROTOCOL", conflicts_with = "protocols")]
    protocol: Option<String>,
    /// Only attacks on this property: authentication, secrecy, forward-secrecy, attribution
    #[arg(long, value_name = "PROPERTY", conflicts_with = "protocols")]
    breaks: Option<String>,
    /// Only attacks for which it takes more than the network
    ///
    /// `insider`: keys of her own, and honest parties who talk to her; `both-roles`: a party
    /// that plays either role; `untagged`: fields without types; `old-session-key`,
    /// `leaked-nonce`, `stolen-key`, `compromised-key`, `compromised-state`: a secret that is
    /// not one any more; `lax-ca`: an authority that certifies any key; `weak-password`: one
    /// that a list of words has; `quantum-computer`: logarithms and factors, years later
    #[arg(long, value_name = "POWER", conflicts_with = "protocols")]
    needs: Option<String>,
    /// Only attacks that were published in this year
    #[arg(long, value_name = "YEAR", conflicts_with = "protocols")]
    year: Option<String>,
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
    /// The protocols that its variants play.
    plays: Vec<String>,
    /// Its story and where it is published.
    about: String,
}

impl Row {
    /// Whether it has these letters anywhere, in small ones or capitals.
    fn says(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let texts = [&self.name, &self.title, &self.about].into_iter().chain(&self.tags);
        texts.into_iter().any(|text| text.to_lowercase().contains(&word))
    }

    /// Its tags that begin so, without that.
    fn tagged<'a>(&'a self, prefix: &'a str) -> Vec<&'a str> {
        self.tags.iter().filter_map(|t| t.strip_prefix(prefix)).collect()
    }

    fn years(&self) -> Vec<&str> {
        self.tagged("").into_iter().filter(|t| t.len() == 4 && t.parse::<u16>().is_ok()).collect()
    }
}

/// What a filter asks for, and the words of a row among which it must be.
struct Filter<'a> {
    what: &'static str,
    wanted: &'a str,
    words: fn(&Row) -> Vec<&str>,
}

/// The filters that were given.
fn filters(arguments: &Arguments) -> Vec<Filter<'_>> {
    type Given<'a> = (&'static str, Option<&'a String>, fn(&Row) -> Vec<&str>);
    let all: [Given<'_>; 5] = [
        ("group", arguments.group.as_ref(), |row| vec![&row.group]),
        ("scenario with the protocol", arguments.protocol.as_ref(), |row| {
            row.plays.iter().map(String::as_str).collect()
        }),
        ("scenario that breaks", arguments.breaks.as_ref(), |row| row.tagged("breaks:")),
        ("scenario that needs", arguments.needs.as_ref(), |row| row.tagged("needs:")),
        ("scenario of the year", arguments.year.as_ref(), |row| row.years()),
    ];
    let tags =
        arguments.tags.iter().map(|tag| Filter { what: "tag", wanted: tag, words: |row| row.tagged("") });
    let others = all
        .into_iter()
        .filter_map(|(what, wanted, words)| Some(Filter { what, wanted: wanted?.as_str(), words }));
    tags.chain(others).collect()
}

/// Lists what was asked for.
pub fn list(arguments: &Arguments, out: &mut Out) -> io::Result<Exit> {
    let mut rows = if arguments.protocols { protocols() } else { scenarios() };
    let filters = filters(arguments);
    for Filter { what, wanted, words } in &filters {
        let mut valid: Vec<&str> = rows.iter().flat_map(words).collect();
        if valid.contains(wanted) {
            continue;
        }
        valid.sort_unstable();
        valid.dedup();
        let help = suggest(wanted, valid).map_or_else(String::new, |help| format!("; {help}"));
        complain(&format!("there is no {what} `{wanted}`{help}"));
        return Ok(Exit::Input);
    }
    rows.retain(|row| filters.iter().all(|f| (f.words)(row).contains(&f.wanted)));
    rows.retain(|row| arguments.words.iter().all(|word| row.says(word)));
    if rows.is_empty() {
        complain("nothing fits all of these");
    }
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
        out.line(&legible(line.trim_end()))?;
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
        plays: Vec::new(),
        about: String::new(),
    });
    let known: Vec<String> = scenario::protocols().into_iter().map(|e| e.name).collect();
    let plays = |s: &Scenario| {
        let files = s.variants.iter().flat_map(|v| v.setup.protocol_files());
        files.map(|f| f.protocol.name.clone()).filter(|name| known.contains(name)).collect()
    };
    let row = |s: Scenario| Row {
        plays: plays(&s),
        about: format!("{} {}", s.about, s.reference),
        group: s.group,
        name: s.name,
        title: s.title,
        tags: s.tags,
    };
    selection.scenarios.into_iter().map(row).chain(broken).collect()
}

fn protocols() -> Vec<Row> {
    let row = |entry: scenario::Entry| match ProtocolFile::named(&entry.name) {
        Ok(file) => Row {
            group: entry.group,
            name: entry.name,
            title: file.title,
            tags: file.tags,
            plays: Vec::new(),
            about: format!("{} {}", file.about, file.reference),
        },
        Err(_) => Row {
            title: format!("does not load: see `mallory check {}`", entry.name),
            name: entry.name,
            group: entry.group,
            tags: Vec::new(),
            plays: Vec::new(),
            about: String::new(),
        },
    };
    scenario::protocols().into_iter().map(row).collect()
}
