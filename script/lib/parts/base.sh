# Small things from Debian: a C++ compiler (Rust's linker driver; libtorch's bindings), and a static busybox, out of which tests
# make the hostile containers.
# shellcheck shell=bash

base_find() {
  command -v c++ >/dev/null || return 1
  [ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1 || return 1
  exports PARITY_BUSYBOX /bin/busybox
  found "-" "c++, /bin/busybox"
}

base_install() {
  local missing=()
  command -v c++ >/dev/null || missing+=(g++ libc6-dev)
  missing+=(busybox-static)
  step "installing ${missing[*]}" apt_install "${missing[@]}"
}
