//! JSON is a contract: its names are those of docs/JSON.md.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use mallory::Scenario;
use mallory::journal::What;
use mallory::report::json;
use serde_json::Value as Json;

const GUIDE: &str = include_str!("../docs/JSON.md");

fn fields(line: &Json) -> Vec<String> {
    line.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_kind_of_event_stands_in_the_guide() {
    let declared: Vec<String> = What::KINDS
        .iter()
        .map(|kind| {
            let names: Vec<String> = kind.fields.concat().iter().map(|name| format!("`{name}`")).collect();
            format!("| `{}` | {} | {} |", kind.word, kind.level, names.join(" "))
        })
        .collect();
    let (_, table) = GUIDE.split_once("| `kind` | level | fields |\n|---|---|---|\n").unwrap();
    let told: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(told, declared, "docs/JSON.md should have\n{}", declared.join("\n"));
}

/// The whole library, so that each kind of line turns up.
#[test]
fn every_line_has_the_fields_that_are_declared_and_no_number_that_a_double_cannot_hold() {
    let declared: BTreeMap<&str, Vec<&str>> =
        What::KINDS.iter().map(|kind| (kind.word, kind.fields.concat())).collect();
    let mut seen = BTreeSet::new();
    let mut shapes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for name in ["dh-mitm", "revoked-client-cutoff", "api-unauth-key-release", "krb-asrep-roast", "nspk-lowe"]
    {
        let report = Scenario::named(name).unwrap().run().unwrap();
        for play in report.plays() {
            for line in json::lines(play, name, None) {
                let kind = line["kind"].as_str().unwrap().to_owned();
                assert!(no_large_number(&line), "{line}");
                match declared.get(kind.as_str()).filter(|_| line.get("event").is_some()) {
                    Some(names) => {
                        let all: Vec<&str> = ["scenario", "variant", "event", "cause", "time_ns", "kind"]
                            .into_iter()
                            .chain(names.iter().copied())
                            .collect();
                        assert_eq!(fields(&line), all, "{line}");
                        seen.insert(kind);
                    }
                    None => shapes.entry(kind).or_default().extend(fields(&line).into_iter().skip(2)),
                }
            }
        }
    }
    assert!(seen.len() > 15, "{seen:?}");
    for (kind, names) in shapes {
        for name in names {
            assert!(GUIDE.contains(&format!("`{name}`")), "`{name}` of `{kind}` is not in docs/JSON.md");
        }
    }
}

fn no_large_number(of: &Json) -> bool {
    match of {
        Json::Number(number) => number.as_f64().is_some_and(|n| n.abs() < 9_007_199_254_740_992.0),
        Json::Array(all) => all.iter().all(no_large_number),
        Json::Object(all) => all.values().all(no_large_number),
        Json::Null | Json::Bool(_) | Json::String(_) => true,
    }
}

#[test]
fn a_plays_lines_begin_with_what_it_is_and_end_with_whether_it_was_expected() {
    let output = Command::new(env!("CARGO_BIN_EXE_mallory"))
        .args(["run", "dh-mitm/weak", "--log", "json"])
        .output()
        .unwrap();
    let lines: Vec<Json> =
        output.stdout.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    assert_eq!(lines[0]["kind"], "play");
    assert_eq!((&lines[0]["version"], &lines[0]["seed"]), (&Json::from(1), &Json::from("0")));
    assert_eq!(lines.last().unwrap()["as_expected"], true);
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["kind"].as_str()).collect();
    for kind in ["session", "verdict", "learned"] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    let verdict = lines.iter().find(|line| line["goal"] == "secret Payload").unwrap();
    assert_eq!(verdict["verdict"], "violated");
    assert_eq!(verdict["finding"]["text"], "transfer 100 to carol");
    assert!(verdict["evidence"].as_array().unwrap().iter().any(|step| step["kind"] == "replaced"));
    assert!(lines.iter().any(|line| line["kind"] == "learned" && line["term"] == "Payload"));
}

#[test]
fn a_test_as_json_says_what_was_not_met_and_how_to_see_it() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("json");
    std::fs::create_dir_all(&folder).unwrap();
    let text = |expect: &str| {
        format!(
            "protocol = \"anonymous-dh\"\n[[run]]\nA = \"alice\"\nB = \"bob\"\nPayload = \"hi\"\n{expect}"
        )
    };
    std::fs::write(folder.join("fails.toml"), text("[expect]\nruns = { \"1.alice\" = \"waits\" }")).unwrap();
    std::fs::write(folder.join("silent.toml"), text("")).unwrap();
    let test = |names: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_mallory"))
            .args(["test", "--json"])
            .args(names)
            .current_dir(&folder)
            .output()
            .unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (output.status.code().unwrap(), lines)
    };
    let (code, lines) = test(&["fails.toml", "silent.toml", "dh-mitm/weak"]);
    assert_eq!(code, 1);
    let results: BTreeSet<&str> = lines.iter().filter_map(|line| line["result"].as_str()).collect();
    assert_eq!(results, BTreeSet::from(["asserts-nothing", "failed", "passed"]));
    let failed = lines.iter().find(|line| line["result"] == "failed").unwrap();
    assert_eq!(failed["unmet"][0]["what"], "expected 1.alice waits, but alice completes");
    assert_eq!(failed["unmet"][0]["repeat_with"], "mallory run fails.toml --seed 0");
    let tally = lines.last().unwrap();
    assert_eq!(
        (&tally["passed"], &tally["failed"], &tally["assert_nothing"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!(test(&["silent.toml"]).0, 1, "nothing was tested");
    assert_eq!(test(&["silent.toml", "dh-mitm/weak"]).0, 0);
}
