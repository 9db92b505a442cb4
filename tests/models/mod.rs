//! Models of the library's protocols for other tools, and the command that writes and reads them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use mallory::export::{About, Target, export};
use mallory::scenario::{ProtocolFile, protocols};

pub fn library() -> Vec<ProtocolFile> {
    protocols().iter().map(|e| ProtocolFile::from_text(&e.text, &e.name).unwrap()).collect()
}

pub fn model(file: &ProtocolFile, target: Target) -> Result<String, String> {
    let about = About { title: &file.title, reference: &file.reference, encoding: None };
    export(&file.protocol, &about, target).map_err(|u| u.to_string())
}

pub fn mallory(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mallory"));
    command.args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR")).output().unwrap()
}

pub fn written(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
