//! Any template has a result or none, and what escapes its dollars is itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skep_fuzz::compose::grammar::interpolate;

const LIMIT: usize = 10_000;

fuzz_target!(|text: &str| {
    let lookup = |name: &str| match name {
        "A" => Some("a value"),
        "D" => Some("$A ${A}"),
        "E" => Some(""),
        _ => None,
    };
    let expanded = interpolate(text, &lookup, LIMIT);
    assert!(expanded.text.is_none_or(|text| text.len() <= LIMIT));
    let literal = text.replace('$', "$$");
    if literal.len() <= LIMIT {
        let expanded = interpolate(&literal, &lookup, LIMIT);
        assert_eq!((expanded.text.as_deref(), expanded.docker.as_deref()), (Some(text), Some(text)));
    }
});
