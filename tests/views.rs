//! What is given out as plain values: names, words for states and kinds, errors, filters.

mod common;

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};

use common::node;
use taskmgr::{
    BoxError, Completion, Error, ErrorCode, Filter, Kind, Name, Provider, State, Stats, Status,
    Uuid,
};

/// Texts of each length that is compared in a way of its own, and one that differs at each place.
fn texts() -> Vec<String> {
    let mut texts = vec![String::new()];
    for length in 1..=20 {
        let text = "abcdefghijklmnopqrst"[..length].to_owned();
        for at in 0..length {
            let mut other = text.clone();
            other.replace_range(at..=at, "_");
            texts.push(other);
        }
        texts.push(text);
    }
    texts
}

#[test]
fn names_are_equal_ordered_and_hashed_as_their_texts_are() {
    let texts = texts();
    for a in &texts {
        let name = Name::from(a.as_str());
        assert_eq!(
            (&*name, name.as_ref(), name.as_str()),
            (a.as_str(), a.as_str(), a.as_str())
        );
        assert_eq!(
            (format!("{name}"), format!("{name:?}")),
            (a.clone(), format!("{a:?}"))
        );
        for b in &texts {
            let other = Name::from(b.clone());
            assert_eq!(name == other, a == b, "{a:?}, {b:?}");
            assert_eq!(name == **b, a == b, "{a:?}, {b:?}");
            assert_eq!(name == b.as_str(), a == b, "{a:?}, {b:?}");
            assert_eq!(
                (name.cmp(&other), name.partial_cmp(&other)),
                (a.cmp(b), Some(a.cmp(b)))
            );
        }
    }
    let names: HashSet<Name> = texts.iter().map(|text| text.as_str().into()).collect();
    assert_eq!(names.len(), texts.len());
    // Found by their text, as what is hashed is that.
    assert!(texts.iter().all(|text| names.contains(text.as_str())));
    let sorted: BTreeSet<Name> = names.iter().cloned().collect();
    assert!(
        sorted
            .iter()
            .is_sorted_by(|a, b| a.as_str().cmp(b) == Ordering::Less)
    );
    assert!(texts.iter().all(|text| sorted.contains(text.as_str())));
}

#[test]
fn names_that_last_are_equal_to_those_that_are_counted() {
    const LASTS: Name = Name::from_static("ranges");
    let counted = Name::from("ranges");
    assert_eq!((LASTS, LASTS.clone()), (counted.clone(), counted.clone()));
    let by_name = HashMap::from([(LASTS, 1)]);
    assert_eq!(by_name.get(&counted), Some(&1));
    assert!(Name::default().is_empty() && !counted.is_empty());
    assert_ne!(LASTS, Name::from("rangez"));
}

#[test]
fn life_1_each_state_has_a_word_of_its_own() {
    let states = [
        (State::Created, "created", false),
        (State::Running, "running", false),
        (State::Suspended, "suspended", false),
        (State::Done, "done", true),
        (State::Failed, "failed", true),
    ];
    for (state, word, is_terminal) in states {
        assert_eq!((state.as_str(), state.is_terminal()), (word, is_terminal));
        assert_eq!(word.parse::<State>().unwrap(), state);
        assert_eq!(
            format!("{state:>10}"),
            format!("{word:>10}"),
            "it can be put in columns"
        );
    }
    let error = "Done".parse::<State>().unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(
        error.to_string().contains("\"Done\" is no state"),
        "{error}"
    );
    assert_eq!(
        (Kind::Node.as_str(), Kind::Cluster.as_str()),
        ("node", "cluster")
    );
}

#[test]
fn errors_say_what_they_are() {
    type Asked = fn(&Error) -> bool;
    let questions: [(ErrorCode, Asked); 6] = [
        (ErrorCode::Aborted, Error::is_aborted),
        (ErrorCode::Timeout, Error::is_timeout),
        (ErrorCode::NotFound, Error::is_not_found),
        (ErrorCode::Gone, Error::is_gone),
        (ErrorCode::Closed, Error::is_closed),
        (ErrorCode::NotAbortable, Error::is_not_abortable),
    ];
    for code in ErrorCode::ALL {
        let error = Error::new(*code, "disk full");
        for (of, is) in questions {
            assert_eq!(is(&error), of == *code, "{code:?}");
        }
        assert_eq!(
            (error.code(), error.id(), error.gone()),
            (*code, None, None)
        );
        assert_eq!(error.to_string(), "disk full");
        assert_eq!(
            format!("{error:?}"),
            format!("Error({}: disk full)", code.as_str())
        );
    }
    let words: HashSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), ErrorCode::ALL.len());
}

/// A provider of one task for each way in which one differs from another.
struct Many;

/// What each differs by: of the first nothing is asked that another has.
fn all_stats() -> [Stats; 7] {
    let mut many = [0; 7].map(|_| Stats::new(Uuid::nil(), "repair"));
    for (at, stats) in many.iter_mut().enumerate() {
        stats.id = Uuid::from_u128(at as u128 + 1);
        stats.scope = "keyspace".into();
        stats.keyspace = "ks".into();
        stats.table = "t".into();
        stats.state = State::Running;
    }
    many[1].type_ = "backup".into();
    many[2].scope = "table".into();
    many[3].keyspace = "other".into();
    many[4].table = "other".into();
    many[5].state = State::Done;
    many[6].internal = true;
    many
}

impl Provider for Many {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        Ok(all_stats().to_vec())
    }
    fn status(&self, _: Uuid) -> Result<Option<Status>, BoxError> {
        Ok(None)
    }
    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Ok(())
    }
    fn watch(&self, _: Uuid, _: Completion) -> Result<(), BoxError> {
        Ok(())
    }
}

#[test]
fn list_1_each_part_of_a_filter_leaves_out_what_it_has_to() {
    let node = node();
    // What is regular is asked the same as what is virtual.
    let regular = node.manager.register_module("regular").unwrap();
    let mut running = Vec::new();
    for stats in &all_stats() {
        let builder = regular.task(&stats.type_).scope(&stats.scope);
        let builder = builder
            .keyspace(&stats.keyspace)
            .table(&stats.table)
            .user_task();
        let builder = match stats.internal {
            true => builder.internal(),
            false => builder,
        };
        let task = builder.start().unwrap();
        match stats.state {
            State::Done => task.finish().unwrap(),
            _ => running.push(task),
        }
    }
    node.module.register_provider(Many).unwrap();
    let all = || Filter::new().internal(true);
    let filters = [
        (all(), 7),
        (Filter::new(), 6),
        (all().task_type("repair"), 6),
        (all().scope("keyspace"), 6),
        (all().keyspace("ks"), 6),
        (all().table("t"), 6),
        (all().state(State::Running), 6),
        (all().task_type("backup"), 1),
        (all().scope("table"), 1),
        (all().keyspace("other"), 1),
        (all().table("other"), 1),
        (all().state(State::Done), 1),
        (all().state(State::Suspended), 0),
        (all().task_type("").scope("").keyspace("").table(""), 7),
        (all().limit(3), 3),
        (all().limit(0), 0),
    ];
    for module in [&node.module, &regular] {
        for (filter, count) in &filters {
            let listed = module.list(filter).unwrap();
            assert_eq!(listed.len(), *count, "{filter:?} of {}", module.name());
        }
    }
}
