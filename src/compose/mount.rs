//! `volumes:` of a service, in its short form `[source:]target[:options]` and its long one.

mod short;

pub(super) use short::{is_windows_absolute, short};

use super::keys;
use super::reference::unique_targets;
use super::{At, BindOptions, Context, Mode, Mount, VolumeOptions, cast};
use crate::diag::{Diagnostic, code};
use crate::yaml::View;

/// The mounts, their bind sources resolved, no two at one path.
pub(super) fn list(view: &View<'_>, context: &Context<'_>) -> Vec<At<Mount>> {
    let mount = |view: View<'_>| {
        let mut mount = decode(view)?;
        if mount.kind == "bind" {
            mount.source = bind_source(&view, mount.source, context)?;
        }
        Some(At::new(mount, view.span()))
    };
    let mounts = view.list(mount).unwrap_or_default();
    unique_targets(view, mounts.iter().map(|mount| (mount.value.target.as_str(), mount.span)));
    mounts
}

/// A path on the node. Relative ones mean the deployer's machine in direct mode and nothing in a repository.
fn bind_source(view: &View<'_>, source: String, context: &Context<'_>) -> Option<String> {
    let input = context.input;
    if source.starts_with('/') || source.is_empty() || is_windows_absolute(&source) {
        return Some(source);
    }
    let relative = |fault: Diagnostic| {
        view.fault(fault.at(view.span()).hint("mount an absolute path, a volume, or give the file as a config"));
    };
    if input.mode == Mode::Repository {
        if let Some(root) = input.bind_root.filter(|_| !source.starts_with('~')) {
            return below(view, root, &source, context);
        }
        let message = format!("{}: `{source}` is relative to the repository, which no node has", view.name());
        relative(Diagnostic::error(code::RELATIVE_BIND, message));
        return None;
    }
    let path = match (source.strip_prefix('~'), input.home) {
        (Some(rest), Some(home)) => format!("{home}{rest}"),
        (Some(_), None) => {
            let message = format!("{}: there is no home directory to put for `~`", view.name());
            relative(Diagnostic::warning(code::RELATIVE_BIND, message));
            return Some(source);
        }
        (None, _) => source.clone(),
    };
    let path = if path.starts_with('/') {
        path
    } else {
        match input.files.locate(&context.units.of(view.span()).dir, &path) {
            Ok(path) => path,
            Err(error) => {
                view.invalid(format_args!("`{source}`: {error}"));
                return None;
            }
        }
    };
    let message = format!("{}: `{source}` is `{path}` of this machine on every node", view.name());
    relative(Diagnostic::warning(code::RELATIVE_BIND, message));
    Some(path)
}

/// The path that a path of the repository has on the nodes, where a directory stands for the repository's root.
fn below(view: &View<'_>, root: &str, source: &str, context: &Context<'_>) -> Option<String> {
    match context.input.files.locate(&context.units.of(view.span()).dir, source) {
        Ok(path) if path.is_empty() => Some(root.to_owned()),
        Ok(path) => Some(format!("{root}/{path}")),
        Err(error) => {
            view.fault(
                Diagnostic::error(code::FILE_OUTSIDE, format!("{}: `{source}`: {error}", view.name())).at(view.span()),
            );
            None
        }
    }
}

/// One entry of `volumes:`, its paths as written.
fn decode(view: View<'_>) -> Option<Mount> {
    if view.node().mapping().is_some() {
        return long(&view);
    }
    let text = view.str()?;
    match short(text) {
        Ok(short) => {
            let warn = |message: String, hint: &str| {
                let message = format!("{}: {message}", view.name());
                view.fault(Diagnostic::warning(code::COMPOSE_UNSUPPORTED, message).at(view.span()).hint(hint));
            };
            for option in &short.ignored {
                warn(format!("the option `{option}` is ignored"), "leave it out");
            }
            if short.drive {
                let target = &short.mount.target;
                warn(
                    format!(
                        "Docker takes `{target}` for a path with a Windows drive: an anonymous volume is mounted there"
                    ),
                    "give the volume a name of more than one letter",
                );
            }
            Some(short.mount)
        }
        Err(error) => {
            let fault = view.invalid_diagnostic(format_args!("{error}"));
            view.fault(fault.hint("mounts are written as in `data:/var/lib/data` or `/srv/data:/data:ro`"));
            None
        }
    }
}

const KINDS: &[(&str, &str)] =
    &[("volume", "volume"), ("bind", "bind"), ("tmpfs", "tmpfs"), ("npipe", "npipe"), ("cluster", "cluster")];

fn long(view: &View<'_>) -> Option<Mount> {
    let mut fields = view.fields()?;
    let kind = fields.require("type").and_then(|kind| kind.choice(KINDS));
    let source = fields.text("source");
    let target = fields.require("target").and_then(|target| target.text());
    let read_only = fields.take("read_only").and_then(cast::boolean).unwrap_or(false);
    let consistency = fields.text("consistency").unwrap_or_default();
    let bind = fields.take("bind").map(|view| {
        let mut bind = BindOptions::default();
        if let Some(mut fields) = view.fields() {
            bind.propagation = fields.text("propagation").unwrap_or_default();
            keys::ignore_rest(&mut fields);
        }
        (view.key_span(), bind)
    });
    let volume = fields.take("volume").map(|view| {
        let mut volume = VolumeOptions::default();
        if let Some(mut fields) = view.fields() {
            volume.nocopy = fields.take("nocopy").and_then(cast::boolean).unwrap_or(false);
            volume.subpath = fields.text("subpath").unwrap_or_default();
            keys::ignore_rest(&mut fields);
        }
        (view.key_span(), volume)
    });
    let tmpfs = fields.take("tmpfs").map(|view| {
        let mut size = 0;
        if let Some(mut fields) = view.fields() {
            size = fields.take("size").and_then(cast::bytes).unwrap_or(0);
            keys::ignore_rest(&mut fields);
        }
        (view.key_span(), size)
    });
    keys::refuse(&mut fields, keys::MOUNT);
    keys::finish(fields);

    let kind = kind?;
    for (name, span, kinds) in [
        ("bind", bind.as_ref().map(|(span, _)| *span), &["bind", "npipe"][..]),
        ("volume", volume.as_ref().map(|(span, _)| *span), &["volume"][..]),
        ("tmpfs", tmpfs.as_ref().map(|(span, _)| *span), &["tmpfs"][..]),
    ] {
        if let Some(span) = span.filter(|_| !kinds.contains(&kind)) {
            let message = format!("{}: the key `{name}` does not go with the type {kind}", view.name());
            view.fault(Diagnostic::error(code::CONFLICT, message).at(span));
        }
    }
    match (kind, source.as_deref().unwrap_or_default()) {
        ("bind" | "npipe" | "cluster", "") => {
            let message = format!("{} needs the key `source`: a mount of the type {kind} has one", view.name());
            view.fault(Diagnostic::error(code::MISSING_KEY, message).at(view.span()));
        }
        ("tmpfs", source) if !source.is_empty() => {
            let message = format!("{}: a tmpfs has no source", view.name());
            view.fault(Diagnostic::error(code::CONFLICT, message).at(view.span()));
        }
        _ => {}
    }
    Some(Mount {
        kind: kind.to_owned(),
        source: source.unwrap_or_default(),
        target: target?,
        read_only,
        consistency,
        bind: bind.map(|(_, bind)| bind),
        volume: volume.map(|(_, volume)| volume),
        tmpfs: tmpfs.map(|(_, size)| size),
    })
}
