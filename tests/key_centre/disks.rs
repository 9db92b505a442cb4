//! The centre's disk in somebody else's hands.

use super::*;

/// The fingerprint of the disk that mallory copies.
fn stolen(file: bool) -> String {
    let text = format!(
        r#"
        [services.kdc.keys]
        file  = {file}
        roles = {{ olivia = "operator" }}
        [attacker]
        tactic = "eavesdrop"
        [[request]]
        at    = "1m"
        by    = "olivia"
        ask   = "generate"
        key   = "orders"
        owner = "alice"
        [[request]]
        at   = "2m"
        by   = "alice"
        ask  = "encrypt"
        key  = "orders"
        text = "sell"
        [[event]]
        at         = "3m"
        compromise = "vault"
        "#
    );
    let play = play(&text, 0, &KeyPool::default());
    let copies: Vec<String> = (play.journal().events().iter())
        .filter_map(|event| match &event.what {
            What::Compromised { term, value: Some(value), .. } if term == "vault" => {
                Some(value.fingerprint())
            }
            _ => None,
        })
        .collect();
    assert_eq!(copies.len(), 1);
    copies[0].clone()
}

/// A database lays the same rows into a file in this way or that, by its version and by how it was
/// built; a journal must not tell.
#[test]
fn a_copied_disk_is_known_by_its_rows() {
    assert_eq!(stolen(true), stolen(false));
}
