//! What scenarios ask, and what they are told.

use std::fmt::Write as _;

use super::*;

#[test]
fn what_is_asked_is_told_in_the_words_of_the_file() {
    let text = r#"
        [services.kdc.keys]
        roles         = { olivia = "operator" }
        second_factor = []
        [[request]]
        at = "1m"
        by = "olivia"
        ask = "generate"
        key = "orders"
        kind = "rsa-2048"
        [[request]]
        at = "2m"
        by = "olivia"
        ask = "revoke-key"
        key = "orders"
        reason = "key-compromise"
    "#;
    let play = play(text, 0, &KeyPool::default());
    let asked: Vec<&str> = (play.journal().events().iter())
        .filter_map(|event| match &event.what {
            What::Asked { what, .. } => Some(&**what),
            _ => None,
        })
        .collect();
    assert_eq!(asked, ["a new key orders (rsa-2048)", "the revocation of orders: key-compromise"]);
}

/// Requests of alice, whose key is `orders`, and of the centre's people, a minute apart.
fn requests(rows: &[(&str, &str)]) -> String {
    let speaks_of_adam = rows.iter().any(|(by, row)| *by == "adam" || row.contains("'adam'"));
    let adam = if speaks_of_adam { "adam = \"administrator\"" } else { "" };
    let mut text = format!(
        r#"
        [services.kdc.keys]
        roles         = {{ olivia = "operator", {adam} }}
        second_factor = []
        [attacker]
        tactic = "eavesdrop"
        "#,
    );
    for (minute, (by, row)) in (1..).zip(rows) {
        let _ = writeln!(text, "[[request]]\nat = \"{minute}m\"\nby = \"{by}\"\n{}", row.replace(", ", "\n"));
    }
    text
}

#[test]
fn what_a_suspended_key_protects_opens_at_a_risk_that_two_accept() {
    let rows = [
        ("olivia", "ask = 'generate', key = 'orders', owner = 'alice'", "granted"),
        (
            "olivia",
            "ask = 'generate', key = 'seals', owner = 'alice', kind = 'p256', usage = 'sign'",
            "granted",
        ),
        ("alice", "ask = 'encrypt', key = 'orders', text = 'sell'", "granted"),
        ("alice", "ask = 'sign', key = 'seals', text = 'sell'", "granted"),
        ("olivia", "ask = 'suspend', key = 'orders'", "granted"),
        ("olivia", "ask = 'suspend', key = 'seals'", "granted"),
        ("alice", "ask = 'decrypt', of = 3", "key-suspended"),
        ("alice", "ask = 'decrypt', of = 3, accept_risk = true", "needs-second-approver"),
        (
            "alice",
            "ask = 'decrypt', of = 3, accept_risk = true, approved_by = 'olivia'",
            "needs-second-approver",
        ),
        ("alice", "ask = 'decrypt', of = 3, accept_risk = true, approved_by = 'adam'", "granted"),
        ("alice", "ask = 'verify', of = 4, text = 'sell'", "key-suspended"),
        (
            "alice",
            "ask = 'verify', of = 4, text = 'sell', accept_risk = true, approved_by = 'adam'",
            "granted",
        ),
    ];
    let mut text = requests(&rows.map(|(by, row, _)| (by, row)));
    text.push_str("[expect]\nvalues = { r10 = \"sell\" }");
    let play = play(&text, 0, &KeyPool::default());
    for (number, (by, row, expected)) in (1..).zip(rows) {
        assert_eq!(outcome(&play, number), expected, "request {number}: {by}: {row}");
    }
    assert_eq!(play.unmet(), []);
}

#[test]
fn an_old_version_protects_if_the_key_lets_it() {
    let rows = [
        ("olivia", "ask = 'generate', key = 'orders', owner = 'alice'", "granted"),
        ("olivia", "ask = 'rotate', key = 'orders'", "granted"),
        ("alice", "ask = 'encrypt', key = 'orders', text = 'too old', version = 1", "version-below-minimum"),
        ("olivia", "ask = 'configure', key = 'orders', min_encryption = 1", "granted"),
        ("alice", "ask = 'encrypt', key = 'orders', text = 'old', version = 1", "granted"),
        ("alice", "ask = 'encrypt', key = 'orders', text = 'new'", "granted"),
        ("alice", "ask = 'encrypt', key = 'orders', text = 'none', version = 3", "unknown-key"),
    ];
    let mut text = requests(&rows.map(|(by, row, _)| (by, row)));
    for stolen in ["r5", "r6", "key(orders,1)"] {
        let _ = writeln!(text, "[[event]]\nat = \"1h\"\ncompromise = \"{stolen}\"");
    }
    text.push_str("[expect.attacker]\nlearns = [\"r5\"]\nnever_learns = [\"r6\"]");
    let play = play(&text, 0, &KeyPool::default());
    for (number, (by, row, expected)) in (1..).zip(rows) {
        assert_eq!(outcome(&play, number), expected, "request {number}: {by}: {row}");
    }
    assert_eq!(play.unmet(), []);
}

