//! CRLs as an issuer writes them, complete and delta, on a schedule (RFC 5280 §5). Must not
//! know who fetches them.

use der::asn1::Ia5String;
use x509_cert::certificate::Version;
use x509_cert::crl::{RevokedCert, TbsCertList};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{BaseCrlNumber, CrlNumber, CrlReason, FreshestCrl};
use x509_cert::serial_number::SerialNumber;

use super::RevocationReason;
use super::issuer::Issuer;
use super::ledger::{Entry, Revoked};
use super::x509;
use crate::time::{Span, UnixNanos};

/// When an issuer publishes. Complete CRL n = 0, 1, … appears n periods after `since`, which
/// is its thisUpdate; delta CRL k likewise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Schedule {
    /// When the first CRL appears.
    pub since: UnixNanos,
    /// From one complete CRL to the next.
    pub period: Span,
    /// From a complete CRL's thisUpdate to its nextUpdate.
    pub lifetime: Span,
    /// From one delta CRL to the next, if there are any; also a delta's lifetime.
    pub delta: Option<Span>,
}

impl Schedule {
    /// The latest complete CRL at or before `now`, the first if there was none.
    pub(super) fn complete(&self, now: UnixNanos) -> u64 {
        nth(self.since, self.period, now)
    }

    /// When a complete CRL appears.
    pub(super) fn complete_at(&self, n: u64) -> UnixNanos {
        at(self.since, self.period, n)
    }

    /// The latest delta CRL at or before `now`.
    pub(super) fn delta(&self, now: UnixNanos) -> Option<u64> {
        self.delta.map(|period| nth(self.since, period, now))
    }

    /// When a delta CRL appears.
    pub(super) fn delta_at(&self, k: u64) -> Option<UnixNanos> {
        self.delta.map(|period| at(self.since, period, k))
    }

    /// The number of what appears at an instant: complete and delta CRLs count together, and
    /// those that appear at once share their number (RFC 5280 §5.2.4).
    pub(super) fn number(&self, at: UnixNanos) -> u64 {
        self.complete(at).saturating_add(self.delta(at).unwrap_or(0)).saturating_add(1)
    }

    /// When a revocation of `at` is first published: the first complete or delta CRL at or
    /// after it.
    pub(super) fn published(&self, revoked: UnixNanos) -> UnixNanos {
        let next = |period: Span| {
            let n = nth(self.since, period, revoked);
            let latest = at(self.since, period, n);
            if revoked <= latest { latest } else { at(self.since, period, n.saturating_add(1)) }
        };
        self.delta.map_or(next(self.period), |delta| next(self.period).min(next(delta)))
    }
}

/// Which CRL is written.
#[derive(Clone, Copy)]
enum Form {
    /// A complete one; whether there are deltas to it.
    Complete { has_deltas: bool },
    /// A delta to the complete one of this number.
    Delta { base: u64 },
}

fn nth(since: UnixNanos, period: Span, now: UnixNanos) -> u64 {
    // A period of nothing would divide by zero.
    now.0.saturating_sub(since.0) / period.0.max(1)
}

fn at(since: UnixNanos, period: Span, n: u64) -> UnixNanos {
    since.after(Span(n.saturating_mul(period.0)))
}

/// The complete CRL that appears as the n-th.
pub(super) fn complete(issuer: &Issuer, schedule: &Schedule, n: u64) -> der::Result<Vec<u8>> {
    let this_update = schedule.complete_at(n);
    let previous = n.checked_sub(1).map(|n| schedule.complete_at(n));
    let mut entries = Vec::new();
    for entry in issuer.ledger.entries() {
        if let Some(revoked) = listed(entry, this_update, previous) {
            entries.push(revoked_cert(issuer, entry.serial, revoked)?);
        }
    }
    let form = Form::Complete { has_deltas: schedule.delta.is_some() };
    let number = schedule.number(this_update);
    write(issuer, form, number, (this_update, this_update.after(schedule.lifetime)), entries)
}

/// The delta CRL that appears as the k-th: what changed since the last complete CRL before it.
pub(super) fn delta(issuer: &Issuer, schedule: &Schedule, period: Span, k: u64) -> der::Result<Vec<u8>> {
    let this_update = at(schedule.since, period, k);
    let base = schedule.complete(UnixNanos(this_update.0.saturating_sub(1)));
    let base_at = schedule.complete_at(base);
    let mut entries = Vec::new();
    for entry in issuer.ledger.entries().iter().filter(|entry| entry.changed(base_at, this_update)) {
        entries.push(match entry.revoked_at(this_update) {
            Some(revoked) => revoked_cert(issuer, entry.serial, revoked)?,
            None => removed_cert(issuer, entry.serial, this_update)?,
        });
    }
    let form = Form::Delta { base: schedule.number(base_at) };
    write(issuer, form, schedule.number(this_update), (this_update, this_update.after(period)), entries)
}

