//! What a file's relative paths and its variables mean: the files of a stack share a directory and variables, an included
//! file has its own.

use std::collections::HashMap;
use std::rc::Rc;

use super::Variables;
use crate::diag::{FileId, Span};

/// A directory and the variables that hold in it.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// The directory that relative paths begin at, located.
    pub dir: String,
    /// What interpolates, and what a name without a value takes.
    pub variables: Rc<Variables>,
}

/// The unit of every file that was read. Values keep their places through merging, so a value's place tells its unit.
#[derive(Debug)]
pub(super) struct Units {
    main: Unit,
    others: HashMap<FileId, Unit>,
}

impl Units {
    /// Those of a stack whose own files are of this one.
    pub fn new(main: Unit) -> Self {
        Self { main, others: HashMap::new() }
    }

    /// The unit of the stack's own files.
    pub fn main(&self) -> &Unit {
        &self.main
    }

    /// Says of which unit a file is.
    pub fn assign(&mut self, file: FileId, unit: Unit) {
        self.others.insert(file, unit);
    }

    /// Every unit.
    pub fn all(&self) -> impl Iterator<Item = &Unit> {
        std::iter::once(&self.main).chain(self.others.values())
    }

    /// The unit of a value.
    pub fn of(&self, span: Span) -> &Unit {
        self.others.get(&span.file).unwrap_or(&self.main)
    }
}
