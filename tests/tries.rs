//! What the attacker finds by trying, and what she computes of hashes: each on bytes that real
//! parties hash, with the count that theory says.

mod played;

use mallory::Scenario;
use mallory::journal::What;
use mallory::report::{LogStyle, log};
use mallory::scenario::{KeyPool, PlayReport};

use played::{part, play, violated};

fn seeded(text: &str, seed: u64) -> PlayReport {
    let scenario = Scenario::from_text("test", text).unwrap_or_else(|p| panic!("{p}\n{text}")).seed(seed);
    scenario.play(&scenario.variants[0], true, &KeyPool::default()).unwrap()
}

/// How many hashes she tried, and whether one fitted.
fn searched(play: &PlayReport) -> Option<(u32, bool)> {
    play.journal().events().iter().find_map(|event| match event.what {
        What::Searched { trials, found, .. } => Some((trials, found)),
        _ => None,
    })
}

fn mean_is(all: &[f64], expected: f64, deviation: f64) {
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let error = deviation / (all.len() as f64).sqrt();
    println!("{mean} trials, where theory has {expected} ± {error}");
    assert!((mean - expected).abs() < 3.0 * error, "{mean} trials on average, and not {expected} ± {error}");
}

/// alice and bob read out a short string of so many bits.
fn read_out(bits: u16, settings: &str, seed: u64) -> PlayReport {
    let text = format!(
        r#"crypto = {{ short_bits = {bits} }}
        [protocol]
        messages = [
          "A -> B : A, g^x, Na",
          "B -> A : B, g^y, Nb",
          "A -> B : short(g^x, g^y, Na, Nb)",
          "A -> B : {{Payload}}K",
        ]
        goals = ["secret Payload", "A authenticates B on K"]
        fresh = {{ A = ["x: dh", "Na: nonce"], B = ["y: dh", "Nb: nonce"] }}
        given = {{ A = ["Payload: data"] }}
        let   = {{ K = 'kdf("key", g^x^y)' }}
        voice = [3]
        [[run]]
        A = "alice"
        B = "bob"
        Payload = "pay 100"
        [attacker]
        insider = false
        {settings}"#
    );
    seeded(&text, seed)
}

const BETWEEN: &str = r#"attack = [
  "1.1 alice    -> I(bob)   : alice, g^x, Na",
  "1.1 I(alice) -> bob      : alice, g^m, Nm",
  "1.2 bob      -> I(alice) : bob, g^y, Nb",
  "1.2 I(bob)   -> alice    : bob, g^n, Nn",
]
finds = { Nn = "short(g^x, g^n, Na, Nn) = short(g^m, g^y, Nm, Nb)" }"#;

/// Each trial fits with a chance of 2^-b: a geometric distribution, whose deviation is its mean.
#[test]
fn a_short_string_of_b_bits_takes_2_to_the_b_trials() {
    let bits = 9;
    let mut all = Vec::new();
    for seed in 0..150 {
        let play = read_out(bits, BETWEEN, seed);
        let (trials, found) = searched(&play).expect("she searched");
        assert!(found && violated(&play, "A authenticates B on K"), "seed {seed}");
        assert_eq!(part(&play, 1, "bob"), "rejects line 4: decrypt-failed", "the strings are the same");
        assert!(play.attacker().derivation("1.alice.K").is_some());
        all.push(f64::from(trials));
    }
    mean_is(&all, 512.0, 512.0);
}

/// Without a search the strings differ: of 60 plays with 9 bits, none is the same but by chance.
#[test]
fn what_is_read_out_is_compared_and_heard_whole() {
    let blind = BETWEEN.split("finds").next().unwrap();
    let heard = |seed| part(&read_out(9, blind, seed), 1, "bob");
    let differ = (0..60).filter(|seed| heard(*seed) == "rejects line 3: sas-mismatch").count();
    assert!(differ >= 58, "{differ} of 60 were heard");
    let silent = read_out(9, "tactic = \"replay\"", 0);
    assert_eq!(part(&silent, 1, "bob"), "completes");
}

/// No rule and no tactic reaches what people say to each other.
#[test]
fn a_voice_is_nobodys_to_change() {
    for settings in [
        "rule = [{ match = { line = 3 }, action = \"drop\" }]",
        "rule = [{ match = { line = 3 }, action = \"tamper\" }]",
        "rule = [{ match = { line = 3 }, action = \"delay 1h\" }]",
        "rule = [{ match = { line = 3 }, action = \"hold\" }]",
    ] {
        let play = read_out(20, settings, 1);
        assert_eq!(part(&play, 1, "bob"), "completes", "{settings}");
        assert_eq!(part(&play, 1, "alice"), "completes", "{settings}");
    }
    let posed = read_out(20, "tactic = \"mitm\"", 1);
    assert_eq!(part(&posed, 1, "bob"), "rejects line 3: sas-mismatch");
    let again = "rule = [{ match = { line = 3 }, action = \"pass\" }, { match = { line = 1 }, \
                 action = \"inject 1.3 I(alice) -> bob : h(Na)\" }]";
    let text = format!("{again}\nfresh = [\"Na: nonce\"]");
    let refused = std::panic::catch_unwind(|| read_out(20, &text, 1));
    assert!(refused.is_err(), "a line of hers in somebody's voice is a mistake of the file");
}

