//! Random operations, as property tests draw them.

use proptest::prelude::*;

use super::{Bounds, GivenId, How, Wish};

#[derive(Clone, Debug)]
pub enum Op {
    Root {
        wish: Wish,
        start: bool,
    },
    Child {
        parent: usize,
        by_id: bool,
        wish: Wish,
        start: bool,
    },
    Start {
        task: usize,
    },
    End {
        task: usize,
        how: How,
    },
    Advance {
        task: usize,
        by: u64,
    },
    SetTotal {
        task: usize,
        total: u64,
    },
    SetCompleted {
        task: usize,
        to: u64,
    },
    /// A further reporter, which counts this much.
    Report {
        task: usize,
        by: u64,
    },
    /// One of those that are there counts on.
    ReportOn {
        reporter: usize,
        by: u64,
    },
    DropReporter {
        reporter: usize,
    },
    Abort {
        task: usize,
        by_owner: bool,
    },
    Take {
        task: usize,
    },
    Pass {
        seconds: u64,
    },
    Tick,
    SetTtl {
        ttl: u64,
        user: bool,
    },
    Drain {
        module: usize,
    },
    Close {
        module: usize,
    },
    Register {
        module: usize,
    },
}

fn wish() -> impl Strategy<Value = Wish> {
    let units = prop_oneof![Just(""), Just("pages"), Just("rows")];
    let total = prop::option::of(0..20u64);
    let shard = prop::option::weighted(0.3, 0..3u32);
    let parts = (
        0..2usize,
        any::<[bool; 3]>(),
        units,
        total,
        shard,
        given_id(),
    );
    parts.prop_map(|(module, flags, units, total, shard, id)| Wish {
        module,
        id,
        shard,
        user: flags[0],
        internal: flags[1] && flags[0],
        abortable: flags[2],
        units,
        total,
    })
}

fn given_id() -> impl Strategy<Value = GivenId> {
    prop_oneof![
        50 => Just(GivenId::None),
        20 => (0..4u8).prop_map(GivenId::Own),
        10 => (0..64usize).prop_map(GivenId::Of),
        1 => Just(GivenId::Nil),
    ]
}

/// Numbers name tasks modulo how many there are.
pub fn op() -> impl Strategy<Value = Op> {
    let any_task = 0..64usize;
    let how = prop_oneof![3 => Just(How::Finish), 2 => Just(How::Fail), 1 => Just(How::Drop)];
    prop_oneof![
        3 => (wish(), prop::bool::weighted(0.8)).prop_map(|(wish, start)| Op::Root { wish, start }),
        8 => (any_task.clone(), any::<bool>(), wish(), prop::bool::weighted(0.8))
            .prop_map(|(parent, by_id, wish, start)| Op::Child { parent, by_id, wish, start }),
        1 => any_task.clone().prop_map(|task| Op::Start { task }),
        10 => (any_task.clone(), how).prop_map(|(task, how)| Op::End { task, how }),
        3 => (any_task.clone(), 0..9u64).prop_map(|(task, by)| Op::Advance { task, by }),
        1 => (any_task.clone(), 0..20u64).prop_map(|(task, total)| Op::SetTotal { task, total }),
        1 => (any_task.clone(), 0..9u64).prop_map(|(task, to)| Op::SetCompleted { task, to }),
        1 => (any_task.clone(), 0..9u64).prop_map(|(task, by)| Op::Report { task, by }),
        1 => (any_task.clone(), 0..9u64).prop_map(|(reporter, by)| Op::ReportOn { reporter, by }),
        1 => any_task.clone().prop_map(|reporter| Op::DropReporter { reporter }),
        1 => (any_task.clone(), any::<bool>()).prop_map(|(task, by_owner)| Op::Abort { task, by_owner }),
        1 => any_task.prop_map(|task| Op::Take { task }),
        1 => (0..30u64).prop_map(|seconds| Op::Pass { seconds }),
        1 => Just(Op::Tick),
        1 => (0..20u64, any::<bool>()).prop_map(|(ttl, user)| Op::SetTtl { ttl, user }),
        1 => (0..2usize).prop_map(|module| Op::Drain { module }),
        1 => (0..2usize).prop_map(|module| Op::Close { module }),
        2 => (0..2usize).prop_map(|module| Op::Register { module }),
    ]
}

pub fn bounds() -> impl Strategy<Value = Bounds> {
    let kept = prop_oneof![Just((1024, 16_384)), (0..4usize, 0..8usize)];
    let live = prop_oneof![2 => Just(usize::MAX), 1 => 1..8usize];
    (kept, live).prop_map(|((per_parent, per_root), live)| Bounds {
        per_parent,
        per_root,
        live,
    })
}
