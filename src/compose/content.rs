//! Files that stand for content that is elsewhere: pointers of Git LFS, and whatever lies in a submodule.

use super::{Input, Mode};
use crate::diag::{Diagnostic, Faults, FileId, Severity, Sources, Span, code};
use crate::model::Files;
use crate::yaml;

/// How every pointer begins, by the specification of Git LFS.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// That a located path leads into another repository, where it does. To be asked before it is read: a commit does not hold
/// what is there.
pub fn foreign(files: &dyn Files, located: &str) -> Option<Diagnostic> {
    let submodule = files.submodule(located)?;
    let message = format!("`{located}` lies in the submodule `{submodule}`, which is another repository");
    let fault = Diagnostic::error(code::FILE_SUBMODULE, message);
    Some(fault.hint("copy the file into this repository, or follow the other one with a stack of its own"))
}

/// That what was read of a file only points to its content, where it does.
pub fn pointer(located: &str, content: &[u8]) -> Option<Diagnostic> {
    if !content.starts_with(POINTER) {
        return None;
    }
    let message = format!("`{located}` is a pointer of Git LFS and not the content it points to");
    let fault = Diagnostic::error(code::FILE_LFS_POINTER, message);
    Some(fault.hint("commit the file itself: what a stack reads is small and needs no Git LFS"))
}

/// Says what [`foreign`] or [`pointer`] found; whether the file must not be used. In a repository every machine would deploy
/// something else, or nothing; in direct mode it is the deployer's own choice.
pub(super) fn refuses(input: &Input<'_>, found: Option<Diagnostic>, cited: Option<Span>, faults: &mut Faults) -> bool {
    let Some(fault) = found else { return false };
    let mut fault = fault.at(cited);
    if input.mode == Mode::Direct {
        fault.severity = Severity::Warning;
    }
    faults.push(fault);
    input.mode == Mode::Repository
}

/// The text of the file at a located path, remembered in `sources`; `None` where it cannot be read or must not be used,
/// which is said.
pub(super) fn text(
    input: &Input<'_>,
    located: &str,
    cited: Option<Span>,
    sources: &mut Sources,
    faults: &mut Faults,
) -> Option<FileId> {
    if refuses(input, foreign(input.files, located), cited, faults) {
        return None;
    }
    match yaml::text_of(input.files, located, cited, sources) {
        Ok(file) => {
            let found = pointer(located, sources.text(file).as_bytes());
            (!refuses(input, found, cited, faults)).then_some(file)
        }
        Err(found) => {
            faults.extend(found);
            None
        }
    }
}