/// Two orders with one short hash.
fn collided(bits: u16, settings: &str, seed: u64) -> PlayReport {
    let text = format!(
        r#"crypto = {{ short_bits = {bits} }}
        [protocol]
        messages = [
          "A -> B : A, C, Order, Na",
          "B -> A : B, sign(sk(B), short(C, Order, Na))",
          "A -> C : Order, Na, sign(sk(B), short(C, Order, Na))",
        ]
        goals = ["C weakly authenticates B on Order"]
        fresh = {{ A = ["Na: nonce"] }}
        given = {{ A = ["Order: data"] }}
        knows = {{ A = ["C"], C = ["B"] }}
        [[run]]
        A = "alice"
        B = "bob"
        C = "carol"
        Order = "pay 50"
        [attacker]
        attack = [
          '2.1 I   -> bob   : I, carol, "pay 100", N',
          '2.2 bob -> I     : bob, S',
          '2.3 I   -> carol : "pay 900", M, S',
        ]
        finds = {{ "N, M" = 'short(carol, "pay 100", N) = short(carol, "pay 900", M)' }}
        {settings}"#
    );
    seeded(&text, seed)
}

/// Two lists that grow in turn: after t trials there are t²/4 pairs, so that no two are alike with
/// a chance of e^(-t² / 2^(b+2)). The mean is √(π 2^b), the variance (4 - π) 2^b.
#[test]
fn a_hash_of_b_bits_takes_the_square_root() {
    let bits = 18;
    let size = f64::from(1 << bits);
    let mut all = Vec::new();
    for seed in 0..100 {
        let play = collided(bits, "", seed);
        let (trials, found) = searched(&play).expect("she searched");
        assert!(found && violated(&play, "C weakly authenticates B on Order"), "seed {seed}");
        all.push(f64::from(trials));
    }
    let pi = std::f64::consts::PI;
    mean_is(&all, (pi * size).sqrt(), ((4.0 - pi) * size).sqrt());
}

#[test]
fn she_keeps_to_her_budget_of_trials() {
    let (all, _) = searched(&collided(18, "", 5)).unwrap();
    assert_eq!(searched(&collided(18, &format!("trials = {all}"), 5)), Some((all, true)));
    let short = collided(18, &format!("trials = {}", all - 1), 5);
    assert_eq!(searched(&short), Some((all - 1, false)));
    assert!(!violated(&short, "C weakly authenticates B on Order"));
    let told = log::render(&short, &LogStyle::default());
    assert!(told.contains("it never came out the same"), "{told}");
    assert!(told.contains("the attack stops at 2.1"), "{told}");
}

/// What is not hers, or no hash, cannot be looked for.
#[test]
fn what_cannot_be_found_is_a_mistake_of_the_file() {
    for (finds, why) in [
        ("S = \"short(S) = short(N)\"", "no nonce, key or data of hers"),
        ("N = \"N = short(M)\"", "is no hash"),
        ("N = \"short(M) = short(N)\"", "does not stand in"),
        ("N = \"short(N)\"", "what are they to fit"),
        ("\"N, M, S\" = \"short(N) = short(M)\"", "one value, or for two"),
    ] {
        let text = format!(
            "protocol = {{ messages = [\"A -> B : Na, h(Na)\"], fresh = {{ A = [\"Na: nonce\"] }} }}
            [[run]]
            A = \"alice\"
            B = \"bob\"
            [attacker]
            attack = [\"1.1 alice -> I(bob) : S, T\", \"1.1 I(alice) -> bob : N, h(M)\"]
            finds = {{ {finds} }}"
        );
        let problems = Scenario::from_text("test", &text).err().unwrap_or_else(|| panic!("{finds}"));
        assert!(problems.to_string().contains(why), "{finds}: {problems}");
    }
}

/// An order whose code is this, and what she puts behind it.
fn extended(code: &str, payload: &str, behind: usize) -> PlayReport {
    play(&format!(
        "encoding = {{ kind = \"untagged\", Payload = \"any\" }}
        [protocol]
        messages = [\"A -> B : Payload, {code}\"]
        goals = [\"B weakly authenticates A on Payload\"]
        given = {{ A = [\"Payload: data\"] }}
        [[run]]
        A = \"alice\"
        B = \"bob\"
        Payload = \"{payload}\"
        [attacker]
        insider = false
        [[attacker.rule]]
        match = {{ line = 1 }}
        action = 'extend by \"&amount=900\" behind {behind}'"
    ))
}

/// Whatever the padding, bob takes what she put behind the order, and nobody but HMAC stops her.
#[test]
fn a_hash_goes_on_where_it_stopped() {
    let goal = "B weakly authenticates A on Payload";
    for len in (1..=70).chain([119, 120, 127, 128, 200]) {
        let payload = "a".repeat(len);
        let weak = extended("h(k(A,B), Payload)", &payload, 32);
        assert_eq!(part(&weak, 1, "bob"), "completes", "{len} bytes");
        assert!(violated(&weak, goal));
        let session = weak.sessions().iter().find(|s| *s.id.party == *"bob").unwrap();
        let taken = session.value_named("Payload").unwrap().bytes.to_vec();
        assert!(taken.starts_with(payload.as_bytes()) && taken.ends_with(b"&amount=900"));
        assert_eq!((taken.len() - "&amount=900".len() + 32) % 64, 0, "whole blocks lie before it");
    }
    assert_eq!(part(&extended("mac(k(A,B), Payload)", "pay 100", 32), 1, "bob"), "rejects line 1: bad-mac");
    assert_eq!(part(&extended("h(Payload, k(A,B))", "pay 100", 32), 1, "bob"), "rejects line 1: mismatch");
    assert_eq!(part(&extended("h(k(A,B), Payload)", "pay 100", 31), 1, "bob"), "rejects line 1: mismatch");
}
