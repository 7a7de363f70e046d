//! Random schedules.

#[test]
fn smoke() {
    let mut config = shuttle::Config::new();
    config.silence_warnings = true;
    config.stack_size = 256 << 10;
    let begun = std::time::Instant::now();
    let n = 2000;
    let runner = shuttle::Runner::new(shuttle::scheduler::RandomScheduler::new_from_seed(7, n), config);
    runner.run(|| {
        let clock = crate::ManualClock::new();
        let manager = crate::Manager::builder().clock(crate::Clock::Manual(clock.clone())).build().unwrap();
        let module = manager.register_module("a").unwrap();
        let root = module.task("x").abortable().start().unwrap();
        let o = root.observe();
        let t = shuttle::thread::spawn(move || { if let Ok(c) = root.child("y").start() { c.finish().ok(); } root.finish().ok(); });
        let w = shuttle::thread::spawn(move || { o.wait_timeout(std::time::Duration::from_secs(1)).map(|s| s.state).map_err(|e| e.code()) });
        manager.close(std::time::Duration::ZERO).unwrap();
        t.join().unwrap();
        let _ = w.join().unwrap();
    });
    println!("{:?} each", begun.elapsed() / n as u32);
    let s = std::fs::read_to_string("/proc/self/statm").unwrap();
    println!("statm {s}");
}
