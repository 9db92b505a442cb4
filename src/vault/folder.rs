//! Files that only their owner may read, and how one is put in another's place. Must not know
//! what is in them.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits::{MAX_FOLDER_ENTRIES, MAX_TEMPORARY_NAMES};

/// A new file, for reading and writing; an error if there is anything of that name, be it a link
/// to where nothing is (`O_EXCL`).
pub fn create_new(path: &Path) -> io::Result<File> {
    options().create_new(true).open(path)
}

/// A file that is there, for reading and writing.
pub fn open(path: &Path) -> io::Result<File> {
    regular(options().open(path)?)
}

/// A file that is there and no link, for reading.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    regular(options.open(path)?)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A pipe or a device would wait, or never end.
fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(ErrorKind::InvalidInput.into()) }
}

/// Writes a new file beside `path`, syncs it, and puts it in its place: a crash leaves the old
/// one or the new one, and no two writers meet in one temporary file.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (beside, mut file) = temporary(path)?;
    let mut put = || {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    put().inspect_err(|_| drop(fs::remove_file(&beside)))?;
    sync(path)
}

/// Makes the name of a file durable, where folders can be synced.
pub fn sync(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}

/// Removes what writers that were stopped have left beside `path`. Who still writes there is told
/// so by an error, and harms nothing.
pub fn sweep(path: &Path) -> io::Result<()> {
    let prefix = name(path)?;
    for entry in fs::read_dir(folder(path))?.take(MAX_FOLDER_ENTRIES) {
        let entry = entry?;
        let found = entry.file_name();
        if is_temporary(found.as_encoded_bytes(), prefix.as_encoded_bytes()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

const SUFFIX: &str = ".new";

/// Whether [`temporary`] gives such names to files beside the one with this name.
fn is_temporary(found: &[u8], name: &[u8]) -> bool {
    let middle = found
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix(b"."))
        .and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    middle.is_some_and(|middle| {
        let mut numbers = middle.split(|byte| *byte == b'-');
        numbers.clone().count() == 2 && numbers.all(is_number)
    })
}

/// `path.PROCESS-NUMBER.new`, which nobody else has.
fn temporary(path: &Path) -> io::Result<(PathBuf, File)> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    for _ in 0..MAX_TEMPORARY_NAMES {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut beside = name(path)?.to_owned();
        beside.push(format!(".{}-{number}{SUFFIX}", std::process::id()));
        let beside = path.with_file_name(beside);
        match create_new(&beside) {
            // A process of the same number was stopped here once.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (beside, file)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn name(path: &Path) -> io::Result<&OsStr> {
    path.file_name().ok_or(ErrorKind::InvalidInput.into())
}

fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}
