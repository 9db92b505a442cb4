//! Many clients at once.

use std::fmt::Write as _;

use super::*;

const CLIENTS: u32 = 10_000;

/// So many clients ask twice each for what one key does, half of them after 4 seconds and half
/// after 12, where one request in ten seconds is free; and which of all requests are granted.
fn crowd(clients: u32) -> (String, Vec<bool>) {
    let mut text = format!(
        r#"
        [services.kdc.keys]
        roles     = {{ olivia = "operator" }}
        requests  = "1 in 10s"
        authorise = false
        [[request]]
        at = "1s"
        by = "olivia"
        ask = "generate"
        key = "orders"
        max_operations = {}
        "#,
        clients / 2 * 3
    );
    let mut granted = vec![true];
    let mut ask = |at: u32, n: u32, is_granted: bool| {
        let who = format!("at = \"{at}ms\"\nby = \"c{n}\"");
        let what = format!("ask = \"encrypt\"\nkey = \"orders\"\ntext = \"{n}\"");
        let _ = writeln!(text, "[[request]]\n{who}\n{what}");
        granted.push(is_granted);
    };
    for n in 0..clients {
        ask(60_000 + n, n, true);
        ask(if n % 2 == 0 { 64_000 } else { 72_000 } + n, n, n % 2 == 1);
    }
    (text, granted)
}

/// Plays a crowd and counts what is granted and what its rate refuses.
fn count(clients: u32, seed: u64) -> (usize, usize) {
    let (mut text, expected) = crowd(clients);
    // What was refused did nothing, and what was granted was done: the key has none left.
    text.push_str("[[request]]\nat = \"1h\"\nby = \"c0\"\nask = \"encrypt\"\nkey = \"orders\"\ntext = \"\"");
    let play = play(&text, seed, &KeyPool::default());
    assert_eq!(outcome(&play, expected.len() as u32 + 1), "key-usage-limit");
    let found: Vec<&str> = (1..).zip(&expected).map(|(number, _)| outcome(&play, number)).collect();
    for (number, (found, granted)) in (1..).zip(found.iter().zip(&expected)) {
        assert_eq!(*found, if *granted { "granted" } else { "rate-limited" }, "request {number}");
    }
    let granted = found.iter().filter(|word| **word == "granted").count();
    (granted, found.len() - granted)
}

#[test]
fn ten_thousand_clients_are_granted_what_their_rates_allow_and_no_more() {
    assert_eq!(count(CLIENTS, 1), (15_001, 5_000));
}

#[test]
fn a_thousand_clients_are_counted_alike_whatever_the_seed() {
    for seed in 1..=3 {
        assert_eq!(count(1_000, seed), (1_501, 500));
    }
}
