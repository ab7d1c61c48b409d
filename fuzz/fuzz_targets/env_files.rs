//! Any text is a file of variables, in both of its languages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skep_fuzz::compose::grammar::env_file;
use skep_fuzz::compose::{Variables, dotenv};
use skep_fuzz::diag::{Faults, Severity, Sources};
use skep_fuzz::show;

fuzz_target!(|text: &str| {
    let mut sources = Sources::new();
    let file = sources.add("x.env", text);
    let mut faults = Faults::new();
    for (name, value) in env_file(text, file, &mut faults) {
        assert!(!name.is_empty() && !name.contains(['=', ' ', '\t', '\n']), "{name:?}");
        assert!(value.is_none_or(|value| !value.contains('\n')), "{value:?}");
    }
    let mut known = Variables::new();
    known.insert("A", "a", false);
    dotenv::parse(text, file, &known, Severity::Error, &mut faults);
    show(&faults.into_sorted(), &sources);
});
