//! Lets the program find libtorch without `LD_LIBRARY_PATH`: in `lib` beside it, or where it was linked from.

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/lib");
    if let Some(folder) = std::env::var("LIBTORCH").ok().filter(|folder| !folder.is_empty()) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}/lib");
    }
}
