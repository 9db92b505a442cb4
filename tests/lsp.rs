//! The language server, spoken to as an editor does: over standard input and output of the command.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// An editor with one server.
struct Editor {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    asked: i64,
}

const FILE: &str = "file:///tmp/a%20folder/story.toml";

const STORY: &str = r#"title = "An order"
[protocol]
messages = [
  "A -> B : A, {Na}k(A,B)",
  "B -> A : {Na, Order}k(A,B)",
]
goals = ["secret Order"]
fresh = { A = ["Na: nonce"] }
given = { B = ["Order: data"] }

[[run]]
A = "alice"
B = "bob"
Order = "sell"

[attacker]
tactic = "replay"
"#;

impl Editor {
    fn open() -> Editor {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mallory"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut editor = Editor { child, to, from, asked: 0 };
        let able = editor.ask("initialize", json!({ "capabilities": {} }));
        assert_eq!(able["capabilities"]["hoverProvider"], true);
        editor.tell("initialized", json!({}));
        editor
    }

    fn write(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.to.flush().unwrap();
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the server is gone");
            match line.trim().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().unwrap();
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut text = vec![0; length];
        self.from.read_exact(&mut text).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn put(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let answer = self.read();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let mut answer = self.put(method, params);
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].take()
    }

    /// Opens a text, or changes it; what is wrong with it.
    fn types(&mut self, uri: &str, text: &str, is_new: bool) -> Vec<Value> {
        if is_new {
            let document = json!({ "uri": uri, "languageId": "toml", "version": 1, "text": text });
            self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        } else {
            let change =
                json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [{ "text": text }] });
            self.tell("textDocument/didChange", change);
        }
        let mut said = self.read();
        assert_eq!(said["method"], "textDocument/publishDiagnostics");
        assert_eq!(said["params"]["uri"], uri);
        serde_json::from_value(said["params"]["diagnostics"].take()).unwrap()
    }

    /// Asks about the first place in a text at which `part` stands, so many characters into it.
    fn at(&mut self, method: &str, text: &str, part: &str, into: usize) -> Value {
        let (before, line) = {
            let byte = text.find(part).unwrap() + into;
            (&text[..byte], text[..byte].matches('\n').count())
        };
        let column = before.rsplit('\n').next().unwrap().encode_utf16().count();
        let position = json!({ "line": line, "character": column });
        self.ask(method, json!({ "textDocument": { "uri": FILE }, "position": position }))
    }

    fn close(mut self) {
        assert!(self.ask("shutdown", Value::Null).is_null());
        self.tell("exit", Value::Null);
        assert!(self.child.wait().unwrap().success());
    }
}

