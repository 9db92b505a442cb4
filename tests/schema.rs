//! The published schemas and the program say the same of files and of output.

use std::path::Path;

use jsonschema::Validator;
use mallory::Scenario;
use mallory::report::json;
use mallory::scenario::{SchemaOf, protocols, scenarios, schema};
use serde_json::Value as Json;

fn validator(schema: &Json) -> Validator {
    jsonschema::draft202012::meta::validate(schema).unwrap();
    jsonschema::draft202012::new(schema).unwrap()
}

fn problems(validator: &Validator, of: &Json) -> Vec<String> {
    validator.iter_errors(of).map(|error| format!("{} at {}", error, error.instance_path())).collect()
}

fn read(text: &str) -> Json {
    serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap()
}

#[test]
fn every_file_of_the_library_is_what_the_schemas_describe() {
    let (of_scenario, of_protocol) =
        (validator(&schema(SchemaOf::Scenario)), validator(&schema(SchemaOf::Protocol)));
    let all = scenarios().into_iter().map(|entry| (entry, &of_scenario));
    let all: Vec<_> = all.chain(protocols().into_iter().map(|entry| (entry, &of_protocol))).collect();
    assert!(all.len() > 200);
    for (entry, validator) in all {
        assert_eq!(problems(validator, &read(&entry.text.text)), [""; 0], "{}", entry.name);
    }
}

/// Files of the guides and of tests have keys that the library has not.
#[test]
fn whatever_a_schema_refuses_the_program_refuses() {
    let validator = validator(&schema(SchemaOf::Scenario));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut refused = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Ok(table) = text.parse::<toml::Table>() else { continue };
        if table.contains_key("messages") || validator.is_valid(&serde_json::to_value(table).unwrap()) {
            continue;
        }
        refused += 1;
        assert!(Scenario::from_path(&path).is_err(), "{}", path.display());
    }
    assert!(refused > 10, "only {refused} of the wrong files are wrong by the schema");
}

/// Every key that a schema has, put where it says with a value of a shape that nothing has: the
/// program must find the value wrong, or the key out of place there, and never say that there is
/// no such key.
#[test]
fn every_key_that_a_schema_describes_is_one_that_the_program_reads() {
    let schema = schema(SchemaOf::Scenario);
    let base = r#"
        [protocol]
        messages = ["A -> B : A"]
        [[run]]
        A = "alice"
        B = "bob"
        [attacker]
        [services.ca]
        [services.kdc.keys]
    "#;
    let places: [(&str, &[&str]); 13] = [
        ("scenario", &[]),
        ("protocol", &["protocol"]),
        ("encoding", &["encoding"]),
        ("event", &["event", "0"]),
        ("request", &["request", "0"]),
        ("attacker", &["attacker"]),
        ("rule", &["attacker", "rule", "0"]),
        ("party", &["parties", "alice"]),
        ("ca", &["services", "ca"]),
        ("kdc", &["services", "kdc"]),
        ("key-centre", &["services", "kdc", "keys"]),
        ("network", &["network"]),
        ("expect", &["expect"]),
    ];
    let mut tried = 0;
    for (table, path) in places {
        for key in schema["$defs"][table]["properties"].as_object().unwrap().keys() {
            if table == "scenario" && ["about", "title", "reference"].contains(&key.as_str()) {
                continue;
            }
            let mut file: toml::Value = base.parse::<toml::Table>().unwrap().into();
            put(&mut file, path, key);
            let text = toml::to_string(&file).unwrap();
            let Err(problems) = Scenario::from_text("odd", &text) else {
                panic!("`{key}` of {table} is anything")
            };
            let text = problems.to_string();
            assert!(!text.contains("there is no key"), "{table}: {text}");
            tried += 1;
        }
    }
    assert!(tried > 120, "{tried}");
}

fn put(file: &mut toml::Value, path: &[&str], key: &str) {
    let mut place = file;
    for step in path {
        place = match place {
            toml::Value::Array(items) => {
                if items.is_empty() {
                    items.push(toml::Table::new().into());
                }
                &mut items[0]
            }
            toml::Value::Table(table) => {
                let is_list = ["event", "request", "rule"].contains(step);
                table.entry(*step).or_insert_with(|| match is_list {
                    true => toml::Value::Array(Vec::new()),
                    false => toml::Table::new().into(),
                })
            }
            _ => unreachable!(),
        };
    }
    // A date is a value of TOML's that no key takes.
    let odd = "1979-05-27".parse::<toml::value::Datetime>().unwrap();
    place.as_table_mut().unwrap().insert(key.to_owned(), odd.into());
}

#[test]
fn every_line_of_a_play_is_what_the_schema_describes() {
    let validator = validator(&json::schema());
    let mut lines = 0;
    for name in ["dh-mitm", "revoked-client-cutoff", "api-unauth-key-release", "krb-asrep-roast", "nspk-lowe"]
    {
        let report = Scenario::named(name).unwrap().run().unwrap();
        for play in report.plays() {
            for line in json::lines(play, name, None) {
                assert_eq!(problems(&validator, &line), [""; 0], "{line}");
                lines += 1;
            }
        }
    }
    assert!(lines > 500, "{lines}");
    let of_no_kind = serde_json::json!({ "scenario": "x", "variant": null, "kind": "rumour" });
    assert!(!validator.is_valid(&of_no_kind));
    let without_outcome =
        serde_json::json!({ "scenario": "x", "variant": null, "kind": "session", "run": 1 });
    assert!(!validator.is_valid(&without_outcome));
}
