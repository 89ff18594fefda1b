#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nozzle_fuzz::targets::packet(bytes));
