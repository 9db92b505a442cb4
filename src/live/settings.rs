//! How the service is set up, from a file in TOML or from the program that embeds it. Must not
//! know sockets or vaults.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};

use crate::limits::{LIVE_HEAD_SECONDS, LIVE_REQUEST_SECONDS};
use crate::time::{SPAN_EXPECTED, Span};
use crate::vault::{Policy, Rate, Role, Verb};

/// The longest that a client may take.
const PATIENCE: Span = Span::seconds(if LIVE_HEAD_SECONDS < LIVE_REQUEST_SECONDS {
    LIVE_HEAD_SECONDS
} else {
    LIVE_REQUEST_SECONDS
});

/// How the service is set up.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The folder of the vault's file, its anchor and the lock.
    pub state: PathBuf,
    /// Where the vault's anchor is, if it is not in that folder: an old copy of the whole folder
    /// is noticed only if the anchor is elsewhere.
    pub anchor: Option<PathBuf>,
    /// The folder into which backups are written, each in a folder of its own; in the state's if
    /// there is none here.
    pub backups: Option<PathBuf>,
    /// Where the key centre listens, with TLS.
    pub listen: SocketAddr,
    /// Where the authority's lists and statements are fetched, without TLS.
    pub publish: SocketAddr,
    /// The URL under which relying parties reach `publish`, as certificates name it.
    pub publish_url: Option<String>,
    /// Names of the server, as its certificate has them.
    pub names: Vec<String>,
    /// Addresses of the server, as its certificate has them.
    pub addresses: Vec<IpAddr>,
    /// How long certificates are valid.
    #[serde(deserialize_with = "span")]
    pub certificate_lifetime: Span,
    /// From one CRL to the next.
    #[serde(deserialize_with = "span")]
    pub crl_period: Span,
    /// From one delta CRL to the next, if there are any.
    #[serde(deserialize_with = "some_span")]
    pub delta_period: Option<Span>,
    /// From a CRL's thisUpdate to its nextUpdate.
    #[serde(deserialize_with = "span")]
    pub crl_lifetime: Span,
    /// How long an OCSP response is valid.
    #[serde(deserialize_with = "span")]
    pub ocsp_lifetime: Span,
    /// How long a token is valid.
    #[serde(deserialize_with = "span")]
    pub token_lifetime: Span,
    /// Operations that need a one-time code, by their words.
    #[serde(deserialize_with = "verbs")]
    pub second_factor: BTreeSet<Verb>,
    /// Whose operations do. Others are asked for a code if they were enrolled with a device.
    pub second_factor_of: BTreeSet<Role>,
    /// How often.
    pub limits: Limits,
}

/// How often clients may ask.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests of one client in ten seconds.
    pub requests: u32,
    /// Requests from one address in ten seconds.
    pub requests_per_source: u32,
    /// One-time codes that a client may try in thirty seconds.
    pub codes: u32,
    /// How long a client may take for the head of a request, or for its body: at most
    /// [`LIVE_HEAD_SECONDS`] and [`LIVE_REQUEST_SECONDS`].
    #[serde(deserialize_with = "span")]
    pub patience: Span,
}

impl Default for Limits {
    fn default() -> Self {
        let policy = Policy::default();
        Limits {
            requests: policy.requests.burst,
            requests_per_source: policy.requests_per_source.burst,
            codes: policy.codes.burst,
            patience: PATIENCE,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let mut second_factor = Policy::default().second_factor;
        second_factor.remove(&Verb::Configure);
        Settings {
            state: PathBuf::from("mallory-state"),
            anchor: None,
            backups: None,
            listen: local(8443),
            publish: local(8080),
            publish_url: None,
            names: vec!["localhost".to_owned()],
            addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            certificate_lifetime: Span::seconds(90 * 86_400),
            crl_period: Span::seconds(60),
            delta_period: None,
            crl_lifetime: Span::seconds(24 * 3_600),
            ocsp_lifetime: Span::seconds(3_600),
            token_lifetime: Span::seconds(12 * 3_600),
            second_factor,
            second_factor_of: BTreeSet::from([Role::Operator, Role::Auditor, Role::Administrator]),
            limits: Limits::default(),
        }
    }
}

impl Settings {
    /// Reads a file's text.
    ///
    /// # Errors
    /// What is wrong, with line, column and what would be right.
    pub fn read(text: &str) -> Result<Settings, String> {
        let settings: Settings = toml::from_str(text).map_err(|error| error.to_string())?;
        settings.check()?;
        Ok(settings)
    }

