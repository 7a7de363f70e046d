//! What a handle owns of its process, such as a thread or what is the host's.

use std::ops::Deref;

use crate::arena::Realm;

/// Left alone in a forked child, where a thread is not there to be let go, and where the host's
/// destructor may look for one that is not there.
#[derive(Clone, Debug)]
pub(super) struct Ours<T> {
    value: Option<T>,
    realm: &'static Realm,
}

impl<T> Ours<T> {
    pub(super) fn new(value: T, realm: &'static Realm) -> Self {
        let value = Some(value);
        Self { value, realm }
    }

    /// The thing itself, for one who has looked for a fork.
    pub(super) fn take(mut self) -> T {
        self.value.take().expect(THERE)
    }
}

const THERE: &str = "nobody has taken it";

impl<T> Deref for Ours<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value.as_ref().expect(THERE)
    }
}

impl<T> Drop for Ours<T> {
    fn drop(&mut self) {
        if self.realm.is_forked() {
            std::mem::forget(self.value.take());
        }
    }
}
