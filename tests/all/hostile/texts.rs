//! The texts.

use std::fmt::Write as _;

/// Files, and the code of the diagnostic they end in.
pub struct Text {
    pub name: &'static str,
    pub files: Vec<(&'static str, Vec<u8>)>,
    pub code: &'static str,
}

/// A file with one service and these lines in it.
pub fn service(lines: &str) -> String {
    lines.lines().fold("services:\n  web:\n    image: a\n".to_owned(), |text, line| text + "    " + line + "\n")
}

/// Lines, or what else a number becomes.
fn many(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        text += &line(number);
        text
    })
}

/// A list of so many times the same, on one line.
fn list(key: &str, item: &str, count: usize) -> String {
    service(&format!("{key}: [{}]", format!("{item},").repeat(count)))
}

const MIB: usize = 1024 * 1024;
const BOUNDS: &str = "[yaml/bounds]";
const SYNTAX: &str = "[yaml/syntax]";

/// All of them.
pub fn all() -> impl Iterator<Item = Text> {
    let one = |(name, text, code): (&'static str, Vec<u8>, &'static str)| Text {
        name,
        files: vec![("stack.yaml", text)],
        code,
    };
    let text = |(name, make, code): (&'static str, fn() -> String, &'static str)| (name, make().into_bytes(), code);
    GROWTH.iter().chain(SHAPES).chain(VALUES).copied().map(text).chain(bytes()).map(one).chain(several())
}

type Made = (&'static str, fn() -> String, &'static str);

/// What grows when it is read.
const GROWTH: &[Made] = &[
    (
        "aliases of lists",
        || {
            many(12, |n| {
                if n == 0 {
                    "a0: &a0 [x,x,x,x]\n".into()
                } else {
                    format!("a{n}: &a{n} [{}]\n", format!("*a{},", n - 1).repeat(10))
                }
            })
        },
        BOUNDS,
    ),
    (
        "aliases of mappings",
        || {
            many(20, |n| {
                if n == 0 {
                    "a0: &a0 {a: x}\n".into()
                } else {
                    format!("a{n}: &a{n} {{a: *a{0}, b: *a{0}, c: *a{0}}}\n", n - 1)
                }
            })
        },
        BOUNDS,
    ),
    (
        "merge keys",
        || {
            many(3000, |n| {
                if n == 0 { "a0: &a0 {k0: x}\n".into() } else { format!("a{n}: &a{n} {{<<: *a{}, k{n}: x}}\n", n - 1) }
            })
        },
        BOUNDS,
    ),
    ("aliases of a long text", || format!("a: &a {}\nb: [{}]\n", "x".repeat(MIB), "*a,".repeat(60)), BOUNDS),
    ("many anchors in each other", || many(100, |n| format!("a{n}: &a{n} [*a{}]\n", n.saturating_sub(1))), "["),
    ("a variable a hundred thousand times", || list("command", "$A", 100_000), "error"),
    ("a long variable in one text", || service(&format!("command: \"{}\"\nbogus: 1", "$A".repeat(100_000))), "error"),
    (
        "defaults in defaults",
        || service(&format!("command: \"{}{}\"", "${N:-".repeat(200_000), "}".repeat(200_000))),
        BOUNDS,
    ),
    ("all ports many times", || list("ports", "\"0-65535:0-65535\"", 50_000), BOUNDS),
    (
        "all ports in many services",
        || format!("services:\n{}", many(5000, |n| format!("  s{n}: {{image: a, ports: ['1-30000']}}\n"))),
        BOUNDS,
    ),
    (
        "a config many times",
        || {
            format!(
                "{}configs:\n{}",
                service("init: true"),
                many(2000, |n| format!("  c{n}: {{content: \"{}\"}}\n", "$A".repeat(100)))
            )
        },
        "error",
    ),
];

