//! Where values lie in the one memory of a plan.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Range;

/// A value that lies in memory.
#[derive(Clone, Debug)]
pub(super) struct Stay {
    /// From the step that writes it first to behind the one that reads it last; at least one step.
    pub steps: Range<usize>,
    /// How much room it needs.
    pub lanes: usize,
}

/// Pairs of values in memory at the same time up to which all of them are looked at: some tens of megabytes
/// and some tenths of a second. Networks that people train have thousands.
const MOST_PAIRS: usize = 1 << 21;

/// A place for every value that no other has while it is there.
pub(super) fn assign(stays: &[Stay]) -> Vec<usize> {
    match neighbours(stays, MOST_PAIRS) {
        Some(neighbours) => largest_first(stays, &neighbours),
        None => in_time(stays),
    }
}

/// For each value those that are in memory at some time when it is, unless there are too many pairs.
fn neighbours(stays: &[Stay], most: usize) -> Option<Vec<Vec<u32>>> {
    let mut order: Vec<u32> = (0..u32::try_from(stays.len()).ok()?).collect();
    order.sort_by_key(|value| stays[*value as usize].steps.start);
    let mut neighbours = vec![Vec::new(); stays.len()];
    let mut there: BinaryHeap<Reverse<(usize, u32)>> = BinaryHeap::new();
    let mut pairs = 0;
    for value in order {
        let steps = &stays[value as usize].steps;
        while there.peek().is_some_and(|Reverse((end, _))| *end <= steps.start) {
            there.pop();
        }
        pairs += there.len();
        if pairs > most {
            return None;
        }
        for Reverse((_, other)) in &there {
            neighbours[*other as usize].push(value);
            neighbours[value as usize].push(*other);
        }
        there.push(Reverse((steps.end, value)));
    }
    Some(neighbours)
}

/// The largest first, each as far to the front as it fits. That is seldom more memory than the most that is
/// needed at once.
fn largest_first(stays: &[Stay], neighbours: &[Vec<u32>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..stays.len()).collect();
    order.sort_by_key(|value| Reverse(stays[*value].lanes));
    let mut places: Vec<Option<usize>> = vec![None; stays.len()];
    let mut taken: Vec<Range<usize>> = Vec::new();
    for value in order {
        let range = |other: &u32| {
            let place = places[*other as usize]?;
            Some(place..place + stays[*other as usize].lanes)
        };
        taken.clear();
        taken.extend(neighbours[value].iter().filter_map(range));
        taken.sort_unstable_by_key(|range| range.start);
        let (lanes, mut place) = (stays[value].lanes, 0);
        for range in &taken {
            if place + lanes <= range.start {
                break;
            }
            place = place.max(range.end);
        }
        places[value] = Some(place);
    }
    places.into_iter().map(Option::unwrap_or_default).collect()
}

/// In the order of the steps, each where the smallest gap is that it fits into. This never looks at pairs, but
/// may take more memory than the other way.
fn in_time(stays: &[Stay]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..stays.len()).collect();
    order.sort_by_key(|value| stays[*value].steps.start);
    let mut gaps = Gaps::default();
    let mut there: BinaryHeap<Reverse<(usize, usize)>> = BinaryHeap::new();
    let mut places = vec![0; stays.len()];
    for value in order {
        let Stay { steps, lanes } = &stays[value];
        while let Some(&Reverse((end, gone))) = there.peek()
            && end <= steps.start
        {
            there.pop();
            gaps.give(places[gone], stays[gone].lanes);
        }
        places[value] = gaps.take(*lanes);
        there.push(Reverse((steps.end, value)));
    }
    places
}

/// The parts of memory that nobody needs at the moment. No two of them touch.
#[derive(Default)]
struct Gaps {
    /// Length of each by its place.
    by_place: BTreeMap<usize, usize>,
    /// Length and place of each.
    by_length: BTreeSet<(usize, usize)>,
    /// Where memory ends so far.
    end: usize,
}

impl Gaps {
    fn insert(&mut self, place: usize, len: usize) {
        if len > 0 {
            self.by_place.insert(place, len);
            self.by_length.insert((len, place));
        }
    }

    fn remove(&mut self, place: usize, len: usize) {
        self.by_place.remove(&place);
        self.by_length.remove(&(len, place));
    }

    /// The place of so many lanes, that are free no longer.
    fn take(&mut self, lanes: usize) -> usize {
        if let Some(&(len, place)) = self.by_length.range((lanes, 0)..).next() {
            self.remove(place, len);
            self.insert(place + lanes, len - lanes);
            return place;
        }
        // Memory grows; a gap at its end is used for a part.
        let last = self.by_place.last_key_value().map(|(place, len)| (*place, *len));
        let place = match last {
            Some((place, len)) if place + len == self.end => {
                self.remove(place, len);
                place
            }
            _ => self.end,
        };
        self.end = place + lanes;
        place
    }

