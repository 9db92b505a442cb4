//! The guards, each alone, in their order, and each left out.

use std::sync::OnceLock;

use mallory::crypto::{DecryptionKey, PublicKeyEncryption, Totp};
use mallory::vault::{
    Changes, Gate, Limiter, Policy, Proved, Rate, Reach, Received, Request, Role, Verb, WrapUnder,
};

use super::*;

const SECRET: &[u8] = b"12345678901234567890";

struct Service {
    gate: Gate<MemoryStore, Seeded>,
    now: UnixNanos,
}

fn service(policy: Policy) -> Service {
    let mut desk = desk();
    desk.generate_as(
        "k",
        KeySpec { exportable: true, ..KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice") },
    );
    let mut gate = Gate::new(desk.vault, policy);
    gate.enrol("alice", Role::Client, None);
    gate.enrol_public_key("alice", owners_key().public());
    gate.enrol("bob", Role::Client, None);
    gate.enrol("otto", Role::Operator, Some(Totp::new(SECRET)));
    gate.enrol("audrey", Role::Auditor, None);
    gate.enrol("ada", Role::Administrator, Some(Totp::new(SECRET)));
    gate.enrol("adam", Role::Administrator, Some(Totp::new(SECRET)));
    Service { gate, now: START }
}

impl Service {
    fn ask(&mut self, received: &Received) -> Result<Response, Reason> {
        self.gate.handle(received, self.now)
    }

    fn code(&self) -> Option<String> {
        Some(Totp::new(SECRET).code(self.now.seconds()))
    }

    fn records(&mut self) -> u64 {
        self.gate.vault().verify_audit().expect("an unbroken log").records
    }
}

fn encrypt(key: &str) -> Operation {
    Operation::Encrypt { key: key.to_owned(), version: None, plaintext: b"x".into(), context: b"".into() }
}

/// What somebody asks who has proved to be whom it claims.
fn by(who: &str, operation: Operation) -> Received {
    let received = Received::new(Request::new(who, operation), "10.0.0.1");
    Received { proved: Some(Proved::asserted(who)), ..received }
}

fn unproved(received: Received) -> Received {
    Received { proved: None, ..received }
}

fn coded(code: Option<String>, received: Received) -> Received {
    let Received { request, source, proved, consent, is_private } = received;
    Received { request: Request { code, ..request }, source, proved, consent, is_private }
}

/// With the consent of `who`, proved, to an operation that may be another.
fn consented(who: &str, operation: &Operation, received: Received) -> Received {
    Received { consent: Some(Proved::asserted(who).consent_to(operation)), ..received }
}

fn owners_key() -> DecryptionKey {
    static KEY: OnceLock<DecryptionKey> = OnceLock::new();
    KEY.get_or_init(|| PublicKeyEncryption::Rsa2048Oaep.generate(&mut rng("owner"))).clone()
}

fn export() -> Operation {
    let under = WrapUnder::PublicKey(owners_key().public().into());
    Operation::Export { key: "k".to_owned(), version: None, under }
}

/// The whole matrix. `c o a A`: client (its own keys), operator, auditor, administrator.
#[test]
fn the_matrix_denies_by_default() {
    let grants = [
        (Verb::Generate, " o A"),
        (Verb::Encrypt, "c"),
        (Verb::Decrypt, "c"),
        (Verb::Sign, "c"),
        (Verb::Verify, "c"),
        (Verb::Agree, "c"),
        (Verb::Rewrap, "c o"),
        (Verb::PublicKey, "c o A"),
        (Verb::Describe, "c o a A"),
        (Verb::List, "o a A"),
        (Verb::Rotate, "o"),
        (Verb::Configure, "o A"),
        (Verb::Trim, "A"),
        (Verb::Activate, "o A"),
        (Verb::Suspend, "o"),
        (Verb::Resume, "o"),
        (Verb::Revoke, "o A"),
        (Verb::ScheduleDestruction, "A"),
        (Verb::CancelDestruction, "A"),
        (Verb::Destroy, "A"),
        (Verb::Export, "c A"),
        (Verb::ReadAudit, "a"),
    ];
    assert_eq!(grants.map(|(verb, _)| verb), Verb::ALL);
    for (verb, granted) in grants {
        for (role, letter, reach) in [
            (Role::Client, 'c', Reach::Own),
            (Role::Operator, 'o', Reach::All),
            (Role::Auditor, 'a', Reach::All),
            (Role::Administrator, 'A', Reach::All),
        ] {
            let expected = if granted.contains(letter) { reach } else { Reach::None };
            assert_eq!(role.reach(verb), expected, "{role:?}, {verb:?}");
        }
    }
}

#[test]
fn each_guard_refuses_with_its_own_reason() {
    let mut s = service(Policy::default());
    let anonymous = unproved(by("alice", encrypt("k")));
    assert_eq!(s.ask(&anonymous), Err(Reason::Unauthenticated));
    let deputy = Received { proved: Some(Proved::asserted("bob")), ..by("alice", encrypt("k")) };
    assert_eq!(s.ask(&deputy), Err(Reason::Unauthenticated), "the confused deputy");
    assert_eq!(s.ask(&by("mallory", encrypt("k"))), Err(Reason::Unauthenticated), "nobody knows her");
    assert_eq!(s.ask(&by("bob", encrypt("k"))), Err(Reason::Forbidden));
    for operation in [step("k", Transition::Compromise), Operation::Rotate { key: "k".to_owned() }, export()]
    {
        assert_eq!(s.ask(&by("audrey", operation)), Err(Reason::Forbidden));
    }
    let revoke = by("otto", step("k", Transition::Suspend));
    assert_eq!(s.ask(&revoke), Ok(Response::Done), "needs no code");
    let configure = by("otto", Operation::Configure { key: "k".to_owned(), changes: Changes::default() });
    assert_eq!(s.ask(&configure), Err(Reason::SecondFactorRequired));
    assert_eq!(s.ask(&coded(Some("000000".to_owned()), configure.clone())), Err(Reason::BadCode));
    assert_eq!(s.ask(&coded(s.code(), configure)), Ok(Response::Done));
    assert_eq!(s.ask(&by("alice", encrypt("k"))), Err(Reason::KeySuspended));
    let answer = s.ask(&by("audrey", Operation::ReadAudit { from: 0, count: 100 }));
    let Ok(Response::Audit(records)) = answer else { panic!("{answer:?}") };
    let refused: Vec<_> = records.iter().filter_map(|r| r.refused).collect();
    use Reason::*;
    assert_eq!(
        refused,
        [
            Unauthenticated,
            Unauthenticated,
            Unauthenticated,
            Forbidden,
            Forbidden,
            Forbidden,
            Forbidden,
            SecondFactorRequired,
            BadCode,
            KeySuspended
        ]
    );
    assert_eq!(records[2].actor, "(nobody)");
    assert_eq!(records[3].actor, "bob", "who was proved, not who was claimed");
}

/// A request that every guard would refuse, with one guard's cause taken away after another.
#[test]
fn the_guards_stand_in_order() {
    let once = Rate { burst: 1, per: DAY };
    let mut s = service(Policy { requests: once, ..Policy::default() });
    s.gate.enrol("rita", Role::Administrator, Some(Totp::new(SECRET)));
    let describe = Operation::Describe { key: "k".to_owned() };
    assert!(s.ask(&by("rita", describe)).is_ok(), "her only request for today");
    // Destroyed twice is not possible, so the key's state refuses too.
    let careless = Care { audit: false, ..Care::default() };
    let destroy = step("k", Transition::Destroy);
    s.gate.vault().perform("root", &destroy, careless, START).expect("it is active");
    let mut request = unproved(by("rita", destroy));
    s.gate.enrol("rita", Role::Auditor, Some(Totp::new(SECRET)));
    assert_eq!(s.ask(&request), Err(Reason::Unauthenticated));
    request.proved = Some(Proved::asserted("rita"));
    assert_eq!(s.ask(&request), Err(Reason::Forbidden));
    s.gate.enrol("rita", Role::Administrator, Some(Totp::new(SECRET)));
    assert_eq!(s.ask(&request), Err(Reason::SecondFactorRequired));
    request = coded(s.code(), request);
    assert_eq!(s.ask(&request), Err(Reason::RateLimited));
    s.now = s.now.after(DAY);
    request = coded(s.code(), request);
    assert_eq!(s.ask(&request), Err(Reason::InvalidTransition));
}

#[test]
fn names_are_hidden_from_who_may_not_see_them() {
    let mut s = service(Policy::default());
    for operation in [encrypt("k"), Operation::Describe { key: "k".to_owned() }, export()] {
        let there = s.ask(&by("bob", operation.clone()));
        let text = String::from_utf8(operation.encode()).expect("JSON").replace(r#""k""#, r#""nothing""#);
        let not_there = s.ask(&by("bob", Operation::decode(text.as_bytes()).expect("JSON")));
        assert_eq!((there, not_there), (Err(Reason::Forbidden), Err(Reason::Forbidden)));
    }
    let rotate = Operation::Rotate { key: "nothing".to_owned() };
    assert_eq!(s.ask(&by("otto", rotate.clone())), Err(Reason::UnknownKey), "an operator sees all names");
    assert_eq!(s.ask(&by("audrey", rotate.clone())), Err(Reason::Forbidden));
    let mut careless = service(Policy { hide_names: false, ..Policy::default() });
    assert_eq!(careless.ask(&by("bob", encrypt("nothing"))), Err(Reason::UnknownKey));
    assert_eq!(careless.ask(&by("bob", encrypt("k"))), Err(Reason::Forbidden));
    assert_eq!(careless.ask(&by("audrey", rotate)), Err(Reason::UnknownKey));
}

#[test]
fn a_secret_leaves_only_with_two_administrators() {
    let mut s = service(Policy::default());
    let request = |code| coded(code, by("ada", export()));
    let code = s.code();
    assert_eq!(s.ask(&request(code.clone())), Err(Reason::NeedsSecondApprover));
    for (approver, operation) in
        [("ada", export()), ("otto", export()), ("alice", export()), ("adam", encrypt("k"))]
    {
        let answer = s.ask(&consented(approver, &operation, request(code.clone())));
        assert_eq!(answer, Err(Reason::NeedsSecondApprover), "{approver}");
    }
    let twofold = consented("adam", &export(), request(code));
    assert!(matches!(s.ask(&twofold), Ok(Response::Wrapped(_))));
    let mut careless = service(Policy { dual_control: false, ..Policy::default() });
    assert!(matches!(careless.ask(&request(careless.code())), Ok(Response::Wrapped(_))));
    // Nor does a client accept a risk alone.
    s.gate
        .vault()
        .perform("root", &step("k", Transition::Compromise), Care::default(), START)
        .expect("active");
    let decrypt = Operation::Decrypt {
        ciphertext: mallory::vault::Frame { key: "k", version: 1, body: b"" }.write().into(),
        context: b"".into(),
        accept_risk: true,
    };
    assert_eq!(s.ask(&by("alice", decrypt.clone())), Err(Reason::NeedsSecondApprover));
    let twofold = consented("ada", &decrypt, by("alice", decrypt.clone()));
    assert_eq!(s.ask(&twofold), Err(Reason::DecryptFailed), "it was tried");
}

#[test]
fn a_secret_leaves_under_its_owners_public_key_only() {
    let hers = PublicKeyEncryption::Rsa2048Oaep.generate(&mut rng("ada"));
    let under = WrapUnder::PublicKey(hers.public().into());
    let export = Operation::Export { key: "k".to_owned(), version: None, under };
    for who in ["ada", "alice"] {
        let mut s = service(Policy { dual_control: false, ..Policy::default() });
        let code = s.code();
        let request = coded(code, by(who, export.clone()));
        assert_eq!(s.ask(&request), Err(Reason::Forbidden), "{who}");
        s.gate.enrol_public_key(who, hers.public());
        let expected =
            if who == "alice" { Err(Reason::SecondFactorRequired) } else { Err(Reason::Forbidden) };
        assert_eq!(s.ask(&request), expected, "{who}");
    }
}

#[test]
fn whoever_wraps_under_a_key_of_the_vault_learns_of_no_others() {
    let mut s =
        service(Policy { dual_control: false, second_factor: Default::default(), ..Policy::default() });
    let mut make = |name: &str, owner: &str| {
        let spec = KeySpec::new(KeyKind::Aes256, Usage::Wrap, owner);
        let generate = Operation::Generate { key: name.to_owned(), spec };
        s.ask(&by("otto", generate)).expect("an operator makes keys");
    };
    make("hers", "alice");
    make("his", "bob");
    let mut export = |under: &str| {
        let under = WrapUnder::Key(under.to_owned());
        s.ask(&by("alice", Operation::Export { key: "k".to_owned(), version: None, under }))
    };
    assert!(matches!(export("hers"), Ok(Response::Wrapped(_))));
    assert_eq!((export("his"), export("nothing")), (Err(Reason::Forbidden), Err(Reason::Forbidden)));
}

#[test]
fn whoever_is_revoked_is_refused_and_consents_to_nothing() {
    let mut s = service(Policy::default());
    s.gate.revoke("adam");
    s.gate.revoke("bob");
    assert_eq!(s.ask(&by("bob", encrypt("k"))), Err(Reason::ClientRevoked));
    let unproved = unproved(by("bob", encrypt("k")));
    assert_eq!(s.ask(&unproved), Err(Reason::Unauthenticated), "it is nobody else's business");
    let request = consented("adam", &export(), coded(s.code(), by("ada", export())));
    assert_eq!(s.ask(&request), Err(Reason::NeedsSecondApprover));
    // Who is enrolled anew is no less revoked.
    s.gate.enrol("bob", Role::Client, None);
    assert_eq!(s.ask(&by("bob", Operation::List {})), Err(Reason::ClientRevoked));
    s.gate.reinstate("bob");
    assert_eq!(s.ask(&by("bob", Operation::List {})), Err(Reason::Forbidden));
    // And has the public key that it had.
    s.gate.enrol("alice", Role::Client, Some(Totp::new(SECRET)));
    let request = consented("ada", &export(), coded(s.code(), by("alice", export())));
    assert!(matches!(s.ask(&request), Ok(Response::Wrapped(_))));
}

#[test]
fn guards_remember_over_a_restart() {
    let mut s = service(Policy { lock_after: 1, ..Policy::default() });
    let code = s.code();
    let configure = || by("otto", Operation::Configure { key: "k".to_owned(), changes: Changes::default() });
    assert_eq!(s.ask(&coded(code.clone(), configure())), Ok(Response::Done));
    let mut gate =
        s.gate.restarted(|vault| Ok(reopened(vault.into_store()))).expect("the passphrase is right");
    let again = coded(code.clone(), configure());
    assert_eq!(gate.handle(&again, s.now), Err(Reason::CodeAlreadyUsed));
    assert_eq!(gate.handle(&again, s.now), Err(Reason::LockedOut));
}

#[test]
fn who_is_stopped_by_its_source_has_not_used_up_its_own_tokens() {
    let rate = |burst| Rate { burst, per: Span::seconds(1_000) };
    let mut s = service(Policy { requests: rate(1), requests_per_source: rate(1), ..Policy::default() });
    let from =
        |source: &str, who: &str| Received { source: source.to_owned(), ..by(who, Operation::List {}) };
    let refused = |answer: Result<Response, Reason>| answer == Err(Reason::RateLimited);
    assert!(!refused(s.ask(&from("cafe", "otto"))));
    assert!(refused(s.ask(&from("cafe", "audrey"))), "the source is used up");
    assert!(!refused(s.ask(&from("home", "audrey"))), "she is not");
    assert!(refused(s.ask(&from("work", "audrey"))), "and now she is");
}

#[test]
fn a_code_is_good_once_and_not_for_long() {
    let configure = || by("otto", Operation::Configure { key: "k".to_owned(), changes: Changes::default() });
    let mut s = service(Policy::default());
    let code = s.code();
    assert_eq!(s.ask(&coded(code.clone(), configure())), Ok(Response::Done));
    assert_eq!(s.ask(&coded(code.clone(), configure())), Err(Reason::CodeAlreadyUsed));
    s.now = s.now.after(Span::seconds(60));
    assert_eq!(s.ask(&coded(code, configure())), Err(Reason::CodeExpired));
    assert_eq!(s.gate.last_code_step("otto"), Some(START.seconds() / 30));
    let mut careless = service(Policy { codes_once: false, ..Policy::default() });
    let code = careless.code();
    for _ in 0..2 {
        assert_eq!(careless.ask(&coded(code.clone(), configure())), Ok(Response::Done));
    }
}

#[test]
fn guessing_codes_is_slow_and_then_impossible() {
    let guess = |n: u32| {
        let configure = Operation::Configure { key: "k".to_owned(), changes: Changes::default() };
        coded(Some(format!("{n:06}")), by("otto", configure))
    };
    let mut s = service(Policy::default());
    let at_once: Vec<_> = (0..7).map(|n| s.ask(&guess(n)).expect_err("a guess")).collect();
    assert_eq!(at_once[..5], [Reason::BadCode; 5]);
    assert_eq!(at_once[5..], [Reason::RateLimited; 2]);
    s.now = s.now.after(Span::seconds(30));
    let later: Vec<_> = (10..17).map(|n| s.ask(&guess(n)).expect_err("a guess")).collect();
    assert_eq!(later[..5], [Reason::BadCode; 5]);
    assert_eq!(later[5..], [Reason::LockedOut; 2]);
    s.now = s.now.after(DAY);
    let right = coded(s.code(), guess(0));
    assert_eq!(s.ask(&right), Err(Reason::LockedOut), "a lock holds, for its owner too");
    s.gate.unlock("otto");
    assert_eq!(s.ask(&right), Ok(Response::Done));
    let mut careless = service(Policy { rate_limit: false, ..Policy::default() });
    let refused = (0..100).filter(|n| careless.ask(&guess(*n)) == Err(Reason::BadCode)).count();
    assert!(refused >= 98, "nobody counts: {refused}");
}

#[test]
fn buckets_fill_again() {
    let mut limiter = Limiter::new(Rate { burst: 3, per: Span::seconds(30) });
    let at = |seconds| START.after(Span::seconds(seconds));
    for _ in 0..3 {
        assert_eq!(limiter.take("a", at(0)), Ok(()));
    }
    assert_eq!(limiter.take("a", at(9)), Err(Reason::RateLimited));
    assert_eq!(limiter.take("b", at(9)), Ok(()), "to each its own");
    assert_eq!(limiter.take("a", at(10)), Ok(()));
    assert_eq!(limiter.take("a", at(10)), Err(Reason::RateLimited));
    for _ in 0..3 {
        assert_eq!(limiter.take("a", at(100)), Ok(()));
    }
    assert_eq!(limiter.take("a", at(100)), Err(Reason::RateLimited), "no fuller than full");
}

#[test]
fn requests_are_counted_by_principal_and_by_source() {
    let few = Rate { burst: 2, per: DAY };
    let mut s = service(Policy { requests_per_source: few, ..Policy::default() });
    let from = |source: &str| Received { source: source.to_owned(), ..by("alice", encrypt("k")) };
    assert!(s.ask(&from("a")).is_ok() && s.ask(&from("a")).is_ok());
    assert_eq!(s.ask(&from("a")), Err(Reason::RateLimited));
    assert!(s.ask(&from("b")).is_ok());
    let mut s = service(Policy { requests: few, ..Policy::default() });
    assert!(s.ask(&from("a")).is_ok() && s.ask(&from("b")).is_ok());
    assert_eq!(s.ask(&from("c")), Err(Reason::RateLimited));
}

#[test]
fn names_that_nobody_has_are_counted_each_where_every_name_is_believed() {
    let few = Rate { burst: 2, per: DAY };
    let careless = Policy { authenticate: false, authorise: false, requests: few, ..Policy::default() };
    let mut s = service(careless);
    let from = |who: &str| unproved(by(who, encrypt("k")));
    assert!(s.ask(&from("zoe")).is_ok() && s.ask(&from("zoe")).is_ok());
    assert_eq!(s.ask(&from("zoe")), Err(Reason::RateLimited));
    assert!(s.ask(&from("zac")).is_ok() && s.ask(&from("alice")).is_ok(), "to each its own");
}

#[test]
fn who_is_enrolled_anew_has_no_more_tries_than_before() {
    let once = Rate { burst: 1, per: DAY };
    let mut s = service(Policy { requests: once, lock_after: 1, ..Policy::default() });
    assert!(s.ask(&by("alice", encrypt("k"))).is_ok());
    let revoke = step("k", Transition::Compromise);
    let guess = coded(Some("000000".to_owned()), by("ada", revoke));
    assert_eq!(s.ask(&guess), Err(Reason::BadCode));
    s.gate.enrol("alice", Role::Client, None);
    s.gate.enrol("ada", Role::Administrator, Some(Totp::new(SECRET)));
    assert_eq!(s.ask(&by("alice", encrypt("k"))), Err(Reason::RateLimited));
    assert_eq!(s.ask(&guess), Err(Reason::LockedOut));
}

#[test]
fn every_guard_can_be_left_out() {
    let mut s = service(Policy { authenticate: false, ..Policy::default() });
    let anonymous = unproved(by("alice", encrypt("k")));
    assert!(s.ask(&anonymous).is_ok(), "a name is enough");
    let mut s = service(Policy { authorise: false, ..Policy::default() });
    assert!(s.ask(&by("bob", encrypt("k"))).is_ok(), "authenticated is authorised");
    let mut s = service(Policy { second_factor: Default::default(), ..Policy::default() });
    assert!(s.ask(&by("ada", step("k", Transition::Compromise))).is_ok());
    let mut s = service(Policy { key_state: false, ..Policy::default() });
    let revoke = coded(s.code(), by("ada", step("k", Transition::Compromise)));
    assert_eq!(s.ask(&revoke), Ok(Response::Done));
    assert!(s.ask(&by("alice", encrypt("k"))).is_ok(), "revoked, and nobody looks");
    let mut s = service(Policy { audit: false, ..Policy::default() });
    let before = s.records();
    assert!(s.ask(&by("alice", encrypt("k"))).is_ok());
    assert_eq!(s.ask(&by("bob", encrypt("k"))), Err(Reason::Forbidden));
    assert_eq!(s.records(), before, "nobody will know");
}

/// A service that believes every name keeps no name that is none, however long.
#[test]
fn what_is_no_name_is_not_believed() {
    let once = Rate { burst: 1, per: DAY };
    let careless = Policy { authenticate: false, authorise: false, requests: once, ..Policy::default() };
    let mut s = service(Policy { requests_per_source: once, ..careless });
    let long = "x".repeat(129);
    for name in ["", "a\nb", &long] {
        assert_eq!(s.ask(&unproved(by(name, Operation::List {}))), Err(Reason::Malformed), "{name:?}");
    }
    let from_afar = Received { source: long, ..by("alice", encrypt("k")) };
    assert_eq!(s.ask(&from_afar), Err(Reason::Malformed));
    // None of them was counted, so none is remembered.
    assert!(s.ask(&unproved(by("zoe", Operation::List {}))).is_ok());
    assert_eq!(s.ask(&unproved(by("zoe", Operation::List {}))), Err(Reason::RateLimited));
}

/// What was proved is what a check found.
#[test]
fn a_name_is_proved_by_a_key() {
    let cipher = mallory::crypto::Symmetric::Aes256Gcm;
    let (key, other) = ([1; 32], [2; 32]);
    let sealed = cipher.seal(&key, b"label", b"text", &mut rng("proof"));
    let (proved, text) = Proved::by_seal("alice", &key, cipher, b"label", &sealed).expect("hers");
    assert_eq!((proved.name(), text.as_slice()), ("alice", &b"text"[..]));
    assert_eq!(
        Proved::by_seal("alice", &other, cipher, b"label", &sealed).err(),
        Some(Reason::DecryptFailed)
    );
    assert_eq!(Proved::by_seal("alice", &key, cipher, b"other", &sealed).err(), Some(Reason::DecryptFailed));
    let mac = mallory::crypto::hmac_sha256(&key, &[b"a", b"b"]);
    assert_eq!(Proved::by_mac("alice", &key, &[b"a", b"b"], &mac), Ok(proved));
    assert_eq!(Proved::by_mac("alice", &other, &[b"a", b"b"], &mac), Err(Reason::BadMac));
    assert_eq!(Proved::by_mac("alice", &key, &[b"a"], &mac), Err(Reason::BadMac));
    assert_eq!(Proved::by_mac("alice", &key, &[b"a", b"b"], &mac[..31]), Err(Reason::BadMac));
}

#[test]
fn a_gate_says_that_its_vault_is_sealed() {
    let mut s = service(Policy { audit: false, ..Policy::default() });
    s.gate.vault().seal();
    assert_eq!(s.ask(&by("alice", encrypt("k"))), Err(Reason::Sealed), "and not that there is no such key");
}

#[test]
fn whoever_names_its_key_by_bytes_that_are_none_is_told_so() {
    let mut s = service(Policy::default());
    let (ciphertext, context) = (b"x".into(), b"".into());
    let decrypt = Operation::Decrypt { ciphertext, context, accept_risk: false };
    assert_eq!(s.ask(&by("alice", decrypt)), Err(Reason::Malformed));
    assert_eq!(s.ask(&by("alice", Operation::List {})), Err(Reason::Forbidden));
}

/// Wrong codes lock in a row, and not in sum.
#[test]
fn a_right_code_ends_a_row_of_wrong_ones() {
    let mut s = service(Policy { lock_after: 2, ..Policy::default() });
    let configure = || by("otto", Operation::Configure { key: "k".to_owned(), changes: Changes::default() });
    for round in 0..3 {
        assert_eq!(s.ask(&coded(Some("000000".to_owned()), configure())), Err(Reason::BadCode), "{round}");
        assert_eq!(s.ask(&coded(s.code(), configure())), Ok(Response::Done), "{round}");
        s.now = s.now.after(Span::seconds(60));
    }
}

#[test]
fn what_nobody_can_read_is_recorded_as_the_policy_wants() {
    for audit in [true, false] {
        let mut s = service(Policy { audit, ..Policy::default() });
        let before = s.records();
        assert_eq!(s.gate.note_unreadable("bob", Reason::Malformed, START), Ok(()));
        assert_eq!(s.records(), before + u64::from(audit));
    }
}
