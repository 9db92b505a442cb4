//! The gate in front of a vault: who asks, whether they may, with which second factor and
//! how often; then the vault asks for the key's state and writes the audit record. Must not
//! know how requests arrive, nor how a name was proved.

use smol_str::SmolStr;

use super::entropy::{Entropy, System};
use super::guards::{Admitted, Authenticated, Register, check_code, check_sender};
use super::handle::{Care, Vault};
use super::message::Response;
use super::policy::Policy;
use super::principal::{Counted, Principal};
use super::proof::Proved;
use super::rates::Limiter;
use super::request::Received;
use super::roles::{Reach, Role};
use super::store::Store;
use crate::crypto::{Result, Totp};
use crate::hashed::Hashed;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// Something that a service is asked for and that is no operation of its vault.
pub struct Matter<'a> {
    /// Who asks.
    pub proved: &'a Proved,
    /// Where it came from, such as an address.
    pub source: &'a str,
    /// A one-time code.
    pub code: Option<&'a str>,
    /// Who may.
    pub roles: &'a [Role],
    /// Whether it needs a code.
    pub needs_code: bool,
}

/// A vault with guards in front of it.
pub struct Gate<S, E = System> {
    vault: Vault<S, E>,
    policy: Policy,
    principals: Principals,
    /// Requests in names that nobody has, of which a service hears that believes every name.
    strangers: Limiter,
    sources: Limiter,
}

/// The register.
type Principals = Hashed<SmolStr, Principal>;

impl Register for Principals {
    fn find(&self, name: &str) -> Option<&Principal> {
        self.get(name)
    }
}

impl<S: Store, E: Entropy> Gate<S, E> {
    /// Guards in front of `vault`, with nobody enrolled.
    pub fn new(vault: Vault<S, E>, policy: Policy) -> Gate<S, E> {
        Gate {
            strangers: Limiter::new(policy.requests),
            sources: Limiter::new(policy.requests_per_source),
            principals: Hashed::default(),
            vault,
            policy,
        }
    }

    /// Enrols `name`, or changes its role and codes. Without codes, a principal's
    /// operations that need one are refused. What is known of it besides stays: its public key,
    /// what was counted, and that it was revoked, which [`reinstate`](Self::reinstate) lifts.
    pub fn enrol(&mut self, name: &str, role: Role, codes: Option<Totp>) {
        match self.principals.get_mut(name) {
            Some(known) => (known.role, known.codes) = (role, codes),
            None => {
                let counted = Counted::default();
                let principal = Principal { role, codes, public_key: None, revoked: false, counted };
                self.principals.insert(name.into(), principal);
            }
        }
    }

    /// Takes in the public key of `name` (SubjectPublicKeyInfo): under it, and under no other,
    /// its keys may leave the vault.
    pub fn enrol_public_key(&mut self, name: &str, spki: Vec<u8>) {
        if let Some(principal) = self.principals.get_mut(name) {
            principal.public_key = Some(spki);
        }
    }

    /// From now on `name` is refused whatever it asks, and its consent counts for nothing.
    pub fn revoke(&mut self, name: &str) {
        if let Some(principal) = self.principals.get_mut(name) {
            principal.revoked = true;
        }
    }

    /// Serves `name` again.
    pub fn reinstate(&mut self, name: &str) {
        if let Some(principal) = self.principals.get_mut(name) {
            principal.revoked = false;
        }
    }

    /// The last step whose code `name` has used, to keep over a restart
    /// ([`Totp::resumed`]).
    pub fn last_code_step(&self, name: &str) -> Option<u64> {
        self.principals.get(name)?.codes.as_ref()?.last_accepted()
    }

    /// Lifts the lock of `name`.
    pub fn unlock(&mut self, name: &str) {
        if let Some(principal) = self.principals.get_mut(name) {
            principal.counted.wrong_codes = 0;
        }
    }

    /// What `name` is, if it is enrolled.
    pub fn role(&self, name: &str) -> Option<Role> {
        self.principals.get(name).map(|principal| principal.role)
    }

    /// The vault behind.
    pub fn vault(&mut self) -> &mut Vault<S, E> {
        &mut self.vault
    }

    /// The vault, without the gate.
    pub fn into_vault(self) -> Vault<S, E> {
        self.vault
    }

