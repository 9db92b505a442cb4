//! The guards between a request and the vault, each of which asks for what the one before has
//! made: a request that nobody authenticated cannot be authorised, and none is carried out that
//! was not admitted. Must not know how a name was proved, nor what operations do.

use super::entropy::Entropy;
use super::frame::is_name;
use super::handle::Vault;
use super::message::{Operation, Verb, WrapUnder};
use super::policy::Policy;
use super::principal::Principal;
use super::proof::Proved;
use super::request::Received;
use super::roles::{Reach, Role};
use super::store::Store;
use crate::crypto::Result;
use crate::limits::MAX_NAME_BYTES;
use crate::reason::Reason;
use crate::time::UnixNanos;

/// A request whose sender is known: proved to be whom it claims, and not revoked. Where the
/// policy believes names, by belief.
pub(super) struct Authenticated<'a> {
    received: &'a Received,
    /// Its role; nobody's who is not enrolled, and is believed.
    role: Option<Role>,
}

/// One that its sender may make, with a second administrator's consent if it needs one; and
/// whose keys it may be about.
pub(super) struct Authorised<'a>(&'a Received, Reach);

/// One that came with a one-time code, if it needs one, and not too often: the vault's own
/// checks are left.
pub(super) struct Admitted<'a>(&'a Received, Reach);

/// Finds somebody in the register.
pub(super) trait Register {
    fn find(&self, name: &str) -> Option<&Principal>;
}

impl<'a> Authenticated<'a> {
    /// The first guard.
    pub fn check(received: &'a Received, policy: &Policy, register: &impl Register) -> Result<Self> {
        let claimed = received.request.claimed.as_str();
        let role = check_sender(claimed, received.proved.as_ref(), &received.source, policy, register)?;
        Ok(Authenticated { received, role })
    }

    /// The second.
    pub fn authorise<S: Store, E: Entropy>(
        self,
        policy: &Policy,
        register: &impl Register,
        vault: &Vault<S, E>,
    ) -> Result<Authorised<'a>> {
        // Whatever a rehearsal leaves out: nothing makes a channel private that is not.
        if self.is_to_owner() && !self.received.is_private {
            return Err(Reason::Forbidden);
        }
        let mut reach = Reach::All;
        if policy.authorise {
            reach = self.check_role(policy, vault)?;
            self.check_destination(policy, register, vault)?;
            self.check_consent(policy, register)?;
        }
        Ok(Authorised(self.received, reach))
    }

    fn is_to_owner(&self) -> bool {
        matches!(&self.received.request.operation, Operation::Export { under: WrapUnder::OwnersChannel, .. })
    }

    fn check_role<S: Store, E: Entropy>(&self, policy: &Policy, vault: &Vault<S, E>) -> Result<Reach> {
        let role = self.role.ok_or(Reason::Forbidden)?;
        let (actor, operation) = (self.received.request.claimed.as_str(), &self.received.request.operation);
        let key = operation.key().ok().flatten();
        let exists = |name: &str| match vault.key(name) {
            Err(Reason::Sealed) => Err(Reason::Sealed),
            key => Ok(key.ok()),
        };
        let verb = operation.verb();
        let reach = if policy.self_service { role.reach_in_self_service(verb) } else { role.reach(verb) };
        match (reach, key) {
            (Reach::None, key) => {
                // A careless service says what is not there before it says who may not.
                if !policy.hide_names
                    && let Some(name) = key
                    && exists(name)?.is_none()
                {
                    return Err(Reason::UnknownKey);
                }
                Err(Reason::Forbidden)
            }
            (Reach::Own, Some(name)) => match exists(name)? {
                Some(key) if key.spec.owner == actor => Ok(reach),
                None if matches!(operation, Operation::Generate { spec, .. } if spec.owner == actor) => {
                    Ok(reach)
                }
                None if !policy.hide_names => Err(Reason::UnknownKey),
                _ => Err(Reason::Forbidden),
            },
            // It is told of its own alone.
            (Reach::Own, None) if verb == Verb::List => Ok(reach),
            // Whoever may do something with its own keys must say with which.
            (Reach::Own, None) => {
                operation.key()?;
                Err(Reason::Forbidden)
            }
            (Reach::All, _) => Ok(reach),
        }
    }

    /// Dual control: what hands a secret out, or accepts a risk, nobody does alone.
    fn check_consent(&self, policy: &Policy, register: &impl Register) -> Result<()> {
        let operation = &self.received.request.operation;
        let is_delicate = operation.hands_out() || operation.accepts_risk();
        if !policy.dual_control || !is_delicate {
            return Ok(());
        }
        let consent = self.received.consent.as_ref().ok_or(Reason::NeedsSecondApprover)?;
        let approver = register.find(consent.by());
        let is_administrator = approver.is_some_and(|p| p.role == Role::Administrator && !p.revoked);
        let is_second = consent.by() != self.received.request.claimed;
        if is_administrator && is_second && consent.is_to(operation) {
            Ok(())
        } else {
            Err(Reason::NeedsSecondApprover)
        }
    }

    /// A secret leaves for its owner, whoever asks.
    fn check_destination<S: Store, E: Entropy>(
        &self,
        policy: &Policy,
        register: &impl Register,
        vault: &Vault<S, E>,
    ) -> Result<()> {
        let Operation::Export { key, under, .. } = &self.received.request.operation else { return Ok(()) };
        // Whoever comes here may be told that there is no such key.
        let Ok(key) = vault.key(key) else { return Ok(()) };
        let owner = key.spec.owner.as_str();
        let may = match under {
            WrapUnder::OwnersChannel => owner == self.received.request.claimed,
            WrapUnder::PublicKey(spki) if policy.deliver_to_owner => {
                register.find(owner).and_then(|owner| owner.public_key.as_deref()) == Some(&**spki)
            }
            WrapUnder::PublicKey(_) | WrapUnder::Key(_) => true,
        };
        if may { Ok(()) } else { Err(Reason::Forbidden) }
    }
}

