//! Each operation, as a thread of a program does it.

use std::sync::Arc;
use std::time::Duration;

use super::{BROUGHT, MODULES, Mine, Owner, World};
use crate::schedules::history::{Answer, Event, Fault, Seen, What};
use crate::schedules::program::{Op, Patience, is_abortable};
use crate::schedules::reference::How;
use crate::schedules::virtuals::{Elsewhere, VIRTUAL};
use crate::{CloseReport, DoneGuard, Filter, Manager, Status, Uuid};

impl World {
    /// `None` if the task is not there to be asked, or the owner has gone.
    pub(super) fn apply(
        self: &Arc<Self>,
        op: &Op,
        invoked: u64,
        mine: &mut Mine,
    ) -> Option<Answer> {
        match op {
            Op::Root { .. } | Op::Child { .. } => self.create(op, mine),
            Op::Start { task }
            | Op::Advance { task, .. }
            | Op::Check { task }
            | Op::Checkpoint { task }
            | Op::OnAbort { task } => self.own(op, *task, invoked, mine),
            Op::End { task, how } => end(mine.owners.remove(task)?, *how).map(done),
            Op::Abort { task } => match mine.owners.get(task) {
                Some(Owner::Single(owner)) => Some(done(owner.abort("enough"))),
                Some(Owner::Shared(owner)) => Some(done(owner.abort("enough"))),
                None => {
                    let manager = mine.manager.as_ref()?;
                    Some(done(manager.abort(self.id(*task)?, "enough")))
                }
            },
            Op::Status { .. } | Op::Tree { .. } | Op::Take { .. } | Op::Wait { .. } => {
                self.look(op, mine)
            }
            Op::OnDone { task, keep } => self.on_done(*task, *keep, invoked, mine),
            Op::Suspend { task } => Some(self.suspend(mine.manager.as_ref()?, self.id(*task)?)),
            Op::Resume { task } => Some(done(mine.manager.as_ref()?.resume(self.id(*task)?))),
            Op::List { .. }
            | Op::Drain { .. }
            | Op::Close { .. }
            | Op::CloseManager { .. }
            | Op::Register { .. }
            | Op::Provide { .. } => self.module(op, invoked, mine),
            Op::VirtualStatus { module } => Some(done(
                mine.manager.as_ref()?.status(VIRTUAL[*module]).map(drop),
            )),
            Op::VirtualOnDone { module, keep } => {
                let (id, module) = (VIRTUAL[*module], *module);
                let f = self.told_later(What::VirtualTold { module }, invoked);
                let guard = mine.manager.as_ref()?.on_done(id, f);
                Some(Self::registered(guard, *keep, mine))
            }
            Op::SetTtl { seconds } => {
                let ttl = Duration::from_secs(*seconds);
                Some(done(mine.manager.as_ref()?.set_task_ttl(ttl).map(drop)))
            }
            Op::Pass { seconds } => {
                self.clock.advance(Duration::from_secs(*seconds));
                Some(done(Ok(())))
            }
            Op::DropManager => {
                drop(mine.manager.take()?);
                Some(done(Ok(())))
            }
            Op::Tick => {
                let manager = mine.manager.as_ref()?;
                manager.tick();
                // All memory that is free goes, and comes again with the next tasks.
                manager.engine().realm.give_back(true);
                Some(done(Ok(())))
            }
        }
    }

    fn suspend(&self, manager: &Manager, id: Uuid) -> Answer {
        done(manager.observe(id).and_then(|observer| {
            observer.suspend()?;
            let resumer = crate::sync::thread::spawn(move || observer.resume().unwrap());
            self.resumers.lock().unwrap().push(resumer);
            Ok(())
        }))
    }

