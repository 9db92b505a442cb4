//! Files: found below a folder and read, within limits. Must not know what is in them.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::problem::Problem;
use crate::limits::{MAX_FILE_BYTES, MAX_FOLDER_DEPTH, MAX_FOLDER_ENTRIES};

/// The text of a regular file, if it is not larger than the limit.
///
/// # Errors
/// Why it cannot be read, as a fragment.
pub fn read_text(path: &Path) -> Result<String, String> {
    let about = fs::metadata(path).map_err(|e| e.to_string())?;
    if about.is_dir() {
        return Err("it is a folder".to_owned());
    }
    if !about.is_file() {
        // A pipe would have the reader wait for ever.
        return Err("it is no regular file".to_owned());
    }
    let size = about.len();
    if size > MAX_FILE_BYTES as u64 {
        return Err(format!("it has {size} bytes, more than the limit MAX_FILE_BYTES, {MAX_FILE_BYTES}"));
    }
    // A file of the system's own does not say how much will come.
    let file = fs::File::open(path).map_err(|e| e.to_string())?;
    let mut text = String::new();
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_string(&mut text).map_err(|e| e.to_string())?;
    match text.len() > MAX_FILE_BYTES {
        true => Err(format!("it has more bytes than the limit MAX_FILE_BYTES, {MAX_FILE_BYTES}")),
        false => Ok(text),
    }
}

/// Every `*.toml` below a folder, in the order of their paths. What is hidden stays so, and
/// links to folders are not followed: one of them may lead back.
///
/// # Errors
/// A folder cannot be read, or there is more below it than the limits allow.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut search = Search { entries: 0, found: Vec::new() };
    search.folder(folder, 0)?;
    Ok(search.found)
}

struct Search {
    /// How many were looked at.
    entries: usize,
    found: Vec<PathBuf>,
}

impl Search {
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), Problem> {
        let shown = folder.display();
        let cannot = |why: std::io::Error| Problem::nowhere(format!("cannot read {shown}: {why}"));
        if depth > MAX_FOLDER_DEPTH {
            let limit = format!("the limit MAX_FOLDER_DEPTH, {MAX_FOLDER_DEPTH}");
            return Err(Problem::nowhere(format!("{shown} lies deeper than {limit}")));
        }
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            self.entries += 1;
            if self.entries > MAX_FOLDER_ENTRIES {
                let limit = format!("the limit MAX_FOLDER_ENTRIES, {MAX_FOLDER_ENTRIES}");
                return Err(Problem::nowhere(format!("up to {shown} there are more files than {limit}"))
                    .help("name a folder that has scenarios and little else"));
            }
            paths.push((entry.path(), entry.file_type().map_err(cannot)?));
        }
        paths.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, kind) in paths {
            let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
            let is_toml = path.extension().is_some_and(|e| e == "toml");
            if kind.is_dir() && !hidden {
                self.folder(&path, depth + 1)?;
            } else if !hidden && is_toml && !path.is_dir() {
                // What is no regular file says so when it is read.
                self.found.push(path);
            }
        }
        Ok(())
    }
}
