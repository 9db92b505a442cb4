//! What is wrong with certificates that an authority should never have signed: mistakes of its
//! own, or of whoever has its key. Real X.509, each with one flaw that a standard forbids. Must not
//! know who is shown it.

use const_oid::ObjectIdentifier;
use der::asn1::{Ia5String, Null};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, NameConstraints, SubjectAltName,
    SubjectKeyIdentifier,
};

use super::issuer::Issuer;
use super::profile::Profile;
use super::request::Request;
use super::x509;
use crate::crypto::SigningKey;
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};

/// codeSigning (RFC 5280 §4.2.1.12).
const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
/// Below the number for examples (RFC 5612): no extension has it.
const UNKNOWN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1");
/// What a deputy that is limited to other names may certify.
const OTHER_NAMES: &str = "example.org";
/// What follows the zero byte in a name.
const AFTER_NUL: &str = "\0.mallory.example";

const YEAR: Span = Span::seconds(365 * 86_400);
const DAY: Span = Span::seconds(86_400);

macro_rules! flaws {
    ($($variant:ident = $word:literal, $meaning:literal;)+) => {
        /// What is wrong with a certificate, or with an authority's on its path.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Flaw { $(#[doc = $meaning] $variant,)+ }

        impl Flaw {
            /// Every flaw, in the order in which the documentation lists them.
            pub const ALL: &'static [Flaw] = &[$(Flaw::$variant,)+];

            /// The word of scenario files.
            pub fn word(self) -> &'static str {
                match self { $(Flaw::$variant => $word,)+ }
            }

            /// What is wrong, in one clause, with its source.
            pub fn meaning(self) -> &'static str {
                match self { $(Flaw::$variant => $meaning,)+ }
            }
        }
    };
}

flaws! {
    Expired = "expired", "its notAfter is a day past (RFC 5280 §4.1.2.5)";
    NotYetValid = "not-yet-valid", "its notBefore is a year ahead (RFC 5280 §4.1.2.5)";
    WrongUsage = "wrong-usage", "its key usage is signing certificates and lists (RFC 5280 §4.2.1.3)";
    WrongExtendedUsage = "wrong-extended-usage", "its extended key usage is signing code (RFC 5280 §4.2.1.12)";
    UnknownCritical = "unknown-critical", "it has a critical extension that nobody knows (RFC 5280 §4.2)";
    TwoExtensions = "two-extensions", "it has one extension twice (RFC 5280 §4.2)";
    NoName = "no-name", "it has the name as its common name only (RFC 9525 §2)";
    NulInName = "nul-in-name", "a zero byte ends the name for who reads it as C does (CVE-2009-2408)";
    BadSignature = "bad-signature", "a bit of the authority's signature is another (RFC 5280 §6.1.3 (a)(1))";
    SelfSigned = "self-signed", "it is signed with its own key (RFC 5280 §6.1)";
    DeputyNotCa = "deputy-not-a-ca", "who signed it is certified, and no authority (RFC 5280 §6.1.4 (k))";
    DeputyWithoutCertSign = "deputy-without-cert-sign", "the authority that signed it may not sign certificates (RFC 5280 §6.1.4 (n))";
    DeputyExpired = "deputy-expired", "the authority that signed it has expired (RFC 5280 §6.1.3 (a)(2))";
    DeputyOfOthers = "deputy-of-other-names", "the authority that signed it may certify other names only (RFC 5280 §4.2.1.10)";
    DeputyUnknownCritical = "deputy-unknown-critical", "the authority that signed it has a critical extension that nobody knows (RFC 5280 §6.1.4 (o))";
    PathTooLong = "path-too-long", "an authority signed for another below it, which it may not (RFC 5280 §6.1.4 (l))";
}

/// Who signs a flawed certificate.
pub struct Hand<'a> {
    /// The authority's name.
    pub authority: &'a str,
    /// Its key.
    pub key: &'a SigningKey,
    /// The key that the certificate is for.
    pub own: &'a SigningKey,
    /// Keys of authorities below the authority's.
    pub deputies: [&'a SigningKey; 2],
}

