//! What is behind the desk: the gate with its vault, the authority, the register of both, one
//! request at a time. Everything that must outlive the process lies in the vault's file. Must not
//! know HTTP.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::clock::Clock;
use super::consents::Consents;
use super::kept::{AUTHORITY_DOCUMENT, AuthorityDocument, Document, load_authority, load_members, write};
use super::members::{self, Member};
use super::metrics::Counts;
use super::request::{Asker, Refusal};
use super::settings::Settings;
use super::tokens::Tokens;
use crate::crypto::{self, Signature};
use crate::limits::{LIVE_RECORDED_PER_PERMITTED, MAX_LIVE_STRANGERS};
use crate::pki::Authority;
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};
use crate::vault::{
    Bytes, Caller, FileStore, Gate, Limiter, Matter, Operation, Proved, Rate, Received, Request, Response,
    Role, Vault,
};

/// Of whom the audit log says that something was done where the service was started.
pub const CONSOLE: &str = "(console)";
/// Who is refused without having proved a name.
const NOBODY: &str = "(nobody)";

/// The gate, the authority and what they know.
pub struct Engine {
    pub settings: Arc<Settings>,
    pub gate: Gate<FileStore>,
    pub authority: Authority,
    pub tokens: Tokens,
    pub consents: Consents,
    pub counts: Counts,
    clock: Clock,
    pub(super) publish_url: String,
    /// Whether the authority in memory may be ahead of what is kept.
    pub(super) is_stale: bool,
    strangers: Limiter,
    /// Whatever clients try, refused or not.
    attempts: Limiter,
    unsealings: Limiter,
}

/// Who asks, when it is known.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// What else is known.
    pub asker: Asker,
}

impl Engine {
    /// Puts the guards in front of an unsealed vault, and brings back, or makes, what it keeps.
    ///
    /// # Errors
    /// `InvalidSettings` if the authority was made with other periods of CRLs, by which it counts
    /// its lists; the vault's.
    pub fn start(
        mut vault: Vault<FileStore>,
        settings: Arc<Settings>,
        publish_url: String,
    ) -> Result<Engine, Reason> {
        let mut clock = Clock::default();
        let now = clock.now();
        if vault.kept(AUTHORITY_DOCUMENT)?.is_none() {
            let key = Signature::EcdsaP256.generate(vault.generator()?);
            // X.509 has whole seconds.
            let since = UnixNanos(Span::seconds(now.seconds()).0);
            let key = Bytes::from(key.to_pkcs8());
            let (crl_period, delta_period) = (settings.crl_period, settings.delta_period);
            let document = write(&AuthorityDocument { key, since, crl_period, delta_period });
            let by = Caller { name: CONSOLE, now };
            vault.keep(by, "make-authority", None, vec![(AUTHORITY_DOCUMENT.to_owned(), Some(document))])?;
        }
        let authority = load_authority(&vault, &settings, &publish_url)?;
        let members = load_members(&vault)?;
        let attempts = settings.limits.requests.saturating_mul(LIVE_RECORDED_PER_PERMITTED);
        let rate = |burst| Limiter::new(Rate { burst, per: Span::seconds(10) });
        let mut engine = Engine {
            gate: Gate::new(vault, settings.policy()),
            authority,
            settings,
            clock,
            publish_url,
            tokens: Tokens::default(),
            consents: Consents::default(),
            counts: Counts::default(),
            is_stale: false,
            strangers: rate(MAX_LIVE_STRANGERS),
            attempts: rate(attempts),
            unsealings: rate(5),
        };
        for (name, member) in members {
            engine.gate.enrol(&name, member.role, member.totp());
            if member.revoked {
                engine.gate.revoke(&name);
            }
        }
        Ok(engine)
    }

    /// What time it is.
    pub fn now(&mut self) -> UnixNanos {
        self.clock.now()
    }

