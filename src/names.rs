//! The names that tasks share: each combination is kept once, and a task carries its number.

mod kept;

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::sync::{AtomicU32, AtomicU64, Lock, Ordering};
use crate::tree::roots::Roots;
use crate::view::{Name, not_printable, same_text};

use kept::Texts;
pub(crate) use kept::{Keep, Kept};

/// Longest name in bytes.
pub(crate) const MAX_NAME: usize = 255;

/// No set has this number or title.
const NONE: u32 = u32::MAX;

/// How far the close of a registration has come. It only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gate {
    Open,
    /// Told to close; what still runs keeps its name taken.
    Closing,
    /// The same, and a close has returned or is about to: who waits for its virtual tasks is told.
    Overdue,
    /// Nothing of it runs.
    Closed,
    /// It was open when the last manager was dropped, and nobody closes it any more.
    Abandoned,
}

impl Gate {
    pub(crate) fn is_over(self) -> bool {
        self >= Self::Closed
    }
}

/// Which registration of a module's name is in force, and its gate: one number that only grows,
/// so that who finds it as it was has missed nothing. 61 bits for registrations, as 32 come round
/// within hours where a module is closed and registered in a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standing(u64);

impl Standing {
    const GATE_BITS: u32 = 3;

    #[inline]
    pub(crate) fn open(registration: u64) -> Self {
        Self::new(registration, Gate::Open)
    }

    #[inline]
    pub(crate) fn new(registration: u64, gate: Gate) -> Self {
        Self(registration << Self::GATE_BITS | gate as u64)
    }

    #[inline]
    pub(crate) fn registration(self) -> u64 {
        self.0 >> Self::GATE_BITS
    }

    #[inline]
    pub(crate) fn gate(self) -> Gate {
        match self.0 & ((1 << Self::GATE_BITS) - 1) {
            0 => Gate::Open,
            1 => Gate::Closing,
            2 => Gate::Overdue,
            3 => Gate::Closed,
            _ => Gate::Abandoned,
        }
    }
}

/// A module as its tasks see it. One that nobody has registered is registered under another name by
/// and by; what a task of an earlier registration is called lies in its set of names.
pub(crate) struct Group {
    /// Changed under the modules' lock of its manager alone.
    standing: AtomicU64,
    pub(crate) roots: Roots,
    /// The number of its present name, once a set of that is kept. Changes between two
    /// registrations: whoever is of the one that is in force sees what belongs to it.
    title: AtomicU32,
    called: Lock<Called>,
}

/// What a group is called, and the sets of its tasks that are kept.
#[derive(Debug)]
struct Called {
    name: Name,
    /// Of this name and of earlier ones: as many as have kept sets at most.
    titles: HashMap<&'static str, u32>,
    sets: HashMap<Texts<'static>, &'static NameSet>,
}

impl Called {
    fn find(&self, texts: &Texts<'_>) -> Option<&'static NameSet> {
        // A shorter life of the keys, as those are that are looked for.
        let sets: &HashMap<Texts<'_>, &'static NameSet> = &self.sets;
        sets.get(texts).copied()
    }
}

impl Group {
    /// One that nobody has registered yet.
    pub(crate) fn new() -> Self {
        Self {
            standing: AtomicU64::new(Standing::new(0, Gate::Closed).0),
            roots: Roots::default(),
            title: AtomicU32::new(NONE),
            called: Lock::new(Called {
                name: Name::EMPTY,
                titles: HashMap::new(),
                sets: HashMap::new(),
            }),
        }
    }

    /// The name of the registration that is in force, or was the last.
    pub(crate) fn name(&self) -> Name {
        self.called.lock().name.clone()
    }

    /// Gives it a name for the next registration; the same, as cheap as it can be had. The gate is
    /// shut: whoever asks for names on behalf of an earlier registration is refused afterwards.
    pub(crate) fn call(&self, name: &str) -> Name {
        let mut called = self.called.lock();
        let known = called.titles.get_key_value(name);
        let (name, title) = match known {
            Some((name, title)) => (Name::from_static(name), *title),
            None => (name.into(), NONE),
        };
        called.name = name.clone();
        self.title.store(title, Ordering::Relaxed);
        name
    }

    #[inline]
    pub(crate) fn title(&self) -> u32 {
        self.title.load(Ordering::Relaxed)
    }