    fn create(&self, op: &Op, mine: &mut Mine) -> Option<Answer> {
        let (number, start, host, builder) = match *op {
            Op::Root {
                number,
                module,
                user,
                start,
                host,
            } => {
                let builder = mine.modules[module].0.task("root");
                let builder = if user { builder.user_task() } else { builder };
                (number, start, host, builder)
            }
            Op::Child {
                number,
                parent,
                start,
                host,
            } => {
                let builder = match mine.owners.get(&parent) {
                    Some(Owner::Single(parent)) => parent.child("part"),
                    Some(Owner::Shared(parent)) => parent.child("part"),
                    // A child by its parent's id says of which module it is.
                    None => {
                        let id = self.id(parent)?;
                        mine.modules[0].0.task("part").parent_id(id)
                    }
                };
                (number, start, host, builder)
            }
            _ => unreachable!("{op:?} makes no task"),
        };
        let builder = match host {
            Some(host) => builder.id(BROUGHT[host]),
            None => builder,
        };
        let builder = match is_abortable(number) {
            true => builder.abortable(),
            false => builder,
        };
        let made = if start {
            builder.start()
        } else {
            builder.create()
        };
        Some(done(made.map(|task| {
            self.know(number, &task);
            mine.owners.insert(number, Owner::Single(task));
        })))
    }

    fn own(
        self: &Arc<Self>,
        op: &Op,
        task: usize,
        invoked: u64,
        mine: &mut Mine,
    ) -> Option<Answer> {
        let owner = mine.owners.get(&task)?;
        Some(match (op, owner) {
            (Op::Start { .. }, Owner::Single(owner)) => done(owner.start()),
            (Op::Start { .. }, Owner::Shared(_)) => return None,
            (Op::Advance { by, .. }, Owner::Single(owner)) => {
                owner.advance(*by);
                done(Ok(()))
            }
            (Op::Advance { by, .. }, Owner::Shared(owner)) => {
                owner.advance(*by);
                done(Ok(()))
            }
            (Op::Check { .. }, Owner::Single(owner)) => done(owner.check_abort()),
            (Op::Check { .. }, Owner::Shared(owner)) => done(owner.check_abort()),
            (Op::Checkpoint { .. }, Owner::Single(owner)) => done(owner.checkpoint()),
            (Op::Checkpoint { .. }, Owner::Shared(owner)) => done(owner.checkpoint()),
            (Op::OnAbort { .. }, owner) => {
                let (world, registered) = (Arc::downgrade(self), invoked);
                let f = move || {
                    let Some(world) = world.upgrade() else { return };
                    world.told(What::Interrupted { task }, registered, Answer::Done(Ok(())));
                };
                let guard = match owner {
                    Owner::Single(owner) => owner.on_abort(f),
                    Owner::Shared(owner) => owner.on_abort(f),
                };
                done(guard.map(|guard| mine.interrupted.push(guard)))
            }
            _ => unreachable!("{op:?} is no owner's"),
        })
    }

    fn told(&self, what: What, invoked: u64, answer: Answer) {
        let event = Event {
            lane: usize::MAX,
            what,
            answer,
            invoked,
            answered: self.tick(),
            registration: None,
            by_id: false,
        };
        self.record(event);
    }

    fn look(&self, op: &Op, mine: &Mine) -> Option<Answer> {
        let seen = |status: crate::Result<Status>| {
            Answer::Seen(status.map(Seen::from).map_err(Fault::from))
        };
        Some(match *op {
            Op::Status { task } => seen(mine.manager.as_ref()?.status(self.id(task)?)),
            Op::Take { task } => seen(mine.manager.as_ref()?.take_status(self.id(task)?)),
            Op::Tree { task } => {
                let tree = mine.manager.as_ref()?.status_tree(self.id(task)?);
                let tasks = tree.map(|tree| tree.into_iter().map(|at| (at.id, at.state)).collect());
                Answer::Tasks(tasks.map_err(Fault::from))
            }
            Op::Wait { task, patience } => {
                let observer = match self.observer(task) {
                    Some(observer) => observer,
                    None => match mine.manager.as_ref()?.observe(self.id(task)?) {
                        Ok(observer) => observer,
                        Err(error) => return Some(Answer::Seen(Err(error.into()))),
                    },
                };
                seen(match patience {
                    Patience::Endless => observer.wait(),
                    patience => observer.wait_timeout(timeout(patience)),
                })
            }
            _ => unreachable!("{op:?} is no look"),
        })
    }

