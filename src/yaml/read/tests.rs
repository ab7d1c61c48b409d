use super::*;
use crate::diag::{Report, Sources, Style as Colour};

fn file() -> (Sources, FileId) {
    let mut sources = Sources::new();
    let id = sources.add("a.yaml", "");
    (sources, id)
}

fn parse(text: &str) -> Vec<Node> {
    read(text, file().1).expect("valid YAML")
}

fn faults(text: &str) -> String {
    let mut sources = Sources::new();
    let id = sources.add("a.yaml", text);
    let diagnostics = read(text, id).expect_err("a fault");
    let lines = Report { diagnostics: &diagnostics, sources: &sources }.shown();
    lines.iter().map(|shown| shown.line() + "\n").collect()
}

/// The tree as one line, to compare with.
fn show(node: &Node) -> String {
    let tag = node.tag.as_ref().map(|tag| format!("{tag} ")).unwrap_or_default();
    let value = match &node.value {
        Value::Scalar(scalar) if scalar.style == Style::Quoted => format!("{:?}", scalar.text),
        Value::Scalar(scalar) => scalar.text.clone(),
        Value::Sequence(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Value::Mapping(mapping) => {
            let entries: Vec<_> = mapping.entries.iter().map(|e| format!("{}: {}", e.key, show(&e.value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    };
    tag + &value
}

#[test]
fn documents_become_trees() {
    for (text, tree) in [
        ("a: b\nc:\n  - 1\n  - 'x'\nd: {e: [f]}\n", "{a: b, c: [1, \"x\"], d: {e: [f]}}"),
        ("a:\nb: ''\n", "{a: ~, b: \"\"}"),
        ("\u{feff}a: b\n", "{a: b}"),
        ("a: |\n  x\n  y\n", "{a: \"x\\ny\\n\"}"),
        ("a: !reset null\nb: !!str 5\nc: !!int '5'\n", "{a: !reset \"null\", b: \"5\", c: 5}"),
        ("a: &x {k: v}\nb: *x\n", "{a: {k: v}, b: {k: v}}"),
        ("yes: no\non: off\n", "{yes: no, on: off}"),
    ] {
        assert_eq!(show(&parse(text)[0]), tree, "{text}");
    }
    assert!(parse("").is_empty());
    assert!(parse("# nothing\n").is_empty());
    assert_eq!(parse("a: 1\n---\nb: 2\n").len(), 2);
}

#[test]
fn explicit_keys_win_over_merged_ones_and_earlier_sources_over_later() {
    let text = "
x: &x {a: 1, b: 1, c: 1}
y: &y {b: 2, d: 2}
one: {<<: *x, a: 0}
list: {a: 0, <<: [*y, *x]}
quoted: {'<<': 1}
";
    let document = &parse(text)[0];
    let entry = |key: &str| show(&document.mapping().expect("mapping").find(key).expect("key").value);
    assert_eq!(entry("one"), "{a: 0, b: 1, c: 1}");
    assert_eq!(entry("list"), "{a: 0, b: 2, d: 2, c: 1}");
    assert_eq!(entry("quoted"), "{<<: 1}");
}

#[test]
fn every_value_knows_its_place_and_a_copy_that_of_the_original() {
    let text = "é: 'x'\nb:\n  - &y {c: d}\n\n# comment\ne: *y\nf:\n";
    let document = &parse(text)[0];
    let mapping = document.mapping().expect("mapping");
    let at = |key: &str| {
        let span = mapping.find(key).expect("key").value.span;
        &text[span.start as usize..span.end as usize]
    };
    assert_eq!(at("é"), "'x'");
    assert_eq!(at("b"), "- &y {c: d}");
    assert_eq!(at("e"), "{c: d}");
    assert_eq!(at("f"), "f", "an empty value is shown at its key");
}

#[test]
fn faults_are_named_with_their_place() {
    insta::assert_snapshot!(faults("a: 1\nb: 2\na: 3\nb: 4\n"), @r"
    a.yaml:3:1: error: the key `a` stands twice in this mapping [yaml/duplicate-key]
    a.yaml:4:1: error: the key `b` stands twice in this mapping [yaml/duplicate-key]
    ");
    insta::assert_snapshot!(faults("1: a\ntrue: b\n[x]: c\n"), @r"
    a.yaml:1:1: error: a key must be text, not a number [schema/wrong-type]
    a.yaml:2:1: error: a key must be text, not a boolean [schema/wrong-type]
    a.yaml:3:1: error: a key must be text, not a list [schema/wrong-type]
    ");
    insta::assert_snapshot!(faults("a: [b\n"), @"a.yaml:1:4: error: not YAML: unclosed bracket '[' [yaml/syntax]");
    insta::assert_snapshot!(faults("a: *x\n"), @"a.yaml:1:4: error: not YAML: while parsing node, found unknown anchor [yaml/syntax]");
    insta::assert_snapshot!(faults("a: &x\n  b: *x\n"), @"a.yaml:2:6: error: an alias stands inside its own anchor [yaml/syntax]");
    insta::assert_snapshot!(faults("a: {<<: 1}\n"), @"a.yaml:1:9: error: `<<` takes a mapping or a list of mappings [yaml/syntax]");
    insta::assert_snapshot!(faults("a: b\0\n"), @"a.yaml:1:5: error: a NUL byte does not belong into a text file [yaml/syntax]");
}

#[test]
fn a_duplicate_key_points_at_the_first() {
    let text = "a: 1\na: 2\n";
    let mut sources = Sources::new();
    let id = sources.add("a.yaml", text);
    let diagnostics = read(text, id).expect_err("a fault");
    let report = Report { diagnostics: &diagnostics, sources: &sources }.text(Colour::Plain);
    assert!(report.contains("first here"), "{report}");
}

#[test]
fn hostile_texts_end_in_a_diagnostic() {
    let deep = "[".repeat(200_000);
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let item = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [item.as_str(); 9].join(", ")));
    }
    let mut stairs = String::from("a0: &a0 [x]\n");
    for level in 1..200 {
        stairs.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000_000), vec!["*a"; 100].join(", "));
    let wide = "- a\n".repeat(MAX_NODES + 1);
    for text in [&deep, &bomb, &stairs, &long, &wide] {
        assert!(faults(text).contains("[yaml/bounds]"), "{}", text.get(..60).unwrap_or(text));
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[a-z:{}\\[\\]&*<|> \n\t'\"!#%~-]{0,80}") {
        let _ = read(&text, file().1);
    }
}
