//! Random programs: what each of a few threads does with a manager, one operation after another.

use crate::schedules::reference::How;

/// A generator of its own (SplitMix64), so that a seed names the same program for good.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of so many.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

/// For how long somebody waits. The schedule decides when a timeout passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Patience {
    Zero,
    Some,
    Endless,
}

/// A task has the number of the operation that makes it.
#[derive(Clone, Debug)]
pub enum Op {
    Root {
        number: usize,
        module: usize,
        user: bool,
        start: bool,
        /// Which of the host's ids it brings.
        host: Option<usize>,
    },
    Child {
        number: usize,
        parent: usize,
        start: bool,
        host: Option<usize>,
    },
    Start {
        task: usize,
    },
    End {
        task: usize,
        how: How,
    },
    Advance {
        task: usize,
        by: u64,
    },
    /// By its owner where that is the one who acts, else by its id.
    Abort {
        task: usize,
    },
    Check {
        task: usize,
    },
    Checkpoint {
        task: usize,
    },
    OnAbort {
        task: usize,
    },
    Status {
        task: usize,
    },
    Tree {
        task: usize,
    },
    Take {
        task: usize,
    },
    Wait {
        task: usize,
        patience: Patience,
    },
    OnDone {
        task: usize,
        /// Else its guard is dropped at once.
        keep: bool,
    },
    /// A thread of its own resumes it, at a moment that the schedule decides.
    Suspend {
        task: usize,
    },
    Resume {
        task: usize,
    },
    List {
        module: usize,
    },
    Drain {
        module: usize,
    },
    Close {
        module: usize,
        patience: Patience,
    },
    Register {
        module: usize,
    },
    /// Registers a provider of the module's one virtual task.
    Provide {
        module: usize,
    },
    /// Of the module's virtual task, by its id.
    VirtualStatus {
        module: usize,
    },
    VirtualOnDone {
        module: usize,
        keep: bool,
    },
    CloseManager {
        patience: Patience,
    },
    /// The thread lets go of its handle of the manager, and goes on with those that it has.
    DropManager,
    SetTtl {
        seconds: u64,
    },
    Pass {
        seconds: u64,
    },
    Tick,
}

/// A task that is there before the threads begin.
#[derive(Clone, Debug)]
pub struct Elder {
    pub parent: Option<usize>,
    pub module: usize,
    pub user: bool,
    pub start: bool,
    /// The threads that own it: several share it.
    pub owners: Vec<usize>,
}

/// Each task is one of these: abortable or not by its number.
pub fn is_abortable(number: usize) -> bool {
    number % 4 != 3
}

/// Whether an observer of it is held throughout, so that its memory is not used again.
pub fn is_held(number: usize) -> bool {
    number % 3 == 1
}

#[derive(Clone, Debug)]
pub struct Program {
    pub elders: Vec<Elder>,
    pub threads: Vec<Vec<Op>>,
    /// Whether the modules have a provider each before the threads begin.
    pub provided: [bool; 2],
    /// Whether each thread has a handle of the manager, which it drops, and nobody has another.
    pub drops: bool,
    /// How many tasks there are at most.
    pub tasks: usize,
    /// How many may live at once.
    pub most_live: usize,
    parents: Vec<Option<usize>>,
    /// The host's ids that tasks bring.
    pub hosts: Vec<Option<usize>>,
}

struct Maker<'a> {
    random: &'a mut Random,
    parents: Vec<Option<usize>>,
    hosts: Vec<Option<usize>>,
    /// Whether the host brings ids.
    brings: bool,
    /// One of the two ways by which time tells, so that a TTL is not read under another's clock.
    passes: bool,
    /// Whether there are providers.
    provides: bool,
    /// The thread that closes the manager, if one does.
    closer: Option<usize>,
    drops: bool,
}

