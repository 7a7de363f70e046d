//! Going from tasks to all that live below them.

use crate::arena::{Held, Realm};
use crate::bulk::Bulk;
use crate::node::slot::Slot;
use crate::tree::tour::Tour;

/// Visits these tasks and everybody below them: each who lives all the while, and perhaps some who
/// come or go meanwhile. A child is visited under the lock of its family, so `visit` takes no
/// lock; whether anybody is below it is what it says. Who is born into a family that has been
/// visited comes through its lock afterwards.
///
/// Where there is no memory for all, those that the caller holds say so.
///
/// Every parent is added to those that the caller holds, and drops where the host's code may run.
pub(crate) fn descend(
    tasks: &mut Bulk<Held>,
    realm: &'static Realm,
    mut visit: impl FnMut(&'static Slot) -> bool,
) {
    let (given, mut at) = (tasks.len(), 0);
    while let Some(task) = tasks.get(at).map(Held::slot) {
        let is_parent = at >= given || visit(task);
        at += 1;
        let Some(kids) = task.kids(realm).filter(|_| is_parent) else {
            continue;
        };
        let (_, mut tour) = Tour::start(kids);
        let mut meet = |child| {
            if visit(child) {
                tasks.push_with(|| Held::retain(child));
            }
        };
        while tour.go_on(realm, &mut meet) {}
        tour.stop();
    }
}
