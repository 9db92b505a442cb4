//! Writes changes of a protocol's lines into its file, and leaves the rest of that as it is. Must
//! not know why lines change.

use toml_edit::{Array, DocumentMut, Item, Table, Value};

use crate::notation::edits::Change;

/// A protocol file's text with these changes; none if it is no such text.
pub fn rewritten(text: &str, changes: &[Change]) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    for change in changes {
        match change {
            Change::Line { is: (number, line), .. } => {
                let messages = document.get_mut("messages")?.as_array_mut()?;
                let old = messages.get_mut(number - 1)?;
                let decor = old.decor().clone();
                *old = Value::from(line.as_str());
                *old.decor_mut() = decor;
            }
            Change::NewLine(number, line) => {
                let messages = document.get_mut("messages")?.as_array_mut()?;
                let mut value = Value::from(line.as_str());
                let like = messages.get((number - 1).min(messages.len().saturating_sub(1)))?;
                let prefix = like.decor().prefix().cloned().unwrap_or_default();
                value.decor_mut().set_prefix(prefix);
                messages.insert_formatted(number - 1, value);
            }
            Change::Let { name, is, .. } => {
                let named = document.get_mut("let")?.as_table_like_mut()?.get_mut(name)?;
                let decor = named.as_value()?.decor().clone();
                let mut value = Value::from(is.as_str());
                *value.decor_mut() = decor;
                *named = Item::Value(value);
            }
            Change::Fresh { role, value } => {
                let fresh = document.entry("fresh").or_insert_with(|| Item::Table(Table::new()));
                let fresh = fresh.as_table_like_mut()?;
                let list = fresh.entry(role).or_insert_with(|| Item::Value(Array::new().into()));
                list.as_array_mut()?.push(value.as_str());
            }
        }
    }
    Some(document.to_string())
}