/// What nests, repeats or never ends.
const SHAPES: &[Made] = &[
    ("lists in lists", || format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000)), BOUNDS),
    ("mappings in mappings", || "{a: ".repeat(100_000), BOUNDS),
    ("deep blocks", || many(3000, |n| " ".repeat(n) + "a:\n"), BOUNDS),
    ("dashes", || "- ".repeat(200_000) + "x", BOUNDS),
    ("question marks", || "? ".repeat(100_000) + "x", BOUNDS),
    ("brackets that never close", || "[{".repeat(MIB), BOUNDS),
    ("a quote that never closes", || format!("a: \"{}", "x\n ".repeat(2 * MIB)), SYNTAX),
    ("colons", || ":".repeat(8_000_000), "["),
    ("exclamation marks", || "!".repeat(8_000_000), "["),
    ("ampersands", || "&".repeat(8_000_000), "["),
    ("asterisks", || "*".repeat(8_000_000), "["),
    ("commas", || "[a: b, ".to_owned() + &"a: b, ".repeat(MIB), BOUNDS),
    ("empty lines", || "\n".repeat(8 * MIB), "[schema/wrong-type]"),
    ("tabs", || "\t".repeat(8 * MIB), "["),
    ("a comment of 8 MiB", || "#".repeat(8 * MIB), "[schema/wrong-type]"),
    ("one byte too many", || "#".repeat(8 * MIB + 1), BOUNDS),
    ("documents", || "---\na: 1\n".repeat(60_000), BOUNDS),
    ("a key many times", || "a: 1\n".repeat(100_000), "[yaml/duplicate-key]"),
    ("a service many times", || format!("services:\n{}", "  web: {image: a}\n".repeat(50_000)), "[yaml/duplicate-key]"),
    ("values", || list("x-a", "a", 4_000_000 / 2), BOUNDS),
    (
        "100,000 keys",
        || format!("{}{}", service("init: true"), many(100_000, |n| format!("k{n}: 1\n"))),
        "[schema/unknown-key]",
    ),
    ("100,000 keys of a service", || service(&many(100_000, |n| format!("k{n}: 1\n"))), "[schema/unknown-key]"),
    ("100,000 services", || format!("services:\n{}", many(50_000, |n| format!("  s{n}: {{}}\n"))), BOUNDS),
    (
        "5,000 services with a fault each",
        || format!("services:\n{}", many(5000, |n| format!("  s{n}: {{imag: x}}\n"))),
        "[schema/unknown-key]",
    ),
    (
        "100,000 networks",
        || {
            service(&format!("networks: [{}]", many(100_000, |n| format!("n{n},"))))
                + "networks:\n"
                + &many(30_000, |n| format!("  m{n}: {{}}\n"))
        },
        "[compose/undefined-network]",
    ),
    (
        "services that extend each other",
        || "services: {a: {extends: {service: b}}, b: {extends: {service: a}}}\n".into(),
        "error",
    ),
    ("a file that includes itself", || format!("include: [stack.yaml]\n{}", service("init: true")), "error"),
    (
        "a long chain of extends",
        || format!("services:\n{}", many(2000, |n| format!("  s{n}: {{extends: {{service: s{}}}}}\n", n + 1))),
        "error",
    ),
];

/// Values and words that are long or wrong, and many of them.
const VALUES: &[Made] = &[
    ("a text of 8 MB", || format!("services: {}", "x".repeat(8_000_000)), "[schema/wrong-type]"),
    ("a key of 8 MB", || format!("? {}\n: 1\n", "x".repeat(8_000_000)), "["),
    ("a key of 2 MB with wide letters", || service(&format!("? \"{}\"\n: 1", "漢".repeat(700_000))), "["),
    (
        "references that never end",
        || service(&format!("command: \"{}\"", "${".repeat(2_000_000))),
        "[compose/interpolation]",
    ),
    (
        "dollars before spaces",
        || service(&format!("command: \"{}\"", "$ ".repeat(4_000_000))),
        "[compose/interpolation]",
    ),
    (
        "undefined variables in one text",
        || service(&format!("command: \"{}\"\nbogus: 1", many(300_000, |n| format!("$U{n} ")))),
        "[compose/undefined-variable]",
    ),
    (
        "undefined variables",
        || service(&format!("environment:\n{}\nbogus: 1", many(50_000, |n| format!("  k{n}: $U{n}\n")))),
        "[compose/undefined-variable]",
    ),
    (
        "a required variable with a long reason",
        || service(&format!("command: \"${{U?{}}}\"", "x".repeat(4_000_000))),
        "[compose/undefined-variable]",
    ),
    ("faults in one line", || list("ports", "x", 100_000), "[schema/invalid-value]"),
    (
        "faults in long lines",
        || service(&format!("ports:\n{}", many(1500, |_| format!("  - {}\n", "x".repeat(5000))))),
        "[schema/invalid-value]",
    ),
    (
        "faults at the end of the file",
        || format!("{}{}", "#\n".repeat(3_500_000), list("ports", "x", 1500)),
        "[schema/invalid-value]",
    ),
    ("a number of 4 MB", || service(&format!("deploy: {{replicas: {}}}", "9".repeat(4_000_000))), "["),
    (
        "a fraction of 4 MB",
        || service(&format!("deploy: {{resources: {{limits: {{cpus: '0.{}'}}}}}}", "9".repeat(4_000_000))),
        "[",
    ),
    ("a duration of 4 MB", || service(&format!("stop_grace_period: {}", "1h".repeat(4_000_000))), "["),
    ("a date of 4 MB", || service(&format!("init: 2001-{}", "1".repeat(4_000_000))), "["),
    ("a command of 4 million words", || service(&format!("command: \"{}\"", "a ".repeat(4_000_000))), "["),
    ("a path of 4 MB", || service(&format!("env_file: {}", "a/".repeat(2_000_000))), "[file/"),
    ("a version of 8 MB", || format!("version: \"3.{}\"\n{}", "1".repeat(8_000_000), service("init: true")), "["),
    ("volumes with one target", || list("volumes", "\"a:/v\"", 50_000), "["),
];

