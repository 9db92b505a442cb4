//! Which guards stand in front of a vault, and how strict they are. Must not know requests.

use std::collections::BTreeSet;

use super::message::Verb;
use super::rates::Rate;
use super::roles::Role;
use crate::time::Span;

/// Which guards stand. The default is all of them; a rehearsal leaves one out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Demand that the claimed name was proved; else it is believed.
    pub authenticate: bool,
    /// Ask the matrix of roles and for ownership; else everybody may do everything.
    pub authorise: bool,
    /// Demand a second administrator for what hands a secret out or accepts a risk.
    pub dual_control: bool,
    /// Let a key leave only under its owner's own public key; else under whatever comes with
    /// the request.
    pub deliver_to_owner: bool,
    /// Refuse what does not exist as `Forbidden` to who may not see it; else say so.
    pub hide_names: bool,
    /// Let clients make keys of their own, and change those, list them and end their lives; else
    /// only operators and administrators do.
    pub self_service: bool,
    /// What needs a one-time code; empty: nothing does.
    pub second_factor: BTreeSet<Verb>,
    /// Of whom: a principal of another role is asked for a code only if it has a device for them.
    pub second_factor_of: BTreeSet<Role>,
    /// Accept each code once.
    pub codes_once: bool,
    /// Count requests and codes; else anybody may try for ever.
    pub rate_limit: bool,
    /// Requests of one principal.
    pub requests: Rate,
    /// Requests from one source.
    pub requests_per_source: Rate,
    /// Codes that one principal may try.
    pub codes: Rate,
    /// Wrong codes in a row that lock a principal.
    pub lock_after: u32,
    /// Ask the vault's table of states.
    pub key_state: bool,
    /// Write audit records, and do nothing that cannot be recorded.
    pub audit: bool,
}

impl Default for Policy {
    /// Every guard. Five codes in 30 seconds and a lock after ten wrong ones leave a guesser
    /// of six digits a chance of 3 in 100,000.
    fn default() -> Self {
        Policy {
            authenticate: true,
            authorise: true,
            dual_control: true,
            deliver_to_owner: true,
            hide_names: true,
            self_service: false,
            second_factor: BTreeSet::from([
                Verb::Configure,
                Verb::Trim,
                Verb::Revoke,
                Verb::ScheduleDestruction,
                Verb::CancelDestruction,
                Verb::Destroy,
                Verb::Export,
            ]),
            second_factor_of: Role::ALL.iter().copied().collect(),
            codes_once: true,
            rate_limit: true,
            requests: Rate { burst: 100, per: Span::seconds(10) },
            requests_per_source: Rate { burst: 1_000, per: Span::seconds(10) },
            codes: Rate { burst: 5, per: Span::seconds(30) },
            lock_after: 10,
            key_state: true,
            audit: true,
        }
    }
}
