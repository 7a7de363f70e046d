//! Which version this is.

use crate::code::{TASKMGR_VERSION_MISMATCH, taskmgr_code};
use crate::failure::Failure;
use crate::guard;
use crate::text::taskmgr_str;

/// The major version of this header: within one the ABI only grows.
pub const TASKMGR_VERSION_MAJOR: u32 = 0;
/// The minor version of this header.
pub const TASKMGR_VERSION_MINOR: u32 = 1;
/// The patch version of this header.
pub const TASKMGR_VERSION_PATCH: u32 = 0;

/// The version of the library that runs, as major * 1000000 + minor * 1000 + patch, which is
/// what the header's `TASKMGR_VERSION` is of the header.
///
/// Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_version() -> u32 {
    guard::value(0, || {
        Ok(TASKMGR_VERSION_MAJOR * 1_000_000
            + TASKMGR_VERSION_MINOR * 1_000
            + TASKMGR_VERSION_PATCH)
    })
}

/// The version of the library that runs as text, e.g. "0.1.0".
///
/// The text is static. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_version_text() -> taskmgr_str<'static> {
    guard::value(taskmgr_str::EMPTY, || {
        const TEXT: &std::ffi::CStr = match std::ffi::CStr::from_bytes_with_nul(
            concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes(),
        ) {
            Ok(text) => text,
            Err(_) => c"",
        };
        Ok(taskmgr_str::literal(TEXT))
    })
}

/// Whether the library that runs can serve a program that was built with the header of this
/// version: it has the same major version and is no older. `TASKMGR_CHECK_VERSION()` asks
/// that for the header that is included.
///
/// Threads: any. Errors: VERSION_MISMATCH. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn taskmgr_check_version(major: u32, minor: u32, patch: u32) -> taskmgr_code {
    guard::code(|| {
        let runs = (TASKMGR_VERSION_MINOR, TASKMGR_VERSION_PATCH);
        if major == TASKMGR_VERSION_MAJOR && (minor, patch) <= runs {
            return Ok(());
        }
        let message = format!(
            "the program was built for version {major}.{minor}.{patch}, and libtaskmgr {} runs; \
             it has to be of major version {major} and no older",
            env!("CARGO_PKG_VERSION")
        );
        Err(Failure::OfC(TASKMGR_VERSION_MISMATCH, message))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::TASKMGR_OK;

    #[test]
    fn the_macros_are_the_version_of_the_package() {
        let text =
            format!("{TASKMGR_VERSION_MAJOR}.{TASKMGR_VERSION_MINOR}.{TASKMGR_VERSION_PATCH}");
        assert_eq!(text, env!("CARGO_PKG_VERSION"));
        assert_eq!(taskmgr_version_text().to_test(), text);
    }

    #[test]
    fn a_library_serves_headers_of_its_major_version_that_are_no_newer() {
        let (major, minor, patch) = (
            TASKMGR_VERSION_MAJOR,
            TASKMGR_VERSION_MINOR,
            TASKMGR_VERSION_PATCH,
        );
        assert_eq!(taskmgr_check_version(major, minor, patch), TASKMGR_OK);
        for (major, minor, patch) in [
            (major, minor, patch + 1),
            (major, minor + 1, 0),
            (major + 1, 0, 0),
        ] {
            assert_eq!(
                taskmgr_check_version(major, minor, patch),
                TASKMGR_VERSION_MISMATCH
            );
        }
    }
}
