//! Simulated revocation against theory: in many plays with real certificates, lists and
//! responses, revoked keys are accepted for as long as the closed forms say.

#[path = "theory/cases.rs"]
#[expect(dead_code, reason = "the example shares it")]
mod cases;

use cases::Case;

/// The mean lies within three standard errors of the closed form, and no single play lies
/// outside the bounds.
fn check(cases: Vec<Case>, plays: usize) {
    for case in cases {
        let Case { name, mean: expected, bounds: (least, most), step, .. } = case;
        let found = case.play(plays);
        let off = (found.mean - expected).abs();
        let line = format!("{name}: {:.4} ± {:.4}, expected {expected:.4}", found.mean, found.error);
        println!(
            "{line}, {:.1} standard errors; seen {:.2} to {:.2}",
            off / found.error,
            found.seen.0,
            found.seen.1
        );
        assert!(off <= 3.0 * found.error, "{line}");
        // A message takes a moment.
        assert!(found.seen.1 <= most + 0.01, "{name}: {} seen, at most {most} possible", found.seen.1);
        assert!(found.seen.0 >= least - step - 0.01, "{name}: {} seen, at least {least} sure", found.seen.0);
    }
}

#[test]
fn lists_fetched_on_expiry() {
    check(cases::lists_on_expiry(), 60);
}

#[test]
fn lists_fetched_at_publication() {
    check(cases::lists_at_publication(), 60);
}

#[test]
fn fresh_answers() {
    check(cases::fresh_answers(), 60);
}

#[test]
fn answers_kept_until_they_expire() {
    check(cases::answers_on_expiry(), 60);
}

#[test]
fn answers_kept_between_visits_at_random() {
    check(cases::cached_answers(), 60);
}

#[test]
fn statements_that_a_thief_holds_back() {
    check(cases::held_back(), 60);
}

#[test]
fn certificates_that_end() {
    check(cases::lifetimes(), 60);
}

#[test]
fn clocks_that_are_wrong() {
    check(cases::clocks(), 60);
}
