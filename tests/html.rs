//! The HTML page of a play: it is whole, safe, and says what the other views say.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use base64ct::{Base64, Encoding as _};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

fn mallory(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mallory")).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn place(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("mallory-html-{}-{name}", std::process::id()))
}

/// The page of a run.
fn page(name: &str, args: &[&str]) -> String {
    let path = place(&format!("{name}.html"));
    let (code, out, err) = mallory(&[&["run", "--html", path.to_str().unwrap()], args].concat());
    assert_eq!((code, &*err), (0, ""), "{out}");
    let page = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    page
}

fn written(name: &str, text: &str) -> String {
    let path = place(&format!("{name}.toml"));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What stands between two texts, the first time.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let rest = &text[text.find(begin).unwrap_or_else(|| panic!("no {begin}")) + begin.len()..];
    &rest[..rest.find(end).unwrap_or_else(|| panic!("no {end}"))]
}

const ISLAND: &str = "<script id=\"data\" type=\"application/json\">";

fn island(page: &str) -> Json {
    serde_json::from_str(between(page, ISLAND, "</script>")).unwrap()
}

/// The page's elements, without what is text in its script, its style and its data.
fn elements(page: &str) -> String {
    let (before, rest) = page.split_once(ISLAND).unwrap();
    assert_eq!(rest.matches("<script").count(), 1, "the data and the script end the page");
    let (head, body) = before.split_once("<style>").unwrap();
    format!("{head}{}{}", body.split_once("</style>").unwrap().1, rest.rsplit_once("</script>").unwrap().1)
}

