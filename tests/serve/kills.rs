//! The service, killed while clients are at work: what it has acknowledged stands, and what it
//! has not is done or not, whole in either case.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use der::Decode as _;
use serde_json::Value;
use x509_cert::crl::CertificateList;
use x509_cert::ext::pkix::CrlNumber;

use super::clients::enrol;
use super::raw::{Raw, as_in};
use super::support::{Server, folder, has};

/// How often the service is killed; `MALLORY_KILLS` has more.
const KILLS: usize = 4;
/// Keys that a client makes in one life of the service; then it goes on with those.
const KEYS: u64 = 4;

/// What a client knows of a key: the version that it was told of last, whether it was told that
/// the key is deactivated, and whether an answer to a change has not come.
#[derive(Clone, Default, Debug)]
struct Known {
    version: u64,
    is_revoked: bool,
    is_open: bool,
}

/// Makes keys, rotates and revokes them until the service is gone.
fn work(port: u16, user: &Path, round: usize, done: &AtomicUsize) -> BTreeMap<String, Known> {
    let mut known = BTreeMap::<String, Known>::new();
    let Ok(mut raw) = Raw::open(as_in(user), port) else { return known };
    let name = user.file_name().unwrap().to_str().unwrap().to_owned();
    for nth in 0.. {
        let id = format!("{name}_{round}_{}", nth % KEYS);
        let (path, body) = match nth / KEYS {
            0 => ("/generate_symmetric_key", format!(r#"{{"client_id": "{name}", "key_id": "{id}"}}"#)),
            // The last of them is revoked after a while, the others go on.
            6 if nth % KEYS == KEYS - 1 => ("/revoke_key", format!(r#"{{"key_id": "{id}"}}"#)),
            7.. if nth % KEYS == KEYS - 1 => continue,
            _ => ("/rotate", format!(r#"{{"key_id": "{id}"}}"#)),
        };
        let key = known.entry(id).or_default();
        key.is_open = true;
        let Ok(heard) = raw.try_ask("POST", path, "", &body) else { break };
        assert!((200..300).contains(&heard.status), "{path}: {heard:?}");
        let answer: Value = serde_json::from_str(&heard.body).unwrap();
        key.is_open = false;
        done.fetch_add(1, Ordering::Relaxed);
        match path {
            "/revoke_key" => key.is_revoked = true,
            _ => key.version = answer["version"].as_u64().unwrap(),
        }
    }
    known
}

fn list_number(s: &Server) -> u64 {
    let list = s.fetch("/crl.der").body;
    let list: CertificateList = CertificateList::from_der(&list).unwrap();
    let all = list.tbs_cert_list.crl_extensions.unwrap();
    let found = all.iter().find(|e| e.extn_id == <CrlNumber as const_oid::AssociatedOid>::OID).unwrap();
    let number = CrlNumber::from_der(found.extn_value.as_bytes()).unwrap();
    number.0.as_bytes().iter().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

/// Holds what the service says of keys against what their owner was told.
fn compare(raw: &mut Raw, keys: &BTreeMap<String, Known>) -> usize {
    let mut acknowledged = 0;
    for (id, known) in keys {
        let heard = raw.ask("POST", "/state", "", &format!(r#"{{"key_id": "{id}"}}"#));
        if known.version == 0 {
            // It was never told of: there is one version of it, or no such key.
            assert!(known.is_open && [200, 403].contains(&heard.status), "{id}: {heard:?}");
            continue;
        }
        assert_eq!(heard.status, 200, "{id} is lost: {heard:?}");
        let state: Value = serde_json::from_str(&heard.body).unwrap();
        let versions = state["versions"].as_array().unwrap();
        let latest = versions.last().unwrap()["version"].as_u64().unwrap();
        assert_eq!(versions.len() as u64, latest, "{id}: {state}");
        let may_be_next = known.is_open && !known.is_revoked;
        assert!(
            latest == known.version || may_be_next && latest == known.version + 1,
            "{id} is at version {latest}, and its owner knows {known:?}"
        );
        match state["state"].as_str().unwrap() {
            "active" => assert!(!known.is_revoked, "{id} is active again: {known:?}"),
            "deactivated" => assert!(known.is_revoked || known.is_open, "{id}: {known:?}"),
            other => panic!("{id} is {other}"),
        }
        acknowledged += usize::try_from(known.version).unwrap() + usize::from(known.is_revoked);
    }
    acknowledged
}

#[test]
fn nothing_acknowledged_is_lost_in_kills_under_load() {
    if !has("curl") {
        return;
    }
    let kills = std::env::var("MALLORY_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let at = folder("kills");
    let settings = "second_factor_of = []\n[limits]\nrequests = 1000000\nrequests_per_source = 1000000\n";
    let mut s = Server::first_configured(&at, settings);
    let users = ["user1", "user2"].map(|name| {
        enrol(&s, &at, name, "client");
        at.join(name)
    });
    let (mut last, mut acknowledged) = (0, 0);
    let mut before: Vec<BTreeMap<String, Known>> = vec![BTreeMap::new(); users.len()];
    for round in 0..kills {
        let port = s.port;
        let done = Arc::new(AtomicUsize::new(0));
        let at_work = users.clone().map(|user| {
            let done = done.clone();
            thread::spawn(move || work(port, &user, round, &done))
        });
        // After some of it, and at no moment in particular of what comes next.
        let enough = 1 + round * 7 % 29;
        for _ in 0..60_000 {
            if done.load(Ordering::Relaxed) >= enough {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_micros(700 * (round as u64 % 13)));
        s.kill();
        let told = at_work.map(|thread| thread.join().unwrap());
        s = Server::configured(&at, settings, &[]);
        let now = list_number(&s);
        assert!(now >= last, "list {now} after {last}");
        last = now;
        for ((user, told), before) in users.iter().zip(told).zip(&mut before) {
            let mut raw = Raw::of(&s, user);
            acknowledged += compare(&mut raw, &told);
            // Another life has changed nothing of the one before.
            compare(&mut raw, before);
            // What became of the last change is known by now.
            *before = told.into_iter().filter(|(_, known)| !known.is_open).collect();
        }
        if kills > KILLS && (round + 1) % 100 == 0 {
            eprintln!("{} kills, {acknowledged} operations acknowledged, list {last}", round + 1);
        }
    }
    assert!(acknowledged > kills, "{acknowledged} operations in {kills} lives");
    eprintln!("{kills} kills, {acknowledged} operations acknowledged, none lost");
    // The log is whole: it is read with its numbers in a row, from the first to the last.
    enrol(&s, &at, "audrey", "auditor");
    let mut raw = Raw::of(&s, &at.join("audrey"));
    let mut next = 1;
    loop {
        let page = raw.ask("GET", &format!("/audit?from={next}&count=1000"), "", "");
        let page: Value = serde_json::from_str(&page.body).unwrap();
        let records = page["records"].as_array().unwrap();
        for record in records {
            assert_eq!(record["sequence"].as_u64(), Some(next), "{record}");
            next += 1;
        }
        if records.len() < 1_000 {
            break;
        }
    }
    assert!(next as usize > acknowledged, "{next} records of {acknowledged} operations");
}
