//! Views of a play that other tools draw.

mod command;

use std::collections::BTreeMap;

use command::mallory;

fn view(kind: &str, name: &str) -> String {
    let (code, out, err) = mallory(&["run", name, "--view", kind]);
    assert_eq!((code, &*err), (0, ""), "{out}");
    out
}

/// A payload that every language here would take for its own, and its file.
const HOSTILE: &str =
    "</text><script>alert(1)</script> ; end\\n## `x` | ~~y~~ #35; <U+0041> %%{{init}}%% \u{202e}";

fn hostile_file(name: &str) -> String {
    let path = std::env::temp_dir().join(format!("mallory-views-{}-{name}.toml", std::process::id()));
    let note = HOSTILE.replace('\\', "\\\\").replace('\u{202e}', "\\u202e");
    let text = format!(
        r#"
        [protocol]
        messages = ["A -> B : A, Note"]
        given    = {{ A = ["Note: data"] }}
        goals    = ["B authenticates A on Note"]
        [[run]]
        A = "alice"
        B = "bob"
        Note = "{note}"
        [attacker]
        attack = ["1.1 alice -> I(bob) : A, X", "1.1 I(alice) -> bob : A, \"{note}\""]
        "#
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_picture_is_xml_and_says_what_the_chart_says() {
    for name in ["dh-mitm/weak", "revoked-client-cutoff/weak", "nssk-denning-sacco/weak"] {
        let svg = view("svg", name);
        let document = roxmltree::Document::parse(&svg).unwrap_or_else(|why| panic!("{name}: {why}\n{svg}"));
        let texts: Vec<&str> =
            document.descendants().filter(|n| n.has_tag_name("text")).filter_map(|n| n.text()).collect();
        assert!(texts.contains(&"alice") && texts.contains(&"bob"), "{texts:?}");
        let number = |node: roxmltree::Node<'_, '_>, name: &str| {
            node.attribute(name).unwrap().parse::<usize>().unwrap()
        };
        let root = document.root_element();
        for line in document.descendants().filter(|n| n.has_tag_name("line")) {
            assert!(
                number(line, "x2") <= number(root, "width") && number(line, "y2") <= number(root, "height")
            );
        }
        let rows = document.descendants().filter(|n| n.attribute("data-event").is_some()).count();
        let mermaid = view("mermaid", name);
        let drawn = mermaid.lines().filter(|line| line.contains(": ") && !line.contains("accTitle")).count();
        assert!(rows > 5 && rows <= drawn, "{name}: {rows} of {drawn}");
    }
}

#[test]
fn others_text_is_text_in_every_language() {
    let file = hostile_file("others");
    let svg = view("svg", &file);
    let document = roxmltree::Document::parse(&svg).expect("what others wrote ends no element");
    assert!(!document.descendants().any(|node| node.has_tag_name("script")));
    let said: String =
        document.descendants().filter(|n| n.has_tag_name("text")).filter_map(|n| n.text()).collect();
    assert!(said.contains("<script>alert(1)</script>"), "{said}");
    let mermaid = view("mermaid", &file);
    assert!(!mermaid.contains(['<', '`', '~', '%', '|']), "{mermaid}");
    let plantuml = view("plantuml", &file);
    assert!(!plantuml.contains("<script") && !plantuml.contains(['`', '~', '|', '%']), "{plantuml}");
    let markdown = view("markdown", &file);
    let prose = markdown.split("```mermaid").next().unwrap();
    assert!(!prose.contains("<script") && !prose.contains("~~y"), "{prose}");
    for kind in ["svg", "mermaid", "plantuml", "shiviz", "markdown"] {
        let text = view(kind, &file);
        assert!(!text.chars().any(|c| c == '\u{202e}' || (c.is_control() && c != '\n')), "{kind}: {text:?}");
    }
}

#[test]
fn every_clock_of_the_space_time_diagram_counts_events_that_are_there() {
    for name in ["dh-mitm/weak", "revoked-client-cutoff/weak", "nssk-denning-sacco/weak"] {
        let text = view("shiviz", name);
        let (expression, log) = text.split_once("\n\n").unwrap();
        assert_eq!(expression, r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)");
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let lines: Vec<&str> = log.lines().collect();
        assert!(lines.len() > 8 && lines.len().is_multiple_of(2), "{name}: {log}");
        for pair in lines.chunks(2) {
            let (host, clock) = pair[0].split_once(' ').unwrap();
            let clock: BTreeMap<String, u64> = serde_json::from_str(clock).unwrap();
            let own = counts.entry(host.to_owned()).or_default();
            *own += 1;
            assert_eq!(clock[host], *own, "{name}: {}", pair[0]);
            for (other, seen) in &clock {
                assert!(counts.get(other).is_some_and(|count| seen <= count), "{name}: {}", pair[0]);
            }
        }
    }
}

#[test]
fn a_picture_is_of_one_play() {
    for kind in ["svg", "shiviz"] {
        let (code, out, err) = mallory(&["run", "dh-mitm", "--view", kind]);
        assert_eq!((code, &*out), (2, ""));
        assert!(err.contains("this view is of one play, and 2 are asked for: name a variant"), "{err}");
    }
}

#[test]
fn what_is_drawn_is_what_was_reviewed() {
    for kind in ["mermaid", "plantuml", "shiviz", "markdown"] {
        insta::assert_snapshot!(format!("{kind}_of_dh_mitm"), view(kind, "dh-mitm/weak"));
    }
}
