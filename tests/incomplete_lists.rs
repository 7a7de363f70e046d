//! A list that goes without a provider says so.

mod common;
#[path = "common/fake.rs"]
mod fake;

use std::time::Duration;

use common::{PATIENCE, node_with, until};
use fake::{Fake, ID};
use taskmgr::{ErrorCode, Filter};

#[test]
fn virt_1_a_list_says_which_providers_it_goes_without() {
    let node = node_with(|builder| builder.provider_deadline(PATIENCE));
    let local = node.module.task("local").start().unwrap();
    let (fails, panics, answers) = (Fake::new(), Fake::new(), Fake::new());
    for fake in [&fails, &panics, &answers] {
        node.module.register_provider(fake.clone()).unwrap();
    }
    let all = node.module.listing(&Filter::new()).unwrap();
    assert!(all.is_complete());
    assert_eq!(all.tasks.len(), 2, "one that several have is listed once");
    fails.trouble(|| Err("no quorum".into()));
    panics.trouble(|| std::panic::resume_unwind(Box::new("split brain")));
    let listing = node.manager.listing("m", &Filter::new()).unwrap();
    assert!(!listing.is_complete());
    let ids: Vec<_> = listing.tasks.iter().map(|stats| stats.id).collect();
    assert!(ids.len() == 2 && ids.contains(&ID) && ids.contains(&local.id()));
    let [one, other] = &listing.missing[..] else {
        panic!("{:?}", listing.missing)
    };
    for (missing, words) in [(one, "no quorum"), (other, "split brain")] {
        assert_eq!(missing.module, "m");
        assert_eq!(missing.error.code(), ErrorCode::Provider);
        let text = missing.to_string();
        assert!(text.contains("\"m\"") && text.contains(words), "{text}");
    }
    assert_ne!(one.provider, other.provider);
    let answering = node.manager.observe(ID).unwrap().provider().unwrap();
    assert!(![one.provider, other.provider].contains(&answering));
    assert_eq!(node.module.list(&Filter::new()).unwrap().len(), 2);
    let others = node.manager.register_module("other").unwrap();
    assert!(others.listing(&Filter::new()).unwrap().is_complete());
}

#[test]
fn virt_1_a_list_says_that_it_did_not_wait_for_one_that_is_late() {
    let node = node_with(|builder| builder.provider_deadline(Duration::from_millis(50)));
    let fake = Fake::new();
    node.module.register_provider(fake.clone()).unwrap();
    fake.0.gate.shut();
    let missing = || {
        let mut listing = node.module.listing(&Filter::new()).unwrap();
        assert!(listing.tasks.is_empty());
        listing.missing.remove(0).error.to_string()
    };
    assert!(missing().contains("took longer"), "it was waited for");
    let text = missing();
    assert!(text.contains("has answered none since"), "{text}");
    fake.0.gate.open();
    until("it is complete", || {
        node.module.listing(&Filter::new()).unwrap().is_complete()
    });
}

#[test]
fn virt_1_a_search_waits_for_nobody() {
    let node = node_with(|builder| builder.provider_deadline(PATIENCE));
    let fake = Fake::new();
    node.module.register_provider(fake.clone()).unwrap();
    let local = node.module.task("local").start().unwrap();
    let search = node.manager.search(local.id(), None);
    assert!(search.is_ready() && search.deadline().is_none());
    let found = search.into_result().unwrap();
    assert_eq!((found.id(), found.provider()), (local.id(), None));

    fake.0.gate.shut();
    // Inside too, as it does not block.
    let search = taskmgr::nonblocking(|| node.manager.search(ID, None));
    until("it is asked", || fake.now() == 1);
    assert!(!search.is_ready() && search.deadline().is_some());
    let (sender, ready) = std::sync::mpsc::channel();
    search.on_ready(move || {
        let _ = sender.send(());
    });
    fake.0.gate.open();
    ready.recv().unwrap();
    assert_eq!(search.into_result().unwrap().id(), ID);

    fake.0.gate.shut();
    let search = node.manager.search(ID, Some(Duration::ZERO));
    assert!(search.into_result().unwrap_err().is_timeout());
    let search = node.manager.search(ID, None);
    let error = search.into_result().unwrap_err();
    assert_eq!(error.code(), ErrorCode::Provider, "{error}");
    drop(node.manager.search(ID, None));
    fake.0.gate.open();
    until("all have come back", || fake.now() == 0);
}