impl Program {
    pub fn random(random: &mut Random) -> Self {
        let threads = 2 + random.below(3);
        let passes = random.one_in(2);
        let provides = random.one_in(3);
        let brings = random.one_in(3);
        let drops = random.one_in(5);
        let closer = random.one_in(4).then(|| random.below(threads));
        let provided = [(); 2].map(|()| provides && random.one_in(2));
        let mut maker = Maker {
            random,
            parents: Vec::new(),
            hosts: Vec::new(),
            brings,
            passes,
            provides,
            closer,
            drops,
        };
        let elders = maker.elders(threads);
        let threads = (0..threads)
            .map(|me| maker.thread(me, threads, &elders))
            .collect();
        let most_live = match maker.random.one_in(3) {
            true => elders.len() + maker.random.below(3),
            false => usize::MAX,
        };
        Self {
            elders,
            threads,
            provided,
            drops,
            most_live,
            tasks: maker.parents.len(),
            parents: maker.parents,
            hosts: maker.hosts,
        }
    }
}

impl Program {
    /// Whether the one is surely the other, or a descendant of it: a parent of one of the host's
    /// ids may be another that has it.
    pub fn is_below(&self, task: usize, above: usize) -> bool {
        let parent =
            |task: &usize| self.parents[*task].filter(|above| self.hosts[*above].is_none());
        std::iter::successors(Some(task), parent).any(|task| task == above)
    }
}