/// A certificate for what a request asks for, with this flaw, and the certificates between it and
/// the authority, from the subject's side. What else it says is as `profile` has it.
///
/// # Errors
/// `Malformed`, `CertificateWrongUsage`, `NotAuthorisedForName` for a name that no
/// certificate can hold.
pub fn forge_flawed(
    flaw: Flaw,
    hand: &Hand<'_>,
    request: &[u8],
    serial: u64,
    since: UnixNanos,
    profile: &Profile,
) -> Result<(Vec<u8>, Vec<Vec<u8>>), Reason> {
    let request = Request::read(request, false)?;
    write(flaw, hand, &request, serial, since, profile).map_err(|_| Reason::NotAuthorisedForName)
}

fn write(
    flaw: Flaw,
    hand: &Hand<'_>,
    request: &Request,
    serial: u64,
    since: UnixNanos,
    profile: &Profile,
) -> der::Result<(Vec<u8>, Vec<Vec<u8>>)> {
    let long_ago = UnixNanos(since.0.saturating_sub(YEAR.0));
    let valid = (since, since.after(YEAR));
    let root = Issuer::root(hand.authority, hand.key.clone(), long_ago, valid.1)?;
    let deputy = |nth: usize, above: &Issuer, extensions: Extensions, validity| -> der::Result<Issuer> {
        let name = format!("{} {}", hand.authority, nth + 1);
        let mut deputy = Issuer::root(&name, hand.deputies[nth].clone(), long_ago, valid.1)?;
        let subject = (deputy.name.clone(), deputy.public_key.clone());
        deputy.certificate = above.certify(serial + 1 + nth as u64, validity, subject, extensions)?;
        Ok(deputy)
    };
    let past = (long_ago, UnixNanos(since.0.saturating_sub(DAY.0)));
    let below = |issuer: &Issuer| issuer.leaf(serial, request, valid, (false, profile));
    let under = |ca: Option<Option<u8>>, usage, more: fn(&mut Extensions) -> der::Result<()>, validity| {
        let mut extensions = authority(&root, ca, usage)?;
        more(&mut extensions)?;
        let deputy = deputy(0, &root, extensions, validity)?;
        Ok::<_, der::Error>((below(&deputy)?, vec![deputy.certificate]))
    };
    let nothing: fn(&mut Extensions) -> der::Result<()> = |_| Ok(());
    let signs = KeyUsages::KeyCertSign | KeyUsages::CRLSign;
    let alone = |certificate: Vec<u8>| Ok((certificate, Vec::new()));
    match flaw {
        Flaw::Expired => alone(root.leaf(serial, request, past, (false, profile))?),
        Flaw::NotYetValid => {
            let ahead = (since.after(YEAR), since.after(YEAR).after(YEAR));
            alone(root.leaf(serial, request, ahead, (false, profile))?)
        }
        Flaw::WrongUsage | Flaw::WrongExtendedUsage | Flaw::UnknownCritical | Flaw::TwoExtensions => {
            alone(leaf(flaw, &root, request, (serial, valid), profile)?)
        }
        Flaw::NoName | Flaw::NulInName => alone(leaf(flaw, &root, request, (serial, valid), profile)?),
        Flaw::BadSignature => {
            let mut certificate = below(&root)?;
            if let Some(last) = certificate.last_mut() {
                *last ^= 1;
            }
            alone(certificate)
        }
        Flaw::SelfSigned => {
            let own = Issuer::root(&request.name, hand.own.clone(), long_ago, valid.1)?;
            alone(below(&own)?)
        }
        Flaw::DeputyNotCa => under(None, KeyUsages::DigitalSignature.into(), nothing, valid),
        Flaw::DeputyWithoutCertSign => {
            under(Some(None), KeyUsages::DigitalSignature | KeyUsages::CRLSign, nothing, valid)
        }
        Flaw::DeputyExpired => under(Some(None), signs, nothing, past),
        Flaw::DeputyOfOthers => under(Some(None), signs, to_other_names, valid),
        Flaw::DeputyUnknownCritical => under(Some(None), signs, unknown, valid),
        Flaw::PathTooLong => {
            let first = deputy(0, &root, authority(&root, Some(Some(0)), signs)?, valid)?;
            let second = deputy(1, &first, authority(&first, Some(None), signs)?, valid)?;
            Ok((below(&second)?, vec![second.certificate, first.certificate]))
        }
    }
}