    fn on_done(
        self: &Arc<Self>,
        task: usize,
        keep: bool,
        invoked: u64,
        mine: &mut Mine,
    ) -> Option<Answer> {
        let f = self.told_later(What::Told { task }, invoked);
        let guard = match self.observer(task) {
            Some(observer) => observer.on_done(f),
            None => mine.manager.as_ref()?.on_done(self.id(task)?, f),
        };
        Some(Self::registered(guard, keep, mine))
    }

    /// A completion callback that records what it is told.
    fn told_later(
        self: &Arc<Self>,
        what: What,
        invoked: u64,
    ) -> impl FnOnce(crate::Result<Status>) + Send + 'static {
        let world = Arc::downgrade(self);
        move |status| {
            let Some(world) = world.upgrade() else { return };
            let answer = Answer::Seen(status.map(Seen::from).map_err(Fault::from));
            world.told(what, invoked, answer);
        }
    }

    fn registered(guard: crate::Result<DoneGuard>, keep: bool, mine: &mut Mine) -> Answer {
        done(guard.map(|guard| match keep {
            true => mine.told.push(guard),
            false => drop(guard),
        }))
    }

    fn module(&self, op: &Op, invoked: u64, mine: &mut Mine) -> Option<Answer> {
        Some(match *op {
            Op::List { module } => {
                let listing = mine.modules[module]
                    .0
                    .listing(&Filter::new().internal(true));
                let tasks = listing.and_then(|mut listing| match listing.missing.pop() {
                    None => Ok(listing.tasks.iter().map(|at| (at.id, at.state)).collect()),
                    Some(missing) => Err(missing.error),
                });
                Answer::Tasks(tasks.map_err(Fault::from))
            }
            Op::Drain { module } => {
                Answer::Count(mine.modules[module].0.drain().map_err(Fault::from))
            }
            Op::Close { module, patience } => {
                still_running(mine.modules[module].0.close(timeout(patience)))
            }
            Op::CloseManager { patience } => {
                still_running(mine.manager.as_ref()?.close(timeout(patience)))
            }
            Op::Provide { module } => {
                let provider = Elsewhere::new(module);
                done(mine.modules[module].0.register_provider(provider))
            }
            Op::Register { module } => {
                let registered = mine.manager.as_ref()?.register_module(MODULES[module]);
                done(
                    registered.map(|registered| mine.modules[module] = (registered, Some(invoked))),
                )
            }
            _ => unreachable!("{op:?} is about no module"),
        })
    }
}

fn timeout(patience: Patience) -> Duration {
    match patience {
        Patience::Zero => Duration::ZERO,
        Patience::Some => Duration::from_secs(1),
        Patience::Endless => Duration::MAX,
    }
}

fn still_running(report: crate::Result<CloseReport>) -> Answer {
    let tasks = report.map(|report| {
        let running = report.still_running.iter();
        running.map(|at| (at.id, at.state)).collect()
    });
    Answer::Tasks(tasks.map_err(Fault::from))
}

fn end(owner: Owner, how: How) -> Option<crate::Result<()>> {
    Some(match (owner, how) {
        (Owner::Single(owner), How::Finish) => owner.finish(),
        (Owner::Single(owner), How::Fail) => owner.fail("failed"),
        (Owner::Single(owner), How::Drop) => {
            drop(owner);
            Ok(())
        }
        (Owner::Shared(owner), How::Finish) => owner.finish(),
        // A drop of one of several ends nothing, which is nothing to ask about.
        (Owner::Shared(owner), How::Fail | How::Drop) => owner.fail("failed"),
    })
}

fn done(result: crate::Result<()>) -> Answer {
    Answer::Done(result.map_err(Fault::from))
}
