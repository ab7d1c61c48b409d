//! The file of a saved plan: a head that says what it is, and the plan under a checksum.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Saved;
use crate::cli::failure::Failure;
use crate::model::Digest;

/// What the file calls itself.
const KIND: &str = "skep saved plan";
/// The version of the format. Whatever is added raises it: an older skep would leave out what it does not know.
const FORMAT: u32 = 1;
/// The most that is read. A plan that changes everything in 1,000 services takes 2 MB.
const MAX: u64 = 256 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    kind: Option<String>,
    format_version: Option<u32>,
    checksum: Option<Digest>,
    #[serde(borrow)]
    saved: Option<&'a RawValue>,
}

/// Writes a saved plan, whole or not at all. Only its owner may read it: it tells what runs where.
///
/// # Errors
/// A path that is no file's, or cannot be written.
pub fn write(path: &Path, saved: &Saved) -> Result<(), Failure> {
    if path.as_os_str() == "-" {
        return Err(Failure::usage_hint(
            "a saved plan goes to a file, and not to standard output",
            "name one with --out; -o json prints the plan",
        ));
    }
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(Failure::usage(format!("--out {}: there is something that is no file", path.display())));
    }
    let text = text(saved).map_err(|error| Failure::usage(format!("the plan cannot be saved: {error}")))?;
    replace(path, text.as_bytes())
        .map_err(|error| Failure::usage(format!("the plan cannot be saved in {}: {error}", path.display())))
}

/// Reads a saved plan.
///
/// # Errors
/// A file that is none, is not whole, was edited, or was written by a newer skep.
pub fn read(path: &Path) -> Result<Saved, Failure> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX).read_to_string(&mut text))
        .map_err(|error| Failure::usage(format!("the saved plan {} cannot be read: {error}", path.display())))?;
    parse(&text)
        .map_err(|why| Failure::usage_hint(format!("{} {why}", path.display()), "make one with skep plan … --out FILE"))
}

fn text(saved: &Saved) -> serde_json::Result<String> {
    let body = serde_json::to_string_pretty(saved)?;
    let checksum = Digest::of(&body);
    Ok(format!(
        "{{\n\"kind\": \"{KIND}\",\n\"formatVersion\": {FORMAT},\n\"checksum\": \"{checksum}\",\n\"saved\": {body}\n}}\n"
    ))
}

fn parse(text: &str) -> Result<Saved, String> {
    let head: Head<'_> =
        serde_json::from_str(text).map_err(|error| format!("is no saved plan, or not all of one: {error}"))?;
    if head.kind.as_deref() != Some(KIND) {
        return Err("is no saved plan".to_owned());
    }
    match head.format_version {
        Some(FORMAT) => {}
        Some(version) if version > FORMAT => {
            return Err(format!("is a plan of format {version}, saved by a newer skep; this one reads {FORMAT}"));
        }
        _ => return Err("is a saved plan of no format that skep ever had".to_owned()),
    }
    let (Some(checksum), Some(body)) = (head.checksum, head.saved) else {
        return Err("is not all of a saved plan".to_owned());
    };
    if Digest::of(body.get()) != checksum {
        return Err("was edited, or damaged, after it was saved".to_owned());
    }
    serde_json::from_str(body.get()).map_err(|error| format!("cannot be read: {error}"))
}

/// Puts a file in the place of another in one step.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_string_lossy();
    let new: PathBuf = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let done = file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&new, path));
    if done.is_err() {
        drop(fs::remove_file(&new));
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::saved::tests::saved;

    #[test]
    fn what_was_written_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("plan");
        for _ in 0..2 {
            write(&path, &saved()).expect("written");
            assert_eq!(read(&path).expect("read"), saved());
        }
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("a file").permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(directory.path().read_dir().expect("a directory").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn only_a_file_is_written_over() {
        let directory = tempfile::tempdir().expect("a directory");
        for (path, why) in [
            (directory.path().to_owned(), "there is something that is no file"),
            (directory.path().join("nowhere/plan"), "No such file or directory"),
            (PathBuf::from("-"), "not to standard output"),
            (PathBuf::from("/dev/null"), "there is something that is no file"),
        ] {
            let refused = write(&path, &saved()).expect_err("no file").to_string();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn what_is_no_whole_plan_is_refused() {
        let text = text(&saved()).expect("JSON");
        for (text, why) in [
            (text[..text.len() / 2].to_owned(), "is no saved plan, or not all of one: EOF while parsing"),
            (String::new(), "is no saved plan, or not all of one: EOF while parsing"),
            ("{}".to_owned(), "is no saved plan"),
            ("services: {}\n".to_owned(), "is no saved plan, or not all of one: expected value"),
            (text.replace("shop_web", "shop_db"), "was edited, or damaged, after it was saved"),
            (text.replace("\"swarm\"", "\"swarm\" "), "was edited, or damaged, after it was saved"),
            (
                text.replace("\"formatVersion\": 1,\n\"ch", "\"formatVersion\": 2,\n\"ch"),
                "is a plan of format 2, saved by a newer skep; this one reads 1",
            ),
            (text.replace("\"formatVersion\": 1,\n\"ch", "\"ch"), "is a saved plan of no format that skep ever had"),
            (text.replace("\"saved\"", "\"saves\""), "is not all of a saved plan"),
        ] {
            let refused = parse(&text).expect_err("refused");
            assert!(refused.starts_with(why), "{refused}");
        }
    }

    #[test]
    fn what_this_version_has_no_name_for_is_refused_and_not_left_out() {
        let mut body = serde_json::to_value(saved()).expect("JSON");
        body["change"]["force-everything"] = true.into();
        let body = body.to_string();
        let text =
            format!(r#"{{"kind":"{KIND}","formatVersion":1,"checksum":"{}","saved":{body}}}"#, Digest::of(&body));
        let refused = parse(&text).expect_err("refused");
        assert!(refused.starts_with("cannot be read: unknown field `force-everything`"), "{refused}");
    }
}
