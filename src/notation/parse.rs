//! Reads lines, terms and goals. Must not know what a protocol allows: only syntax.

use std::ops::Range;

use super::fault::{Fault, Quoted};
use super::term::{Name, Term};
use crate::algebra::{Func, Syntax};
use crate::limits::{MAX_EXPONENTS, MAX_TERM_DEPTH};

/// Who sends or receives, as written in a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Party {
    /// A role of a protocol or a party of a narration.
    Named(Name),
    /// `I`: the attacker under her own name.
    Attacker,
    /// `I(b)`: the attacker in b's place.
    AttackerAs(Name),
}

/// One line, as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// `run.step`, in narrations.
    pub place: Option<(u32, u32)>,
    /// Who sends.
    pub from: Party,
    /// Who receives.
    pub to: Party,
    /// The message's parts.
    pub parts: Vec<Term>,
    /// The text and its key.
    pub source: Quoted,
    /// Where each name stands in the text, in order of writing.
    pub names: Vec<(Name, Range<usize>)>,
}

impl Line {
    /// A fault of the whole line.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        self.source.fault(message)
    }

    /// A fault at the first place where `name` is written.
    pub fn fault_at(&self, name: &str, message: impl Into<String>) -> Fault {
        match self.names.iter().find(|(n, _)| &**n == name) {
            Some((_, range)) => Fault::new(self.source.key, range.clone(), message),
            None => self.fault(message),
        }
    }
}

/// Reads `[run.step] sender -> receiver : terms`.
pub fn line(source: &Quoted) -> Result<Line, Fault> {
    let mut p = Parser::new(source);
    let place = p.place()?;
    let from = p.party("the sender")?;
    p.expect("->", "`->` between sender and receiver")?;
    let to = p.party("the receiver")?;
    p.expect(":", "`:` before the message")?;
    let parts = p.terms(0)?;
    p.end("`,` or the end of the line")?;
    Ok(Line { place, from, to, parts, source: source.clone(), names: p.names })
}

/// Reads a list of terms, and where each name stands.
pub fn terms(source: &Quoted) -> Result<Vec<Term>, Fault> {
    let mut p = Parser::new(source);
    let parts = p.terms(0)?;
    p.end("`,` or the end of the text")?;
    Ok(parts)
}

/// Reads one term.
pub fn term(source: &Quoted) -> Result<Term, Fault> {
    let mut all = terms(source)?;
    match (all.pop(), all.is_empty()) {
        (Some(term), true) => Ok(term),
        _ => Err(source.fault("expected one term, found a list")),
    }
}

/// Reads `NAME` or `NAME: type`.
pub fn declaration(source: &Quoted) -> Result<(Name, Option<String>), Fault> {
    let (name, kind) = match source.text.split_once(':') {
        Some((name, kind)) => (name.trim(), Some(kind.trim().to_owned())),
        None => (source.text.trim(), None),
    };
    if !is_name(name) {
        return Err(source
            .fault(format!("`{name}` is not a name"))
            .help("a name is a letter followed by letters, digits, `_` or `'`, as in `Na: nonce`"));
    }
    Ok((name.into(), kind))
}

/// Whether `text` is a NAME of the notation.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_name_char)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '\''
}

