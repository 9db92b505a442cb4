//! Stories of this test's own, so that every kind of statement is compared whatever the
//! library has.

use mallory::Scenario;

const COMMON: &str = r#"
protocol = "signed-dh"

[[run]]
at = "10m"
A  = "alice"
B  = "bob"
Payload = "one"

[[run]]
at = "50m"
A  = "alice"
B  = "bob"
Payload = "two"

[[run]]
at = "3h 10m"
A  = "alice"
B  = "bob"
Payload = "three"
"#;

/// What each story adds.
const STORIES: [(&str, &str); 8] = [
    (
        "list",
        r#"
[services.ca]
crl_history = 40
[parties.bob]
revocation = "crl"
fetch = "at-publication"
[[event]]
at = "1h 20m"
revoke = "alice"
reason = "key-compromise"
"#,
    ),
    (
        "deltas",
        r#"
[services.ca]
crl_period = "4h"
delta_period = "15m"
intermediates = 1
[parties.bob]
revocation = "crl"
deltas = true
[[request]]
at = "20m"
by = "alice"
ask = "revoke"
reason = "certificate-hold"
[[request]]
at = "1h"
by = "alice"
ask = "release"
[[run]]
at = "6h"
A  = "alice"
B  = "bob"
Payload = "four"
"#,
    ),
    (
        "responder",
        r#"
[services.ca]
ocsp_delegated = true
intermediates = 2
[parties.bob]
revocation = "ocsp"
nonce = true
fetch = "per-connection"
[[event]]
at = "1h 20m"
revoke = "alice"
reason = "superseded"
"#,
    ),
    (
        "issuer-responds",
        r#"
[services.ca]
ocsp_presign = "1h"
[crypto]
signature = "ecdsa-p256"
[parties.bob]
revocation = "ocsp"
fetch = "per-connection"
[[event]]
at = "1h 20m"
revoke = "alice"
reason = "key-compromise"
"#,
    ),
    (
        "stapled",
        r#"
[services.ca]
must_staple = ["alice"]
[crypto]
signature = "rsa-2048-pss"
[parties.alice]
staples = true
[parties.bob]
revocation = "stapled"
[[event]]
at = "1h 20m"
revoke = "alice"
reason = "key-compromise"
"#,
    ),
    (
        "meddled-lists",
        r#"
[services.ca]
[parties.alice]
revocation = "crl"
fetch = "per-connection"
[attacker]
[[attacker.rule]]
match  = { protocol = "crl", line = 1, before = "30m" }
action = "forge list bob"
[[attacker.rule]]
match  = { protocol = "crl", line = 1 }
action = "forge own list bob"
"#,
    ),
    (
        "meddled-responses",
        r#"
[services.ca]
[parties.bob]
revocation = "ocsp"
fetch = "per-connection"
[[event]]
at = "20m"
revoke = "alice"
reason = "key-compromise"
[attacker]
[[attacker.rule]]
match  = { protocol = "ocsp", line = 1, before = "30m" }
action = "try-later"
[[attacker.rule]]
match  = { protocol = "ocsp", line = 1 }
action = "forge good"
"#,
    ),
    (
        "forged",
        r#"
[services.ca]
intermediates = 1
[attacker]
attack = [
  '1.1 alice  -> I(bob) : alice, g^x',
  '1.2 I(bob) -> alice  : bob, g^z, sign(sk(I), g^x, g^z, alice), Cfalse',
  '2.1 alice  -> I(bob) : alice, g^x2',
  '2.2 I(bob) -> alice  : bob, g^z, sign(sk(I), g^x2, g^z, alice), Cherself',
  '3.1 alice  -> I(bob) : alice, g^x3',
  '3.2 I(bob) -> alice  : bob, g^z, sign(sk(I), g^x3, g^z, alice), Cstolen',
]
[[event]]
at = "1h"
compromise = "sk(ca)"
[[attacker.certificate]]
as = "Cfalse"
subject = "bob"
signed_by = "false-ca"
[[attacker.certificate]]
as = "Cherself"
subject = "bob"
signed_by = "herself"
[[attacker.certificate]]
as = "Cstolen"
subject = "bob"
signed_by = "stolen-ca"
"#,
    ),
];

/// The stories.
pub fn stories() -> impl Iterator<Item = Scenario> {
    STORIES.iter().map(|(name, more)| {
        Scenario::from_text(name, &format!("{COMMON}{more}")).unwrap_or_else(|why| panic!("{name}: {why}"))
    })
}
