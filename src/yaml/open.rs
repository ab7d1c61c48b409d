//! From a path to documents: reading, encoding and syntax, each fault a diagnostic.

use super::{Node, read};
use crate::diag::{Diagnostic, FileId, Sources, Span, code};
use crate::model::files::MAX_FILE;
use crate::model::{FileError, Files};

/// The documents of the YAML file at a located path, its text remembered in `sources`.
///
/// # Errors
/// The file cannot be read, is not UTF-8, or any fault of [`read`]. `cited` is where the file was asked for.
pub fn open(
    files: &dyn Files,
    path: &str,
    cited: Option<Span>,
    sources: &mut Sources,
) -> Result<(FileId, Vec<Node>), Vec<Diagnostic>> {
    let text = text_of(files, path, cited, sources)?;
    read(sources.text(text), text).map(|documents| (text, documents))
}

/// The text of the file at a located path, remembered in `sources`.
///
/// # Errors
/// The file cannot be read or is not UTF-8.
pub fn text_of(
    files: &dyn Files,
    path: &str,
    cited: Option<Span>,
    sources: &mut Sources,
) -> Result<FileId, Vec<Diagnostic>> {
    let bytes = files.read(path).map_err(|error| vec![unreadable(path, &error, cited)])?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(vec![unreadable(path, &FileError::TooLarge { limit: MAX_FILE }, cited)]);
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(sources.add(path, text)),
        Err(error) => {
            // The place is shown in the part that can be read.
            let valid = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default()).into_owned();
            let file = sources.add(path, &valid);
            let end = u32::try_from(valid.len()).unwrap_or(u32::MAX);
            let fault = Diagnostic::error(code::YAML_SYNTAX, "the file is not UTF-8 from here on")
                .at(Span { file, start: end, end })
                .hint("save it as UTF-8");
            Err(vec![fault])
        }
    }
}

fn unreadable(path: &str, error: &FileError, cited: Option<Span>) -> Diagnostic {
    let code = match error {
        FileError::Outside | FileError::Link => code::FILE_OUTSIDE,
        FileError::TooLarge { .. } => code::YAML_BOUNDS,
        _ => code::FILE_UNREADABLE,
    };
    Diagnostic::error(code, format!("`{path}` cannot be read: {error}")).at(cited)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(Result<Vec<u8>, FileError>);

    impl Files for One {
        fn locate(&self, _: &str, path: &str) -> Result<String, FileError> {
            Ok(path.to_owned())
        }
        fn read(&self, _: &str) -> Result<Vec<u8>, FileError> {
            self.0.clone()
        }
        fn entries(&self, _: &str) -> Result<Vec<crate::model::Entry>, FileError> {
            Ok(Vec::new())
        }
    }

    fn message(content: Result<Vec<u8>, FileError>) -> String {
        let mut sources = Sources::new();
        let faults = open(&One(content), "a.yaml", None, &mut sources).expect_err("a fault");
        crate::diag::Shown::new(&faults[0], &sources).line()
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        insta::assert_snapshot!(message(Err(FileError::NotFound)), @"error: `a.yaml` cannot be read: there is no such file [file/unreadable]");
        insta::assert_snapshot!(message(Err(FileError::Link)), @"error: `a.yaml` cannot be read: a symbolic link on this path leads out of the repository [file/outside]");
        insta::assert_snapshot!(message(Ok(vec![b' '; MAX_FILE as usize + 1])), @"error: `a.yaml` cannot be read: it has more than 8388608 bytes [yaml/bounds]");
        insta::assert_snapshot!(message(Ok(b"a: b\nc: \xff\n".to_vec())), @"a.yaml:2:4: error: the file is not UTF-8 from here on [yaml/syntax]");
    }
}
