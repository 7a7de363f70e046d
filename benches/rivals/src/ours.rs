//! Our own side, through the public API.

use std::hint::black_box;

use taskmgr::{Manager, Module, Reporter, Task, TaskBuilder};

/// The four names that every task is given, as text made at run time.
#[derive(Clone, Debug)]
pub struct Names {
    /// "compaction"
    pub type_: String,
    /// "table"
    pub scope: String,
    /// "shop"
    pub keyspace: String,
    /// "orders"
    pub table: String,
}

impl Names {
    /// The same names in every row, for ours and for the rivals. All are short enough for a
    /// `std::string` without an allocation.
    pub fn given() -> Self {
        let text = |text: &str| black_box(text).to_owned();
        Self {
            type_: text("compaction"),
            scope: text("table"),
            keyspace: text("shop"),
            table: text("orders"),
        }
    }

    /// For rivals that know one name only: the four in one text.
    pub fn joined(&self) -> String {
        let Self {
            type_,
            scope,
            keyspace,
            table,
        } = self;
        format!("{type_} {scope} {keyspace}.{table}")
    }

    #[inline]
    fn of<'a>(&'a self, builder: TaskBuilder<'a>) -> TaskBuilder<'a> {
        builder
            .scope(&self.scope)
            .keyspace(&self.keyspace)
            .table(&self.table)
    }

    /// A child of a task.
    #[inline]
    pub fn child<'a>(&'a self, parent: &'a Task) -> TaskBuilder<'a> {
        self.of(parent.child(&self.type_))
    }

    /// A child of a reporter's task.
    #[inline]
    pub fn child_of_reporter<'a>(&'a self, parent: &'a Reporter) -> TaskBuilder<'a> {
        self.of(parent.child(&self.type_))
    }
}

/// Starts what a builder describes.
#[inline]
pub fn start(builder: TaskBuilder<'_>) -> Task {
    builder.start().expect("the module is open")
}

/// Ends a task.
#[inline]
pub fn finish(task: Task) {
    task.finish().expect("nobody aborts this task");
}

/// A manager with a module and the names.
#[derive(Debug)]
pub struct World {
    /// The manager; it keeps its default bounds.
    pub manager: Manager,
    /// Where the tasks go.
    pub module: Module,
    /// The names of every task.
    pub names: Names,
}

impl World {
    /// With the defaults.
    pub fn new() -> Self {
        Self::of(Manager::builder().build().expect("the defaults are valid"))
    }

    /// With a manager of one's own.
    pub fn of(manager: Manager) -> Self {
        let module = manager.register_module("compaction").expect("a new name");
        Self {
            manager,
            module,
            names: Names::given(),
        }
    }

    /// A root that runs and may be aborted.
    pub fn root(&self) -> Task {
        let names = &self.names;
        start(names.of(self.module.task(&names.type_)).abortable())
    }

    /// So many live roots.
    pub fn roots(&self, count: usize) -> Vec<Task> {
        std::iter::repeat_with(|| self.root()).take(count).collect()
    }

    /// So many live children.
    pub fn children(&self, parent: &Task, count: usize) -> Vec<Task> {
        let child = || start(self.names.child(parent));
        std::iter::repeat_with(child).take(count).collect()
    }

    /// So many live tasks, a root among them, each the child of the one before.
    pub fn chain(&self, count: usize) -> Vec<Task> {
        let mut tasks = vec![self.root()];
        while tasks.len() < count {
            let child = start(self.names.child(&tasks[tasks.len() - 1]));
            tasks.push(child);
        }
        tasks
    }

    /// A root whose ring of kept children wraps.
    pub fn busy_root(&self) -> Task {
        let root = self.root();
        life_cycles(&root, &self.names, 4096);
        root
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// Create, start, advance once, finish, fold.
pub fn life_cycles(parent: &Task, names: &Names, count: usize) {
    for _ in 0..count {
        let child = start(names.child(parent));
        child.advance(1);
        finish(child);
    }
}

/// The same by a worker that holds a reporter of the parent.
pub fn life_cycles_of_reporter(parent: &Reporter, names: &Names, count: usize) {
    for _ in 0..count {
        let child = start(names.child_of_reporter(parent));
        child.advance(1);
        finish(child);
    }
}

/// The same with a separate call to start.
pub fn life_cycles_in_two_steps(parent: &Task, names: &Names, count: usize) {
    for _ in 0..count {
        let child = names.child(parent).create().expect("the module is open");
        child.start().expect("nobody aborts this task");
        child.advance(1);
        finish(child);
    }
}

/// The same, with an entity of its own and its id read once.
pub fn life_cycles_with_entity(parent: &Task, names: &Names, count: usize) {
    let mut entity = Unique::default();
    for _ in 0..count {
        let child = start(names.child(parent).entity(entity.another()));
        black_box(&child.id());
        child.advance(1);
        finish(child);
    }
}

/// Ends tasks in this order.
pub fn end_in_order(tasks: Vec<Task>, order: &[u32]) {
    let mut tasks: Vec<Option<Task>> = tasks.into_iter().map(Some).collect();
    for &at in order {
        finish(tasks[at as usize].take().expect("each once"));
    }
}

/// 24 bytes of text that differ each time, as cheap to make as can be.
#[derive(Debug)]
pub struct Unique {
    text: [u8; 24],
}

impl Default for Unique {
    fn default() -> Self {
        Self {
            text: *b"sstable-0000000000-big.x",
        }
    }
}

impl Unique {
    /// The next one.
    #[inline]
    pub fn another(&mut self) -> &str {
        for at in (8..18).rev() {
            match self.text[at] {
                b'9' => self.text[at] = b'0',
                _ => {
                    self.text[at] += 1;
                    break;
                }
            }
        }
        // SAFETY: the text was ASCII, and only digits have become other digits. The check would
        // be timed with both sides.
        unsafe { std::str::from_utf8_unchecked(&self.text) }
    }
}
