//! The command as people and scripts use it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mallory"));
    command.args(arguments).current_dir(folder);
    for variable in ["MALLORY_LOG", "NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(variable);
    }
    command
}

fn mallory(arguments: &[&str]) -> Output {
    command(Path::new(env!("CARGO_TARGET_TMPDIR")), arguments).output().unwrap()
}

/// Standard output of a command that must end with this code.
fn said(code: i32, arguments: &[&str]) -> String {
    let output = mallory(arguments);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}{err}");
    out
}

fn complained(code: i32, arguments: &[&str]) -> String {
    let output = mallory(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    assert_eq!(text(&output.stdout), "", "{arguments:?}");
    text(&output.stderr)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn help_teaches() {
    insta::assert_snapshot!("help", said(0, &["--help"]));
    for name in ["run", "test", "list", "explain", "check", "new", "export", "import", "completions"] {
        let help = said(0, &[name, "--help"]);
        assert!(help.contains(&format!("\n  mallory {name}")), "{name} has an example");
        assert!(help.contains("Exit codes:"), "{name} says how it ends");
        insta::assert_snapshot!(format!("help-{name}"), help);
    }
}

#[test]
fn wrong_arguments_end_with_2() {
    assert!(complained(2, &["rum"]).contains("'run'"));
    assert!(complained(2, &["run"]).contains("required"));
    assert!(complained(2, &["run", "dh-mitm", "--seed", "many"]).contains("--seed"));
    assert!(complained(2, &["run", "dh-mitm", "-q", "-v"]).contains("cannot be used with"));
    assert!(complained(2, &["run", "dh-mtim"]).contains("did you mean `dh-mitm`?"));
    assert!(complained(2, &["run", "dh-mitm/wek"]).contains("did you mean `weak`?"));
    assert!(complained(2, &["run", "sigma-i"]).contains("`sigma-i` is a protocol"));
    assert!(complained(2, &["list", "--tag", "mitn"]).contains("did you mean `mitm`?"));
    for (flag, word, near) in [
        ("--protocol", "anonymous-hd", "anonymous-dh"),
        ("--breaks", "secrecies", "secrecy"),
        ("--needs", "insiders", "insider"),
    ] {
        let complaint = complained(2, &["list", flag, word]);
        assert!(complaint.contains(&format!("did you mean `{near}`?")), "{complaint}");
    }
    assert!(complained(2, &["list", "--year", "1812"]).contains("no scenario of the year `1812`"));
    assert!(complained(2, &["list", "--protocols", "--needs", "insider"]).contains("cannot be used with"));
    assert!(complained(2, &["explain", "bad-signatur"]).contains("did you mean `bad-signature`?"));
    assert!(complained(2, &["new", "two words"]).contains("no scenario's name"));
}

#[test]
fn a_run_says_what_it_is_and_how_to_repeat_it() {
    let log = said(0, &["run", "dh-mitm/weak", "--seed", "7"]);
    let head = format!("mallory {} · dh-mitm/weak · seed 7\n", env!("CARGO_PKG_VERSION"));
    assert!(log.starts_with(&head), "{log}");
    assert!(log.ends_with("\n  repeat with: mallory run dh-mitm/weak --seed 7\n"), "{log}");
    assert!(log.contains("  violated   secret Payload\n"), "{log}");
    assert_eq!(log, said(0, &["run", "dh-mitm/weak", "--seed", "7"]), "the same seed, the same bytes");
    assert_ne!(log, said(0, &["run", "dh-mitm/weak", "--seed", "8"]));
    assert!(!log.contains('\x1b'), "no colours off a terminal");
    assert!(said(0, &["run", "dh-mitm/weak", "--color", "always"]).contains("\x1b["));
}

#[test]
fn quiet_and_verbose_differ_in_detail() {
    let [quiet, normal, verbose] = [Some("-q"), None, Some("-v")].map(|flag| {
        let arguments: Vec<&str> = ["run", "dh-mitm"].into_iter().chain(flag).collect();
        said(0, &arguments)
    });
    assert!(quiet.lines().count() < normal.lines().count());
    assert!(normal.lines().count() < verbose.lines().count());
    assert!(!quiet.contains("1.1   alice"), "no messages: {quiet}");
    for log in [quiet, normal, verbose] {
        assert!(log.contains(" weak "), "variants side by side: {log}");
        assert!(log.ends_with("\n  repeat with: mallory run dh-mitm --seed 0\n"), "{log}");
    }
}

#[test]
fn without_the_attacker_nothing_falls() {
    let log = said(0, &["run", "dh-mitm/weak", "--no-attacker"]);
    assert!(log.contains(" · without the attacker\n"), "{log}");
    assert!(!log.contains("violated"), "{log}");
    assert!(log.ends_with("mallory run dh-mitm/weak --seed 0 --no-attacker\n"), "{log}");
}

#[test]
fn json_lines_begin_alike() {
    let lines = said(0, &["run", "dh-mitm", "--log", "json"]);
    let mut kinds = Vec::new();
    for line in lines.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let fields: Vec<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields[..2], ["scenario", "variant"], "{line}");
        if event.get("event").is_some() {
            assert_eq!(fields[2..6], ["event", "cause", "time_ns", "kind"], "{line}");
        }
        assert_eq!(event["scenario"], "dh-mitm");
        kinds.push(event["kind"].as_str().unwrap().to_owned());
    }
    for kind in ["sent", "taken", "injected", "completed", "refused"] {
        assert!(kinds.iter().any(|k| k == kind), "{kind}");
    }
}

