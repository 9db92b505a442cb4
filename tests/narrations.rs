//! No line of an attack is decoration: without any one of them, the attack misses its verdict.

use std::sync::Arc;

use mallory::Scenario;
use mallory::notation::Attack;
use mallory::party::attacker::Plan;
use mallory::scenario::{KeyPool, scenarios};

#[test]
fn every_line_of_every_attack_is_needed() {
    let pool = KeyPool::default();
    let mut needless = Vec::new();
    let mut tried = 0;
    for entry in scenarios() {
        let scenario = Scenario::named(&entry.name).unwrap();
        // In a fixed variant the attack stops anyway; the weak ones are those that reach their end.
        for variant in &scenario.variants {
            if variant.name.as_deref().is_some_and(|name| name.starts_with("fixed")) {
                continue;
            }
            let Some(spec) = &variant.setup.attacker else { continue };
            let Plan::Narration(attack) = &spec.plan else { continue };
            let whole = scenario.check(variant, &pool).unwrap();
            assert!(whole.failures.is_empty(), "{}: {:?}", whole.play.name, whole.failures);
            if whole.play.goals().iter().all(|g| g.holds()) {
                continue;
            }
            for at in 0..attack.lines.len() {
                let mut lines = attack.lines.clone();
                let line = lines.remove(at);
                let mut variant = (**variant).clone();
                if let Some(spec) = &mut variant.setup.attacker {
                    spec.plan = Plan::Narration(Arc::new(Attack { lines, ..(**attack).clone() }));
                }
                tried += 1;
                let without = scenario.check(&Arc::new(variant), &pool).unwrap();
                if without.failures.is_empty() {
                    needless.push(format!("{}: {}", without.play.name, line.text));
                }
            }
        }
    }
    assert!(needless.is_empty(), "lines without which the attack succeeds all the same: {needless:#?}");
    assert!(tried > 0 || scenarios().is_empty());
}
