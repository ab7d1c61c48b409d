//! Giving tasks a place as the scheduler does: the node with the fewest tasks of the service first.

use super::fit::Demand;
use super::room::{House, Lodger};

impl House<'_> {
    /// Gives up to so many new tasks of a service a place, and says how many got one.
    ///
    /// All at once rather than one by one: somebody may ask for a billion. Every node is filled up to one level of tasks of the
    /// service, or as far as it goes.
    pub fn place(&mut self, demand: &Demand<'_>, count: u64) -> u64 {
        struct Free {
            room: usize,
            has: u64,
            fits: u64,
            tasks: u64,
        }
        let mut free: Vec<Free> = self
            .rooms
            .iter()
            .enumerate()
            .map(|(room, it)| Free {
                room,
                has: it.tasks_of(demand.service),
                fits: demand.capacity(it).min(count),
                tasks: it.tasks,
            })
            .filter(|free| free.fits > 0)
            .collect();
        let up_to = |free: &[Free], level: u64| -> u64 {
            let filled = free.iter().map(|it| level.saturating_sub(it.has).min(it.fits));
            filled.fold(0, u64::saturating_add)
        };
        let highest = free.iter().map(|it| it.has.saturating_add(it.fits)).max().unwrap_or_default();
        let wanted = count.min(up_to(&free, highest));
        // The highest level that not all of them reach, and then one more for some.
        let (mut low, mut high) = (0, highest);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if up_to(&free, middle) <= wanted { low = middle } else { high = middle - 1 }
        }
        let mut rest = wanted.saturating_sub(up_to(&free, low));
        // Among equals the node with the fewest tasks of any service is first.
        free.sort_by_key(|it| (it.tasks, it.room));
        for Free { room, has, fits, .. } in free {
            let mut here = low.saturating_sub(has).min(fits);
            if rest > 0 && here < fits && has.saturating_add(here) == low {
                here += 1;
                rest -= 1;
            }
            if let Some(room) = self.rooms.get_mut(room) {
                room.take(demand.service, &demand.need, here);
            }
        }
        wanted
    }

    /// Gives one new task a place.
    pub fn place_one(&mut self, demand: &Demand<'_>) -> Option<Lodger> {
        let fitting = self.rooms.iter().enumerate().filter(|(_, room)| demand.obstacle(room).is_none());
        let (room, _) = fitting.min_by_key(|(_, room)| (room.tasks_of(demand.service), room.tasks))?;
        let lodger = Lodger { room, need: demand.need.clone() };
        if let Some(room) = self.rooms.get_mut(room) {
            room.take(demand.service, &demand.need, 1);
        }
        Some(lodger)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::swarm::{Live, Node, ServiceSpec};
    use serde_json::json;

    fn live(memory: &[i64]) -> Live {
        let node = |(index, memory): (usize, &i64)| -> Arc<Node> {
            let node = json!({
                "ID": format!("{index}"), "Spec": { "Availability": "active" }, "Status": { "State": "ready" },
                "Description": { "Resources": { "MemoryBytes": memory, "NanoCPUs": 1 } },
            });
            Arc::new(serde_json::from_value(node).expect("a node"))
        };
        Live { nodes: memory.iter().enumerate().map(node).collect(), ..Live::default() }
    }

    fn spec(memory: i64, most: u64) -> ServiceSpec {
        serde_json::from_value(json!({
            "Name": "web", "TaskTemplate": {
                "Resources": { "Reservations": { "MemoryBytes": memory } }, "Placement": { "MaxReplicas": most },
            }
        }))
        .expect("a spec")
    }

    fn counts(house: &House<'_>) -> Vec<u64> {
        house.rooms.iter().map(|room| room.tasks_of("web")).collect()
    }

    #[test]
    fn many_at_once_go_where_one_after_another_would() {
        for memory in [vec![4, 9, 2], vec![0, 5], vec![7, 7, 7, 7], vec![], vec![100, 1, 50]] {
            for (need, most) in [(1, 0), (2, 0), (3, 2), (1, 3), (0, 2)] {
                for count in 0..12 {
                    let (live, spec) = (live(&memory), spec(need, most));
                    let demand = Demand::of(&spec);
                    let mut at_once = House::new(&live, &[]);
                    let placed = at_once.place(&demand, count);
                    let mut in_turn = House::new(&live, &[]);
                    let found = (0..count).filter(|_| in_turn.place_one(&demand).is_some()).count() as u64;
                    let told = format!("{memory:?} {need} {most} {count}");
                    assert_eq!((placed, counts(&at_once)), (found, counts(&in_turn)), "{told}");
                }
            }
        }
    }

    #[test]
    fn what_nobody_could_count_to_ends() {
        let (live, free, bound) = (live(&[10, 20]), spec(0, 0), spec(1, 0));
        let mut house = House::new(&live, &[]);
        assert_eq!(house.place(&Demand::of(&free), u64::MAX), u64::MAX);
        let mut house = House::new(&live, &[]);
        assert_eq!(house.place(&Demand::of(&bound), u64::MAX), 30);
        assert_eq!(counts(&house), [10, 20]);
    }
}
