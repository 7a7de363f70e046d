//! Ids that are neither stored nor drawn: a keyed permutation of a slot's place and
//! generation beside a keyed check, shaped as a random (v4) UUID.
//!
//! 64 of a v4 UUID's 122 free bits carry the permuted pair, 58 the check, so a look-up
//! compares all 128 bits, and an id that this process did not hand out decodes with a
//! chance of 2^-58.

use uuid::{Builder, Uuid};

/// Where a task lives: a slot, and which of the slot's tenants it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// Random for each process, so that ids of two processes do not collide.
#[derive(Debug)]
pub(crate) struct IdKey {
    rounds: [u64; 4],
    check: [u64; 2],
}

const CHECK_BITS: u32 = 58;

impl IdKey {
    pub(crate) fn random() -> Self {
        // A forked child goes on with its parent's random numbers, so two children would
        // draw the same; they differ in who they are.
        let process = mix(
            u64::from(std::process::id()) | 1 << 32,
            0x9e37_79b9_7f4a_7c15,
        );
        let word = || {
            let (high, low) = Uuid::new_v4().as_u64_pair();
            mix(high ^ process, low | 1) ^ low.rotate_left(32) ^ process
        };
        Self {
            rounds: [word(), word(), word(), word()],
            check: [word(), word() | 1],
        }
    }

    pub(crate) fn encode(&self, place: Place) -> Uuid {
        let plain = (u64::from(place.generation) << 32) | u64::from(place.slot);
        let bits = (u128::from(self.permute(plain)) << CHECK_BITS) | u128::from(self.check(plain));
        // The 122 bits go around the four of the version and the two of the variant.
        let high = (bits >> 74) << 80;
        let middle = ((bits >> 62) & 0xfff) << 64;
        let low = bits & ((1 << 62) - 1);
        Builder::from_random_bytes((high | middle | low).to_be_bytes()).into_uuid()
    }

    pub(crate) fn decode(&self, id: Uuid) -> Option<Place> {
        let raw = id.as_u128();
        if (raw >> 76) & 0xf != 4 || (raw >> 62) & 0b11 != 0b10 {
            return None;
        }
        let bits = ((raw >> 80) << 74) | (((raw >> 64) & 0xfff) << 62) | (raw & ((1 << 62) - 1));
        let plain = self.restore((bits >> CHECK_BITS) as u64);
        (self.check(plain) == (bits as u64) & ((1 << CHECK_BITS) - 1)).then_some(Place {
            slot: plain as u32,
            generation: (plain >> 32) as u32,
        })
    }

    /// A Feistel network over two halves: a permutation whatever its round function is.
    fn permute(&self, plain: u64) -> u64 {
        let (mut left, mut right) = ((plain >> 32) as u32, plain as u32);
        for key in self.rounds {
            (left, right) = (right, left ^ round(right, key));
        }
        (u64::from(left) << 32) | u64::from(right)
    }

    fn restore(&self, permuted: u64) -> u64 {
        let (mut left, mut right) = ((permuted >> 32) as u32, permuted as u32);
        for key in self.rounds.iter().rev() {
            (left, right) = (right ^ round(left, *key), left);
        }
        (u64::from(left) << 32) | u64::from(right)
    }

    fn check(&self, plain: u64) -> u64 {
        mix(
            mix(plain ^ self.check[0], self.check[1]) ^ plain,
            self.check[0] | 1,
        ) >> 6
    }
}

fn round(half: u32, key: u64) -> u32 {
    (mix(u64::from(half) ^ key, key | 1) >> 17) as u32
}

/// The folded product of two words, as fast hashes use it.
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
