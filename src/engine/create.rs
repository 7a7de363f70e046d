//! Birth: a root under its module's lock, a child under its parent's family's.

use std::cell::Cell;

use uuid::Uuid;

use super::{Engine, ModuleCore, Stage, TaskRef};
use crate::arena::{Held, Numbered, no_memory};
use crate::error::{Error, ErrorCode, Result};
use crate::names::{Given, Group, NameSet, Names, check_name};
use crate::node::label;
use crate::node::slot::{Birth, HOST_ID, INTERNAL, LABELLED, PARENT_ID, Slot};
use crate::node::word::{KIDS, STARTED, TERMINAL};
use crate::tree::abort;
use crate::tree::kids::Kids;
use crate::tree::root::Tree;
use crate::view::Name;

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec<'a> {
    /// A root needs one; a child has its parent's unless told otherwise.
    pub(crate) module: Option<(&'static ModuleCore, u64)>,
    pub(crate) parent: ParentSpec,
    pub(crate) names: Given<'a>,
    pub(crate) entity: &'a str,
    pub(crate) traits: Traits,
    pub(crate) id: Option<Uuid>,
}

/// What of a task is but a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    /// A child's is its parent's unless told otherwise.
    pub(crate) shard: Option<u32>,
    pub(crate) total: u64,
    pub(crate) attributes: u32,
}

