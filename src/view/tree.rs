//! Trees of tasks as text: the one place that draws them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write};

use uuid::Uuid;

use super::name::not_printable;
use super::{Progress, Status};

/// Draws trees of tasks as plain text, a task a line: `Display` and `to_string` give it.
///
/// A line has the branches that lead to the task, its type with scope, keyspace, table and entity
/// where given, its state, its fraction, and how much of it is done; behind that stands why it
/// failed, or that it is told to abort. The shard is in it where tasks of several shards are drawn.
/// A task without progress of its own or of children shows its state alone. Children come in the
/// order in which they are given, which is that of creation for all that the library gives.
///
/// Of the children of one task the first 24 are drawn, and of a tree the first 32 levels. Behind
/// them stands how many children more the task has, or has had and does not keep.
///
/// Texts that are not printable come as U+FFFD, and of an error comes its first line. The columns
/// are counted in characters.
///
/// ```
/// use taskmgr::{Manager, Tree};
///
/// let manager = Manager::builder().build()?;
/// let repair = manager.register_module("repair")?;
/// let job = repair.task("repair").scope("keyspace").keyspace("shop").start()?;
/// let items = job.child("repair").table("items").total(87_096, "entries").start()?;
/// items.advance(43_857);
/// let orders = job.child("repair").table("orders").total(261_288, "entries").start()?;
/// orders.advance(130_953);
/// items.fail("page 1893 is damaged");
///
/// assert_eq!(
///     Tree::new(&job.observe().status_tree()?).to_string(),
///     "\
/// repair keyspace shop  running  50 %  174,810 of 348,384 entries
/// ├─ repair items       failed   50 %  43,857 of 87,096 entries    page 1893 is damaged
/// └─ repair orders      running  50 %  130,953 of 261,288 entries
/// "
/// );
/// # orders.finish()?; job.finish()?;
/// # Ok::<(), taskmgr::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tree<'a> {
    tasks: Vec<&'a Status>,
    states: Vec<&'a str>,
    children: usize,
    depth: usize,
    width: usize,
}

/// How far names are padded, so that one long name does not push all figures away.
const NAME_COLUMN: usize = 60;

/// The characters of an error that are drawn.
const MAX_ERROR: usize = 120;

