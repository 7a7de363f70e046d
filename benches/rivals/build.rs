//! Compiles the C++ sketch and the host in C as their users would: -O2.

fn main() {
    println!("cargo:rerun-if-changed=cpp");
    cc::Build::new()
        .cpp(true)
        .std("c++20")
        .opt_level(2)
        .debug(false)
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .include("cpp")
        .file("cpp/classic.cpp")
        .file("cpp/bridge.cpp")
        .compile("classic");
    println!("cargo:rerun-if-changed=../../include/taskmgr.h");
    cc::Build::new()
        .std("c11")
        .opt_level(2)
        .debug(false)
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .define("TASKMGR_WITHOUT_HTTP", None)
        .include("../../include")
        .file("cpp/c_abi.c")
        .compile("c_abi");
}