impl Spec<'_> {
    /// Whether it asks for what most children are: of their parent's module, and with an id
    /// of ours.
    #[inline(always)]
    fn plain_child(&self) -> Option<TaskRef> {
        match self.parent {
            ParentSpec::Task(parent) if self.module.is_none() && self.id.is_none() => Some(parent),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum ParentSpec {
    None,
    /// Whoever asks holds a reference to it: a builder borrows the handle that has it.
    Task(TaskRef),
    Id(Uuid),
}

/// A parent that is held or known to be virtual.
enum Parent {
    None,
    Task(TaskRef),
    /// Found by id, and held until the child is linked.
    Held(TaskRef, Held),
    Virtual(Uuid),
}

/// References that a new task has: its registration's and its owner's.
const NEWBORN_REFS: u32 = 2;

fn newborn(started: bool) -> u64 {
    if started { STARTED } else { 0 }
}

impl Engine {
    /// Makes a task, in the state `created`, or running if it is to be `started` and no
    /// abort is in sight. The caller owns one reference to it.
    ///
    /// Inlined into the last step of a builder, where most of what is asked here is known;
    /// by value, so that a builder need not lie in memory.
    #[inline(always)]
    pub(crate) fn create(&'static self, spec: Spec<'_>, started: bool) -> Result<TaskRef> {
        if let Some(parent) = spec.plain_child()
            && parent.slot.belongs_to(self)
        {
            let TaskRef { slot, tree, .. } = parent;
            let child = match spec.entity {
                "" => self.create_plainly(slot, tree, spec.names, spec.traits, started),
                entity => {
                    self.create_with_label(slot, tree, spec.names, spec.traits, started, entity)
                }
            };
            if let Some(slot) = child {
                return Ok(TaskRef { slot, ..parent });
            }
        }
        self.create_any(spec, started)
    }

    /// The birth of most tasks: of a further child, whose names its thread knows, where no
    /// abort is in sight. `None` where anything is out of the ordinary, which
    /// [`create_any`](Self::create_any) sees to.
    #[inline(never)]
    fn create_plainly(
        &'static self,
        parent: &'static Slot,
        tree: &'static Tree,
        names: Given<'_>,
        traits: Traits,
        started: bool,
    ) -> Option<&'static Slot> {
        self.create_short(parent, tree, &names, traits, started, |_| true)
    }

    /// The same of one with an entity, which has to be short and plain.
    #[inline(never)]
    fn create_with_label(
        &'static self,
        parent: &'static Slot,
        tree: &'static Tree,
        names: Given<'_>,
        mut traits: Traits,
        started: bool,
        entity: &str,
    ) -> Option<&'static Slot> {
        if !label::fits(entity) {
            return None;
        }
        traits.attributes |= LABELLED;
        let label = |slot: &Slot| slot.set_label(entity, self.realm);
        self.create_short(parent, tree, &names, traits, started, label)
    }

    #[inline(always)]
    fn create_short(
        &'static self,
        parent: &'static Slot,
        tree: &'static Tree,
        names: &Given<'_>,
        traits: Traits,
        started: bool,
        label: impl FnOnce(&Slot) -> bool,
    ) -> Option<&'static Slot> {
        if self.realm.is_forked() || !self.is_plainly_open() || tree.may_be_aborted() {
            return None;
        }
        let parents = parent.interned_names()?;
        let names = self.realm.recent_names(parents.title, names)?;
        let reading = parent.word.load();
        let kids = parent.kids(self.realm)?;
        if !reading.has(KIDS) || reading.has(TERMINAL) {
            return None;
        }
        let slot = self.realm.take_slot(|| self.has_grown()).ok()?;
        self.prepare_child(slot, parent, tree, Some(names), traits, started);
        let is_open = || parents.group.is_open();
        let bear = || {
            slot.word.born(newborn(started), NEWBORN_REFS);
            true
        };
        if !label(slot) || !self.link(slot, kids, is_open, bear) {
            self.realm.free_slot(slot);
            return None;
        }
        Some(slot)
    }

    #[inline(always)]
    fn prepare_child(
        &'static self,
        slot: &'static Slot,
        parent: &'static Slot,
        tree: &'static Tree,
        names: Option<&'static NameSet>,
        traits: Traits,
        started: bool,
    ) {
        slot.prepare(&Birth {
            now: self.ticks.now_and_wall(),
            started,
            parent: Some(parent),
            tree,
            names,
            attributes: traits.attributes | INTERNAL,
            sequence: parent.sequence(),
            shard: traits.shard.unwrap_or_else(|| parent.shard()),
            total: traits.total,
        });
        slot.belong_to(self);
    }

    #[cold]
    fn create_any(&'static self, spec: Spec<'_>, started: bool) -> Result<TaskRef> {
        self.realm.check_fork()?;
        if self.stage() != Stage::Open {
            return Err(Error::closed("the manager"));
        }
        if let Some((module, registration)) = spec.module {
            module.check_manager(self.uid(), registration)?;
        }
        let parent = match &spec.parent {
            ParentSpec::None => Parent::None,
            ParentSpec::Task(parent) => Parent::Task(*parent),
            ParentSpec::Id(id) => self.parent_by_id(*id)?,
        };
        let task = match parent {
            Parent::None => self.create_root(&spec, None, started),
            Parent::Virtual(id) => self.create_root(&spec, Some(id), started),
            Parent::Task(parent) => self.create_child(&spec, parent, started),
            Parent::Held(parent, held) => {
                let child = self.create_child(&spec, parent, started);
                drop(held);
                child
            }
        }?;
        if let Some(id) = spec.id {
            // It has come back; one that was refused would have left it gone.
            self.tombstones.lock().forget(id);
        }
        Ok(task)
    }

    fn parent_by_id(&'static self, id: Uuid) -> Result<Parent> {
        match self.find_any(id)? {
            super::Found::Regular(held) => Ok(Parent::Held(TaskRef::of(&held), held)),
            super::Found::Virtual(..) => Ok(Parent::Virtual(id)),
        }
    }

    fn create_child(
        &'static self,
        spec: &Spec<'_>,
        parent: TaskRef,
        started: bool,
    ) -> Result<TaskRef> {
        if !parent.slot.belongs_to(self) {
            return Err(Error::invalid("the parent belongs to another manager"));
        }
        let group = match spec.module {
            Some((module, _)) => module.group,
            None => parent.slot.group(self.realm),
        };
        // Without a module of its own it is of that of its parent, which runs, and so is of the
        // registration that is in force.
        let check_module = || match spec.module {
            Some((module, registration)) => module.check(registration),
            None => group.check_open(),
        };
        check_module()?;
        let names = self.realm.intern(group, &spec.names)?;
        if let Some(id) = spec.id {
            if parent.slot.word.load().has(TERMINAL) {
                return Err(self.parent_ended(parent));
            }
            self.check_id(id)?;
        }
        self.keep_names_of(parent);
        let kids = self.kids_of(parent)?;
        // Where an abort is in sight the task is made unstarted, and `start` says why.
        let started = started
            && !(parent.tree.may_be_aborted()
                && abort::reaches(parent.slot, parent.tree, self.realm));
        let TaskRef { slot, tree, .. } = parent;
        let child = TaskRef {
            slot: self.realm.take_slot(|| self.has_grown())?,
            ..parent
        };
        self.prepare_child(
            child.slot,
            slot,
            tree,
            names.interned(),
            spec.traits,
            started,
        );
        self.prepare_extras(child, spec, &names, None)
            .and_then(|()| self.link_or_refuse(spec, child, parent, kids, check_module, started))
            .inspect_err(|_| self.unborn(child))?;
        Ok(child)
    }

    /// A parent with names of its own has them kept if there is room: children of one whose names
    /// are kept are born the short way.
    fn keep_names_of(&self, parent: TaskRef) {
        if parent.slot.interned_names().is_some() {
            return;
        }
        let own = parent.slot.names(self.realm);
        if let Ok(Names::Interned(kept)) = self.realm.intern(own.group, &own.given())
            && kept.module == own.module
        {
            parent.slot.offer_names(kept);
        }
    }

    /// Makes the child known, unless the parent has ended, the module is closed, or it is not born.
    #[inline(always)]
    fn link(
        &self,
        child: &'static Slot,
        kids: &'static Kids,
        is_open: impl FnOnce() -> bool,
        bear: impl FnOnce() -> bool,
    ) -> bool {
        let mut family = kids.family_for_birth();
        // The gate is looked at under the lock that a close goes through after it has shut
        // it: either this sees it shut, or the close sees the child.
        if family.closed || !is_open() || !bear() {
            return false;
        }
        family.link(child, self.realm);
        true
    }

    fn link_or_refuse(
        &self,
        spec: &Spec<'_>,
        child: TaskRef,
        parent: TaskRef,
        kids: &'static Kids,
        check_module: impl Fn() -> Result<()>,
        started: bool,
    ) -> Result<()> {
        let full = Cell::new(None);
        // The last that may refuse it.
        let bear = || {
            let born = |flags| child.slot.word.born(newborn(started) | flags, NEWBORN_REFS);
            let born = self.bear(|flags| _ = born(flags));
            born.inspect_err(|no| full.set(Some(*no))).is_ok()
        };
        // Not again, as neither is taken back: the first family is closed first, and a registration
        // never opens again.
        while !self.link(child.slot, kids, || check_module().is_ok(), bear) {
            if let Some(full) = full.get() {
                return Err(full.refuses(spec.names.type_));
            }
            if kids.is_closed() {
                return Err(self.parent_ended(parent));
            }
            check_module()?;
        }
        Ok(())
    }

    /// The parent's block of kids, hung on it with its first child.
    fn kids_of(&self, parent: TaskRef) -> Result<&'static Kids> {
        let reading = parent.slot.word.load();
        if reading.has(TERMINAL) {
            return Err(self.parent_ended(parent));
        }
        let kids = match parent.slot.kids(self.realm) {
            Some(kids) if reading.has(KIDS) => return Ok(kids),
            Some(kids) => kids,
            None => {
                let mine = self.realm.kids.take_one()?;
                mine.prepare(parent.slot.number(), self.bounds(), self.ticks.is_manual());
                parent.slot.offer_kids(self.realm, mine)
            }
        };
        // In one order with the parent's end: either that sees kids, or this sees it ended. And with
        // whoever looks for what runs: if that did not see the mark, what follows sees the gate shut.
        match parent.slot.word.mark(KIDS).has(TERMINAL) {
            true => Err(self.parent_ended(parent)),
            false => Ok(kids),
        }
    }

    fn create_root(
        &'static self,
        spec: &Spec<'_>,
        virtual_parent: Option<Uuid>,
        started: bool,
    ) -> Result<TaskRef> {
        let Some((module, registration)) = spec.module else {
            return Err(Error::invalid("a task needs a module or a parent"));
        };
        let names = self.realm.intern(module.group, &spec.names)?;
        if let Some(id) = spec.id {
            module.check(registration)?;
            self.check_id(id)?;
        }
        let tree: &'static Tree = self.realm.trees.take_one()?;
        tree.prepare();
        let slot = self
            .realm
            .take_slot(|| self.has_grown())
            .inspect_err(|_| self.realm.trees.give(tree))?;
        let parent_attribute = if virtual_parent.is_some() {
            PARENT_ID
        } else {
            0
        };
        let birth = Birth {
            now: self.ticks.now_and_wall(),
            started,
            parent: None,
            tree,
            names: names.interned(),
            attributes: spec.traits.attributes | parent_attribute,
            sequence: 0,
            shard: spec.traits.shard.unwrap_or(0),
            total: spec.traits.total,
        };
        slot.prepare(&birth);
        slot.belong_to(self);
        let root = TaskRef { slot, tree };
        self.prepare_extras(root, spec, &names, virtual_parent)
            .and_then(|()| {
                // A close shuts the gate and then goes through this lock.
                let mut roots = module.group.roots.lock();
                module.check(registration)?;
                if !roots.make_room() {
                    return Err(no_memory());
                }
                // The last that may refuse it: no number is lost.
                let born = self.bear(|flags| {
                    slot.set_sequence(roots.next_sequence(birth.shard));
                    slot.word.born(newborn(started) | flags, NEWBORN_REFS);
                });
                born.map_err(|full| full.refuses(spec.names.type_))?;
                roots.enter(slot, self.realm);
                Ok(())
            })
            .inspect_err(|_| self.unborn(root))?;
        Ok(root)
    }

    /// What does not fit into a slot, the host's id among it, which is taken from here on.
    #[inline]
    fn prepare_extras(
        &'static self,
        task: TaskRef,
        spec: &Spec<'_>,
        names: &Names,
        parent_id: Option<Uuid>,
    ) -> Result<()> {
        let owned = match names {
            Names::Owned(set) => Some(set),
            Names::Interned(_) => None,
        };
        let (entity, id) = (spec.entity, spec.id);
        let is_kept = label::fits(entity);
        if is_kept && !entity.is_empty() {
            if !task.slot.set_label(entity, self.realm) {
                return Err(no_memory());
            }
            task.slot.add_attribute(LABELLED);
        }
        if is_kept && id.is_none() && owned.is_none() && parent_id.is_none() {
            return Ok(());
        }
        check_name("entity", entity, false)?;
        let extras = task.slot.extras_or_new(self.realm);
        {
            let mut parts = extras.lock();
            parts.entity = Name::from(if is_kept { "" } else { entity });
            parts.names = owned.cloned();
            parts.parent_id = parent_id;
        }
        if let Some(id) = id {
            extras.set_host_id(id);
            self.claim_id(id, task.slot)?;
            task.slot.add_attribute(HOST_ID);
        }
        Ok(())
    }

    /// Takes everything back from a task that nobody has seen.
    fn unborn(&'static self, task: TaskRef) {
        self.forget_host_id(self.host_id(task.slot));
        // Its generation was never lived in, and is free for the next.
        self.realm.free_slot(task.slot);
    }

    #[cold]
    fn parent_ended(&self, parent: TaskRef) -> Error {
        let id = parent.id();
        Error::new(
            ErrorCode::ParentTerminal,
            format!("task {id} has ended, and takes no children"),
        )
        .with_id(id)
    }
}

impl Slot {
    /// The module of the tenant, for one who holds a reference.
    #[inline]
    pub(super) fn group(&'static self, realm: &'static crate::arena::Realm) -> &'static Group {
        match self.interned_names() {
            Some(names) => names.group,
            None => self.names(realm).group,
        }
    }
}
