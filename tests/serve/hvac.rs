//! The transit routes as `hvac`, the Python client of Vault, uses them unmodified.

use super::support::{Server, has, run};

const SCRIPT: &str = r#"
import base64, sys, hvac
from hvac import exceptions
url, folder, other = sys.argv[1:4]
def client(folder):
    c = hvac.Client(url=url, cert=(folder + "/certificate.pem", folder + "/key.pem"), verify=folder + "/ca.pem")
    c.token = c.adapter.post("/v1/auth/cert/login")["auth"]["client_token"]
    return c
def refused(kind, call):
    try:
        call()
    except kind as e:
        assert e.errors, e
        return
    raise SystemExit("not refused: %r" % call)
b64 = lambda b: base64.b64encode(b).decode()
c, t = client(folder), None
t = c.secrets.transit
assert c.is_authenticated() and not c.sys.is_sealed()
t.create_key("orders")
one = t.encrypt_data("orders", b64(b"sell"))["data"]["ciphertext"]
assert one.startswith("vault:v1:"), one
assert t.decrypt_data("orders", one)["data"]["plaintext"] == b64(b"sell")
t.rotate_key("orders")
assert t.decrypt_data("orders", one)["data"]["plaintext"] == b64(b"sell")
two = t.rewrap_data("orders", one)["data"]["ciphertext"]
assert two.startswith("vault:v2:"), two
assert t.read_key("orders")["data"]["latest_version"] == 2
assert t.list_keys()["data"]["keys"] == ["orders"]
refused(exceptions.InvalidRequest, lambda: t.decrypt_data("orders", one[:-4] + "AAA="))
refused(exceptions.InvalidRequest, lambda: t.decrypt_data("orders", "rubbish"))
bound = t.encrypt_data("orders", b64(b"a"), associated_data=b64(b"row"))["data"]["ciphertext"]
refused(exceptions.InvalidRequest, lambda: t.decrypt_data("orders", bound))
refused(exceptions.InvalidRequest, lambda: t.encrypt_data("orders", b64(b"a"), context=b64(b"c")))
batch = t.encrypt_data("orders", batch_input=[{"plaintext": b64(b"x")}, {"plaintext": b64(b"y")}])
assert len(batch["data"]["batch_results"]) == 2
t.rotate_key("orders")
t.update_key_configuration("orders", min_decryption_version=2, min_encryption_version=3)
refused(exceptions.InvalidRequest, lambda: t.decrypt_data("orders", one))
t.trim_key("orders", 2)
assert sorted(t.read_key("orders")["data"]["keys"]) == ["2", "3"]
key = t.generate_data_key("orders", "plaintext")["data"]
assert t.decrypt_data("orders", key["ciphertext"])["data"]["plaintext"] == key["plaintext"]
assert len(base64.b64decode(t.generate_random_bytes(16)["data"]["random_bytes"])) == 16
for kind in ("ed25519", "ecdsa-p256"):
    t.create_key(kind, key_type=kind)
    signed = t.sign_data(kind, b64(b"m"))["data"]["signature"]
    assert t.verify_signed_data(kind, b64(b"m"), signature=signed)["data"]["valid"]
    assert not t.verify_signed_data(kind, b64(b"n"), signature=signed)["data"]["valid"]
refused(exceptions.InvalidRequest, lambda: t.delete_key("orders"))
# Codes are made by keys of their own, and leave only if they were made to.
c.adapter.post("/v1/transit/keys/codes", json={"type": "hmac", "exportable": True})
code = t.generate_hmac("codes", b64(b"m"))["data"]["hmac"]
assert code.startswith("vault:v1:"), code
assert t.verify_signed_data("codes", b64(b"m"), hmac=code)["data"]["valid"]
assert not t.verify_signed_data("codes", b64(b"n"), hmac=code)["data"]["valid"]
t.rotate_key("codes")
assert t.verify_signed_data("codes", b64(b"m"), hmac=code)["data"]["valid"]
newer = t.generate_hmac("codes", b64(b"m"), algorithm="sha2-256")["data"]["hmac"]
assert newer.startswith("vault:v2:") and newer[9:] != code[9:]
refused(exceptions.InvalidRequest, lambda: t.generate_hmac("codes", b64(b"m"), algorithm="sha2-512"))
refused(exceptions.InvalidRequest, lambda: t.generate_hmac("orders", b64(b"m")))
refused(exceptions.InvalidRequest, lambda: t.sign_data("codes", b64(b"m")))
refused(exceptions.InvalidRequest, lambda: t.verify_signed_data("ed25519", b64(b"m"), hmac=code))
import hashlib, hmac as mac
keys = t.export_key("codes", key_type="hmac-key")["data"]["keys"]
assert sorted(keys) == ["1", "2"], keys
by_hand = mac.new(base64.b64decode(keys["1"]), b"m", hashlib.sha256).digest()
assert code == "vault:v1:" + b64(by_hand)
assert list(t.export_key("codes", key_type="hmac-key", version="2")["data"]["keys"]) == ["2"]
assert list(t.export_key("codes", key_type="hmac-key", version="latest")["data"]["keys"]) == ["2"]
refused(exceptions.InvalidPath, lambda: t.export_key("codes", key_type="hmac-key", version="3"))
refused(exceptions.Forbidden, lambda: t.export_key("codes", key_type="encryption-key"))
refused(exceptions.Forbidden, lambda: t.export_key("orders", key_type="encryption-key"))
refused(exceptions.Forbidden, lambda: t.export_key("ed25519", key_type="signing-key"))
refused(exceptions.InvalidRequest, lambda: t.create_key("signs", key_type="ed25519", exportable=True))
refused(exceptions.InvalidRequest, lambda: t.create_key("orders", exportable=True))
t.create_key("shared", exportable=True)
assert len(base64.b64decode(t.export_key("shared", key_type="encryption-key")["data"]["keys"]["1"])) == 32
t.update_key_configuration("orders", deletion_allowed=True)
t.delete_key("orders")
refused(exceptions.InvalidPath, lambda: t.read_key("orders"))
d = client(other)
refused(exceptions.InvalidPath, lambda: d.secrets.transit.export_key("shared", key_type="encryption-key"))
refused(exceptions.InvalidPath, lambda: d.secrets.transit.read_key("ed25519"))
d.token = c.token
refused(exceptions.Forbidden, lambda: d.secrets.transit.list_keys())
d.token = None
refused(exceptions.Forbidden, lambda: d.secrets.transit.list_keys())
print("done")
"#;

#[test]
fn hvac_works_unmodified() {
    if !has("python3") || !run("python3", &["-c", "import hvac"], b"").0 {
        eprintln!("skipped: python3 has no hvac (pip install hvac)");
        return;
    }
    let s = Server::demo();
    let demo = s.demo.as_ref().unwrap();
    let folder = |name: &str| demo.join(name).display().to_string();
    let (good, told) = run("python3", &["-c", SCRIPT, &s.url(""), &folder("user1"), &folder("user2")], b"");
    assert!(good, "{told}");
}
