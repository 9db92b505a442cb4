//! Rebuilds when a file of the library comes, goes or changes: it is embedded in the binary.

fn main() {
    println!("cargo::rerun-if-changed=scenarios");
}
