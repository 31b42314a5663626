use std::collections::HashMap;

use swapnas_lanes::kernels::moments::Moments;
use swapnas_lanes::{Element, Lane};

use crate::Key;
use crate::plan::{Plan, Slot};

/// Values of networks that other networks compute as well, to be computed once.
///
/// A value is known by its expression ([`Plan::slot_keys`]), so a cache belongs to one batch and to
/// one draw of shared weights. Plans that are going to be run are announced with
/// [`expect`](Self::expect); a value is kept from its first use to its last.
pub struct ValueCache<E: Element = f32> {
    /// In how many of the runs to come a value occurs.
    expected: HashMap<Key, u32>,
    values: HashMap<Key, Value<E>>,
    /// Memory of values that are no longer needed.
    free: Vec<Vec<Lane<E>>>,
    /// Lanes held, free ones included, and how many there may be.
    held: usize,
    most: usize,
}

struct Value<E> {
    lanes: Vec<Lane<E>>,
    moments: Vec<Moments>,
    /// No number exceeds it.
    bound: f64,
}

impl<E: Element> ValueCache<E> {
    /// A cache that holds at most `bytes` of values.
    pub fn new(bytes: usize) -> Self {
        ValueCache {
            expected: HashMap::new(),
            values: HashMap::new(),
            free: Vec::new(),
            held: 0,
            most: bytes / size_of::<Lane<E>>(),
        }
    }

    /// Announces a run.
    pub fn expect(&mut self, plan: &Plan) {
        for key in plan.slot_keys() {
            *self.expected.entry(key).or_default() += 1;
        }
    }

    /// Forgets all values and announcements but keeps the memory: for another draw of weights.
    pub fn clear(&mut self) {
        self.expected.clear();
        self.free.extend(self.values.drain().map(|(_, value)| value.lanes));
    }

    pub(crate) fn has(&self, slot: &Slot) -> bool {
        self.get(slot).is_some()
    }

    /// The value of a slot with the moments that it needs. One that was kept by a network which needed
    /// no moments is of no use to one that does.
    pub(crate) fn get(&self, slot: &Slot) -> Option<(&[Lane<E>], &[Moments])> {
        let value = self.value(slot)?;
        Some((&value.lanes, &value.moments))
    }

    /// A number that none of the value's numbers exceeds.
    pub(crate) fn bound(&self, slot: &Slot) -> Option<f64> {
        Some(self.value(slot)?.bound)
    }

    fn value(&self, slot: &Slot) -> Option<&Value<E>> {
        self.values.get(&slot.key).filter(|v| !slot.moments || !v.moments.is_empty())
    }

    /// Memory for a value that the run at hand is not the last to need, if there is room.
    pub(crate) fn room(&mut self, slot: &Slot, lanes: usize) -> Option<Vec<Lane<E>>> {
        if self.values.contains_key(&slot.key) || self.expected.get(&slot.key).is_none_or(|&uses| uses < 2) {
            return None;
        }
        if let Some(place) = self.free.iter().rposition(|free| free.len() == lanes) {
            return Some(self.free.swap_remove(place));
        }
        while self.held + lanes > self.most {
            self.held -= self.free.pop()?.len();
        }
        self.held += lanes;
        Some(vec![Lane::ZERO; lanes])
    }

    pub(crate) fn keep(&mut self, key: Key, lanes: Vec<Lane<E>>, moments: Vec<Moments>, bound: f64) {
        self.values.insert(key, Value { lanes, moments, bound });
    }

    /// Takes memory back in which there is no value.
    pub(crate) fn take_back(&mut self, lanes: Vec<Lane<E>>) {
        self.free.push(lanes);
    }

