//! Vaults in real files: closing and opening, old copies, lost anchors.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mallory::vault::{Anchor, Anchored, FileAnchor, FileStore, MemoryAnchor, System};

use super::*;

/// A folder that is gone afterwards.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("mallory-vault-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for tests");
        Folder(path)
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("keys.vault")
    }

    pub fn anchor(&self) -> FileAnchor {
        FileAnchor::new(self.0.join("keys.anchor"))
    }

    pub fn create(&self) -> Desk<FileStore, System> {
        let store = FileStore::create(self.file(), self.anchor()).expect("a new file");
        let vault = Vault::create(store, BY_PASSPHRASE, "root", START).expect("an empty store");
        Desk { vault, now: START }
    }

    pub fn open(&self) -> Result<Vault<FileStore>, Reason> {
        let mut vault = Vault::open(FileStore::open(self.file(), self.anchor())?)?;
        unseal(&mut vault)?;
        Ok(vault)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn keys_are_there_again() {
    let folder = Folder::new("again");
    let mut desk = folder.create();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    let ciphertext = desk.encrypt("k", b"text").expect("an active key encrypts");
    assert_eq!(folder.open().map(drop), Err(Reason::VaultUnavailable), "one at a time");
    desk.vault.close().expect("a clean close");
    for _ in 0..3 {
        desk.vault = folder.open().expect("it was closed");
        assert_eq!(desk.decrypt(&ciphertext), Ok(b"text".to_vec()));
        desk.vault.close().expect("a clean close");
    }
    // Not closed: what was acknowledged is there all the same.
    desk.vault = folder.open().expect("it was closed");
    desk.rotate("k");
    drop(desk.vault);
    desk.vault = folder.open().expect("it needs no clean close");
    assert_eq!(desk.key("k").latest().number, 2);
    assert_eq!(desk.vault.verify_audit().map(|head| head.records), Ok(7));
}

#[test]
fn a_new_vault_does_not_take_the_place_of_an_old_one() {
    let folder = Folder::new("again");
    let mut desk = folder.create();
    desk.generate("a", KeyKind::Aes256, Usage::Encrypt);
    desk.vault.close().expect("it closes");
    let elsewhere = FileAnchor::new(folder.0.join("mistyped.anchor"));
    assert_eq!(FileStore::create(folder.file(), elsewhere).err(), Some(Reason::VaultUnavailable));
    let vault = folder.open().expect("it is as it was");
    assert!(vault.key("a").is_ok());
}

#[test]
fn an_old_copy_is_refused() {
    let folder = Folder::new("old");
    let mut desk = folder.create();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    desk.vault.close().expect("a clean close");
    let old = fs::read(folder.file()).expect("it reads");
    desk.vault = folder.open().expect("it was closed");
    desk.must(&step("k", Transition::Compromise));
    // While it is at work, too.
    let at_work = fs::read(folder.file()).expect("it reads");
    desk.generate("l", KeyKind::Aes256, Usage::Encrypt);
    desk.vault.close().expect("a clean close");
    let new = fs::read(folder.file()).expect("it reads");
    for copy in [&old, &at_work] {
        fs::write(folder.file(), copy).expect("it writes");
        assert_eq!(folder.open().map(drop), Err(Reason::VaultRollback));
    }
    // Before anything was decrypted: not even a wrong passphrase is tried.
    assert_eq!(FileStore::open(folder.file(), folder.anchor()).map(drop), Err(Reason::VaultRollback));
    fs::write(folder.file(), &new).expect("it writes");
    desk.vault = folder.open().expect("the newest");
    assert_eq!(desk.key("k").state, KeyState::Compromised);
    // After an unclean stop there is no digest: the root says how old it is.
    desk.generate("m", KeyKind::Aes256, Usage::Encrypt);
    drop(desk.vault);
    let newest = fs::read(folder.file()).expect("it reads");
    for copy in [&old, &at_work, &new] {
        fs::write(folder.file(), copy).expect("it writes");
        let store = FileStore::open(folder.file(), folder.anchor()).expect("nothing is known of it yet");
        let mut vault = Vault::open(store).expect("a vault");
        assert_eq!(unseal(&mut vault), Err(Reason::VaultRollback));
        // Closing what was refused does not make it the right one.
        vault.close().expect("nothing to close");
    }
    fs::write(folder.file(), &newest).expect("it writes");
    assert!(folder.open().is_ok());
}

/// Two histories of one length: one was lost in a crash, and somebody kept a copy.
#[test]
fn another_history_of_the_same_age_is_refused() {
    let folder = Folder::new("fork");
    let mut desk = folder.create();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    desk.vault.close().expect("a clean close");
    let before = fs::read(folder.file()).expect("it reads");
    let anchor = folder.anchor().read().expect("it reads").expect("it was used");
    desk.vault = folder.open().expect("it was closed");
    desk.must(&step("k", Transition::Suspend));
    drop(desk.vault);
    let one = fs::read(folder.file()).expect("it reads");
    // Back to before, as if neither the file nor the anchor had got there.
    fs::write(folder.file(), &before).expect("it writes");
    fs::remove_file(folder.0.join("keys.anchor")).expect("it is there");
    folder.anchor().write(anchor).expect("it writes");
    desk.vault = folder.open().expect("it was closed");
    desk.must(&step("k", Transition::Compromise));
    drop(desk.vault);
    fs::write(folder.file(), &one).expect("it writes");
    assert_eq!(folder.open().map(drop), Err(Reason::VaultRollback));
}

#[test]
fn a_lost_or_changed_anchor_is_noticed() {
    let folder = Folder::new("anchor");
    let mut desk = folder.create();
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    desk.vault.close().expect("a clean close");
    let path = folder.0.join("keys.anchor");
    let good = fs::read(&path).expect("it reads");
    // One bit of each byte.
    for byte in 0..good.len() {
        let mut changed = good.clone();
        changed[byte] ^= 1 << (byte % 8);
        fs::write(&path, &changed).expect("it writes");
        let opened = FileStore::open(folder.file(), folder.anchor()).map(drop);
        assert_eq!(opened, Err(Reason::VaultTampered), "byte {byte}");
    }
    fs::remove_file(&path).expect("it is there");
    assert_eq!(folder.open().map(drop), Err(Reason::VaultRollback));
    fs::write(&path, &good).expect("it writes");
    // A new vault is not made over one that the anchor knows.
    let made = FileStore::create(folder.file(), folder.anchor());
    assert_eq!(made.map(drop), Err(Reason::VaultUnavailable));
    assert!(folder.open().is_ok());
}

#[test]
fn an_anchor_goes_forward_only() {
    let folder = Folder::new("forward");
    let mut desk = folder.create();
    let mut anchor = folder.anchor();
    let old = anchor.read().expect("it reads").expect("it was used");
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    assert_eq!(anchor.write(old), Err(Reason::VaultRollback));
}

#[test]
fn what_is_no_vault_is_no_vault() {
    let folder = Folder::new("none");
    assert_eq!(folder.open().map(drop), Err(Reason::VaultUnavailable));
    drop(folder.create().vault);
    fs::remove_file(folder.file()).expect("it is there");
    assert_eq!(folder.open().map(drop), Err(Reason::VaultUnavailable));
    for bytes in [b"".to_vec(), b"not a vault".to_vec(), vec![0; 8_192], vec![0xff; 100_000]] {
        fs::write(folder.file(), bytes).expect("it writes");
        assert!(folder.open().is_err());
    }
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_a_vault() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = Folder::new("modes");
    let anchor = folder.0.join("keys.anchor");
    let mode = |path: &std::path::Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let mut desk = folder.create();
    assert_eq!((mode(&folder.file()), mode(&anchor)), (0o600, 0o600));
    // Opened wider by somebody, the anchor is replaced by one that is not.
    fs::set_permissions(&anchor, fs::Permissions::from_mode(0o644)).expect("it is one's own");
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    assert_eq!(mode(&anchor), 0o600);
    desk.vault.close().expect("a clean close");

    // Nobody writes through a link that somebody else has put there.
    let others = folder.0.join("somebody's");
    fs::write(&others, b"precious").expect("it writes");
    for name in ["keys.anchor.new".to_owned(), format!("keys.anchor.{}-0.new", std::process::id())] {
        symlink(&others, folder.0.join(name)).expect("a link");
    }
    let mut vault = folder.open().expect("it was closed");
    let generate = Operation::Generate {
        key: "l".to_owned(),
        spec: KeySpec::new(KeyKind::Aes256, Usage::Encrypt, "alice"),
    };
    vault.perform("alice", &generate, Care::default(), START).expect("nothing is in the way");
    vault.close().expect("a clean close");
    assert_eq!(fs::read(&others).expect("it reads"), b"precious");

    // Nor if they are put there later, one for every name that is to come.
    let mut vault = folder.open().expect("it was closed");
    for number in 0..5_000 {
        let name = format!("keys.anchor.{}-{number}.new", std::process::id());
        symlink(&others, folder.0.join(name)).expect("a link");
    }
    let answer = vault.perform("alice", &Operation::List {}, Care::default(), START);
    assert_eq!(answer, Err(Reason::AuditUnavailable));
    assert_eq!(fs::read(&others).expect("it reads"), b"precious");
    drop(vault);
    folder.open().expect("they are cleared away").close().expect("a clean close");

    // A link in the anchor's place would be replaced by the anchor, and what it led to forgotten.
    let elsewhere = folder.0.join("elsewhere");
    fs::rename(&anchor, &elsewhere).expect("it moves");
    symlink(&elsewhere, &anchor).expect("a link");
    assert_eq!(folder.open().map(drop), Err(Reason::VaultUnavailable));
    fs::rename(&elsewhere, &anchor).expect("it moves back");
    assert!(folder.open().is_ok());
    // Nor is a vault made through one.
    let link = folder.0.join("new.vault");
    symlink(folder.0.join("nowhere"), &link).expect("a link");
    let made = FileStore::create(&link, FileAnchor::new(folder.0.join("new.anchor")));
    assert_eq!(made.map(drop), Err(Reason::VaultUnavailable));
    assert!(!folder.0.join("nowhere").exists());
}

#[test]
fn an_attempt_that_failed_blocks_no_other() {
    let folder = Folder::new("attempts");
    // The anchor cannot be written: its folder is not there.
    let nowhere = FileAnchor::new(folder.0.join("not-there").join("keys.anchor"));
    assert_eq!(FileStore::create(folder.file(), nowhere).map(drop), Err(Reason::VaultUnavailable));
    drop(folder.create().vault);
    assert!(folder.open().is_ok());
    // Begun, and never come to a first transaction.
    let folder = Folder::new("begun");
    drop(FileStore::create(folder.file(), folder.anchor()).expect("a new file"));
    assert_eq!(folder.open().map(drop), Err(Reason::VaultUnavailable), "there is none yet");
    folder.create().vault.close().expect("it closes");
    assert!(folder.open().is_ok());
    // What is somebody's stays.
    for bytes in [&b"a letter"[..], &[1; 5_000]] {
        let folder = Folder::new("letter");
        fs::write(folder.file(), bytes).expect("it writes");
        assert_eq!(
            FileStore::create(folder.file(), folder.anchor()).map(drop),
            Err(Reason::VaultUnavailable)
        );
        assert_eq!(fs::read(folder.file()).expect("it reads"), bytes);
        assert!(folder.open().is_err());
        assert_eq!(fs::read(folder.file()).expect("it reads"), bytes);
    }
}

/// Whoever stops in the middle leaves a file behind; the next writer clears it away.
#[test]
fn what_was_left_beside_an_anchor_is_cleared_away() {
    let folder = Folder::new("left");
    folder.create().vault.close().expect("it closes");
    for name in ["keys.anchor.4711-3.new", "keys.anchor.1-0.new", "keys.anchor.mine.new", "other.1-0.new"] {
        fs::write(folder.0.join(name), b"half").expect("it writes");
    }
    folder.open().expect("it was closed").close().expect("it closes");
    let mut names: Vec<String> = fs::read_dir(&folder.0)
        .expect("it is there")
        .map(|entry| entry.expect("it reads").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["keys.anchor", "keys.anchor.mine.new", "keys.vault", "other.1-0.new"]);
}

/// An anchor that names another file by mistake is not read whole.
#[test]
fn a_long_anchor_is_no_anchor() {
    let folder = Folder::new("long");
    folder.create().vault.close().expect("it closes");
    let file = fs::OpenOptions::new().write(true).open(folder.0.join("keys.anchor")).expect("it opens");
    file.set_len(1 << 40).expect("a sparse file");
    assert_eq!(folder.open().map(drop), Err(Reason::VaultTampered));
}

/// Nor is a file read that is longer than any vault's, closed or not.
#[test]
fn a_file_beyond_the_limit_is_not_read() {
    let folder = Folder::new("large");
    let mut desk = folder.create();
    for closes in [true, false] {
        if closes {
            desk.vault.close().expect("it closes")
        } else {
            drop(desk.vault)
        }
        let file = fs::OpenOptions::new().write(true).open(folder.file()).expect("it opens");
        let len = file.metadata().expect("it is there").len();
        file.set_len(mallory::limits::MAX_VAULT_FILE_BYTES + 1).expect("a sparse file");
        assert_eq!(folder.open().map(drop), Err(Reason::VaultUnavailable), "closed: {closes}");
        file.set_len(len).expect("it was so long");
        desk.vault = folder.open().expect("as it was");
    }
}

/// What was acknowledged is nobody's to begin anew, whether it was ever closed or not.
#[test]
fn a_vault_that_was_never_closed_is_not_taken_for_an_attempt() {
    let begun = Folder::new("never-begun");
    drop(FileStore::create(begun.file(), begun.anchor()).expect("a new file"));
    let head = fs::read(begun.file()).expect("it reads")[..4_096].to_vec();

    let folder = Folder::new("never-closed");
    drop(folder.create().vault);
    let elsewhere = || FileAnchor::new(folder.0.join("mistyped.anchor"));
    assert_eq!(FileStore::create(folder.file(), elsewhere()).err(), Some(Reason::VaultUnavailable));
    // Stopped after the first transaction and before the head page said so: whoever opens it, has it.
    let mut bytes = fs::read(folder.file()).expect("it reads");
    assert_ne!(bytes[..4_096], head);
    bytes[..4_096].copy_from_slice(&head);
    fs::write(folder.file(), bytes).expect("it writes");
    drop(folder.open().expect("there is a vault"));
    assert_eq!(FileStore::create(folder.file(), elsewhere()).err(), Some(Reason::VaultUnavailable));
    assert!(folder.open().is_ok());
}

/// An anchor that cannot be written for a while.
#[derive(Clone, Default)]
struct Stuck {
    memory: MemoryAnchor,
    is_stuck: Arc<AtomicBool>,
}

impl Anchor for Stuck {
    fn read(&self) -> Result<Option<Anchored>, Reason> {
        self.memory.read()
    }

    fn write(&mut self, anchored: Anchored) -> Result<(), Reason> {
        if self.is_stuck.load(Ordering::Relaxed) {
            return Err(Reason::VaultUnavailable);
        }
        self.memory.write(anchored)
    }
}

#[test]
fn an_anchor_that_cannot_be_written_leaves_a_question_and_nobody_locked_out() {
    let folder = Folder::new("stuck");
    let anchor = Stuck::default();
    let store = FileStore::create(folder.file(), anchor.clone()).expect("a new file");
    let vault = Vault::create(store, BY_PASSPHRASE, "root", START).expect("an empty store");
    let mut desk = Desk { vault, now: START };
    desk.generate("k", KeyKind::Aes256, Usage::Encrypt);
    let rotate = Operation::Rotate { key: "k".to_owned() };
    anchor.is_stuck.store(true, Ordering::Relaxed);
    assert_eq!(desk.try_do(&rotate), Err(Reason::OutcomeUnknown));
    assert_eq!(desk.try_do(&rotate), Err(Reason::AuditUnavailable), "nothing goes on meanwhile");
    anchor.is_stuck.store(false, Ordering::Relaxed);
    assert_eq!(desk.rotate("k"), 3, "the first was done, and the second was not");

    anchor.is_stuck.store(true, Ordering::Relaxed);
    let how = Sealing::Passphrase { passphrase: b"another", cost: CHEAP };
    assert_eq!(desk.vault.reseal(how, "root", START), Err(Reason::OutcomeUnknown));
    drop(desk.vault);
    anchor.is_stuck.store(false, Ordering::Relaxed);
    let store = FileStore::open(folder.file(), anchor.clone()).expect("it was at work");
    let mut vault = Vault::open(store).expect("a vault");
    assert_eq!(vault.unseal(Unsealing::Passphrase(b"another")), Ok(()));
    vault.close().expect("it closes");
    // An anchor that knows of a vault is no anchor for another one.
    fs::remove_file(folder.file()).expect("it is there");
    assert_eq!(FileStore::create(folder.file(), anchor).err(), Some(Reason::VaultUnavailable));
}
