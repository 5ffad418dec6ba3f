//! `scripts/fuzz TARGET` runs this: libFuzzer, and the one target that SALON_FUZZ_TARGET names.
#![no_main]

use std::sync::LazyLock;

static RUN: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("SALON_FUZZ_TARGET").expect("SALON_FUZZ_TARGET names the target");
    salon_fuzz::target(&name).unwrap_or_else(|| panic!("there is no target {name}")).run
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (*RUN)(bytes));
