//! The key centre as a scenario describes it: `[services.kdc.keys]`.

use std::collections::BTreeMap;

use super::amounts::rate;
use crate::party::SealedUnder;
use crate::scenario::problem::Problem;
use crate::scenario::reader::{Reader, integer, name, one_of, string, unknown};
use crate::scenario::schema;
use crate::scenario::setup::services::KeyCentre;
use crate::scenario::toml_tree::Node;
use crate::vault::{Policy, Role, Verb};

/// Reads `[services.kdc.keys]`.
pub fn read(node: &Node) -> Result<KeyCentre, Problem> {
    let table = Reader::of(node, &schema::KEY_CENTRE)?;
    let mut policy = Policy::default();
    for (key, slot) in [
        ("authenticate", &mut policy.authenticate),
        ("authorise", &mut policy.authorise),
        ("dual_control", &mut policy.dual_control),
        ("deliver_to_owner", &mut policy.deliver_to_owner),
        ("hide_names", &mut policy.hide_names),
        ("codes_once", &mut policy.codes_once),
        ("rate_limit", &mut policy.rate_limit),
        ("key_state", &mut policy.key_state),
        ("audit", &mut policy.audit),
    ] {
        *slot = table.boolean(key)?.unwrap_or(*slot);
    }
    for (key, slot) in [
        ("requests", &mut policy.requests),
        ("requests_per_source", &mut policy.requests_per_source),
        ("codes", &mut policy.codes),
    ] {
        *slot = table.get(key).map(rate).transpose()?.unwrap_or(*slot);
    }
    policy.lock_after = table.integer("lock_after", 1)?.unwrap_or(policy.lock_after);
    if table.get("second_factor").is_some() {
        let words: Vec<&str> = Verb::ALL.iter().map(|verb| verb.word()).collect();
        let verb = |(word, node): (&str, &Node)| {
            let found = Verb::ALL.iter().find(|verb| verb.word() == word);
            found.copied().ok_or_else(|| unknown(node, "operation", word, &words))
        };
        policy.second_factor =
            table.strings("second_factor")?.into_iter().map(verb).collect::<Result<_, _>>()?;
    }
    let mut roles = BTreeMap::new();
    if let Some(node) = table.get("roles") {
        for (key, node) in Reader::new(node)?.entries() {
            let who = key.as_value(&node.file);
            roles.insert(name(&who)?, one_of(node, "role", Role::ALL, Role::word)?);
        }
    }
    let codes = table.strings("one_time_codes")?.into_iter().map(|(_, node)| name(node));
    let codes = codes.collect::<Result<_, _>>()?;
    let digits = match table.get("code_digits") {
        Some(node) => match integer(node, 1)? {
            digits @ 1..=9 => digits,
            _ => return Err(node.problem("a code has at most 9 digits (RFC 4226 §5.3)")),
        },
        None => 6,
    };
    let passphrase = table.string("passphrase")?;
    let sealed_under = match table.get("shares") {
        Some(node) if passphrase.is_some() => {
            return Err(node.problem("a vault is sealed under a `passphrase` or under `shares`"));
        }
        Some(node) => shares(node)?,
        None => SealedUnder::Passphrase(passphrase.unwrap_or(DEFAULT_PASSPHRASE).to_owned()),
    };
    let in_file = table.boolean("file")?.unwrap_or(false);
    table.finish()?;
    Ok(KeyCentre { policy, roles, codes, digits, sealed_under, in_file })
}

/// Under which a vault is sealed if a scenario says nothing: nobody's dictionary has it.
const DEFAULT_PASSPHRASE: &str = "v7#qL0-zR2!mTx9-unguessed";

/// `2 of 3`.
fn shares(node: &Node) -> Result<SealedUnder, Problem> {
    let text = string(node)?;
    let parsed = text.split_once(" of ").and_then(|(threshold, count)| {
        let (threshold, count) = (threshold.trim().parse().ok()?, count.trim().parse().ok()?);
        (2..=count).contains(&threshold).then_some(SealedUnder::Shares { threshold, count })
    });
    parsed.ok_or_else(|| {
        node.problem(format!("`{text}` does not say how many shares of how many"))
            .help("expected such as `2 of 3`: at least 2, of at most 255")
    })
}
