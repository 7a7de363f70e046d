//! Which numbers of a pool are free. The lowest go first, and numbers that lie together go
//! together: whatever order tasks ended in, those that come next lie in memory in their order,
//! which is what walks over many of them go by.

use std::ops::Range;

/// A set of numbers: a bit for each, and a bit for each word of those that has any.
#[derive(Debug, Default)]
pub(super) struct FreeNumbers {
    words: Vec<u64>,
    summary: Vec<u64>,
    /// No word of the summary before this one has any.
    first: usize,
}

const BITS: usize = u64::BITS as usize;

impl FreeNumbers {
    pub(super) fn is_empty(&mut self) -> bool {
        self.find_word().is_none()
    }

    pub(super) fn insert(&mut self, number: u32) {
        let (word, bit) = split(number as usize);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
            self.summary.resize(word / BITS + 1, 0);
        }
        debug_assert!(self.words[word] & bit == 0, "{number} is free already");
        self.words[word] |= bit;
        let (above, bit) = split(word);
        self.summary[above] |= bit;
        self.first = self.first.min(above);
    }

    /// Takes the lowest, at most so many of them, and hands each on in ascending order.
    pub(super) fn take(&mut self, mut most: usize, mut to: impl FnMut(u32)) {
        while most > 0
            && let Some(at) = self.find_word()
        {
            let mut word = self.words[at];
            while word != 0 && most > 0 {
                to((at * BITS) as u32 + word.trailing_zeros());
                word &= word - 1;
                most -= 1;
            }
            self.words[at] = word;
            if word == 0 {
                let (above, bit) = split(at);
                self.summary[above] &= !bit;
            }
        }
    }

    /// Whether all of these are free.
    pub(super) fn has_all(&self, mut numbers: Range<usize>) -> bool {
        numbers.all(|number| {
            let (word, bit) = split(number);
            self.words.get(word).is_some_and(|free| free & bit != 0)
        })
    }

    /// Takes all of these, which are free.
    pub(super) fn remove_all(&mut self, numbers: Range<usize>) {
        for number in numbers {
            let (at, bit) = split(number);
            self.words[at] &= !bit;
            if self.words[at] == 0 {
                let (above, bit) = split(at);
                self.summary[above] &= !bit;
            }
        }
    }

    /// Those below `end` that are not free.
    pub(super) fn absent(&self, end: u32) -> impl Iterator<Item = u32> {
        (0..end).step_by(BITS).flat_map(move |first| {
            let free = self.words.get(first as usize / BITS).copied().unwrap_or(0);
            let most = (end - first).min(BITS as u32);
            (0..most)
                .filter(move |bit| free >> bit & 1 == 0)
                .map(move |bit| first + bit)
        })
    }

    pub(super) fn take_one(&mut self) -> Option<u32> {
        let mut lowest = None;
        self.take(1, |number| lowest = Some(number));
        lowest
    }

    /// The first word that has any.
    fn find_word(&mut self) -> Option<usize> {
        let rest = self.summary.get(self.first..)?;
        let Some(skip) = rest.iter().position(|word| *word != 0) else {
            self.first = self.summary.len();
            return None;
        };
        self.first += skip;
        Some(self.first * BITS + self.summary[self.first].trailing_zeros() as usize)
    }
}

fn split(number: usize) -> (usize, u64) {
    (number / BITS, 1 << (number % BITS))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against an ordered set: numbers are taken and given back in any order.
        #[test]
        fn the_lowest_go_first_and_each_once(
            steps in prop::collection::vec((any::<bool>(), 0..70_usize, any::<u32>()), 0..200),
        ) {
            let (mut free, mut expected) = (FreeNumbers::default(), BTreeSet::new());
            let (mut made, mut taken) = (0, Vec::new());
            for (gives, count, random) in steps {
                if gives && !taken.is_empty() {
                    let number = taken.swap_remove(random as usize % taken.len());
                    free.insert(number);
                    expected.insert(number);
                    continue;
                }
                if expected.is_empty() {
                    prop_assert!(free.is_empty());
                    // A chunk somewhere further on, as pools have numbers that they skip.
                    let first = made + random % 5000;
                    let chunk = first..first + 70;
                    made = chunk.end;
                    chunk.clone().for_each(|number| free.insert(number));
                    expected.extend(chunk);
                }
                let mut got = Vec::new();
                free.take(count, |number| got.push(number));
                let lowest: Vec<u32> = expected.iter().copied().take(count).collect();
                prop_assert_eq!(&got, &lowest);
                got.iter().for_each(|number| assert!(expected.remove(number)));
                taken.extend(got);
            }
            prop_assert_eq!(free.take_one(), expected.pop_first());
        }
    }
}
