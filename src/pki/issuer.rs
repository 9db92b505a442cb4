//! One authority's key and certificate, and the certificates that it writes (RFC 5280 §4).
//! Must not know who may have them.

use der::asn1::{Ia5String, Null};
use der::{Decode, Encode};
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::certificate::Version;
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::Validity;

use super::ledger::Ledger;
use super::profile::Profile;
use super::request::Request;
use super::x509::{self, TbsCertificate};
use crate::crypto::{SigningKey, sha256};
use crate::time::UnixNanos;

/// One authority: a root, or one below it.
pub(super) struct Issuer {
    pub name: Name,
    pub key: SigningKey,
    pub public_key: SubjectPublicKeyInfoOwned,
    /// Its own certificate.
    pub certificate: Vec<u8>,
    /// Its own notAfter.
    pub until: UnixNanos,
    pub ledger: Ledger,
    /// The URL of its delta CRLs, if they have one.
    pub deltas_at: Option<String>,
}

impl Issuer {
    /// A root: X.509 v3, self-signed.
    pub(super) fn root(
        name: &str,
        key: SigningKey,
        from: UnixNanos,
        until: UnixNanos,
    ) -> der::Result<Issuer> {
        let mut root = Issuer::without_certificate(name, key, until)?;
        let key_id = x509::key_identifier(&root.public_key)?;
        // Serial numbers are unique for an issuer (RFC 5280 §4.1.2.2), and the root's issuer
        // is this authority too: its number is far from those that count from 1.
        let serial = key_id.as_bytes().iter().take(7).fold(1, |n, byte| n << 8 | u64::from(*byte));
        let mut extensions = authority_extensions(&root.name, None)?;
        x509::extend(&mut extensions, &root.name, &SubjectKeyIdentifier(key_id))?;
        let subject = (root.name.clone(), root.public_key.clone());
        root.certificate = root.certify(serial, (from, until), subject, extensions)?;
        Ok(root)
    }

    /// An authority below this one, under which `depth` others may stand.
    pub(super) fn below(
        &mut self,
        name: &str,
        key: SigningKey,
        depth: u8,
        (from, until): (UnixNanos, UnixNanos),
    ) -> der::Result<Issuer> {
        let mut below = Issuer::without_certificate(name, key, until.min(self.until))?;
        let mut extensions = authority_extensions(&below.name, Some(depth))?;
        let key_id = x509::key_identifier(&below.public_key)?;
        x509::extend(&mut extensions, &below.name, &SubjectKeyIdentifier(key_id))?;
        x509::extend(&mut extensions, &below.name, &self.key_id()?)?;
        let serial = self.ledger.enter(name, below.key_digest()?, from, below.until);
        let subject = (below.name.clone(), below.public_key.clone());
        below.certificate = self.certify(serial, (from, below.until), subject, extensions)?;
        Ok(below)
    }

    /// A certificate for what a request asks for: CN and dNSName are the requester's name,
    /// keyUsage is digitalSignature or keyEncipherment.
    pub(super) fn leaf(
        &self,
        serial: u64,
        request: &Request,
        validity: (UnixNanos, UnixNanos),
        (must_staple, profile): (bool, &Profile),
    ) -> der::Result<Vec<u8>> {
        let subject = x509::name(&request.name)?;
        let mut extensions = Extensions::new();
        x509::extend(&mut extensions, &subject, &request.purpose.key_usage())?;
        let names = [vec![GeneralName::DnsName(Ia5String::new(&request.name)?)], profile.names()?].concat();
        x509::extend(&mut extensions, &subject, &SubjectAltName(names))?;
        let key_id = x509::key_identifier(&request.public_key)?;
        x509::extend(&mut extensions, &subject, &SubjectKeyIdentifier(key_id))?;
        x509::extend(&mut extensions, &subject, &self.key_id()?)?;
        if must_staple {
            let features = vec![x509::STATUS_REQUEST];
            extensions.push(x509::raw_extension(x509::TLS_FEATURE, false, &features)?);
        }
        profile.extend(&mut extensions, &subject)?;
        self.certify(serial, validity, (subject, request.public_key.clone()), extensions)
    }

    /// A certificate for an OCSP responder's key (RFC 6960 §4.2.2.2).
    pub(super) fn responder(
        &mut self,
        name: &str,
        key: &SigningKey,
        validity: (UnixNanos, UnixNanos),
    ) -> der::Result<Vec<u8>> {
        let public_key = SubjectPublicKeyInfoOwned::from_der(&key.public())?;
        let subject = x509::name(name)?;
        let mut extensions = Extensions::new();
        x509::extend(&mut extensions, &subject, &KeyUsage(KeyUsages::DigitalSignature.into()))?;
        x509::extend(&mut extensions, &subject, &ExtendedKeyUsage(vec![x509::OCSP_SIGNING]))?;
        extensions.push(x509::raw_extension(x509::OCSP_NOCHECK, false, &Null)?);
        x509::extend(&mut extensions, &subject, &self.key_id()?)?;
        let digest = sha256(&[&public_key.to_der()?]);
        let serial = self.ledger.enter(name, digest, validity.0, validity.1);
        self.certify(serial, validity, (subject, public_key), extensions)
    }

    pub(super) fn key_id(&self) -> der::Result<AuthorityKeyIdentifier> {
        let key_identifier = Some(x509::key_identifier(&self.public_key)?);
        Ok(AuthorityKeyIdentifier { key_identifier, ..AuthorityKeyIdentifier::default() })
    }

    fn key_digest(&self) -> der::Result<[u8; 32]> {
        Ok(sha256(&[&self.public_key.to_der()?]))
    }

    fn without_certificate(name: &str, key: SigningKey, until: UnixNanos) -> der::Result<Issuer> {
        Ok(Issuer {
            name: x509::name(name)?,
            public_key: SubjectPublicKeyInfoOwned::from_der(&key.public())?,
            key,
            certificate: Vec::new(),
            until,
            ledger: Ledger::default(),
            deltas_at: None,
        })
    }

    /// A certificate of this issuer's that says exactly this.
    pub(super) fn certify(
        &self,
        serial: u64,
        (not_before, not_after): (UnixNanos, UnixNanos),
        (subject, subject_public_key_info): (Name, SubjectPublicKeyInfoOwned),
        extensions: Extensions,
    ) -> der::Result<Vec<u8>> {
        let body = TbsCertificate {
            version: Version::V3,
            serial_number: SerialNumber::from(serial),
            signature: x509::signature_algorithm(self.key.suite()),
            issuer: self.name.clone(),
            validity: Validity::new(x509::time(not_before)?, x509::time(not_after)?),
            subject,
            subject_public_key_info,
            extensions,
        };
        x509::sign(&body, &self.key)
    }
}

/// RFC 5280 §4.2.1.9, §4.2.1.3.
fn authority_extensions(subject: &Name, path_len_constraint: Option<u8>) -> der::Result<Extensions> {
    let mut extensions = Extensions::new();
    x509::extend(&mut extensions, subject, &BasicConstraints { ca: true, path_len_constraint })?;
    x509::extend(&mut extensions, subject, &KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign))?;
    Ok(extensions)
}
