//! The audit log: who, what, when, how it ended; and that nothing can be taken from it.

use mallory::vault::{AuditHead, AuditRecord, verify_chain};

use super::*;

fn log(desk: &mut Desk<MemoryStore>) -> (Vec<AuditRecord>, AuditHead) {
    let head = desk.vault.audit_head().expect("it is unsealed");
    let answer = desk.must(&Operation::ReadAudit { from: 1, count: 1_000 });
    let Response::Audit(records) = answer else { panic!("{answer:?}") };
    (records, head)
}

fn some_work() -> Desk<MemoryStore> {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    let ciphertext = desk.encrypt("k", b"text").expect("an active key encrypts");
    desk.now = desk.now.after(DAY);
    assert!(desk.encrypt("nothing", b"text").is_err());
    desk.must(&step("k", Transition::Suspend));
    desk.must(&Operation::Decrypt {
        ciphertext: ciphertext.as_slice().into(),
        context: b"context".into(),
        accept_risk: true,
    });
    assert_eq!(desk.decrypt(&ciphertext), Err(Reason::KeySuspended));
    desk
}

#[test]
fn everything_is_recorded() {
    let mut desk = some_work();
    let (records, head) = log(&mut desk);
    assert_eq!(verify_chain(&records, head), Ok(()));
    let lines: Vec<_> = records
        .iter()
        .map(|r| (r.at, r.actor.as_str(), r.operation.as_str(), r.key.as_deref(), r.refused, r.at_risk))
        .collect();
    let tomorrow = START.after(DAY);
    assert_eq!(
        lines,
        [
            (START, "root", "create", None, None, false),
            (START, "alice", "generate", Some("k"), None, false),
            (START, "alice", "encrypt", Some("k"), None, false),
            (tomorrow, "alice", "encrypt", Some("nothing"), Some(Reason::UnknownKey), false),
            (tomorrow, "alice", "suspend", Some("k"), None, false),
            (tomorrow, "alice", "decrypt", Some("k"), None, true),
            (tomorrow, "alice", "decrypt", Some("k"), Some(Reason::KeySuspended), false),
        ]
    );
    let page = desk.must(&Operation::ReadAudit { from: 3, count: 2 });
    assert_eq!(page, Response::Audit(records[2..4].to_vec()));
}

#[test]
fn any_change_removal_or_reorder_is_found() {
    let mut desk = some_work();
    let (records, head) = log(&mut desk);
    let broken = Err(Reason::AuditChainBroken);
    for n in 0..records.len() {
        let mut without = records.clone();
        without.remove(n);
        assert_eq!(verify_chain(&without, head), broken, "without {n}");
        let mut twice = records.clone();
        twice.insert(n, records[n].clone());
        assert_eq!(verify_chain(&twice, head), broken, "{n} twice");
        if n > 0 {
            let mut swapped = records.clone();
            swapped.swap(n, n - 1);
            assert_eq!(verify_chain(&swapped, head), broken, "{n} swapped");
        }
        let changes: [fn(&mut AuditRecord); 8] = [
            |r| r.sequence += 1,
            |r| r.at.0 += 1,
            |r| r.actor.push('x'),
            |r| r.operation.push('x'),
            |r| r.key = Some("other".to_owned()),
            |r| r.refused = Some(Reason::Forbidden),
            |r| r.at_risk = !r.at_risk,
            |r| r.previous[31] ^= 1,
        ];
        for (change, apply) in changes.iter().enumerate() {
            let mut changed = records.clone();
            apply(&mut changed[n]);
            assert_eq!(verify_chain(&changed, head), broken, "record {n}, change {change}");
        }
    }
    // An end that is missing shows only against a head from elsewhere.
    assert_eq!(verify_chain(&records[..3], head), broken);
    assert_eq!(verify_chain(&[], AuditHead::EMPTY), Ok(()));
}

#[test]
fn the_stored_log_is_checked() {
    let desk = some_work();
    let store = desk.vault.into_store();
    let rows: Vec<Vec<u8>> = store.clone().rows().keys().filter(|row| row[0] == b'a').cloned().collect();
    let verify = |store| {
        let mut vault = Vault::open(store).expect("a vault");
        unseal(&mut vault).expect("the passphrase");
        vault.verify_audit()
    };
    assert_eq!(verify(store.clone()).map(|head| head.records), Ok(rows.len() as u64));
    for (n, row) in rows.iter().enumerate() {
        let mut without = store.clone();
        without.rows().remove(row);
        assert_eq!(verify(without), Err(Reason::AuditChainBroken), "without {n}");
        let mut swapped = store.clone();
        let other = swapped.rows()[&rows[(n + 1) % rows.len()]].clone();
        swapped.rows().insert(row.clone(), other);
        assert_eq!(verify(swapped), Err(Reason::AuditChainBroken), "{n} replaced");
        let mut flipped = store.clone();
        flipped.rows().get_mut(row).expect("a row")[30] ^= 1;
        assert_eq!(verify(flipped), Err(Reason::AuditChainBroken), "{n} flipped");
    }
}

#[test]
fn names_from_outside_are_not_taken_as_they_are() {
    let mut desk = desk();
    let long = "x".repeat(10_000);
    let operation = Operation::Describe { key: long };
    let actor = "mallory\nroot did it";
    let answer = desk.vault.perform(actor, &operation, Care::default(), START);
    assert_eq!(answer, Err(Reason::Malformed), "whoever acts is in histories for ever");
    let refused = Reason::Unauthenticated;
    desk.vault.record_refusal(actor, Some(&operation), refused, START).expect("it is recorded");
    let (records, _) = log(&mut desk);
    let last = records.last().expect("a refusal is recorded");
    assert_eq!((last.actor.as_str(), last.key.as_deref()), ("(not a name)", Some("(not a name)")));
}

#[test]
fn without_audit_nothing_is_recorded_and_the_vault_goes_on() {
    let mut desk = desk();
    let silent = Care { audit: false, ..Care::default() };
    let generate = Operation::Generate {
        key: "k".to_owned(),
        spec: KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice"),
    };
    desk.vault.perform("alice", &generate, silent, START).expect("a new key");
    assert_eq!(desk.vault.verify_audit().map(|head| head.records), Ok(1));
    let mut vault = Vault::open(desk.vault.into_store()).expect("a vault");
    assert_eq!(unseal(&mut vault), Ok(()));
    assert!(vault.key("k").is_ok());
}

#[test]
fn a_page_of_the_log_that_lacks_a_record_is_refused() {
    let mut desk = some_work();
    let page = |from, count| Operation::ReadAudit { from, count };
    let read = |desk: &mut Desk<MemoryStore>, from, count| match desk.try_do(&page(from, count))? {
        Response::Audit(records) => {
            Ok::<_, Reason>(records.iter().map(|record| record.sequence).collect::<Vec<_>>())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(read(&mut desk, 0, 2), Ok(vec![1, 2]));
    assert_eq!(read(&mut desk, 2, 2), Ok(vec![2, 3]));
    assert_eq!(read(&mut desk, 1_000, 2), Ok(vec![]));
    let last = desk.vault.audit_head().expect("unsealed").records;
    for missing in [1, 2, last] {
        let mut robbed = desk.vault.store().clone();
        let key = [b"a".as_slice(), &missing.to_be_bytes()].concat();
        robbed.rows().remove(&key).expect("there was such a record");
        let mut vault = Vault::open(robbed).expect("a vault");
        unseal(&mut vault).expect("the passphrase");
        let answer = vault.perform("root", &page(1, last), Care::default(), START);
        assert_eq!(answer, Err(Reason::AuditChainBroken), "{missing}");
    }
}
