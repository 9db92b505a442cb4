//! Random cases: the product and the judge must say the same of each. `MALLORY_JUDGE_SEED`
//! is the first case's number (by default it changes), `MALLORY_JUDGE_CASES` how many.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use mallory::scenario::KeyPool;

use super::case::Case;
use super::compare::{View, differences, judged, produced};
use super::narrate;
use super::shrink::shrink;

/// Cases of an ordinary run.
const CASES: u64 = 60;
/// Disagreements that are shrunk and shown in full.
const SHOWN: usize = 40;

/// A number from the environment.
pub fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")))
}

/// The first case's number: the one in the environment, or another each time.
pub fn base(name: &str) -> u64 {
    // The seed of the standard library's maps is the operating system's.
    setting(name).unwrap_or_else(|| RandomState::new().hash_one(0) % 1_000_000_000)
}

fn views(case: &Case, pool: &KeyPool) -> Option<(View, View)> {
    let text = case.toml();
    let judge = judged(&text).ok()?;
    Some((produced(&text, &judge, pool), judge))
}

fn disagree(case: &Case, pool: &KeyPool) -> Vec<String> {
    views(case, pool).map_or_else(Vec::new, |(product, judge)| differences(&product, &judge))
}

/// What a disagreement is about, so that a smaller case is about the same.
fn kind(differences: &[String]) -> String {
    let first = differences.first().map_or("", String::as_str);
    let word = first.split(' ').next().unwrap_or("");
    let says = first.split_once(": the product says ").map_or(first, |(_, says)| says);
    let says: String = says.chars().filter(|c| !c.is_ascii_digit()).take(60).collect();
    format!("{word} {says}")
}

#[test]
fn the_product_and_the_judge_agree() {
    let base = base("MALLORY_JUDGE_SEED");
    let count = setting("MALLORY_JUDGE_CASES").unwrap_or(CASES);
    println!("cases {base} to {}", base + count - 1);
    let pool = KeyPool::default();
    let mut tally: BTreeMap<&str, u64> = BTreeMap::new();
    let mut failures: Vec<(u64, Vec<String>)> = Vec::new();
    for seed in base..base + count {
        let case = narrate::case(seed);
        let Some((product, judge)) = views(&case, &pool) else {
            *tally.entry("moot").or_default() += 1;
            continue;
        };
        let mut add = |what: &'static str, yes: bool| *tally.entry(what).or_default() += u64::from(yes);
        add("loads", judge.refused.is_none());
        add("completes", judge.count("part", "completes") > 0);
        add("refuses", judge.count("part", "rejects") > 0);
        add("violates", judge.count("goal", "violated") > 0);
        add("learns", judge.count("value", "learned") > judge.count("value", "not learned"));
        add("attacks", case.attacker.as_ref().is_some_and(|a| !a.steps.is_empty()));
        let differ = differences(&product, &judge);
        if !differ.is_empty() {
            failures.push((seed, differ));
        }
    }
    println!("{tally:?} of {count}");
    report(&failures, &pool);
    // Four standard deviations and more below what comes: enough that the cases are about something.
    let floors =
        [("loads", 55), ("completes", 35), ("refuses", 1), ("violates", 8), ("learns", 22), ("attacks", 35)];
    // One case has no shares.
    for (what, percent) in floors.into_iter().filter(|_| count >= 60) {
        let found = tally.get(what).copied().unwrap_or(0);
        assert!(found * 100 >= count * percent, "only {found} of {count} cases: {what}");
    }
    assert!(failures.is_empty(), "{} of {count} cases differ", failures.len());
}

fn report(failures: &[(u64, Vec<String>)], pool: &KeyPool) {
    let mut kinds: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (seed, differ) in failures {
        kinds.entry(kind(differ)).or_default().push(*seed);
    }
    let mut by_count: Vec<_> = kinds.into_iter().collect();
    by_count.sort_by_key(|(_, seeds)| std::cmp::Reverse(seeds.len()));
    for (kind, seeds) in &by_count {
        println!("{:4} × {kind} {:?}", seeds.len(), &seeds[..seeds.len().min(6)]);
    }
    for (wanted, seeds) in by_count.iter().take(SHOWN) {
        let case = narrate::case(seeds[0]);
        let small = shrink(&case, &mut |c| {
            let differ = disagree(c, pool);
            !differ.is_empty() && kind(&differ) == *wanted
        });
        println!("\n=== case {}, made small ===\n{}", seeds[0], small.toml());
        if let Some((product, judge)) = views(&small, pool) {
            println!("product: {product:#?}\njudge: {judge:#?}");
            differences(&product, &judge).iter().for_each(|d| println!("  {d}"));
        }
        println!(
            "repeat with: MALLORY_JUDGE_SEED={} MALLORY_JUDGE_CASES=1 cargo test --test judge agree -- --nocapture",
            seeds[0]
        );
    }
}
