//! Copies of the state, and how one becomes the state again: not if it is older than what the
//! anchor remembers or anybody has seen, unless somebody says so. Must not know requests.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::clock::Clock;
use super::engine::{CONSOLE, Engine};
use super::folder;
use super::kept::load_authority;
use super::service::Failure;
use super::settings::Settings;
use crate::limits::{MAX_ANCHOR_BYTES, MAX_VAULT_FILE_BYTES};
use crate::pki::Authority;
use crate::reason::Reason;
use crate::time::UnixNanos;
use crate::vault::{Anchor as _, Anchored, Caller, FileAnchor, FileStore, Store as _, Unsealing, Vault};

/// A vault's file and its anchor, in a backup.
const PARTS: [&str; 2] = ["vault", "anchor"];

impl Engine {
    /// Writes a backup, and answers its folder's name and how many transactions it has.
    ///
    /// # Errors
    /// `VaultUnavailable` if it cannot be written; the vault's.
    pub fn back_up(&mut self, by: &str) -> Result<(String, u64), Reason> {
        self.note_done(by, "back-up", None)?;
        let all = self.settings.backups_path();
        let store = self.gate.vault().store();
        let generation = store.anchored()?.ok_or(Reason::VaultRollback)?.generation;
        let name = format!("{generation:012}");
        let into = all.join(&name);
        folder::prepare(&all).and_then(|()| folder::prepare(&into)).map_err(|_| Reason::VaultUnavailable)?;
        let [vault, anchor] = PARTS.map(|part| into.join(part));
        let mark = store.copy_to(vault, FileAnchor::new(anchor))?;
        Ok((name, mark.generation))
    }
}

/// What is to become the state, and what is known of what there was.
#[derive(Clone, Default, Debug)]
pub struct Restoring {
    /// A backup's folder.
    pub from: PathBuf,
    /// CRLs and certificates of the authority that others hold, DER or PEM, with the names by
    /// which to call them.
    pub seen: Vec<(String, Vec<u8>)>,
    /// Versions of keys that others have met.
    pub versions: Vec<(String, u32)>,
    /// Whether it may be older.
    pub older: bool,
}

/// What became the state.
#[derive(Clone, Debug)]
pub struct Restored {
    /// How many transactions it has.
    pub transactions: u64,
    /// In what it is older, if it was said that it may be.
    pub forgotten: Vec<String>,
}

/// Puts a backup in the state's place. What was there is kept beside it, as `vault-before`.
///
/// # Errors
/// What is wrong with the backup, its passphrase or the state; in what the backup is older, each
/// on a line with its reason's word.
pub fn restore(settings: &Settings, restoring: &Restoring, passphrase: &[u8]) -> Result<Restored, Failure> {
    let state = settings.state.display();
    folder::prepare(&settings.state).map_err(|error| Failure(format!("{state}: {error}")))?;
    let lock = folder::lock(&settings.state).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => Failure(format!("{state}: another process uses it")),
        _ => Failure(format!("{state}/lock: {error}")),
    })?;
    // The backup itself stays as it is: opening a vault writes to it.
    let beside = settings.state.join("restoring");
    let copied = copy(&restoring.from, &beside);
    let done = copied.and_then(|()| put(settings, restoring, &beside, passphrase));
    // What is left of it is not taken for the state.
    let _ = fs::remove_dir_all(&beside);
    drop(lock);
    done
}

fn copy(from: &Path, beside: &Path) -> Result<(), Failure> {
    let failure = |path: &Path, error: std::io::Error| Failure(format!("{}: {error}", path.display()));
    match fs::remove_dir_all(beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failure(beside, error)),
        _ => folder::prepare(beside).map_err(|error| failure(beside, error))?,
    }
    for (part, most) in PARTS.into_iter().zip([MAX_VAULT_FILE_BYTES, MAX_ANCHOR_BYTES]) {
        let path = from.join(part);
        folder::copy(&path, &beside.join(part), most).map_err(|error| failure(&path, error))?;
    }
    Ok(())
}