#[test]
fn nothing_acts_but_what_the_policy_names() {
    for name in ["dh-mitm", "revoked-client-cutoff", "kms-tour"] {
        let page = page(name, &[name]);
        let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
        let hash = |text: &str| format!("'sha256-{}'", Base64::encode_string(&Sha256::digest(text)));
        let script = between(&page, "</script><script>", "</script>");
        let style = between(&page, "<style>", "</style>");
        assert_eq!(
            policy.replace("&#39;", "'"),
            format!(
                "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
                hash(script),
                hash(style)
            )
        );
        let elements = elements(&page);
        for word in
            [" style=", " src=", " srcdoc=", "http:", "https:", "javascript:", "<link", "<iframe", "<object"]
        {
            let allowed = if word.starts_with("http") {
                elements.matches("http://www.w3.org/2000/svg").count()
            } else {
                0
            };
            assert_eq!(elements.matches(word).count(), allowed, "{name}: {word}");
        }
        assert!(
            !elements.split('<').any(|tag| tag.split('>').next().unwrap_or("").contains(" on")),
            "{name}"
        );
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
}

/// What HTML, JSON in HTML and scripts would take for their own.
const HOSTILE: &str =
    "</script></text><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\"'` <!-- \u{2028}\u{202e} #";

#[test]
fn others_text_is_text() {
    let note = HOSTILE.replace('"', "\\\"").replace('\u{2028}', "\\u2028").replace('\u{202e}', "\\u202e");
    let file = written(
        "hostile",
        &format!(
            r#"
            title = "{note}"
            about = "{note}"
            [protocol]
            messages = ["A -> B : A, Note"]
            given    = {{ A = ["Note: data"] }}
            goals    = ["B authenticates A on Note", "secret Note"]
            [[run]]
            A = "alice"
            B = "bob"
            Note = "{note}"
            [attacker]
            attack = ["1.1 alice -> I(bob) : A, X", "1.1 I(alice) -> bob : A, Note"]
            given  = {{ Note = "{note}" }}
            "#
        ),
    );
    let page = page("hostile", &[&file]);
    let data = between(&page, ISLAND, "</script>");
    assert!(!data.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
    let elements = elements(&page);
    assert!(
        elements.contains("&lt;/script&gt;&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x")
    );
    assert!(!elements.contains("<script") && !elements.contains("<img") && !elements.contains("<!--"));
    assert!(!elements.contains(['\u{202e}', '\u{2028}']) && elements.contains("\\u202e"));
    let told = island(&page)["plays"][0]["lines"].to_string();
    assert!(told.contains("\u{202e}"), "data is as it is: the script makes it legible");
}

#[test]
fn the_data_is_what_the_log_has() {
    for name in ["dh-mitm", "revoked-client-cutoff", "nssk-denning-sacco", "krb-golden-ticket"] {
        let data = island(&page(name, &[name]));
        let (_, log, _) = mallory(&["run", name, "--log", "json"]);
        let lines = log.lines().map(|line| {
            let mut line: Json = serde_json::from_str(line).unwrap();
            let fields = line.as_object_mut().unwrap();
            fields.retain(|name, _| name != "scenario" && name != "variant");
            line
        });
        let plays = data["plays"].as_array().unwrap().iter();
        let told: Vec<Json> = plays.flat_map(|play| play["lines"].as_array().unwrap().clone()).collect();
        assert_eq!(told, lines.collect::<Vec<_>>(), "{name}");
    }
}

/// What the page has beside the log: where messages arrived and which check refused them.
#[test]
fn a_message_says_what_became_of_it() {
    let data = island(&page("became", &["dh-mitm/fixed"]));
    let play = &data["plays"][0];
    let refused: Vec<&Json> = play["receptions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|reception| reception["came_to"] == "refused")
        .collect();
    let [one] = refused.as_slice() else { panic!("{refused:?}") };
    assert_eq!(
        (&one["by"], &one["line"], &one["reason"]),
        (&"alice".into(), &2.into(), &"bad-signature".into())
    );
    assert!(one["meaning"].as_str().unwrap().contains("RFC 8032"), "{one}");
    for line in play["lines"].as_array().unwrap().iter().filter(|line| line["bytes"].is_number()) {
        let shown = play["bytes"][line["message"].to_string()].as_str().unwrap().len() as u64 / 2;
        assert_eq!(shown, line["bytes"].as_u64().unwrap().min(512), "{line}");
    }
}

/// What she learns she has from the event on with which she has all that it takes, and no later.
#[test]
fn what_she_learns_she_has_from_some_step_on() {
    let data = island(&page("learns", &["dh-mitm/weak"]));
    let play = &data["plays"][0];
    let lines = play["lines"].as_array().unwrap();
    let learned = lines.iter().filter(|line| line["kind"] == "learned");
    let mut found = 0;
    for (value, way) in learned.zip(play["ways"].as_array().unwrap()) {
        let steps = way["steps"].as_array().unwrap();
        let latest = steps.iter().map(|step| step["since"].as_u64().unwrap()).max();
        assert_eq!(way["since"].as_u64(), latest, "{way}");
        if value["term"] == "Payload" && value["run"] == 1 && value["parties"][0] == "alice" {
            // She opens what alice sends in line 3, and had the key before.
            let sent = lines.iter().find(|line| line["kind"] == "sent" && line["line"] == 3).unwrap();
            assert_eq!(way["since"], sent["event"], "{way}");
            let key =
                steps.iter().find(|step| step["text"].as_str().unwrap().contains("derives a key")).unwrap();
            assert!(key["since"].as_u64() < sent["event"].as_u64(), "{way}");
            found += 1;
        }
    }
    assert_eq!(found, 1);
}

#[test]
fn every_link_leads_somewhere() {
    for name in ["dh-mitm", "revoked-client-cutoff", "nspk-lowe", "vault-theft"] {
        let page = page(name, &[name]);
        let all = |begin: &str| -> Vec<String> {
            page.split(begin).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
        };
        let ids = all(" id=\"");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{name}: each id once");
        let links = all("href=\"#");
        assert!(links.len() > 5, "{name}");
        for link in links {
            assert!(ids.contains(&link), "{name}: {link}");
        }
        for by in all("aria-labelledby=\"") {
            assert!(ids.contains(&by), "{name}: {by}");
        }
    }
}

#[test]
fn no_secret_is_on_the_page_but_what_went_over_the_wire() {
    for name in ["dh-mitm", "nspk-lowe", "krb-golden-ticket", "kms-tour", "otp-bruteforce"] {
        let keys = place(&format!("{name}.keys"));
        let page = page(name, &[name, "--keylog", keys.to_str().unwrap()]);
        let secrets = std::fs::read_to_string(&keys).unwrap();
        std::fs::remove_file(keys).unwrap();
        let mut data = island(&page);
        for play in data["plays"].as_array_mut().unwrap() {
            play["bytes"] = Json::Null;
        }
        let shown = elements(&page) + &data.to_string();
        let hex: Vec<&str> = secrets.lines().filter_map(|line| line.split(' ').next_back()).collect();
        assert!(hex.iter().filter(|hex| hex.len() >= 32).count() > 3, "{name}");
        for secret in hex.iter().filter(|hex| hex.len() >= 24) {
            assert!(!shown.contains(*secret), "{name}: {secret}");
        }
    }
}

/// A play of so many runs of two messages each.
fn long(runs: usize) -> String {
    let runs = "[[run]]\nA = \"alice\"\nB = \"bob\"\n".repeat(runs);
    format!(
        "[protocol]\nmessages = [\"A -> B : A, Na\", \"B -> A : {{Na, Nb}}k(A,B)\"]\n\
         fresh = {{ A = [\"Na: nonce\"], B = [\"Nb: nonce\"] }}\ngoals = [\"secret Nb\"]\n{runs}\n\
         [attacker]\nattack = [\"1.1 alice -> I(bob) : A, X\", \"1.1 I(alice) -> bob : A, X\"]\n"
    )
}

fn events(play: &Json) -> Vec<u64> {
    play["lines"].as_array().unwrap().iter().filter_map(|line| line["event"].as_u64()).collect()
}

#[test]
fn long_plays_have_pages_of_bounded_size() {
    let page_of = |runs: usize, args: &[&str]| {
        let file = written(&format!("long-{runs}"), &long(runs));
        page(&format!("long-{runs}-{}", args.len()), &[&[&*file], args].concat())
    };
    let page = page_of(160, &[]);
    let told = events(&island(&page)["plays"][0]).len();
    assert!((1_800..2_600).contains(&told), "{told}");
    assert!(page.len() < 3_000_000, "{} bytes of {told} events", page.len());
    assert!(!page.contains("narrow with"));
    let page = page_of(2_000, &[]);
    let data = island(&page);
    let play = &data["plays"][0];
    assert_eq!((play["rows"].as_array().unwrap().len(), events(play).len()), (2_000, 20_000));
    assert!(page.contains("more rows: narrow with --only, --from and --to"));
    assert!(page.contains("more events have no room on this page: narrow with --only, --from and --to"));
    assert!(page.len() < 20_000_000, "{} bytes", page.len());
    let page = page_of(2_000, &["--only", "7"]);
    assert!(island(&page)["plays"][0]["rows"].as_array().unwrap().len() < 12);
}

#[test]
fn a_reader_chooses_what_is_on_it() {
    let rows = |args: &[&str]| -> Vec<String> {
        let data =
            island(&page(&format!("chosen-{}", args.join("-")), &[&["nspk-lowe/weak"], args].concat()));
        data["plays"][0]["rows"].as_array().unwrap().iter().map(|row| row["said"].to_string()).collect()
    };
    let all = rows(&[]);
    let bobs = rows(&["--only", "bob"]);
    assert!(bobs.len() < all.len() && bobs.iter().all(|said| said.contains("bob")), "{bobs:?}");
    assert!(rows(&["--from", "30ms"]).len() < all.len());
    assert!(rows(&["-v"]).len() > all.len());
    assert!(rows(&["--to", "0ms", "--only", "completed"]).is_empty());
}

#[test]
fn variants_are_set_side_by_side_where_they_first_differ() {
    let page = page("aligned", &["dh-mitm"]);
    let table = between(&page, "<table class=\"aligned\">", "</table>");
    let marked: Vec<&str> = table.split("<tr class=\"parts\">").skip(1).collect();
    assert_eq!(marked.len(), 1);
    let row = marked[0].split("</tr>").next().unwrap();
    assert!(
        row.contains("alice, g^x") && row.contains("g^x <span class=\"fp\"") && row.contains("Na "),
        "{row}"
    );
    // What one of them does not come to has an empty place in it.
    assert!(table.contains("<span class=\"none\">–</span>"));
    assert!(!self::page("alone", &["dh-mitm/weak"]).contains("Side by side"));
}

#[test]
fn a_report_is_a_page_of_each_and_an_index() {
    let folder = place("report");
    let at = folder.to_str().unwrap();
    let (code, out, err) = mallory(&["report", "dh-mitm", "nspk-lowe", "--html", at]);
    assert_eq!((code, &*err), (0, ""), "{out}");
    assert_eq!(out, format!("2 pages: {}\n", folder.join("index.html").display()));
    let index = std::fs::read_to_string(folder.join("index.html")).unwrap();
    for name in ["dh-mitm", "nspk-lowe"] {
        assert!(index.contains(&format!("href=\"{name}.html\"")), "{index}");
        assert!(std::fs::read_to_string(folder.join(format!("{name}.html"))).unwrap().contains(ISLAND));
    }
    assert!(index.contains("script-src &#39;none&#39;") || index.contains("script-src 'none'"));
    let (code, _, err) = mallory(&["report", "dh-mitm", "--html", at]);
    assert!(code == 2 && err.contains("is not empty"), "{err}");
    std::fs::remove_dir_all(&folder).unwrap();
    // What is not as expected is said, and the pages show it.
    let text = "[protocol]\nmessages = [\"A -> B : A\"]\n[[run]]\nA = \"alice\"\nB = \"bob\"\n[expect]\nruns = { \"1.bob\" = \"waits\" }\n";
    let file = written("unmet", text);
    let (code, _, err) = mallory(&["report", &file, "--html", at]);
    assert!(code == 1 && err.contains("completes"), "{code} {err}");
    assert!(std::fs::read_to_string(folder.join("index.html")).unwrap().contains("not as expected"));
    std::fs::remove_dir_all(&folder).unwrap();
    let (code, out, err) = mallory(&["run", "dh-mitm", "-q", "--html", "/nowhere/at/all.html"]);
    assert!(code == 2 && err.contains("cannot write /nowhere/at/all.html"), "{out}{err}");
}
