//! Fields and values in the words of stack files.

use std::time::Duration;

use serde_json::{Map, Value};

use super::lines::Texts;
use super::list::List;

/// Fields with a name that people know, by the path that their own begins with.
const LABELS: &[(&str, &str)] = &[
    ("/TaskTemplate/ContainerSpec/Image", "image"),
    ("/TaskTemplate/ContainerSpec/Args", "command"),
    ("/TaskTemplate/ContainerSpec/Command", "entrypoint"),
    ("/TaskTemplate/ContainerSpec/Labels", "container label"),
    ("/TaskTemplate/ContainerSpec/Healthcheck", "healthcheck"),
    ("/TaskTemplate/ContainerSpec/Privileges", "privileges"),
    ("/TaskTemplate/ContainerSpec/DNSConfig", "dns"),
    ("/TaskTemplate/ContainerSpec/Sysctls", "sysctl"),
    ("/TaskTemplate/ContainerSpec/Dir", "working_dir"),
    ("/TaskTemplate/ContainerSpec/Env", "env"),
    ("/TaskTemplate/ContainerSpec/Mounts", "mounts"),
    ("/TaskTemplate/ContainerSpec", ""),
    ("/TaskTemplate/Placement", "placement"),
    ("/TaskTemplate/Resources/Limits", "limit"),
    ("/TaskTemplate/Resources/Reservations", "reservation"),
    ("/TaskTemplate/Resources", "resources"),
    ("/TaskTemplate/RestartPolicy", "restart"),
    ("/TaskTemplate/LogDriver", "logging"),
    ("/TaskTemplate/ForceUpdate", "force update"),
    ("/TaskTemplate", ""),
    ("/Labels", "label"),
    ("/Mode/Replicated/Replicas", "replicas"),
    ("/Mode", "mode"),
    ("/UpdateConfig", "update"),
    ("/RollbackConfig", "rollback"),
    ("/EndpointSpec/Ports", "ports"),
    ("/EndpointSpec", "endpoint"),
];

/// A field in a few words: `image`, `label traefik.enable`, `update Order`.
pub(super) fn label(path: &str) -> String {
    let known = LABELS.iter().find_map(|(prefix, word)| {
        let rest = path.strip_prefix(prefix)?;
        (rest.is_empty() || rest.starts_with('/')).then_some((*word, rest))
    });
    let (word, rest) = known.unwrap_or(("", path));
    let rest: Vec<String> = rest
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect();
    match (word, rest.join(".")) {
        (word, rest) if rest.is_empty() => word.to_owned(),
        ("", rest) => rest,
        (word, rest) => format!("{word} {rest}"),
    }
}

/// An element of a list, or a field of it where `path` leads into it: `env LOG_LEVEL`, `mount /data ReadOnly`.
pub(super) fn element(list: &List, key: &str, path: Option<&str>) -> String {
    let field = path.and_then(|path| path.rsplit('/').next());
    match field {
        // The name is what an exchanged config or secret shows.
        Some(field) if !matches!(field, "ConfigName" | "SecretName") => format!("{} {key} {field}", list.word),
        _ => format!("{} {key}", list.word),
    }
}

/// A value as people write it: durations and sizes with units, text bare, the rest as JSON.
pub(super) fn value(path: &str, value: &Value) -> String {
    let field = path.rsplit('/').next().unwrap_or("");
    match value {
        Value::String(text) if path.contains("/ContainerSpec/Env/") => {
            text.split_once('=').map_or("(taken away)", |(_, value)| value).to_owned()
        }
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match (field, number.as_i64()) {
            (
                "Delay" | "Monitor" | "Window" | "Interval" | "Timeout" | "StartPeriod" | "StartInterval"
                | "StopGracePeriod",
                Some(nanoseconds),
            ) => duration(nanoseconds),
            ("MemoryBytes" | "SizeBytes", Some(bytes)) => size(bytes),
            ("NanoCPUs", Some(billionths)) => cpus(billionths),
            ("Mode", Some(mode)) => format!("0{mode:o}"),
            // The engine keeps ratios in 32 bits.
            (_, None) => number.as_f64().map_or_else(|| number.to_string(), |ratio| (ratio as f32).to_string()),
            _ => number.to_string(),
        },
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        }
        Value::Object(element) => whole(path, element).unwrap_or_else(|| value.to_string()),
        other => other.to_string(),
    }
}

/// Both values where they are texts of which one has several lines, to be compared by line.
pub(super) fn lines(path: &str, before: &Value, after: &Value) -> Option<Texts> {
    let is_text = |value: &Value| value.as_str().is_some();
    let has_lines = |value: &Value| value.as_str().is_some_and(|text| text.trim_end().contains('\n'));
    let is_told = is_text(before) && is_text(after) && (has_lines(before) || has_lines(after));
    is_told.then(|| Texts::new(value(path, before), value(path, after)))
}

