//! From an id to a task, or to the reason why there is none.

use uuid::Uuid;

use super::{Engine, Registration, Stage, TaskRef};
use crate::arena::{Held, Numbered};
use crate::bulk::Bulk;
use crate::clock::NEVER;
use crate::error::{Error, GoneReason, Result};
use crate::id::Place;
use crate::names::Group;
use crate::node::slot::{HOST_ID, PARENT_ID, Slot};
use crate::node::word::{GONE, KIDS, Reading, SETTLED};
use crate::provider::{Asked, Hosted, Limit, check_may_ask};
use crate::tree::descend::descend;
use crate::tree::kids::Kids;
use crate::tree::record::Record;
use crate::view::State;

/// Who answers for an id.
#[derive(Debug)]
pub(crate) enum Found {
    Regular(Held),
    /// Whose provider it is, and of which module.
    Virtual(Hosted, Registration),
}

/// A look-up as far as it goes without a provider.
pub(crate) enum Sought {
    Regular(Held),
    Unknown(Unasked),
}

/// Who may know an id that no regular task has.
pub(crate) struct Unasked {
    id: Uuid,
    providers: Vec<(Hosted, Registration)>,
    /// What is told if nobody does.
    otherwise: Error,
}

/// Whose an id is, as the providers are asked.
pub(crate) struct Question {
    pub(crate) asked: Asked<bool>,
    of: Unasked,
}

impl Unasked {
    /// Asks all, and waits for none.
    pub(crate) fn ask(self, limit: Limit) -> Question {
        let providers = self.providers.iter().map(|(provider, ..)| provider);
        let asked = Hosted::ask_whose(providers, self.id, limit);
        Question { asked, of: self }
    }
}

impl Question {
    /// What the answers that are there come to.
    pub(crate) fn found(self) -> Result<Found> {
        let Unasked {
            providers,
            otherwise,
            ..
        } = self.of;
        match whose(self.asked) {
            Ok(Some(at)) => {
                let found = providers.into_iter().nth(at);
                let (provider, registration) = found.expect("it was asked");
                Ok(Found::Virtual(provider, registration))
            }
            // Of a task that is gone more is known than of one that somebody might have.
            Err(error) if otherwise.is_not_found() => Err(error),
            _ => Err(otherwise),
        }
    }
}

/// Which of those who were asked says that it is theirs; an error if nobody does and one could
/// not be asked.
fn whose(asked: Asked<bool>) -> Result<Option<usize>> {
    let mut trouble = None;
    for (at, answer) in asked.into_answers().into_iter().enumerate() {
        match answer {
            Ok(true) => return Ok(Some(at)),
            Ok(false) => {}
            Err(error) => trouble = Some(error),
        }
    }
    trouble.map_or(Ok(None), Err)
}

impl Engine {
    /// The regular or virtual task of this id.
    #[inline(always)]
    pub(crate) fn find_any(&'static self, id: Uuid) -> Result<Found> {
        self.find_within(id, None)
    }

    /// The same, where providers have no longer than until the limit.
    #[inline(always)]
    pub(crate) fn find_within(&'static self, id: Uuid, limit: Limit) -> Result<Found> {
        match self.find_unsettled(id) {
            Some(held) => Ok(Found::Regular(held)),
            None => self.find_further(id, limit),
        }
    }

    /// The task of this id, if it has one of ours, has not settled and has room for a further
    /// handle: what most look-ups are for. Short and inlined, so that a processor that waits for
    /// the memory of one task sees as far as the next look-up.
    #[inline(always)]
    pub(crate) fn find_unsettled(&'static self, id: Uuid) -> Option<Held> {
        let (slot, place) = self.slot_of(id)?;
        let held = Held::acquire_with_room(slot, place.generation, SETTLED | GONE)?;
        match slot.belongs_to(self) && !slot.is(HOST_ID) {
            true => Some(held),
            false => held.let_go(),
        }
    }

    /// The slot that an id of ours names, whoever lives there.
    #[inline(always)]
    fn slot_of(&'static self, id: Uuid) -> Option<(&'static Slot, Place)> {
        if !self.answers() {
            return None;
        }
        let place = self.realm.key.decode(id)?;
        Some((self.realm.slots.find(place.slot)?, place))
    }

