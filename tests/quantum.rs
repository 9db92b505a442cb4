//! Key encapsulation as terms, and an attacker with a quantum computer: what falls to it, from
//! when on, and what does not.

mod played;

use mallory::Scenario;
use mallory::crypto::{Agreement, Kem, Signature};
use mallory::journal::What;
use mallory::scenario::PlayReport;

use played::{part, play, violated};

const RUN: &str = "[[run]]\nA = \"alice\"\nB = \"bob\"\nPayload = \"transfer 100\"\n";
const LISTENS: &str = "[attacker]\ninsider = false\n";
const QUANTUM: &str = "[[event]]\nat = \"1d\"\nquantum = true\n";

/// A recorded run of this protocol with these algorithms, and what happens the day after.
fn recorded(protocol: &str, crypto: &str, event: &str) -> PlayReport {
    play(&format!("{protocol}\ncrypto = {{ {crypto} }}\n{RUN}{LISTENS}{event}"))
}

const PLAIN_KEM: &str = "[protocol]
messages = [\"A -> B : A, ek(d)\", \"B -> A : B, encap(d, r)\", \"A -> B : {Payload}K\"]
goals = [\"secret Payload\"]
fresh = { A = [\"d: kem\"], B = [\"r: coins\"] }
given = { A = [\"Payload: data\"] }
let = { K = 'kdf(\"key\", ss(d, r))' }
";

fn kem(kem: Kem, event: &str) -> PlayReport {
    play(&format!("crypto = {{ kem = \"{kem}\" }}\n{PLAIN_KEM}{RUN}{LISTENS}{event}"))
}

/// Both halves of a secret give it, each with what goes over the wire, in every KEM.
#[test]
fn a_secret_follows_from_either_half() {
    for suite in Kem::ALL {
        let both = kem(*suite, "");
        assert_eq!([part(&both, 1, "alice"), part(&both, 1, "bob")], ["completes", "completes"]);
        assert!(!violated(&both, "secret Payload"), "{suite}");
        for half in ["alice.d", "bob.r"] {
            let event = format!("[[event]]\nat = \"1d\"\ncompromise = \"1.{half}\"\nas = \"stolen\"\n");
            let play = kem(*suite, &event);
            assert!(violated(&play, "secret Payload"), "{suite}, {half}");
            let steps = play.attacker().derivation("1.Payload").unwrap().texts().join("\n");
            let way = if half == "alice.d" { "decapsulates with d" } else { "encapsulates to ek(d)" };
            assert!(steps.contains(way), "{suite}: {steps}");
        }
    }
}

/// What a ciphertext that was changed gives is nobody's secret: the receiver goes on, and neither
/// the sender nor the attacker has its key (implicit rejection).
#[test]
fn a_changed_ciphertext_gives_another_secret() {
    let rule = "[[attacker.rule]]\nmatch = { line = 2 }\naction = \"tamper\"\n";
    let play = kem(Kem::MlKem768, rule);
    assert_eq!(part(&play, 1, "bob"), "rejects line 3: decrypt-failed");
    assert_eq!(part(&play, 1, "alice"), "completes");
    assert!(!violated(&play, "secret Payload"));
}

/// Keys and ciphertexts that are none are refused.
#[test]
fn what_is_no_key_and_no_ciphertext_is_refused() {
    for (line, terms, to, refusal) in [
        (1, "alice, h(\"x\")", "bob", "rejects line 1: malformed"),
        (2, "bob, h(\"x\")", "alice", "rejects line 2: malformed"),
    ] {
        let from = if to == "bob" { "alice" } else { "bob" };
        let rule = format!(
            "[[attacker.rule]]
            match = {{ from = \"{from}\", to = \"{to}\", line = {line} }}
            action = 'replace {terms}'"
        );
        assert_eq!(part(&kem(Kem::MlKem768, &rule), 1, to), refusal, "{terms}");
    }
}

/// A static key: granted, so public; whoever has it encapsulates to its owner, who alone opens.
#[test]
fn a_long_term_key_is_public_and_only_its_owner_opens() {
    let of = |rest: &str| {
        play(&format!(
            "[protocol]
            messages = [\"A -> B : A, encap(b, r), {{Payload}}K\"]
            goals = [\"secret Payload\", \"forward secret Payload\", \"B authenticates A on Payload\"]
            fresh = {{ A = [\"r: coins\"] }}
            knows = {{ B = [\"b: kem\"], A = [\"ek(b)\"] }}
            given = {{ A = [\"Payload: data\"] }}
            let = {{ K = 'kdf(\"key\", ss(b, r))' }}
            {RUN}{LISTENS}{rest}"
        ))
    };
    let play =
        of("attack = ['2.1 I(alice) -> bob : alice, encap(b, q), {\"mine\"}kdf(\"key\", ss(b, q))']\n");
    assert!(!violated(&of(""), "secret Payload"));
    assert!(violated(&of(""), "forward secret Payload"), "with b she opens what she recorded");
    assert!(violated(&play, "B authenticates A on Payload"), "anybody encapsulates");
    assert_eq!(part(&play, 2, "bob"), "completes");
    assert!(!violated(&of(QUANTUM), "secret Payload"));
}

/// Every group, RSA, and every signature but ML-DSA falls; no KEM does.
#[test]
fn what_falls_to_a_quantum_computer() {
    for suite in Agreement::ALL {
        let play = recorded("protocol = \"signed-dh\"", &format!("agreement = \"{suite}\""), QUANTUM);
        assert!(violated(&play, "secret Payload"), "{suite}");
        let steps = play.attacker().derivation("1.Payload").unwrap();
        let had = play.journal().events().iter().find(|e| matches!(e.what, What::Quantum { .. })).unwrap();
        assert!(steps.since() >= Some(had.number), "not before she has it: {steps:?}");
        let before = recorded("protocol = \"signed-dh\"", &format!("agreement = \"{suite}\""), "");
        assert!(!violated(&before, "secret Payload"), "{suite}");
    }
    for suite in ["rsa-2048-oaep", "rsa-2048-pkcs1v15"] {
        let play =
            recorded("protocol = \"rsa-key-transport\"", &format!("public_key = \"{suite}\""), QUANTUM);
        assert!(violated(&play, "secret Payload"), "{suite}");
    }
    for suite in Kem::ALL {
        let play = recorded("protocol = \"signed-kem\"", &format!("kem = \"{suite}\""), QUANTUM);
        assert!(!violated(&play, "forward secret Payload"), "{suite}");
    }
    for suite in Signature::ALL {
        let play = play(&format!(
            "crypto = {{ signature = \"{suite}\" }}
            [protocol]
            messages = [\"A -> B : A, B, Payload, sign(sk(A), A, B, Payload)\"]
            goals = [\"B weakly authenticates A on Payload\"]
            given = {{ A = [\"Payload: data\"] }}
            {RUN}{QUANTUM}
            [attacker]
            insider = false
            attack = ['2.1 I(alice) -> bob : alice, bob, \"pay 900\", sign(sk(alice), alice, bob, \"pay 900\")']"
        ));
        let falls = *suite != Signature::MlDsa65;
        assert_eq!(violated(&play, "B weakly authenticates A on Payload"), falls, "{suite}");
        assert_eq!(suite.falls_to_quantum(), falls);
    }
}

/// A pair made for one run, of which only one half goes over the wire, and three parties' shares.
#[test]
fn ephemeral_keys_and_powers_of_powers_fall() {
    let protocol = "[protocol]
        messages = [\"A -> B : A, pk(e)\", \"B -> A : B, {Payload}pk(e)\"]
        goals = [\"secret Payload\"]
        fresh = { A = [\"e: keypair\"] }
        given = { B = [\"Payload: data\"] }
        ";
    let text = |event: &str| format!("{protocol}{RUN}{LISTENS}{event}");
    assert!(!violated(&play(&text("")), "secret Payload"));
    assert!(violated(&play(&text(QUANTUM)), "secret Payload"));
    let three = |event: &str| {
        play(&format!(
            "[protocol]
            messages = [\"A -> B : A, g^x\", \"B -> C : B, g^y, g^x^y\", \"C -> A : C, {{Payload}}g^x^y^z, g^y^z\"]
            goals = [\"secret Payload\"]
            fresh = {{ A = [\"x: dh\"], B = [\"y: dh\"], C = [\"z: dh\"] }}
            given = {{ C = [\"Payload: data\"] }}
            knows = {{ B = [\"C\"], C = [\"A\"] }}
            [[run]]
            A = \"alice\"
            B = \"bob\"
            C = \"carol\"
            Payload = \"transfer 100\"
            {LISTENS}{event}"
        ))
    };
    assert_eq!(part(&three(""), 1, "alice"), "completes");
    assert!(!violated(&three(""), "secret Payload"));
    assert!(violated(&three(QUANTUM), "secret Payload"));
}

/// What post-quantum keys and signatures weigh on the wire, in bytes with their tags.
#[test]
fn sizes_on_the_wire() {
    let sizes = |protocol: &str, crypto: &str| -> Vec<usize> {
        let play = recorded(&format!("protocol = \"{protocol}\""), crypto, "");
        let sent = play.journal().events().iter().filter_map(|event| match &event.what {
            What::Sent { message } => Some(message.bytes.len()),
            _ => None,
        });
        sent.collect()
    };
    assert_eq!(sizes("signed-dh", "agreement = \"x25519\"")[0], 47);
    assert_eq!(sizes("signed-kem", "kem = \"ml-kem-768\"")[0], 47 - 32 + 1184);
    assert_eq!(sizes("signed-kem", "kem = \"x25519-mlkem768\"")[0], 47 - 32 + 1216);
    let classical = sizes("signed-dh", "signature = \"ed25519\"");
    let hybrid = sizes("signed-kem", "kem = \"x25519-mlkem768\"");
    assert_eq!(hybrid[1] - classical[1], 1120 - 32, "a ciphertext in the place of a share");
    let signed = sizes("signed-dh", "signature = \"ml-dsa-65\"");
    // Two signatures, the message's and the certificate's, and the certificate's key.
    let grown = 2 * (3309 - 64) + (1974 - 44);
    let lengths = signed[1] - classical[1] - grown;
    assert!(lengths < 20, "what else grew is DER's lengths of lengths: {lengths}");
}

#[test]
fn what_cannot_be_said_is_refused() {
    for (event, why) in [
        ("quantum = false", "an event does not take a quantum computer away"),
        ("quantum = \"yes\"", "expected"),
    ] {
        let text = format!("protocol = \"signed-dh\"\n{RUN}{LISTENS}[[event]]\nat = \"1d\"\n{event}\n");
        let problems = Scenario::from_text("test", &text).unwrap_err().to_string();
        assert!(problems.contains(why), "{problems}");
    }
    let text = format!("protocol = \"signed-dh\"\n{RUN}{QUANTUM}");
    let problems = Scenario::from_text("test", &text).unwrap_err().to_string();
    assert!(problems.contains("there is no attacker to have it"), "{problems}");
    let text = format!(
        "protocol = \"signed-dh\"\n{RUN}{LISTENS}{QUANTUM}[services.kdc.keys]\npassphrase = \"open sesame\"\n"
    );
    let problems = Scenario::from_text("test", &text).unwrap_err().to_string();
    assert!(problems.contains("the key centre keeps cannot be said yet"), "{problems}");
    for (wrong, why) in [
        ("ek(Payload)", "its type must be `kem`"),
        ("encap(d, d)", "its type must be `coins`"),
        ("ss(d)", "takes two arguments"),
        ("ek(h(d))", "takes names only"),
    ] {
        let text = format!("{PLAIN_KEM}{RUN}{LISTENS}").replacen("ek(d)", wrong, 1);
        let problems = Scenario::from_text("test", &text).unwrap_err().to_string();
        assert!(problems.contains(why), "{wrong}: {problems}");
    }
    let cannot =
        format!("{PLAIN_KEM}{RUN}{LISTENS}").replacen("B -> A : B, encap(d, r)", "B -> A : B, ek(r)", 1);
    assert!(Scenario::from_text("test", &cannot).is_err());
}

/// A ciphertext that never arrived is opened with the key by whoever has it, though nobody ever did.
#[test]
fn a_ciphertext_that_nobody_opened_is_opened_with_the_key() {
    let play = play(&format!(
        "[protocol]
        messages = [\"A -> B : A, ek(d)\", \"B -> A : B, encap(d, r), {{Payload}}K\"]
        goals = [\"secret Payload\"]
        fresh = {{ A = [\"d: kem\"], B = [\"r: coins\"] }}
        given = {{ B = [\"Payload: data\"] }}
        let = {{ K = 'kdf(\"key\", ss(d, r))' }}
        {RUN}{LISTENS}
        [[attacker.rule]]
        match = {{ line = 2 }}
        action = \"drop\"
        [[event]]
        at = \"1d\"
        compromise = \"1.alice.d\"
        as = \"stolen\""
    ));
    assert!(violated(&play, "secret Payload"));
}
