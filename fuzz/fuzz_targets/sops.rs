//! Any file may claim to be encrypted, in every form there is: it opens, is refused, or is none.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use skep_fuzz::diag::Sources;
use skep_fuzz::sops::{Keys, decrypt, open};
use skep_fuzz::{show, yaml};

/// The key of the project's own fixtures, whose data keys the seeds hold.
static KEYS: LazyLock<Keys> =
    LazyLock::new(|| Keys::parse(include_str!("../../tests/fixtures/sops/key.txt")).expect("a key"));

fuzz_target!(|text: &str| {
    for path in ["a.yaml", "a.json", "a.env", "a.bin", "a.ini"] {
        let _ = open(text.as_bytes(), path, &KEYS);
    }
    let mut sources = Sources::new();
    let file = sources.add("a.yaml", text);
    if let Ok(mut documents) = yaml::read(text, file)
        && let Err(faults) = decrypt(&mut documents, &KEYS, "a.yaml")
    {
        show(&faults, &sources);
    }
});
