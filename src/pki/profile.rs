//! What a certificate says beside its name, its key and its issuer, where it is used with TLS and
//! its status is fetched (RFC 5280 §4.2). Must not know who may have which names.

use std::collections::BTreeMap;
use std::net::IpAddr;

use const_oid::ObjectIdentifier;
use der::asn1::{Ia5String, OctetString};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, CrlDistributionPoints, ExtendedKeyUsage,
};
use x509_cert::name::Name;

use super::x509;

const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
const CA_ISSUERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");

/// At which end of a TLS connection a certificate stands (RFC 5280 §4.2.1.12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TlsEnd {
    /// serverAuth.
    Server,
    /// clientAuth.
    Client,
}

/// What a certificate says besides. The default adds nothing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Profile {
    /// The extended key usage, if it is limited to one.
    pub end: Option<TlsEnd>,
    /// Further names of the subject (dNSName).
    pub dns_names: Vec<String>,
    /// Addresses of the subject (iPAddress).
    pub addresses: Vec<IpAddr>,
    /// The URL of the issuer's CRL.
    pub crl: Option<String>,
    /// The URL of its OCSP responder.
    pub ocsp: Option<String>,
    /// The URL of its certificate.
    pub issuer: Option<String>,
}

/// What certificates say besides, subject by subject. The default adds nothing to any.
#[derive(Clone, Default, Debug)]
pub struct Profiles {
    /// Those of some subjects.
    pub of: BTreeMap<String, Profile>,
    /// All others'.
    pub others: Profile,
}

impl Profiles {
    /// A subject's.
    pub fn of(&self, subject: &str) -> &Profile {
        self.of.get(subject).unwrap_or(&self.others)
    }
}

impl Profile {
    /// Names for the subjectAltName.
    pub(super) fn names(&self) -> der::Result<Vec<GeneralName>> {
        let dns = self.dns_names.iter().map(|name| Ok(GeneralName::DnsName(Ia5String::new(name)?)));
        let addresses = self.addresses.iter().map(|address| {
            let octets = match address {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            Ok(GeneralName::IpAddress(OctetString::new(octets)?))
        });
        dns.chain(addresses).collect()
    }

    /// Adds the other extensions.
    pub(super) fn extend(&self, extensions: &mut Extensions, subject: &Name) -> der::Result<()> {
        if let Some(end) = self.end {
            let usage = if end == TlsEnd::Server { SERVER_AUTH } else { CLIENT_AUTH };
            x509::extend(extensions, subject, &ExtendedKeyUsage(vec![usage]))?;
        }
        if let Some(crl) = &self.crl {
            let point = DistributionPoint {
                distribution_point: Some(DistributionPointName::FullName(vec![url(crl)?])),
                reasons: None,
                crl_issuer: None,
            };
            x509::extend(extensions, subject, &CrlDistributionPoints(vec![point]))?;
        }
        let ocsp = self.ocsp.iter().map(|at| (OCSP, at));
        let accesses = ocsp.chain(self.issuer.iter().map(|at| (CA_ISSUERS, at)));
        let accesses: Vec<AccessDescription> = accesses
            .map(|(access_method, at)| Ok(AccessDescription { access_method, access_location: url(at)? }))
            .collect::<der::Result<_>>()?;
        if !accesses.is_empty() {
            x509::extend(extensions, subject, &AuthorityInfoAccessSyntax(accesses))?;
        }
        Ok(())
    }
}

fn url(at: &str) -> der::Result<GeneralName> {
    Ok(GeneralName::UniformResourceIdentifier(Ia5String::new(at)?))
}