    /// The slot of a task that has not settled, and its word, for one who takes no reference and looks at the
    /// word again once everything is read.
    #[inline(always)]
    pub(crate) fn find_slot(&'static self, id: Uuid) -> Option<(&'static Slot, Reading)> {
        let (slot, place) = self.slot_of(id)?;
        let reading = slot.word.load();
        let is_it = reading.is_of(place.generation, SETTLED | GONE) && reading.is_live();
        let is_ours = slot.belongs_to(self) && !slot.is(HOST_ID);
        (is_it && is_ours).then_some((slot, reading))
    }

    #[cold]
    fn find_further(&'static self, id: Uuid, limit: Limit) -> Result<Found> {
        match self.seek(id)? {
            Sought::Regular(held) => Ok(Found::Regular(held)),
            Sought::Unknown(unasked) => {
                check_may_ask()?;
                let question = unasked.ask(limit);
                question.asked.wait();
                question.found()
            }
        }
    }

    /// Looks for a task of this id as far as no provider has to be asked. That something was here
    /// and is gone hides no virtual task.
    pub(crate) fn seek(&'static self, id: Uuid) -> Result<Sought> {
        self.check()?;
        if let Some(held) = self.look_up(id) {
            return Ok(Sought::Regular(held));
        }
        let mut otherwise = self.why_not(id);
        if otherwise.is_not_found() && self.host_ids.are_used() {
            // An id that came back meanwhile is no more among those that are gone.
            if let Some(held) = self.look_up(id) {
                return Ok(Sought::Regular(held));
            }
            if let Some(gone) = self.buried(id) {
                otherwise = gone;
            }
        }
        let mut providers = self.providers();
        if !otherwise.is_not_found() {
            // What is known is answered where somebody late would only have a word against it.
            providers.retain(|(provider, ..)| !provider.is_late());
        }
        match providers.is_empty() {
            // A manager that was closed meanwhile has no providers, and says why.
            true => self.check().and(Err(otherwise)),
            false => Ok(Sought::Unknown(Unasked {
                id,
                providers,
                otherwise,
            })),
        }
    }

    fn look_up(&'static self, id: Uuid) -> Option<Held> {
        let own = self.realm.key.decode(id);
        // An id that was made here and is gone may have been brought back by the host.
        let held = own
            .and_then(|place| self.registered(place, id))
            .or_else(|| self.registered(self.host_ids.get(id)?, id))?;
        if self.is_expired(held.slot()) {
            self.expire(&held);
            return None;
        }
        Some(held)
    }

    /// The task at this place, if it has this id and is registered.
    fn registered(&'static self, place: Place, id: Uuid) -> Option<Held> {
        let slot = self.realm.slots.find(place.slot)?;
        let held = Held::acquire_without(slot, place.generation, GONE)?;
        // A task with an id of the host's is found by that id alone.
        let named_so = slot.id(self.realm) == id;
        (named_so && slot.belongs_to(self)).then_some(held)
    }

    /// Whether a settled root's time has come, swept or not.
    pub(crate) fn is_expired(&'static self, slot: &'static Slot) -> bool {
        slot.is_root()
            && slot.find_tree(self.realm).is_some_and(|tree| {
                let deadline = tree.deadline();
                // Most have none, and need no clock.
                deadline != NEVER && deadline <= self.now()
            })
    }

    /// Why there is no task of this id. Only whoever asks in vain pays for the answer.
    pub(super) fn why_not(&'static self, id: Uuid) -> Error {
        if let Some(gone) = self.buried(id) {
            return gone;
        }
        match self.find_folded(id) {
            Some(state) => Error::task_gone(id, GoneReason::Folded, state),
            // A manager that is closed forgets what is gone after its stage says so.
            None => match self.stage() {
                Stage::Closed => Error::closed("the manager"),
                _ => Error::not_found(id),
            },
        }
    }

    /// Why a root of this id is gone, for as long as that is remembered.
    fn buried(&self, id: Uuid) -> Option<Error> {
        let (reason, state) = self.tombstones.lock().find(id)?;
        Some(Error::task_gone(id, reason, state))
    }

