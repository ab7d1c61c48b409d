//! Any text is ports or none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skep_fuzz::compose::grammar::ports;

fuzz_target!(|text: &str| {
    let Some(found) = ports(text) else { return };
    assert!(!found.is_empty() && found.len() <= 65_536);
    for port in &found {
        assert!(port.target <= 65_535 && port.published <= 65_535, "{port:?}");
        let again = ports(&format!("{}:{}/{}", port.published, port.target, port.protocol)).expect("a port");
        assert_eq!(again, [port.clone()]);
    }
});
