//! What is asked of the key centre in `[[request]]` tables.

use super::key_centre::code_term;
use super::problem::Problem;
use super::reader::{Reader, name, one_of, string};
use super::setup::Setup;
use super::toml_tree::Node;
use crate::limits::MAX_REQUEST_TRIES;
use crate::notation::Name;
use crate::party::wish::{CAUSES, Code, KINDS, Plain, Plea, Wish};
use crate::time::{SimTime, Span};
use crate::vault::{KeyKind, RevocationCause, Settings, Usage};

/// Words for what may be asked of the key centre, those of [`Plain`] apart.
const ASKS: [&str; 14] = [
    "generate",
    "encrypt",
    "decrypt",
    "rewrap",
    "sign",
    "verify",
    "agree",
    "export",
    "configure",
    "trim",
    "revoke-key",
    "schedule-destruction",
    "list",
    "read-audit",
];

/// Every word that a request to the key centre may begin with.
pub fn asks() -> impl Iterator<Item = &'static str> {
    ASKS.into_iter().chain(Plain::ALL.iter().map(|(_, word)| *word))
}

const USAGES: [(&str, Usage); 4] =
    [("encrypt", Usage::Encrypt), ("sign", Usage::Sign), ("agree", Usage::Agree), ("wrap", Usage::Wrap)];

impl Setup {
    /// What is asked of the key centre, if `ask` is such a word.
    pub(super) fn read_plea(
        &self,
        ask: &str,
        table: &Reader<'_>,
        by: &Name,
        attacker: Option<&str>,
    ) -> Result<Option<Plea>, Problem> {
        if !asks().any(|word| word == ask) {
            return Ok(None);
        }
        if self.key_centre.is_none() {
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
                key: needed("key")?,
                kind: table
                    .get("kind")
                    .map_or(Ok(KeyKind::Aes256), |node| one_of(node, "kind of key", &KINDS))?,
                usage: table
                    .get("usage")
                    .map_or(Ok(Usage::Encrypt), |node| one_of(node, "usage", &USAGES))?,
                owner: table.get("owner").map_or(Ok(by.clone()), |node| self.known_person(node, attacker))?,
                exportable: table.boolean("exportable")?.unwrap_or(false),
                active_from: table.span("active_from")?.map(|span| SimTime::ZERO.after(span)),
                settings: settings(table)?,
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
            "agree" => Wish::Agree { key: needed("key")? },
            "export" => Wish::Export { key: needed("key")?, version: version("version")? },
            "configure" => Wish::Configure { key: needed("key")?, settings: settings(table)? },
            "trim" => Wish::Trim {
                key: needed("key")?,
                below: version("below")?.ok_or_else(|| table.missing("below"))?,
            },
            "revoke-key" => {
                let cause = table.get("reason").map(|node| one_of(node, "reason for a revocation", &CAUSES));
                let cause = cause.transpose()?.unwrap_or(RevocationCause::Unspecified);
                Wish::Revoke { key: needed("key")?, cause }
            }
            "schedule-destruction" => Wish::ScheduleDestruction {
                key: needed("key")?,
                wait: table.span("wait")?.ok_or_else(|| table.missing("wait"))?,
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
        let approved_by =
            table.get("approved_by").map(|node| self.known_person(node, attacker)).transpose()?;
        let attempts = table.integer("attempts", 1)?.unwrap_or(1);
        if attempts > MAX_REQUEST_TRIES {
            let limit = format!("more than the limit MAX_REQUEST_TRIES, {MAX_REQUEST_TRIES}");
            return Err(table.get("attempts").unwrap_or(table.node).problem(limit));
        }
        let every = table.span("every")?.unwrap_or(Span::seconds(1));
        let code = table.get("code").map_or(Ok(Code::None), |node| self.code(node))?;
        let again = ["attempts", "every"].into_iter().find_map(|key| Some((key, table.get(key)?)));
        if let (Some((key, node)), false) = (again, code == Code::Guess) {
            return Err(node.problem(format!("`{key}` is for guesses")).help("add `code = \"guess\"`"));
        }
        Ok(Some(Plea { wish, claims, proof, code, approved_by, attempts, every }))
    }

    fn code(&self, node: &Node) -> Result<Code, Problem> {
        let text = string(node)?;
        match (text, text.strip_prefix("code(").and_then(|of| of.strip_suffix(')'))) {
            ("own", _) => Ok(Code::Own),
            ("guess", _) => Ok(Code::Guess),
            (_, Some(of)) => Ok(Code::Stolen(code_term(&self.code_owner(of, node)?))),
            _ => Err(node
                .problem(format!("`{text}` is no code"))
                .help("expected `own`, `guess`, or one that she stole, such as `code(alice)`")),
        }
    }
}

fn settings(table: &Reader<'_>) -> Result<Settings, Problem> {
    Ok(Settings {
        min_encryption: table.integer("min_encryption", 0)?.unwrap_or(0),
        min_decryption: table.integer("min_decryption", 0)?.unwrap_or(0),
        auto_rotate_period: table.span("auto_rotate")?,
        max_operations: table.integer("max_operations", 1)?.map(u64::from),
        rotate_when_used_up: table.boolean("rotate_when_used_up")?.unwrap_or(false),
        originator_period: table.span("protects_for")?,
        recipient_period: table.span("processes_for")?,
    })
}
