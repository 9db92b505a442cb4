//! The sequence chart of a play, and what of a long one is told.

mod command;

use command::mallory;

/// The chart alone: from the lifelines' names to the verdicts.
fn chart(args: &[&str]) -> String {
    let (code, out, err) = mallory(&[&["run", "--view", "chart"], args].concat());
    assert_eq!((code, &*err), (0, ""), "{out}");
    out.split("\n\n").nth(1).unwrap_or_else(|| panic!("{out}")).to_owned()
}

fn written(name: &str, text: &str) -> String {
    let path = std::env::temp_dir().join(format!("mallory-chart-{}-{name}.toml", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_attacker_stands_in_the_middle_and_everything_is_at_its_line() {
    insta::assert_snapshot!("chart_of_dh_mitm", chart(&["dh-mitm/weak"]));
    insta::assert_snapshot!("chart_of_dh_mitm_fixed", chart(&["dh-mitm/fixed"]));
    insta::assert_snapshot!("chart_of_revocation", chart(&["revoked-client-cutoff/weak"]));
}

#[test]
fn lines_fit_in_eighty_columns() {
    for name in ["dh-mitm", "nspk-lowe", "revoked-client-cutoff", "nssk-denning-sacco", "kms"] {
        let (_, out, _) = mallory(&["run", "--view", "chart", name]);
        let is_drawn = |line: &&str| line.contains('│') || line.contains('─');
        let wide: Vec<&str> = out.lines().filter(is_drawn).filter(|line| line.chars().count() > 80).collect();
        // Six lifelines and more have no room in eighty columns.
        assert!(wide.iter().all(|line| line.matches(['│', '┼']).count() > 4), "{name}: {wide:#?}");
    }
}

#[test]
fn what_is_lost_and_what_is_wide_is_drawn_where_it_is() {
    let file = written(
        "lost",
        r#"
        [protocol]
        messages = ["A -> B : A, Note"]
        given    = { A = ["Note: data"] }
        [[run]]
        A = "alice"
        B = "bob"
        Note = "1"
        [attacker]
        attack = ["5.1 I(alice) -> bob : A, \"花子\""]
        [network]
        loss = 1.0
        "#,
    );
    let chart = chart(&[&file]);
    assert!(chart.contains("╳"), "{chart}");
    let width = |line: &str| unicode_width::UnicodeWidthStr::width(line.split('│').next().unwrap());
    let last = |line: &str| unicode_width::UnicodeWidthStr::width(line.rsplit_once('│').unwrap().0);
    let bars: Vec<(usize, usize)> =
        chart.lines().filter(|line| line.ends_with('│')).map(|line| (width(line), last(line))).collect();
    assert!(chart.contains("花子") && bars.iter().all(|bar| *bar == bars[0]), "{chart}");
}

#[test]
fn a_reader_chooses_parties_runs_kinds_and_times() {
    let lines = |args: &[&str]| {
        let (code, out, err) = mallory(&[&["run", "nspk-lowe/weak"], args].concat());
        assert_eq!((code, &*err), (0, ""), "{out}");
        let body = out.split("\n\n").nth(1).unwrap();
        body.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let of_two = |line: &String| ["  2.", "run 2", "takes it"].iter().any(|said| line.contains(said));
    assert!(lines(&["--only", "2"]).iter().all(of_two));
    let bobs = lines(&["--only", "bob"]);
    assert!(bobs.iter().any(|line| line.contains("2.1")) && !bobs.iter().any(|line| line.contains("1.2")));
    let done = lines(&["--only", "completed"]);
    assert!(done.len() == 2 && done.iter().all(|line| line.contains("completes")), "{done:?}");
    let both = lines(&["--only", "completed,alice"]);
    assert!(both.len() == 1 && both[0].contains("alice completes"), "{both:?}");
    let late = lines(&["--from", "30ms", "--to", "50ms"]);
    assert!(
        !late.is_empty() && late.iter().all(|line| line.starts_with("   0.04") || line.contains("takes it"))
    );
    // What happens to a message goes with it.
    let charted = chart(&["nspk-lowe/weak", "--only", "bob,sent"]);
    assert!(charted.contains("2.2") && !charted.contains("1.3"), "{charted}");
}

#[test]
fn a_choice_that_cannot_be_is_a_mistake() {
    let wrong = |args: &[&str], said: &str| {
        let (code, out, err) = mallory(&[&["run", "nspk-lowe"], args].concat());
        assert_eq!((code, &*out), (2, ""), "{err}");
        assert!(err.contains(said), "{err}");
    };
    wrong(&["--only", "alcie"], "`alcie` is no party, run or kind of event here: did you mean `alice`?");
    wrong(&["--only", "refuse"], "did you mean `refused`?");
    wrong(&["--from", "2h", "--to", "1h"], "--from 2h is after --to 1h");
    wrong(&["--from", "soon"], "expected a time such as `90s`");
    wrong(&["--view", "chart", "--log", "json"], "cannot be used with");
}

#[test]
fn others_text_is_shown_and_never_obeyed() {
    let file = written(
        "hostile",
        r#"
        [protocol]
        messages = ["A -> B : A, Note"]
        given    = { A = ["Note: data"] }
        goals    = ["secret Note"]
        [[run]]
        A = "alice"
        B = "bob"
        Note = "\u001b[31m\u202e\nred"
        [attacker]
        attack = ["1.1 alice -> I(bob) : A, Note", "1.1 I(alice) -> bob : A, \"\u001b[2J\u0007\""]
        "#,
    );
    for color in ["never", "always"] {
        let (_, out, err) = mallory(&["run", "--view", "chart", "--color", color, &file]);
        let ours = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[32m", "\u{1b}[35m", "\u{1b}[1;31m"];
        let plain = ours.iter().fold(out.clone(), |text, code| text.replace(code, ""));
        assert!(!plain.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{out:?}{err}");
        assert!(plain.contains("\\u001b[2J\\u0007"), "{plain}");
    }
}
