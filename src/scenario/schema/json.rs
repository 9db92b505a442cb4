//! The tables as a JSON Schema, draft 2020-12.

use serde_json::{Map, Value, json};

use super::{PROTOCOL, SCENARIO, Shape, Table};
use crate::time::SPAN_EXPECTED;

/// Of what a schema is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Of {
    /// A scenario's file.
    Scenario,
    /// A protocol's file.
    Protocol,
}

/// The schema of a file, as editors read it: JSON Schema, draft 2020-12. A file that it
/// accepts may still be wrong, in its notation or in what its parts say of one another; one that
/// it refuses is wrong.
pub fn schema(of: Of) -> Value {
    let (table, title) = match of {
        Of::Scenario => (&SCENARIO, "Mallory scenario"),
        Of::Protocol => (&PROTOCOL, "Mallory protocol"),
    };
    let mut definitions = Map::new();
    let root = reference(table, &mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "$ref": root["$ref"],
        "$defs": definitions,
    })
}

/// A table is written once and referred to by its name: one contains itself (`[expect.honest]`).
fn reference(table: &'static Table, definitions: &mut Map<String, Value>) -> Value {
    if !definitions.contains_key(table.name) {
        definitions.insert(table.name.to_owned(), Value::Null);
        let written = written(table, definitions);
        definitions.insert(table.name.to_owned(), written);
    }
    json!({ "$ref": format!("#/$defs/{}", table.name) })
}

fn written(table: &'static Table, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for key in table.keys() {
        let mut value = shape(&key.shape, definitions);
        if let Value::Object(of) = &mut value {
            of.insert("description".to_owned(), key.about.into());
        }
        properties.insert(key.name.to_owned(), value);
    }
    let others = match &table.others {
        Some(others) => shape(others, definitions),
        None => false.into(),
    };
    let needed: Vec<&str> = table.keys().filter(|key| key.is_needed).map(|key| key.name).collect();
    json!({
        "type": "object",
        "description": table.about,
        "properties": properties,
        "required": needed,
        "additionalProperties": others,
    })
}

fn shape(of: &'static Shape, definitions: &mut Map<String, Value>) -> Value {
    match of {
        Shape::Text([]) => json!({ "type": "string" }),
        Shape::Text(examples) => json!({ "type": "string", "examples": examples }),
        Shape::Word(words) => json!({ "enum": words() }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Shape::Span => json!({
            "type": "string",
            "pattern": r"^\s*(0|([0-9.]+[a-z]+\s*)+)\s*$",
            "examples": ["250ms", "1h 30m", "7d"],
            "errorMessage": format!("expected {SPAN_EXPECTED}"),
        }),
        Shape::Of(table) => reference(table, definitions),
        Shape::Named(of) => json!({ "type": "object", "additionalProperties": shape(of, definitions) }),
        Shape::List(of) => json!({ "type": "array", "items": shape(of, definitions) }),
        Shape::Either(several) => {
            let several: Vec<Value> = several.iter().map(|of| shape(of, definitions)).collect();
            json!({ "anyOf": several })
        }
    }
}