impl<'a> Tree<'a> {
    /// Draws these tasks. A task whose parent is not among them is a root; siblings and roots
    /// come in the order in which they are given. What [`status_tree`](crate::Manager::status_tree)
    /// answers is one tree; several, one after another, are drawn so, too.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let statuses = manager.status_tree(task.id())?;
    /// assert_eq!(taskmgr::Tree::new(&statuses).to_string(), "repair  running\n");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn new(tasks: impl IntoIterator<Item = &'a Status>) -> Self {
        Self {
            tasks: tasks.into_iter().collect(),
            states: Vec::new(),
            children: 24,
            depth: 32,
            width: usize::MAX,
        }
    }

    /// How many children of one task are drawn; 24 by default. The others are counted.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// for _ in 0..4_000 {
    ///     task.child("range").start()?.finish()?;
    /// }
    /// let statuses = task.observe().status_tree()?;
    /// let drawn = taskmgr::Tree::new(&statuses).children(1).to_string();
    /// assert!(drawn.ends_with("└─ and 3,999 more\n"), "{drawn}");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn children(mut self, most: usize) -> Self {
        self.children = most;
        self
    }

    /// How many levels are drawn below the roots; 32 by default. Children below them are counted.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// # let child = task.child("range").start()?;
    /// let statuses = task.observe().status_tree()?;
    /// let drawn = taskmgr::Tree::new(&statuses).depth(0).to_string();
    /// assert!(drawn.ends_with("└─ and 1 more\n"), "{drawn}");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn depth(mut self, most: usize) -> Self {
        self.depth = most;
        self
    }

    /// How many characters a line may have; without bound by default. A longer one ends with `…`.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let statuses = task.observe().status_tree()?;
    /// assert_eq!(taskmgr::Tree::new(&statuses).width(12).to_string(), "repair  run…\n");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn width(mut self, most: usize) -> Self {
        self.width = most;
        self
    }

    /// The words for the states of the tasks, in the order of these, for views of a process whose
    /// states are more than [`State`](crate::State) has. An empty word, or none, is the state's own.
    ///
    /// ```
    /// # let manager = taskmgr::Manager::builder().build()?;
    /// # let task = manager.register_module("repair")?.task("repair").start()?;
    /// let statuses = task.observe().status_tree()?;
    /// let tree = taskmgr::Tree::new(&statuses).states(["paused"]);
    /// assert_eq!(tree.to_string(), "repair  paused\n");
    /// # Ok::<(), taskmgr::Error>(())
    /// ```
    pub fn states(mut self, words: impl IntoIterator<Item = &'a str>) -> Self {
        self.states = words.into_iter().collect();
        self
    }

    /// The lines in the order of reading: each task before its children, these before its next
    /// sibling. A stack of its own, as trees may be deeper than the thread's.
    fn lines(&self) -> Vec<Line> {
        let (roots, mut children) = self.families();
        let several_shards = self.tasks.iter().any(|t| t.shard != self.tasks[0].shard);
        let mut lines = Vec::new();
        let mut stack: Vec<Step> = roots.into_iter().rev().map(Step::root).collect();
        while let Some(step) = stack.pop() {
            let place = match step.what {
                What::Task(place) => place,
                What::More(count) => {
                    lines.push(Line::more(&step.branches, count));
                    continue;
                }
            };
            let task = self.tasks[place];
            lines.push(self.line(&step.branches, place, several_shards));
            // Taken, so that ids that are there twice, or lead in a circle, are followed once.
            let below = children.remove(&task.id).unwrap_or_default();
            let all = all_children(task, below.len());
            let drawn = match step.depth < self.depth {
                true => below.len().min(self.children),
                false => 0,
            };
            let more = all - drawn as u64;
            if more > 0 {
                stack.push(step.below(What::More(more), true));
            }
            let mut last = more == 0;
            for place in below[..drawn].iter().rev() {
                stack.push(step.below(What::Task(*place), last));
                last = false;
            }
        }
        lines
    }

    /// The places of the roots, and those of the children of each parent.
    fn families(&self) -> (Vec<usize>, HashMap<Uuid, Vec<usize>>) {
        let ids: HashSet<Uuid> = self.tasks.iter().map(|task| task.id).collect();
        let mut roots = Vec::new();
        let mut children: HashMap<Uuid, Vec<usize>> = HashMap::new();
        for (place, task) in self.tasks.iter().enumerate() {
            match task.parent_id.filter(|parent| ids.contains(parent)) {
                Some(parent) => children.entry(parent).or_default().push(place),
                None => roots.push(place),
            }
        }
        (roots, children)
    }

    fn line(&self, branches: &str, place: usize, several_shards: bool) -> Line {
        let task = self.tasks[place];
        let mut name = format!("{branches}{}", name(task));
        if several_shards {
            let _ = write!(name, " on shard {}", task.shard);
        }
        let word = self.states.get(place).filter(|word| !word.is_empty());
        let state = word.map_or(task.state.as_str(), |word| word);
        let (fraction, amounts) = figures(&task.progress);
        Line([
            name,
            printable(state).into_owned(),
            fraction,
            amounts,
            note(task),
        ])
    }
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        let mut widths = [0; COLUMNS];
        for line in lines.iter().filter(|line| !line.is_more()) {
            for (width, cell) in widths.iter_mut().zip(&line.0) {
                *width = cell.chars().count().max(*width);
            }
        }
        widths[0] = widths[0].min(NAME_COLUMN);
        for line in &lines {
            let text = line.padded(&widths);
            writeln!(f, "{}", cut(text.trim_end(), self.width))?;
        }
        Ok(())
    }
}

/// One line to come.
struct Step {
    /// What leads to it, and to what is below it.
    branches: String,
    indent: String,
    depth: usize,
    what: What,
}

enum What {
    /// A task, by its place.
    Task(usize),
    /// So many children that are not drawn.
    More(u64),
}

impl Step {
    fn root(place: usize) -> Self {
        Self {
            branches: String::new(),
            indent: String::new(),
            depth: 0,
            what: What::Task(place),
        }
    }

    fn below(&self, what: What, last: bool) -> Self {
        let (branch, indent) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        Self {
            branches: format!("{}{branch}", self.indent),
            indent: format!("{}{indent}", self.indent),
            depth: self.depth + 1,
            what,
        }
    }
}