pub(super) struct Parser<'a> {
    source: &'a Quoted,
    at: usize,
    pub(super) names: Vec<(Name, Range<usize>)>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(source: &'a Quoted) -> Self {
        Parser { source, at: 0, names: Vec::new() }
    }

    fn rest(&self) -> &'a str {
        &self.source.text[self.at..]
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The next token, for messages: a word, or one character.
    fn found(&self) -> (Range<usize>, String) {
        let rest = self.rest();
        let word = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        let len = if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) };
        let range = self.at..self.at + len;
        let shown = if len == 0 { "the end".to_owned() } else { format!("`{}`", &rest[..len]) };
        (range, shown)
    }

    fn wanted(&self, what: &str) -> Fault {
        let (range, found) = self.found();
        Fault::new(self.source.key, range, format!("expected {what}, found {found}"))
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let hit = self.rest().starts_with(token);
        if hit {
            self.at += token.len();
        }
        hit
    }

    fn expect(&mut self, token: &str, what: &str) -> Result<(), Fault> {
        if self.eat(token) { Ok(()) } else { Err(self.wanted(what)) }
    }

    pub(super) fn end(&mut self, what: &str) -> Result<(), Fault> {
        self.space();
        if self.rest().is_empty() { Ok(()) } else { Err(self.wanted(what)) }
    }

    fn word(&mut self) -> Option<(Name, Range<usize>)> {
        self.space();
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let len = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        let range = self.at..self.at + len;
        self.at += len;
        Some((rest[..len].into(), range))
    }

    pub(super) fn name(&mut self, what: &str) -> Result<Name, Fault> {
        match self.word() {
            Some((name, range)) => {
                self.names.push((name.clone(), range));
                Ok(name)
            }
            None => Err(self.wanted(what)),
        }
    }

    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let before = self.at;
        match self.word() {
            Some((found, _)) if &*found == word => true,
            _ => {
                self.at = before;
                false
            }
        }
    }

    fn number(&mut self) -> Result<Option<u32>, Fault> {
        self.space();
        let rest = self.rest();
        let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if len == 0 {
            return Ok(None);
        }
        let range = self.at..self.at + len;
        let number = rest[..len]
            .parse()
            .map_err(|_| Fault::new(self.source.key, range, "this number is too large"))?;
        self.at += len;
        Ok(Some(number))
    }

    fn place(&mut self) -> Result<Option<(u32, u32)>, Fault> {
        let Some(run) = self.number()? else { return Ok(None) };
        self.expect(".", "`.` between the run and the line, as in `2.1`")?;
        match self.number()? {
            Some(step) => Ok(Some((run, step))),
            None => Err(self.wanted("the number of the line after `.`, as in `2.1`")),
        }
    }

    fn party(&mut self, what: &str) -> Result<Party, Fault> {
        let name = self.name(&format!("{what}, a name"))?;
        if &*name != "I" {
            return Ok(Party::Named(name));
        }
        if !self.eat("(") {
            return Ok(Party::Attacker);
        }
        let posed = self.name("the party in whose place the attacker stands, as in `I(bob)`")?;
        self.expect(")", "`)`")?;
        Ok(Party::AttackerAs(posed))
    }

    pub(super) fn comma(&mut self) -> bool {
        self.eat(",")
    }

    pub(super) fn terms(&mut self, depth: usize) -> Result<Vec<Term>, Fault> {
        let mut all = vec![self.term(depth)?];
        while self.eat(",") {
            all.push(self.term(depth)?);
        }
        Ok(all)
    }

    fn term(&mut self, depth: usize) -> Result<Term, Fault> {
        self.space();
        if depth >= MAX_TERM_DEPTH {
            let (range, _) = self.found();
            return Err(Fault::new(self.source.key, range, "terms are nested too deeply")
                .help(format!("the limit MAX_TERM_DEPTH is {MAX_TERM_DEPTH}")));
        }
        if self.eat("{") {
            let body = self.terms(depth + 1)?;
            self.expect("}", "`,` or `}`")?;
            let start = self.at;
            let key = self.term(depth + 1)?;
            if matches!(key, Term::App(Func::Sk, _)) {
                return Err(Fault::new(self.source.key, start..self.at, "a private key does not encrypt")
                    .help("write a signature as `sign(sk(X), M)`"));
            }
            return Ok(Term::Enc(body, Box::new(key)));
        }
        if self.rest().starts_with('"') {
            return self.text();
        }
        let Some((name, range)) = self.word() else {
            return Err(self.wanted("a term: a name, \"text\", g^x, {…}K or a function"));
        };
        self.space();
        if self.rest().starts_with('(') {
            return self.app(name, range, depth);
        }
        if &*name == "g" && self.rest().starts_with('^') {
            return self.exp(range.start);
        }
        self.names.push((name.clone(), range));
        Ok(Term::Name(name))
    }

    fn text(&mut self) -> Result<Term, Fault> {
        let start = self.at;
        let body = &self.rest()[1..];
        match body.find('"') {
            Some(len) => {
                self.at += len + 2;
                Ok(Term::Text(body[..len].into()))
            }
            None => Err(Fault::new(
                self.source.key,
                start..self.source.text.len(),
                "this string has no closing quote",
            )),
        }
    }

    fn exp(&mut self, start: usize) -> Result<Term, Fault> {
        let mut exponents = Vec::new();
        while self.eat("^") {
            exponents.push(self.name("the name of an exponent, as in `g^x`")?);
        }
        if exponents.len() > MAX_EXPONENTS {
            return Err(Fault::new(self.source.key, start..self.at, "too many exponents")
                .help(format!("the limit MAX_EXPONENTS is {MAX_EXPONENTS}")));
        }
        Ok(Term::exp(exponents))
    }

    fn app(&mut self, name: Name, range: Range<usize>, depth: usize) -> Result<Term, Fault> {
        let Some(func) = Func::written().find(|f| f.name() == &*name) else {
            return Err(Fault::new(self.source.key, range, format!("there is no function `{name}`"))
                .nearest(&name, Func::written().map(Func::name)));
        };
        self.expect("(", "`(`")?;
        let args = self.terms(depth + 1)?;
        self.expect(")", "`,` or `)`")?;
        let whole = range.start..self.at;
        let fault = |message: String| Err(Fault::new(self.source.key, whole.clone(), message));
        let (least, most) = func.arity();
        if args.len() < least || args.len() > most {
            let takes = match (least, most) {
                (1, 1) => "one argument".to_owned(),
                (2, 2) => "two arguments".to_owned(),
                _ => format!("at least {least} arguments"),
            };
            return fault(format!("`{name}` takes {takes}, found {}", args.len()));
        }
        let of_names = matches!(func.definition().syntax, Syntax::Agents(_) | Syntax::Names(_));
        if of_names && !args.iter().all(|a| matches!(a, Term::Name(_))) {
            return fault(format!("`{name}` takes names only"));
        }
        if func.definition().syntax == Syntax::Signed && !matches!(args[0], Term::App(Func::Sk, _)) {
            return fault(format!(
                "the first argument of `{name}` is the signer's private key, as in `{name}(sk(A), M)`"
            ));
        }
        Ok(Term::app(func, args))
    }
}
