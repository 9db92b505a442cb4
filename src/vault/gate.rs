//! The gate in front of a vault: who asks, whether they may, with which second factor and
//! how often; then the vault asks for the key's state and writes the audit record. Must not
//! know how requests arrive, nor how a name was proved.

use smol_str::SmolStr;

use super::handle::{Care, Vault};
use super::message::{Operation, Response, Verb, WrapUnder};
use super::policy::Policy;
use super::rates::{Bucket, Limiter};
use super::request::{Approval, Request};
use super::roles::{Reach, Role};
use super::store::Store;
use crate::crypto::{Result, Rng, Totp};
use crate::hashed::Hashed;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// A principal that a service knows.
#[derive(Clone, Debug)]
struct Principal {
    role: Role,
    codes: Option<Totp>,
    /// SubjectPublicKeyInfo of the key under which its own keys may leave.
    public_key: Option<Vec<u8>>,
    revoked: bool,
    counted: Counted,
}

/// What the guards have counted of a principal.
#[derive(Clone, Copy, Default, Debug)]
struct Counted {
    requests: Bucket,
    codes: Bucket,
    /// Wrong codes in a row. A lock holds until somebody lifts it: it stops guessing for good,
    /// and lets whoever knows a name lock its owner out (RFC 4226 §7.3).
    wrong_codes: u32,
}

/// A vault with guards in front of it.
pub struct Gate<S> {
    vault: Vault<S>,
    policy: Policy,
    principals: Hashed<SmolStr, Principal>,
    /// Requests in names that nobody has, of which a service hears that believes every name.
    strangers: Limiter,
    sources: Limiter,
}

impl<S: Store> Gate<S> {
    /// Guards in front of `vault`, with nobody enrolled.
    pub fn new(vault: Vault<S>, policy: Policy) -> Gate<S> {
        Gate {
            strangers: Limiter::new(policy.requests),
            sources: Limiter::new(policy.requests_per_source),
            principals: Hashed::default(),
            vault,
            policy,
        }
    }

