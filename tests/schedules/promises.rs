//! What is promised of callbacks, whatever the order.

use crate::schedules::history::{Answer, Event, What};
use crate::schedules::program::{Op, Program};

/// The promise that this history breaks, if it breaks one.
pub fn broken(program: &Program, events: &[Event]) -> Option<String> {
    events.iter().find_map(|event| match event.what {
        What::Asked(Op::OnDone { keep, .. } | Op::VirtualOnDone { keep, .. }) => {
            let is_broken = told_once(event, keep, events);
            is_broken.or_else(|| told_of_close(event, events))
        }
        What::Asked(Op::OnAbort { task }) => interrupted(program, event, task, events),
        _ => None,
    })
}

/// wait_3: exactly once, unless the guard was dropped, or there was an error.
fn told_once(registered: &Event, keep: bool, events: &[Event]) -> Option<String> {
    let is_its = |event: &&Event| {
        matches!(event.what, What::Told { .. } | What::VirtualTold { .. })
            && event.invoked == registered.invoked
    };
    let (least, most) = match (&registered.answer, keep) {
        (Answer::Done(Ok(())), true) => (1, 1),
        (Answer::Done(Ok(())), false) => (0, 1),
        _ => (0, 0),
    };
    let times = events.iter().filter(is_its).count();
    let is_kept = (least..=most).contains(&times);
    let asked = &registered.what;
    (!is_kept).then(|| format!("wait_3: the callback of {asked:?} ran {times} times"))
}

/// virt_1: who waits for a virtual task is told before a close that found it waiting has returned,
/// unless another close tells it.
fn told_of_close(registered: &Event, events: &[Event]) -> Option<String> {
    let What::Asked(Op::VirtualOnDone { module: its, keep }) = registered.what else {
        return None;
    };
    if !keep || registered.answer != Answer::Done(Ok(())) {
        return None;
    }
    let closes = |event: &&Event| match event.what {
        // One that is refused tells nobody.
        _ if event.answer.code().is_some() => false,
        What::Asked(Op::Close { module, .. }) => module == its,
        What::Asked(Op::CloseManager { .. }) => true,
        _ => false,
    };
    let registers = |event: &Event| {
        let is_its = matches!(event.what, What::Asked(Op::Register { module }) if module == its);
        is_its && event.answer == Answer::Done(Ok(()))
    };
    let told = events.iter().find(|event| {
        matches!(event.what, What::VirtualTold { .. }) && event.invoked == registered.invoked
    })?;
    // The first, so that it is of the registration that the task was found with.
    let close = events
        .iter()
        .filter(closes)
        .find(|close| close.invoked > registered.answered)?;
    let meets = |event: &&Event| {
        let is_other = event.invoked != close.invoked;
        is_other && event.answered > registered.invoked && event.invoked < close.answered
    };
    let is_alone = !events.iter().any(|event| registers(event) && meets(&event))
        && !events.iter().filter(closes).any(|event| meets(&event));
    let is_current = matches!(close.what, What::Asked(Op::CloseManager { .. }))
        || events
            .iter()
            .rfind(|event| registers(event) && event.answered < registered.invoked)
            .map(|event| event.invoked)
            == close.registration;
    let is_late = told.answered > close.answered;
    (is_alone && is_current && is_late).then(|| {
        let asked = &registered.what;
        format!("virt_1: the callback of {asked:?} ran after a close had returned")
    })
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
        // By an id of the host's it may reach another.
        let names = |above: usize| !event.by_id || program.hosts[above].is_none();
        matches!(event.what, What::Asked(Op::Abort { task: above }) if names(above) && program.is_below(task, above))
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