/// What is no text.
fn bytes() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let joined = |parts: &[&[u8]]| parts.concat();
    vec![
        ("Latin-1", vec![0xe9; 8_000_000], SYNTAX),
        ("a byte that is not UTF-8", joined(&[b"services:\n  web:\n    image: ", b"\xff\n"]), SYNTAX),
        ("half a character at the end", joined(&[service("init: true").as_bytes(), b"x-a: \xe6\xbc"]), SYNTAX),
        ("a NUL", b"services:\0\n".to_vec(), SYNTAX),
        ("a NUL at the end", joined(&[&b"#".repeat(8_000_000), b"\0"]), SYNTAX),
        ("UTF-16", utf16("\u{feff}services: {}\n"), SYNTAX),
        ("UTF-16 without a mark", utf16("services: {}\n"), SYNTAX),
        ("byte order marks", "\u{feff}".repeat(2_000_000).into_bytes(), "["),
        ("control characters", service("command: \u{1}\u{2}").into_bytes(), SYNTAX),
    ]
}

/// Several files.
fn several() -> Vec<Text> {
    let made = |name, files: &[(&'static str, String)], code| Text {
        name,
        files: files.iter().map(|(path, text)| (*path, text.clone().into_bytes())).collect(),
        code,
    };
    let with_env = service("env_file: x.env\nbogus: 1");
    let mut services = String::from("services:\n");
    for number in 0..5000 {
        let _ = writeln!(services, "  s{number}: {{image: a, env_file: x.env}}");
    }
    vec![
        made(
            "an env file of one line",
            &[("a.yaml", with_env.clone()), ("x.env", format!("A={}", "x".repeat(8_000_000)))],
            "error",
        ),
        made(
            "an env file of short lines",
            &[("a.yaml", with_env.clone()), ("x.env", many(500_000, |n| format!("A{n}=x\n")))],
            "error",
        ),
        made("an env file of faults", &[("a.yaml", with_env.clone()), ("x.env", "=x\n".repeat(50_000))], "[file/env]"),
        made(
            "an env file for all",
            &[("a.yaml", services), ("x.env", many(60, |n| format!("A{n}={}\n", "x".repeat(100))))],
            BOUNDS,
        ),
        made(
            "a .env whose quotes never close",
            &[("a.yaml", with_env), ("x.env", String::new()), (".env", "A=\"\\\n".repeat(500_000))],
            "error",
        ),
        made(
            "all ports in two files",
            &[
                ("a.yaml", list("ports", "\"1-65535:1-65535/udp\"", 5000)),
                ("b.yaml", list("ports", "\"1-65535:1-65535\"", 5000)),
            ],
            BOUNDS,
        ),
        made(
            "all ports in the first of two files",
            &[("a.yaml", list("ports", "\"0-65535\"", 5000)), ("b.yaml", service("init: true"))],
            BOUNDS,
        ),
    ]
}
