//! One line a goal.

use crate::measure::Series;

/// What a row came to.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Ours and the peer's.
    pub ours: Series,
    /// See `ours`.
    pub peer: Series,
    /// "ns", "bytes" and the like.
    pub unit: &'static str,
    /// For rows of two threads: what the machine itself loses to a second thread, by a loop
    /// on private lines; the limit is multiplied by it.
    pub control: Option<f64>,
}

impl Comparison {
    /// Times, or CPU times, per operation.
    pub fn ns([ours, peer]: [Series; 2]) -> Self {
        Self {
            ours,
            peer,
            unit: "ns",
            control: None,
        }
    }

    /// The same beside a control: a loop with two threads, and with one.
    pub fn with_control([ours, peer, two, one]: [Series; 4]) -> Self {
        Self {
            control: Some(two.median() / one.median()),
            ..Self::ns([ours, peer])
        }
    }
}

/// What a row is held to.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// Ours at most so many times the peer's.
    Times(f64),
    /// Ours at most so much more than the peer's.
    Plus(f64),
    /// Nothing: for information.
    None,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// `group/against`.
    pub name: &'static str,
    /// What it is held to.
    pub limit: Limit,
    /// Measures it.
    pub measure: fn() -> Comparison,
}

/// Shorthand for a goal.
pub const fn goal(name: &'static str, limit: f64, measure: fn() -> Comparison) -> Row {
    Row {
        name,
        limit: Limit::Times(limit),
        measure,
    }
}

/// Shorthand for a row without a limit.
pub const fn figure(name: &'static str, measure: fn() -> Comparison) -> Row {
    Row {
        name,
        limit: Limit::None,
        measure,
    }
}

impl Row {
    /// Measures the row and prints it; whether it was met.
    pub fn print(&self) -> bool {
        let comparison = (self.measure)();
        let (ours, peer) = (comparison.ours.median(), comparison.peer.median());
        let ratio = ours / peer;
        let figures = format!(
            "{} ours={} peer={} ratio={}",
            self.name,
            digits(ours),
            digits(peer),
            digits(ratio)
        );
        let limit = match self.limit {
            Limit::Times(limit) => Some(limit * comparison.control.unwrap_or(1.0)),
            Limit::Plus(more) => Some((peer + more) / peer),
            Limit::None => None,
        };
        let met = limit.is_none_or(|limit| ratio <= limit);
        match limit {
            Some(limit) => println!(
                "goal {figures} limit={} {}",
                digits(limit),
                if met { "met" } else { "missed" }
            ),
            None => println!("figure {figures}"),
        }
        println!("    {}", details(&comparison));
        met
    }
}

fn details(comparison: &Comparison) -> String {
    let Comparison { ours, peer, .. } = comparison;
    let spread = |series: &Series| {
        let (least, most) = series.spread();
        format!("{}..{}", digits(least), digits(most))
    };
    let mut details = format!(
        "{}; ours {}, peer {}; {} rounds, {} samples retaken",
        comparison.unit,
        spread(ours),
        spread(peer),
        ours.len().min(peer.len()),
        ours.retaken + peer.retaken,
    );
    let preempted = ours.preempted + peer.preempted;
    if preempted > 0 {
        details += &format!(", {preempted} preempted in every try");
    }
    if let Some(control) = comparison.control {
        details += &format!("; control {}", digits(control));
    }
    details
}

/// Four digits that count.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        v if v >= 1000.0 => 0,
        v if v >= 100.0 => 1,
        v if v >= 10.0 => 2,
        v if v >= 0.1 => 3,
        _ => 5,
    };
    format!("{value:.places$}")
}
