//! Gives the shared library its SONAME, which cargo does not: one for each major version,
//! as the C ABI only grows within one.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let major = env!("CARGO_PKG_VERSION_MAJOR");
    match target.as_str() {
        "linux" | "android" | "freebsd" => {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libtaskmgr.so.{major}");
        }
        "macos" => {
            println!(
                "cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libtaskmgr.{major}.dylib"
            );
        }
        _ => {}
    }
}
