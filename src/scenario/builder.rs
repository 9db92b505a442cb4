//! A scenario put together in Rust, for those who do not want files. What is put together is the
//! text of a file, which is read and checked as every other is. Must not know what keys mean.

use std::path::PathBuf;
use std::sync::Arc;

use toml::{Table, Value};

use super::Scenario;
use super::parameters::put;
use super::problem::{Problem, Problems, Text};
use super::toml_tree::Node;

/// A scenario that is being put together; [`Scenario::builder`] begins one. Keys, words and what
/// stands for what if nothing says so are those of a scenario file (`docs/SCENARIOS.md`), and
/// nothing is checked before [`build`](Builder::build).
#[derive(Clone, Debug)]
pub struct Builder {
    name: String,
    table: Table,
    variants: Vec<(String, Table)>,
    problems: Vec<Problem>,
}

impl Scenario {
    /// A scenario put together in Rust.
    ///
    /// # Examples
    /// ```
    /// let report = mallory::Scenario::builder("order")
    ///     .message("A -> B : A, {Order}k(A,B)")
    ///     .goal("secret Order")
    ///     .goal("B authenticates A on Order")
    ///     .given("A", "Order: data")
    ///     .run([("A", "alice"), ("B", "bob"), ("Order", "sell")])
    ///     .tactic("replay")
    ///     .expect_goal("secret Order", "holds")
    ///     .expect_goal("B authenticates A on Order", "violated")
    ///     .build()?
    ///     .run()?;
    /// report.assert_expected();
    /// # Ok::<(), mallory::RunError>(())
    /// ```
    ///
    /// What is wrong is said at its path, which is that of [`Scenario::set`]:
    /// ```
    /// let wrong = mallory::Scenario::builder("order")
    ///     .protocol("nssk")
    ///     .run([("A", "alice"), ("B", "bob"), ("at", "soon")])
    ///     .build()
    ///     .unwrap_err();
    /// assert!(wrong.to_string().starts_with("order: run.0.at: "), "{wrong}");
    /// ```
    pub fn builder(name: &str) -> Builder {
        Builder { name: name.to_owned(), table: Table::new(), variants: Vec::new(), problems: Vec::new() }
    }
}

impl Builder {
    /// Its title.
    pub fn title(self, title: &str) -> Builder {
        self.set("title", title)
    }

    /// The story in a few sentences.
    pub fn about(self, about: &str) -> Builder {
        self.set("about", about)
    }

    /// The seed with which it is played, if [`Scenario::seed`] gives no other.
    pub fn seed(self, seed: u32) -> Builder {
        self.set("seed", i64::from(seed))
    }

    /// A protocol of the library, `nssk`, or in a file, `ours.toml`. In place of this one may give
    /// its lines, one [`message`](Builder::message) after the other.
    pub fn protocol(self, name: &str) -> Builder {
        self.set("protocol", name)
    }

    /// One more line of a protocol of its own: `A -> B : A, {Order}k(A,B)`.
    pub fn message(self, line: &str) -> Builder {
        self.append(&["protocol", "messages"], line)
    }

    /// One more goal of its own protocol: `secret Order`.
    pub fn goal(self, goal: &str) -> Builder {
        self.append(&["protocol", "goals"], goal)
    }

    /// What a role makes afresh in every run: `A`, `Na: nonce`.
    pub fn fresh(self, role: &str, value: &str) -> Builder {
        self.append(&["protocol", "fresh", role], value)
    }

    /// What a role is given with every run: `A`, `Order: data`.
    pub fn given(self, role: &str, value: &str) -> Builder {
        self.append(&["protocol", "given", role], value)
    }

    /// One more run: a party for each client role, texts for what roles are given, and `at`.
    pub fn run<K: Into<String>, V: Into<Value>>(self, keys: impl IntoIterator<Item = (K, V)>) -> Builder {
        self.append(&["run"], table(keys))
    }

    /// One more thing that happens at a set time: `at`, and `compromise`, `rotate` and so on.
    pub fn event<K: Into<String>, V: Into<Value>>(self, keys: impl IntoIterator<Item = (K, V)>) -> Builder {
        self.append(&["event"], table(keys))
    }

    /// One more request to a service: `at`, `by`, `ask`, and what that needs.
    pub fn request<K: Into<String>, V: Into<Value>>(self, keys: impl IntoIterator<Item = (K, V)>) -> Builder {
        self.append(&["request"], table(keys))
    }

    /// How a party behaves, key by key.
    pub fn party<K: Into<String>, V: Into<Value>>(
        mut self,
        name: &str,
        keys: impl IntoIterator<Item = (K, V)>,
    ) -> Builder {
        for (key, value) in keys {
            self = self.at(&["parties", name, &key.into()], value.into());
        }
        self
    }

    /// What the attacker does, line by line.
    pub fn attack<L: Into<Value>>(mut self, lines: impl IntoIterator<Item = L>) -> Builder {
        for line in lines {
            self = self.append(&["attacker", "attack"], line);
        }
        self
    }

