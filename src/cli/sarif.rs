//! What is wrong or unwise in files as SARIF 2.1.0 (OASIS, 2020), which code hosts show beside
//! the lines: a result for each problem, a rule for each kind of slip.

use mallory::scenario::Problem;
use serde_json::{Value as Json, json};

/// Where the format is defined.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// A log of one run of the check.
pub fn sarif(problems: &[Problem]) -> Json {
    let results: Vec<Json> = problems.iter().map(result).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "mallory",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": [
                    {
                        "id": "mistake",
                        "shortDescription": { "text": "the file says what cannot be" },
                        "defaultConfiguration": { "level": "error" },
                    },
                    {
                        "id": "slip",
                        "shortDescription": { "text": "a classic slip in a protocol's lines" },
                        "defaultConfiguration": { "level": "warning" },
                    },
                ],
            } },
            // Columns count characters, as everywhere in this tool.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(problem: &Problem) -> Json {
    let (rule, level) = if problem.is_warning { ("slip", "warning") } else { ("mistake", "error") };
    let text = match &problem.help {
        Some(help) => format!("{}\n{help}", problem.message),
        None => problem.message.clone(),
    };
    let locations = match problem.file.name.is_empty() {
        true => Vec::new(),
        false => vec![location(problem)],
    };
    json!({ "ruleId": rule, "level": level, "message": { "text": text }, "locations": locations })
}

fn location(problem: &Problem) -> Json {
    let (line, column) = problem.line_column();
    let meant = &problem.file.text[problem.range.clone()];
    let lines = meant.matches('\n').count();
    let last = meant.rsplit('\n').next().unwrap_or_default().chars().count();
    let end = if lines == 0 { column + last } else { last + 1 };
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&problem.file.name) },
        "region": { "startLine": line, "startColumn": column, "endLine": line + lines, "endColumn": end },
    } })
}

/// A path as a relative or a file URI (RFC 3986): what is not unreserved is percent-encoded.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let encoded: String = (path.bytes())
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect();
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded }
}
