//! Parameters set from outside: one file, played with other periods, players or algorithms.

use std::sync::Arc;

use super::problem::{Problem, Problems};
use super::search::plain;
use super::toml_tree::Node;
use super::{Scenario, Text, Variant};

impl Scenario {
    /// The same with a value at a path in every variant, such as `services.ca.crl_period` and
    /// `"1h"`; a number chooses among several, from 0, as in `run.0.at`. What is set must be
    /// right where it stands, as if the file had it.
    ///
    /// # Errors
    /// The path leads through something that is no table, or what the file then says is wrong.
    ///
    /// # Examples
    /// ```
    /// let cutoff = mallory::Scenario::named("revoked-client-cutoff/weak")?;
    /// assert!(cutoff.clone().set("network.latency", "5s").is_ok());
    /// let problem = cutoff.set("network.latancy", "5s").unwrap_err().to_string();
    /// assert!(problem.contains("latency"), "{problem}");
    /// # Ok::<(), mallory::RunError>(())
    /// ```
    pub fn set(mut self, path: &str, value: impl Into<toml::Value>) -> Result<Scenario, Problems> {
        let value = value.into();
        for variant in &mut self.variants {
            let mut table = plain(&variant.tree);
            put(&mut table, path, value.clone())?;
            let text = toml::to_string(&table).map_err(|error| Problem::nowhere(error.to_string()))?;
            let text = Text { name: format!("{} with {path}", self.called), text };
            let tree = Node::parse(&Arc::new(text))?;
            let changes = variant.changes.clone();
            let read = Variant::read(variant.name.as_deref(), &tree, changes, &variant.folder);
            *variant = Arc::new(read.map_err(|problems| problems.by_path(&tree))?);
        }
        self.parameters.push(format!("{path}={value}"));
        Ok(self)
    }

    /// As `set`, of `PATH=VALUE`, where the value is one of TOML's or else a text.
    ///
    /// # Errors
    /// As `set`, or if there is no `=`.
    pub fn set_word(self, word: &str) -> Result<Scenario, Problems> {
        let Some((path, value)) = word.split_once('=') else {
            let problem = Problem::nowhere(format!("`{word}` sets nothing"));
            return Err(problem.help("expected PATH=VALUE, as in `services.ca.crl_period=1h`").into());
        };
        let parsed = format!("value = {value}").parse::<toml::Table>().ok();
        let parsed = parsed.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
        self.set(path.trim(), parsed.unwrap_or_else(|| value.into()))
    }
}

/// Puts a value at a path, through tables that are made where there are none.
pub(super) fn put(table: &mut toml::Value, path: &str, value: toml::Value) -> Result<(), Problem> {
    let no_way = |key: &str| Problem::nowhere(format!("`{path}` leads nowhere: there is no `{key}` in it"));
    let mut place = table;
    for key in path.split('.') {
        place = match place {
            toml::Value::Table(table) => {
                table.entry(key).or_insert_with(|| toml::Value::Table(toml::Table::new()))
            }
            toml::Value::Array(items) => {
                key.parse::<usize>().ok().and_then(|nth| items.get_mut(nth)).ok_or_else(|| no_way(key))?
            }
            _ => return Err(no_way(key)),
        };
    }
    *place = value;
    Ok(())
}
