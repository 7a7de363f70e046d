//! The reference model and the real manager go through the same random operations, and
//! have to answer the same after each.

mod reference;

use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;
use reference::How;
use reference::ops::{bounds, op};
use reference::pair::Pair;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 10_000,
        failure_persistence: None,
        // The default generator takes more time than all that is tested, without optimization.
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_manager_answers_as_the_model_does(
        bounds in bounds(),
        remembers in prop::bool::weighted(0.8),
        every in prop_oneof![1 => Just(1usize), 2 => Just(4)],
        ops in prop::collection::vec(op(), 1..60),
    ) {
        let mut pair = Pair::new(bounds, remembers);
        for (step, op) in ops.iter().enumerate() {
            pair.apply(op);
            // Each step in some cases; what a step breaks, the steps after it rarely mend.
            if step % every == every - 1 {
                pair.compare();
            }
        }
        pair.compare();
        // And when all have ended, in the order in which they came.
        for task in 0..pair.owners.len() {
            pair.with_owner(task, |pair, task| pair.end(task, How::Finish));
        }
        pair.compare();
    }
}
