//! libFuzzer's `texts`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| taskmgr_fuzz::texts(data));
