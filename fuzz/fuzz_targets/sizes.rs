//! Any text is an amount of memory or of processors, or neither; none is negative.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skep_fuzz::compose::grammar::{bytes, nano_cpus};

fuzz_target!(|text: &str| {
    assert!(bytes(text).is_none_or(|bytes| bytes >= 0));
    if let Some(nano) = nano_cpus(text) {
        assert!(nano >= 0);
        let (whole, fraction) = (nano / 1_000_000_000, nano % 1_000_000_000);
        assert_eq!(nano_cpus(&format!("{whole}.{fraction:09}")), Some(nano));
    }
});
