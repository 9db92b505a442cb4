//! `[joins]`: a role answers a later line in a run of its own, from a ticket.

use mallory::Scenario;
use mallory::reason::Reason;
use mallory::scenario::KeyPool;

const TICKET: &str = r#"
[protocol]
messages = [
  "A -> B : A, Na",
  "B -> A : {Te, A, Na}k(B,B)",
  "A -> B : Ma, {Te, A, Na}k(B,B)",
  "B -> A : h(Ma, Na)",
]

[protocol.fresh]
A = ["Na: nonce", "Ma: nonce"]
B = ["Te: expiry"]

[protocol.lifetime]
Te = "1h"

[protocol.joins]
B = [3]

[[run]]
A = "alice"
B = "bob"
"#;

/// Mallory shows alice's ticket at this time, in a run of her own.
fn shown_at(time: &str) -> Option<Reason> {
    let attack = format!(
        "{TICKET}
[attacker]
from   = \"{time}\"
attack = [\"1.3 alice -> bob : Ma, T\", \"2.3 I(alice) -> bob : Mi, T\", \"2.4 bob -> I(alice) : X\"]
"
    );
    let scenario = Scenario::from_text("ticket", &attack).unwrap_or_else(|p| panic!("{p}"));
    let play = scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap();
    assert!(play.run(1).party("bob").completed());
    let run = play.run(2);
    let bob = run.party("bob");
    assert_eq!(bob.completed(), bob.refusal().is_none());
    bob.refusal().map(|r| r.reason)
}

#[test]
fn a_ticket_opens_a_run_until_it_expires() {
    assert_eq!(shown_at("59m"), None);
    assert_eq!(shown_at("61m"), Some(Reason::Expired));
}

#[test]
fn a_role_joins_only_where_it_receives() {
    let mut wrong = TICKET.replace("B = [3]", "B = [2]");
    let told = |text: &str| Scenario::from_text("ticket", text).unwrap_err().to_string();
    assert!(told(&wrong).contains("B receives no line 2"), "{}", told(&wrong));
    wrong = TICKET.replace("B = [3]", "C = [3]");
    assert!(told(&wrong).contains("no line has a role `C`"), "{}", told(&wrong));
    wrong =
        TICKET.replace("{Te, A, Na}k(B,B)\",\n  \"B -> A : h(Ma, Na)", "h(Te)\",\n  \"B -> A : h(Ma, Na)");
    assert!(told(&wrong).contains("cannot build"), "{}", told(&wrong));
}
