//! The screen while an operation runs: a bar for it, and one for each of its keyspaces.

use std::collections::HashMap;
use std::io::{IsTerminal, stdout};
use std::time::Duration;

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use taskmgr::{Name, Observer, Progress, State, Status, Uuid};

use crate::stop::Stop;

const REFRESH: Duration = Duration::from_millis(100);

/// Shows how far `task` is until it ends or the host is to stop, and returns its last tree.
pub fn follow(task: &Observer, stop: &Stop) -> taskmgr::Result<Vec<Status>> {
    let mut screen = Screen::new();
    while !task.is_terminal()? && !stop.requested() {
        screen.draw(&task.status_tree()?);
        stop.pause(REFRESH);
    }
    screen.area.clear().ok();
    task.status_tree()
}

struct Screen {
    area: MultiProgress,
    style: ProgressStyle,
    bars: HashMap<Uuid, ProgressBar>,
}

impl Screen {
    /// Nothing is drawn where nobody looks: bars go to stderr, and only if both are terminals.
    fn new() -> Screen {
        let area = MultiProgress::new();
        if !stdout().is_terminal() {
            area.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{prefix:14} {bar:40.cyan} {percent:>3} %  {msg}");
        let style = style.expect("a valid template").progress_chars("━╸─");
        Screen {
            area,
            style,
            bars: HashMap::new(),
        }
    }

    fn draw(&mut self, tree: &[Status]) {
        let Some(root) = tree.first() else { return };
        let keyspaces = tree.iter().filter(|task| task.parent_id == Some(root.id));
        self.update(root, root.module.to_string(), tree);
        for task in keyspaces {
            self.update(task, format!("  {}", label(task, root)), tree);
        }
    }

    fn update(&mut self, task: &Status, prefix: String, tree: &[Status]) {
        let bar = self.bars.entry(task.id).or_insert_with(|| {
            let bar = ProgressBar::new(0).with_style(self.style.clone());
            self.area.add(bar)
        });
        bar.set_prefix(prefix);
        bar.set_length(task.progress.total);
        bar.set_position(task.progress.completed);
        bar.set_message(message(task, tree));
    }
}

/// What a task is doing: how far it is, and the parts of it that run.
fn message(task: &Status, tree: &[Status]) -> String {
    let parts = tree.iter().filter(|part| part.parent_id == Some(task.id));
    let running = parts.filter(|part| part.state == State::Running);
    let running: Vec<_> = running.map(|part| label(part, task)).collect();
    let figures = figures(&task.progress);
    match task.state {
        State::Running if task.abort.is_some() => format!("{figures}, told to abort"),
        State::Running if running.is_empty() => figures,
        State::Running => format!("{figures}: {}", running.join(", ")),
        other => other.as_str().to_owned(),
    }
}

/// The last part of the name of what `task` works on, led by what it does where its parent does
/// something else.
fn label(task: &Status, parent: &Status) -> String {
    if task.type_ == parent.type_ {
        subject(task).to_string()
    } else if subject(task) == subject(parent) {
        task.type_.to_string()
    } else {
        format!("{} {}", task.type_, subject(task))
    }
}

fn subject(task: &Status) -> &Name {
    if task.table.is_empty() {
        &task.keyspace
    } else {
        &task.table
    }
}

/// How far a task is.
fn figures(progress: &Progress) -> String {
    let (completed, total) = (HumanCount(progress.completed), HumanCount(progress.total));
    format!("{completed} of {total} {}", progress.units)
}
