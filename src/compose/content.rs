//! Files that stand for content that is elsewhere: pointers of Git LFS, and whatever lies in a submodule.

use super::{Input, Mode};
use crate::diag::{Diagnostic, Faults, Severity, Span, code};
use crate::model::Files;

/// How every pointer begins, by the specification of Git LFS.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// That the file at a located path holds no content of its own, where that is so.
pub fn elsewhere(files: &dyn Files, located: &str) -> Option<Diagnostic> {
    match files.submodule(located) {
        Some(submodule) => {
            let message = format!("`{located}` lies in the submodule `{submodule}`, which is another repository");
            let fault = Diagnostic::error(code::FILE_SUBMODULE, message);
            Some(fault.hint("copy the file into this repository, or follow the other one with a stack of its own"))
        }
        None if files.read(located).is_ok_and(|bytes| bytes.starts_with(POINTER)) => {
            let message = format!("`{located}` is a pointer of Git LFS and not the content it points to");
            let fault = Diagnostic::error(code::FILE_LFS_POINTER, message);
            Some(fault.hint("commit the file itself: what a stack reads is small and needs no Git LFS"))
        }
        None => None,
    }
}

/// Says that the file at a located path holds no content of its own where that is so; whether it must not be used. In a
/// repository every machine would deploy something else, or nothing; in direct mode it is the deployer's own choice.
pub(super) fn is_elsewhere(input: &Input<'_>, located: &str, cited: Option<Span>, faults: &mut Faults) -> bool {
    let Some(fault) = elsewhere(input.files, located) else { return false };
    let mut fault = fault.at(cited);
    if input.mode == Mode::Direct {
        fault.severity = Severity::Warning;
    }
    faults.push(fault);
    input.mode == Mode::Repository
}
