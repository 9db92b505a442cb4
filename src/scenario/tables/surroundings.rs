//! Tables that set the stage itself: `[crypto]`, `[lifetime]`, `[network]`.

use crate::crypto::{Agreement, Kem, PublicKeyEncryption, ShortBits, Signature, Suite, Symmetric};
use crate::knowledge::Lifetimes;
use crate::scenario::problem::Problem;
use crate::scenario::protocol_file::{self, ProtocolFile};
use crate::scenario::reader::{Reader, array, name, one_of, string};
use crate::scenario::schema;
use crate::scenario::toml_tree::Node;
use crate::time::Span;
use crate::world::{Link, Network};

fn names<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|x| name(*x)).collect()
}

/// The algorithms, and a warning of each weak one.
pub fn suite(table: &Reader<'_>) -> Result<(Suite, Vec<Problem>), Problem> {
    let (mut suite, mut weak) = (Suite::default(), Vec::new());
    let Some(node) = table.get("crypto") else { return Ok((suite, weak)) };
    let crypto = Reader::of(node, &schema::CRYPTO)?;
    if let Some(s) =
        crypto.word("symmetric", "symmetric algorithm", &names(Symmetric::ALL, Symmetric::name))?
    {
        suite.symmetric = s;
        weak.extend(crypto.get("symmetric").zip(s.weakness()).map(|(node, what)| {
            let story = match s {
                Symmetric::Aes256CbcHmacSha256WithoutIv => "etm-iv-not-macd",
                Symmetric::Aes256GcmRepeatedNonce => "gcm-nonce-reuse",
                _ => "cbc-bitflip",
            };
            warning(node, s.name(), what, story)
        }));
    }
    if let Some(s) = crypto.word(
        "public_key",
        "public-key encryption",
        &names(PublicKeyEncryption::ALL, PublicKeyEncryption::name),
    )? {
        suite.public_key = s;
        let node = crypto.get("public_key").zip(s.weakness());
        let story = match s {
            PublicKeyEncryption::Rsa2048OaepSharedPrime => "weak-rng-keys",
            _ => "rsa-bleichenbacher",
        };
        weak.extend(node.map(|(node, what)| warning(node, s.name(), what, story)));
    }
    if let Some(s) =
        crypto.word("signature", "signature algorithm", &names(Signature::ALL, Signature::name))?
    {
        suite.signature = s;
        let node = crypto.get("signature").zip(s.weakness());
        weak.extend(node.map(|(node, what)| warning(node, s.name(), what, "ecdsa-nonce-reuse")));
    }
    if let Some(s) = crypto.word("agreement", "key agreement", &names(Agreement::ALL, Agreement::name))? {
        suite.agreement = s;
        let node = crypto.get("agreement").zip(s.weakness());
        weak.extend(node.map(|(node, what)| warning(node, s.name(), what, story_of(s))));
    }
    if let Some(node) = crypto.get("groups") {
        weak.extend(groups(node, &mut suite)?);
    }
    if let Some(s) = crypto.word("kem", "key encapsulation", &names(Kem::ALL, Kem::name))? {
        suite.kem = s;
    }
    if let (Some(bits), Some(node)) = (crypto.integer("short_bits", 4)?, crypto.get("short_bits")) {
        let bits = u16::try_from(bits).ok().filter(|bits| *bits <= 256);
        let bits = bits.ok_or_else(|| node.problem("SHA-256 has 256 bits").help("from 4 to 256"))?;
        suite.short = ShortBits(bits);
    }
    crypto.finish()?;
    Ok((suite, weak))
}

/// Groups beside the suite's own, which the length of a share tells apart.
fn groups(node: &Node, suite: &mut Suite) -> Result<Vec<Problem>, Problem> {
    let mut weak = Vec::new();
    for node in array(node)? {
        let group = one_of(node, "key agreement", Agreement::ALL, Agreement::name)?;
        if let Some(other) = suite.all_groups().find(|other| other.share_len() == group.share_len()) {
            let why = if other == group { "is there already" } else { "has shares of the same length" };
            let message = format!("{group} beside {other}, which {why}");
            return Err(node.problem(message).help("a share is of the group that its length tells"));
        }
        suite.groups = suite.groups.with(group);
        weak.extend(group.weakness().map(|what| warning(node, group.name(), what, story_of(group))));
    }
    Ok(weak)
}

/// The scenario that shows what is wrong with a group.
fn story_of(group: Agreement) -> &'static str {
    match group {
        Agreement::Modp64 => "dh-passive-eavesdrop",
        Agreement::Modp2048Unchecked => "dh-small-subgroup",
        _ => "x25519-low-order",
    }
}

/// The warning that an algorithm is weak, and the scenario that shows why.
fn warning(node: &Node, name: &str, what: &str, story: &str) -> Problem {
    let mut problem = node.problem(format!("{name} is weak: {what}"));
    problem.is_warning = true;
    problem.help(format!("see `mallory explain {story}`"))
}

pub fn lifetimes(table: &Reader<'_>, protocols: &[ProtocolFile]) -> Result<Lifetimes, Problem> {
    let mut lifetimes = Lifetimes::default();
    protocols.iter().for_each(|p| lifetimes.of.extend(p.lifetimes.clone()));
    lifetimes.of.extend(protocol_file::lifetimes(table)?);
    Ok(lifetimes)
}

pub fn network(table: &Reader<'_>) -> Result<Network, Problem> {
    let mut network = Network::default();
    let Some(node) = table.get("network") else { return Ok(network) };
    let reader = Reader::of(node, &schema::NETWORK)?;
    network.default = link(&reader, &Link::default())?;
    if let Some(links) = reader.get("link") {
        for node in array(links)? {
            let reader = Reader::of(node, &schema::LINK)?;
            let end = |key: &str| reader.get(key).ok_or_else(|| reader.missing(key)).and_then(name);
            let ends = (end("from")?, end("to")?);
            network.links.insert(ends, link(&reader, &network.default)?);
            reader.finish()?;
        }
    }
    reader.finish()?;
    Ok(network)
}

fn link(table: &Reader<'_>, default: &Link) -> Result<Link, Problem> {
    let latency = match table.get("latency") {
        None => default.latency.clone(),
        Some(node) => Span::parse_range(string(node)?).ok_or_else(|| {
            node.problem(format!("`{}` is not a latency", string(node).unwrap_or_default()))
                .help("expected a duration such as `20ms`, or a range such as `10ms..50ms`")
        })?,
    };
    Ok(Link {
        latency,
        loss: table.ratio("loss")?.unwrap_or(default.loss),
        duplicate: table.ratio("duplicate")?.unwrap_or(default.duplicate),
    })
}
