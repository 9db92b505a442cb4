//! How texts are put on a page: legible, with fingerprints as short as all of the page lets them
//! be, each a mark that can be lit. Must not know what the texts say.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::chapter::Chapter;
use crate::journal::prints::places;
use crate::legible::legible;
use crate::report::short::Shortener;
use crate::report::svg::Lit;

/// Digits of a full fingerprint.
const FULL: usize = 16;

/// The fingerprints of a page.
pub struct Ink {
    short: Shortener,
    known: BTreeSet<String>,
}

impl Ink {
    /// For all that these have to tell.
    pub fn of<'a>(chapters: impl Iterator<Item = &'a Chapter<'a>>) -> Ink {
        let texts: Vec<String> = chapters
            .flat_map(|chapter| {
                let told = chapter.sequence.texts().map(str::to_owned);
                told.chain([chapter.data.to_string()]).collect::<Vec<_>>()
            })
            .collect();
        let short = Shortener::of(texts.iter().map(String::as_str));
        let known = texts
            .iter()
            .flat_map(|text| places(text).map(|at| text[at + 1..at + 1 + short.digits()].to_owned()))
            .collect();
        Ink { short, known }
    }

    /// How many digits a fingerprint has.
    pub fn digits(&self) -> usize {
        self.short.digits()
    }

    /// How fingerprints are shortened.
    pub fn shortener(&self) -> Shortener {
        self.short
    }

    /// A text with full fingerprints, as it left the play.
    pub fn text(&self, text: &str) -> Markup {
        let text = legible(text);
        let mut from = 0;
        let mut pieces = Vec::new();
        for at in places(&text) {
            pieces.push((None, &text[from..at]));
            let print = &text[at + 1..at + 1 + self.digits()];
            pieces.push((Some(print), &text[at..at + 1 + self.digits()]));
            from = at + 1 + FULL;
        }
        pieces.push((None, &text[from..]));
        html! {
            @for (print, piece) in pieces {
                @match print {
                    Some(print) => span.fp data-fp=(print) { (piece) },
                    None => (piece),
                }
            }
        }
    }
}

impl Lit for Ink {
    fn pieces<'a>(&self, text: &'a str) -> Vec<(Option<&'a str>, &'a str)> {
        let digits = self.digits();
        let is_one = |at: &usize| text.get(at + 1..at + 1 + digits).is_some_and(|d| self.known.contains(d));
        let mut pieces = Vec::new();
        let mut from = 0;
        for at in text.match_indices('#').map(|(at, _)| at).filter(is_one) {
            if at >= from {
                pieces.push((None, &text[from..at]));
                from = at + 1 + digits;
                pieces.push((Some(&text[at + 1..from]), &text[at..from]));
            }
        }
        pieces.push((None, &text[from..]));
        pieces.retain(|(_, piece)| !piece.is_empty());
        pieces
    }
}
