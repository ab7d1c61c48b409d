//! Work that is nothing but computing, on all cores.

use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does something with each of several values, and gives the results in their order.
pub fn each<T: Sync, R: Send + Sync>(values: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(values.len());
    let next = AtomicUsize::new(0);
    let places: Vec<OnceLock<R>> = values.iter().map(|_| OnceLock::new()).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(value), Some(place)) = (values.get(index), places.get(index)) else { break };
                    // The index is this thread's alone, so the place is empty.
                    drop(place.set(work(value)));
                }
            });
        }
    });
    places.into_iter().filter_map(OnceLock::into_inner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_result_in_its_place() {
        let values: Vec<usize> = (0..1000).collect();
        assert_eq!(each(&values, |value| value * 2), values.iter().map(|value| value * 2).collect::<Vec<_>>());
        assert!(each(&[] as &[usize], |value| *value).is_empty());
    }
}
