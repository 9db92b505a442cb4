//! A service to try: a state of its own in a temporary folder, with an administrator and two
//! clients, all of which goes when it stops. Must not know what is asked.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::clock::Clock;
use super::enrolment::Enrolment;
use super::service::{Failure, Service};
use super::settings::Settings;
use crate::vault::Role;

/// A service to try.
pub struct Demo {
    /// The service.
    pub service: Service,
    /// Its administrator and its clients, `admin`, `user1` and `user2`.
    pub enrolled: Vec<Enrolment>,
    folder: Folder,
}

/// Removed with everything in it when it is dropped.
pub struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Whatever is left of it is in the system's temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Demo {
    /// Starts one.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub fn start(settings: Settings, passphrase: &[u8]) -> Result<Demo, Failure> {
        let folder = Folder(temporary().map_err(|error| Failure(format!("a temporary folder: {error}")))?);
        let settings = Settings { state: folder.0.join("state"), anchor: None, ..settings };
        let (mut service, _) = Service::start(settings, passphrase)?;
        let people = [("admin", Role::Administrator), ("user1", Role::Client), ("user2", Role::Client)];
        let enrolled = people.iter().map(|(name, role)| service.enrol(name, *role, &folder.0.join(name)));
        let enrolled = enrolled.collect::<Result<_, _>>()?;
        Ok(Demo { service, enrolled, folder })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// The parts: the folder goes when its part does.
    pub fn into_parts(self) -> (Service, Folder) {
        (self.service, self.folder)
    }
}

/// A new folder that nobody else may enter.
fn temporary() -> io::Result<PathBuf> {
    let now = Clock::default().now().0;
    let path = std::env::temp_dir().join(format!("mallory-demo-{}-{now:x}", std::process::id()));
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&path)?;
    Ok(path)
}
