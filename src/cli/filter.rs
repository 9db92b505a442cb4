//! `--filter`: which variants a test takes, as an expression.

use std::str::FromStr;

use mallory::Scenario;
use mallory::scenario::Variant;
use wildmatch::WildMatch;

/// Parentheses and `not`s one in another.
const MAX_FILTER_DEPTH: usize = 32;

/// How it is told what an expression is.
pub const MEANING: &str = "\
Only variants for which an expression is true

Words are patterns of `scenario/variant`, with `*` for anything, or `tag:pki`, `group:dh`,
`variant:weak`, joined by `and`, `or`, `not` and parentheses: `tag:pki and not variant:fixed*`.
`not` binds closest, then `and`.";

/// An expression over variants.
#[derive(Clone, Debug)]
pub enum Filter {
    Name(WildMatch),
    Variant(WildMatch),
    Tag(String),
    Group(String),
    Not(Box<Filter>),
    All(Vec<Filter>),
    Any(Vec<Filter>),
}

impl Filter {
    /// Whether it takes this variant.
    pub fn takes(&self, scenario: &Scenario, variant: &Variant) -> bool {
        match self {
            Filter::Name(pattern) => {
                pattern.matches(&variant.of(&scenario.name)) || pattern.matches(&scenario.name)
            }
            Filter::Variant(pattern) => variant.name.as_deref().is_some_and(|name| pattern.matches(name)),
            Filter::Tag(tag) => scenario.tags.iter().any(|has| has == tag),
            Filter::Group(group) => scenario.group == *group,
            Filter::Not(inner) => !inner.takes(scenario, variant),
            Filter::All(of) => of.iter().all(|one| one.takes(scenario, variant)),
            Filter::Any(of) => of.iter().any(|one| one.takes(scenario, variant)),
        }
    }
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Filter, String> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let mut words = Words { rest: spaced.split_whitespace().collect(), depth: 0 };
        words.rest.reverse();
        let filter = words.either()?;
        match words.rest.pop() {
            None => Ok(filter),
            Some(word) => Err(format!("expected `and` or `or` before `{word}`")),
        }
    }
}

struct Words<'a> {
    /// The last comes first.
    rest: Vec<&'a str>,
    depth: usize,
}

impl Words<'_> {
    fn either(&mut self) -> Result<Filter, String> {
        let mut any = vec![self.both()?];
        while self.rest.last() == Some(&"or") {
            self.rest.pop();
            any.push(self.both()?);
        }
        Ok(Filter::Any(any))
    }

    fn both(&mut self) -> Result<Filter, String> {
        let mut all = vec![self.one()?];
        while self.rest.last() == Some(&"and") {
            self.rest.pop();
            all.push(self.one()?);
        }
        Ok(Filter::All(all))
    }

    fn one(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > MAX_FILTER_DEPTH {
            return Err(format!("nested deeper than the limit MAX_FILTER_DEPTH, {MAX_FILTER_DEPTH}"));
        }
        let filter = match self.rest.pop() {
            None => Err("expected a name, `tag:`, `group:` or `variant:` at the end".to_owned()),
            Some("not") => Ok(Filter::Not(Box::new(self.one()?))),
            Some("(") => {
                let inner = self.either()?;
                match self.rest.pop() {
                    Some(")") => Ok(inner),
                    _ => Err("expected `)`".to_owned()),
                }
            }
            Some(word @ (")" | "and" | "or")) => Err(format!("expected a name before `{word}`")),
            Some(word) => named(word),
        };
        self.depth -= 1;
        filter
    }
}

fn named(word: &str) -> Result<Filter, String> {
    Ok(match word.split_once(':') {
        None => Filter::Name(WildMatch::new(word)),
        Some(("tag", tag)) => Filter::Tag(tag.to_owned()),
        Some(("group", group)) => Filter::Group(group.to_owned()),
        Some(("variant", pattern)) => Filter::Variant(WildMatch::new(pattern)),
        Some((other, _)) => {
            return Err(format!("there is no `{other}:`; expected `tag:`, `group:` or `variant:`"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::Filter;

    fn taken(expression: &str) -> Vec<String> {
        let filter: Filter = expression.parse().unwrap();
        let scenario = mallory::Scenario::named("dh-mitm").unwrap();
        let taken = scenario.variants.iter().filter(|variant| filter.takes(&scenario, variant));
        taken.filter_map(|variant| variant.name.clone()).collect()
    }

    #[test]
    fn words_are_joined_as_one_reads_them() {
        assert_eq!(taken("dh-*"), ["weak", "fixed"]);
        assert_eq!(taken("dh-mitm/weak"), ["weak"]);
        assert_eq!(taken("variant:f*"), ["fixed"]);
        assert_eq!(taken("tag:pki or not variant:fixed"), ["weak"]);
        assert_eq!(taken("group:dh and not (variant:weak or variant:none)"), ["fixed"]);
        assert_eq!(taken("not not variant:weak and dh-*"), ["weak"]);
        assert!(taken("nssk*").is_empty());
    }

    #[test]
    fn what_is_no_expression_says_what_was_expected() {
        let wrong = |text: &str| text.parse::<Filter>().unwrap_err();
        assert_eq!(wrong("a b"), "expected `and` or `or` before `b`");
        assert_eq!(wrong("(a"), "expected `)`");
        assert_eq!(wrong("and a"), "expected a name before `and`");
        assert_eq!(wrong("colour:red"), "there is no `colour:`; expected `tag:`, `group:` or `variant:`");
        assert!(wrong("").starts_with("expected a name"));
        assert!(wrong(&"not ".repeat(10_000)).contains("MAX_FILTER_DEPTH"));
    }
}
