//! What is promised of callbacks, whatever the order.

use crate::schedules::program::{Op, Program};
use crate::schedules::world::{Answer, Event, What};

/// The promise that this history breaks, if it breaks one.
pub fn broken(program: &Program, events: &[Event]) -> Option<String> {
    events.iter().find_map(|event| match event.what {
        What::Asked(Op::OnDone { task, keep }) => told_once(event, task, keep, events),
        What::Asked(Op::OnAbort { task }) => interrupted(program, event, task, events),
        _ => None,
    })
}

/// wait_3: exactly once, unless the guard was dropped, or there was an error.
fn told_once(registered: &Event, task: usize, keep: bool, events: &[Event]) -> Option<String> {
    let is_its = |event: &&Event| {
        matches!(event.what, What::Told { .. }) && event.invoked == registered.invoked
    };
    let (least, most) = match (&registered.answer, keep) {
        (Answer::Done(Ok(())), true) => (1, 1),
        (Answer::Done(Ok(())), false) => (0, 1),
        _ => (0, 0),
    };
    let times = events.iter().filter(is_its).count();
    let is_kept = (least..=most).contains(&times);
    (!is_kept).then(|| format!("wait_3: the callback of task {task} ran {times} times"))
}

/// abort_4: at most once, and before an abort that finds it registered has returned.
fn interrupted(
    program: &Program,
    registered: &Event,
    task: usize,
    events: &[Event],
) -> Option<String> {
    if registered.answer != Answer::Done(Ok(())) {
        return None;
    }
    let is_its = |event: &&Event| {
        matches!(event.what, What::Interrupted { .. }) && event.invoked == registered.invoked
    };
    let calls: Vec<&Event> = events.iter().filter(is_its).collect();
    if calls.len() > 1 {
        return Some(format!(
            "abort_4: the abort callback of task {task} ran twice"
        ));
    }
    let mine = events.iter().filter(|event| event.lane == registered.lane);
    let last = mine.map(|event| event.answered).max().unwrap_or(0);
    let ended = |event: &Event| matches!(event.what, What::Asked(Op::End { task: other, .. } | Op::Start { task: other }) if other == task);
    let first_end = events
        .iter()
        .filter(|event| ended(event))
        .map(|event| event.invoked)
        .min();
    let aborts = events.iter().filter(|event| {
        matches!(event.what, What::Asked(Op::Abort { task: above }) if program.is_below(task, above))
            && event.answer == Answer::Done(Ok(()))
    });
    for abort in aborts {
        let is_found = abort.invoked > registered.answered
            && first_end.is_none_or(|end| end > abort.answered)
            && last > abort.answered;
        if is_found && !calls.iter().any(|call| call.answered < abort.answered) {
            return Some(format!(
                "abort_4: an abort has not called back for task {task}"
            ));
        }
    }
    None
}