const FAILS: &str = r#"
protocol = "anonymous-dh"
[[run]]
A = "alice"
B = "bob"
Payload = "transfer 100"
[attacker]
tactic = "mitm"
[expect]
runs  = { "1.alice" = "rejects" }
goals = { "secret Payload" = "holds" }
"#;

#[test]
fn an_expectation_that_failed_is_told_with_the_command_that_repeats_it() {
    let folder = folder("fails");
    fs::write(folder.join("fails.toml"), FAILS).unwrap();
    let output = command(&folder, &["run", "fails.toml", "-q"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log = text(&output.stdout);
    assert!(log.contains("expected 1.alice rejects, but alice completes"), "{log}");
    assert!(log.ends_with("\n  repeat with: mallory run fails.toml --seed 0\n"), "{log}");

    let output = command(&folder, &["test", "fails.toml", "dh-mitm/weak"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log = text(&output.stdout);
    assert!(log.contains("FAILED  fails  "), "{log}");
    assert!(log.contains("\n    expected that `secret Payload` holds, but it is violated\n"), "{log}");
    assert!(log.contains("\n    repeat with: mallory run fails.toml --seed 0\n"), "{log}");
    assert!(log.ends_with("\n1 passed, 1 failed\n"), "{log}");

    let output = command(&folder, &["run", "fails.toml", "--log", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).lines().all(|l| l.starts_with('{')), "nothing but events");
    assert!(text(&output.stderr).contains("repeat with: mallory run fails.toml --seed 0"));
}

#[test]
fn tests_are_told_in_order_and_counted() {
    let log = said(0, &["test", "dh-mitm", "--seeds", "3", "--seed", "5"]);
    let names: Vec<&str> = log.lines().map(|l| l.rsplit_once("  ").map_or(l, |(name, _)| name)).collect();
    assert_eq!(
        names[..3],
        ["ok  dh-mitm/weak  seed 5", "ok  dh-mitm/weak  seed 6", "ok  dh-mitm/weak  seed 7"]
    );
    assert!(log.ends_with("\n6 passed, 0 failed\n"), "{log}");
}

#[test]
fn a_wrong_file_among_others_ends_a_test_with_2() {
    let folder = folder("mixed");
    fs::write(folder.join("wrong.toml"), "protocl = \"anonymous-dh\"\n").unwrap();
    fs::write(folder.join("fails.toml"), FAILS).unwrap();
    fs::write(folder.join("protocol.toml"), "messages = [\"A -> B : A\"]\n").unwrap();
    let output = command(&folder, &["test", "."]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).ends_with("\n0 passed, 2 failed\n"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("wrong.toml:1:1"), "{}", text(&output.stderr));
}

#[test]
fn the_library_is_listed_and_explained() {
    let list = said(0, &["list"]);
    assert!(list.lines().any(|l| l == "dh") && list.contains("\n  dh-mitm "), "{list}");
    assert!(!said(0, &["list", "--tag", "kdc"]).contains("dh-mitm"));
    assert!(said(0, &["list", "--protocols"]).contains("  sigma-i "));
    let story = said(0, &["explain", "dh-mitm"]);
    for part in [
        "A -> B : A, g^x",
        "tactic: mitm",
        "Variant fixed",
        "protocol = \"sigma-i\"",
        "1.alice rejects line 2: bad-signature",
        "violated: secret Payload",
    ] {
        assert!(story.contains(part), "{part} is explained:\n{story}");
    }
    let story = said(0, &["explain", "api-unauth-key-release"]);
    for part in [
        "Requests",
        "1. 00:01:00.000  olivia asks for a new key alice-key (aes-256)",
        "3. 00:20:00.000  mallory asks for the key alice-key itself, as alice, in the clear",
        "Timeline\n  00:30:00.000  the attacker is handed r2",
    ] {
        assert!(story.contains(part), "{part} is explained:\n{story}");
    }
    assert!(!story.contains("Protocol") && !story.contains("A -> B"), "nobody speaks one:\n{story}");
    assert!(said(0, &["explain", "sigma-i"]).contains("goal: forward secret Payload"));
    assert!(said(0, &["explain", "certificate-revoked"]).contains("RFC 5280"));
}

#[test]
fn filters_narrow_one_another() {
    let names = |arguments: &[&str]| -> Vec<String> {
        let all: Vec<&str> = ["list"].iter().chain(arguments).copied().collect();
        let lines = said(0, &all);
        let rows = lines.lines().filter(|l| l.starts_with("  "));
        rows.filter_map(|l| l.split_whitespace().next().map(str::to_owned)).collect()
    };
    assert_eq!(names(&["--protocol", "dh-psk"]), ["dh-no-key-confirmation"]);
    assert_eq!(names(&["--year", "1981"]), ["nssk-denning-sacco"]);
    let secrecy = names(&["--breaks", "secrecy"]);
    let insiders = names(&["--needs", "insider"]);
    let both: Vec<String> = secrecy.iter().filter(|n| insiders.contains(n)).cloned().collect();
    assert!(both.len() > 1 && both.len() < secrecy.len().min(insiders.len()));
    assert_eq!(names(&["--breaks", "secrecy", "--needs", "insider"]), both);
    assert_eq!(names(&["--breaks", "secrecy", "--group", "basics"]), Vec::<String>::new());
}

#[test]
fn help_has_every_word_that_tags_use() {
    let help = said(0, &["list", "--help"]);
    for entry in mallory::scenario::scenarios() {
        for tag in mallory::Scenario::named(&entry.name).unwrap().tags {
            if let Some(word) = tag.strip_prefix("breaks:").or_else(|| tag.strip_prefix("needs:")) {
                assert!(
                    help.contains(word),
                    "`mallory list --help` does not explain `{tag}` of {}",
                    entry.name
                );
            }
        }
    }
}

/// What a scenario's weak variants say that falls, its tags say, too.
#[test]
fn tags_say_what_breaks() {
    for entry in mallory::scenario::scenarios() {
        let scenario = mallory::Scenario::named(&entry.name).unwrap();
        let weak =
            scenario.variants.iter().filter(|v| v.name.as_deref().is_some_and(|n| n.starts_with("weak")));
        for expected in weak.flat_map(|v| v.expected()) {
            let Some(goal) = expected.strip_prefix("violated: ") else { continue };
            let goal = goal.split_once(": ").map_or(goal, |(_, of_its_protocol)| of_its_protocol);
            let tag = match goal {
                _ if goal.starts_with("forward secret") => "breaks:forward-secrecy",
                _ if goal.starts_with("secret") => "breaks:secrecy",
                _ => "breaks:authentication",
            };
            assert!(scenario.tags.iter().any(|t| t == tag), "{}: {expected}, and no tag {tag}", entry.name);
        }
    }
}

#[test]
fn check_points_to_the_story_of_a_slip() {
    let output = mallory(&["check", "signed-dh-nameless"]);
    assert_eq!(output.status.code(), Some(0));
    let log = text(&output.stdout) + &text(&output.stderr);
    assert!(log.contains("warning: line 2: sign(sk(B), g^x, g^y) does not say for whom it is"), "{log}");
    assert!(log.contains("scenarios/protocols/signed-dh-nameless.toml:7:3"), "{log}");
    assert!(log.contains("help: see `mallory explain dh-identity-misbinding`"), "{log}");
}

#[test]
fn a_tag_plays_all_that_have_it() {
    let log = said(0, &["run", "mitm", "-q"]);
    assert!(log.contains("dh-mitm/weak"), "{log}");
}

#[test]
fn the_library_is_sound() {
    let log = said(0, &["check"]);
    assert!(log.lines().any(|l| l == "ok  scenarios/dh/dh-mitm.toml"), "{log}");
    assert!(!log.contains("error"), "{log}");
}

#[test]
fn a_new_scenario_passes_and_is_not_overwritten() {
    let folder = folder("new");
    for arguments in [&["new", "story"][..], &["new", "other", "--protocol", "sigma-i"]] {
        let file = format!("{}.toml", arguments[1]);
        let output = command(&folder, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        for verb in ["check", "test", "run"] {
            let output = command(&folder, &[verb, &file]).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{verb}: {}", text(&output.stdout));
        }
        let before = fs::read(folder.join(&file)).unwrap();
        let again = command(&folder, arguments).output().unwrap();
        assert_eq!(again.status.code(), Some(2));
        assert!(text(&again.stderr).contains("is there already"));
        assert_eq!(before, fs::read(folder.join(&file)).unwrap());
    }
    let variant = command(&folder, &["run", "story.toml/fixed"]).output().unwrap();
    let log = text(&variant.stdout);
    assert!(log.contains("bob rejects line 3 of run 2: bad-mac"), "{log}");
    assert!(log.ends_with("\n  repeat with: mallory run story.toml/fixed --seed 0\n"), "{log}");
}

#[test]
fn secrets_leave_only_with_a_key_log() {
    let folder = folder("keylog");
    let file = folder.join("keys");
    fs::write(&file, "left over").unwrap();
    let quiet = command(&folder, &["run", "dh-mitm/weak", "-v"]).output().unwrap();
    let output = command(&folder, &["run", "dh-mitm/weak", "-v", "--keylog", "keys"]).output().unwrap();
    assert_eq!(output.stdout, quiet.stdout);
    let keys = fs::read_to_string(&file).unwrap();
    assert!(!keys.contains("left over"));
    let secret = keys.lines().find_map(|l| l.strip_prefix("dh-mitm/weak 1 alice K ")).unwrap();
    assert_eq!(secret.len(), 64);
    assert!(!text(&output.stdout).contains(secret));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn words_and_tags_narrow_a_list() {
    let rows = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["list"].iter().chain(arguments).copied().collect();
        said(0, &arguments).lines().filter(|line| line.starts_with("  ")).count()
    };
    let all = rows(&[]);
    let (word, both) = (rows(&["REPLAY"]), rows(&["replay", "kerberos"]));
    assert!(all > word && word > both && both > 0, "{all}, {word}, {both}");
    let (tag, tags) = (rows(&["--tag", "pki"]), rows(&["--tag", "pki", "--tag", "needs:stolen-key"]));
    assert!(all > tag && tag > tags && tags > 0, "{all}, {tag}, {tags}");
    assert!(complained(2, &["list", "--tag", "pki", "--tag", "mitn"]).contains("did you mean `mitm`?"));
}

#[test]
fn a_narrow_terminal_is_not_overrun() {
    for arguments in
        [&["explain", "dh-mitm"][..], &["explain", "revoked-client-cutoff"], &["--help"], &["run", "--help"]]
    {
        let output =
            command(Path::new(env!("CARGO_TARGET_TMPDIR")), arguments).env("COLUMNS", "60").output().unwrap();
        let long = text(&output.stdout).lines().find(|line| line.chars().count() > 60).map(str::to_owned);
        assert_eq!(long, None, "{arguments:?}");
    }
}

#[test]
fn what_a_variant_removes_is_gone_before_it_is_laid_over() {
    let folder = folder("removes");
    fs::write(
        folder.join("story.toml"),
        "protocol = \"anonymous-dh\"\n[[run]]\nA = \"alice\"\nB = \"bob\"\nPayload = \"hi\"\n\
         [attacker]\ninsider = false\ntactic = \"mitm\"\n\
         [variant.alone]\nremove = [\"attacker\"]\n\
         [variant.line-by-line]\nremove = [\"attacker.tactic\"]\nattacker.attack = [\"1.1 alice -> bob : M\"]\n",
    )
    .unwrap();
    let output = command(&folder, &["explain", "story.toml"]).output().unwrap();
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}{}", text(&output.stderr));
    assert!(told.contains("Attacker in alone\n  none\n"), "{told}");
    assert!(told.contains("an outsider\n  1.1 alice -> bob : M\n"), "{told}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_system_without_memory_to_stretch_a_password_in_ends_a_play_by_the_limits_name() {
    let mut named = 0;
    // Below some size the program itself finds no room, above some there is enough for all.
    for size in (28_000..400_000).step_by(8_000) {
        let mallory = env!("CARGO_BIN_EXE_mallory");
        let line = format!("ulimit -v {size} && exec '{mallory}' run krb-kerberoast/weak -q");
        let output = Command::new("sh").args(["-c", &line]).output().unwrap();
        let err = text(&output.stderr);
        match output.status.code() {
            Some(0) => break,
            Some(3) => {
                assert!(err.contains("the limit ARGON2_MEMORY_KIB (19456) was reached"), "{size}: {err}");
                named += 1;
            }
            _ => assert!(!err.contains("a defect of mallory"), "{size}: {err}"),
        }
    }
    assert!(named > 0, "some size is too small for a password alone");
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let script = said(0, &["completions", shell]);
        assert!(script.contains("explain"), "{shell}");
        assert!(
            script.contains("dh-mitm") && script.contains("sigma-i"),
            "{shell} knows the library's names"
        );
    }
}

#[test]
fn a_reader_who_leaves_is_no_failure() {
    for arguments in [&["list"][..], &["run", "dh-mitm", "-v"], &["test", "dh-mitm"], &["completions", "zsh"]]
    {
        let mut child = command(Path::new(env!("CARGO_TARGET_TMPDIR")), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut complaint = String::new();
        child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        assert_eq!(complaint, "", "{arguments:?}");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
    }
}

/// What an event declares as a secret is in the key log, and in no other view but as a fingerprint.
#[test]
fn the_key_log_has_every_secret_that_events_declare() {
    let folder = folder("every-secret");
    for name in ["api-unauth-key-release", "krb-asrep-roast", "dh-mitm"] {
        let scenario = mallory::Scenario::named(name).unwrap();
        let report = scenario.run().unwrap();
        let events = report.plays().iter().flat_map(|play| play.journal().events());
        let secrets: Vec<String> = events
            .flat_map(|event| event.what.secrets())
            .map(|value| hex::encode(value.bytes.as_slice()))
            .collect();
        let log = said(0, &["run", name, "-v", "--keylog", folder.join(name).to_str().unwrap()]);
        let keys = fs::read_to_string(folder.join(name)).unwrap();
        let logged: Vec<&str> = keys.lines().filter_map(|line| line.rsplit(' ').next()).collect();
        assert_eq!(logged, secrets, "{name}");
        assert!(secrets.iter().filter(|s| s.len() > 31).all(|secret| !log.contains(secret)), "{name}");
    }
}

#[test]
fn a_seed_that_the_system_draws_is_told_and_can_be_played_again() {
    let drawn = said(0, &["run", "dh-mitm/weak", "-q", "--seed", "random"]);
    let head = drawn.lines().next().unwrap();
    let seed = head.rsplit(' ').next().unwrap();
    assert_eq!(drawn, said(0, &["run", "dh-mitm/weak", "-q", "--seed", seed]));
    assert_ne!(drawn, said(0, &["run", "dh-mitm/weak", "-q", "--seed", "random"]));
    assert!(complained(2, &["run", "dh-mitm", "--seed", "randm"]).contains("expected a number, or `random`"));
}
