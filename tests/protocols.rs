//! Every protocol of the library lets honest parties through: in each encoding, with each
//! suite, with any seed. What one party builds, its peer learns.

use mallory::Scenario;
use mallory::journal::What;
use mallory::notation::{Claim, Origin};
use mallory::scenario::{KeyPool, ProtocolFile, protocols};
use mallory::verdict::{GoalVerdict, Word};
use proptest::prelude::*;

/// A scenario in which a protocol is played once by honest parties.
/// Without an attacker every agreement holds, and no secret is put to the test.
fn stands(goal: &GoalVerdict) -> bool {
    match goal.claim {
        Claim::Agreement { .. } => goal.holds(),
        Claim::Secret { .. } => goal.word() == Word::Untested,
    }
}

fn honest(protocol: &str, encoding: &str, crypto: &str) -> String {
    let entry = protocols().into_iter().find(|e| e.name == protocol).unwrap();
    let file = ProtocolFile::from_text(&entry.text, protocol).unwrap();
    let mut run = String::new();
    let mut names = ["alice", "bob", "carol", "dave", "eve", "frank"].iter();
    for role in file.protocol.client_roles() {
        run.push_str(&format!("{} = \"{}\"\n", role.name, names.next().unwrap()));
    }
    for value in file.protocol.values.iter().filter(|v| v.origin == Origin::Given) {
        let text = match file.protocol.group.as_ref() == Some(&value.name) {
            true => "x25519, p256, ffdhe2048".to_owned(),
            false => format!("{} text", value.name),
        };
        run.push_str(&format!("{} = \"{text}\"\n", value.name));
    }
    format!("protocol = \"{protocol}\"\n{encoding}\n{crypto}\n[[run]]\n{run}")
}

fn all_complete(
    protocol: &str,
    encoding: &str,
    crypto: &str,
    seed: u64,
    pool: &KeyPool,
) -> Result<(), String> {
    let text = honest(protocol, encoding, crypto);
    let scenario = Scenario::from_text(protocol, &text).map_err(|p| p.to_string())?.seed(seed);
    let play = scenario.play(&scenario.variants[0], false, pool).map_err(|h| h.to_string())?;
    if play.sessions().is_empty() {
        return Err(format!("{protocol}: nobody takes part"));
    }
    if let Some(goal) = play.goals().iter().find(|g| !stands(g)) {
        return Err(format!("{protocol} {encoding} {crypto}: {} falls without an attacker", goal.goal));
    }
    match play.sessions().iter().find(|s| !s.completed()) {
        None => Ok(()),
        Some(s) => Err(format!("{protocol} {encoding} {crypto}: {} {:?}", s.id.party, s.outcome)),
    }
}

const ENCODINGS: [&str; 3] = [
    "encoding = { kind = \"tagged\" }",
    "encoding = { kind = \"untagged\" }",
    "encoding = { kind = \"labelled\" }",
];

#[test]
fn every_protocol_completes_in_every_encoding() {
    let pool = KeyPool::default();
    let mut failures = Vec::new();
    for entry in protocols() {
        for encoding in ENCODINGS {
            failures.extend(all_complete(&entry.name, encoding, "", 0, &pool).err());
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn every_protocol_completes_with_every_suite() {
    let suites = [
        "crypto = { symmetric = \"aes-256-cbc\", signature = \"rsa-2048-pss\" }",
        "crypto = { symmetric = \"aes-256-gcm\", public_key = \"rsa-2048-pkcs1v15\", signature = \"ecdsa-p256\" }",
        "crypto = { agreement = \"ffdhe2048\" }",
        "crypto = { agreement = \"p256\" }",
    ];
    let pool = KeyPool::default();
    let mut failures = Vec::new();
    for entry in protocols() {
        for suite in suites {
            failures.extend(all_complete(&entry.name, "", suite, 0, &pool).err());
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn any_protocol_completes_with_any_seed(pick in any::<prop::sample::Index>(), encoding in 0..3usize, seed in 0..1_000u64) {
        let all = protocols();
        // Public-key protocols make RSA keys anew for each seed; the sample stays cheap without them.
        let cheap: Vec<_> = all.iter().filter(|e| !e.text.text.contains("}pk(")).collect();
        let entry = cheap[pick.index(cheap.len())];
        prop_assert_eq!(all_complete(&entry.name, ENCODINGS[encoding], "", seed, &KeyPool::default()), Ok(()));
    }
}

/// Whoever writes another's address on a request must not have more sent there than it sent
/// (RFC 9147 §5.1).
#[test]
fn a_cookie_is_no_longer_than_what_it_answers() {
    for encoding in ENCODINGS {
        let text = honest("served-dh-cookie", encoding, "");
        let scenario = Scenario::from_text("cookie", &text).unwrap();
        let play = scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap();
        let len = |line: u32| {
            let sent = play.journal().events().iter().find_map(|event| match &event.what {
                What::Sent { message } if message.line == line => Some(message.bytes.len()),
                _ => None,
            });
            sent.unwrap()
        };
        assert!(len(2) <= len(1), "{encoding}: {} answers {}", len(2), len(1));
    }
}
