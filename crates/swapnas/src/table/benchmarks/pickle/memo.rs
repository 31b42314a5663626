use std::collections::HashMap;

use super::{Id, is_lasting};

/// How many numbers are kept at the least since they were last used.
const RECENT: usize = 1 << 20;

/// Values by the numbers under which they were kept.
///
/// Python keeps every text, list and dictionary of a pickle, hundreds of millions of them in a file of all networks. Here
/// those of a network go with it. Texts stay, since a network may have those of an earlier one, as the name of a data set:
/// for good if they were kept before any network was handed over, and otherwise as long as they are used every now and
/// then.
#[derive(Default)]
pub(super) struct Memo {
    /// How many values were kept.
    count: u64,
    /// Whether a network was handed over.
    has_forgotten: bool,
    /// What is there for good.
    lasting: HashMap<u64, Id>,
    /// What was kept or used of late.
    recent: HashMap<u64, Id>,
    /// What was before that.
    aged: HashMap<u64, Id>,
    /// What goes with a network.
    passing: HashMap<u64, Id>,
    /// The order in which that was kept.
    order: Vec<(u64, Id)>,
}

impl Memo {
    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        self.lasting.len() + self.recent.len() + self.aged.len() + self.order.len()
    }

    /// The number of a value that is kept without one.
    pub(super) fn next(&self) -> u64 {
        self.count
    }

    pub(super) fn keep(&mut self, number: u64, id: Id) {
        self.count += 1;
        if !is_lasting(id) {
            self.passing.insert(number, id);
            self.order.push((number, id));
            return;
        }
        self.passing.remove(&number);
        if self.has_forgotten {
            self.refresh(number, id);
        } else {
            self.lasting.insert(number, id);
        }
    }

    pub(super) fn get(&mut self, number: u64) -> Option<Id> {
        let recent = self.passing.get(&number).or_else(|| self.recent.get(&number));
        if let Some(id) = recent.copied() {
            return Some(id);
        }
        if let Some(id) = self.aged.remove(&number) {
            self.refresh(number, id);
            return Some(id);
        }
        self.lasting.get(&number).copied()
    }

    /// Whether values are no longer kept.
    pub(super) fn has_forgotten(&self) -> bool {
        self.has_forgotten
    }

    /// Forgets a value that goes with a network, and those that came after it.
    pub(super) fn forget(&mut self, from: Id) {
        self.has_forgotten = true;
        while let Some((number, _)) = self.order.pop_if(|(_, id)| *id >= from) {
            self.passing.remove(&number);
        }
    }

    fn refresh(&mut self, number: u64, id: Id) {
        if self.recent.len() >= RECENT {
            self.aged = std::mem::take(&mut self.recent);
        }
        self.recent.insert(number, id);
    }
}

#[cfg(test)]
mod tests {
    use super::super::LASTING;
    use super::*;

    #[test]
    fn texts_stay_while_they_are_used_and_other_values_go_with_a_network() {
        let mut memo = Memo::default();
        memo.keep(0, LASTING);
        memo.keep(1, 1);
        memo.keep(2, 5);
        memo.forget(5);
        assert_eq!([0, 1, 2].map(|number| memo.get(number)), [Some(LASTING), Some(1), None]);
        // The text 3 is used after every so many others, 4 is not.
        (3..5).for_each(|number| memo.keep(number, LASTING | 1));
        for number in 5..5 + 3 * RECENT as u64 {
            memo.keep(number, LASTING | 2);
            if number % 1000 == 0 {
                memo.get(3);
            }
        }
        assert_eq!([0, 3, 4].map(|number| memo.get(number)), [Some(LASTING), Some(LASTING | 1), None]);
        assert!(memo.len() < 2 * RECENT + 10);
        assert_eq!(memo.next(), 5 + 3 * RECENT as u64);
    }

    #[test]
    fn the_last_value_of_a_number_counts() {
        let mut memo = Memo::default();
        for id in [7, LASTING, 8, LASTING | 3] {
            memo.keep(0, id);
            assert_eq!(memo.get(0), Some(id));
        }
        memo.forget(0);
        assert_eq!(memo.get(0), Some(LASTING | 3));
        memo.keep(0, LASTING | 4);
        assert_eq!(memo.get(0), Some(LASTING | 4));
    }
}