/// An element of a list that comes or goes as a whole.
fn whole(path: &str, element: &Map<String, Value>) -> Option<String> {
    let (list, _) = path.rsplit_once('/')?;
    let text = |key: &str| element.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let number = |key: &str| element.get(key).and_then(Value::as_u64);
    Some(match list {
        "/TaskTemplate/Networks" => {
            let aliases = element.get("Aliases").and_then(Value::as_array).into_iter().flatten();
            let aliases: Vec<&str> = aliases.filter_map(Value::as_str).collect();
            if aliases.is_empty() { "joined".to_owned() } else { format!("joined as {}", aliases.join(", ")) }
        }
        "/EndpointSpec/Ports" => {
            let published = number("PublishedPort").map(|port| format!("{port}:")).unwrap_or_default();
            let mode = text("PublishMode").filter(|mode| *mode != "ingress");
            let mode = mode.map(|mode| format!(" {mode}")).unwrap_or_default();
            format!("{published}{}/{}{mode}", number("TargetPort")?, text("Protocol").unwrap_or("tcp"))
        }
        "/TaskTemplate/ContainerSpec/Mounts" => {
            let read_only = element.get("ReadOnly").and_then(Value::as_bool) == Some(true);
            let source = text("Source").unwrap_or("(anonymous)");
            // What else it says is worth the JSON.
            let has_options = |key: &str| match element.get(key).and_then(Value::as_object) {
                Some(options) => options.keys().any(|key| key != "Labels"),
                None => false,
            };
            if ["VolumeOptions", "BindOptions", "TmpfsOptions"].into_iter().any(has_options) {
                return None;
            }
            format!("{} {source}{}", text("Type")?, if read_only { ", read-only" } else { "" })
        }
        "/TaskTemplate/ContainerSpec/Configs" => text("ConfigName")?.to_owned(),
        "/TaskTemplate/ContainerSpec/Secrets" => text("SecretName")?.to_owned(),
        _ => return None,
    })
}

/// A time that nobody can tell exactly: `71 s`, `14 min`.
pub(super) fn about(seconds: u64) -> String {
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.saturating_add(30) / 60) }
}

/// A duration, as stack files have it.
pub(super) fn duration(nanoseconds: i64) -> String {
    match u64::try_from(nanoseconds) {
        Ok(nanoseconds) => format!("{:?}", Duration::from_nanos(nanoseconds)),
        Err(_) => format!("{nanoseconds}ns"),
    }
}

fn size(bytes: i64) -> String {
    for (unit, letter) in [(1 << 30, 'G'), (1 << 20, 'M'), (1 << 10, 'K')] {
        if bytes != 0 && bytes % unit == 0 {
            return format!("{}{letter}", bytes / unit);
        }
    }
    format!("{bytes}B")
}

fn cpus(billionths: i64) -> String {
    let text = format!("{}.{:09}", billionths / 1_000_000_000, (billionths % 1_000_000_000).abs());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_named_as_in_stack_files() {
        for (path, expected) in [
            ("/TaskTemplate/ContainerSpec/Image", "image"),
            ("/TaskTemplate/ContainerSpec/User", "User"),
            ("/TaskTemplate/ContainerSpec/Labels/a~1b", "container label a/b"),
            ("/Labels/traefik.enable", "label traefik.enable"),
            ("/UpdateConfig/Order", "update Order"),
            ("/Mode/Replicated/Replicas", "replicas"),
            ("/TaskTemplate/Resources/Limits/MemoryBytes", "limit MemoryBytes"),
            ("/Novelty/Deep", "Novelty.Deep"),
            ("/LabelsAndMore", "LabelsAndMore"),
        ] {
            assert_eq!(label(path), expected);
        }
    }

    #[test]
    fn values_have_their_units() {
        for (path, given, expected) in [
            ("/UpdateConfig/Delay", json!(10_000_000_000_i64), "10s"),
            ("/UpdateConfig/Monitor", json!(1_500_000_000_i64), "1.5s"),
            ("/a/MemoryBytes", json!(536_870_912), "512M"),
            ("/a/MemoryBytes", json!(1000), "1000B"),
            ("/a/NanoCPUs", json!(500_000_000), "0.5"),
            ("/a/NanoCPUs", json!(2_000_000_000_i64), "2"),
            ("/UpdateConfig/MaxFailureRatio", json!(0.1_f32), "0.1"),
            ("/a/File/Mode", json!(292), "0444"),
            ("/TaskTemplate/ContainerSpec/Env/0", json!("A=b=c"), "b=c"),
            ("/TaskTemplate/ContainerSpec/Args", json!(["sleep", "9"]), "sleep 9"),
            ("/a", json!({"x": 1}), "{\"x\":1}"),
        ] {
            assert_eq!(value(path, &given), expected, "{path}");
        }
    }
}
