//! The HTML pages in a browser: stepped through by buttons and keys, held against `--log json` at
//! each step, looked at in light and dark, on a desk and on a telephone, and with axe-core.
//!
//! It takes node, chromium and `npm ci --prefix tests/browser`. `MALLORY_PICTURES=DIR` keeps
//! pictures of the pages.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser");

/// Stories of every kind: on the wire, by type confusion, with a dictionary, with stolen keys,
/// tickets, certificates, a key centre and its vault.
const STORIES: [&str; 10] = [
    "dh-mitm",
    "krb-golden-ticket",
    "nspk-lowe",
    "nssk-denning-sacco",
    "otp-bruteforce",
    "otway-rees-type-flaw",
    "pki-misissuance",
    "revoked-client-cutoff",
    "selfie",
    "vault-theft",
];

/// Where a program is, if it is installed.
fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|at| at.is_file())
}

/// Writes a page and, beside it, what the log has.
fn write(folder: &Path, name: &str, scenario: &str) -> PathBuf {
    let page = folder.join(format!("{name}.html"));
    let log = std::fs::File::create(folder.join(format!("{name}.jsonl"))).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_mallory"))
        .args(["run", scenario, "--log", "json", "--html", page.to_str().unwrap()])
        .stdout(Stdio::from(log))
        .status()
        .unwrap();
    assert!(status.success(), "{scenario}");
    page
}

const HOSTILE: &str = r#"
[protocol]
messages = ["A -> B : A, Note"]
given    = { A = ["Note: data"] }
goals    = ["B authenticates A on Note", "secret Note"]
[[run]]
A = "alice"
B = "bob"
Note = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u2028\u202e #0123456789abcdef"
[attacker]
attack = ["1.1 alice -> I(bob) : A, X", "1.1 I(alice) -> bob : A, \"<svg onload=alert(3)>\""]
"#;

#[test]
fn readers_can_step_through_the_pages() {
    let node = program(&["node", "nodejs"]);
    let browser = program(&["chromium", "chromium-browser", "google-chrome"]);
    let (Some(node), Some(browser)) = (node, browser) else {
        println!("skipped: it takes node and chromium");
        return;
    };
    if !Path::new(HERE).join("node_modules/axe-core").is_dir() {
        println!("skipped: it takes `npm ci --prefix tests/browser`");
        return;
    }
    let folder = std::env::temp_dir().join(format!("mallory-browser-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut pages: Vec<PathBuf> = STORIES.iter().map(|name| write(&folder, name, name)).collect();
    let hostile = folder.join("hostile.toml");
    std::fs::write(&hostile, HOSTILE).unwrap();
    pages.push(write(&folder, "hostile", hostile.to_str().unwrap()));
    let pictures = std::env::var_os("MALLORY_PICTURES").unwrap_or_else(|| "-".into());
    let output = Command::new(node)
        .current_dir(HERE)
        .arg("pages.mjs")
        .arg(browser)
        .arg(pictures)
        .args(&pages)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    std::fs::remove_dir_all(&folder).unwrap();
}
