//! Compiles the C++ sketch as its users would: -O2.

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
}
