//! Text of others' making, as it may be shown: titles, payloads, names, paths. Whatever would
//! move the cursor, colour the terminal, begin a line of its own or turn the direction of writing
//! is written out, as one writes it in TOML and JSON: `\n`, `\u001b`.

use std::borrow::Cow;

/// The text on one line, with nothing in it but what one sees.
pub fn legible(text: &str) -> Cow<'_, str> {
    written_out(text, acts)
}

/// The same with its line breaks: for text of several lines that nobody can add a line to.
pub fn legible_lines(text: &str) -> Cow<'_, str> {
    written_out(text, |c| acts(c) && c != '\n')
}

/// Whether a terminal does something other than to show it.
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Marks, embeddings, overrides and isolates of the bidirectional algorithm (UAX #9 §2).
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Separators of lines and paragraphs, and what has no width.
            | '\u{2028}' | '\u{2029}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

fn written_out(text: &str, acts: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !acts(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::{legible, legible_lines};

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(legible("a \u{1b}[31mred\u{7}\r\n"), "a \\u001b[31mred\\u0007\\r\\n");
        assert_eq!(legible("\u{9b}31m \u{202e}txt"), "\\u009b31m \\u202etxt");
        assert_eq!(legible_lines("one\n\ttwo\n"), "one\n\\ttwo\n");
        assert_eq!(legible("Ω – «grüß» 字"), "Ω – «grüß» 字");
    }
}
