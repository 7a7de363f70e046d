//! What a process has in memory of its own.

/// What this process has written to, in KiB; its code, whose pages count while its file is new, is
/// left out.
pub(crate) fn in_kib() -> u64 {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let (mut is_data, mut sum) = (false, 0);
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        match (words.next().unwrap(), words.next()) {
            ("Private_Dirty:", Some(count)) if is_data => sum += count.parse::<u64>().unwrap(),
            (range, Some(access)) if range.contains('-') => is_data = access.contains('w'),
            _ => {}
        }
    }
    sum
}