    /// Enrols `name`, or changes its role and codes. Without codes, a principal's
    /// operations that need one are refused. What was counted of it stays.
    pub fn enrol(&mut self, name: &str, role: Role, codes: Option<Totp>) {
        let counted = self.principals.get(name).map(|known| known.counted).unwrap_or_default();
        let principal = Principal { role, codes, public_key: None, revoked: false, counted };
        self.principals.insert(name.into(), principal);
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

    /// The vault behind.
    pub fn vault(&mut self) -> &mut Vault<S> {
        &mut self.vault
    }

    /// The vault, without the gate.
    pub fn into_vault(self) -> Vault<S> {
        self.vault
    }

    /// The same guards, with all that they remember, in front of what becomes of the vault:
    /// for a service that starts anew and has kept its register.
    ///
    /// # Errors
    /// Those of `start`.
    pub fn restarted<T>(self, start: impl FnOnce(Vault<S>) -> Result<Vault<T>>) -> Result<Gate<T>> {
        let Gate { vault, policy, principals, strangers, sources } = self;
        Ok(Gate { vault: start(vault)?, policy, principals, strangers, sources })
    }

    /// Records that something was refused of which nobody can tell what it asks, as far as the
    /// policy wants records. `from`: who sent it, by its own word.
    ///
    /// # Errors
    /// `Sealed`, `AuditUnavailable`.
    pub fn note_unreadable(
        &mut self,
        from: &str,
        refused: Reason,
        rng: &mut Rng,
        now: UnixNanos,
    ) -> Result<()> {
        if self.policy.audit { self.vault.record_refusal(from, None, refused, rng, now) } else { Ok(()) }
    }

    /// Takes `request` through the guards in this order: authenticate, authorise, second
    /// factor, rate limit, key state, audit. The first that refuses says why, and the
    /// refusal is recorded.
    ///
    /// # Errors
    /// `Unauthenticated`, `ClientRevoked`; `Forbidden`, `NeedsSecondApprover`, `UnknownKey` (to who may see
    /// names); `SecondFactorRequired`, `BadCode`, `CodeExpired`, `CodeAlreadyUsed`,
    /// `LockedOut`; `RateLimited`; the vault's; `AuditUnavailable` whatever else it would
    /// have been.
    pub fn handle(&mut self, request: &Request, rng: &mut Rng, now: UnixNanos) -> Result<Response> {
        let operation = &request.operation;
        if let Err(refused) = self.admit(request, now) {
            if self.policy.audit {
                let claimed = request.proved.as_deref().unwrap_or("(nobody)");
                self.vault.record_refusal(claimed, Some(operation), refused, rng, now)?;
            }
            return Err(refused);
        }
        let care = Care { key_state: self.policy.key_state, audit: self.policy.audit };
        self.vault.perform(&request.claimed, operation, care, rng, now)
    }

    fn admit(&mut self, request: &Request, now: UnixNanos) -> Result<()> {
        let principal = self.principals.get(request.claimed.as_str());
        self.authenticate(principal, request)?;
        self.authorise(principal, request)?;
        let mut principal = self.principals.get_mut(request.claimed.as_str());
        check_second_factor(&self.policy, principal.as_deref_mut(), request, now)?;
        if self.policy.rate_limit {
            // Whoever is stopped by the one has not used up the other.
            self.sources.check(&request.source, now)?;
            match principal {
                Some(principal) => self.policy.requests.take(&mut principal.counted.requests, now)?,
                None => self.strangers.take(&request.claimed, now)?,
            }
            self.sources.take(&request.source, now)?;
        }
        Ok(())
    }

    fn authenticate(&self, principal: Option<&Principal>, request: &Request) -> Result<()> {
        // Somebody who proves to be one and claims to be another is neither.
        let is_proved = principal.is_some() && request.proved.as_ref() == Some(&request.claimed);
        if self.policy.authenticate && !is_proved {
            return Err(Reason::Unauthenticated);
        }
        if principal.is_some_and(|principal| principal.revoked) {
            return Err(Reason::ClientRevoked);
        }
        Ok(())
    }

    fn authorise(&self, principal: Option<&Principal>, request: &Request) -> Result<()> {
        if !self.policy.authorise {
            return Ok(());
        }
        let role = principal.ok_or(Reason::Forbidden)?.role;
        let (actor, operation) = (request.claimed.as_str(), &request.operation);
        let key = operation.key().unwrap_or(None);
        let exists = |name: &str| match self.vault.key(name) {
            Err(Reason::Sealed) => Err(Reason::Sealed),
            key => Ok(key.ok()),
        };
        match (role.reach(operation.verb()), key) {
            (Reach::None, key) => {
                // A careless service says what is not there before it says who may not.
                if !self.policy.hide_names
                    && let Some(name) = key
                    && exists(name)?.is_none()
                {
                    return Err(Reason::UnknownKey);
                }
                return Err(Reason::Forbidden);
            }
            (Reach::Own, Some(name)) => match exists(name)? {
                Some(key) if key.spec.owner == actor => {}
                None if !self.policy.hide_names => return Err(Reason::UnknownKey),
                _ => return Err(Reason::Forbidden),
            },
            // Whoever may do something with its own keys must say with which.
            (Reach::Own, None) => {
                operation.key()?;
                return Err(Reason::Forbidden);
            }
            (Reach::All, _) => {}
        }
        self.check_destination(operation)?;
        self.check_approval(actor, request)
    }

    /// A secret leaves for its owner, whoever asks.
    fn check_destination(&self, operation: &Operation) -> Result<()> {
        let Operation::Export { key, under: WrapUnder::PublicKey(spki), .. } = operation else {
            return Ok(());
        };
        if !self.policy.deliver_to_owner {
            return Ok(());
        }
        // Whoever comes here may be told that there is no such key.
        let Ok(key) = self.vault.key(key) else { return Ok(()) };
        let owners =
            self.principals.get(key.spec.owner.as_str()).and_then(|owner| owner.public_key.as_deref());
        if owners.is_some_and(|owners| owners == &**spki) { Ok(()) } else { Err(Reason::Forbidden) }
    }

    fn check_approval(&self, actor: &str, request: &Request) -> Result<()> {
        let operation = &request.operation;
        let is_delicate = operation.verb() == Verb::Export || operation.accepts_risk();
        if !self.policy.dual_control || !is_delicate {
            return Ok(());
        }
        let is_second = |approval: &Approval| {
            approval.approver != actor
                && self
                    .principals
                    .get(approval.approver.as_str())
                    .is_some_and(|p| p.role == Role::Administrator && !p.revoked)
                && *approval == Approval::new(&approval.approver, operation)
        };
        if request.approval.as_ref().is_some_and(is_second) {
            Ok(())
        } else {
            Err(Reason::NeedsSecondApprover)
        }
    }
}

fn check_second_factor(
    policy: &Policy,
    principal: Option<&mut Principal>,
    request: &Request,
    now: UnixNanos,
) -> Result<()> {
    if !policy.second_factor.contains(&request.operation.verb()) {
        return Ok(());
    }
    let Some(Principal { codes: Some(codes), counted, .. }) = principal else {
        return Err(Reason::SecondFactorRequired);
    };
    let code = request.code.as_ref().ok_or(Reason::SecondFactorRequired)?;
    // Guesses never get past this guard, so it counts them itself (RFC 4226 §7.3).
    if policy.rate_limit {
        if counted.wrong_codes >= policy.lock_after {
            return Err(Reason::LockedOut);
        }
        policy.codes.take(&mut counted.codes, now)?;
    }
    let seconds = now.seconds();
    let accepted =
        if policy.codes_once { codes.accept(code, seconds) } else { codes.accept_again(code, seconds) };
    counted.wrong_codes = if accepted.is_ok() { 0 } else { counted.wrong_codes.saturating_add(1) };
    accepted
}
