//! The service's description of itself in OpenAPI 3.1, from the table by which it dispatches. Must
//! not know which rows there are.

use serde_json::{Map, Value, json};

use super::answer::Style;
use super::table::{Guard, Route};

/// The description of these rows.
pub fn document(rows: &[&Route]) -> Value {
    let mut paths = Map::new();
    // OpenAPI knows seven methods; LIST of Vault is none of them, and is `GET …?list=true` too.
    for row in rows.iter().filter(|row| row.method != "LIST") {
        let path = paths.entry(row.path).or_insert_with(|| json!({}));
        path[row.method.to_lowercase()] = operation(row);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "mallory serve",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A key centre and an authority for rehearsals, test environments and teaching.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "certificate": { "type": "mutualTLS", "description": "a certificate of the served authority" },
                "token": { "type": "apiKey", "in": "header", "name": "X-Vault-Token" },
            },
            "schemas": {
                "error": {
                    "type": "object",
                    "required": ["error", "meaning"],
                    "properties": {
                        "error": { "type": "string", "description": "the reason's word" },
                        "meaning": { "type": "string" },
                        "detail": { "type": "string" },
                    },
                },
                "errors": {
                    "type": "object",
                    "required": ["errors"],
                    "properties": { "errors": { "type": "array", "items": { "type": "string" } } },
                },
            },
        },
    })
}

fn operation(row: &Route) -> Value {
    let security = match row.guard {
        Guard::Open => json!([]),
        Guard::Certificate => json!([{ "certificate": [] }]),
        Guard::Token => json!([{ "certificate": [], "token": [] }]),
    };
    let error = match row.style {
        Style::Own => "#/components/schemas/error",
        Style::Vault => "#/components/schemas/errors",
    };
    let refused = json!({
        "description": "refused, with the reason's word",
        "content": { "application/json": { "schema": { "$ref": error } } },
    });
    let mut operation = json!({
        "summary": row.summary,
        "operationId": format!("{} {}", row.method.to_lowercase(), row.path),
        "security": security,
        "responses": {
            "2XX": { "description": "done" },
            "4XX": refused,
            "503": { "description": "sealed, busy, or nothing can be written: not done" },
        },
    });
    let names = row.path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    let parameters: Vec<Value> = names
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if !row.fields.is_empty() {
        let properties: Map<String, Value> = row
            .fields
            .iter()
            .map(|field| (field.name.to_owned(), json!({ "type": field.kind, "description": field.about })))
            .collect();
        let required: Vec<&str> =
            row.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
        let schema = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    operation
}
