//! How services work: the certificate authority and the key centre.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::notation::Name;
use crate::party::SealedUnder;
use crate::pki::AuthorityPolicy;
use crate::time::SimTime;
use crate::vault::{Policy, Role};

/// How the certificate authority works.
#[derive(Clone, Debug)]
pub struct CaSpec {
    /// What it issues and publishes.
    pub policy: AuthorityPolicy,
    /// Authorities between its root and the subjects.
    pub intermediates: u32,
    /// Whether signing OCSP responses is delegated to a key of its own.
    pub ocsp_delegated: bool,
    /// Whether it looks at who asks.
    pub authorises: bool,
    /// Who may revoke certificates of others.
    pub officers: BTreeSet<String>,
    /// Whose certificates demand a stapled response.
    pub must_staple: BTreeSet<String>,
    /// When nobody answers.
    pub down: Vec<Range<SimTime>>,
}

impl Default for CaSpec {
    fn default() -> Self {
        CaSpec {
            policy: AuthorityPolicy::default(),
            intermediates: 0,
            ocsp_delegated: false,
            authorises: true,
            officers: BTreeSet::new(),
            must_staple: BTreeSet::new(),
            down: Vec::new(),
        }
    }
}

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
