//! The passphrase, asked for on a terminal, which a script in Python stands for.

use super::support::{folder, has, run};

/// Runs a command on a terminal of its own; each answer is given when the terminal asks for one
/// without showing it. Prints the exit code and all that the terminal showed.
const SCRIPT: &str = r#"
import os, pty, select, signal, sys, termios, time
answers, command = sys.argv[1].split("|"), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.environ.pop("MALLORY_PASSPHRASE", None)
    os.execv(command[0], command)
shown, until, asked = b"", time.time() + 100, 0
def hides():
    return not termios.tcgetattr(fd)[3] & termios.ECHO
while time.time() < until:
    ready, _, _ = select.select([fd], [], [], 0.05)
    if ready:
        try:
            piece = os.read(fd, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    prompts = shown.count(b": ") if answers else 0
    if answers and prompts > asked and hides():
        asked = prompts
        os.write(fd, answers.pop(0).encode() + b"\n")
    if b"publishing" in shown and not answers:
        os.kill(pid, signal.SIGTERM)
        answers = None
else:
    # Nobody waits for ever.
    os.kill(pid, signal.SIGKILL)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status))
sys.stdout.write(shown.decode("utf-8", "replace"))
"#;

#[test]
fn the_passphrase_is_asked_for_and_not_shown() {
    if !has("python3") {
        return;
    }
    let at = folder("prompt");
    let state = at.join("state").display().to_string();
    let start = |answers: &[&str]| {
        let exe = env!("CARGO_BIN_EXE_mallory");
        let answers = answers.join("|");
        let serve = ["serve", "--listen", "127.0.0.1:0", "--publish", "127.0.0.1:0", "--state", &state];
        let (good, told) = run("python3", &[&["-c", SCRIPT, &answers, exe][..], &serve].concat(), b"");
        assert!(good, "{told}");
        for answer in answers.split('|').filter(|answer| !answer.is_empty()) {
            assert!(!told.contains(answer), "{answer} is shown: {told}");
        }
        let (code, told) = told.split_once('\n').unwrap();
        (code.to_owned(), told.to_owned())
    };
    let (code, told) = start(&["one-secret", "one-secrte"]);
    assert_eq!(code, "2", "{told}");
    assert!(told.contains("The same again: ") && told.contains("they differ"), "{told}");
    let (code, told) = start(&["", ""]);
    assert_eq!(code, "2", "{told}");
    assert!(told.contains("not empty"), "{told}");
    let (code, told) = start(&["one-secret", "one-secret"]);
    assert_eq!(code, "0", "{told}");
    assert!(told.contains("Passphrase for the new vault: "), "{told}");
    let (code, told) = start(&["other-secret"]);
    assert_eq!(code, "2", "{told}");
    assert!(told.contains("Passphrase of the vault: ") && told.contains("does not open it"), "{told}");
    assert!(!told.contains("The same again"), "{told}");
    let (code, told) = start(&["one-secret"]);
    assert_eq!(code, "0", "{told}");
}
