//! Reads AnB: sections, lines, messages, goals, as they are written. Must not know what they mean
//! in our notation.

use std::ops::Range;

use crate::limits::{MAX_LINES, MAX_TERM_DEPTH};
use crate::notation::Fault;

/// Reads a file's text.
pub fn file(text: &str) -> Result<File, Fault> {
    let tokens = tokens(text)?;
    Reader { tokens: &tokens, at: 0, end: text.len() }.file()
}

/// A word or a sign, and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    pub text: String,
    pub range: Range<usize>,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_alphabetic())
    }
}

const SIGNS: [&str; 18] =
    ["{|", "|}", "->", "!=", ":", ",", ";", "(", ")", "{", "}", "[", "]", "*", "=", "'", ".", "/"];

fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let len = if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        } else if c == '#' {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        } else if c.is_ascii_alphanumeric() {
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '\'')).unwrap_or(rest.len())
        } else {
            match SIGNS.iter().find(|s| rest.starts_with(**s)) {
                Some(sign) => sign.len(),
                None => return Err(Fault::new(0, at..at + c.len_utf8(), format!("AnB has no sign `{c}`"))),
            }
        };
        all.push(Token { text: rest[..len].to_owned(), range: at..at + len });
        at += len;
    }
    Ok(all)
}

/// A message, as written.
#[derive(Clone, Debug)]
pub enum Said {
    Name(Token),
    App(Token, Vec<Said>, Range<usize>),
    Sealed { body: Vec<Said>, key: Box<Said>, symmetric: bool, range: Range<usize> },
    List(Vec<Said>, Range<usize>),
}

impl Said {
    /// Where it stands.
    pub fn range(&self) -> Range<usize> {
        match self {
            Said::Name(token) => token.range.clone(),
            Said::App(_, _, range) | Said::Sealed { range, .. } | Said::List(_, range) => range.clone(),
        }
    }

    /// Calls `visit` for this and every part, outermost first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Said)) {
        visit(self);
        match self {
            Said::Name(_) => {}
            Said::App(_, args, _) | Said::List(args, _) => args.iter().for_each(|a| a.walk(visit)),
            Said::Sealed { body, key, .. } => {
                body.iter().for_each(|b| b.walk(visit));
                key.walk(visit);
            }
        }
    }
}

/// A line, as written.
pub struct Line {
    pub from: Token,
    pub to: Token,
    pub parts: Vec<Said>,
    pub range: Range<usize>,
}

/// A goal, as written.
pub enum Wish {
    Secret(Vec<Said>, Vec<Token>),
    Agreement { who: Token, weakly: bool, with: Token, on: Vec<Said> },
}

/// What a file says.
pub struct File {
    pub types: Vec<(Token, Vec<Token>)>,
    pub knowledge: Vec<(Token, Vec<Said>)>,
    pub lines: Vec<Line>,
    pub goals: Vec<(Wish, Range<usize>)>,
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    end: usize,
}