#[test]
fn whoever_owns_a_key_is_a_party() {
    let rows = [
        ("olivia", "ask = 'generate', key = 'orders', owner = 'alice'"),
        ("olivia", "ask = 'generate', key = 'plans', owner = 'mallory'"),
        ("olivia", "ask = 'generate', key = 'own', owner = 'I'"),
        ("mallory", "ask = 'encrypt', key = 'plans', text = 'attack'"),
        (
            "mallory",
            "ask = 'encrypt', key = 'orders', text = 'attack', claims = 'alice', with = 'k(alice,kdc)'",
        ),
        ("olivia", "ask = 'revoke-key', key = 'orders'"),
    ];
    let mut text = requests(&rows);
    // What she stole is hers to use: alice is known to the centre, although she asks for nothing.
    text.push_str("[[event]]\nat = \"1s\"\ncompromise = \"k(alice,kdc)\"");
    let play = play(&text, 0, &KeyPool::default());
    for number in 1..=6 {
        assert_eq!(outcome(&play, number), "granted", "request {number}");
    }
}

/// What may be asked, what may need a code, and what the audit log says are one list of words.
#[test]
fn an_operation_has_one_word() {
    for verb in mallory::vault::Verb::ALL {
        let word = verb.word();
        let load =
            |text: &str| Scenario::from_text("test", text).map(drop).map_err(|problem| problem.to_string());
        let guarded = format!("[services.kdc.keys]\nsecond_factor = ['{word}']\n");
        let generate = "[[request]]\nat = '1m'\nby = 'olivia'\nask = 'generate'\nkey = 'orders'\n";
        assert_eq!(load(&format!("{guarded}{generate}")), Ok(()), "{word}");
        let asked =
            load(&format!("{guarded}{generate}[[request]]\nat = '2m'\nby = 'olivia'\nask = '{word}'\n"));
        assert!(!asked.is_err_and(|problem| problem.contains("unknown")), "{word}");
    }
}

#[test]
fn a_minimum_speaks_of_versions_that_there_are() {
    let rows = [
        ("olivia", "ask = 'generate', key = 'orders', owner = 'alice'", "granted"),
        ("olivia", "ask = 'rotate', key = 'orders'", "granted"),
        ("olivia", "ask = 'rotate', key = 'orders'", "granted"),
        ("olivia", "ask = 'configure', key = 'orders', min_decryption = 1, min_encryption = 2", "granted"),
        ("adam", "ask = 'trim', key = 'orders', below = 3", "granted"),
        ("olivia", "ask = 'configure', key = 'orders', min_decryption = 2", "version-trimmed"),
        ("olivia", "ask = 'configure', key = 'orders', min_encryption = 1", "version-trimmed"),
        ("olivia", "ask = 'configure', key = 'orders', min_decryption = 4", "invalid-settings"),
        ("olivia", "ask = 'configure', key = 'orders', max_operations = 9", "granted"),
        ("olivia", "ask = 'rotate', key = 'orders'", "granted"),
        (
            "olivia",
            "ask = 'configure', key = 'orders', min_decryption = 4, min_encryption = 3",
            "invalid-settings",
        ),
        ("olivia", "ask = 'configure', key = 'orders', min_decryption = 4, min_encryption = 4", "granted"),
        ("adam", "ask = 'trim', key = 'orders', below = 5", "unknown-key"),
    ];
    let asked: Vec<(&str, &str)> = rows.iter().map(|(by, row, _)| (*by, *row)).collect();
    let play = play(&requests(&asked), 0, &KeyPool::default());
    for (number, (by, row, expected)) in (1..).zip(rows) {
        assert_eq!(outcome(&play, number), expected, "{by}: {row}");
    }
}

#[test]
fn a_destruction_that_is_cancelled_lets_the_key_be_taken_back_into_use() {
    let encrypt = "ask = 'encrypt', key = 'orders', text = 'sell'";
    let rows = [
        ("olivia", "ask = 'generate', key = 'orders', owner = 'alice'", "granted"),
        ("adam", "ask = 'schedule-destruction', key = 'orders', wait = '7d'", "granted"),
        ("alice", encrypt, "pending-destruction"),
        ("adam", "ask = 'cancel-destruction', key = 'orders'", "granted"),
        ("alice", encrypt, "key-suspended"),
        ("olivia", "ask = 'resume', key = 'orders'", "granted"),
        ("alice", encrypt, "granted"),
    ];
    let asked: Vec<(&str, &str)> = rows.iter().map(|(by, row, _)| (*by, *row)).collect();
    let play = play(&requests(&asked), 0, &KeyPool::default());
    for (number, (by, row, expected)) in (1..).zip(rows) {
        assert_eq!(outcome(&play, number), expected, "request {number}: {by}: {row}");
    }
}
