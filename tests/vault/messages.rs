//! Requests and answers as bytes.

use mallory::limits::{MAX_VAULT_INPUT_BYTES, MAX_VAULT_MESSAGE_BYTES};
use mallory::vault::{Frame, Request, WrapUnder, decode_answer, encode_answer};
use proptest::prelude::*;

use super::*;

fn some_operations() -> Vec<Operation> {
    let mut operations: Vec<Operation> = Transition::ALL.iter().map(|t| step("k", *t)).collect();
    operations.extend([
        Operation::Generate { key: "k".to_owned(), spec: waiting(KeyKind::P256, Usage::Agree) },
        Operation::Encrypt {
            key: "k".to_owned(),
            version: Some(3),
            plaintext: b"text".into(),
            context: b"".into(),
        },
        Operation::Decrypt { ciphertext: b"x".into(), context: b"y".into(), accept_risk: true },
        Operation::Export { key: "k".to_owned(), version: None, under: WrapUnder::Key("w".to_owned()) },
        Operation::Export { key: "k".to_owned(), version: None, under: WrapUnder::PublicKey(b"w".into()) },
        Operation::List {},
        Operation::ReadAudit { from: 0, count: u64::MAX },
    ]);
    operations
}

#[test]
fn operations_requests_and_answers_come_back() {
    for operation in some_operations() {
        assert_eq!(Operation::decode(&operation.encode()), Ok(operation.clone()));
        let request = Request { code: Some("123456".to_owned()), ..Request::new("alice", operation) };
        assert_eq!(Request::decode(&request.encode()), Ok(request));
    }
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    for operation in [
        Operation::List {},
        Operation::Describe { key: "k".to_owned() },
        Operation::Describe { key: "none".to_owned() },
        Operation::Rotate { key: "k".to_owned() },
        Operation::ReadAudit { from: 0, count: 9 },
    ] {
        let answer = desk.try_do(&operation);
        assert_eq!(decode_answer(&encode_answer(&answer)), Ok(answer));
    }
}

#[test]
fn messages_look_like_this() {
    let operation = Operation::Encrypt {
        key: "orders".to_owned(),
        version: None,
        plaintext: b"sell".into(),
        context: b"17".into(),
    };
    assert_eq!(
        String::from_utf8_lossy(&operation.encode()),
        r#"{"encrypt":{"key":"orders","version":null,"plaintext":"73656c6c","context":"3137"}}"#
    );
    assert_eq!(String::from_utf8_lossy(&encode_answer(&Err(Reason::KeyExpired))), r#"{"Err":"key-expired"}"#);
    assert!(!format!("{operation:?}").contains("115"), "texts are not shown in logs");
}

#[test]
fn bad_bytes_are_malformed() {
    for bytes in [
        &b""[..],
        b"{",
        b"null",
        br#"{"encrypt":{}}"#,
        br#"{"list":{"more":1}}"#,
        br#"{"list":{}}{"list":{}}"#,
        br#"{"rotate":{"key":7}}"#,
        br#"{"decrypt":{"ciphertext":"0","context":"","accept_risk":false}}"#,
        br#"{"no-such":{}}"#,
    ] {
        assert_eq!(Operation::decode(bytes), Err(Reason::Malformed), "{}", String::from_utf8_lossy(bytes));
        assert_eq!(decode_answer(bytes), Err(Reason::Malformed));
    }
    let deep = "[".repeat(100_000);
    assert_eq!(Operation::decode(deep.as_bytes()), Err(Reason::Malformed));
    let long = vec![b' '; MAX_VAULT_MESSAGE_BYTES + 1];
    assert_eq!(Operation::decode(&long), Err(Reason::Malformed));
}

#[test]
fn long_inputs_are_refused() {
    let mut desk = desk();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    let most = vec![7; MAX_VAULT_INPUT_BYTES];
    let ciphertext = desk.encrypt("k", &most).expect("just fits");
    assert_eq!(desk.decrypt(&ciphertext), Ok(most.clone()));
    assert_eq!(desk.encrypt("k", &[most, vec![7]].concat()), Err(Reason::Malformed));
    // Before they are copied, and with a record.
    let (operation, refused) = desk
        .vault
        .verify_audit()
        .map(|head| head.records)
        .map(|last| {
            let page = Operation::ReadAudit { from: last, count: 1 };
            let Response::Audit(records) = desk.must(&page) else { panic!("it answers records") };
            (records[0].operation.clone(), records[0].refused)
        })
        .expect("an unbroken log");
    assert_eq!((operation.as_str(), refused), ("encrypt", Some(Reason::Malformed)));
    let longer = vec![1; 2 * MAX_VAULT_INPUT_BYTES];
    assert_eq!(desk.decrypt(&longer), Err(Reason::Malformed));
    for name in ["", &"x".repeat(129), "a\nb"] {
        let spec = KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice");
        let operation = Operation::Generate { key: name.to_owned(), spec };
        assert_eq!(desk.try_do(&operation), Err(Reason::Malformed), "{name:?}");
    }
}

/// What a service has proved is no field: bytes that bring it along are no request.
#[test]
fn nobody_writes_a_proof_into_a_request() {
    let request = Request::new("alice", Operation::List {});
    let text = String::from_utf8(request.encode()).expect("JSON");
    assert_eq!(text, r#"{"claimed":"alice","operation":{"list":{}}}"#);
    for more in [r#""proved":"alice""#, r#""source":"10.0.0.1""#, r#""approval":{"approver":"adam"}"#] {
        let text = text.replace(r#""operation""#, &format!(r#"{more},"operation""#));
        assert_eq!(Request::decode(text.as_bytes()), Err(Reason::Malformed), "{more}");
    }
}

proptest! {
    #[test]
    fn decoding_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = Operation::decode(&bytes);
        let _ = Request::decode(&bytes);
        let _ = decode_answer(&bytes);
        let _ = Frame::read(&bytes);
    }

    /// Good messages with a few bytes changed reach further than noise.
    #[test]
    fn decoding_what_was_changed_never_panics(
        which in 0usize..15,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = some_operations()[which].encode();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(operation) = Operation::decode(&bytes) {
            let mut desk = desk();
            let _ = desk.try_do(&operation);
            prop_assert_eq!(Operation::decode(&operation.encode()), Ok(operation));
        }
    }

    #[test]
    fn frames_come_back(key in "[a-zA-Z0-9 ]{1,128}", version: u32, body in prop::collection::vec(any::<u8>(), 0..64)) {
        let frame = Frame { key: &key, version, body: &body };
        let bytes = frame.write();
        prop_assert_eq!(Frame::read(&bytes), Ok(frame));
    }
}
