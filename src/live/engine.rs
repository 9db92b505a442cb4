//! What is behind the desk: the gate with its vault, the authority, the register of both, one
//! request at a time. Everything that must outlive the process lies in the vault's file. Must not
//! know HTTP.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::clock::Clock;
use super::consents::Consents;
use super::members::{self, Member};
use super::metrics::Counts;
use super::request::{Asker, Refusal};
use super::settings::Settings;
use super::tokens::Tokens;
use crate::crypto::{self, Signature, SigningKey};
use crate::limits::{MAX_LIVE_CERTIFICATES, MAX_LIVE_STRANGERS};
use crate::pki::{
    Authority, AuthorityPolicy, Entry, OcspPolicy, Profile, RevocationReason, TlsEnd, request_for_signing,
};
use crate::reason::Reason;
use crate::time::{Span, UnixNanos};
use crate::vault::{
    Bytes, Caller, FileStore, Gate, Limiter, Matter, Operation, Proved, Rate, Received, Request, Response,
    Role, Vault,
};

/// Of whom the audit log says that something was done where the service was started.
pub const CONSOLE: &str = "(console)";
/// Who is refused without having proved a name.
const NOBODY: &str = "(nobody)";
/// The authority's name.
const AUTHORITY: &str = "Mallory rehearsal authority";
/// Its document.
const AUTHORITY_DOCUMENT: &str = "authority";
/// How documents about certificates are called.
const CERTIFICATES: &str = "certificate/";
/// The server's own.
const SERVER_DOCUMENT: &str = "server";

type Document = (String, Option<Zeroizing<Vec<u8>>>);

/// The gate, the authority and what they know.
pub struct Engine {
    pub settings: Arc<Settings>,
    pub gate: Gate<FileStore>,
    pub authority: Authority,
    pub tokens: Tokens,
    pub consents: Consents,
    pub counts: Counts,
    clock: Clock,
    publish_url: String,
    /// Whether the authority in memory may be ahead of what is kept.
    is_stale: bool,
    strangers: Limiter,
    unsealings: Limiter,
}

/// What is kept of the authority.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorityDocument {
    key: Bytes,
    since: UnixNanos,
    crl_period: Span,
}

/// What is kept of the server's certificate.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerDocument {
    /// Its private key, PKCS#8.
    pub key: Bytes,
    /// Its certificate, DER.
    pub certificate: Bytes,
    not_after: UnixNanos,
    of: String,
}

/// Who asks, when it is known.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// What else is known.
    pub asker: Asker,
}

/// Somebody who was enrolled.
pub struct Enrolled {
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
    /// The secret for its device for one-time codes.
    pub codes: Option<Zeroizing<Vec<u8>>>,
}

impl Engine {
    /// Puts the guards in front of an unsealed vault, and brings back, or makes, what it keeps.
    ///
    /// # Errors
    /// `InvalidSettings` if the authority was made with another CRL period, by which it counts its
    /// lists; the vault's.
    pub fn start(
        mut vault: Vault<FileStore>,
        settings: Arc<Settings>,
        publish_url: String,
    ) -> Result<Engine, Reason> {
        let mut clock = Clock::default();
        let now = clock.now();
        if vault.kept(AUTHORITY_DOCUMENT)?.is_none() {
            let key = Signature::EcdsaP256.generate(vault.generator()?);
            // X.509 has whole seconds.
            let since = UnixNanos(Span::seconds(now.seconds()).0);
            let key = Bytes::from(key.to_pkcs8());
            let document = write(&AuthorityDocument { key, since, crl_period: settings.crl_period });
            let by = Caller { name: CONSOLE, now };
            vault.keep(by, "make-authority", None, vec![(AUTHORITY_DOCUMENT.to_owned(), Some(document))])?;
        }
        let authority = load_authority(&vault, &settings)?;
        let members = load_members(&vault)?;
        let rate = |burst| Limiter::new(Rate { burst, per: Span::seconds(10) });
        let mut engine = Engine {
            gate: Gate::new(vault, settings.policy()),
            authority,
            settings,
            clock,
            publish_url,
            tokens: Tokens::default(),
            consents: Consents::default(),
            counts: Counts::default(),
            is_stale: false,
            strangers: rate(MAX_LIVE_STRANGERS),
            unsealings: rate(5),
        };
        for (name, member) in members {
            engine.gate.enrol(&name, member.role, member.totp());
            if member.revoked {
                engine.gate.revoke(&name);
            }
        }
        Ok(engine)
    }

    /// What time it is.
    pub fn now(&mut self) -> UnixNanos {
        self.clock.now()
    }

