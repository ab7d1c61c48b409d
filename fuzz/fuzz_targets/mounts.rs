//! Any text is a mount or none, and nothing of its target is lost.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skep_fuzz::compose::grammar::mount;

fuzz_target!(|text: &str| {
    if let Some(mount) = mount(text) {
        assert!(!mount.target.is_empty() && text.contains(&mount.target), "{mount:?}");
        assert!(text.starts_with(&mount.source), "{mount:?}");
    }
});