    /// SeqCst, so that "closed, then looked for tasks" and "made a task, then looked
    /// whether closed" cannot both miss the other.
    #[inline]
    pub(crate) fn standing(&self) -> Standing {
        Standing(self.standing.load(Ordering::SeqCst))
    }

    #[inline]
    pub(crate) fn gate(&self) -> Gate {
        self.standing().gate()
    }

    /// Shuts the gate of the present registration, at least so far.
    pub(crate) fn raise_gate(&self, gate: Gate) {
        let raised = Standing::new(self.standing().registration(), gate);
        self.standing.fetch_max(raised.0, Ordering::SeqCst);
    }

    /// Opens the gate of the next registration, whose number is above all before it.
    pub(crate) fn renew(&self, registration: u64) {
        self.standing
            .store(Standing::open(registration).0, Ordering::SeqCst);
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.gate() == Gate::Open
    }

    #[inline]
    pub(crate) fn check_open(&self) -> Result<()> {
        match self.is_open() {
            true => Ok(()),
            false => Err(self.closed()),
        }
    }

    #[cold]
    pub(crate) fn closed(&self) -> Error {
        Error::closed(&format!("module {:?}", &*self.name()))
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({:?})", self.name())
    }
}

/// The names given for a new task.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(crate) struct Given<'a> {
    pub(crate) type_: &'a str,
    pub(crate) scope: &'a str,
    pub(crate) keyspace: &'a str,
    pub(crate) table: &'a str,
    pub(crate) units: &'a str,
}

impl<'a> Given<'a> {
    fn texts(&self, module: &'a str) -> Texts<'a> {
        [
            module,
            self.type_,
            self.scope,
            self.keyspace,
            self.table,
            self.units,
        ]
    }
}

/// One combination of module, type, scope, keyspace, table and units.
#[derive(Debug)]
pub(crate) struct NameSet {
    pub(crate) group: &'static Group,
    /// The group's while it had this name: no other has it.
    pub(crate) title: u32,
    /// The number in the realm's table, unless the set belongs to one task alone.
    pub(crate) number: u32,
    /// The module's name.
    pub(crate) module: Name,
    pub(crate) type_: Name,
    pub(crate) scope: Name,
    pub(crate) keyspace: Name,
    pub(crate) table: Name,
    pub(crate) units: Name,
}

impl NameSet {
    /// One task's own.
    fn own(group: &'static Group, module: Name, given: &Given<'_>) -> Self {
        Self {
            group,
            title: NONE,
            number: NONE,
            module,
            type_: given.type_.into(),
            scope: given.scope.into(),
            keyspace: given.keyspace.into(),
            table: given.table.into(),
            units: given.units.into(),
        }
    }

    fn kept(group: &'static Group, title: u32, texts: Texts<'static>) -> Self {
        let [module, type_, scope, keyspace, table, units] = texts.map(Name::from_static);
        Self {
            group,
            title,
            number: NONE,
            module,
            type_,
            scope,
            keyspace,
            table,
            units,
        }
    }

    pub(crate) fn given(&self) -> Given<'_> {
        Given {
            type_: &self.type_,
            scope: &self.scope,
            keyspace: &self.keyspace,
            table: &self.table,
            units: &self.units,
        }
    }

    #[inline(always)]
    pub(crate) fn is(&self, title: u32, given: &Given<'_>) -> bool {
        self.title == title
            && same_text(&self.table, given.table)
            && same_text(&self.keyspace, given.keyspace)
            && same_text(&self.type_, given.type_)
            && same_text(&self.scope, given.scope)
            && same_text(&self.units, given.units)
    }
}

/// A set of names, kept for good or owned by one task.
#[derive(Clone, Debug)]
pub(crate) enum Names {
    Interned(&'static NameSet),
    Owned(Arc<NameSet>),
}

impl Names {
    /// The set, if it is kept for good.
    #[inline]
    pub(crate) fn interned(&self) -> Option<&'static NameSet> {
        match self {
            Self::Interned(set) => Some(set),
            Self::Owned(_) => None,
        }
    }
}

impl Deref for Names {
    type Target = NameSet;
    fn deref(&self) -> &NameSet {
        match self {
            Self::Interned(set) => set,
            Self::Owned(set) => set,
        }
    }
}

