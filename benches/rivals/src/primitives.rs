//! The machine's own prices: atomics on lines that are shared or not, and a ring.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_queue::ArrayQueue;
use crossbeam_utils::CachePadded;

use crate::measure::{Sample, repeat, timed, timed_hand_over, timed_pair};

/// A counter on a line of its own.
pub type Line = CachePadded<AtomicU64>;

/// Adds to one counter.
#[inline(never)]
pub fn additions(counter: &AtomicU64, count: usize) {
    repeat(count, || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
}

/// Reads a line that nobody writes.
#[inline(never)]
pub fn loads(counter: &AtomicU64, count: usize) {
    repeat(count, || {
        if counter.load(Ordering::Acquire) != 0 {
            unreachable!("nobody writes it");
        }
    });
}

/// A loop like a life cycle, on lines of this thread's own: three locked operations, and
/// plain stores to two lines out of a few.
#[inline(never)]
pub fn private_life(lines: &mut [Line; 16], count: usize) {
    for turn in 0..count {
        for (at, line) in lines.iter().enumerate().take(3) {
            line.fetch_add(at as u64, Ordering::AcqRel);
        }
        for line in &lines[3 + turn % 12..][..2] {
            line.store(turn as u64, Ordering::Release);
        }
    }
}

/// Sixteen lines.
pub fn lines() -> [Line; 16] {
    std::array::from_fn(|_| Line::default())
}

/// `private_life` with two threads, and with one: what the machine itself loses.
pub fn life_control(count: usize) -> [Box<dyn FnMut() -> Sample>; 2] {
    let mut both = [lines(), lines()];
    let mut one = lines();
    [
        Box::new(move || timed_pair(&mut both, count, private_life)),
        Box::new(move || timed(count, || private_life(&mut one, count))),
    ]
}

/// Additions on private lines with two threads, and with one.
pub fn addition_control(count: usize) -> [Box<dyn FnMut() -> Sample>; 2] {
    counter_control(count, additions)
}

/// Loads of private lines with two threads, and with one.
pub fn load_control(count: usize) -> [Box<dyn FnMut() -> Sample>; 2] {
    counter_control(count, loads)
}

fn counter_control(count: usize, work: fn(&AtomicU64, usize)) -> [Box<dyn FnMut() -> Sample>; 2] {
    let mut both = [Line::default(), Line::default()];
    let one = Line::default();
    [
        Box::new(move || timed_pair(&mut both, count, |line, count| work(line, count))),
        Box::new(move || timed(count, || work(&one, count))),
    ]
}

/// Additions from two threads to the same line.
pub fn same_line(count: usize) -> Sample {
    let line = Line::default();
    timed_pair(&mut [&line, &line], count, |line, count| {
        additions(line, count)
    })
}

/// Hands things from one core to another through a bounded ring.
pub fn hand_over<T: Send>(
    things: usize,
    mut make: impl FnMut() -> T + Send,
    mut end: impl FnMut(T) + Send,
) -> Sample {
    let ring = ArrayQueue::new(1024);
    let give = || {
        for _ in 0..things {
            let mut thing = make();
            while let Err(back) = ring.push(thing) {
                thing = back;
                std::hint::spin_loop();
            }
        }
    };
    let take = || {
        for _ in 0..things {
            let thing = loop {
                match ring.pop() {
                    Some(thing) => break thing,
                    None => std::hint::spin_loop(),
                }
            };
            end(thing);
        }
    };
    timed_hand_over(things, give, take)
}
