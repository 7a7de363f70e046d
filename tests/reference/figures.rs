//! What a task of the model shows of its progress.

use super::Model;

#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub completed: u64,
    pub total: Option<u64>,
    pub units: String,
}

#[derive(Clone, Debug, Default)]
pub struct Sums {
    completed: u64,
    total: u64,
    known_total: bool,
    units: Vec<String>,
    done: u64,
    pub known: u64,
}

impl Sums {
    pub fn add(&mut self, shown: &Shown, done: bool) {
        self.completed += shown.completed;
        self.total += shown.total.unwrap_or(0).max(shown.completed);
        self.known_total |= shown.total.is_some();
        self.done += u64::from(done);
        self.known += 1;
        if !self.units.contains(&shown.units) {
            self.units.push(shown.units.clone());
        }
    }
}

impl Model {
    /// What a task shows of its progress.
    pub fn shown(&self, task: usize) -> Shown {
        let at = &self.tasks[task];
        let mut sums = at.folded.clone();
        for child in &at.live {
            sums.add(&self.shown(*child), self.tasks[*child].has_succeeded());
        }
        let own = Shown {
            completed: at.completed,
            total: at.total,
            units: at.wish.units.to_owned(),
        };
        if sums.known == 0 {
            let silent = own.completed == 0 && own.total.is_none() && own.units.is_empty();
            return match silent {
                true => Shown {
                    completed: at.has_succeeded().into(),
                    total: Some(1),
                    ..own
                },
                false => own,
            };
        }
        let theirs = match sums.units.as_slice() {
            [units] => Shown {
                completed: sums.completed,
                total: sums.known_total.then_some(sums.total),
                units: units.clone(),
            },
            _ => Shown {
                completed: sums.done,
                total: Some(sums.known),
                units: "children".into(),
            },
        };
        let mixed = sums.units.len() > 1;
        if own.units.is_empty() && own.total.is_none() && mixed {
            return theirs;
        }
        match own.units.is_empty() || own.units == theirs.units {
            true => Shown {
                completed: own.completed.max(theirs.completed),
                total: own.total.or(theirs.total),
                units: theirs.units,
            },
            false => own,
        }
    }
}
