//! Every protocol of the library can be played by honest parties to its end.

use mallory::Scenario;
use mallory::notation::{Origin, Protocol, Service};

/// A scenario without an attacker in which clients play all roles once, in words that the
/// protocol asks for.
fn honest(protocol: &Protocol) -> String {
    let players = ["alice", "bob", "carol", "dave"];
    let clients: Vec<_> = protocol.roles.iter().filter(|r| r.service.is_none()).collect();
    assert!(clients.len() <= players.len(), "{}: more clients than names", protocol.name);
    let mut text = format!("protocol = \"{}\"\n[[run]]\n", protocol.name);
    for (role, player) in clients.iter().zip(players) {
        text += &format!("{} = \"{player}\"\n", role.name);
    }
    for value in protocol.values.iter().filter(|v| v.origin == Origin::Given) {
        text += &format!("{} = \"{} of {}\"\n", value.name, value.name, value.role);
    }
    text
}

#[test]
fn every_protocol_completes_when_nobody_interferes() {
    let mut stuck = Vec::new();
    for entry in mallory::scenario::protocols() {
        let file = Scenario::check_protocol(&entry.text, &entry.name)
            .unwrap_or_else(|problems| panic!("{}: {problems}", entry.name));
        let report = Scenario::from_text(&entry.name, &honest(&file.protocol))
            .unwrap_or_else(|problems| panic!("{}: {problems}", entry.name))
            .run()
            .unwrap_or_else(|error| panic!("{}: {error}", entry.name));
        let play = &report.plays()[0];
        let clients = file.protocol.client_roles().count();
        let services = file.protocol.roles.iter().filter(|r| r.service == Some(Service::Kdc)).count();
        let completed = play.sessions().iter().filter(|s| s.completed()).count();
        if play.sessions().iter().any(|s| !s.completed()) || completed < clients + services {
            let told: Vec<_> = play.sessions().iter().map(|s| (&s.id.party, &s.outcome)).collect();
            stuck.push(format!("{}: {told:?}", entry.name));
        }
        for goal in play.goals().iter().filter(|g| !g.holds()) {
            stuck.push(format!("{}: {goal:?}", entry.name));
        }
    }
    assert!(stuck.is_empty(), "\n{}", stuck.join("\n"));
}
