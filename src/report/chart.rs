//! A sequence chart in characters, for a terminal: lifelines, arrows, what somebody does beside
//! its line. What is a colour on a terminal is a word or a mark, too.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::sequence::{Act, Lives, Row, Sequence};
use super::telling::Tone;

/// The least width of a chart, in columns.
pub const LEAST_WIDTH: usize = 80;
/// The greatest: lines that are longer are not read.
const MOST_WIDTH: usize = 160;
/// The least distance of two lifelines.
const LEAST_GAP: usize = 12;
/// The room from which on a text stands to the right of its lifeline.
const AMPLE_TEXT: usize = 30;
/// The least room in which a text is wrapped.
const LEAST_TEXT: usize = 16;

/// The chart, in so many columns, in colours or not.
pub fn chart(sequence: &Sequence, width: usize, color: bool) -> String {
    let drawing = Drawing::of(sequence, width.clamp(LEAST_WIDTH, MOST_WIDTH));
    let mut text = String::new();
    for line in drawing.lines(sequence) {
        text.push_str(&line.show(color));
        text.push('\n');
    }
    text
}

/// Where things stand.
struct Drawing {
    width: usize,
    /// The columns of times and places, and where they end.
    times: usize,
    margin: usize,
    /// The column of each lifeline.
    columns: Vec<usize>,
    /// The most columns that a name takes.
    name: usize,
}

/// A line of cells.
struct Line(Vec<(Tone, Cell)>);

#[derive(Clone, PartialEq, Eq)]
enum Cell {
    Is(String),
    /// The second half of a wide character.
    Covered,
}

impl Drawing {
    fn of(sequence: &Sequence, width: usize) -> Drawing {
        let times = sequence.rows.iter().map(|row| row.at.width()).max().unwrap_or(0).max(5);
        let places = sequence.rows.iter().map(|row| row.place.width()).max().unwrap_or(0).max(3);
        let margin = 1 + times + 1 + places + 1;
        let count = sequence.lifelines.len();
        let longest = sequence.lifelines.iter().map(|life| life.name.width()).max().unwrap_or(0);
        // The last one has room for what is noted at it.
        let room = width.saturating_sub(margin + longest);
        let gap = (room / count.max(1)).clamp(LEAST_GAP, (longest + 4).max(26));
        let first = margin + longest.min(gap - 2) / 2 + 1;
        let columns = (0..count).map(|nth| first + nth * gap).collect::<Vec<_>>();
        let width = width.max(columns.last().map_or(0, |last| last + 2));
        Drawing { width, times, margin, columns, name: gap - 2 }
    }

    fn lines(&self, sequence: &Sequence) -> Vec<Line> {
        let mut lines = vec![self.names(sequence), self.bars()];
        for row in &sequence.rows {
            let begin = lines.len();
            match &row.act {
                Act::Arrow { from, to, is_lost, text, fates } => {
                    self.beside(*from.min(to), text, row.tone, &mut lines);
                    lines.push(self.arrow(*from, *to, *is_lost, row.tone));
                    fates.iter().for_each(|fate| self.beside(*to, fate, Tone::Attacker, &mut lines));
                }
                Act::Note { by, text, asides } => {
                    self.beside(*by, &format!("{}{text}", row.mark()), row.tone, &mut lines);
                    asides.iter().for_each(|aside| self.beside(*by, aside, Tone::Dim, &mut lines));
                }
            }
            self.label(&mut lines[begin], row);
        }
        lines.push(self.bars());
        let left_out = |count: usize, what: &str| match count {
            0 => None,
            count => Some(Line::of(self.margin, Tone::Dim, &format!("… {count} {what}"))),
        };
        lines.extend(left_out(sequence.left_out, "more rows: narrow with --only, --from and --to"));
        lines.extend(left_out(sequence.folded, "messages of services are not drawn: their requests are"));
        lines
    }

    /// Names, each over its line.
    fn names(&self, sequence: &Sequence) -> Line {
        let mut line = Line::blank(self.width);
        for (life, column) in sequence.lifelines.iter().zip(&self.columns) {
            let name = cut(&life.name, self.name);
            let tone = if life.kind == Lives::Attacker { Tone::Attacker } else { Tone::Plain };
            line.put((column + 1).saturating_sub(name.width().div_ceil(2)), tone, &name);
        }
        line
    }

    fn bars(&self) -> Line {
        let mut line = Line::blank(self.width);
        self.columns.iter().for_each(|column| line.put(*column, Tone::Dim, "│"));
        line
    }

    fn label(&self, line: &mut Line, row: &Row) {
        line.put(1, Tone::Dim, &format!("{:>width$} {}", row.at, row.place, width = self.times));
    }

