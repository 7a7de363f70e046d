//! indicatif: progress bars, drawn nowhere.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

use crate::ours::Names;

/// A set of bars.
#[derive(Debug)]
pub struct Bars {
    all: MultiProgress,
    prefix: String,
}

impl Bars {
    /// With the four names as the prefix of each bar.
    pub fn new() -> Self {
        Self {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
            prefix: Names::given().joined(),
        }
    }

    fn bar(&self) -> ProgressBar {
        let bar = self.all.add(ProgressBar::new(1));
        bar.set_prefix(self.prefix.clone());
        bar
    }

    fn end(&self, bar: &ProgressBar) {
        bar.inc(1);
        bar.finish();
        self.all.remove(bar);
    }

    /// Add, inc, finish, remove.
    pub fn life_cycles(&self, count: usize) {
        for _ in 0..count {
            self.end(&self.bar());
        }
    }

    /// Live bars.
    pub fn children(&self, count: usize) -> Vec<ProgressBar> {
        (0..count).map(|_| self.bar()).collect()
    }

    /// Ends them in order.
    pub fn end_all(&self, bars: Vec<ProgressBar>) {
        bars.into_iter().for_each(|bar| self.end(&bar));
    }
}

impl Default for Bars {
    fn default() -> Self {
        Self::new()
    }
}
