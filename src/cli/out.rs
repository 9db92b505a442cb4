//! Standard output and standard error, and whether they are coloured.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use clap::ValueEnum;
use mallory::legible::{legible, legible_lines};
use mallory::report::chart::LEAST_WIDTH;
use mallory::scenario::{Problem, Problems};

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

impl When {
    fn on(self, stream: &impl anstream::stream::RawStream) -> bool {
        match self {
            When::Auto => anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never,
            When::Always => true,
            When::Never => false,
        }
    }
}

/// Where a command writes.
pub struct Out {
    out: BufWriter<Stdout>,
    color: bool,
    color_of_errors: bool,
}

impl Out {
    /// Standard output and standard error.
    pub fn new(color: When) -> Out {
        Out {
            color: color.on(&io::stdout()),
            color_of_errors: color.on(&io::stderr()),
            out: BufWriter::new(io::stdout()),
        }
    }

    /// Whether standard output is coloured.
    pub fn color(&self) -> bool {
        self.color
    }

    /// How many columns there are: those of the terminal, or of one that is not there.
    pub fn width(&self) -> usize {
        let terminal = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
        terminal.map_or(LEAST_WIDTH, |(width, _)| usize::from(width.0))
    }

    /// Writes text of our own making, as it is: a script.
    pub fn raw(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    /// Writes text of several lines. Whatever in it a terminal would obey is written out, but for
    /// our own colours.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        let text = if self.color { legible_in_colors(text) } else { legible_lines(text) };
        self.out.write_all(text.as_bytes())
    }

    /// Writes text and ends the line.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.text(text)?;
        self.raw("\n")
    }

    /// Writes a line whose first word is green or red.
    pub fn verdict(&mut self, good: bool, word: &str, rest: &str) -> io::Result<()> {
        let (word, rest) = (legible(word), legible(rest));
        if self.color {
            let code = if good { "32" } else { "1;31" };
            return self.line(&format!("\x1b[{code}m{word}\x1b[0m{rest}"));
        }
        self.line(&format!("{word}{rest}"))
    }

    /// Writes a heading, on one line.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = legible(text);
        if self.color { self.line(&format!("\x1b[1m{text}\x1b[0m")) } else { self.line(&text) }
    }

    /// Writes a problem with the lines of its file.
    pub fn problem(&mut self, problem: &Problem) -> io::Result<()> {
        let text = problem.render(self.color);
        self.line(&text)
    }

    /// Writes problems to standard error, after what was written so far.
    pub fn complain_of(&mut self, problems: &Problems) -> io::Result<()> {
        self.flush()?;
        for problem in &problems.0 {
            let text = problem.render(self.color_of_errors);
            let text = if self.color_of_errors { legible_in_colors(&text) } else { legible_lines(&text) };
            let _ = writeln!(io::stderr(), "{text}");
        }
        Ok(())
    }

    /// Sends on what was written so far.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes a line to standard error; one that nobody reads is lost.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "mallory: {}", legible(text));
}

/// Says what is wrong with the command's arguments, which the text repeats.
pub fn complain_of_arguments(error: &clap::Error) {
    let text = match When::Auto.on(&io::stderr()) {
        true => legible_in_colors(&error.render().ansi().to_string()).into_owned(),
        false => legible_lines(&error.render().to_string()).into_owned(),
    };
    let _ = write!(io::stderr(), "{text}");
}

/// Text in which the codes for colours stay. What others wrote in it was made legible where it was
/// put in, so that these are ours.
fn legible_in_colors(text: &str) -> Cow<'_, str> {
    let mut parts = text.split("\x1b[");
    let mut out = legible_lines(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(part.len());
        let is_color = part[end..].starts_with('m');
        out.push_str(if is_color { "\x1b[" } else { "\\u001b[" });
        out.push_str(&legible_lines(part));
    }
    Cow::Owned(out)
}

/// Whether somebody watches standard error.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// The greatest width of a paragraph: longer lines are tiring to read.
const WIDTH: usize = 96;
/// Whatever the terminal, a line has room for a word.
const LEAST: usize = 20;

/// How wide the terminal is, if there is one or COLUMNS says so.
fn columns() -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let watched = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    said.or_else(watched).filter(|columns| *columns > 0)
}

/// Paragraphs, broken into lines and indented.
pub fn wrapped(text: &str, indent: usize) -> String {
    let width = columns().unwrap_or(WIDTH).clamp(LEAST, WIDTH);
    let indent = " ".repeat(indent);
    let paragraphs = text.trim().split("\n\n").map(|paragraph| broken(paragraph, width, &indent, &indent));
    paragraphs.collect::<Vec<_>>().join("\n")
}

/// A line, broken where the terminal ends; what follows stands further in.
pub fn folded(line: &str) -> String {
    let Some(width) = columns().map(|columns| columns.max(LEAST)) else { return format!("{line}\n") };
    if line.chars().count() <= width {
        return format!("{line}\n");
    }
    let indent = &line[..line.len() - line.trim_start().len()];
    broken(line, width, indent, &format!("{indent}    "))
}

fn broken(text: &str, width: usize, first: &str, next: &str) -> String {
    let mut lines = String::from(first);
    let mut column = first.len();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !is_empty && column + 1 + length > width {
            lines.push('\n');
            lines.push_str(next);
            column = next.len();
        } else if !is_empty {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
        is_empty = false;
    }
    lines.push('\n');
    lines
}