    /// Who is at the other end of a connection: the subject of its certificate, which this
    /// authority issued, has not revoked and still vouches for. A token must be its own.
    ///
    /// # Errors
    /// `Unauthenticated`, `CertificateRevoked`, `CertificateExpired`, `RateLimited`.
    pub fn who(&mut self, asker: &Asker) -> Result<Client, Refusal> {
        let now = self.now();
        let found = asker.certificate.as_ref().and_then(|certificate| self.authority.issued(certificate));
        let refused = match found {
            None => Reason::Unauthenticated,
            Some(entry) if entry.revoked().is_some() => Reason::CertificateRevoked,
            Some(entry) if entry.not_after < now => Reason::CertificateExpired,
            Some(entry) => {
                let name = entry.subject.clone();
                let token = asker.token.as_ref().map(|token| self.tokens.of(token, now));
                match token {
                    None => return Ok(Client { name, asker: asker.clone() }),
                    Some(Ok((of, _))) if of == name => return Ok(Client { name, asker: asker.clone() }),
                    Some(_) => Reason::Unauthenticated,
                }
            }
        };
        let flood = self.strangers.take(&asker.source, now);
        Err(Refusal { reason: flood.err().unwrap_or(refused), detail: None, is_recorded: flood.is_err() })
    }

    /// Has the gate decide about an operation, and the vault carry it out.
    ///
    /// # Errors
    /// The gate's and the vault's, which are recorded already.
    pub fn operate(&mut self, client: &Client, operation: Operation) -> Result<Response, Refusal> {
        let now = self.now();
        let consent = self.consents.take(&client.name, &operation, now);
        let request = Request { code: client.asker.code.clone(), ..Request::new(&client.name, operation) };
        let received = Received {
            proved: Some(Proved::asserted(&client.name)),
            consent,
            is_private: true,
            ..Received::new(request, &client.asker.source)
        };
        let step = self.gate.last_code_step(&client.name);
        let answer = self.gate.handle(&received, now);
        self.keep_step(&client.name, step)?;
        self.counts.operation(received.request.operation.verb(), answer.is_ok());
        answer.map_err(|reason| {
            let mut refusal = Refusal::recorded(reason);
            if reason == Reason::NeedsSecondApprover {
                let number = self.consents.wait(&client.name, &received.request.operation, now);
                refusal.detail = number.map(|number| {
                    format!("a second administrator: POST /consent {{\"operation\": \"{number}\"}}")
                });
            }
            refusal
        })
    }

    /// Has the gate decide about something that is no operation of the vault.
    ///
    /// # Errors
    /// As [`Gate::admit_matter`].
    pub fn admit(&mut self, client: &Client, roles: &[Role], needs_code: bool) -> Result<(), Refusal> {
        let now = self.now();
        let proved = Proved::asserted(&client.name);
        let code = client.asker.code.as_deref();
        let step = self.gate.last_code_step(&client.name);
        let matter = Matter { proved: &proved, source: &client.asker.source, code, roles, needs_code };
        let admitted = self.gate.admit_matter(&matter, now);
        self.keep_step(&client.name, step)?;
        Ok(admitted?)
    }

    /// A code that was used stays used over a restart.
    fn keep_step(&mut self, name: &str, before: Option<u64>) -> Result<(), Reason> {
        let step = self.gate.last_code_step(name);
        if step == before || self.gate.vault().is_sealed() {
            return Ok(());
        }
        let mut member = self.member(name)?;
        member.last_step = step;
        self.keep(name, "use-code", None, vec![(members::document(name), Some(member.write()))])
    }

    /// Records that something was refused.
    ///
    /// # Errors
    /// `Sealed`, `AuditUnavailable`.
    pub fn note_refused(&mut self, name: Option<&str>, what: &str, reason: Reason) -> Result<(), Reason> {
        let by = Caller { name: name.unwrap_or(NOBODY), now: self.now() };
        self.gate.vault().note_refused(by, what, reason)
    }

    /// Records that something was done which changes nothing that is kept.
    pub fn note_done(&mut self, name: &str, what: &str, about: Option<&str>) -> Result<(), Reason> {
        self.keep(name, what, about, Vec::new())
    }

    fn keep(
        &mut self,
        by: &str,
        operation: &str,
        about: Option<&str>,
        documents: Vec<Document>,
    ) -> Result<(), Reason> {
        let by = Caller { name: by, now: self.now() };
        self.gate.vault().keep(by, operation, about, documents)
    }

    /// What is kept of somebody.
    ///
    /// # Errors
    /// `Sealed`, `UnknownClient`.
    pub fn member(&mut self, name: &str) -> Result<Member, Reason> {
        Member::read(self.gate.vault().kept(&members::document(name))?.ok_or(Reason::UnknownClient)?)
    }

