//! Odd papers: what no authority here writes, signed all the same, with Ed25519.

use const_oid::{AssociatedOid, ObjectIdentifier};
use der::asn1::{Any, AnyRef, BitString, GeneralizedTime, Ia5String, OctetString};
use der::{DateTime, Decode, Encode, Sequence};
use mallory::crypto::SigningKey;
use mallory::time::UnixNanos;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use std::time::Duration;
use x509_cert::Certificate;
use x509_cert::certificate::Version;
use x509_cert::crl::{RevokedCert, TbsCertList};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BaseCrlNumber, BasicConstraints, CrlNumber, CrlReason, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectAltName,
};
use x509_cert::ext::{Extension, Extensions};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

use super::*;

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
pub const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");
/// Of nothing that there is.
const UNKNOWN: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.25.1234567");

pub fn algorithm() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid: ED25519, parameters: None }
}

pub fn name(common_name: &str) -> Name {
    format!("CN={common_name}").parse().expect("a name")
}

/// The subject of a certificate, byte for byte.
pub fn subject_of(der: &[u8]) -> Name {
    Certificate::from_der(der).expect("a certificate").tbs_certificate().subject().clone()
}

pub fn time(at: UnixNanos) -> Time {
    Time::from(DateTime::from_unix_duration(Duration::from_secs(at.seconds())).expect("a date"))
}

/// An extension.
pub fn with<E: Encode + AssociatedOid>(critical: bool, value: &E) -> Extension {
    let extn_value = OctetString::new(value.to_der().expect("it encodes")).expect("it is short");
    Extension { extn_id: E::OID, critical, extn_value }
}

/// An extension that nobody knows.
pub fn unknown(critical: bool) -> Extension {
    let extn_value = OctetString::new([5, 0]).expect("it is short");
    Extension { extn_id: UNKNOWN, critical, extn_value }
}

/// What makes an authority of a certificate.
pub fn of_authority(path_len_constraint: Option<u8>) -> Vec<Extension> {
    let usage = KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign);
    vec![with(true, &BasicConstraints { ca: true, path_len_constraint }), with(true, &usage)]
}

/// What makes a subject of one.
pub fn of_subject(name: &str) -> Vec<Extension> {
    let names = vec![GeneralName::DnsName(Ia5String::new(name).expect("ASCII"))];
    let usage = KeyUsage(KeyUsages::DigitalSignature.into());
    vec![with(true, &usage), with(false, &SubjectAltName(names))]
}

/// What makes a responder of one.
pub fn of_responder() -> Vec<Extension> {
    vec![with(false, &ExtendedKeyUsage(vec![OCSP_SIGNING]))]
}

#[derive(Sequence)]
struct Signed<'a> {
    body: AnyRef<'a>,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

fn sign(body: &[u8], key: &SigningKey) -> Vec<u8> {
    let signature = BitString::from_bytes(&key.sign_x509(body)).expect("whole bytes");
    let body = AnyRef::from_der(body).expect("it is DER");
    Signed { body, algorithm: algorithm(), signature }.to_der().expect("it encodes")
}

#[derive(Sequence)]
struct Tbs {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: Version,
    serial: SerialNumber,
    algorithm: AlgorithmIdentifierOwned,
    issuer: Name,
    validity: Validity,
    subject: Name,
    key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Extensions,
}

/// A certificate by `issuer`.
pub fn certificate(
    (issuer, issuer_key): (&Name, &SigningKey),
    (subject, key): (&Name, &SigningKey),
    (from, until): (UnixNanos, UnixNanos),
    extensions: Vec<Extension>,
) -> Vec<u8> {
    let tbs = Tbs {
        version: Version::V3,
        serial: SerialNumber::from(77u64),
        algorithm: algorithm(),
        issuer: issuer.clone(),
        validity: Validity::new(time(from), time(until)),
        subject: subject.clone(),
        key: SubjectPublicKeyInfoOwned::from_der(&key.public()).expect("a key"),
        extensions,
    };
    sign(&tbs.to_der().expect("it encodes"), issuer_key)
}

/// A list.
pub struct List {
    pub issuer: Name,
    pub number: Option<u64>,
    pub base: Option<u64>,
    pub from: UnixNanos,
    pub until: Option<UnixNanos>,
    pub entries: Vec<RevokedCert>,
    pub more: Vec<Extension>,
}

