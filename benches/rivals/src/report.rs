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
    /// on private lines; the ratio is divided by it.
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
    /// Measures the row.
    pub fn run(&self) -> Outcome {
        let comparison = (self.measure)();
        let (ours, peer) = (comparison.ours.median(), comparison.peer.median());
        let control = comparison.control.unwrap_or(1.0);
        let limit = match self.limit {
            Limit::Times(limit) => Some(limit),
            Limit::Plus(more) => Some((peer + more) / peer),
            Limit::None => None,
        };
        let (least, most) = comparison.ours.ratios(&comparison.peer);
        Outcome {
            ours,
            peer,
            ratio: ours / peer / control,
            least: least / control,
            most: most / control,
            limit,
            details: details(&comparison),
        }
    }
}

/// What a run of a row gave. Ratios of two threads are divided by what the machine itself loses.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The medians of ours and the peer's.
    pub ours: f64,
    /// See `ours`.
    pub peer: f64,
    /// Ours over the peer's.
    pub ratio: f64,
    /// The least ratio of a round.
    pub least: f64,
    /// The greatest.
    pub most: f64,
    /// What the ratio is held to.
    pub limit: Option<f64>,
    /// Unit, spread and the like.
    pub details: String,
}

impl Outcome {
    /// As one line, for another process.
    pub fn write(&self) -> String {
        let Self {
            ours,
            peer,
            ratio,
            least,
            most,
            limit,
            details,
        } = self;
        let limit = limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        format!("{ours} {peer} {ratio} {least} {most} {limit} {details}")
    }

    /// What [`write`](Self::write) wrote.
    pub fn read(line: &str) -> Option<Self> {
        let mut parts = line.splitn(7, ' ');
        let mut figure = || parts.next()?.parse().ok();
        Some(Self {
            ours: figure()?,
            peer: figure()?,
            ratio: figure()?,
            least: figure()?,
            most: figure()?,
            limit: match parts.next()? {
                "none" => None,
                limit => Some(limit.parse().ok()?),
            },
            details: parts.next()?.to_owned(),
        })
    }

    /// Whether it keeps within its limit, if it has one.
    pub fn is_met(&self) -> bool {
        self.limit.is_none_or(|limit| self.ratio <= limit)
    }

    /// The figures, for whoever reads the table.
    pub fn tell(&self) -> String {
        let [ours, peer, ratio] = [self.ours, self.peer, self.ratio].map(digits);
        let limit = self.limit.map(|limit| format!(" limit={}", digits(limit)));
        format!(
            "ours={ours} peer={peer} ratio={ratio}{}",
            limit.unwrap_or_default()
        )
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
pub(crate) fn digits(value: f64) -> String {
    let places = match value.abs() {
        v if v >= 1000.0 => 0,
        v if v >= 100.0 => 1,
        v if v >= 10.0 => 2,
        v if v >= 0.1 => 3,
        _ => 5,
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_read_as_it_was_written() {
        let outcome = Outcome {
            ours: 50.5,
            peer: 300.0,
            ratio: 0.17,
            least: 0.16,
            most: 0.19,
            limit: Some(0.18),
            details: "ns; 11 rounds".to_owned(),
        };
        assert_eq!(Outcome::read(&outcome.write()), Some(outcome.clone()));
        let figure = Outcome {
            limit: None,
            ..outcome
        };
        assert_eq!(Outcome::read(&figure.write()), Some(figure));
        assert_eq!(Outcome::read("thread 'main' panicked"), None);
    }
}