    /// The same guards, with all that they remember, in front of what becomes of the vault:
    /// for a service that starts anew and has kept its register.
    ///
    /// # Errors
    /// Those of `start`.
    pub fn restarted<T>(self, start: impl FnOnce(Vault<S, E>) -> Result<Vault<T, E>>) -> Result<Gate<T, E>> {
        let Gate { vault, policy, principals, strangers, sources } = self;
        Ok(Gate { vault: start(vault)?, policy, principals, strangers, sources })
    }

    /// Records that something was refused of which nobody can tell what it asks, as far as the
    /// policy wants records. `from`: who sent it, by its own word.
    ///
    /// # Errors
    /// `Sealed`, `AuditUnavailable`.
    pub fn note_unreadable(&mut self, from: &str, refused: Reason, now: UnixNanos) -> Result<()> {
        if self.policy.audit { self.vault.record_refusal(from, None, refused, now) } else { Ok(()) }
    }

    /// Takes a request through the guards in this order: authenticate, authorise, second
    /// factor, rate limit, key state, audit. The first that refuses says why, and the
    /// refusal is recorded.
    ///
    /// # Errors
    /// `Unauthenticated`, `ClientRevoked`, `Malformed` for a claimed name that is none;
    /// `Forbidden`, `NeedsSecondApprover`, `UnknownKey` (to who may see names);
    /// `SecondFactorRequired`, `BadCode`, `CodeExpired`, `CodeAlreadyUsed`, `LockedOut`;
    /// `RateLimited`; the vault's; `AuditUnavailable` whatever else it would have been.
    pub fn handle(&mut self, received: &Received, now: UnixNanos) -> Result<Response> {
        match self.admit(received, now) {
            Ok(admitted) => {
                let care = Care { key_state: self.policy.key_state, audit: self.policy.audit };
                let response = self.vault.perform(admitted.actor(), admitted.operation(), care, now)?;
                Ok(match response {
                    Response::Names(mut names) if admitted.reach() == Reach::Own => {
                        names.retain(|name| {
                            self.vault.key(name).is_ok_and(|key| key.spec.owner == admitted.actor())
                        });
                        Response::Names(names)
                    }
                    other => other,
                })
            }
            Err(refused) => {
                if self.policy.audit {
                    let proved = received.proved.as_ref().map_or("(nobody)", |proved| proved.name());
                    self.vault.record_refusal(proved, Some(&received.request.operation), refused, now)?;
                }
                Err(refused)
            }
        }
    }

    /// Takes a matter of the service's own through the guards, such as an enrolment: authenticate,
    /// authorise, second factor, rate limit. A refusal is not recorded here: the service records
    /// what it does ([`Vault::keep`]) and what it does not ([`Vault::note_refused`]).
    ///
    /// # Errors
    /// As [`handle`](Self::handle), as far as they are of these guards.
    pub fn admit_matter(&mut self, matter: &Matter, now: UnixNanos) -> Result<()> {
        let Gate { policy, principals, sources, .. } = self;
        let claimed = matter.proved.name();
        let role = check_sender(claimed, Some(matter.proved), matter.source, policy, principals)?;
        if policy.authorise && !role.is_some_and(|role| matter.roles.contains(&role)) {
            return Err(Reason::Forbidden);
        }
        let mut principal = principals.get_mut(claimed);
        if matter.needs_code {
            check_code(policy, principal.as_deref_mut(), matter.code, now)?;
        }
        if policy.rate_limit {
            sources.check(matter.source, now)?;
            if let Some(principal) = principal {
                policy.requests.take(&mut principal.counted.requests, now)?;
            }
            sources.take(matter.source, now)?;
        }
        Ok(())
    }

    fn admit<'a>(&mut self, received: &'a Received, now: UnixNanos) -> Result<Admitted<'a>> {
        let Gate { vault, policy, principals, strangers, sources } = self;
        let authenticated = Authenticated::check(received, policy, principals)?;
        let authorised = authenticated.authorise(policy, principals, vault)?;
        let name = received.request.claimed.as_str();
        authorised.admit(policy, principals.get_mut(name), now, |principal| {
            // Whoever is stopped by the one has not used up the other.
            sources.check(&received.source, now)?;
            match principal {
                Some(principal) => policy.requests.take(&mut principal.counted.requests, now)?,
                None => strangers.take(name, now)?,
            }
            sources.take(&received.source, now)
        })
    }
}
