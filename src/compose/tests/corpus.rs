//! Published stacks, where a collection of them is at hand: `SKEP_CORPUS` names a directory in which every directory holds
//! a `compose.yaml`.

use std::path::{Path, PathBuf};

use super::super::{Input, Mode, Variables, load};
use crate::diag::{Report, Severity, Style};
use crate::model::{Entry, FileError, Files};

/// The machine's own files.
struct Disk;

impl Files for Disk {
    fn locate(&self, dir: &str, path: &str) -> Result<String, FileError> {
        Ok(Path::new(dir).join(path).components().collect::<PathBuf>().to_string_lossy().into_owned())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => FileError::NotFound,
            _ => FileError::Io(error.to_string()),
        })
    }

    fn entries(&self, _: &str) -> Result<Vec<Entry>, FileError> {
        Ok(Vec::new())
    }
}

#[test]
fn published_stacks_load_without_an_error() {
    let Some(corpus) = std::env::var_os("SKEP_CORPUS") else {
        eprintln!("skipped: SKEP_CORPUS names no directory of published stacks");
        return;
    };
    let mut failed = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(&corpus).expect("SKEP_CORPUS is a directory") {
        let path = entry.expect("an entry").path().join("compose.yaml");
        if !path.is_file() {
            continue;
        }
        count += 1;
        let (paths, variables) = ([path.to_string_lossy().into_owned()], Variables::new());
        let loaded = load(&Input { home: Some("/root"), ..Input::new(&Disk, &paths, &variables, Mode::Direct) });
        let errors: Vec<_> =
            loaded.diagnostics.iter().filter(|fault| fault.severity == Severity::Error).cloned().collect();
        if loaded.compose.is_none() {
            failed.push(Report { diagnostics: &errors, sources: &loaded.sources }.text(Style::Plain));
        }
        if std::env::var_os("SKEP_CORPUS_WARNINGS").is_some() {
            eprint!("{}", Report { diagnostics: &loaded.diagnostics, sources: &loaded.sources }.text(Style::Plain));
        }
    }
    assert!(count > 0, "there is no stack in {}", corpus.to_string_lossy());
    assert!(failed.is_empty(), "{} of {count} failed:\n{}", failed.len(), failed.join("\n"));
}