    /// Everybody who is enrolled.
    ///
    /// # Errors
    /// `Sealed`.
    pub fn members(&mut self) -> Result<Vec<(String, Member)>, Reason> {
        load_members(self.gate.vault())
    }

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
        if self.gate.vault().kept(&members::document(name))?.is_some() {
            return Err(Reason::KeyExists);
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
        Ok(serials)
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
            self.authority = load_authority(self.gate.vault(), &self.settings)?;
            self.is_stale = false;
        }
        Ok(())
    }

    /// Does what the time has come for.
    ///
    /// # Errors
    /// The vault's.
    pub fn tick(&mut self) -> Result<(), Reason> {
        let now = self.now();
        if self.gate.vault().is_sealed() {
            return Ok(());
        }
        self.gate.vault().tick(now).map(drop)
    }

    /// Counts an attempt to unseal.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn admit_unsealing(&mut self, name: &str) -> Result<(), Reason> {
        let now = self.now();
        self.unsealings.take(name, now)
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

    /// A token for somebody.
    ///
    /// # Errors
    /// `RateLimited`, `EntropyUnavailable`.
    pub fn log_in(&mut self, name: &str) -> Result<String, Reason> {
        let mut random = [0; 32];
        self.gate.vault().generator()?.fill_bytes(&mut random);
        let (now, lifetime) = (self.now(), self.settings.token_lifetime);
        self.tokens.issue(name, random, (now, lifetime))
    }

    /// Random bytes of the system.
    ///
    /// # Errors
    /// `EntropyUnavailable`.
    pub fn random(&mut self, len: usize) -> Result<Zeroizing<Vec<u8>>, Reason> {
        let mut bytes = Zeroizing::new(vec![0; len]);
        self.gate.vault().generator()?.fill_bytes(&mut bytes);
        Ok(bytes)
    }

    /// Whether a key's owner has said that it may be deleted by transit's DELETE.
    ///
    /// # Errors
    /// `Sealed`.
    pub fn may_delete(&mut self, key: &str) -> Result<bool, Reason> {
        Ok(self.gate.vault().kept(&deletion(key))?.is_some())
    }

    /// Notes whether it may.
    ///
    /// # Errors
    /// The vault's.
    pub fn allow_deletion(&mut self, by: &str, key: &str, allowed: bool) -> Result<(), Reason> {
        let document = allowed.then(Zeroizing::default);
        self.keep(by, "allow-deletion", Some(key), vec![(deletion(key), document)])
    }

    /// Closes the vault cleanly.
    ///
    /// # Errors
    /// The vault's.
    pub fn close(self) -> Result<(), Reason> {
        self.gate.into_vault().close()
    }
}

fn load_authority(vault: &Vault<FileStore>, settings: &Settings) -> Result<Authority, Reason> {
    let document: AuthorityDocument = read(vault.kept(AUTHORITY_DOCUMENT)?.ok_or(Reason::VaultTampered)?)?;
    if document.crl_period != settings.crl_period {
        return Err(Reason::InvalidSettings);
    }
    let key = SigningKey::from_pkcs8(&document.key).map_err(|_| Reason::VaultTampered)?;
    let entries = vault.kept_under(CERTIFICATES)?.map(|(_, entry)| read(entry));
    let entries: Vec<Entry> = entries.collect::<Result<_, _>>()?;
    let policy = AuthorityPolicy {
        certificate_lifetime: settings.certificate_lifetime,
        crl_period: settings.crl_period,
        crl_lifetime: settings.crl_lifetime,
        ocsp: OcspPolicy { lifetime: settings.ocsp_lifetime, ..OcspPolicy::default() },
        ..AuthorityPolicy::default()
    };
    let name = format!("{AUTHORITY} {}", hex::encode(&crypto::sha256(&[&key.public()])[..4]));
    Authority::resumed(&name, key, document.since, policy, entries).map_err(|_| Reason::VaultTampered)
}

fn load_members(vault: &Vault<FileStore>) -> Result<Vec<(String, Member)>, Reason> {
    let member = |(name, document): (&str, &[u8])| {
        Ok((name.trim_start_matches(members::MEMBERS).to_owned(), Member::read(document)?))
    };
    vault.kept_under(members::MEMBERS)?.map(member).collect()
}

/// The document that says that a key may be deleted.
fn deletion(key: &str) -> String {
    format!("deletable/{}", hex::encode(&crypto::sha256(&[key.as_bytes()])[..16]))
}

/// The document about a certificate; its name sorts as its number does.
fn document_of(entry: &Entry) -> Document {
    (format!("{CERTIFICATES}{:020}", entry.serial), Some(write(entry)))
}

fn write<T: Serialize>(value: &T) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(serde_json::to_vec(value).expect("a document has no keys but texts"))
}

fn read<T: for<'a> Deserialize<'a>>(document: &[u8]) -> Result<T, Reason> {
    serde_json::from_slice(document).map_err(|_| Reason::VaultTampered)
}
