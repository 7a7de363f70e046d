//! The end of the host: running work is told to abort, waited for, and reported.

use std::time::Duration;

use taskmgr::{Result, Status};

use crate::host::Host;

/// How long to wait for work that was told to abort.
const DEADLINE: Duration = Duration::from_secs(10);

/// Closes the task manager, and tells what became of the operations that were under way.
pub fn close(host: &Host) -> Result<()> {
    let running = host.running();
    host.manager.close(DEADLINE)?;
    for task in running {
        println!("{}", ending(&task.status()?));
    }
    Ok(())
}

fn ending(task: &Status) -> String {
    let (name, state) = (format!("{} {}", task.module, task.id), task.state.as_str());
    let asked = task.abort.as_ref().and_then(|abort| abort.requested_at);
    match asked.zip(task.end_time) {
        Some((asked, ended)) => {
            let time = ended.duration_since(asked).unwrap_or_default().as_millis();
            let error = task.error.as_deref().unwrap_or_default();
            format!("{name}: {state} {time} ms after it was told to abort: {error}")
        }
        None if task.state.is_terminal() => format!("{name}: {state}"),
        None => format!("{name}: still {state} after {} s", DEADLINE.as_secs()),
    }
}
