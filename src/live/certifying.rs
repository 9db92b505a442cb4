//! Certificates: of clients who are enrolled, renewed and revoked, and the server's own. What the
//! authority has done is kept, or taken back. Must not know who may ask for it.

use zeroize::Zeroizing;

use super::engine::{CONSOLE, Engine};
use super::kept::{
    Document, SERVER_DOCUMENT, ServerDocument, document_of, issued_document, issued_name, load_authority,
    read, write,
};
use super::members::{self, Member};
use super::settings::Settings;
use crate::crypto::{Signature, SigningKey};
use crate::limits::MAX_LIVE_CERTIFICATES;
use crate::pki::{Profile, RevocationReason, Revoked, TlsEnd, request_for_signing};
use crate::reason::Reason;
use crate::time::Span;
use crate::vault::{Bytes, Role};

/// Somebody who was enrolled.
pub struct Enrolled {
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
    /// The secret for its device for one-time codes.
    pub codes: Option<Zeroizing<Vec<u8>>>,
}

impl Engine {
    /// Enrols somebody who was not yet, and issues its first certificate.
    ///
    /// # Errors
    /// `KeyExists` for a name that is taken; `NotAuthorisedForName` for one that no client may
    /// have; the authority's and the vault's.
    pub fn enrol(
        &mut self,
        by: &str,
        (name, role, with_codes): (&str, Role, bool),
        request: &[u8],
    ) -> Result<Enrolled, Reason> {
        let is_servers = self.settings.names.iter().any(|server| server.eq_ignore_ascii_case(name));
        if !members::is_client_name(name) || is_servers {
            return Err(Reason::NotAuthorisedForName);
        }
        for (document, _) in self.gate.vault().kept_under(members::MEMBERS)? {
            let known = document.strip_prefix(members::MEMBERS).unwrap_or_default();
            if known == name {
                return Err(Reason::KeyExists);
            }
            if members::are_confusable(known, name) {
                return Err(Reason::NotAuthorisedForName);
            }
        }
        let codes = match with_codes {
            true => {
                let mut secret = Zeroizing::new(vec![0; 20]);
                self.gate.vault().generator()?.fill_bytes(&mut secret);
                Some(secret)
            }
            false => None,
        };
        let kept = codes.as_ref().map(|secret| Bytes::from(secret.clone()));
        let member = Member { role, codes: kept, last_step: None, revoked: false };
        let document = (members::document(name), Some(member.write()));
        let certificate = self.issue(by, "enrol", (name, Some(TlsEnd::Client)), request, vec![document])?;
        self.gate.enrol(name, role, member.totp());
        Ok(Enrolled { certificate, codes })
    }

    /// Issues another certificate to somebody who is enrolled.
    ///
    /// # Errors
    /// `ClientRevoked`; the authority's and the vault's.
    pub fn renew(&mut self, name: &str, request: &[u8]) -> Result<Vec<u8>, Reason> {
        if self.member(name)?.revoked {
            return Err(Reason::ClientRevoked);
        }
        self.issue(name, "renew", (name, Some(TlsEnd::Client)), request, Vec::new())
    }

    /// Revokes the certificates of somebody, who is served no more. Answers the serial numbers.
    ///
    /// # Errors
    /// `UnknownClient`; the vault's.
    pub fn revoke(&mut self, by: &str, name: &str, why: RevocationReason) -> Result<Vec<u64>, Reason> {
        self.fresh_authority()?;
        let mut member = self.member(name)?;
        member.revoked = true;
        let now = self.now();
        let serials = self.authority.revoke(name, why, now);
        let mut documents = vec![(members::document(name), Some(member.write()))];
        documents.extend(serials.iter().filter_map(|serial| self.authority.entry(*serial)).map(document_of));
        self.keep_issued(by, "revoke-client", name, documents)?;
        self.gate.revoke(name);
        self.tokens.revoke_of(name);
        Ok(serials)
    }

    /// Revokes one certificate, whose subject may have others. Answers whose it is.
    ///
    /// # Errors
    /// `CertificateUnknown`; `CertificateRevoked` if it was already; the vault's.
    pub fn revoke_one(&mut self, by: &str, serial: u64, reason: RevocationReason) -> Result<String, Reason> {
        self.fresh_authority()?;
        let subject = self.authority.entry(serial).ok_or(Reason::CertificateUnknown)?.subject.clone();
        let revoked = Revoked { reason, at: self.now(), invalid_since: None };
        if !self.authority.revoke_certificate(serial, revoked) {
            return Err(Reason::CertificateRevoked);
        }
        let documents = self.authority.entry(serial).map(document_of).into_iter().collect();
        self.keep_issued(by, "revoke-certificate", &subject, documents)?;
        Ok(subject)
    }