/// Whether it was proved who asks, and that it is served: its role, if it is enrolled.
pub(super) fn check_sender(
    claimed: &str,
    proved: Option<&Proved>,
    source: &str,
    policy: &Policy,
    register: &impl Register,
) -> Result<Option<Role>> {
    let principal = register.find(claimed);
    // Somebody who proves to be one and claims to be another is neither.
    let is_proved = principal.is_some() && proved.is_some_and(|proved| proved.name() == claimed);
    if policy.authenticate && !is_proved {
        return Err(Reason::Unauthenticated);
    }
    // Whatever is counted is kept: names that nobody has, too.
    if !is_name(claimed) || source.len() > MAX_NAME_BYTES {
        return Err(Reason::Malformed);
    }
    if principal.is_some_and(|principal| principal.revoked) {
        return Err(Reason::ClientRevoked);
    }
    Ok(principal.map(|principal| principal.role))
}

/// Checks the one-time code of a request that needs one.
pub(super) fn check_code(
    policy: &Policy,
    principal: Option<&mut Principal>,
    code: Option<&str>,
    now: UnixNanos,
) -> Result<()> {
    let (counted, codes) = match principal {
        Some(Principal { codes: Some(codes), counted, .. }) => (counted, codes),
        Some(Principal { role, .. }) if !policy.second_factor_of.contains(role) => return Ok(()),
        _ => return Err(Reason::SecondFactorRequired),
    };
    let code = code.ok_or(Reason::SecondFactorRequired)?;
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

impl<'a> Authorised<'a> {
    /// The third and the fourth: a one-time code, then how often. `take` takes a token for the
    /// request from whatever counts it.
    pub fn admit(
        self,
        policy: &Policy,
        principal: Option<&mut Principal>,
        now: UnixNanos,
        take: impl FnOnce(Option<&mut Principal>) -> Result<()>,
    ) -> Result<Admitted<'a>> {
        let mut principal = principal;
        let request = &self.0.request;
        if policy.second_factor.contains(&request.operation.verb()) {
            check_code(policy, principal.as_deref_mut(), request.code.as_deref(), now)?;
        }
        if policy.rate_limit {
            take(principal)?;
        }
        Ok(Admitted(self.0, self.1))
    }
}

impl Admitted<'_> {
    /// Who asks.
    pub fn actor(&self) -> &str {
        &self.0.request.claimed
    }

    /// For what.
    pub fn operation(&self) -> &Operation {
        &self.0.request.operation
    }

    /// Whose keys it may be about.
    pub fn reach(&self) -> Reach {
        self.1
    }
}
