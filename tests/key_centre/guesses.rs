//! Guessed codes and guessed names, against what chance says of them.

use std::fmt::Write as _;

use super::*;

/// alice's key takes a code as well, and mallory has all but the code. Her tries begin with
/// request 3.
fn guessing(policy: &str, guesses: &[(&str, &str)]) -> String {
    let mut text = format!(
        r#"
        [services.kdc.keys]
        roles          = {{ olivia = "operator" }}
        one_time_codes = ["alice"]
        second_factor  = ["decrypt"]
        {policy}
        [[request]]
        at = "1m"
        by = "olivia"
        ask = "generate"
        key = "orders"
        owner = "alice"
        [[request]]
        at = "2m"
        by = "alice"
        ask = "encrypt"
        key = "orders"
        text = "transfer 100"
        [[event]]
        at = "3m"
        compromise = "k(alice,kdc)"
        [[event]]
        at = "3m"
        compromise = "r2"
        [attacker]
        tactic = "eavesdrop"
        "#
    );
    for (at, every) in guesses {
        let _ = writeln!(
            text,
            "[[request]]\nat = \"{at}\"\nby = \"mallory\"\nask = \"decrypt\"\nof = 2\nwith = \"k(alice,kdc)\"\n\
             code = \"guess\"\nattempts = 100000\nevery = \"{every}\""
        );
    }
    text
}

#[test]
fn a_guesser_whom_nobody_counts_takes_as_many_tries_as_the_codes_say() {
    let pool = KeyPool::default();
    for (digits, plays) in [(2, 120), (3, 24)] {
        let text = guessing(&format!("code_digits = {digits}\nrate_limit = false"), &[("1h", "10ms")]);
        let found: Vec<f64> = (0..plays)
            .map(|seed| {
                let play = play(&text, seed, &pool);
                assert_eq!(outcome(&play, 3), "granted");
                f64::from(tries(&play, 3))
            })
            .collect();
        // Three codes are good at any time: the step before, now, the one after.
        let p = 1.0 - (1.0 - 0.1_f64.powi(digits)).powi(3);
        let count = found.len() as f64;
        let mean = found.iter().sum::<f64>() / count;
        let variance = found.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let error = (variance / count).sqrt();
        let expected = 1.0 / p;
        assert!((mean - expected).abs() < 3.0 * error, "mean {mean}, expected {expected} ± {error}");
        // Of those who try n times, 1 - (1 - p)^n get in: half of them, and nine in ten.
        for chance in [0.5, 0.9_f64] {
            let within = ((1.0 - chance).ln() / (1.0 - p).ln()).round();
            let expected = 1.0 - (1.0 - p).powf(within);
            let share = found.iter().filter(|tries| **tries <= within).count() as f64 / count;
            let error = (expected * (1.0 - expected) / count).sqrt();
            assert!(
                (share - expected).abs() < 3.0 * error,
                "{share} within {within} tries, expected {expected} ± {error}"
            );
        }
    }
}

/// A thousand names, every other of which is a principal's, tried by somebody without a key:
/// what each try is answered with, and the answers' bytes.
fn enumerated(policy: &str) -> Vec<(&'static str, Vec<u8>)> {
    const NAMES: u32 = 1_000;
    let mut text = format!("[services.kdc.keys]\n{policy}\n[attacker]\ntactic = \"eavesdrop\"\n");
    for n in 1..=NAMES {
        let _ = writeln!(
            text,
            "[[request]]\nat = \"{n}s\"\nby = \"mallory\"\nclaims = \"c{n}\"\nproof = false\nask = \"describe\"\nkey = \"k\""
        );
        if n % 2 == 0 {
            let _ = writeln!(text, "[parties.c{n}]");
        }
    }
    let play = play(&text, 0, &KeyPool::default());
    let answers: Vec<&Sight> = answers_to(&play, "mallory").collect();
    assert_eq!(answers.len(), NAMES as usize);
    (1..).zip(answers).map(|(n, answer)| (outcome(&play, n), answer.bytes.to_vec())).collect()
}

#[test]
fn who_asks_for_a_thousand_names_learns_none() {
    let careful = enumerated("");
    assert!(careful.iter().all(|(word, bytes)| *word == "unauthenticated" && *bytes == careful[0].1));
    let careless = enumerated("hide_names = false");
    let known = |n: usize| careless[n].0 != "unknown-client";
    assert!((0..careless.len()).all(|n| known(n) == (n % 2 == 1)), "a careless one tells them all");
}

#[test]
fn a_guesser_who_is_counted_has_ten_tries_at_any_pace_and_five_at_a_fast_one() {
    let pool = KeyPool::default();
    for (seed, (pace, checked, refused)) in (0..).zip([
        ("1ms", 5, "rate-limited"),
        ("1s", 5, "rate-limited"),
        ("5s", 10, "locked-out"),
        ("30s", 10, "locked-out"),
        ("1h", 10, "locked-out"),
    ]) {
        let play = play(&guessing("", &[("1h", pace)]), seed, &pool);
        // The last try was refused before anybody looked at its code.
        assert_eq!((tries(&play, 3) - 1, outcome(&play, 3)), (checked, refused), "every {pace}");
    }
    // Whoever comes back when the bucket is full again finds the lock.
    let play = play(&guessing("", &[("1h", "1ms"), ("2h", "1ms"), ("3h", "1ms")]), 0, &pool);
    let found = [3, 4, 5].map(|number| (tries(&play, number), outcome(&play, number)));
    let expected = [(6, "rate-limited"), (6, "locked-out"), (1, "locked-out")];
    assert_eq!(found, expected);
}
