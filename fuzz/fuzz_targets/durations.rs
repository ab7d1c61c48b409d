//! Any text is a duration or none, and nanoseconds read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skep_fuzz::yaml::parse_duration;

fuzz_target!(|text: &str| {
    if let Some(nanoseconds) = parse_duration(text) {
        assert_eq!(parse_duration(&format!("{nanoseconds}ns")), Some(nanoseconds));
    }
});
