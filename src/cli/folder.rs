//! The folder into which a run writes what other tools read: whole, or not at all.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use mallory::report::{artefact_files, plain_name};
use mallory::scenario::PlayReport;

/// A folder that is being written beside where it will be. Dropped before `finish`, it is gone.
pub struct Folder {
    target: PathBuf,
    partial: PathBuf,
    /// Names of plays, in small letters: two files may have scenarios of one name.
    taken: BTreeSet<String>,
    /// Held by whoever writes or removes; for ever by whoever was interrupted.
    disk: Arc<Mutex<()>>,
}

impl Folder {
    /// Begins a folder that must not be there yet, or be empty.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn begin(path: &Path) -> Result<Folder, String> {
        let shown = path.display();
        let target = match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
            Ok(true) => {
                return Err(format!("{shown} is not empty; choose another folder, or empty it first"));
            }
            Ok(false) => path.canonicalize().map_err(|error| format!("cannot write {shown}: {error}"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
            Err(error) if path.exists() => return Err(format!("{shown} is no folder: {error}")),
            Err(error) => return Err(format!("cannot write {shown}: {error}")),
        };
        let Some(name) = target.file_name() else { return Err(format!("{shown} names no folder")) };
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}", std::process::id()));
        let partial = target.with_file_name(hidden);
        let disk = Arc::new(Mutex::new(()));
        remove_when_interrupted(partial.clone(), disk.clone());
        fs::create_dir(&partial).map_err(|error| format!("cannot write {shown}: {error}"))?;
        Ok(Folder { target, partial, taken: BTreeSet::new(), disk })
    }

    /// Writes what appeared in a play, into a folder of its name.
    pub fn write(&mut self, play: &PlayReport) -> io::Result<()> {
        let place = self.place(&play.name);
        let folder = self.partial.join(place);
        let _writing = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        fs::create_dir_all(&folder)?;
        for file in artefact_files(play) {
            fs::write(folder.join(file.name), file.bytes)?;
        }
        Ok(())
    }

    /// Keeps a name from being given to a play.
    pub fn reserve(&mut self, name: &str) {
        self.taken.insert(name.to_lowercase());
    }

    /// Writes a page of its own, and answers the name of its file.
    pub fn write_page(&mut self, scenario: &str, page: &str) -> io::Result<String> {
        let name = format!("{}.html", self.place(&plain_name(scenario)).display());
        self.put(&name, page)?;
        Ok(name)
    }

    /// Writes a file of this very name.
    pub fn put(&self, name: &str, text: &str) -> io::Result<()> {
        let _writing = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        fs::write(self.partial.join(name), text)
    }

    /// Puts the folder in its place.
    pub fn finish(self) -> Result<(), String> {
        let cannot = |error| format!("cannot write {}: {error}", self.target.display());
        let disk = self.disk.clone();
        let _writing = disk.lock().unwrap_or_else(PoisonError::into_inner);
        if self.target.exists() {
            // Not every system renames over a folder that is there, even an empty one.
            fs::remove_dir(&self.target).map_err(cannot)?;
        }
        fs::rename(&self.partial, &self.target).map_err(cannot)
    }

    /// Where a play's files go: `scenario/variant`, with a number if another play is there.
    fn place(&mut self, play: &str) -> PathBuf {
        let (scenario, variant) = match play.split_once('/') {
            Some((scenario, variant)) => (scenario, Some(variant)),
            None => (play, None),
        };
        let of = |nth: u32| {
            let number = if nth == 1 { String::new() } else { format!("-{nth}") };
            match variant {
                Some(variant) => format!("{}/{}{number}", plain_name(scenario), plain_name(variant)),
                None => format!("{}{number}", plain_name(scenario)),
            }
        };
        let place = (1..).map(of).find(|place| self.taken.insert(place.to_lowercase()));
        PathBuf::from(place.expect("there are more numbers than plays"))
    }
}

/// Whoever interrupts a run leaves nothing behind. A system that does not let us know of it keeps
/// the partial folder.
fn remove_when_interrupted(partial: PathBuf, disk: Arc<Mutex<()>>) {
    /// As shells have it: 128 and the number of the signal.
    const INTERRUPTED: i32 = 130;
    let _ = ctrlc::set_handler(move || {
        let _removing = disk.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = fs::remove_dir_all(&partial);
        std::process::exit(INTERRUPTED);
    });
}

impl Drop for Folder {
    fn drop(&mut self) {
        // After `finish` there is nothing left to remove.
        let _ = fs::remove_dir_all(&self.partial);
    }
}
