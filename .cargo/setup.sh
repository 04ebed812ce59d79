#!/usr/bin/env bash
# Checks what a command needs, before anything is compiled.
#
# Cargo runs this in the place of rustc for the crates of this workspace (see config.toml), and before all else
# to ask for rustc's version. That is the moment to say what is missing, all of it at once: later it would be
# told after minutes of compiling. The WebAssembly target is installed where rustup can do it.
#
# In bash: sh can be dash, which drops variables with a hyphen in their names, such as CARGO_BIN_EXE_optimize-backup.
set -u

[ "${2-}" = -vV ] || exec "$@"

rustc=$1
target=wasm32-unknown-unknown
missing=''

lacks() {
  missing="$missing
  - $1"
}

# The words of the cargo command that this is done for, without its options.
words() {
  if [ -r "/proc/$PPID/cmdline" ]; then
    tr '\0' '\n' <"/proc/$PPID/cmdline"
  else
    ps -o args= -p "$PPID" | tr ' ' '\n'
  fi | sed 1d | grep -v '^[-+]' | head -n 2 | tr '\n' ' '
}

check_target() {
  [ -d "$("$rustc" --print sysroot)/lib/rustlib/$target" ] && return
  if ! command -v rustup >/dev/null; then
    lacks "the target $target of $("$rustc" --version): install Rust by rustup (https://rustup.rs), or the target by your package manager (Debian: libstd-rust-dev-wasm32, Fedora: rust-std-static-$target)"
  # Again, because of two that install it at the same time one fails.
  elif ! said=$(rustup target add "$target" 2>&1) && ! said=$(rustup target add "$target" 2>&1); then
    lacks "the target $target: \`rustup target add $target\` failed: $said"
  fi
}

check_c_compiler() {
  command -v "${CC:-cc}" >/dev/null ||
    lacks 'a C compiler (cc): Debian: apt-get install gcc; Fedora: dnf install gcc; macOS: xcode-select --install'
}

check_java() {
  java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
  version=$("$java" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.specification\.version = //p')
  case ${version%%.*} in
    '' | *[!0-9]* | [0-9] | 1[0-6]) ;;
    *) return ;;
  esac
  lacks "a JDK, version 17 or newer (java in JAVA_HOME or on the PATH; found: ${version:-none}): Debian: apt-get install openjdk-17-jdk-headless; Fedora: dnf install java-21-openjdk-headless; macOS: brew install openjdk@21"
}

check_maven() {
  command -v mvn >/dev/null ||
    lacks 'Maven (mvn on the PATH), which fetches the search engines: Debian: apt-get install maven; Fedora: dnf install maven; macOS: brew install maven'
}

check_target
check_c_compiler
case $(words) in
  'test '* | 't '* | 'xtask matrix '* | 'xtask demo '*)
    check_java
    check_maven
    ;;
esac

# Cargo remembers an answer, a refusal too, until this file is newer than it.
touch "$0" 2>/dev/null

if [ -n "$missing" ]; then
  printf 'This machine lacks what the command needs:%s\n' "$missing" >&2
  exit 1
fi
exec "$@"
