//! What is asked of the key centre in `[[request]]` tables.

use std::sync::Arc;

use super::references::code_term;
use crate::limits::MAX_REQUEST_TRIES;
use crate::notation::fault::suggest;
use crate::notation::{Name, Service};
use crate::party::wish::{Code, Plain, Plea, Wish};
use crate::party::{Errand, RequestSpec};
use crate::scenario::problem::Problem;
use crate::scenario::reader::{Reader, integer, name, one_of, span, string};
use crate::scenario::schema;
use crate::scenario::setup::Setup;
use crate::scenario::toml_tree::Node;
use crate::time::{SimTime, Span};
use crate::vault::{Changes, KeyKind, RevocationCause, Settings, Usage};

/// The algorithm of a key that an earlier request makes.
fn kind_of(setup: &Setup, name: &str) -> KeyKind {
    let made = setup.requests.iter().rev().find_map(|request| match &request.errand {
        Errand::Keys(Plea { wish: Wish::Generate { key, kind, .. }, .. }) if key == name => Some(*kind),
        _ => None,
    });
    made.unwrap_or(KeyKind::X25519)
}

/// What is asked of the key centre, if `ask` is such a word.
pub fn read(
    setup: &Setup,
    ask: &str,
    table: &Reader<'_>,
    by: &Name,
    attacker: Option<&str>,
) -> Result<Option<Plea>, Problem> {
    if !schema::asks_of_kdc().any(|word| word == ask) {
        return Ok(None);
    }
    if setup.key_centre.is_none() {
        return Err(table.node.problem("there is no key centre to ask").help("add [services.kdc.keys]"));
    }
    let text = |key: &str| table.string(key).map(|text| text.unwrap_or_default().to_owned());
    let needed = |key: &str| table.required(key).map(str::to_owned);
    let no_of = || table.missing("of").help("the number of the request whose result this is about");
    let of = || table.integer("of", 1)?.ok_or_else(no_of);
    let version = |key: &str| table.integer(key, 1);
    let accept_risk = || table.boolean("accept_risk").map(|word| word.unwrap_or(false));
    let wish = match ask {
        "generate" => Wish::Generate {
            key: new_name(table)?,
            kind: table.get("kind").map_or(Ok(KeyKind::Aes256), |node| {
                one_of(node, "kind of key", KeyKind::ALL, KeyKind::word)
            })?,
            usage: table
                .get("usage")
                .map_or(Ok(Usage::Encrypt), |node| one_of(node, "usage", Usage::ALL, Usage::word))?,
            owner: table.get("owner").map_or(Ok(by.clone()), |node| owner(setup, node, attacker))?,
            exportable: table.boolean("exportable")?.unwrap_or(false),
            active_from: table.span("active_from")?.map(|span| SimTime::ZERO.after(span)),
            settings: first_settings(table)?,
        },
        "encrypt" => Wish::Encrypt {
            key: needed("key")?,
            text: needed("text")?,
            context: text("context")?,
            version: version("version")?,
        },
        "decrypt" => Wish::Decrypt { of: of()?, context: text("context")?, accept_risk: accept_risk()? },
        "rewrap" => Wish::Rewrap { of: of()?, context: text("context")? },
        "sign" => Wish::Sign { key: needed("key")?, text: needed("text")? },
        "verify" => Wish::Verify { of: of()?, text: needed("text")?, accept_risk: accept_risk()? },
        "agree" => {
            let key = needed("key")?;
            Wish::Agree { kind: kind_of(setup, &key), key }
        }
        "export" => Wish::Export { key: needed("key")?, version: version("version")? },
        "configure" => Wish::Configure { key: needed("key")?, changes: changes(table)? },
        "trim" => Wish::Trim {
            key: needed("key")?,
            below: version("below")?.ok_or_else(|| table.missing("below"))?,
        },
        "revoke-key" => {
            let cause = table.get("reason").map(|node| {
                one_of(node, "reason for a revocation", RevocationCause::ALL, RevocationCause::word)
            });
            let cause = cause.transpose()?.unwrap_or(RevocationCause::Unspecified);
            Wish::Revoke { key: needed("key")?, cause }
        }
        "schedule-destruction" => Wish::ScheduleDestruction {
            key: needed("key")?,
            wait: period(table, "wait", "`ask = \"destroy\"` destroys a key at once")?
                .ok_or_else(|| table.missing("wait"))?,
        },
        "list" => Wish::List,
        "read-audit" => Wish::ReadAudit,
        plain => {
            let found = Plain::ALL.iter().find(|(_, word)| *word == plain);
            let Some((what, _)) = found else { return Ok(None) };
            Wish::Plain { what: *what, key: needed("key")? }
        }
    };
    let claims = table.get("claims").map(name).transpose()?;
    let proof = table.boolean("proof")?.unwrap_or(true);
    let approved_by = table.get("approved_by").map(|node| setup.known_person(node, attacker)).transpose()?;
    let attempts = table.integer("attempts", 1)?.unwrap_or(1);
    if attempts > MAX_REQUEST_TRIES {
        let limit = format!("more than the limit MAX_REQUEST_TRIES, {MAX_REQUEST_TRIES}");
        return Err(table.get("attempts").unwrap_or(table.node).problem(limit));
    }
    let every = table.span("every")?.unwrap_or(Span::seconds(1));
    let code = table.get("code").map_or(Ok(Code::None), |node| code(setup, node))?;
    let again = ["attempts", "every"].into_iter().find_map(|key| Some((key, table.get(key)?)));
    if let (Some((key, node)), false) = (again, code == Code::Guess) {
        return Err(node.problem(format!("`{key}` is for guesses")).help("add `code = \"guess\"`"));
    }
    Ok(Some(Plea { wish, claims, proof, code, approved_by, attempts, every }))
}

