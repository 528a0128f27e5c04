# Sourced by mvnw and weir: sets JAVA_HOME to a JDK 25 or later, or prints one line and exits.
# Looks in JAVA_HOME, on the PATH, then in the folders where Linux, macOS and SDKMAN put JDKs.

weir_is_jdk() {
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
  weir_version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
  [ "${weir_version:-0}" -ge 25 ]
}

weir_find_jdk() {
  if [ -n "${JAVA_HOME:-}" ] && weir_is_jdk "$JAVA_HOME"; then return; fi
  weir_on_path=$(command -v javac || true)
  if [ -n "$weir_on_path" ]; then
    weir_on_path=$(readlink -f "$weir_on_path" 2>/dev/null || echo "$weir_on_path")
    JAVA_HOME=$(dirname "$(dirname "$weir_on_path")")
    if weir_is_jdk "$JAVA_HOME"; then return; fi
  fi
  for JAVA_HOME in /usr/lib/jvm/*25* /usr/lib/jvm/* /opt/java/* /opt/jdk* /usr/java/* \
      "${HOME:-/}"/.sdkman/candidates/java/* "${HOME:-/}"/.jdks/* "${HOME:-/}"/.jenv/versions/* \
      /Library/Java/JavaVirtualMachines/*/Contents/Home /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    if weir_is_jdk "$JAVA_HOME"; then return; fi
  done
  echo "Weir needs a JDK 25 or later: install one (Debian: apt-get install openjdk-25-jdk; any system: Eclipse Temurin 25) or point JAVA_HOME at it." >&2
  exit 1
}

weir_find_jdk
export JAVA_HOME
PATH="$JAVA_HOME/bin:$PATH"
export PATH