/// What a deputy's certificate says: whether it is an authority, and for how many below it; what
/// its key may be used for; who signed.
fn authority(
    above: &Issuer,
    ca: Option<Option<u8>>,
    usage: der::flagset::FlagSet<KeyUsages>,
) -> der::Result<Extensions> {
    let mut extensions = Extensions::new();
    if let Some(path_len_constraint) = ca {
        x509::extend(&mut extensions, &above.name, &BasicConstraints { ca: true, path_len_constraint })?;
    }
    x509::extend(&mut extensions, &above.name, &KeyUsage(usage))?;
    x509::extend(&mut extensions, &above.name, &above.key_id()?)?;
    Ok(extensions)
}

fn unknown(extensions: &mut Extensions) -> der::Result<()> {
    extensions.push(x509::raw_extension(UNKNOWN, true, &Null)?);
    Ok(())
}

fn to_other_names(extensions: &mut Extensions) -> der::Result<()> {
    let base = GeneralName::DnsName(Ia5String::new(OTHER_NAMES)?);
    let permitted = GeneralSubtree { base, minimum: 0, maximum: None };
    let constraints = NameConstraints { permitted_subtrees: Some(vec![permitted]), excluded_subtrees: None };
    extensions.push(x509::raw_extension(x509::NAME_CONSTRAINTS, true, &constraints)?);
    Ok(())
}

/// A subject's certificate as the authority writes it, but for the flaw.
fn leaf(
    flaw: Flaw,
    issuer: &Issuer,
    request: &Request,
    (serial, validity): (u64, (UnixNanos, UnixNanos)),
    profile: &Profile,
) -> der::Result<Vec<u8>> {
    let host = profile.dns_names.first().unwrap_or(&request.name);
    let subject = x509::name(if flaw == Flaw::NoName { host } else { &request.name })?;
    let mut extensions = Extensions::new();
    let usage = match flaw {
        Flaw::WrongUsage => KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign),
        _ => request.purpose.key_usage(),
    };
    x509::extend(&mut extensions, &subject, &usage)?;
    let dns = |name: &str| Ok::<_, der::Error>(GeneralName::DnsName(Ia5String::new(name)?));
    let names = match flaw {
        Flaw::NoName => Vec::new(),
        Flaw::NulInName => {
            let all = [&request.name].into_iter().chain(&profile.dns_names);
            all.map(|name| dns(&format!("{name}{AFTER_NUL}"))).collect::<Result<_, _>>()?
        }
        _ => [vec![dns(&request.name)?], profile.names()?].concat(),
    };
    if !names.is_empty() {
        x509::extend(&mut extensions, &subject, &SubjectAltName(names))?;
    }
    let key_id = x509::key_identifier(&request.public_key)?;
    x509::extend(&mut extensions, &subject, &SubjectKeyIdentifier(key_id))?;
    x509::extend(&mut extensions, &subject, &issuer.key_id()?)?;
    match flaw {
        Flaw::WrongExtendedUsage => {
            x509::extend(&mut extensions, &subject, &ExtendedKeyUsage(vec![CODE_SIGNING]))?;
        }
        Flaw::UnknownCritical => unknown(&mut extensions)?,
        Flaw::TwoExtensions => x509::extend(&mut extensions, &subject, &usage)?,
        _ => {}
    }
    Profile { end: None, ..profile.clone() }.extend(&mut extensions, &subject)?;
    issuer.certify(serial, validity, (subject, request.public_key.clone()), extensions)
}