    /// What the attacker does, in a word: `eavesdrop`, `mitm`, `replay`.
    pub fn tactic(self, tactic: &str) -> Builder {
        self.set("attacker.tactic", tactic)
    }

    /// One more rule of the attacker's: `match` and `action`.
    pub fn rule<K: Into<String>, V: Into<Value>>(self, keys: impl IntoIterator<Item = (K, V)>) -> Builder {
        self.append(&["attacker", "rule"], table(keys))
    }

    /// What is expected to become of a goal: `holds`, `violated`, `untested`.
    pub fn expect_goal(self, goal: &str, outcome: &str) -> Builder {
        self.at(&["expect", "goals", goal], outcome.into())
    }

    /// What is expected to become of a party in a run: `1.alice`, `completes`.
    pub fn expect_run(self, part: &str, outcome: &str) -> Builder {
        self.at(&["expect", "runs", part], outcome.into())
    }

    /// Any other key, at its path: `services.ca.crl_period`; a number chooses among several, from
    /// 0, as in `run.0.at`. [`Scenario::set`] does the same to every variant of one that is built.
    pub fn set(mut self, path: &str, value: impl Into<Value>) -> Builder {
        let mut whole = Value::Table(std::mem::take(&mut self.table));
        if let Err(problem) = put(&mut whole, path, value.into()) {
            self.problems.push(problem);
        }
        if let Value::Table(table) = whole {
            self.table = table;
        }
        self
    }

    /// A variant, laid over what stands outside: what `lay` sets merges with it, lists replace it.
    /// `remove`, as in `lay.set("remove", vec!["attacker.tactic"])`, takes keys away before.
    pub fn variant(mut self, name: &str, lay: impl FnOnce(Builder) -> Builder) -> Builder {
        let laid = lay(Scenario::builder(name));
        self.problems.extend(laid.problems);
        if !laid.variants.is_empty() {
            self.problems.push(Problem::nowhere(format!("variant `{name}` has variants of its own")));
        }
        if self.variants.iter().any(|(other, _)| other == name) {
            self.problems.push(Problem::nowhere(format!("there are two variants `{name}`")));
        }
        self.variants.push((name.to_owned(), laid.table));
        self
    }

    /// The scenario, read and checked as a file of the same words would be. Paths of protocols
    /// start at the current folder.
    ///
    /// # Errors
    /// What is wrong with it, each problem with the path of what is meant.
    pub fn build(self) -> Result<Scenario, Problems> {
        if !self.problems.is_empty() {
            return Err(Problems(self.problems.into_iter().map(|p| p.of_text_of_ours(&self.name)).collect()));
        }
        let text = match self.text() {
            Ok(text) => Arc::new(Text { name: self.name.clone(), text }),
            Err(error) => return Err(Problem::nowhere(error.to_string()).into()),
        };
        let whole = Node::parse(&text)?;
        let read = Scenario::read(&text, &self.name, "", &PathBuf::from("."));
        read.map_err(|problems| problems.by_path(&whole))
    }

    /// Variants one by one: a table of them would be in the order of the alphabet.
    fn text(&self) -> Result<String, toml::ser::Error> {
        let mut text = toml::to_string(&self.table)?;
        for (name, table) in &self.variants {
            let variant = Table::from_iter([(name.clone(), Value::Table(table.clone()))]);
            let whole = Table::from_iter([("variant".to_owned(), Value::Table(variant))]);
            text.push('\n');
            text.push_str(&toml::to_string(&whole)?);
        }
        Ok(text)
    }

    /// Sets what stands at these keys.
    fn at(mut self, keys: &[&str], value: Value) -> Builder {
        if let Some(slot) = self.slot(keys, || value.clone()) {
            *slot = value;
        }
        self
    }

    /// Puts one more value into the list at these keys.
    fn append(mut self, keys: &[&str], value: impl Into<Value>) -> Builder {
        let list = self.slot(keys, || Value::Array(Vec::new()));
        match list.map(|list| (list.type_str(), list)) {
            Some((_, Value::Array(items))) => items.push(value.into()),
            Some((found, _)) => {
                let message = format!("expected a list at `{}`, found {found}", keys.join("."));
                self.problems.push(Problem::nowhere(message));
            }
            None => {}
        }
        self
    }

    /// The place at these keys, made where there is none. That something on the way is no table is
    /// noted, and then there is none.
    fn slot(&mut self, keys: &[&str], fresh: impl FnOnce() -> Value) -> Option<&mut Value> {
        let (last, way) = keys.split_last()?;
        let mut table = &mut self.table;
        for key in way {
            let next = table.entry(*key).or_insert_with(|| Value::Table(Table::new()));
            let found = next.type_str();
            table = match next {
                Value::Table(table) => table,
                _ => {
                    let message =
                        format!("expected a table at `{key}` of `{}`, found {found}", keys.join("."));
                    self.problems.push(Problem::nowhere(message));
                    return None;
                }
            };
        }
        Some(table.entry(*last).or_insert_with(fresh))
    }
}

fn table<K: Into<String>, V: Into<Value>>(keys: impl IntoIterator<Item = (K, V)>) -> Table {
    keys.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}