    /// The state of the folded child of the id of which some parent still keeps a record; of several
    /// that a host gave one id, that of the last. All parents are held before the first is looked
    /// at: a record goes from one to the next above, and whoever has it now lets go of nothing
    /// while it is held.
    fn find_folded(&'static self, id: Uuid) -> Option<State> {
        let place = self.realm.key.decode(id);
        if place.is_none() && !self.host_ids.are_used() {
            return None;
        }
        let wanted = |record: &Record| match record.more().and_then(|more| more.host_id) {
            Some(host_id) => host_id == id,
            None => Some(record.place()) == place,
        };
        let hold = |(kids, slot): (u32, Option<&'static Slot>)| {
            let slot = slot?;
            // What a task that is gone kept is gone with it, whoever has a handle of it.
            let is_there = |reading: Reading| reading.is_live() && !reading.has(GONE);
            let is_owner =
                || slot.belongs_to(self) && is_there(slot.word.load()) && slot.has_kids(kids);
            // Before it is held, so that nobody's last reference is kept for nothing, and after.
            if !is_owner() {
                return None;
            }
            let held = Held::acquire(slot, slot.word.load().generation())?;
            let kids = held.slot().kids(self.realm)?;
            is_owner().then_some((held, kids))
        };
        let tell = |kids: &'static Kids| (kids.number(), kids.owner(self.realm));
        let parents = self.realm.kids.taken(tell).into_iter().filter_map(hold);
        let parents: Vec<(Held, &'static Kids)> = parents.collect();
        let found = parents.iter().filter_map(|(held, kids)| {
            // What an expired root keeps is as gone as the root, swept or not.
            if TaskRef::of(held).tree.deadline() <= self.now() {
                return None;
            }
            kids.find_kept(wanted)
        });
        found.max_by_key(|(end, _)| *end).map(|(_, state)| state)
    }

    /// The registered roots of all modules, held.
    pub(crate) fn roots(&'static self) -> Bulk<Held> {
        let mut roots = Bulk::new();
        for group in self.groups() {
            roots.append(group.roots.hold(self.realm));
        }
        roots
    }

    /// Every task of this module, or of all, whose end is not over. Where their gates were shut
    /// before, every one that was made while they were open is found, and whoever makes another
    /// sees them shut: roots and children are made under the locks that this goes through.
    pub(super) fn running(&'static self, group: Option<&'static Group>) -> Vec<Held> {
        let mut tasks = self.roots();
        let mut running = self.all_below(&mut tasks).or_end();
        drop(tasks.or_end());
        running.retain(|held| self.runs(held, group));
        running
    }

    /// Whether anything of a module runs, where these are the modules that there are. Tasks that
    /// were held for it are added to those that the caller drops.
    pub(super) fn runs_anything(
        &'static self,
        group: &'static Group,
        groups: impl Iterator<Item = &'static Group>,
        held: &mut Vec<Held>,
    ) -> bool {
        let mut tasks = Bulk::new();
        for group in groups {
            tasks.append(group.roots.hold(self.realm));
        }
        let mut all = self.all_below(&mut tasks).or_end();
        let mut tasks = tasks.or_end();
        let runs = all.iter().any(|task| self.runs(task, Some(group)));
        held.append(&mut tasks);
        held.append(&mut all);
        runs
    }

    /// These roots and everybody below them.
    fn all_below(&'static self, roots: &mut Bulk<Held>) -> Bulk<Held> {
        let mut all = Bulk::new();
        descend(roots, self.realm, |slot| {
            // An operation on the word, so that a first child's mark comes before it, and is
            // seen, or after, and then its maker sees the gate.
            all.push_with(|| Held::retain(slot));
            slot.word.load().has(KIDS)
        });
        all
    }

    fn runs(&'static self, held: &Held, group: Option<&'static Group>) -> bool {
        let is_of = |group: &Group| std::ptr::eq(held.slot().group(self.realm), group);
        group.is_none_or(is_of) && !Engine::has_settled(TaskRef::of(held))
    }

    /// The roots that have this virtual task as their parent, in order of creation.
    pub(crate) fn children_of_virtual(&'static self, id: Uuid, uid: u32) -> Vec<Held> {
        let mut children = self.roots().or_end();
        if self.uid() != uid {
            // The manager was gone, and these are of another.
            return Vec::new();
        }
        children.retain(|held| {
            let slot = held.slot();
            slot.is(PARENT_ID)
                && !slot.word.load().has(GONE)
                && !self.is_expired(slot)
                && slot.parent_id(self.realm) == Some(id)
        });
        children.sort_by_key(|held| held.slot().born());
        children
    }

    /// Whether a provider knows the id. One that cannot be asked is an error: the id may be its
    /// own.
    pub(super) fn is_virtual(&'static self, id: Uuid) -> Result<bool> {
        let providers = self.providers();
        if providers.is_empty() {
            return Ok(false);
        }
        check_may_ask()?;
        let asked = Hosted::ask_whose(providers.iter().map(|(provider, ..)| provider), id, None);
        asked.wait();
        Ok(whose(asked)?.is_some())
    }
}
