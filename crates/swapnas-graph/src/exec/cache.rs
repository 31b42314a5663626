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