    /// A text beside a lifeline: to its right, or to its left where that has more room.
    fn beside(&self, nth: usize, text: &str, tone: Tone, lines: &mut Vec<Line>) {
        let column = self.columns[nth];
        let right = self.width.saturating_sub(column + 2);
        let left = column.saturating_sub(self.margin + 2);
        let to_right = text.width() <= right || right >= AMPLE_TEXT || right >= left;
        let room = if to_right { right } else { left };
        let pieces = wrap(text, room.max(LEAST_TEXT));
        let longest = pieces.iter().map(|piece| piece.width()).max().unwrap_or(0);
        let begin = if to_right { column + 2 } else { column.saturating_sub(longest + 1) };
        for piece in pieces {
            let mut line = self.bars();
            line.clear(begin.saturating_sub(1)..begin + piece.width() + 1, column);
            line.put(begin, tone, &piece);
            lines.push(line);
        }
    }

    /// `├───┼──▶│`, or to the left; what is lost ends on its way.
    fn arrow(&self, from: usize, to: usize, is_lost: bool, tone: Tone) -> Line {
        let mut line = self.bars();
        if from == to {
            line.put(self.columns[from] + 1, tone, "⟲");
            return line;
        }
        let (left, right) = (self.columns[from.min(to)], self.columns[from.max(to)]);
        for column in left + 1..right {
            let crosses = self.columns.contains(&column);
            line.put(column, tone, if crosses { "┼" } else { "─" });
        }
        let (tail, head, end) = if from < to { ("├", "▶", right - 1) } else { ("┤", "◀", left + 1) };
        line.put(self.columns[from], tone, tail);
        if is_lost {
            let middle = left + (right - left) / 2;
            let beyond = if from < to { middle + 1..right } else { left + 1..middle };
            let bars = self.bars();
            beyond.for_each(|column| line.0[column] = bars.0[column].clone());
            line.put(middle, tone, "╳");
        } else {
            line.put(end, tone, head);
        }
        line
    }
}

/// A name in so many columns.
fn cut(name: &str, most: usize) -> String {
    if name.width() <= most {
        return name.to_owned();
    }
    let mut short = String::new();
    for c in name.chars() {
        if short.width() + c.width().unwrap_or(0) + 1 > most {
            break;
        }
        short.push(c);
    }
    short + "…"
}

/// A text in lines of so many columns, broken between words, but not between a value and its
/// fingerprint; what has no blank is broken anywhere.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    const NO_BREAK: &str = "\u{a0}#";
    let options = textwrap::Options::new(room)
        .subsequent_indent("  ")
        .word_separator(textwrap::WordSeparator::AsciiSpace);
    let joined = text.replace(" #", NO_BREAK);
    textwrap::wrap(&joined, options).into_iter().map(|line| line.replace(NO_BREAK, " #")).collect()
}

impl Line {
    fn blank(width: usize) -> Line {
        Line(vec![(Tone::Plain, Cell::Is(" ".to_owned())); width])
    }

    fn of(begin: usize, tone: Tone, text: &str) -> Line {
        let mut line = Line::blank(begin);
        line.put(begin, tone, text);
        line
    }

    /// Blanks out a range, but for what stands in one column.
    fn clear(&mut self, range: Range<usize>, but: usize) {
        for column in range.filter(|column| *column != but) {
            if let Some(cell) = self.0.get_mut(column) {
                *cell = (Tone::Plain, Cell::Is(" ".to_owned()));
            }
        }
    }

    fn put(&mut self, begin: usize, tone: Tone, text: &str) {
        let mut column = begin;
        for c in text.chars() {
            let width = c.width().unwrap_or(0);
            if width == 0 {
                // It joins the character before it.
                if let Some((_, Cell::Is(before))) = column.checked_sub(1).and_then(|at| self.0.get_mut(at)) {
                    before.push(c);
                }
                continue;
            }
            while self.0.len() < column + width {
                self.0.push((Tone::Plain, Cell::Is(" ".to_owned())));
            }
            self.0[column] = (tone, Cell::Is(c.to_string()));
            (column + 1..column + width).for_each(|next| self.0[next] = (tone, Cell::Covered));
            column += width;
        }
    }

    /// The line, without the blanks at its end.
    fn show(&self, color: bool) -> String {
        let blank = |cell: &(Tone, Cell)| matches!(&cell.1, Cell::Is(text) if text == " ");
        let end = self.0.iter().rposition(|cell| !blank(cell)).map_or(0, |last| last + 1);
        let mut text = String::new();
        let mut ink = "";
        for (tone, cell) in &self.0[..end] {
            let Cell::Is(shown) = cell else { continue };
            let code = if color && shown != " " { tone.ansi() } else { "" };
            if code != ink {
                text.push_str(if ink.is_empty() { "" } else { "\x1b[0m" });
                text.push_str(code);
                ink = code;
            }
            text.push_str(shown);
        }
        text + if ink.is_empty() { "" } else { "\x1b[0m" }
    }
}
