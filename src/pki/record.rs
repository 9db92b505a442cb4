//! What certificates, requests, CRLs, OCSP messages and public keys say of themselves, for
//! who files them. Believes nothing and judges nothing.

use der::{DateTime, Decode, Encode};
use spki::SubjectPublicKeyInfoRef;
use std::time::Duration;
use x509_cert::Certificate;
use x509_cert::crl::TbsCertList;
use x509_cert::ext::pkix::{BaseCrlNumber, CrlNumber};
use x509_cert::name::Name;
use x509_cert::request::CertReq;
use x509_cert::serial_number::SerialNumber;

use super::ocsp::{CertId, Query, Response, Status};
use super::x509::{self, Signed};
use crate::reason::Reason;
use crate::time::UnixNanos;

/// What may be filed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RecordKind {
    /// A certificate (RFC 5280 §4).
    Certificate,
    /// A request for one (PKCS#10, RFC 2986).
    Request,
    /// A CRL, complete or delta (RFC 5280 §5).
    Crl,
    /// An OCSP request (RFC 6960 §4.1).
    OcspRequest,
    /// An OCSP response (RFC 6960 §4.2).
    OcspResponse,
    /// A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    PublicKey,
}

/// What something says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// Common name of its subject.
    pub subject: Option<String>,
    /// Common name of who issued it, or answered.
    pub issuer: Option<String>,
    /// The serial number of the certificate that it is or is about, in hex.
    pub serial: Option<String>,
    /// Its CRLNumber, in hex.
    pub number: Option<String>,
    /// The BaseCRLNumber of a delta CRL, in hex.
    pub base: Option<String>,
    /// Its notBefore or thisUpdate.
    pub from: Option<UnixNanos>,
    /// Its notAfter or nextUpdate.
    pub until: Option<UnixNanos>,
    /// What a responder says: `good`, `revoked`, `unknown`, or that it says nothing, `error`.
    pub status: Option<&'static str>,
    /// Other things inside, DER.
    pub inside: Vec<(RecordKind, Vec<u8>)>,
}

impl RecordKind {
    /// The word that indices use.
    pub fn word(self) -> &'static str {
        match self {
            RecordKind::Certificate => "certificate",
            RecordKind::Request => "request",
            RecordKind::Crl => "crl",
            RecordKind::OcspRequest => "ocsp-request",
            RecordKind::OcspResponse => "ocsp-response",
            RecordKind::PublicKey => "public-key",
        }
    }

    /// DER as text (RFC 7468); none for what has no label there.
    pub fn pem(self, der: &[u8]) -> Option<String> {
        let label = match self {
            RecordKind::Certificate => "CERTIFICATE",
            RecordKind::Request => "CERTIFICATE REQUEST",
            RecordKind::Crl => "X509 CRL",
            RecordKind::PublicKey => "PUBLIC KEY",
            RecordKind::OcspRequest | RecordKind::OcspResponse => return None,
        };
        der::pem::encode_string(label, der::pem::LineEnding::LF, der).ok()
    }
}

impl Record {
    /// Reads what is said to be of a kind; none if it is not.
    pub fn read(kind: RecordKind, der: &[u8]) -> Option<Record> {
        match kind {
            RecordKind::Certificate => Record::certificate(der),
            RecordKind::Request => Record::request(der),
            RecordKind::Crl => Record::crl(der),
            RecordKind::OcspRequest => Record::query(der),
            RecordKind::OcspResponse => Record::response(der),
            RecordKind::PublicKey => SubjectPublicKeyInfoRef::try_from(der).ok().map(|_| Record::of(kind)),
        }
    }

    fn of(kind: RecordKind) -> Record {
        Record {
            kind,
            subject: None,
            issuer: None,
            serial: None,
            number: None,
            base: None,
            from: None,
            until: None,
            status: None,
            inside: Vec::new(),
        }
    }

    fn certificate(der: &[u8]) -> Option<Record> {
        let certificate = Certificate::from_der(der).ok()?;
        let tbs = certificate.tbs_certificate();
        let key = tbs.subject_public_key_info().to_der().ok()?;
        Some(Record {
            subject: common_name(tbs.subject()),
            issuer: common_name(tbs.issuer()),
            serial: Some(hex(tbs.serial_number().as_bytes())),
            from: Some(x509::clock(tbs.validity().not_before)),
            until: Some(x509::clock(tbs.validity().not_after)),
            inside: vec![(RecordKind::PublicKey, key)],
            ..Record::of(RecordKind::Certificate)
        })
    }

    fn request(der: &[u8]) -> Option<Record> {
        let info = CertReq::from_der(der).ok()?.info;
        let key = info.public_key.to_der().ok()?;
        Some(Record {
            subject: common_name(&info.subject),
            inside: vec![(RecordKind::PublicKey, key)],
            ..Record::of(RecordKind::Request)
        })
    }

    fn crl(der: &[u8]) -> Option<Record> {
        let list = <TbsCertList>::from_der(&Signed::read(der).ok()?.body().ok()?).ok()?;
        let extensions = list.crl_extensions.as_deref().unwrap_or_default();
        let number = x509::extension::<CrlNumber>(extensions).ok()?;
        let base = x509::extension::<BaseCrlNumber>(extensions).ok()?;
        Some(Record {
            issuer: common_name(&list.issuer),
            number: number.map(|number| hex(number.0.as_bytes())),
            base: base.map(|base| hex(base.0.as_bytes())),
            from: Some(x509::clock(list.this_update)),
            until: list.next_update.map(x509::clock),
            ..Record::of(RecordKind::Crl)
        })
    }

    fn query(der: &[u8]) -> Option<Record> {
        let query = Query::read(der).ok()?;
        Some(Record { serial: Some(serial(&query.certificate)), ..Record::of(RecordKind::OcspRequest) })
    }

    fn response(der: &[u8]) -> Option<Record> {
        let said = Record::of(RecordKind::OcspResponse);
        let response = match Response::read(der) {
            Ok(response) => response,
            Err(Reason::OcspTryLater) => return Some(Record { status: Some("error"), ..said }),
            Err(_) => return None,
        };
        let certificates = response.certificates.iter();
        Some(Record {
            issuer: response.responder.as_ref().and_then(common_name),
            serial: Some(serial(&response.certificate)),
            from: Some(response.this_update),
            until: response.next_update,
            status: Some(match response.status {
                Status::Good => "good",
                Status::Revoked { .. } => "revoked",
                Status::Unknown => "unknown",
            }),
            inside: certificates.map(|der| (RecordKind::Certificate, der.clone())).collect(),
            ..said
        })
    }
}

/// A clock's reading as a date of ISO 8601, in whole seconds of UTC.
pub fn date(at: UnixNanos) -> String {
    let date = DateTime::from_unix_duration(Duration::from_secs(at.seconds()));
    date.map_or_else(|_| at.seconds().to_string(), |date| date.to_string())
}

fn common_name(name: &Name) -> Option<String> {
    Some(name.common_name().ok()??.value().into_owned())
}

fn serial(of: &CertId) -> String {
    let number: &SerialNumber = &of.serial_number;
    hex(number.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
