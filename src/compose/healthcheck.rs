//! `healthcheck:` of a service.

use super::{Healthcheck, cast, deploy, keys};
use crate::diag::{Diagnostic, code};
use crate::yaml::View;

/// Reads `healthcheck:`.
pub(super) fn decode(view: View<'_>) -> Option<Healthcheck> {
    let mut fields = view.fields()?;
    let test = fields.take("test");
    let duration = |view: View<'_>| deploy::duration(&view);
    let healthcheck = Healthcheck {
        disable: fields.take("disable").and_then(cast::boolean).unwrap_or(false),
        test: test.and_then(health_test).unwrap_or_default(),
        interval: fields.take("interval").and_then(duration),
        timeout: fields.take("timeout").and_then(duration),
        start_period: fields.take("start_period").and_then(duration),
        start_interval: fields.take("start_interval").and_then(duration),
        retries: fields.take("retries").and_then(cast::integer),
    };
    keys::finish(fields);
    if healthcheck.disable && !healthcheck.test.is_empty() {
        let message = format!("{}: `test` and `disable` exclude each other", view.name());
        view.fault(Diagnostic::error(code::CONFLICT, message).at(test.map(|test| test.key_span())));
    }
    Some(healthcheck)
}

fn health_test(view: View<'_>) -> Option<Vec<String>> {
    if view.node().scalar().is_some() {
        return Some(vec!["CMD-SHELL".to_owned(), view.text()?]);
    }
    let test = view.texts()?;
    if test.first().is_some_and(|first| !matches!(first.as_str(), "NONE" | "CMD" | "CMD-SHELL")) {
        let message = format!("{}: the engine runs no check whose first word is not `CMD` or `CMD-SHELL`", view.name());
        view.fault(Diagnostic::warning(code::INVALID_VALUE, message).at(view.span()).hint("put `CMD` before it"));
    }
    Some(test)
}