/// When and why a certificate was revoked, if the CRL of `this_update` lists it. RFC 5280
/// §3.3: an entry must not be removed until it appears on one regularly scheduled CRL issued
/// beyond the certificate's validity period.
fn listed(entry: &Entry, this_update: UnixNanos, previous: Option<UnixNanos>) -> Option<&Revoked> {
    let revoked = entry.revoked_at(this_update)?;
    let appeared_beyond =
        previous.is_some_and(|previous| revoked.at <= previous && entry.not_after < previous);
    (!appeared_beyond).then_some(revoked)
}

fn write(
    issuer: &Issuer,
    form: Form,
    number: u64,
    (this_update, next_update): (UnixNanos, UnixNanos),
    entries: Vec<RevokedCert>,
) -> der::Result<Vec<u8>> {
    let mut extensions = Extensions::new();
    x509::extend(&mut extensions, &issuer.name, &issuer.key_id()?)?;
    x509::extend(&mut extensions, &issuer.name, &CrlNumber::try_from(number)?)?;
    match form {
        Form::Delta { base } => {
            x509::extend(&mut extensions, &issuer.name, &BaseCrlNumber(CrlNumber::try_from(base)?.0))?;
        }
        // RFC 5280 §5.2.6: where the deltas are, without which nobody need look for them.
        Form::Complete { has_deltas: true } => {
            x509::extend(&mut extensions, &issuer.name, &FreshestCrl(vec![deltas_at(issuer)?]))?;
        }
        Form::Complete { has_deltas: false } => {}
    }
    let body = TbsCertList {
        version: Version::V2,
        signature: x509::signature_algorithm(issuer.key.suite()),
        issuer: issuer.name.clone(),
        this_update: x509::time(this_update)?,
        next_update: Some(x509::time(next_update)?),
        // RFC 5280 §5.1.2.6: absent when there are no revoked certificates.
        revoked_certificates: Some(entries).filter(|entries| !entries.is_empty()),
        crl_extensions: Some(extensions),
    };
    x509::sign(&body, &issuer.key)
}

/// The URL of the issuer's delta CRLs, or, if they have none, its entry in a directory.
fn deltas_at(issuer: &Issuer) -> der::Result<DistributionPoint> {
    let name = match &issuer.deltas_at {
        Some(url) => GeneralName::UniformResourceIdentifier(Ia5String::new(url)?),
        None => GeneralName::DirectoryName(issuer.name.clone()),
    };
    Ok(DistributionPoint {
        distribution_point: Some(DistributionPointName::FullName(vec![name])),
        reasons: None,
        crl_issuer: None,
    })
}

fn revoked_cert(issuer: &Issuer, serial: u64, revoked: &Revoked) -> der::Result<RevokedCert> {
    let mut extensions = Extensions::new();
    // RFC 5280 §5.3.1: the reason code should be absent instead of unspecified.
    if revoked.reason != RevocationReason::Unspecified {
        x509::extend(&mut extensions, &issuer.name, &revoked.reason.crl_reason())?;
    }
    if let Some(since) = revoked.invalid_since {
        let date = x509::generalized(since)?;
        extensions.push(x509::raw_extension(x509::INVALIDITY_DATE, false, &date)?);
    }
    cert(serial, revoked.at, extensions)
}

/// RFC 5280 §5.3.1: only a delta CRL says that a certificate is on hold no more.
fn removed_cert(issuer: &Issuer, serial: u64, at: UnixNanos) -> der::Result<RevokedCert> {
    let mut extensions = Extensions::new();
    x509::extend(&mut extensions, &issuer.name, &CrlReason::RemoveFromCRL)?;
    cert(serial, at, extensions)
}

fn cert(serial: u64, at: UnixNanos, extensions: Extensions) -> der::Result<RevokedCert> {
    Ok(RevokedCert {
        serial_number: SerialNumber::from(serial),
        revocation_date: x509::time(at)?,
        crl_entry_extensions: Some(extensions).filter(|extensions| !extensions.is_empty()),
    })
}

/// A complete CRL of the highest number that lists these certificates.
pub(super) fn listing(
    issuer: &Issuer,
    serials: &[u64],
    this_update: UnixNanos,
    next_update: UnixNanos,
) -> der::Result<Vec<u8>> {
    let revoked = Revoked { reason: RevocationReason::KeyCompromise, at: this_update, invalid_since: None };
    let entries = serials.iter().map(|serial| revoked_cert(issuer, *serial, &revoked));
    let entries = entries.collect::<der::Result<Vec<_>>>()?;
    let form = Form::Complete { has_deltas: false };
    write(issuer, form, u64::MAX >> 1, (this_update, next_update), entries)
}
