//! The key centre as a scenario describes it, `[services.kdc.keys]`, and what an event may
//! hand over that is its business.

use std::collections::BTreeMap;

use super::problem::Problem;
use super::reader::{Reader, integer, name, one_of, string, unknown};
use super::setup::Setup;
use super::toml_tree::{Data, Node};
use crate::notation::fault::suggest;
use crate::notation::{Name, Service, Term};
use crate::party::attacker::SHARE;
use crate::party::wish::{Plea, Wish};
use crate::party::{Errand, SealedUnder};
use crate::time::{SPAN_EXPECTED, Span};
use crate::vault::{Policy, Rate, Role, Verb};

/// How the key centre works.
#[derive(Clone, Debug)]
pub struct KeyCentre {
    /// Which guards stand.
    pub policy: Policy,
    /// What somebody is who is not a client.
    pub roles: BTreeMap<Name, Role>,
    /// Who has a device for one-time codes.
    pub codes: Vec<Name>,
    /// Digits of a code.
    pub digits: u32,
    /// Under what the vault is sealed.
    pub sealed_under: SealedUnder,
    /// Whether the vault lies in a database file with an anchor.
    pub in_file: bool,
}

/// Reads `[services.kdc.keys]`.
pub fn read(node: &Node) -> Result<KeyCentre, Problem> {
    let table = Reader::new(node)?;
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
            let who = Node { range: key.range.clone(), data: Data::String(key.name.clone()), ..node.clone() };
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

/// `5 in 30s`.
pub(super) fn rate(node: &Node) -> Result<Rate, Problem> {
    let text = string(node)?;
    let rate = text.split_once(" in ").and_then(|(burst, per)| {
        let rate = Rate { burst: burst.trim().parse().ok()?, per: Span::parse(per.trim())? };
        Some(rate).filter(|rate| rate.burst > 0 && rate.per.0 > 0)
    });
    rate.ok_or_else(|| {
        node.problem(format!("`{text}` is no rate"))
            .help(format!("expected a count and a time, such as `5 in 30s`; a time is {SPAN_EXPECTED}"))
    })
}

impl Setup {
    /// The party whose one-time code is meant.
    pub(super) fn code_owner(&self, of: &str, node: &Node) -> Result<Name, Problem> {
        let codes = self.key_centre.as_ref().map_or(&[][..], |centre| &centre.codes);
        codes.iter().find(|owner| ***owner == *of.trim()).cloned().ok_or_else(|| {
            let mut problem = node.problem(format!("`{}` has no device for one-time codes", of.trim()));
            problem.help = match codes.is_empty() {
                true => Some(format!("add `one_time_codes = [\"{}\"]` to [services.kdc.keys]", of.trim())),
                false => suggest(of.trim(), codes.iter().map(|owner| &**owner)),
            };
            problem
        })
    }

    /// Whether a party has business with the key centre.
    pub fn keeps_keys(&self) -> bool {
        self.key_centre.is_some() && self.services.contains(&Service::Kdc)
    }
}

/// The name under which her notebook has somebody's code.
pub fn code_term(of: &str) -> Term {
    Term::Name(format!("code_{of}").as_str().into())
}

/// What an event hands over that is the key centre's business, if the text is such.
pub fn leaked(node: &Node, setup: &Setup) -> Result<Option<(crate::party::Leaked, Name, Term)>, Problem> {
    use crate::party::Leaked;
    let text = string(node)?;
    let inside = |function: &str| text.strip_prefix(function)?.strip_suffix(')');
    let kdc: Name = Service::Kdc.name().into();
    if text == "vault" {
        if setup.key_centre.is_none() {
            return Err(node.problem("there is no key centre with a vault").help("add [services.kdc.keys]"));
        }
        return Ok(Some((Leaked::Vault, kdc, Term::Name("vault".into()))));
    }
    if let Some(inside) = inside("share(") {
        let count = setup.key_centre.as_ref().map_or(0, |centre| match centre.sealed_under {
            SealedUnder::Shares { count, .. } => count,
            SealedUnder::Passphrase(_) => 0,
        });
        if count == 0 {
            let problem = node.problem("no vault is sealed under shares");
            return Err(problem.help("add `shares = \"2 of 3\"` to [services.kdc.keys]"));
        }
        let custodian = inside.trim().parse().ok().filter(|nth| (1..=count).contains(nth));
        let custodian = custodian.ok_or_else(|| {
            let help = format!("there are {count} shares, from `share(1)`");
            node.problem(format!("there is no `{text}`")).help(help)
        })?;
        let term = Term::Name(format!("{SHARE}{custodian}").as_str().into());
        return Ok(Some((Leaked::Share { custodian }, kdc, term)));
    }
    if let Some(inside) = inside("key(") {
        let (key, version) = inside.split_once(',').unwrap_or((inside, ""));
        let version = version.trim().parse().ok().filter(|version| *version > 0);
        let version = version.ok_or_else(|| {
            node.problem(format!("`{text}` names no version")).help("write it as `key(orders,1)`")
        })?;
        let name = generated(key.trim(), node, setup)?;
        let term = Term::Name(format!("{name}_{version}").as_str().into());
        return Ok(Some((Leaked::Key { name, version }, kdc, term)));
    }
    if let Some(of) = inside("code(") {
        let of = setup.code_owner(of, node)?;
        let term = code_term(&of);
        return Ok(Some((Leaked::Code { of: of.clone() }, of, term)));
    }
    let request = text.strip_prefix('r').and_then(|number| number.parse::<u32>().ok());
    let Some(request) = request else { return Ok(None) };
    let spec = setup.request(request);
    let by = spec.map(|spec| spec.by.clone()).ok_or_else(|| {
        node.problem(format!("there is no request {request}"))
            .help(format!("the scenario has {} [[request]]", setup.requests.len()))
    })?;
    let term = Term::Name(text.into());
    Ok(Some((Leaked::Result { request, by: by.clone() }, by, term)))
}

/// The name of a key that some request generates.
fn generated(key: &str, node: &Node, setup: &Setup) -> Result<String, Problem> {
    let names: Vec<&str> = (setup.requests.iter())
        .filter_map(|request| match &request.errand {
            Errand::Keys(Plea { wish: Wish::Generate { key, .. }, .. }) => Some(key.as_str()),
            _ => None,
        })
        .collect();
    if names.contains(&key) {
        return Ok(key.to_owned());
    }
    let problem = unknown(node, "key", key, &names);
    Err(if names.is_empty() {
        problem.help("a request makes one with `ask = \"generate\"`")
    } else {
        problem
    })
}
