//! The guide's output is what its example prints.

use std::fmt::Write as _;

use super::*;

const GUIDE: &str = include_str!("../../docs/VAULT.md");

#[test]
fn the_guide_shows_what_its_example_prints() {
    let mut desk = desk();
    desk.generate("orders", KeyKind::Aes256, Usage::Encrypt);
    let first = desk.encrypt("orders", b"sell").expect("an active key encrypts");
    desk.rotate("orders");
    let rewrap = Operation::Rewrap { ciphertext: first.into(), context: b"context".into() };
    let Response::Ciphertext(second) = desk.must(&rewrap) else { panic!("it answers a ciphertext") };
    desk.must(&step("orders", Transition::Compromise));
    assert_eq!(desk.decrypt(&second), Err(Reason::KeyCompromised));
    let Response::Audit(log) = desk.must(&Operation::ReadAudit { from: 1, count: 10 }) else {
        panic!("it answers records")
    };
    let mut printed = String::new();
    for r in log {
        let outcome = r.refused.map_or("done".to_owned(), |reason| reason.to_string());
        let key = r.key.unwrap_or_default();
        writeln!(printed, "{} {:6} {:10} {key:7} {outcome}", r.sequence, r.actor, r.operation)
            .expect("a text takes more");
    }
    let shown = GUIDE.split("```console\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(shown, Some(printed.as_str()));
}
