//! Reads the notation: lists of terms, lines of a protocol and of an attack, goals.

use super::term::Term;

type Parsed<T> = Result<T, String>;

struct Text<'a> {
    rest: &'a str,
}

impl<'a> Text<'a> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn want(&mut self, token: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { Err(format!("expected `{token}` at `{}`", self.rest)) }
    }

    fn word(&mut self) -> Parsed<&'a str> {
        self.skip();
        let end = self
            .rest
            .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '\'')
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if !word.starts_with(|c: char| c.is_alphabetic()) {
            return Err(format!("expected a name at `{}`", self.rest));
        }
        self.rest = rest;
        Ok(word)
    }

    fn list(&mut self) -> Parsed<Vec<Term>> {
        let mut all = vec![self.term()?];
        while self.eat(",") {
            all.push(self.term()?);
        }
        Ok(all)
    }

    /// One term in parentheses that is a name.
    fn named(&mut self) -> Parsed<String> {
        self.want("(")?;
        let word = self.word()?.to_owned();
        self.want(")")?;
        Ok(word)
    }

    fn term(&mut self) -> Parsed<Term> {
        self.skip();
        if self.eat("\"") {
            let end = self.rest.find('"').ok_or("a text without end")?;
            let (text, rest) = self.rest.split_at(end);
            self.rest = &rest[1..];
            return Ok(Term::Text(text.to_owned()));
        }
        if self.eat("{") {
            let body = self.list()?;
            self.want("}")?;
            return Ok(Term::Enc(body, Box::new(self.term()?)));
        }
        let word = self.word()?;
        if word == "g" && self.rest.starts_with('^') {
            let mut exponents = Vec::new();
            while self.eat("^") {
                exponents.push(self.word()?.to_owned());
            }
            return Ok(Term::pow(&exponents));
        }
        if !self.rest.starts_with('(') {
            return Ok(Term::name(word));
        }
        match word {
            "pk" => return Ok(Term::Pk(self.named()?)),
            "sk" => return Ok(Term::Sk(self.named()?)),
            _ => {}
        }
        self.want("(")?;
        let mut list = if word == "sign" { Vec::new() } else { self.list()? };
        let term = match word {
            "sign" => {
                let Term::Sk(by) = self.term()? else { return Err("sign wants sk(..)".to_owned()) };
                self.want(",")?;
                Term::Sign(by, self.list()?)
            }
            "k" => match list.as_slice() {
                [Term::Name(x), Term::Name(y)] => Term::key(x, y),
                _ => return Err("k wants two names".to_owned()),
            },
            "mac" => Term::Mac(list),
            "h" => Term::Hash(list),
            "kdf" => Term::Kdf(list),
            "succ" | "pred" if list.len() == 1 => {
                let one = Box::new(list.remove(0));
                if word == "succ" { Term::Succ(one) } else { Term::Pred(one) }
            }
            "xor" if list.len() == 2 => {
                let last = list.remove(1);
                Term::xor(list.remove(0), last)
            }
            _ => return Err(format!("no function `{word}` of {} arguments", list.len())),
        };
        self.want(")")?;
        Ok(term)
    }
}

fn whole<T>(text: &str, read: impl FnOnce(&mut Text<'_>) -> Parsed<T>) -> Parsed<T> {
    let mut text = Text { rest: text };
    let read = read(&mut text)?;
    text.skip();
    if text.rest.is_empty() { Ok(read) } else { Err(format!("unexpected `{}`", text.rest)) }
}

pub fn term(text: &str) -> Parsed<Term> {
    whole(text, |t| t.term())
}

/// One line of a protocol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub from: String,
    pub to: String,
    pub terms: Vec<Term>,
}

pub fn line(text: &str) -> Parsed<Line> {
    whole(text, |t| {
        let from = t.word()?.to_owned();
        t.want("->")?;
        let to = t.word()?.to_owned();
        t.want(":")?;
        Ok(Line { from, to, terms: t.list()? })
    })
}

/// Who stands at one end of a line of an attack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    Party(String),
    /// `I`, or `I(a)` in a's name.
    Attacker(Option<String>),
}

/// One line of an attack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    pub run: u32,
    pub line: u32,
    pub from: End,
    pub to: End,
    pub terms: Vec<Term>,
}

pub fn step(text: &str) -> Parsed<Step> {
    let text = text.trim();
    let (number, rest) = text.split_once(' ').ok_or("expected a number")?;
    let (run, line) = number.split_once('.').ok_or("expected RUN.LINE")?;
    let number = |n: &str| n.parse::<u32>().map_err(|e| e.to_string());
    let (run, line) = (number(run)?, number(line)?);
    whole(rest, |t| {
        let from = end(t)?;
        t.want("->")?;
        let to = end(t)?;
        t.want(":")?;
        Ok(Step { run, line, from, to, terms: t.list()? })
    })
}

fn end(text: &mut Text<'_>) -> Parsed<End> {
    let word = text.word()?;
    if word != "I" {
        return Ok(End::Party(word.to_owned()));
    }
    if text.eat("(") {
        let name = text.word()?.to_owned();
        text.want(")")?;
        return Ok(End::Attacker(Some(name)));
    }
    Ok(End::Attacker(None))
}

/// What a goal asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Goal {
    /// The term, between whom (none: all roles that have it), and whether after a leak of
    /// every long-term key.
    Secret {
        of: Term,
        between: Option<Vec<String>>,
        forward: bool,
    },
    Authentication {
        of: String,
        by: String,
        on: Vec<Term>,
        injective: bool,
    },
}

pub fn goal(text: &str) -> Parsed<Goal> {
    let is_forward = text.starts_with("forward ");
    let bare = text.strip_prefix("forward ").unwrap_or(text);
    if let Some(rest) = bare.strip_prefix("secret ") {
        let (of, between) = match rest.split_once(" between ") {
            Some((of, roles)) => (of, Some(roles.split(',').map(|r| r.trim().to_owned()).collect())),
            None => (rest, None),
        };
        return Ok(Goal::Secret { of: term(of)?, between, forward: is_forward });
    }
    let (who, on) = text.split_once(" on ").ok_or("expected `on`")?;
    let words: Vec<&str> = who.split_whitespace().collect();
    let (by, of, injective) = match words.as_slice() {
        [a, "authenticates", b] => (a, b, true),
        [a, "weakly", "authenticates", b] => (a, b, false),
        _ => return Err(format!("no goal: {text}")),
    };
    Ok(Goal::Authentication {
        by: (*by).to_owned(),
        of: (*of).to_owned(),
        on: whole(on, |t| t.list())?,
        injective,
    })
}
