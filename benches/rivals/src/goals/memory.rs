//! Bytes, by malloc's own books, in processes of their own.

use crate::fresh::bytes;
use crate::report::{Comparison, Row, figure, goal};

pub(super) const ROWS: &[Row] = &[
    goal("bytes_live_child/classic", 0.25, || {
        compare("ours-live", "classic-live", 100_000)
    }),
    goal("bytes_kept_child_1000_a_parent/classic", 0.2, || {
        compare("ours-kept-1000", "classic-kept-1000", 100)
    }),
    goal("bytes_kept_child_3_a_parent/classic", 0.45, || {
        compare("ours-kept-3", "classic-kept-3", 33_333)
    }),
    figure("bytes_live_child/tokio_token", || {
        compare("ours-live", "tokio-live", 100_000)
    }),
    figure("bytes_live_child/prodash", || {
        compare("ours-live", "prodash-live", 100_000)
    }),
];

/// The figures are exact; three rounds show it.
fn compare(ours: &str, peer: &str, count: usize) -> Comparison {
    Comparison {
        ours: bytes(ours, count, 3),
        peer: bytes(peer, count, 3),
        unit: "bytes",
        control: None,
    }
}
