//! Reading one file of this machine without being held up or flooded by it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::model::FileError;
use crate::model::files::MAX_FILE;

/// How a file is opened that somebody else made: a FIFO in its place must not block, and a terminal not become ours.
pub(super) const OPEN: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// The content of a regular file, [`MAX_FILE`] bytes at most; links are followed.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    // Looked at before it is opened: to open a device can have effects.
    let metadata = std::fs::metadata(path).map_err(fault)?;
    check(&metadata)?;
    let file = rustix::fs::open(path, OPEN, Mode::empty()).map_err(|error| fault(error.into()))?;
    content(File::from(file))
}

/// The content of an opened file, if it is a regular one and not too large.
pub(super) fn content(file: File) -> Result<Vec<u8>, FileError> {
    let metadata = file.metadata().map_err(fault)?;
    check(&metadata)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    // The file may grow while it is read.
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(FileError::TooLarge { limit: MAX_FILE });
    }
    Ok(bytes)
}

fn check(metadata: &std::fs::Metadata) -> Result<(), FileError> {
    match metadata.file_type() {
        kind if kind.is_dir() => Err(FileError::Directory),
        kind if !kind.is_file() => Err(FileError::NotRegular),
        _ if metadata.len() > MAX_FILE => Err(FileError::TooLarge { limit: MAX_FILE }),
        _ => Ok(()),
    }
}

/// An error of the system as a [`FileError`].
pub(super) fn fault(error: io::Error) -> FileError {
    match Errno::from_io_error(&error) {
        Some(Errno::NOENT | Errno::NOTDIR) => FileError::NotFound,
        Some(Errno::ISDIR) => FileError::Directory,
        Some(Errno::LOOP) => FileError::Link,
        _ => FileError::Io(error.to_string()),
    }
}