/// Finds the set for these names, or makes one that is kept, or one that is its task's alone.
/// `number` gives a set that is kept its place in the realm.
pub(crate) fn intern(
    group: &'static Group,
    given: &Given<'_>,
    (kept, keep): (&Kept, Keep),
    number: impl FnOnce(NameSet) -> Result<&'static NameSet>,
) -> Result<Names> {
    check_name("type", given.type_, true)?;
    for (what, name) in [
        ("scope", given.scope),
        ("keyspace", given.keyspace),
        ("table", given.table),
        ("units", given.units),
    ] {
        check_name(what, name, false)?;
    }
    let mut called = group.called.lock();
    let module = called.name.clone();
    let texts = given.texts(&module);
    if let Some(set) = called.find(&texts) {
        return Ok(Names::Interned(set));
    }
    let Some(texts) = kept.keep(&texts, keep) else {
        drop(called);
        return Ok(Names::Owned(Arc::new(NameSet::own(group, module, given))));
    };
    let title = match called.titles.get(texts[0]) {
        Some(title) => *title,
        None => {
            let title = kept.new_title();
            called.titles.insert(texts[0], title);
            // Under the lock under which the name changes.
            group.title.store(title, Ordering::Relaxed);
            title
        }
    };
    let set = number(NameSet::kept(group, title, texts))?;
    called.sets.insert(texts, set);
    Ok(Names::Interned(set))
}

/// Names are printable, at most 255 bytes, and not of blanks alone. Blanks within and around them
/// are as the host has them.
pub(crate) fn check_name(what: &str, name: &str, required: bool) -> Result<()> {
    if required && name.is_empty() {
        return Err(Error::invalid(format!(
            "the {what} is empty; it needs a name"
        )));
    }
    if name.len() > MAX_NAME {
        return Err(Error::invalid(format!(
            "the {what} has {} bytes; a name has at most {MAX_NAME}",
            name.len()
        )));
    }
    let mut strange = name
        .char_indices()
        .filter_map(|(at, c)| Some((at, c, not_printable(c)?)));
    if let Some((at, c, kind)) = strange.next() {
        return Err(Error::invalid(format!(
            "the {what} {name:?} has the {kind} U+{:04X} at byte {at}; names are printable",
            u32::from(c)
        )));
    }
    if !name.is_empty() && name.chars().all(is_blank) {
        return Err(Error::invalid(format!(
            "the {what} {name:?} has nothing but blanks; names can be seen"
        )));
    }
    Ok(())
}

/// Whitespace, and letters that show nothing.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mod_1_names_are_printable_and_the_error_says_what_is_not() {
        for (name, told) in [
            (
                "a\0",
                "the type \"a\\0\" has the control character U+0000 at byte 1",
            ),
            ("a\u{85}", "control character U+0085 at byte 1"),
            ("a\u{202e}b", "bidirectional control U+202E at byte 1"),
            ("ä\u{2066}", "bidirectional control U+2066 at byte 2"),
            ("\u{61c}", "bidirectional control U+061C at byte 0"),
            ("a\u{200b}", "invisible character U+200B"),
            ("a\u{200d}b", "invisible character U+200D"),
            ("a\u{ad}", "invisible character U+00AD"),
            ("\u{feff}a", "invisible character U+FEFF at byte 0"),
            ("a\u{e0041}", "invisible character U+E0041"),
            ("a\u{2028}b", "line separator U+2028"),
            ("a\u{2029}", "paragraph separator U+2029"),
            ("a\u{fffe}", "noncharacter U+FFFE"),
            ("a\u{10ffff}", "noncharacter U+10FFFF"),
            ("a\u{fdd0}", "noncharacter U+FDD0"),
            (" ", "the type \" \" has nothing but blanks"),
            (" \u{a0}\u{3000}", "nothing but blanks"),
            ("\u{3164}", "nothing but blanks"),
            ("", "is empty"),
        ] {
            let error = check_name("type", name, true).unwrap_err().to_string();
            assert!(error.contains(told), "{name:?}: {error}");
            let optional = check_name("table", name, false);
            assert_eq!(optional.is_ok(), name.is_empty(), "{name:?}");
        }
        for name in [
            "a",
            " a ",
            "a b",
            "größe",
            "表",
            "имя",
            "a\u{3000}b",
            "❤\u{fe0f}",
            "e\u{301}",
        ] {
            check_name("type", name, true).unwrap();
        }
    }
}
