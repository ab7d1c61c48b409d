//! Any text is read as YAML or refused, and what was read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skep_fuzz::diag::Sources;
use skep_fuzz::yaml::{Node, Value, read, write};
use skep_fuzz::{inside, show, value};

fuzz_target!(|text: &str| {
    let mut sources = Sources::new();
    let file = sources.add("a.yaml", text);
    let documents = match read(text, file) {
        Ok(documents) => documents,
        Err(faults) => {
            assert!(!faults.is_empty());
            return show(&faults, &sources);
        }
    };
    for document in &documents {
        places(document, &sources);
        let said = value::of(document);
        let written = write(&said).expect("what was read can be written");
        let file = sources.add("b.yaml", &written);
        let again = read(&written, file).unwrap_or_else(|faults| panic!("{written}\n{faults:?}"));
        assert_eq!(again.iter().map(value::of).collect::<Vec<_>>(), [said], "{written}");
    }
});

fn places(node: &Node, sources: &Sources) {
    inside(node.span, sources);
    match &node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter().for_each(|item| places(item, sources)),
        Value::Mapping(mapping) => mapping.entries.iter().for_each(|entry| {
            inside(entry.key_span, sources);
            places(&entry.value, sources);
        }),
    }
}
