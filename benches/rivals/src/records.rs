//! What each row has come to before: `records.txt`, a line each.
//!
//! ```text
//! life_cycle/prodash 0.160 0.152 0.171 AMD EPYC
//! ```
//!
//! That is the ratio, the least and the greatest of its rounds, and the processor.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::report::{Outcome, digits};

/// The records of all rows.
#[derive(Debug)]
pub struct Records {
    file: PathBuf,
    rows: BTreeMap<String, Record>,
}

/// What a row has come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    ratio: f64,
    least: f64,
    most: f64,
    processor: String,
}

impl Records {
    /// Those that are kept beside this package.
    ///
    /// # Panics
    /// If a line of them is none.
    pub fn kept() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("records.txt");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let rows = text.lines().map(|line| {
            let row = line.split_once(' ');
            row.and_then(|(name, rest)| Some((name.to_owned(), Record::read(rest)?)))
                .unwrap_or_else(|| panic!("{}: no record: {line}", file.display()))
        });
        Self {
            rows: rows.collect(),
            file,
        }
    }

    /// That of a row.
    pub fn of(&self, row: &str) -> Option<&Record> {
        self.rows.get(row)
    }

    /// Replaces that of a row by what several runs of it gave.
    pub fn set(&mut self, row: &str, runs: &[Outcome]) {
        self.rows.insert(row.to_owned(), Record::of(runs));
    }

    /// Writes them where they are kept.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn save(&self) {
        let lines = self.rows.iter().map(|(name, record)| {
            let figures = [record.ratio, record.least, record.most].map(digits);
            format!("{name} {} {}\n", figures.join(" "), record.processor)
        });
        std::fs::write(&self.file, lines.collect::<String>()).expect("the package is writable");
    }
}

impl Record {
    /// The median of the runs, and the spread of all their rounds.
    fn of(runs: &[Outcome]) -> Self {
        let mut ratios: Vec<f64> = runs.iter().map(|run| run.ratio).collect();
        ratios.sort_by(f64::total_cmp);
        Self {
            ratio: ratios[ratios.len() / 2],
            least: runs
                .iter()
                .map(|run| run.least)
                .fold(f64::INFINITY, f64::min),
            most: runs.iter().map(|run| run.most).fold(0.0, f64::max),
            processor: processor(),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, ' ');
        let mut figure = || parts.next()?.parse().ok();
        Some(Self {
            ratio: figure()?,
            least: figure()?,
            most: figure()?,
            processor: parts.next()?.to_owned(),
        })
    }

    /// Whether a ratio is worse than this by more than a tenth, and by more than the rounds of the
    /// record differed from one another.
    pub fn is_worse(&self, ratio: f64) -> bool {
        ratio > self.ratio * 1.1 && ratio > self.ratio + (self.most - self.least)
    }

    /// The record in words.
    pub fn tell(&self) -> String {
        let other = match self.processor == processor() {
            true => String::new(),
            false => format!(", on another processor ({})", self.processor),
        };
        let [ratio, least, most] = [self.ratio, self.least, self.most].map(digits);
        format!("record {ratio} ({least}..{most}){other}")
    }
}

/// The name of this machine's processor.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.split_once(": "));
    let model = lines.find(|(key, _)| key.trim_end() == "model name");
    model
        .map_or("unknown", |(_, model)| model.trim())
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_worse_by_a_tenth_and_by_its_spread() {
        let record = |least, most| Record {
            ratio: 1.0,
            least,
            most,
            processor: processor(),
        };
        let steady = record(0.99, 1.01);
        assert!(!steady.is_worse(0.5) && !steady.is_worse(1.09));
        assert!(steady.is_worse(1.11));
        let noisy = record(0.9, 1.2);
        assert!(!noisy.is_worse(1.29));
        assert!(noisy.is_worse(1.31));
    }

    #[test]
    fn a_record_is_read_as_it_is_written() {
        let record = Record::read("0.160 0.152 0.171 AMD EPYC 7B13").unwrap();
        assert_eq!(record.processor, "AMD EPYC 7B13");
        assert_eq!((record.ratio, record.most), (0.160, 0.171));
        assert_eq!(Record::read("0.160 0.152"), None);
    }
}
