//! Any files are a stack or refused with a reason, in both modes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skep_fuzz::compose::{Input, Mode, Variables, load};
use skep_fuzz::diag::has_errors;
use skep_fuzz::show;
use skep_fuzz::tree::Tree;

fuzz_target!(|text: &str| {
    let mut variables = Variables::new();
    variables.insert("A", "a", false);
    variables.insert("EMPTY", "", false);
    variables.insert("N", "8", true);
    for (mode, root) in [(Mode::Direct, "/"), (Mode::Repository, "")] {
        let tree = Tree::new(root, text);
        let paths = tree.paths();
        let loaded = load(&Input { home: Some("/root"), ..Input::new(&tree, &paths, &variables, mode) });
        assert_eq!(loaded.compose.is_none(), has_errors(&loaded.diagnostics), "{:?}", loaded.diagnostics);
        show(&loaded.diagnostics, &loaded.sources);
    }
});