    /// A run is over: values that no other run needs make room.
    pub(crate) fn release(&mut self, plan: &Plan) {
        for key in plan.slot_keys() {
            let Some(uses) = self.expected.get_mut(&key) else { continue };
            *uses -= 1;
            if *uses == 0 {
                self.expected.remove(&key);
                if let Some(value) = self.values.remove(&key) {
                    self.free.push(value.lanes);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, Conv, Draw, Executor, GraphBuilder, Init, Level, Shape, Want, Weights, Window};

    /// A stem that all of these networks share, and a head of so many channels.
    fn plan(channels: usize) -> Plan {
        with_stem(4, channels)
    }

    fn wide(channels: usize) -> Plan {
        with_stem(7, channels)
    }

    fn with_stem(stem: usize, channels: usize) -> Plan {
        let mut b = GraphBuilder::new(Shape::new(2, 4, 4));
        let x = b.input();
        let x = b.conv2d(&format!("stem{stem}"), x, Conv::new(stem, Window::square(3))).unwrap();
        let x = b.relu("relu", x).unwrap();
        let y = b.conv2d(&format!("head{channels}"), x, Conv::new(channels, Window::square(1))).unwrap();
        Plan::new(b.finish(&[y]), &Want { values: vec![y], ..Want::default() })
    }

    /// Two blocks of images.
    fn batch() -> Batch {
        let images: Vec<f32> = (0..19 * 32).map(|i| (i as f32).sin()).collect();
        Batch::from_nchw(19, Shape::new(2, 4, 4), &images).unwrap()
    }

    /// Lanes of what the stem returns.
    fn of_stem(plan: &Plan) -> usize {
        2 * plan.slots[1].layout().lanes()
    }

    fn run(plan: &Plan, repeat: u64, cache: Option<&mut ValueCache<f32>>) -> Vec<f64> {
        let batch = batch();
        let weights = Weights::Drawn(Draw { init: Init::PyTorch, seed: 1, repeat, network: None });
        let mut executor = Executor::new(Level::best());
        executor.run(plan, &batch, weights, cache, &mut ()).unwrap();
        executor.value(plan, &batch, plan.graph().outputs()[0]).unwrap()
    }

    fn there(cache: &ValueCache<f32>, plan: &Plan) -> usize {
        plan.slots.iter().filter(|slot| cache.has(slot)).count()
    }

    #[test]
    fn values_are_kept_from_the_first_run_to_the_last_that_needs_them() {
        for runs in [1, 2, 3] {
            let plans: Vec<Plan> = (1..=runs).map(plan).collect();
            let mut cache = ValueCache::new(1 << 20);
            plans.iter().for_each(|plan| cache.expect(plan));
            for (index, plan) in plans.iter().enumerate() {
                assert_eq!(there(&cache, plan), usize::from(index > 0));
                run(plan, 0, Some(&mut cache));
                assert_eq!(there(&cache, plan), usize::from(index + 1 < runs), "run {index} of {runs}");
            }
            assert!(cache.values.is_empty() && cache.expected.is_empty());
            assert_eq!(cache.held, if runs > 1 { of_stem(&plans[0]) } else { 0 });
        }
    }

    #[test]
    fn other_weights_have_other_values() {
        let plans = [plan(1), plan(2)];
        let mut cache = ValueCache::new(1 << 20);
        for repeat in 0..2 {
            cache.clear();
            plans.iter().for_each(|plan| cache.expect(plan));
            // The second one is not run, so that values for it are left there.
            assert_eq!(run(&plans[0], repeat, Some(&mut cache)), run(&plans[0], repeat, None));
            assert_eq!(there(&cache, &plans[1]), 1);
        }
    }

    #[test]
    fn a_wanted_value_stays_with_the_run_that_wants_it() {
        let plan = plan(3);
        let mut cache = ValueCache::new(1 << 20);
        (0..2).for_each(|_| cache.expect(&plan));
        for _ in 0..2 {
            assert_eq!(run(&plan, 0, Some(&mut cache)), run(&plan, 0, None));
        }
    }

    #[test]
    fn memory_of_other_sizes_makes_room() {
        let (small, large) = ([plan(1), plan(2)], [wide(1), wide(2)]);
        let lanes = of_stem(&large[0]);
        let mut cache = ValueCache::new(lanes * size_of::<Lane<f32>>());
        for plans in [&small, &large] {
            plans.iter().for_each(|plan| cache.expect(plan));
            run(&plans[0], 0, Some(&mut cache));
            assert_eq!(there(&cache, &plans[1]), 1);
            run(&plans[1], 0, Some(&mut cache));
        }
        assert_eq!(cache.held, lanes);
    }

    #[test]
    fn no_more_is_held_than_there_may_be() {
        let stem = of_stem(&plan(1));
        for (lanes, kept) in [(stem - 1, 0), (stem, 1), (stem + 1, 1)] {
            let plans = [plan(1), plan(2)];
            let mut cache = ValueCache::new(lanes * size_of::<Lane<f32>>());
            plans.iter().for_each(|plan| cache.expect(plan));
            run(&plans[0], 0, Some(&mut cache));
            assert_eq!((there(&cache, &plans[1]), cache.held), (kept, kept * stem));
        }
    }
}