fn put(
    settings: &Settings,
    restoring: &Restoring,
    beside: &Path,
    passphrase: &[u8],
) -> Result<Restored, Failure> {
    let from = restoring.from.display();
    let words = |reason: Reason| Failure(format!("{from}: {reason}: {}", reason.meaning()));
    let [file, anchor] = PARTS.map(|part| beside.join(part));
    let own = FileAnchor::new(&anchor);
    let mark = own.read().map_err(words)?.ok_or(Reason::VaultRollback).map_err(words)?.mark;
    let mut vault = Vault::open(FileStore::open(&file, own.clone()).map_err(words)?).map_err(words)?;
    vault.unseal(Unsealing::Passphrase(passphrase)).map_err(|refused| match refused {
        Reason::DecryptFailed => Failure(format!("{from}: the passphrase does not open it")),
        other => words(other),
    })?;
    let now = Clock::default().now();
    let kept = FileAnchor::new(settings.anchor_path());
    let mut forgotten = Vec::new();
    let known = known(&kept, &mut forgotten);
    match known {
        Some(known) if known.mark.generation > mark.generation => forgotten.push(format!(
            "{}: the state has acknowledged {} transactions, and the backup has {}",
            Reason::VaultRollback,
            known.mark.generation,
            mark.generation
        )),
        Some(known) if known.mark.generation == mark.generation && known.mark.root != mark.root => {
            forgotten.push(format!("{}: the state is of another history", Reason::VaultRollback));
        }
        _ => {}
    }
    let authority = load_authority(&vault, settings, "").map_err(words)?;
    forgotten.extend(unseen(&authority, &restoring.seen, now)?);
    for (name, version) in &restoring.versions {
        let latest = vault.key(name).map(|key| key.latest().number).unwrap_or_default();
        if latest < *version {
            forgotten.push(format!(
                "{}: {name} is at version {latest}, and somebody has met version {version}",
                Reason::VaultRollback
            ));
        }
    }
    if known.is_none() && restoring.seen.is_empty() && restoring.versions.is_empty() && forgotten.is_empty() {
        forgotten.push(format!(
            "{}: there is no anchor, and nothing that anybody has seen, to hold it against",
            Reason::VaultRollback
        ));
    }
    if !forgotten.is_empty() && !restoring.older {
        return Err(Failure(forgotten.join("\n")));
    }
    let what = if forgotten.is_empty() { "restore" } else { "restore-older" };
    vault.keep(Caller { name: CONSOLE, now }, what, None, Vec::new()).map_err(words)?;
    vault.close().map_err(words)?;
    let closed = own.read().map_err(words)?.ok_or(Reason::VaultRollback).map_err(words)?;
    in_place(settings, (&file, closed), kept, restoring.older)?;
    Ok(Restored { transactions: closed.mark.generation, forgotten })
}

/// What the state's anchor remembers; nothing if there is none.
fn known(anchor: &FileAnchor, forgotten: &mut Vec<String>) -> Option<Anchored> {
    anchor.read().unwrap_or_else(|reason| {
        forgotten.push(format!("{reason}: the state's anchor: {}", reason.meaning()));
        None
    })
}

/// What others have seen and the authority of the backup does not know.
fn unseen(authority: &Authority, seen: &[(String, Vec<u8>)], now: UnixNanos) -> Result<Vec<String>, Failure> {
    let mut forgotten = Vec::new();
    for (name, bytes) in seen {
        let (label, der) = match der::pem::decode_vec(bytes) {
            Ok((label, der)) => (Some(label), der),
            Err(_) => (None, bytes.clone()),
        };
        let checked = match label {
            Some("CERTIFICATE") => authority.check_seen_certificate(&der),
            Some("X509 CRL") => authority.check_seen_crl(&der, now),
            Some(_) => Err(Reason::Malformed),
            None => match authority.check_seen_crl(&der, now) {
                Err(Reason::Malformed) => authority.check_seen_certificate(&der),
                other => other,
            },
        };
        match checked {
            Ok(()) => {}
            Err(reason @ Reason::CrlRollback) => forgotten.push(format!(
                "{reason}: {name} has a later number, or revocations that the backup does not know"
            )),
            Err(reason @ Reason::CertificateUnknown) => {
                forgotten.push(format!("{reason}: {name} was issued, and the backup does not know it"));
            }
            Err(reason) => {
                let text = "expected a certificate or a CRL of this authority, DER or PEM";
                return Err(Failure(format!("{name}: {reason}: {text}")));
            }
        }
    }
    Ok(forgotten)
}

/// The file first: with an anchor that is ahead of it, or with none, it does not open.
fn in_place(
    settings: &Settings,
    (file, closed): (&Path, Anchored),
    mut kept: FileAnchor,
    older: bool,
) -> Result<(), Failure> {
    let (path, anchor) = (settings.vault_path(), settings.anchor_path());
    let failure = |path: &Path, error: std::io::Error| Failure(format!("{}: {error}", path.display()));
    let skip_missing = |done: std::io::Result<()>| match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    };
    skip_missing(fs::rename(&path, settings.state.join("vault-before"))).map_err(|e| failure(&path, e))?;
    fs::rename(file, &path).map_err(|error| failure(&path, error))?;
    if older {
        skip_missing(fs::remove_file(&anchor)).map_err(|error| failure(&anchor, error))?;
    }
    kept.write(closed)
        .map_err(|reason| Failure(format!("{}: {reason}: {}", anchor.display(), reason.meaning())))
}
