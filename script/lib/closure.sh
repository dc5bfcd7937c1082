# The files a dynamically linked program needs, gathered into one folder that can serve as a root file system.
# shellcheck shell=bash

# copy_closure BINARY ROOT DEST: copies BINARY to ROOT/DEST and every library `ldd` names to ROOT/lib, and the loader to the
# path that is burnt into the binary. Run it with the LD_LIBRARY_PATH that the binary needs. The image must then
# set LD_LIBRARY_PATH=/lib.
copy_closure() {
  local binary="$1" root="$2" dest="$3" name path libraries
  mkdir -p "$root/lib" "$root/$(dirname "$dest")"
  cp -L "$binary" "$root/$dest"
  chmod 755 "$root/$dest"
  libraries="$(ldd "$binary")" || {
    # A static program has no closure; anything else that ldd refuses is an error.
    ! readelf -l "$binary" 2>/dev/null | grep -q INTERP && return 0
    return 1
  }
  if grep 'not found' <<<"$libraries" >&2; then
    echo "$binary: the libraries above are missing" >&2
    return 1
  fi
  while read -r name path; do
    if [ "$name" = "$path" ]; then
      # The loader: `ldd` prints it by its full path alone.
      mkdir -p "$root/$(dirname "$path")"
      cp -L "$path" "$root/$path"
    else
      cp -L "$path" "$root/lib/$name"
    fi
  done < <(sed -nE 's/^\s*(\S+) => (\/\S+) \(.*/\1 \2/p; s/^\s*(\/\S+) \(.*/\1 \1/p' <<<"$libraries")
}
