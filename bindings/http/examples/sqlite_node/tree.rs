//! A tree of tasks as text: a line for each, in columns.

use std::time::Duration;

use indicatif::HumanCount;
use taskmgr::{Name, Progress, Status};

/// A task in the order of reading, with the branches that lead to it.
struct Row<'a> {
    branches: String,
    parent: Option<&'a Status>,
    task: &'a Status,
}

/// Draws a tree that was given breadth-first, as `status_tree` does.
pub fn draw(tasks: &[Status]) -> String {
    let table: Vec<_> = rows(tasks).iter().map(Row::cells).collect();
    let width = |column: usize| {
        let widths = table.iter().map(|cells| cells[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let (a, b, c, d) = (width(0), width(1), width(2), width(3));
    let mut text = String::new();
    for [name, state, progress, time, error] in &table {
        let line = format!("{name:a$}  {state:b$}  {progress:>c$}  {time:>d$}  {error}");
        text += line.trim_end();
        text += "\n";
    }
    text
}

/// The last part of the name of what `task` works on, led by what it does where its parent does
/// something else.
pub fn label(task: &Status, parent: Option<&Status>) -> String {
    match parent {
        None => task.module.to_string(),
        Some(parent) if task.type_ == parent.type_ => subject(task).to_string(),
        Some(parent) if subject(task) == subject(parent) => task.type_.to_string(),
        Some(_) => format!("{} {}", task.type_, subject(task)),
    }
}

/// How far a task is.
pub fn figures(progress: &Progress) -> String {
    let (completed, total) = (HumanCount(progress.completed), HumanCount(progress.total));
    format!("{completed} of {total} {}", progress.units)
}

fn subject(task: &Status) -> &Name {
    if task.table.is_empty() {
        &task.keyspace
    } else {
        &task.table
    }
}

/// The tasks in the order of reading: each before its children, these before its next sibling.
fn rows(tasks: &[Status]) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    if let Some(task) = tasks.first() {
        rows.push(Row {
            branches: String::new(),
            parent: None,
            task,
        });
        add_children(tasks, task, "", &mut rows);
    }
    rows
}

fn add_children<'a>(
    tasks: &'a [Status],
    parent: &'a Status,
    indent: &str,
    rows: &mut Vec<Row<'a>>,
) {
    let children = tasks
        .iter()
        .filter(|task| task.parent_id == Some(parent.id));
    let mut children = children.peekable();
    while let Some(task) = children.next() {
        let last = children.peek().is_none();
        let (branch, below) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        rows.push(Row {
            branches: format!("{indent}{branch}"),
            parent: Some(parent),
            task,
        });
        add_children(tasks, task, &format!("{indent}{below}"), rows);
    }
}

impl Row<'_> {
    fn cells(&self) -> [String; 5] {
        let task = self.task;
        let times = task.start_time.zip(task.end_time);
        let time = times.and_then(|(start, end)| end.duration_since(start).ok());
        [
            format!("{}{}", self.branches, label(task, self.parent)),
            task.state.as_str().to_owned(),
            figures(&task.progress),
            time.map(seconds).unwrap_or_default(),
            task.error.clone().unwrap_or_default().replace('\n', " "),
        ]
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