const COLUMNS: usize = 5;

/// Name, state, fraction, amounts, and what else there is to say.
struct Line([String; COLUMNS]);

impl Line {
    fn more(branches: &str, count: u64) -> Self {
        let mut line = Self(Default::default());
        line.0[0] = format!("{branches}and {} more", grouped(count));
        line
    }

    fn is_more(&self) -> bool {
        self.0[1].is_empty()
    }

    /// The cells in their columns; a column that has nothing in any line is none.
    fn padded(&self, widths: &[usize; COLUMNS]) -> String {
        let mut text = String::new();
        for (column, (cell, width)) in self.0.iter().zip(widths).enumerate() {
            if *width == 0 {
                continue;
            }
            if !text.is_empty() {
                text += "  ";
            }
            // Fractions are easier to compare when they end at one place.
            let _ = match column {
                2 => write!(text, "{cell:>width$}"),
                _ => write!(text, "{cell:width$}"),
            };
        }
        text
    }
}

/// How many children a task has had, as far as anybody knows: those that it counts, those that it
/// names, which may be on other nodes, and those that are given.
fn all_children(task: &Status, given: usize) -> u64 {
    let counts = &task.child_counts;
    let counted = [counts.succeeded, counts.failed];
    let counted = counted.into_iter().fold(counts.live, u64::saturating_add);
    counted.max(task.children.len() as u64).max(given as u64)
}

/// What the task does, and on what: it tells a line from the others.
fn name(task: &Status) -> String {
    let dot = match task.keyspace.is_empty() || task.table.is_empty() {
        true => "",
        false => ".",
    };
    let place = format!("{}{dot}{}", task.keyspace, task.table);
    let parts = [&*task.type_, &*task.scope, &*place, &*task.entity];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    match parts.is_empty() {
        true => task.id.to_string(),
        false => printable(&parts.join(" ")).into_owned(),
    }
}

/// The fraction and the amounts; a task that only is done or not has neither.
fn figures(progress: &Progress) -> (String, String) {
    let Progress {
        completed, total, ..
    } = *progress;
    let of_total = progress.total_known || total > completed;
    if progress.units.is_empty() && total.max(completed) <= 1 || !of_total && completed == 0 {
        return Default::default();
    }
    let fraction = match of_total && total > 0 {
        true => format!("{} %", percent(completed, total)),
        false => String::new(),
    };
    let mut amounts = grouped(completed);
    if of_total {
        amounts += " of ";
        amounts += &grouped(total);
    }
    if !progress.units.is_empty() {
        amounts += " ";
        amounts += &printable(&progress.units);
    }
    (fraction, amounts)
}

/// Rounded down: only what is complete is at 100.
fn percent(completed: u64, total: u64) -> u128 {
    (100 * u128::from(completed) / u128::from(total)).min(100)
}

/// Why a task failed, or that it is to abort.
fn note(task: &Status) -> String {
    if let Some(error) = &task.error {
        return first_line(error);
    }
    match &task.abort {
        Some(abort) if !task.state.is_terminal() => {
            let reason = first_line(&abort.reason);
            let colon = if reason.is_empty() { "" } else { ": " };
            format!("told to abort{colon}{reason}")
        }
        _ => String::new(),
    }
}

/// The first line that has something in it; `…` says that there is more.
fn first_line(text: &str) -> String {
    let text = text.trim();
    let line = text.lines().next().unwrap_or_default().trim_end();
    let more = if line.len() < text.len() { "…" } else { "" };
    let line = format!("{}{more}", printable(line));
    cut(&line, MAX_ERROR).into_owned()
}

/// At most so many characters of a line.
fn cut(line: &str, most: usize) -> Cow<'_, str> {
    if line.chars().nth(most).is_none() {
        return Cow::Borrowed(line);
    }
    let kept = most.saturating_sub(1);
    let kept: String = line.chars().take(kept).collect();
    let end = if most > 0 { "…" } else { "" };
    Cow::Owned(kept.trim_end().to_owned() + end)
}

/// The text with nothing in it that breaks a line, or moves what stands beside it.
fn printable(text: &str) -> Cow<'_, str> {
    let strange = |c| not_printable(c).is_some();
    match text.contains(strange) {
        true => Cow::Owned(text.replace(strange, "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}

/// A number with a comma before each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