    /// A certificate that this authority issued, DER.
    ///
    /// # Errors
    /// `Sealed`, `CertificateUnknown`.
    pub fn issued(&mut self, serial: u64) -> Result<Vec<u8>, Reason> {
        let kept = self.gate.vault().kept(&issued_name(serial))?;
        kept.map(<[u8]>::to_vec).ok_or(Reason::CertificateUnknown)
    }

    /// The server's key and certificate: those that are kept if they are good for a while, else
    /// new ones.
    ///
    /// # Errors
    /// The authority's and the vault's.
    pub fn server(&mut self) -> Result<ServerDocument, Reason> {
        let now = self.now();
        let Settings { names, addresses, certificate_lifetime: lifetime, .. } = &*self.settings;
        let of = format!("{names:?} {addresses:?} {}", self.publish_url);
        if let Some(kept) = self.gate.vault().kept(SERVER_DOCUMENT)? {
            let kept: ServerDocument = read(kept)?;
            if kept.of == of && now.after(Span(lifetime.0 / 3)) < kept.not_after {
                return Ok(kept);
            }
        }
        let (name, lifetime) = (names[0].clone(), *lifetime);
        let key = Signature::EcdsaP256.generate(self.gate.vault().generator()?);
        let request = request_for_signing(&name, &key);
        let certificate =
            self.issue(CONSOLE, "certify-server", (&name, Some(TlsEnd::Server)), &request, Vec::new())?;
        let server = ServerDocument {
            key: Bytes::from(key.to_pkcs8()),
            certificate: certificate.into(),
            not_after: now.after(lifetime),
            of,
        };
        self.keep(CONSOLE, "keep-server", None, vec![(SERVER_DOCUMENT.to_owned(), Some(write(&server)))])?;
        Ok(server)
    }

    fn issue(
        &mut self,
        by: &str,
        what: &str,
        (name, end): (&str, Option<TlsEnd>),
        request: &[u8],
        mut documents: Vec<Document>,
    ) -> Result<Vec<u8>, Reason> {
        self.fresh_authority()?;
        if self.authority.log().len() >= MAX_LIVE_CERTIFICATES {
            return Err(Reason::VaultUnavailable);
        }
        let is_server = end == Some(TlsEnd::Server);
        let profile = Profile {
            end,
            dns_names: if is_server { self.settings.names[1..].to_vec() } else { Vec::new() },
            addresses: if is_server { self.settings.addresses.clone() } else { Vec::new() },
            crl: Some(format!("{}/crl.der", self.publish_url)),
            ocsp: Some(format!("{}/ocsp", self.publish_url)),
            issuer: Some(format!("{}/ca.der", self.publish_url)),
        };
        let now = self.now();
        let issued = self.authority.issue_as(request, name, &profile, now)?;
        documents.extend(self.authority.entry(issued.serial).map(document_of));
        documents.push(issued_document(issued.serial, &issued.der));
        self.keep_issued(by, what, name, documents)?;
        Ok(issued.der)
    }

    /// Keeps what the authority has done; if that cannot be, it is taken back.
    fn keep_issued(
        &mut self,
        by: &str,
        what: &str,
        about: &str,
        documents: Vec<Document>,
    ) -> Result<(), Reason> {
        let kept = self.keep(by, what, Some(about), documents);
        self.is_stale |= kept.is_err();
        kept
    }

    /// The authority as it is kept.
    fn fresh_authority(&mut self) -> Result<(), Reason> {
        let now = self.now();
        // What became of the last transaction is looked up by that.
        self.gate.vault().tick(now)?;
        if self.is_stale {
            self.authority = load_authority(self.gate.vault(), &self.settings, &self.publish_url)?;
            self.is_stale = false;
        }
        Ok(())
    }

    /// A certificate for a key that is made here, for who is enrolled where the service runs.
    ///
    /// # Errors
    /// As [`enrol`](Self::enrol).
    pub fn enrol_here(&mut self, name: &str, role: Role) -> Result<(SigningKey, Enrolled), Reason> {
        let key = Signature::EcdsaP256.generate(self.gate.vault().generator()?);
        let with_codes = self.settings.second_factor_of.contains(&role);
        let enrolled = self.enrol(CONSOLE, (name, role, with_codes), &request_for_signing(name, &key))?;
        Ok((key, enrolled))
    }
}