impl List {
    /// An empty one that is current for a day from `START`.
    pub fn of(issuer: Name, number: u64) -> List {
        let (number, until) = (Some(number), Some(hours(24)));
        List { issuer, number, base: None, from: START, until, entries: Vec::new(), more: Vec::new() }
    }

    pub fn sign(self, key: &SigningKey) -> Vec<u8> {
        let mut extensions = self.more;
        let number = |n: u64| CrlNumber::try_from(n).expect("a number");
        extensions.extend(self.number.map(|n| with(false, &number(n))));
        extensions.extend(self.base.map(|n| with(true, &BaseCrlNumber(number(n).0))));
        let body: TbsCertList = TbsCertList {
            version: Version::V2,
            signature: algorithm(),
            issuer: self.issuer,
            this_update: time(self.from),
            next_update: self.until.map(time),
            revoked_certificates: Some(self.entries).filter(|entries| !entries.is_empty()),
            crl_extensions: Some(extensions).filter(|extensions| !extensions.is_empty()),
        };
        sign(&body.to_der().expect("it encodes"), key)
    }
}

pub fn entry(serial: u64, extensions: Vec<Extension>) -> RevokedCert {
    RevokedCert {
        serial_number: SerialNumber::from(serial),
        revocation_date: time(START),
        crl_entry_extensions: Some(extensions).filter(|extensions| !extensions.is_empty()),
    }
}

pub fn because(reason: CrlReason) -> Vec<Extension> {
    vec![with(false, &reason)]
}

#[derive(Sequence)]
struct Frame {
    status: Any,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    bytes: Typed,
}

#[derive(Sequence)]
struct Typed {
    id: ObjectIdentifier,
    bytes: OctetString,
}

#[derive(Sequence)]
struct Basic {
    data: Vec<Any>,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    certificates: Option<Vec<Any>>,
}

/// A response taken apart: responder, producedAt, responses (one), perhaps extensions.
pub struct OddResponse {
    status: Any,
    pub data: Vec<Any>,
    /// CertID, status, thisUpdate, perhaps nextUpdate and extensions.
    pub single: Vec<Any>,
}

/// A value in an explicit context-specific tag.
pub fn tagged(number: u8, value: &impl Encode) -> Any {
    let inside = value.to_der().expect("it encodes");
    let tag = der::Tag::ContextSpecific { constructed: true, number: der::TagNumber(number.into()) };
    Any::new(tag, inside).expect("it encodes")
}

pub fn any(value: &impl Encode) -> Any {
    Any::from_der(&value.to_der().expect("it encodes")).expect("it is DER")
}

pub fn generalized(at: UnixNanos) -> GeneralizedTime {
    GeneralizedTime::from_unix_duration(Duration::from_secs(at.seconds())).expect("a date")
}

impl OddResponse {
    pub fn read(der: &[u8]) -> OddResponse {
        let frame = Frame::from_der(der).expect("a response");
        let basic = Basic::from_der(frame.bytes.bytes.as_bytes()).expect("a basic response");
        let responses: Vec<Vec<Any>> = basic.data[2].decode_as().expect("responses");
        let [single] = responses.try_into().expect("one response");
        OddResponse { status: frame.status, data: basic.data, single }
    }

    pub fn sign(mut self, key: &SigningKey, certificates: &[&[u8]]) -> Vec<u8> {
        self.data[2] = any(&vec![self.single]);
        let signature = key.sign_x509(&self.data.to_der().expect("it encodes"));
        let certificates: Vec<Any> =
            certificates.iter().map(|der| Any::from_der(der).expect("it is DER")).collect();
        let basic = Basic {
            data: self.data,
            algorithm: algorithm(),
            signature: BitString::from_bytes(&signature).expect("whole bytes"),
            certificates: Some(certificates).filter(|all| !all.is_empty()),
        };
        let bytes = OctetString::new(basic.to_der().expect("it encodes")).expect("it is short");
        let frame = Frame { status: self.status, bytes: Typed { id: BASIC, bytes } };
        frame.to_der().expect("it encodes")
    }
}
