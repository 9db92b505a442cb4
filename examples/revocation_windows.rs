//! How long a revoked key is still accepted: closed forms beside plays of each setting.
//!
//! `cargo run --release --example revocation_windows [PLAYS [WORD]]` prints the table of
//! docs/REVOCATION.md, or the rows with the word.

#[path = "../tests/theory/cases.rs"]
#[expect(dead_code, reason = "the test shares it")]
mod cases;

use cases::Case;

fn main() {
    let plays = std::env::args().nth(1).map_or(2_000, |n| n.parse().expect("a number of plays"));
    let word = std::env::args().nth(2).unwrap_or_default();
    println!("| setting | closed form | | {plays} plays: mean ± s.e. | off by | most | longest seen |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    for case in cases::all().into_iter().filter(|case| case.name.contains(&word)) {
        let Case { name, form, mean, bounds: (_, most), unit, .. } = case;
        let found = case.play(plays);
        let off = if found.error > 0.0 { (found.mean - mean) / found.error } else { 0.0 };
        let most = if most.is_finite() { show(most) } else { "–".to_owned() };
        println!(
            "| {name} | {form} | {} {unit} | {} ± {} | {off:+.1} | {most} | {} |",
            show(mean),
            show(found.mean),
            show(found.error),
            show(found.seen.1),
        );
    }
}

/// Three digits or so.
fn show(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 1.0 => format!("{value:.3}"),
        size if size < 100.0 => format!("{value:.2}"),
        _ => format!("{value:.1}"),
    }
}
