//! Who begins a run: whoever's part begins with a line of its own.

use mallory::Scenario;

fn completed(text: &str) -> Vec<(String, bool)> {
    let report = Scenario::from_text("starts", text).unwrap().run().unwrap();
    let sessions = report.plays()[0].sessions();
    let done = |name: &str| report.run(1).party(name).completed();
    sessions.iter().map(|s| (s.id.party.to_string(), done(&s.id.party))).collect()
}

#[test]
fn every_client_whose_part_begins_with_a_line_of_its_own_starts_with_the_run() {
    let parts = completed(
        r#"
        [protocol]
        messages = ["Buyer -> Shop : Buyer, Cart", "Bank -> Shop : Bank, Rate", "Shop -> Buyer : Rate"]
        fresh    = { Buyer = ["Cart: nonce"], Bank = ["Rate: nonce"] }
        knows    = { Bank = ["Shop"] }
        [[run]]
        Buyer = "bea"
        Shop  = "sam"
        Bank  = "ben"
        "#,
    );
    assert_eq!(parts.len(), 3, "{parts:?}");
    assert!(parts.iter().all(|(_, completed)| *completed), "{parts:?}");
}

#[test]
fn what_a_later_starter_says_before_its_turn_is_kept_for_its_line() {
    // The bank is heard before the buyer, whose line opens the shop's part.
    let parts = completed(
        r#"
        [protocol]
        messages = ["Buyer -> Shop : Buyer, Cart", "Bank -> Shop : Bank, Rate", "Shop -> Buyer : Rate"]
        fresh    = { Buyer = ["Cart: nonce"], Bank = ["Rate: nonce"] }
        knows    = { Bank = ["Shop"] }
        [network]
        latency = "1s"
        [[network.link]]
        from    = "ben"
        to      = "sam"
        latency = "1ms"
        [[run]]
        Buyer = "bea"
        Shop  = "sam"
        Bank  = "ben"
        "#,
    );
    assert!(parts.iter().all(|(_, completed)| *completed), "{parts:?}");
}