impl Maker<'_> {
    /// A root, and below it or beside it a few more.
    fn elders(&mut self, threads: usize) -> Vec<Elder> {
        let count = 1 + self.random.below(4);
        (0..count)
            .map(|number| {
                let parent = match number {
                    0 => None,
                    _ if self.random.one_in(4) => None,
                    // Deep more often than broad.
                    _ if self.random.one_in(3) => Some(self.random.below(number)),
                    _ => Some(number - 1),
                };
                self.parents.push(parent);
                self.hosts.push(None);
                let first = self.random.below(threads);
                let mut owners = vec![first];
                if threads > 1 && self.random.one_in(4) {
                    owners.push((first + 1) % threads);
                }
                let start = owners.len() > 1 || !self.random.one_in(5);
                Elder {
                    parent,
                    module: self.random.below(4) / 3,
                    user: self.random.one_in(2),
                    start,
                    owners,
                }
            })
            .collect()
    }

    fn thread(&mut self, me: usize, threads: usize, elders: &[Elder]) -> Vec<Op> {
        let mut ops = self.work(me, threads, elders);
        if self.drops {
            ops.insert(self.random.below(ops.len() + 1), Op::DropManager);
        }
        ops
    }

    fn work(&mut self, me: usize, threads: usize, elders: &[Elder]) -> Vec<Op> {
        let mut own: Vec<usize> = (0..elders.len())
            .filter(|number| elders[*number].owners.contains(&me))
            .collect();
        let most = if threads == 2 { 5 } else { 4 };
        let count = 3 + self.random.below(most - 2);
        let mut ops: Vec<Op> = Vec::new();
        // Who owns nothing may wait for ever for those who end what they own, come what may.
        let is_patient = own.is_empty() && me + 1 == threads;
        for _ in 0..count {
            let op = match is_patient {
                true => self.look(),
                false => self.op(&mut own),
            };
            ops.push(op);
        }
        // The last first, as often as not.
        if self.random.one_in(2) {
            own.reverse();
        }
        let ends: Vec<Op> = own
            .into_iter()
            .map(|task| Op::End {
                task,
                how: self.how(),
            })
            .collect();
        if self.closer != Some(me) {
            ops.extend(ends);
            return ops;
        }
        // Before what it owns has ended it waits for nobody, and then for ever if it likes.
        let waits = [Patience::Some, Patience::Endless];
        let last = waits[self.random.below(2)];
        let is_early = self.random.one_in(2);
        ops.extend(is_early.then_some(Op::CloseManager {
            patience: Patience::Zero,
        }));
        ops.extend(ends);
        if !is_early || self.random.one_in(2) {
            ops.push(Op::CloseManager { patience: last });
        }
        ops
    }

    fn how(&mut self) -> How {
        [How::Finish, How::Finish, How::Fail, How::Drop][self.random.below(4)]
    }

    fn any(&mut self) -> usize {
        self.random.below(self.parents.len())
    }

    fn look(&mut self) -> Op {
        let task = self.any();
        match self.random.below(4) {
            0 => Op::Status { task },
            1 => Op::OnDone { task, keep: true },
            _ => Op::Wait {
                task,
                patience: Patience::Endless,
            },
        }
    }

    fn op(&mut self, own: &mut Vec<usize>) -> Op {
        if self.provides && self.random.one_in(3) {
            return self.virtual_op();
        }
        // More are made where they bring ids, so that some come back.
        let choice = self.random.below(if self.brings { 80 } else { 64 });
        let task = self.any();
        let mine = (!own.is_empty()).then(|| own[self.random.below(own.len())]);
        if let (Some(mine), 0..32) = (mine, choice) {
            return self.owners_op(mine, choice, own);
        }
        let patience = [Patience::Zero, Patience::Some][self.random.below(2)];
        let module = self.random.below(4) / 3;
        match choice {
            32..35 | 0..4 => Op::Status { task },
            35..39 => Op::Wait { task, patience },
            39..42 => Op::OnDone {
                task,
                keep: self.random.below(3) > 0,
            },
            42..45 => Op::Abort { task },
            45..48 => Op::Take { task },
            48..50 => Op::Tree { task },
            50..52 => Op::List { module },
            52..54 => Op::Drain { module },
            54..56 => Op::Close { module, patience },
            56 => Op::Register { module },
            57 => Op::Suspend { task },
            58 => Op::Resume { task },
            59 => Op::Tick,
            60..62 if self.passes => Op::Pass {
                seconds: 5 + 10 * self.random.below(12) as u64,
            },
            60..62 => Op::SetTtl {
                seconds: 20 * self.random.below(2) as u64,
            },
            _ => {
                let number = self.newborn(None);
                own.push(number);
                Op::Root {
                    number,
                    module,
                    user: self.random.one_in(2),
                    start: !self.random.one_in(5),
                    host: self.hosts[number],
                }
            }
        }
    }

    fn virtual_op(&mut self) -> Op {
        let module = self.random.below(4) / 3;
        match self.random.below(8) {
            0 | 1 => Op::Provide { module },
            2 | 3 => Op::VirtualStatus { module },
            4 | 5 => Op::VirtualOnDone {
                module,
                keep: self.random.below(3) > 0,
            },
            6 => Op::List { module },
            _ => Op::Close {
                module,
                patience: Patience::Zero,
            },
        }
    }

    fn owners_op(&mut self, mine: usize, choice: usize, own: &mut Vec<usize>) -> Op {
        match choice {
            0..10 => Op::End {
                task: mine,
                how: self.how(),
            },
            10..18 => {
                let parent = if self.random.one_in(4) {
                    self.any()
                } else {
                    mine
                };
                let number = self.newborn(Some(parent));
                own.push(number);
                Op::Child {
                    number,
                    parent,
                    start: !self.random.one_in(5),
                    host: self.hosts[number],
                }
            }
            18..20 => Op::Start { task: mine },
            20..23 => Op::Advance {
                task: mine,
                by: 1 + self.random.below(5) as u64,
            },
            23..25 => Op::Abort { task: mine },
            25..28 => Op::Check { task: mine },
            28..30 => Op::Checkpoint { task: mine },
            _ => Op::OnAbort { task: mine },
        }
    }

    fn newborn(&mut self, parent: Option<usize>) -> usize {
        let brings = self.brings && self.random.one_in(2);
        let host = brings.then(|| self.random.below(2));
        self.parents.push(parent);
        self.hosts.push(host);
        self.parents.len() - 1
    }
}
