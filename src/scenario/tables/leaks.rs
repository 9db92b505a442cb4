//! What an event hands to the attacker that is the key centre's business.

use super::references::code_term;
use crate::notation::{Name, Service, Term};
use crate::party::attacker::SHARE;
use crate::party::wish::{Plea, Wish};
use crate::party::{Errand, Leaked, SealedUnder};
use crate::scenario::problem::Problem;
use crate::scenario::reader::{string, unknown};
use crate::scenario::setup::Setup;
use crate::scenario::toml_tree::Node;

/// What an event hands over that is the key centre's business, if the text is such.
pub fn leaked(node: &Node, setup: &Setup) -> Result<Option<(Leaked, Name, Term)>, Problem> {
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
