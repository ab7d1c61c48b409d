//! A step's tasks, given places one after another as the engine would.

use super::fit::{Demand, Obstacle};
use super::room::{House, Lodger};
use super::start::{Replaced, Start};
use crate::plan::cost::{self, Mode};

/// Tasks that would find no node.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shortage {
    pub kind: Short,
    /// What stands in the way, by the nodes' host names.
    pub obstacles: Vec<(String, Obstacle)>,
}

/// How tasks fall short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Short {
    /// So many of so many find a node.
    Few { placed: u64, wanted: u64 },
    /// No node at all is meant to have one.
    Nowhere,
    /// New tasks wait for old ones, which wait for them.
    Waits,
}

/// Carries a step out in the books, and says what falls short.
pub(super) fn simulate(house: &mut House<'_>, start: &Start<'_>) -> Option<Shortage> {
    let demand = Demand::of(start.spec);
    match cost::mode(start.spec) {
        Mode::Replicated(wanted) => replicated(house, start, &demand, wanted),
        Mode::Global | Mode::GlobalJob => global(house, start, &demand),
        Mode::ReplicatedJob => job(house, start, &demand),
    }
}

fn replicated(house: &mut House<'_>, start: &Start<'_>, demand: &Demand<'_>, wanted: u64) -> Option<Shortage> {
    let mut old = house.forget(start.name);
    shrink(house, start.name, &mut old, wanted);
    let (replaced, kept): (Vec<Lodger>, Vec<Lodger>) = match start.replaced {
        Replaced::None => (Vec::new(), old),
        Replaced::All | Replaced::AllAtOnce => (old, Vec::new()),
        Replaced::Misplaced => old
            .into_iter()
            .partition(|lodger| house.rooms.get(lodger.room).is_some_and(|room| demand.lasting(room.node).is_some())),
    };
    let is_at_once = matches!(start.replaced, Replaced::Misplaced | Replaced::AllAtOnce);
    if is_at_once {
        replaced.iter().for_each(|lodger| house.end(start.name, lodger));
    }
    let standing = if is_at_once { 0 } else { replaced.len() as u64 };
    let mut missing = wanted.saturating_sub(kept.len() as u64).saturating_sub(standing);
    missing -= house.place(demand, missing);
    let mut waits = None;
    if standing > 0 && start.is_start_first() {
        let rest = start_first(house, start.name, demand, replaced);
        if !rest.is_empty() {
            let obstacles = house.obstacles(demand);
            let mut find_none = 0;
            for lodger in &rest {
                house.end(start.name, lodger);
                find_none += u64::from(house.place_one(demand).is_none());
            }
            missing = missing.saturating_add(find_none);
            waits = (find_none < rest.len() as u64).then_some(Shortage { kind: Short::Waits, obstacles });
        }
    } else if standing > 0 {
        for lodger in &replaced {
            house.end(start.name, lodger);
            missing = missing.saturating_add(u64::from(house.place_one(demand).is_none()));
        }
    }
    // What found no room at first may find it in the end.
    missing -= house.place(demand, missing);
    if missing > 0 {
        let kind = Short::Few { placed: wanted.saturating_sub(missing), wanted };
        return Some(Shortage { kind, obstacles: house.obstacles(demand) });
    }
    waits
}

/// Fewer are wanted: the fullest nodes lose theirs first.
fn shrink(house: &mut House<'_>, service: &str, old: &mut Vec<Lodger>, wanted: u64) {
    while old.len() as u64 > wanted {
        let fullest = |lodger: &Lodger| house.rooms.get(lodger.room).map_or(0, |room| room.tasks_of(service));
        let Some((index, _)) = old.iter().enumerate().max_by_key(|(_, lodger)| fullest(lodger)) else { return };
        let lodger = old.swap_remove(index);
        house.end(service, &lodger);
    }
}

/// Starts a new task beside each old one, which then stops. Gives the old ones beside which nothing starts. Room for one is
/// enough to replace them all in turn, whatever the parallelism: what waits for room gets it when another has stopped.
fn start_first(house: &mut House<'_>, service: &str, demand: &Demand<'_>, mut old: Vec<Lodger>) -> Vec<Lodger> {
    loop {
        let before = old.len();
        old.retain(|lodger| match house.place_one(demand) {
            Some(_) => {
                house.end(service, lodger);
                false
            }
            None => true,
        });
        if old.is_empty() || old.len() == before {
            return old;
        }
    }
}

/// A global service has a task for each node that it is meant for, whether that takes it or not.
fn global(house: &mut House<'_>, start: &Start<'_>, demand: &Demand<'_>) -> Option<Shortage> {
    let old = house.forget(start.name);
    let (mut wanted, mut placed) = (0, 0);
    let (mut waiting, mut failing) = (Vec::new(), Vec::new());
    for index in 0..house.rooms.len() {
        let own: Vec<&Lodger> = old.iter().filter(|lodger| lodger.room == index).collect();
        let Some(room) = house.rooms.get_mut(index) else { continue };
        if !demand.is_meant(room.node) {
            own.iter().for_each(|lodger| room.free(start.name, &lodger.need));
            continue;
        }
        wanted += 1;
        if !own.is_empty() && matches!(start.replaced, Replaced::None | Replaced::Misplaced) {
            placed += 1;
            continue;
        }
        let beside = demand.obstacle(room);
        own.iter().for_each(|lodger| room.free(start.name, &lodger.need));
        let name = room.node.description.hostname.clone();
        match demand.obstacle(room) {
            Some(obstacle) => failing.push((name, obstacle)),
            None => {
                placed += 1;
                if let Some(obstacle) = beside.filter(|_| start.replaced == Replaced::All && start.is_start_first()) {
                    waiting.push((name, obstacle));
                }
                room.take(start.name, &demand.need, 1);
            }
        }
    }
    if wanted == 0 {
        let obstacles = house
            .rooms
            .iter()
            .filter_map(|room| Some((room.node.description.hostname.clone(), demand.lasting(room.node)?)));
        return Some(Shortage { kind: Short::Nowhere, obstacles: obstacles.collect() });
    }
    if !failing.is_empty() {
        return Some(Shortage { kind: Short::Few { placed, wanted }, obstacles: failing });
    }
    (!waiting.is_empty()).then_some(Shortage { kind: Short::Waits, obstacles: waiting })
}

/// A job gets on as long as one task at a time finds a node.
fn job(house: &mut House<'_>, start: &Start<'_>, demand: &Demand<'_>) -> Option<Shortage> {
    for lodger in house.forget(start.name) {
        house.end(start.name, &lodger);
    }
    let job = start.spec.mode.as_ref().and_then(|mode| mode.replicated_job.as_ref());
    let at_once = job.and_then(|job| job.max_concurrent).unwrap_or(1);
    let total = job.and_then(|job| job.total_completions).unwrap_or(at_once);
    let wanted = at_once.min(total);
    if wanted == 0 || house.place(demand, wanted) > 0 {
        return None;
    }
    Some(Shortage { kind: Short::Few { placed: 0, wanted }, obstacles: house.obstacles(demand) })
}

impl House<'_> {
    fn obstacles(&self, demand: &Demand<'_>) -> Vec<(String, Obstacle)> {
        let told =
            |room: &super::room::Room<'_>| Some((room.node.description.hostname.clone(), demand.obstacle(room)?));
        self.rooms.iter().filter_map(told).collect()
    }
}