    fn give(&mut self, place: usize, lanes: usize) {
        if lanes == 0 {
            return;
        }
        let (mut from, mut to) = (place, place + lanes);
        if let Some((&before, &len)) = self.by_place.range(..place).next_back()
            && before + len == place
        {
            self.remove(before, len);
            from = before;
        }
        if let Some(&len) = self.by_place.get(&to) {
            self.remove(to, len);
            to += len;
        }
        self.insert(from, to - from);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    use super::*;

    fn meet(a: &Stay, b: &Stay) -> bool {
        a.steps.start < b.steps.end && b.steps.start < a.steps.end
    }

    /// The largest first, each compared with all before it.
    fn naive(stays: &[Stay]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..stays.len()).collect();
        order.sort_by_key(|value| Reverse(stays[*value].lanes));
        let mut places = vec![0; stays.len()];
        for (done, &value) in order.iter().enumerate() {
            let others = order[..done].iter().filter(|other| meet(&stays[value], &stays[**other]));
            let mut taken: Vec<Range<usize>> =
                others.map(|other| places[*other]..places[*other] + stays[*other].lanes).collect();
            taken.sort_by_key(|range| range.start);
            for range in taken {
                if places[value] + stays[value].lanes <= range.start {
                    break;
                }
                places[value] = places[value].max(range.end);
            }
        }
        places
    }

    fn end(stays: &[Stay], places: &[usize]) -> usize {
        stays.iter().zip(places).map(|(stay, place)| place + stay.lanes).max().unwrap_or(0)
    }

    /// The most lanes that are needed at once: less memory will never do.
    fn needed(stays: &[Stay]) -> usize {
        let at = |step: usize| stays.iter().filter(|s| s.steps.contains(&step)).map(|s| s.lanes).sum();
        stays.iter().map(|stay| at(stay.steps.start)).max().unwrap_or(0)
    }

    fn overlap(stays: &[Stay], places: &[usize]) -> bool {
        let range = |value: usize| places[value]..places[value] + stays[value].lanes;
        let meets = |(a, b): (usize, usize)| {
            let (x, y) = (range(a), range(b));
            meet(&stays[a], &stays[b]) && x.start.max(y.start) < x.end.min(y.end)
        };
        (0..stays.len()).flat_map(|a| (0..a).map(move |b| (a, b))).any(meets)
    }

    /// Values as plans have them: most are read soon, some late, and a few to the end.
    fn stays() -> impl Strategy<Value = Vec<Stay>> {
        let len = prop_oneof![8 => 1..4usize, 3 => 4..40usize, 1 => Just(usize::MAX)];
        let lanes = prop_oneof![Just(0usize), Just(64), 1..8usize, 1..3000usize];
        let stay = (0..60usize, len, lanes)
            .prop_map(|(start, len, lanes)| Stay { steps: start..start.saturating_add(len), lanes });
        proptest::collection::vec(stay, 0..120)
    }

    proptest! {
        #[test]
        fn places_are_those_of_comparing_all_with_all(stays in stays()) {
            let places = assign(&stays);
            prop_assert_eq!(&places, &naive(&stays));
            prop_assert!(!overlap(&stays, &places));
        }

        #[test]
        fn places_in_time_are_nobody_elses(stays in stays()) {
            let places = in_time(&stays);
            prop_assert!(!overlap(&stays, &places));
            prop_assert!(end(&stays, &places) >= needed(&stays));
        }

        /// Values of one size have gaps of that size between them, so that none is left empty.
        #[test]
        fn equal_values_in_time_take_no_more_than_is_needed(stays in stays()) {
            let stays: Vec<Stay> = stays.into_iter().map(|stay| Stay { lanes: 5, ..stay }).collect();
            prop_assert_eq!(end(&stays, &in_time(&stays)), needed(&stays));
        }
    }

    /// No factor bounds what one plan may lose by gaps, so that many are looked at, and always the same.
    #[test]
    fn places_in_time_take_little_more_memory_on_the_whole() {
        let mut runner = TestRunner::deterministic();
        let samples: Vec<Vec<Stay>> =
            (0..256).map(|_| stays().new_tree(&mut runner).expect("no filter").current()).collect();
        let total = |assign: fn(&[Stay]) -> Vec<usize>| -> usize {
            samples.iter().map(|stays| end(stays, &assign(stays))).sum()
        };
        assert!(total(in_time) * 8 <= total(naive) * 9, "{} {}", total(in_time), total(naive));
    }

    /// A value that is too large for the last gap begins in it all the same, if nothing lies behind.
    #[test]
    fn memory_grows_from_a_gap_at_its_end() {
        let in_time = |stays: &[(Range<usize>, usize)]| {
            let stay = |(steps, lanes): &(Range<usize>, usize)| Stay { steps: steps.clone(), lanes: *lanes };
            super::in_time(&stays.iter().map(stay).collect::<Vec<_>>())
        };
        assert_eq!(in_time(&[(0..1, 3), (1..2, 5), (2..3, 5)]), [0, 0, 0]);
        assert_eq!(in_time(&[(0..1, 3), (0..3, 2), (1..2, 4)]), [0, 3, 5]);
    }

    /// A sum of so many values has all of them in memory at once: looking at all pairs would take minutes.
    #[test]
    fn very_many_values_at_once_are_placed_as_well() {
        let count = 100_000;
        let stays: Vec<Stay> = (0..count).map(|step| Stay { steps: step..count + 1, lanes: 3 }).collect();
        assert!(neighbours(&stays, MOST_PAIRS).is_none());
        let mut places = assign(&stays);
        places.sort_unstable();
        assert!(places.iter().copied().eq((0..count).map(|value| 3 * value)));
    }
}
