//! The order in which Docker's clients up to 28 leave ports that are published under one number.
//!
//! They sort by the number alone, with Go's `sort.Slice`, which is not stable: up to twelve items it is an insertion sort, for
//! more a pattern-defeating quicksort without chance in it. The engine compares ports in order, so a service that skep made and
//! `docker stack deploy` updates keeps its tasks only where ties lie the same way.

/// As many items are sorted by insertion.
const FEW: usize = 12;
/// From so many on a pivot is the median of three medians, and a nearly sorted range is mended in place.
const MANY: usize = 50;
/// How many pairs are mended before giving up.
const MENDS: usize = 5;

/// Sorts by a number, ties as Go leaves them.
pub(super) fn sort_as_go<T>(items: &mut [T], key: impl Fn(&T) -> u32) {
    let mut limit = usize::BITS - items.len().leading_zeros();
    let end = items.len();
    Sorting { items, key }.range(0, end, &mut limit);
}

struct Sorting<'a, T, K> {
    items: &'a mut [T],
    key: K,
}

/// What the look for a pivot says of a range.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    Unknown,
    Increasing,
    Decreasing,
}

impl<T, K: Fn(&T) -> u32> Sorting<'_, T, K> {
    fn less(&self, i: usize, j: usize) -> bool {
        self.items.get(i).map(&self.key) < self.items.get(j).map(&self.key)
    }

    /// Sorts `from..end`. `limit` bounds how many partitions may go wrong.
    fn range(&mut self, mut from: usize, mut end: usize, limit: &mut u32) {
        let (mut balanced, mut partitioned) = (true, true);
        loop {
            let length = end - from;
            if length <= FEW {
                return self.insert(from, end);
            }
            if *limit == 0 {
                // Go turns to a heap here. Whoever builds such a list of ports gets one that is in order.
                if let Some(range) = self.items.get_mut(from..end) {
                    range.sort_by_key(&self.key);
                }
                return;
            }
            if !balanced {
                self.shake(from, end);
                *limit -= 1;
            }
            let (mut pivot, mut hint) = self.pivot(from, end);
            if hint == Hint::Decreasing {
                if let Some(range) = self.items.get_mut(from..end) {
                    range.reverse();
                }
                pivot = end - 1 - (pivot - from);
                hint = Hint::Increasing;
            }
            if balanced && partitioned && hint == Hint::Increasing && self.mend(from, end) {
                return;
            }
            if from > 0 && !self.less(from - 1, pivot) {
                from = self.partition_equal(from, end, pivot);
                continue;
            }
            let middle;
            (middle, partitioned) = self.partition(from, end, pivot);
            let (left, right) = (middle - from, end - middle);
            balanced = left.min(right) >= length / 8;
            let mut rest = *limit;
            if left < right {
                self.range(from, middle, &mut rest);
                from = middle + 1;
            } else {
                self.range(middle + 1, end, &mut rest);
                end = middle;
            }
        }
    }

    fn insert(&mut self, from: usize, end: usize) {
        for i in from + 1..end {
            let mut j = i;
            while j > from && self.less(j, j - 1) {
                self.items.swap(j, j - 1);
                j -= 1;
            }
        }
    }

    /// The place of a pivot, and how the places looked at lay.
    fn pivot(&self, from: usize, end: usize) -> (usize, Hint) {
        let length = end - from;
        let mut swaps = 0;
        let mut places = [1, 2, 3].map(|quarter| from + length / 4 * quarter);
        if length >= MANY {
            places = places.map(|place| self.median([place - 1, place, place + 1], &mut swaps));
        }
        let pivot = self.median(places, &mut swaps);
        match swaps {
            0 => (pivot, Hint::Increasing),
            12 => (pivot, Hint::Decreasing),
            _ => (pivot, Hint::Unknown),
        }
    }

    fn median(&self, [mut a, mut b, mut c]: [usize; 3], swaps: &mut u32) -> usize {
        let mut order = |low: &mut usize, high: &mut usize| {
            if self.less(*high, *low) {
                std::mem::swap(low, high);
                *swaps += 1;
            }
        };
        order(&mut a, &mut b);
        order(&mut b, &mut c);
        order(&mut a, &mut b);
        b
    }

    /// Less than the pivot to the left of it, the rest to its right: where it is now, and whether all lay so already.
    fn partition(&mut self, from: usize, end: usize, pivot: usize) -> (usize, bool) {
        self.items.swap(from, pivot);
        let (mut i, mut j) = (from + 1, end - 1);
        let mut already = true;
        loop {
            while i <= j && self.less(i, from) {
                i += 1;
            }
            while i <= j && !self.less(j, from) {
                j -= 1;
            }
            if i > j {
                self.items.swap(j, from);
                return (j, already);
            }
            already = false;
            self.items.swap(i, j);
            (i, j) = (i + 1, j - 1);
        }
    }

    /// What equals the pivot to the left, what is greater to the right: where the right begins.
    fn partition_equal(&mut self, from: usize, end: usize, pivot: usize) -> usize {
        self.items.swap(from, pivot);
        let (mut i, mut j) = (from + 1, end - 1);
        loop {
            while i <= j && !self.less(from, i) {
                i += 1;
            }
            while i <= j && self.less(from, j) {
                j -= 1;
            }
            if i > j {
                return i;
            }
            self.items.swap(i, j);
            (i, j) = (i + 1, j - 1);
        }
    }

    /// Whether the range is in order, after a few items of a long one were put where they belong.
    fn mend(&mut self, from: usize, end: usize) -> bool {
        let mut i = from + 1;
        for _ in 0..MENDS {
            while i < end && !self.less(i, i - 1) {
                i += 1;
            }
            if i == end {
                return true;
            }
            if end - from < MANY {
                return false;
            }
            self.items.swap(i, i - 1);
            if i - from >= 2 {
                let mut j = i - 1;
                while j >= 1 && self.less(j, j - 1) {
                    self.items.swap(j, j - 1);
                    j -= 1;
                }
            }
            let mut j = i + 1;
            while j < end && self.less(j, j - 1) {
                self.items.swap(j, j - 1);
                j += 1;
            }
        }
        false
    }

    /// Moves three items, by numbers that only the length decides.
    fn shake(&mut self, from: usize, end: usize) {
        let length = end - from;
        let mut number = length as u64;
        let mask = (1_usize << (usize::BITS - length.leading_zeros())) - 1;
        let place = from + length / 4 * 2 - 1;
        for i in 0..3 {
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
            let other = usize::try_from(number).unwrap_or(usize::MAX) & mask;
            self.items.swap(place - 1 + i, from + if other >= length { other - length } else { other });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(keys: &[u32]) -> Vec<(u32, usize)> {
        let mut items: Vec<(u32, usize)> = keys.iter().copied().zip(0..).collect();
        sort_as_go(&mut items, |(key, _)| *key);
        items
    }

    #[test]
    fn few_items_keep_the_order_of_ties() {
        let places: Vec<usize> = sorted(&[5, 3, 5, 0, 3, 0, 9, 5]).into_iter().map(|(_, place)| place).collect();
        assert_eq!(places, [3, 5, 1, 4, 0, 2, 7, 6]);
    }

    proptest! {
        #[test]
        fn whatever_the_length_everything_is_there_and_in_order(keys in proptest::collection::vec(0_u32..40, 0..400)) {
            let items = sorted(&keys);
            prop_assert!(items.windows(2).all(|pair| pair[0].0 <= pair[1].0));
            let mut places: Vec<usize> = items.into_iter().map(|(_, place)| place).collect();
            places.sort_unstable();
            prop_assert!(places.into_iter().eq(0..keys.len()));
        }
    }
}