/// Every mistake that `check` says, at the place at which it says it, on every change.
#[test]
fn what_check_says_is_said_while_one_types() {
    let folder = std::env::temp_dir().join(format!("mallory-lsp-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut editor = Editor::open();
    assert!(editor.types(FILE, STORY, true).is_empty());
    let slips = [
        ("k(A,B)\",\n]", "k(A,C)\",\n]"),
        ("\"replay\"", "\"repaly\""),
        ("\"An order\"", "\"An \u{1f511} order\"\nlatency = 1"),
        ("{Na}k(A,B)", "\u{fc}{Na}k(A,B)"),
        ("Order = \"sell\"", "Order = "),
    ];
    for (right, wrong) in slips {
        let text = STORY.replacen(right, wrong, 1);
        let found = editor.types(FILE, &text, false);
        let file = folder.join("story.toml");
        std::fs::write(&file, &text).unwrap();
        let checked = Command::new(env!("CARGO_BIN_EXE_mallory")).arg("check").arg(&file).output().unwrap();
        let told = String::from_utf8(checked.stderr).unwrap() + &String::from_utf8(checked.stdout).unwrap();
        assert_eq!(checked.status.code(), Some(2), "{told}");
        assert!(!found.is_empty(), "{wrong}");
        for problem in found {
            let (start, message) = (&problem["range"]["start"], problem["message"].as_str().unwrap());
            let line = start["line"].as_u64().unwrap() as usize;
            let units: Vec<u16> = text.lines().nth(line).unwrap().encode_utf16().collect();
            let before = String::from_utf16_lossy(&units[..start["character"].as_u64().unwrap() as usize]);
            let place = format!("story.toml:{}:{}", line + 1, before.chars().count() + 1);
            assert!(told.contains(&place), "{place}\n{told}");
            assert!(told.contains(message.split(" (").next().unwrap()), "{message}\n{told}");
        }
    }
    assert!(editor.types(FILE, STORY, false).is_empty(), "what is mended is said no more");
    editor.close();
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_line_says_what_each_role_has_after_it() {
    let mut editor = Editor::open();
    editor.types(FILE, STORY, true);
    let told = |editor: &mut Editor, part, into| {
        let hover = editor.at("textDocument/hover", STORY, part, into);
        assert_eq!(hover["contents"]["kind"], "plaintext");
        hover["contents"]["value"].as_str().unwrap().to_owned()
    };
    let first = told(&mut editor, "-> B : A, {Na}", 1);
    assert!(first.contains("After line 1") && first.contains("A has Na\n"), "{first}");
    let second = told(&mut editor, "{Na, Order}", 6);
    assert!(second.contains("Order: what B is given by the scenario"), "{second}");
    assert!(second.contains("After line 2") && second.contains("A has Na, Order"), "{second}");
    assert!(told(&mut editor, "tactic", 2).contains("A way that is not written down"), "what a key means");
    editor.close();
}

#[test]
fn names_lead_to_where_they_are_declared() {
    let mut editor = Editor::open();
    editor.types(FILE, STORY, true);
    let mut line = |part, into| {
        let found = editor.at("textDocument/definition", STORY, part, into);
        assert_eq!(found["uri"], FILE);
        STORY.lines().nth(found["range"]["start"]["line"].as_u64().unwrap() as usize).unwrap().to_owned()
    };
    assert!(line("{Na, Order}", 1).starts_with("fresh"));
    assert!(line("secret Order", 8).starts_with("given"));
    assert!(line("B -> A : {Na", 0).contains("A -> B"), "a role, where it first stands");
    editor.close();
}

/// In a text that is no TOML while it is typed, keys, words and names are proposed.
#[test]
fn keys_words_and_names_are_proposed() {
    let mut editor = Editor::open();
    editor.types(FILE, STORY, true);
    let mut proposed = |right: &str, wrong: &str, part: &str| {
        let text = STORY.replacen(right, wrong, 1);
        editor.types(FILE, &text, false);
        let found = editor.at("textDocument/completion", &text, part, part.len());
        let label = |item: &Value| item["label"].as_str().unwrap().to_owned();
        found.as_array().unwrap().iter().map(label).collect::<Vec<_>>()
    };
    let keys = proposed("tactic = \"replay\"", "tac", "\ntac");
    assert!(keys.contains(&"tactic".to_owned()) && !keys.contains(&"messages".to_owned()), "{keys:?}");
    let words = proposed("\"replay\"", "\"", "tactic = \"");
    assert!(words.iter().any(|word| word == "mitm"), "{words:?}");
    let names = proposed("{Na, Order}k(A,B)\"", "{Na, ", "{Na, ");
    assert!(["A", "B", "Na", "Order"].iter().all(|name| names.contains(&(*name).to_owned())), "{names:?}");
    editor.close();
}

/// Nothing that a file or an editor says ends the server or reaches a terminal.
#[test]
fn hostile_texts_and_questions_are_answered() {
    let mut editor = Editor::open();
    let hostile = "title = \"x\"\n\"\\u001b[31m<b>\\u202e\" = 1\n";
    let found = editor.types(FILE, hostile, true);
    assert!(!found[0]["message"].as_str().unwrap().contains(['\u{1b}', '\u{202e}']), "{found:?}");
    for position in [
        json!({ "line": 4_000_000_000_u32, "character": 7 }),
        json!({ "line": 1, "character": 4_000_000_000_u32 }),
    ] {
        let params = json!({ "textDocument": { "uri": FILE }, "position": position });
        for method in ["textDocument/hover", "textDocument/definition", "textDocument/completion"] {
            editor.ask(method, params.clone());
        }
    }
    assert!(editor.put("textDocument/hover", json!({ "position": 3 }))["error"].is_object());
    assert!(editor.put("no/such", json!({}))["error"]["message"].as_str().unwrap().contains("no/such"));
    let long = format!("title = \"{}\"", "x".repeat(1 << 20));
    let found = editor.types(FILE, &long, false);
    assert!(found[0]["message"].as_str().unwrap().contains("MAX_FILE_BYTES"));
    for cut in (0..STORY.len()).step_by(7) {
        editor.types(FILE, &STORY[..cut], false);
        let (line, at) =
            (STORY[..cut].matches('\n').count(), STORY[..cut].rsplit('\n').next().unwrap().len());
        let params =
            json!({ "textDocument": { "uri": FILE }, "position": { "line": line, "character": at } });
        for method in ["textDocument/hover", "textDocument/definition", "textDocument/completion"] {
            editor.ask(method, params.clone());
        }
    }
    editor.close();
}
