//! `mallory test` in one's own project and on CI.

mod command;

use command::mallory;

fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("mallory-test-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A scenario of which something is expected that does not come.
const FAILING: &str = r#"
    [protocol]
    messages = ["A -> B : A, Note"]
    given    = { A = ["Note: data"] }
    goals    = ["secret Note"]
    [[run]]
    A = "alice"
    B = "bob"
    Note = "<&\u001b]]>"
    [attacker]
    tactic = "eavesdrop"
    [expect]
    goals = { "secret Note" = "holds" }
"#;

#[test]
fn the_report_is_xml_with_a_case_for_each_variant_and_seed() {
    let folder = folder("junit");
    let failing = folder.join("failing.toml");
    std::fs::write(&failing, FAILING).unwrap();
    std::fs::write(folder.join("wrong.toml"), "[protocol]\nmessages = 5").unwrap();
    let report = folder.join("report.xml");
    let arguments =
        ["test", "dh-mitm", failing.to_str().unwrap(), folder.join("wrong.toml").to_str().unwrap()]
            .map(str::to_owned);
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.extend(["--seeds", "3..4", "--junit", report.to_str().unwrap()]);
    let (code, out, err) = mallory(&arguments);
    assert_eq!(code, 2, "{out}{err}");
    let xml = std::fs::read_to_string(&report).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap_or_else(|why| panic!("{why}\n{xml}"));
    let root = document.root_element();
    assert_eq!(
        (root.attribute("tests"), root.attribute("failures"), root.attribute("errors")),
        (Some("7"), Some("2"), Some("1"))
    );
    let names: Vec<&str> = document
        .descendants()
        .filter(|n| n.has_tag_name("testcase"))
        .filter_map(|n| n.attribute("name"))
        .collect();
    assert!(names.contains(&"dh-mitm/weak seed 3") && names.contains(&"dh-mitm/fixed seed 4"), "{names:?}");
    let failure = document.descendants().find(|n| n.has_tag_name("failure")).unwrap();
    let told = failure.text().unwrap();
    assert!(told.contains("expected secret Note to hold") || told.contains("secret Note"), "{told}");
    assert!(told.contains("repeat with: mallory run "), "{told}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn an_expression_chooses_variants() {
    let (code, out, _) = mallory(&["test", "--filter", "tag:pki and not variant:fixed* and revoked-*"]);
    assert_eq!(code, 0, "{out}");
    assert!(
        out.lines().count() > 1 && !out.contains("/fixed") && out.contains("revoked-client-cutoff/weak"),
        "{out}"
    );
    let (code, _, err) = mallory(&["test", "dh-mitm", "--filter", "nothing*"]);
    assert_eq!(code, 2);
    assert!(err.contains("--filter takes no variant of these scenarios"), "{err}");
    let (code, _, err) = mallory(&["test", "--filter", "tag:pki and"]);
    assert_eq!(code, 2);
    assert!(err.contains("expected a name, `tag:`, `group:` or `variant:` at the end"), "{err}");
}

#[test]
fn after_the_first_failure_nothing_more_is_begun() {
    let folder = folder("fast");
    for name in ["a", "b", "c", "d"] {
        std::fs::write(folder.join(format!("{name}.toml")), FAILING).unwrap();
    }
    let path = folder.to_str().unwrap();
    let (code, out, _) = mallory(&["test", path, "--fail-fast", "--jobs", "1"]);
    assert_eq!(code, 1);
    assert!(out.ends_with("0 passed, 1 failed, 3 not played\n"), "{out}");
    let (_, out, _) = mallory(&["test", path, "--jobs", "1"]);
    assert!(out.ends_with("0 passed, 4 failed\n"), "{out}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_workflow_is_told_what_failed_in_its_own_words() {
    let folder = folder("github");
    let failing = folder.join("50%,a.toml");
    std::fs::write(&failing, FAILING).unwrap();
    let (code, out, err) = mallory(&["test", failing.to_str().unwrap(), "--github"]);
    assert_eq!(code, 1, "{err}");
    let line = out.lines().find(|line| line.starts_with("::error ")).unwrap_or_else(|| panic!("{out}"));
    let (properties, data) = line["::error ".len()..].split_once("::").unwrap();
    assert!(properties.starts_with("title=") && properties.contains("50%25%2Ca"), "{line}");
    assert!(data.contains("%0Arepeat with: mallory run "), "{line}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn seeds_are_a_number_or_a_range() {
    let (code, out, _) = mallory(&["test", "dh-mitm/weak", "--seeds", "7..9"]);
    assert_eq!(code, 0);
    assert!(
        out.contains("seed 7") && out.contains("seed 9") && out.ends_with("3 passed, 0 failed\n"),
        "{out}"
    );
    for (wrong, said) in
        [("0", "expected how many seeds"), ("9..7", "9..7 has no seed"), ("x..2", "as in `0..19`")]
    {
        let (code, _, err) = mallory(&["test", "dh-mitm", "--seeds", wrong]);
        assert!(code == 2 && err.contains(said), "{err}");
    }
    let (code, _, err) = mallory(&["test", "dh-mitm", "--seeds", "1..2", "--seed", "4"]);
    assert!(code == 2 && err.contains("leave out --seed"), "{err}");
}

#[test]
fn what_is_wrong_or_unwise_is_told_to_code_hosts() {
    let folder = folder("sarif");
    let unwise = folder.join("un wise.toml");
    let messages = r#"messages = ["A -> B : A, Na", "B -> A : Nb, sign(sk(B), Na)"]"#;
    std::fs::write(&unwise, format!("{messages}\ngoals = [\"A authenticates B on Na\"]\nfresh = {{ A = [\"Na: nonce\"], B = [\"Nb: nonce\"] }}\n")).unwrap();
    let wrong = folder.join("wrong.toml");
    std::fs::write(&wrong, "[protocol]\nmessages = [\"A -> B : Naa\"]\nfresh = { A = [\"Na: nonce\"] }\n")
        .unwrap();
    let log = folder.join("log.sarif");
    let (code, _, err) = mallory(&["check", folder.to_str().unwrap(), "--sarif", log.to_str().unwrap()]);
    assert_eq!(code, 2, "{err}");
    let sarif: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&log).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let of = |rule: &str| results.iter().find(|r| r["ruleId"] == rule).unwrap_or_else(|| panic!("{sarif:#}"));
    let place = |result: &serde_json::Value| result["locations"][0]["physicalLocation"].clone();
    let mistake = place(of("mistake"));
    assert!(mistake["artifactLocation"]["uri"].as_str().unwrap().ends_with("/wrong.toml"));
    assert_eq!(
        mistake["region"],
        serde_json::json!({ "startLine": 2, "startColumn": 23, "endLine": 2, "endColumn": 26 })
    );
    let slip = place(of("slip"));
    assert!(slip["artifactLocation"]["uri"].as_str().unwrap().ends_with("/un%20wise.toml"));
    assert!(of("slip")["level"] == "warning" && of("mistake")["level"] == "error");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_subcommand_has_a_manual_page() {
    let folder = folder("man");
    let (code, _, err) = mallory(&["man", folder.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    for page in ["mallory.1", "mallory-run.1", "mallory-search.1", "mallory-test.1"] {
        let text = std::fs::read_to_string(folder.join(page)).unwrap_or_else(|_| panic!("no {page}"));
        assert!(text.contains(".TH") && text.contains("Exit codes"), "{page}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_value_can_be_set_from_outside_and_the_command_says_so() {
    let (code, out, err) =
        mallory(&["run", "revoked-client-cutoff/weak", "-q", "--set", "network.latency=5s"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.contains("repeat with: mallory run revoked-client-cutoff/weak --seed 0 --set 'network.latency="),
        "{out}"
    );
    let (code, slow, _) =
        mallory(&["run", "dh-mitm/weak", "--set", "network.latency=\"2s\"", "--only", "completed"]);
    assert!(code == 0 && slow.contains("   4.000        alice completes"), "{slow}");
    for (word, said) in [
        ("network.latancy=5s", "latency"),
        ("network.latency", "expected PATH=VALUE"),
        ("run.7.at=1s", "leads nowhere"),
        ("network.latency=soon", "soon"),
    ] {
        let (code, _, err) = mallory(&["test", "dh-mitm", "--set", word]);
        assert!(code == 2 && err.contains(said), "{word}: {err}");
    }
}