    /// Where the vault's file is.
    pub(super) fn vault_path(&self) -> PathBuf {
        self.state.join("vault")
    }

    /// Where its anchor is.
    pub(super) fn anchor_path(&self) -> PathBuf {
        self.anchor.clone().unwrap_or_else(|| self.state.join("anchor"))
    }

    /// Where backups are.
    pub(super) fn backups_path(&self) -> PathBuf {
        self.backups.clone().unwrap_or_else(|| self.state.join("backups"))
    }

    /// Checks what no type does.
    fn check(&self) -> Result<(), String> {
        for (name, span) in [
            ("certificate_lifetime", self.certificate_lifetime),
            ("crl_period", self.crl_period),
            ("crl_lifetime", self.crl_lifetime),
            ("ocsp_lifetime", self.ocsp_lifetime),
            ("token_lifetime", self.token_lifetime),
        ] {
            if span < Span::seconds(1) {
                return Err(format!("{name} is {span}: expected at least 1s"));
            }
        }
        if self.crl_lifetime < self.crl_period {
            let (lifetime, period) = (self.crl_lifetime, self.crl_period);
            return Err(format!(
                "crl_lifetime is {lifetime}, less than crl_period, {period}: between two lists there would be none that is current"
            ));
        }
        if let Some(delta) = self.delta_period
            && !(Span::seconds(1)..self.crl_period).contains(&delta)
        {
            let period = self.crl_period;
            return Err(format!(
                "delta_period is {delta}: expected at least 1s and less than crl_period, {period}"
            ));
        }
        if self.names.is_empty() {
            return Err("names is empty: expected a name of the server such as \"localhost\"".to_owned());
        }
        let Limits { requests, requests_per_source, codes, patience } = self.limits;
        if requests == 0 || requests_per_source == 0 || codes == 0 {
            return Err("a limit of 0 would let nobody in: expected at least 1".to_owned());
        }
        if !(Span::seconds(1)..=PATIENCE).contains(&patience) {
            return Err(format!("patience is {patience}: expected 1s to {PATIENCE}"));
        }
        Ok(())
    }

    /// The guards in front of the vault.
    pub(super) fn policy(&self) -> Policy {
        let rate = |burst| Rate { burst, per: Span::seconds(10) };
        Policy {
            self_service: true,
            second_factor: self.second_factor.clone(),
            second_factor_of: self.second_factor_of.clone(),
            requests: rate(self.limits.requests),
            requests_per_source: rate(self.limits.requests_per_source),
            codes: Rate { burst: self.limits.codes, ..Policy::default().codes },
            ..Policy::default()
        }
    }
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    let text = String::deserialize(deserializer)?;
    Span::parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}`: expected {SPAN_EXPECTED}")))
}

fn some_span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Span>, D::Error> {
    span(deserializer).map(Some)
}

fn verbs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<Verb>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    let verb = |word: String| {
        let known = || Verb::ALL.iter().map(|verb| verb.word());
        Verb::ALL.iter().find(|verb| verb.word() == word).copied().ok_or_else(|| {
            let all = known().collect::<Vec<_>>().join(", ");
            let nearest = known().min_by_key(|known| strsim::levenshtein(known, &word)).unwrap_or_default();
            de::Error::custom(format!("no operation is `{word}`: did you mean `{nearest}`? There are {all}"))
        })
    };
    words.into_iter().map(verb).collect()
}
