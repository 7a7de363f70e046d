//! Ids that are neither stored nor drawn: a keyed permutation of a slot's place and
//! generation beside a keyed check, shaped as a random (v4) UUID.
//!
//! 64 of a v4 UUID's 122 free bits carry the permuted pair, 58 the check, so a look-up
//! compares all 128 bits, and an id that this process did not hand out decodes with a
//! chance of 2^-58.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::clock::nanos;

/// Where a task lives: a slot, and which of the slot's tenants it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// Random for each process, so that ids of two processes do not collide.
#[derive(Debug)]
pub(crate) struct IdKey {
    rounds: [Round; 2],
    check: [u64; 2],
}

/// One step of the permutation: every part of it can be undone.
#[derive(Debug)]
struct Round {
    key: u64,
    factor: u64,
    /// What undoes the multiplication: the factor is odd, so there is one.
    inverse: u64,
}

/// Those of splitmix64. Not drawn: of random factors some mix neighbours badly.
const FACTORS: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

const CHECK_BITS: u32 = 58;
const CHECK: u64 = (1 << CHECK_BITS) - 1;

/// The version's bits in the upper half of an id, and the variant's in the lower.
const VERSION: u64 = 0xf000;
const VARIANT: u64 = 0b11 << 62;
const V4: u64 = 0x4000;
const RFC: u64 = 0b10 << 62;

impl IdKey {
    pub(crate) fn random() -> Self {
        // A host that makes `uuid` draw faster makes a forked child go on with its parent's
        // random numbers, so that two children would draw the same; they differ in who they are,
        // and, where one has the number of another that is gone, in when.
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let process = mix(
            u64::from(std::process::id()) | 1 << 32,
            0x9e37_79b9_7f4a_7c15,
        ) ^ nanos(now.unwrap_or_default());
        let word = || {
            let (high, low) = Uuid::new_v4().as_u64_pair();
            mix(high ^ process, low | 1) ^ low.rotate_left(32) ^ process
        };
        Self {
            rounds: FACTORS.map(|factor| Round::new(word(), factor)),
            check: [word(), word()],
        }
    }

    /// The upper half carries 60 bits of the permuted place around the version, the lower
    /// one the variant, the other four and the check.
    #[inline(always)]
    pub(crate) fn encode(&self, place: Place) -> Uuid {
        let plain = (u64::from(place.generation) << 32) | u64::from(place.slot);
        let permuted = self
            .rounds
            .iter()
            .fold(plain, |word, round| round.apply(word));
        let high = (permuted & !VERSION) | V4;
        let low = RFC | ((permuted & VERSION) >> 12 << CHECK_BITS) | self.check(plain);
        Uuid::from_u64_pair(high, low)
    }

    #[inline]
    pub(crate) fn decode(&self, id: Uuid) -> Option<Place> {
        let (high, low) = id.as_u64_pair();
        let permuted = (high & !VERSION) | ((low >> CHECK_BITS << 12) & VERSION);
        let rounds = self.rounds.iter().rev();
        let plain = rounds.fold(permuted, |word, round| round.undo(word));
        let shaped = high & VERSION == V4;
        let checked = low & (VARIANT | CHECK) == RFC | self.check(plain);
        (shaped && checked).then_some(Place {
            slot: plain as u32,
            generation: (plain >> 32) as u32,
        })
    }

    #[inline]
    fn check(&self, plain: u64) -> u64 {
        let [first, second] = self.check;
        mix(mix(plain ^ first, FACTORS[0]) ^ second, FACTORS[1]) >> 6
    }
}

impl Round {
    fn new(key: u64, factor: u64) -> Self {
        // Newton's method: each step doubles the bits that are right, of which there are
        // three to begin with.
        let step =
            |inverse: u64| inverse.wrapping_mul(2_u64.wrapping_sub(factor.wrapping_mul(inverse)));
        Self {
            key,
            factor,
            inverse: (0..5).fold(factor, |inverse, _| step(inverse)),
        }
    }

    /// A product carries upwards only; the shift takes what came up down again.
    #[inline]
    fn apply(&self, word: u64) -> u64 {
        let product = (word ^ self.key).wrapping_mul(self.factor);
        product ^ (product >> 32)
    }

    #[inline]
    fn undo(&self, word: u64) -> u64 {
        let product = word ^ (word >> 32);
        product.wrapping_mul(self.inverse) ^ self.key
    }
}

/// The folded product of two words, as fast hashes use it.
#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn id_1_every_place_has_an_id_of_its_own_that_leads_back(slot: u32, generation: u32) {
            let key = IdKey::random();
            let place = Place { slot, generation };
            let id = key.encode(place);
            prop_assert_eq!(id.get_version_num(), 4);
            prop_assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
            prop_assert_eq!(key.decode(id), Some(place));
        }

        #[test]
        fn id_1_one_flipped_bit_is_another_id(slot: u32, generation: u32, bit in 0..128u32) {
            let key = IdKey::random();
            let id = key.encode(Place { slot, generation });
            prop_assert_eq!(key.decode(Uuid::from_u128(id.as_u128() ^ (1 << bit))), None);
        }
    }

    #[test]
    fn id_1_ids_of_neighbours_look_random() {
        let key = IdKey::random();
        let ids: Vec<u128> = (0..4096)
            .map(|slot| {
                key.encode(Place {
                    slot,
                    generation: 1,
                })
                .as_u128()
            })
            .collect();
        for bit in (0..128).filter(|bit| !matches!(bit, 62 | 63 | 76..=79)) {
            let ones = ids.iter().filter(|id| *id >> bit & 1 == 1).count();
            assert!(
                (1700..2400).contains(&ones),
                "bit {bit} is set in {ones} of 4096 ids"
            );
        }
    }

    #[test]
    fn id_1_an_id_of_another_process_is_unknown() {
        let id = IdKey::random().encode(Place {
            slot: 7,
            generation: 1,
        });
        assert_eq!(IdKey::random().decode(id), None);
        assert_eq!(IdKey::random().decode(Uuid::nil()), None);
    }
}