const SECTIONS: [&str; 5] = ["Protocol", "Types", "Knowledge", "Actions", "Goals"];
const TYPES: [&str; 6] = ["Agent", "Number", "SeqNumber", "PublicKey", "Symmetric_key", "Function"];

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |t| t.text.as_str())
    }

    fn range(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |t| t.range.clone())
    }

    fn wanted(&self, what: &str) -> Fault {
        let found = match self.peek(0) {
            "" => "the end".to_owned(),
            text => format!("`{text}`"),
        };
        Fault::new(0, self.range(), format!("expected {what}, found {found}"))
    }

    fn eat(&mut self, text: &str) -> bool {
        let hit = self.peek(0) == text;
        self.at += usize::from(hit);
        hit
    }

    fn expect(&mut self, text: &str, what: &str) -> Result<(), Fault> {
        if self.eat(text) { Ok(()) } else { Err(self.wanted(what)) }
    }

    fn word(&mut self, what: &str) -> Result<Token, Fault> {
        match self.tokens.get(self.at).filter(|t| t.is_word()) {
            Some(token) => {
                self.at += 1;
                Ok(token.clone())
            }
            None => Err(self.wanted(what)),
        }
    }

    fn section(&mut self, name: &str) -> Result<(), Fault> {
        if self.peek(0) == name {
            self.at += 1;
            return self.expect(":", "`:` after the section's name");
        }
        let fault = self.wanted(&format!("the section `{name}:`"));
        let word = self.peek(0).to_owned();
        Err(if word.is_empty() { fault } else { fault.nearest(&word, SECTIONS) })
    }

    fn starts_section(&self) -> bool {
        self.peek(0).is_empty() || (self.peek(1) == ":" && SECTIONS.contains(&self.peek(0)))
    }

    fn file(mut self) -> Result<File, Fault> {
        self.section("Protocol")?;
        self.word("the protocol's name")?;
        self.section("Types")?;
        let types = self.types()?;
        self.section("Knowledge")?;
        let knowledge = self.knowledge()?;
        self.section("Actions")?;
        let lines = self.lines()?;
        self.section("Goals")?;
        let goals = self.goals()?;
        Ok(File { types, knowledge, lines, goals })
    }

    fn types(&mut self) -> Result<Vec<(Token, Vec<Token>)>, Fault> {
        let mut all = Vec::new();
        while !self.starts_section() {
            let of = self.word("a type")?;
            if !TYPES.contains(&of.text.as_str()) {
                let fault = Fault::new(0, of.range.clone(), format!("there is no type `{}` here", of.text));
                return Err(fault.nearest(&of.text, TYPES));
            }
            let mut names = vec![self.word("a name")?];
            while self.eat(",") {
                names.push(self.word("a name after `,`")?);
            }
            all.push((of, names));
            if !self.eat(";") && !self.starts_section() {
                return Err(self.wanted("`,`, `;` or the section `Knowledge:`"));
            }
        }
        Ok(all)
    }

    fn knowledge(&mut self) -> Result<Vec<(Token, Vec<Said>)>, Fault> {
        let mut all = Vec::new();
        while !self.starts_section() {
            if self.peek(0) == "where" {
                let fault = self.wanted("the section `Actions:`");
                return Err(fault.help(
                    "that agents differ cannot be asked: here one party never plays two roles of a run",
                ));
            }
            let who = self.word("an agent")?;
            self.expect(":", "`:` before what the agent knows")?;
            all.push((who, self.terms(0)?));
            if !self.eat(";") && !self.starts_section() && self.peek(0) != "where" {
                return Err(self.wanted("`,`, `;` or the section `Actions:`"));
            }
        }
        Ok(all)
    }

    fn arrow(&mut self) -> Result<(), Fault> {
        let secure = "channels are not part of this notation: write their signatures and encryptions out, as in `{M}pk(B)` and `{M}inv(pk(A))`";
        if self.peek(0) == "*" || self.peek(0) == "[" {
            return Err(self.wanted("`->`").help(secure));
        }
        self.expect("->", "`->` between sender and receiver")?;
        if self.peek(0) == "*" || self.peek(0) == "[" {
            return Err(self.wanted("the receiver").help(secure));
        }
        Ok(())
    }

    fn lines(&mut self) -> Result<Vec<Line>, Fault> {
        let mut all = Vec::new();
        while !self.starts_section() {
            let start = self.range().start;
            if self.peek(0) == "[" {
                self.arrow()?;
            }
            let from = self.word("the sender")?;
            self.arrow()?;
            let to = self.word("the receiver")?;
            self.arrow_end()?;
            let parts = self.terms(0)?;
            let range = start..self.tokens[self.at - 1].range.end;
            all.push(Line { from, to, parts, range });
            if all.len() > MAX_LINES {
                return Err(self
                    .wanted("the section `Goals:`")
                    .help(format!("the limit MAX_LINES is {MAX_LINES}")));
            }
        }
        if all.is_empty() {
            return Err(self.wanted("a line, as in `A->B: Na`"));
        }
        Ok(all)
    }

    fn arrow_end(&mut self) -> Result<(), Fault> {
        self.expect(":", "`:` before the message")
    }

    fn goals(&mut self) -> Result<Vec<(Wish, Range<usize>)>, Fault> {
        const FORMS: &str =
            "a goal is `A authenticates B on M`, `A weakly authenticates B on M` or `M secret between A,B`";
        let mut all = Vec::new();
        while !self.peek(0).is_empty() {
            let start = self.range().start;
            let mut terms = self.terms(0)?;
            let wish = if self.eat("secret") {
                self.expect("between", "`between`")?;
                Wish::Secret(terms, self.agents()?)
            } else if matches!(self.peek(0), "weakly" | "authenticates") {
                let who = match (terms.pop(), terms.is_empty()) {
                    (Some(Said::Name(who)), true) => who,
                    _ => {
                        return Err(Fault::new(
                            0,
                            start..self.range().start,
                            "expected one agent before `authenticates`",
                        ));
                    }
                };
                let weakly = self.eat("weakly");
                self.expect("authenticates", "`authenticates`")?;
                let with = self.word("the agent that is authenticated")?;
                self.expect("on", "`on` before what they agree on")?;
                Wish::Agreement { who, weakly, with, on: self.terms(0)? }
            } else {
                let word = self.peek(0).to_owned();
                let fault = self.wanted("`secret`, `authenticates` or `weakly`");
                return Err(
                    match crate::notation::fault::near(&word, ["secret", "authenticates", "weakly"]) {
                        Some(near) => fault.help(format!("did you mean `{near}`?")),
                        None => fault.help(FORMS),
                    },
                );
            };
            all.push((wish, start..self.tokens[self.at - 1].range.end));
            if all.len() > MAX_LINES {
                return Err(self.wanted("the end").help(format!("the limit MAX_LINES is {MAX_LINES}")));
            }
            self.eat(";");
        }
        Ok(all)
    }

    fn agents(&mut self) -> Result<Vec<Token>, Fault> {
        let mut all = vec![self.word("an agent")?];
        while self.eat(",") {
            all.push(self.word("an agent after `,`")?);
        }
        Ok(all)
    }

    fn terms(&mut self, depth: usize) -> Result<Vec<Said>, Fault> {
        let mut all = vec![self.term(depth)?];
        while self.eat(",") {
            all.push(self.term(depth)?);
        }
        Ok(all)
    }

    fn term(&mut self, depth: usize) -> Result<Said, Fault> {
        if depth >= MAX_TERM_DEPTH {
            let fault = Fault::new(0, self.range(), "terms are nested too deeply");
            return Err(fault.help(format!("the limit MAX_TERM_DEPTH is {MAX_TERM_DEPTH}")));
        }
        let start = self.range().start;
        let ends = |reader: &Self| start..reader.tokens[reader.at - 1].range.end;
        for (open, close, symmetric) in [("{|", "|}", true), ("{", "}", false)] {
            if self.eat(open) {
                let body = self.terms(depth + 1)?;
                self.expect(close, &format!("`,` or `{close}`"))?;
                let key = Box::new(self.term(depth + 1)?);
                return Ok(Said::Sealed { body, key, symmetric, range: ends(self) });
            }
        }
        if self.eat("(") {
            let mut body = self.terms(depth + 1)?;
            self.expect(")", "`,` or `)`")?;
            let range = ends(self);
            return Ok(if body.len() == 1 { body.remove(0) } else { Said::List(body, range) });
        }
        let name = self.word("a message: a name, {…}K, {|…|}K or a function")?;
        if self.eat("(") {
            let args = self.terms(depth + 1)?;
            self.expect(")", "`,` or `)`")?;
            return Ok(Said::App(name, args, ends(self)));
        }
        Ok(Said::Name(name))
    }
}
