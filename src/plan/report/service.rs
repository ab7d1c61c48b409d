//! Services that are not as they were applied.

use super::{Look, differences};
use crate::model::Kind;
use crate::plan::applied::Object;
use crate::plan::report::Basis;
use crate::plan::rollout::{Past, Silence};
use crate::plan::service::{comparable, counted, ignored, keep, keep_predefined, left_alone, value};
use crate::plan::step::{Change, Drifted};
use crate::plan::{Texts, cost, ignore};
use crate::swarm::canonical::canonical_service;
use crate::swarm::{Service, ServiceSpec};

impl Look<'_> {
    pub(super) fn services(&mut self) {
        let applied = self.applied;
        for (name, applied) in &applied.services {
            let Some(live) = self.index.services.get(name.as_str()).copied() else {
                self.drift.missing.push(Object::new(Kind::Service, name));
                continue;
            };
            let found = comparable(self.index, live.spec.clone());
            let said = self.expected(name, applied, live, &found);
            let paths = self.ignored(name, applied);
            let mut wanted = said.clone();
            wanted.task_template.force_update = found.task_template.force_update;
            let mut changes = Vec::new();
            if wanted != found {
                wanted = left_alone(&paths, &found, wanted);
                changes = self.changes(live, &found, &wanted);
            }
            changes.extend(counted(live, &said, &paths));
            // What else differs from what was applied is ignored: what counts, and is carried over, is told.
            let mut told = said.clone();
            if !paths.iter().any(|path| path == cost::FORCE_UPDATE) {
                told.task_template.force_update = wanted.task_template.force_update;
            }
            if told != wanted {
                self.drift.ignored.push(ignored(live, &wanted, &told));
            }
            self.judge((!changes.is_empty()).then(|| Drifted::service(live, &wanted, changes, &self.live.nodes)));
        }
    }

    /// The paths at which no difference counts.
    fn ignored(&self, name: &str, applied: &ServiceSpec) -> Vec<String> {
        let mut paths = self.applied.ignore.get(name).cloned().unwrap_or_default();
        paths.extend(ignore::by_labels(&applied.labels).map(str::to_owned));
        paths
    }

    /// What was applied in the form in which it is compared with what is found.
    fn expected(&self, name: &str, applied: &ServiceSpec, live: &Service, found: &ServiceSpec) -> ServiceSpec {
        let mut spec = applied.clone();
        let open = self.applied.open.get(name).map_or(&[][..], Vec::as_slice);
        let past = match self.basis {
            Basis::Record => Past::Applied(Some(applied), open),
            Basis::Files => Past::Unknown,
        };
        if !cost::mode(applied).is_job() {
            Silence::recorded(applied, open, found, past).settle(&mut spec);
        }
        keep_predefined(self.index, &mut spec, Some(&live.spec));
        keep::bookkeeping(&mut spec, &live.spec);
        canonical_service(&mut spec);
        self.index.fill_references(&mut spec);
        keep::pin(&mut spec, found);
        spec
    }

    fn changes(&self, live: &Service, found: &ServiceSpec, wanted: &ServiceSpec) -> Vec<Change> {
        let mut changes = differences(&value(found), &value(wanted));
        cost::assess_changes(&mut changes, live, wanted, &self.live.nodes);
        for change in &mut changes {
            if change.path.ends_with("/ConfigName") {
                let texts = text(&change.before).zip(text(&change.after)).and_then(|names| self.texts(names));
                change.tell(texts);
            } else if change.path.ends_with("/SecretName") {
                change.detail = Some("content differs".to_owned());
            }
        }
        changes
    }

    /// The contents of two configs, as far as both are there and no secret.
    fn texts(&self, (before, after): (&str, &str)) -> Option<Texts> {
        let is_hidden = |name: &str| self.applied.configs.values().any(|it| it.name == name && it.confidential);
        let data = |name: &str| self.index.configs.get(name).map(|config| config.spec.data.as_str());
        let is_shown = !is_hidden(before) && !is_hidden(after);
        if is_shown { Texts::of_data(data(before)?, data(after)?) } else { None }
    }
}

fn text(value: &Option<serde_json::Value>) -> Option<&str> {
    value.as_ref().and_then(serde_json::Value::as_str)
}
