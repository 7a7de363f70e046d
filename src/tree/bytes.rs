//! About how many bytes a settled root takes with all that it keeps: its blocks, records, and texts
//! of its own. Names that many tasks share are not counted, nor what the allocator adds.

use crate::arena::Realm;
use crate::id::Place;
use crate::names::NameSet;
use crate::node::extras::Extras;
use crate::node::label::Label;
use crate::node::slot::Slot;
use crate::node::text::Text;
use crate::tree::links::Links;
use crate::tree::record::{More, Record};
use crate::tree::root::Tree;

/// Its entries in the queues of those that are kept.
const ENTRIES: usize = 2 * (size_of::<Place>() + size_of::<u64>());

/// A root that has nothing else.
pub(crate) const PLAIN: usize =
    size_of::<Slot>() + size_of::<Links>() + size_of::<Tree>() + ENTRIES;

/// A text's own, counted as it is shared.
const COUNTS: usize = 16;

pub(crate) fn of_root(root: &'static Slot, realm: &'static Realm) -> u64 {
    let mut bytes = PLAIN;
    if root.label(realm).is_some() {
        bytes += size_of::<Label>();
    }
    if let Some(extras) = root.extras(realm) {
        let parts = extras.lock();
        bytes += size_of::<Extras>() + parts.entity.len();
        bytes += parts.names.as_deref().map_or(0, of_names);
        bytes += parts.error.as_ref().map_or(0, Text::bytes);
        bytes += parts.abort.as_ref().map_or(0, |mark| mark.text.bytes());
    }
    let kids = root.kids(realm);
    bytes as u64 + kids.map_or(0, |kids| kids.bytes())
}

/// With all below them. No recursion, as they may be as deep as the tree was.
pub(super) fn of_records<'a>(records: impl Iterator<Item = &'a Record>) -> u64 {
    let mut bytes = 0;
    let mut below: Vec<&Record> = Vec::new();
    for record in records {
        let mut next = Some(record);
        while let Some(record) = next {
            bytes += size_of::<Record>();
            if let Some(more) = record.more() {
                bytes += of_more(more);
                below.extend(&more.children.0);
            }
            next = below.pop();
        }
    }
    bytes as u64
}

fn of_more(more: &More) -> usize {
    let mut bytes = size_of::<More>() + COUNTS + more.entity.len();
    bytes += more.names.as_deref().map_or(0, of_names);
    bytes += more.error.as_ref().map_or(0, Text::bytes);
    bytes += more.units.as_ref().map_or(0, |units| units.len());
    bytes += more.abort.as_ref().map_or(0, |abort| abort.text.bytes());
    bytes + more.first_error.as_ref().map_or(0, Text::bytes)
}

/// A set that one task has for itself.
fn of_names(names: &NameSet) -> usize {
    let given = names.given();
    let texts = [
        given.type_,
        given.scope,
        given.keyspace,
        given.table,
        given.units,
    ];
    COUNTS + size_of::<NameSet>() + texts.map(str::len).iter().sum::<usize>()
}
