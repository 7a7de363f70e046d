//! The host behind the API: tasks of its own, and a provider.

use std::time::Duration;

use taskmgr::{
    BoxError, Clock, Completion, Kind, Manager, ManualClock, Provider, State, Stats, Status, Task,
    Uuid,
};
use taskmgr_http::{Api, ApiConfig, Request, Response};

const RUNS: Uuid = Uuid::from_u128(0xa0a0_a0a0_a0a0_40a0_80a0_a0a0_a0a0_a0a0);
const ENDED: Uuid = Uuid::from_u128(0xa1a1_a1a1_a1a1_41a1_81a1_a1a1_a1a1_a1a1);
const FAILS: Uuid = Uuid::from_u128(0xa2a2_a2a2_a2a2_42a2_82a2_a2a2_a2a2_a2a2);

struct Elsewhere;

impl Provider for Elsewhere {
    fn list(&self) -> Result<Vec<Stats>, BoxError> {
        let stats = |id, state| {
            let mut stats = Stats::new(id, "topology change");
            (stats.kind, stats.state) = (Kind::Cluster, state);
            stats
        };
        Ok(vec![stats(RUNS, State::Running), stats(ENDED, State::Done)])
    }

    fn status(&self, id: Uuid) -> Result<Option<Status>, BoxError> {
        let mut status = Status::new(id, "topology change");
        status.is_abortable = true;
        match id {
            RUNS => Ok(Some(status)),
            ENDED => {
                status.state = State::Done;
                Ok(Some(status))
            }
            FAILS => Err("the coordinator is away".into()),
            _ => Ok(None),
        }
    }

    fn abort(&self, _: Uuid, _: &str) -> Result<(), BoxError> {
        Err("a topology change cannot be stopped".into())
    }

    fn watch(&self, id: Uuid, done: Completion) -> Result<(), BoxError> {
        if id == ENDED
            && let Some(status) = self.status(id)?
        {
            done.complete(Ok(status));
        }
        Ok(())
    }

    fn contains(&self, id: Uuid) -> Result<bool, BoxError> {
        Ok([RUNS, ENDED, FAILS].contains(&id))
    }
}

pub(super) struct Host {
    pub(super) api: Api,
    manager: Manager,
    clock: ManualClock,
    tasks: Vec<Task>,
    ids: [Uuid; 8],
}

impl Host {
    pub(super) fn new() -> Self {
        let clock = ManualClock::new();
        let manager = Manager::builder()
            .node("10.0.0.1")
            .clock(Clock::Manual(clock.clone()))
            .task_ttl(Duration::from_secs(60))
            .provider_deadline(Duration::from_secs(60))
            .build()
            .unwrap();
        let repair = manager.register_module("repair").unwrap();
        let cluster = manager.register_module("topology/é").unwrap();
        cluster.register_provider(Elsewhere).unwrap();
        let root = repair.task("repair").keyspace("ks").abortable().start();
        let root = root.unwrap();
        let child = root.child("range").table("t").total(4, "ranges").start();
        let child = child.unwrap();
        child.advance(1);
        root.child("range").start().unwrap().finish().unwrap();
        let failed = root.child("range").entity("(1, 2]").start().unwrap();
        failed.fail("no \"replica\"\nanswers").unwrap();
        let ended = repair.task("repair").user_task().start().unwrap();
        let ids = [
            root.id(),
            child.id(),
            ended.id(),
            RUNS,
            ENDED,
            FAILS,
            Uuid::nil(),
            Uuid::nil(),
        ];
        ended.finish().unwrap();
        Self {
            api: Api::new(manager.clone(), ApiConfig::new().test_endpoints(true)),
            manager,
            clock,
            tasks: vec![root, child],
            ids,
        }
    }

    /// Whether the line is one of the host's.
    pub(super) fn does(&mut self, line: &str) -> bool {
        let (what, number) = line.split_once(' ').unwrap_or((line, ""));
        let number: u64 = number.parse().unwrap_or(0);
        match what {
            "end" => {
                if !self.tasks.is_empty() {
                    let at = number as usize % self.tasks.len();
                    // It may have been told to abort, or its module be closed.
                    let _ = self.tasks.swap_remove(at).finish();
                }
            }
            "pass" => self.clock.advance(Duration::from_secs(number)),
            "close" => {
                let _ = self.manager.close(Duration::ZERO);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn with_ids(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for (at, id) in self.ids.iter().enumerate() {
            let place = format!("{{{at}}}");
            if line.contains(&place) {
                line = line.replace(&place, &id.to_string());
            }
        }
        line
    }

    /// The ids of the test tasks that were made last.
    pub(super) fn remember(&mut self, request: &Request, response: &Response) {
        if request.method() == "POST"
            && response.status == 200
            && request.path() == "/task_manager_test/test_task"
            && let Ok(id) = serde_json::from_slice::<String>(&response.body)
        {
            self.ids[7] = self.ids[6];
            self.ids[6] = id.parse().unwrap();
        }
    }
}
