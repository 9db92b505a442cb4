//! The folder in which the service keeps its state: its owner's alone, and one process's at a
//! time. Must not know what is in the files.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::Path;

/// Makes the folder (0700) if it is not there, and sees that nobody else may enter it.
pub fn prepare(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let text = format!("others may enter it (mode {mode:o}): `chmod 700` it first");
            return Err(io::Error::new(ErrorKind::PermissionDenied, text));
        }
    }
    Ok(())
}

/// Locks the folder for as long as the answer lives.
///
/// # Errors
/// `WouldBlock` if another process has it.
pub fn lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path.join("lock"))?;
    file.try_lock().map_err(|error| match error {
        fs::TryLockError::WouldBlock => ErrorKind::WouldBlock.into(),
        fs::TryLockError::Error(error) => error,
    })?;
    Ok(file)
}

/// Copies a file, which is no link, nor longer than `most`, to a new one that its owner alone may
/// read.
pub fn copy(from: &Path, to: &Path, most: u64) -> io::Result<()> {
    let long = || io::Error::new(ErrorKind::InvalidData, format!("it has more than {most} bytes"));
    let is_file = fs::symlink_metadata(from)?.is_file();
    let mut source = File::open(from)?.take(most + 1);
    if !is_file {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no file"));
    }
    let mut target = new(to)?;
    if io::copy(&mut source, &mut target)? > most {
        return Err(long());
    }
    target.sync_all()
}

/// Writes a new file that its owner alone may read.
///
/// # Errors
/// `AlreadyExists` if there is one.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
