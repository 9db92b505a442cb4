//! What is wrong with a file: one problem with its place, shown as people expect it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

#[cfg(feature = "cli")]
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::legible::legible;

/// A file's name and text. Both are empty where a problem stands in no file.
#[derive(Debug, Default)]
pub struct Text {
    /// The path, or the name in the library.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// One thing wrong with a file (or, as a warning, unwise).
#[derive(Clone, Debug)]
pub struct Problem {
    /// The file.
    pub file: Arc<Text>,
    /// The bytes that are meant.
    pub range: Range<usize>,
    /// Where it stands in a text that nobody wrote: the keys that lead there, as in `run.0.at`.
    pub path: Option<Box<str>>,
    /// A lower-case fragment.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// The variants that have it, where others of the file do not.
    pub variants: Vec<String>,
    /// Whether it is only a warning.
    pub is_warning: bool,
}

impl Problem {
    /// A problem that stands in no file: a name of the command line, a file that cannot be read.
    pub fn nowhere(message: impl Into<String>) -> Problem {
        Problem::at(&Arc::default(), 0..0, message)
    }

    /// A problem at a place.
    pub fn at(file: &Arc<Text>, range: Range<usize>, message: impl Into<String>) -> Problem {
        let mut end = range.end.min(file.text.len());
        let mut start = range.start.min(end);
        while !file.text.is_char_boundary(start) {
            start -= 1;
        }
        while !file.text.is_char_boundary(end) {
            end += 1;
        }
        Problem {
            file: file.clone(),
            range: start..end,
            path: None,
            message: message.into(),
            help: None,
            variants: Vec::new(),
            is_warning: false,
        }
    }

    /// The same with advice.
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// The same of a text of this name, of which none is at hand.
    pub(super) fn of_text_of_ours(self, name: &str) -> Problem {
        let file = Arc::new(Text { name: name.to_owned(), text: String::new() });
        Problem { file, range: 0..0, path: Some(Box::default()), ..self }
    }

    /// The file's name, and the path in it where nobody wrote lines.
    fn whereabouts(&self) -> String {
        match self.path.as_deref() {
            None | Some("") => self.file.name.clone(),
            Some(path) => format!("{}: {path}", self.file.name),
        }
    }

    /// The line and the column, both from 1; columns count characters.
    pub fn line_column(&self) -> (usize, usize) {
        let before = &self.file.text[..self.range.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    fn in_variants(&self) -> Option<String> {
        let names: Vec<String> = self.variants.iter().map(|name| format!("`{}`", legible(name))).collect();
        match names.as_slice() {
            [] => None,
            [one] => Some(format!("in variant {one}")),
            several => Some(format!("in variants {}", several.join(", "))),
        }
    }

    /// The problem with its lines of the file, for a terminal; without the feature `cli` on one line,
    /// without colours.
    #[cfg(not(feature = "cli"))]
    pub fn render(&self, _color: bool) -> String {
        let level = if self.is_warning { "warning" } else { "error" };
        format!("{level}: {self}")
    }

    /// The problem with its lines of the file, for a terminal.
    #[cfg(feature = "cli")]
    pub fn render(&self, color: bool) -> String {
        let whereabouts = self.whereabouts();
        let (message, path) = (legible(&self.message), legible(&whereabouts));
        let level = if self.is_warning { Level::WARNING } else { Level::ERROR };
        let title = level.primary_title(&*message);
        let mut group = if self.file.name.is_empty() {
            Group::with_title(title)
        } else if self.file.text.is_empty() || self.path.is_some() {
            title.element(Origin::path(&*path))
        } else {
            let snippet = Snippet::source(&self.file.text).path(&*path);
            title.element(snippet.annotation(AnnotationKind::Primary.span(self.range.clone())))
        };
        let variants = self.in_variants();
        if let Some(variants) = &variants {
            group = group.element(Level::NOTE.message(variants));
        }
        let help = self.help.as_deref().map(legible);
        if let Some(help) = &help {
            group = group.element(Level::HELP.message(&**help));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group]).to_string()
    }
}

impl fmt::Display for Problem {
    /// `file:line:column: message, in variant … (help)`, on one line; `name: path: message …` of
    /// what a program set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        if !self.file.name.is_empty() {
            f.write_str(&legible(&self.whereabouts()))?;
            match self.path {
                Some(_) => f.write_str(": ")?,
                None => write!(f, ":{line}:{column}: ")?,
            }
        }
        f.write_str(&legible(&self.message))?;
        self.in_variants().map_or(Ok(()), |variants| write!(f, ", {variants}"))?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({})", legible(help)))
    }
}

/// Everything wrong with a file.
#[derive(Clone, Debug, Default)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Problems(vec![problem])
    }
}
