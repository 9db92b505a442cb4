//! Vaults in real files: closing and opening, old copies, lost anchors.

use std::fs;
use std::path::PathBuf;

use mallory::vault::{Anchor, FileAnchor, FileStore};

use super::*;

/// A folder that is gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("mallory-vault-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for tests");
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("keys.vault")
    }

    fn anchor(&self) -> FileAnchor {
        FileAnchor::new(self.0.join("keys.anchor"))
    }

    fn create(&self) -> Desk<FileStore> {
        Desk::create(FileStore::create(self.file(), self.anchor()).expect("a new file"))
    }

    fn open(&self) -> Result<Vault<FileStore>, Reason> {
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
