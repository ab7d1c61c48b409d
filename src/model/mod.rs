//! The words everything else is written in: validated names, ids, revisions, label keys, secrets that do not print, and
//! the trait through which pure code is given files. Nothing here does I/O.

pub mod confidential;
pub mod digest;
pub mod files;
pub mod kind;
pub mod label;
pub mod name;
pub mod redact;
pub mod revision;
pub mod secret;

pub use confidential::Confidential;
pub use digest::Digest;
pub use files::{Entry, EntryKind, FileError, Files};
pub use kind::Kind;
pub use name::{NameError, StackName};
pub use redact::RedactedUrl;
pub use revision::Revision;
pub use secret::Secret;
