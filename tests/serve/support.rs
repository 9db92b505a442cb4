//! The binary in a process of its own, and curl. Waits have ends; none is measured.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// How long anything may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(120);

pub const PASSPHRASE: &str = "correct horse battery staple";

/// Whether a program is there; says so if not.
pub fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}

/// A new folder for one test.
pub fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("serve-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn mallory(arguments: &[&str], passphrase: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mallory"));
    command.arg("serve").args(["--listen", "127.0.0.1:0", "--publish", "127.0.0.1:0"]).args(arguments);
    command.env("MALLORY_PASSPHRASE", passphrase).env_remove("MALLORY_LOG").stdin(Stdio::null());
    command
}

/// A start that does not come to anything.
pub fn refused(arguments: &[&str], passphrase: &str) -> Output {
    let mut child =
        mallory(arguments, passphrase).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if end(&mut child).is_none() {
        child.kill().unwrap();
        panic!("it was served: {:?}", child.wait_with_output().unwrap());
    }
    child.wait_with_output().unwrap()
}

/// How a process ended, if it did.
fn end(child: &mut Child) -> Option<ExitStatus> {
    let step = Duration::from_millis(20);
    for _ in 0..PATIENCE.as_millis() / step.as_millis() {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(step);
    }
    None
}

/// A service that runs.
pub struct Server {
    child: Child,
    pub port: u16,
    pub public: String,
    /// Of `--demo`.
    pub demo: Option<PathBuf>,
}

impl Server {
    pub fn demo() -> Server {
        Server::start(&["--demo"])
    }

    pub fn start(arguments: &[&str]) -> Server {
        Server::begin(mallory(arguments, PASSPHRASE), arguments.contains(&"--demo"))
    }

    /// A service on the state of [`first`](Self::first) that a shell starts after `before`.
    pub fn after(at: &Path, before: &str) -> Server {
        let mut shell = Command::new("sh");
        let service = mallory(&["--state", "state", "--config", "config.toml"], PASSPHRASE);
        shell.args(["-c", &format!("{before}; exec \"$0\" \"$@\"")]);
        shell.arg(service.get_program()).args(service.get_args()).current_dir(at);
        shell.env("MALLORY_PASSPHRASE", PASSPHRASE).env_remove("MALLORY_LOG").stdin(Stdio::null());
        Server::begin(shell, false)
    }

    fn begin(mut command: Command, is_demo: bool) -> Server {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (told, hear) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        let mut said = String::new();
        let last = if is_demo { "Ctrl-C stops it" } else { "publishing" };
        while !said.lines().any(|line| line.starts_with(last)) {
            match hear.recv_timeout(PATIENCE) {
                Ok(line) => said += &(line + "\n"),
                Err(_) => {
                    let _ = child.kill();
                    panic!("it did not start: {said}{:?}", child.wait_with_output().unwrap());
                }
            }
        }
        let after = |word: &str| {
            let line = said.lines().find(|line| line.starts_with(word)).unwrap();
            line[word.len()..].split_whitespace().next().unwrap().to_owned()
        };
        let port = after("listening").rsplit(':').next().unwrap().parse().unwrap();
        let public = after("publishing");
        let demo = is_demo.then(|| PathBuf::from(after("people").split("/{").next().unwrap()));
        // Whoever reads on keeps it from blocking.
        std::thread::spawn(move || hear.into_iter().for_each(drop));
        Server { child, port, public, demo }
    }

    /// A service on `state`, with an administrator `admin` whose folder is `admin` beside it, and
    /// without one-time codes.
    pub fn with_state(at: &Path, more: &[&str]) -> Server {
        Server::configured(at, "second_factor_of = []\n", more)
    }

    /// A service on `state` with these settings.
    pub fn configured(at: &Path, settings: &str, more: &[&str]) -> Server {
        let config = at.join("config.toml");
        fs::write(&config, format!("crl_period = \"1s\"\n{settings}")).unwrap();
        let (config, state) = (config.display().to_string(), at.join("state").display().to_string());
        let first = ["--config", &config, "--state", &state];
        Server::start(&[&first[..], more].concat())
    }

    pub fn first(at: &Path) -> Server {
        Server::first_configured(at, "second_factor_of = []\n")
    }

    /// As [`first`](Self::first), with these settings.
    pub fn first_configured(at: &Path, settings: &str) -> Server {
        let into = at.join("admin").display().to_string();
        Server::configured(at, settings, &["--administrator", "admin", "--into", &into])
    }

    /// Kilobytes of memory that are its own now; `None` where the system does not say.
    pub fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn public_port(&self) -> u16 {
        self.public.rsplit(':').next().unwrap().parse().unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Asks somebody in the folder of the demo.
    pub fn ask(&self, who: &str, path: &str, body: &str) -> Answer {
        self.ask_as(&self.demo.as_ref().unwrap().join(who), path, body)
    }

    /// Posts a body, or gets if it is empty, with the key and certificate of a folder.
    pub fn ask_as(&self, folder: &Path, path: &str, body: &str) -> Answer {
        let mut more = vec![];
        if !body.is_empty() {
            more.extend(["-d", body]);
        }
        self.curl(Some(folder), &folder.join("ca.pem"), path, &more)
    }

    pub fn curl(&self, who: Option<&Path>, ca: &Path, path: &str, more: &[&str]) -> Answer {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-i", "--path-as-is", "--max-time", "60", "--cacert"]).arg(ca);
        if let Some(folder) = who {
            curl.arg("--cert").arg(folder.join("certificate.pem"));
            curl.arg("--key").arg(folder.join("key.pem"));
        }
        Answer::of(curl.args(more).arg(self.url(path)).output().unwrap())
    }

    pub fn fetch(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.public);
        Answer::of(Command::new("curl").args(["-sS", "-i", "--max-time", "60", &url]).output().unwrap())
    }

    /// Asks it to end, as the system does, and answers its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        end(&mut self.child).expect("it did not stop").code()
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(demo) = &self.demo {
            let _ = fs::remove_dir_all(demo);
        }
    }
}

/// An answer; status 0: there was none.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    /// What curl said.
    pub error: String,
}

impl Answer {
    fn of(output: Output) -> Answer {
        let mut rest = &output.stdout[..];
        let mut head = String::new();
        // An interim answer comes before the answer.
        while rest.starts_with(b"HTTP/") {
            let end = rest.windows(4).position(|at| at == b"\r\n\r\n").map_or(rest.len(), |at| at + 4);
            head = String::from_utf8_lossy(&rest[..end]).to_lowercase();
            rest = &rest[end..];
        }
        let status = head.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        Answer { status, head, body: rest.to_vec(), error }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Wants a refusal with this status and word.
    #[track_caller]
    pub fn is_refused(&self, status: u16, word: &str) {
        assert_eq!(
            (self.status, self.json()["error"].as_str()),
            (status, Some(word)),
            "{} {self:?}",
            self.error
        );
    }

    #[track_caller]
    pub fn done(&self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.json()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))?;
        Some(line.trim())
    }
}

/// A command's standard output.
#[track_caller]
pub fn run(program: &str, arguments: &[&str], input: &[u8]) -> (bool, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
