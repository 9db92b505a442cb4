//! What the arguments mean: a name of the library, a variant of one, a file, a folder, a
//! tag or a group.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mallory::Scenario;
use mallory::notation::fault::suggest;
use mallory::scenario::{self, Problem, Problems, ProtocolFile, Text, files_below, read_text};

/// What there is to say about an argument, for help.
pub const MEANING: &str = "\
A name of the library (dh-mitm), one variant (dh-mitm/weak), a file (story.toml,
story.toml/weak), a folder with all *.toml below it, or a tag or group of the library (pki)";

/// Scenarios that were asked for, and what is wrong with others.
#[derive(Default)]
pub struct Selection {
    /// Scenarios.
    pub scenarios: Vec<Scenario>,
    /// Arguments and files that are wrong.
    pub wrong: Vec<(String, Problems)>,
}

impl Selection {
    /// The scenarios that arguments mean, each once and in their order.
    pub fn of(arguments: &[String]) -> Selection {
        let mut selection = Selection::default();
        for argument in arguments {
            selection.add(argument);
        }
        selection
    }

    /// The same with values set in every scenario; what is wrong then joins what was wrong.
    pub fn with(mut self, parameters: &[String]) -> Selection {
        for scenario in std::mem::take(&mut self.scenarios) {
            let called = scenario.called.clone();
            match parameters.iter().try_fold(scenario, |scenario, word| scenario.set_word(word)) {
                Ok(scenario) => self.scenarios.push(scenario),
                Err(problems) => self.wrong.push((called, problems)),
            }
        }
        self
    }

    /// Every scenario of the library.
    pub fn library() -> Selection {
        let mut selection = Selection::default();
        for entry in scenario::scenarios() {
            selection.keep(&entry.name, Scenario::named(&entry.name));
        }
        selection
    }

    fn keep(&mut self, argument: &str, read: Result<Scenario, Problems>) {
        match read {
            Ok(scenario) => {
                let same = |s: &Scenario| s.called == scenario.called && variants(s) == variants(&scenario);
                if !self.scenarios.iter().any(same) {
                    self.scenarios.push(scenario);
                }
            }
            Err(problems) => self.wrong.push((argument.to_owned(), problems)),
        }
    }

    fn add(&mut self, argument: &str) {
        match Meaning::of(argument) {
            Meaning::Library => self.keep(argument, Scenario::named(argument)),
            Meaning::File(path, variant) => self.keep(argument, from_file(&path, variant.as_deref())),
            Meaning::Folder(path) => {
                let files = match files_below(&path) {
                    Ok(files) => files,
                    Err(problem) => return self.wrong.push((argument.to_owned(), problem.into())),
                };
                let before = self.scenarios.len() + self.wrong.len();
                for file in files.iter().filter(|f| !is_protocol(f)) {
                    self.keep(&file.display().to_string(), Scenario::from_path(file));
                }
                if before == self.scenarios.len() + self.wrong.len() && files.iter().all(|f| is_protocol(f)) {
                    let problem = Problem::nowhere(format!("there is no scenario below {}", path.display()));
                    self.wrong.push((argument.to_owned(), problem.into()));
                }
            }
            Meaning::Tag => {
                let all = Selection::library();
                let tagged = |s: &Scenario| s.group == argument || s.tags.iter().any(|t| t == argument);
                all.scenarios.into_iter().filter(tagged).for_each(|s| self.keep(argument, Ok(s)));
            }
            Meaning::Nothing(problem) => self.wrong.push((argument.to_owned(), problem.into())),
        }
    }
}

fn variants(scenario: &Scenario) -> Vec<Option<&str>> {
    scenario.variants.iter().map(|v| v.name.as_deref()).collect()
}

/// What one argument means.
pub enum Meaning {
    /// A scenario of the library, or a variant of one.
    Library,
    /// A file, and a variant in it.
    File(PathBuf, Option<String>),
    /// A folder.
    Folder(PathBuf),
    /// A tag or a group of the library.
    Tag,
    /// Nothing that there is.
    Nothing(Problem),
}

impl Meaning {
    /// What this argument means: names before files, and files before folders and tags.
    pub fn of(argument: &str) -> Meaning {
        let names: Vec<String> = scenario::scenarios().into_iter().map(|e| e.name).collect();
        let stem = argument.split('/').next().unwrap_or(argument);
        let path = Path::new(argument);
        let has_separator = argument.contains(std::path::is_separator);
        if names.iter().any(|n| n == argument) || (has_separator && names.iter().any(|n| n == stem)) {
            return Meaning::Library;
        }
        if let Some((file, variant)) = argument.rsplit_once(".toml/").filter(|_| !path.exists()) {
            return Meaning::File(PathBuf::from(format!("{file}.toml")), Some(variant.to_owned()));
        }
        if has_separator && path.is_dir() {
            return Meaning::Folder(path.to_owned());
        }
        if argument.ends_with(".toml") || has_separator && path.exists() {
            return Meaning::File(path.to_owned(), None);
        }
        let tags = tags();
        if tags.iter().any(|t| t == argument) {
            return Meaning::Tag;
        }
        if path.is_dir() {
            return Meaning::Folder(path.to_owned());
        }
        Meaning::Nothing(nothing(argument, stem, &names, &tags))
    }
}

fn nothing(argument: &str, stem: &str, names: &[String], tags: &[String]) -> Problem {
    let problem = Problem::nowhere(format!("there is no scenario, file, folder or tag `{argument}`"));
    if scenario::protocols().iter().any(|p| p.name == argument) {
        return problem.help(format!(
            "`{argument}` is a protocol: read it with `mallory explain {argument}`, or play it in a scenario from `mallory new NAME --protocol {argument}`"
        ));
    }
    let words = names.iter().chain(tags).map(String::as_str);
    match suggest(stem, words) {
        Some(near) if near.starts_with("did you mean") => problem.help(near),
        _ => problem.help("`mallory list` shows what there is"),
    }
}

/// Every tag and group of the library.
pub fn tags() -> Vec<String> {
    let all = Selection::library().scenarios;
    let mut tags: Vec<String> = all.into_iter().flat_map(|s| s.tags.into_iter().chain([s.group])).collect();
    tags.sort();
    tags.dedup();
    tags
}

fn from_file(path: &Path, variant: Option<&str>) -> Result<Scenario, Problems> {
    if is_protocol(path) {
        let problem = Problem::nowhere(format!("{} is a protocol and no scenario", path.display()));
        return Err(problem
            .help(format!(
                "`mallory check {0}` checks it; a scenario plays it with `protocol = \"{0}\"`",
                path.display()
            ))
            .into());
    }
    let scenario = Scenario::from_path(path)?;
    match variant {
        Some(variant) => scenario.only(variant),
        None => Ok(scenario),
    }
}

/// Whether a file has a protocol and no scenario.
pub fn is_protocol(path: &Path) -> bool {
    text_of(path).is_ok_and(|text| ProtocolFile::is_one(&text))
}

/// A file's text.
pub fn text_of(path: &Path) -> Result<Arc<Text>, Problems> {
    let shown = path.display().to_string();
    match read_text(path) {
        Ok(text) => Ok(Arc::new(Text { name: shown, text })),
        Err(why) => Err(Problem::nowhere(format!("cannot read {shown}: {why}")).into()),
    }
}