    /// Who is at the other end of a connection: the subject of its certificate, which this
    /// authority issued, has not revoked and still vouches for. A token must be its own.
    ///
    /// # Errors
    /// `Unauthenticated`, `CertificateRevoked`, `CertificateExpired`, `RateLimited`.
    pub fn who(&mut self, asker: &Asker) -> Result<Client, Refusal> {
        let now = self.now();
        let found = asker.certificate.as_ref().and_then(|certificate| self.authority.issued(certificate));
        let refused = match found {
            None => Reason::Unauthenticated,
            Some(entry) if entry.revoked().is_some() => Reason::CertificateRevoked,
            Some(entry) if entry.not_after < now => Reason::CertificateExpired,
            Some(entry) => {
                let name = entry.subject.clone();
                let token = asker.token.as_ref().map(|token| self.tokens.of(token, now));
                let is_own = token.is_none_or(|token| token.is_ok_and(|(of, _)| of == name));
                match is_own {
                    true => {
                        self.attempts.take(&name, now).map_err(Refusal::recorded)?;
                        return Ok(Client { name, asker: asker.clone() });
                    }
                    false => Reason::Unauthenticated,
                }
            }
        };
        let flood = self.strangers.take(&asker.source, now);
        Err(Refusal { reason: flood.err().unwrap_or(refused), detail: None, is_recorded: flood.is_err() })
    }

    /// Records that somebody was refused before it asked for anything.
    ///
    /// # Errors
    /// `RateLimited` if too many were, and this one is not recorded; the vault's.
    pub fn note_turned_away(&mut self, asker: &Asker, what: &str, reason: Reason) -> Result<(), Reason> {
        match self.who(asker) {
            Ok(client) => self.note_refused(Some(&client.name), what, reason),
            Err(Refusal { is_recorded: true, reason, .. }) => Err(reason),
            Err(_) => self.note_refused(None, what, reason),
        }
    }

    /// Has the gate decide about an operation, and the vault carry it out.
    ///
    /// # Errors
    /// The gate's and the vault's, which are recorded already.
    pub fn operate(&mut self, client: &Client, operation: Operation) -> Result<Response, Refusal> {
        let now = self.now();
        let consent = self.consents.take(&client.name, &operation, now);
        let request = Request { code: client.asker.code.clone(), ..Request::new(&client.name, operation) };
        let received = Received {
            proved: Some(Proved::asserted(&client.name)),
            consent,
            is_private: true,
            ..Received::new(request, &client.asker.source)
        };
        let step = self.gate.last_code_step(&client.name);
        let answer = self.gate.handle(&received, now);
        self.keep_step(&client.name, step)?;
        self.counts.operation(received.request.operation.verb(), answer.is_ok());
        answer.map_err(|reason| {
            let mut refusal = Refusal::recorded(reason);
            if reason == Reason::NeedsSecondApprover {
                let number = self.consents.wait(&client.name, &received.request.operation, now);
                refusal.detail = number.map(|number| {
                    format!("a second administrator: POST /consent {{\"operation\": \"{number}\"}}")
                });
            }
            refusal
        })
    }

    /// Has the gate decide about something that is no operation of the vault.
    ///
    /// # Errors
    /// As [`Gate::admit_matter`].
    pub fn admit(&mut self, client: &Client, roles: &[Role], needs_code: bool) -> Result<(), Refusal> {
        let now = self.now();
        let proved = Proved::asserted(&client.name);
        let code = client.asker.code.as_deref();
        let step = self.gate.last_code_step(&client.name);
        let matter = Matter { proved: &proved, source: &client.asker.source, code, roles, needs_code };
        let admitted = self.gate.admit_matter(&matter, now);
        self.keep_step(&client.name, step)?;
        Ok(admitted?)
    }

    /// A code that was used stays used over a restart.
    fn keep_step(&mut self, name: &str, before: Option<u64>) -> Result<(), Reason> {
        let step = self.gate.last_code_step(name);
        if step == before || self.gate.vault().is_sealed() {
            return Ok(());
        }
        let mut member = self.member(name)?;
        member.last_step = step;
        self.keep(name, "use-code", None, vec![(members::document(name), Some(member.write()))])
    }