/// Whose a new key is. Whoever owns one is a party, as whoever asks.
fn owner(setup: &Setup, node: &Node, attacker: Option<&str>) -> Result<Name, Problem> {
    let owner = name(node)?;
    match Service::of(&owner).is_some() {
        true => Err(node
            .problem(format!("`{owner}` is a service and owns no key"))
            .help("name the party that is to use it, or leave it out: whoever asks owns it")),
        false => setup.known_person(node, attacker),
    }
}

fn code(setup: &Setup, node: &Node) -> Result<Code, Problem> {
    let text = string(node)?;
    match (text, text.strip_prefix("code(").and_then(|of| of.strip_suffix(')'))) {
        ("own", _) => Ok(Code::Own),
        ("guess", _) => Ok(Code::Guess),
        (_, Some(of)) => Ok(Code::Stolen(code_term(&setup.code_owner(of, node)?))),
        _ => Err(node
            .problem(format!("`{text}` is no code"))
            .help("expected `own`, `guess`, or one that she stole, such as `code(alice)`")),
    }
}

/// The name of a new key: one that `key(..)` can name.
fn new_name(table: &Reader<'_>) -> Result<String, Problem> {
    let name = table.required("key")?;
    if name.contains([',', '(', ')']) || name.trim() != name {
        return Err(table
            .get("key")
            .unwrap_or(table.node)
            .problem(format!("`{name}` cannot be a key's name"))
            .help("`key(..)` could not name it: leave out commas, parentheses and spaces around it"));
    }
    Ok(name.to_owned())
}

/// The periods and limits of a new key, which has one version.
fn first_settings(table: &Reader<'_>) -> Result<Settings, Problem> {
    for key in ["min_encryption", "min_decryption"] {
        if let Some(node) = table.get(key)
            && integer(node, 0)? > 1
        {
            return Err(node
                .problem("a new key has version 1 and no other")
                .help("set it with `configure`, once there is that version"));
        }
    }
    Ok(changes(table)?.on(Settings::default()))
}

/// The periods and limits that a request names; the others stay as they are.
fn changes(table: &Reader<'_>) -> Result<Changes, Problem> {
    let period = |key: &str| period(table, key, "give a time such as `30d`, or leave it out");
    let (originator_period, recipient_period) = (period("protects_for")?, period("processes_for")?);
    if let (Some(protects), Some(processes)) = (originator_period, recipient_period)
        && processes < protects
    {
        return Err(table
            .get("processes_for")
            .unwrap_or(table.node)
            .problem("`processes_for` is shorter than `protects_for`")
            .help(format!("what is protected last must open, too: give at least `{protects}`")));
    }
    Ok(Changes {
        min_encryption: table.integer("min_encryption", 0)?,
        min_decryption: table.integer("min_decryption", 0)?,
        auto_rotate_period: period("auto_rotate")?,
        max_operations: table.integer("max_operations", 1)?.map(u64::from),
        rotate_when_used_up: table.boolean("rotate_when_used_up")?,
        originator_period,
        recipient_period,
    })
}

/// A duration that is longer than nothing.
fn period(table: &Reader<'_>, key: &str, instead: &str) -> Result<Option<Span>, Problem> {
    let Some(node) = table.get(key) else { return Ok(None) };
    match span(node)? {
        Span(0) => Err(node.problem(format!("`{key}` is no time at all")).help(instead)),
        span => Ok(Some(span)),
    }
}

/// Whether the request that another one is about comes before it and gives what that needs.
pub fn check_of(request: &RequestSpec, all: &[Arc<RequestSpec>], node: &Node) -> Result<(), Problem> {
    let Errand::Keys(Plea { wish, .. }) = &request.errand else { return Ok(()) };
    let (Some(number), Some(node)) = (wish.of(), Reader::new(node)?.get("of")) else { return Ok(()) };
    let Some(of) = all.get(number as usize - 1) else {
        return Err(node
            .problem(format!("there is no request {number}"))
            .help(format!("the scenario has {} [[request]]", all.len())));
    };
    let needed = if matches!(wish, Wish::Verify { .. }) { SIGNATURE } else { CIPHERTEXT };
    let is_before = |of: &RequestSpec| (of.at, of.number) < (request.at, request.number);
    let message = match () {
        () if number == request.number => format!("request {number} is this one"),
        () if gives(of) != Some(needed) => format!("request {number} gives no {needed}"),
        () if !is_before(of) => format!("request {number} comes later than this one"),
        () => return Ok(()),
    };
    let fitting = all.iter().filter(|of| is_before(of) && gives(of) == Some(needed));
    let fitting: Vec<String> = fitting.map(|of| of.number.to_string()).collect();
    let help = match fitting.as_slice() {
        [] => format!("no request before this one gives a {needed}"),
        [one] => format!("did you mean `{one}`?"),
        many => suggest("", many.iter().map(String::as_str)).unwrap_or_default(),
    };
    Err(node.problem(message).help(help))
}

const CIPHERTEXT: &str = "ciphertext";
const SIGNATURE: &str = "signature";

/// What a request gives that another one may be about.
fn gives(request: &RequestSpec) -> Option<&'static str> {
    let Errand::Keys(Plea { wish, .. }) = &request.errand else { return None };
    match wish {
        Wish::Encrypt { .. } | Wish::Rewrap { .. } => Some(CIPHERTEXT),
        Wish::Sign { .. } => Some(SIGNATURE),
        _ => None,
    }
}