    /// Records that something was refused.
    ///
    /// # Errors
    /// `Sealed`, `AuditUnavailable`.
    pub fn note_refused(&mut self, name: Option<&str>, what: &str, reason: Reason) -> Result<(), Reason> {
        let by = Caller { name: name.unwrap_or(NOBODY), now: self.now() };
        self.gate.vault().note_refused(by, what, reason)
    }

    /// Records that something was done which changes nothing that is kept.
    pub fn note_done(&mut self, name: &str, what: &str, about: Option<&str>) -> Result<(), Reason> {
        self.keep(name, what, about, Vec::new())
    }

    pub(super) fn keep(
        &mut self,
        by: &str,
        operation: &str,
        about: Option<&str>,
        documents: Vec<Document>,
    ) -> Result<(), Reason> {
        let by = Caller { name: by, now: self.now() };
        self.gate.vault().keep(by, operation, about, documents)
    }

    /// What is kept of somebody.
    ///
    /// # Errors
    /// `Sealed`, `UnknownClient`.
    pub fn member(&mut self, name: &str) -> Result<Member, Reason> {
        Member::read(self.gate.vault().kept(&members::document(name))?.ok_or(Reason::UnknownClient)?)
    }

    /// Everybody who is enrolled.
    ///
    /// # Errors
    /// `Sealed`.
    pub fn members(&mut self) -> Result<Vec<(String, Member)>, Reason> {
        load_members(self.gate.vault())
    }

    /// Does what the time has come for.
    ///
    /// # Errors
    /// The vault's.
    pub fn tick(&mut self) -> Result<(), Reason> {
        let now = self.now();
        if self.gate.vault().is_sealed() {
            return Ok(());
        }
        self.gate.vault().tick(now).map(drop)
    }

    /// Counts an attempt to unseal.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn admit_unsealing(&mut self, name: &str) -> Result<(), Reason> {
        let now = self.now();
        self.unsealings.take(name, now)
    }

    /// A token for somebody.
    ///
    /// # Errors
    /// `RateLimited`, `EntropyUnavailable`.
    pub fn log_in(&mut self, name: &str) -> Result<String, Reason> {
        let mut random = [0; 32];
        self.gate.vault().generator()?.fill_bytes(&mut random);
        let (now, lifetime) = (self.now(), self.settings.token_lifetime);
        self.tokens.issue(name, random, (now, lifetime))
    }

    /// Random bytes of the system.
    ///
    /// # Errors
    /// `EntropyUnavailable`.
    pub fn random(&mut self, len: usize) -> Result<Zeroizing<Vec<u8>>, Reason> {
        let mut bytes = Zeroizing::new(vec![0; len]);
        self.gate.vault().generator()?.fill_bytes(&mut bytes);
        Ok(bytes)
    }

    /// Whether a key's owner has said that it may be deleted by transit's DELETE.
    ///
    /// # Errors
    /// `Sealed`.
    pub fn may_delete(&mut self, key: &str) -> Result<bool, Reason> {
        Ok(self.gate.vault().kept(&deletion(key))?.is_some())
    }

    /// Notes whether it may.
    ///
    /// # Errors
    /// The vault's.
    pub fn allow_deletion(&mut self, by: &str, key: &str, allowed: bool) -> Result<(), Reason> {
        let document = allowed.then(Zeroizing::default);
        self.keep(by, "allow-deletion", Some(key), vec![(deletion(key), document)])
    }

    /// Closes the vault cleanly.
    ///
    /// # Errors
    /// The vault's.
    pub fn close(self) -> Result<(), Reason> {
        self.gate.into_vault().close()
    }
}

/// The document that says that a key may be deleted.
fn deletion(key: &str) -> String {
    format!("deletable/{}", hex::encode(&crypto::sha256(&[key.as_bytes()])[..16]))
}
