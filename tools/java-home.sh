# Sourced by the shell scripts of this repository: find_java LOWEST HIGHEST TOOL prints the home of the first Java found
# whose version is in that range and which has that tool, and fails when there is none. No JVM is started for it.

# The first number of the version that the installation states, 0 when it states none.
java_version_of() {
  local line version=0
  if [ -r "$1/release" ]; then
    while IFS= read -r line; do
      case $line in JAVA_VERSION=*) version=${line#*\"} && version=${version%%[!0-9]*} ;; esac
    done < "$1/release"
  fi
  echo "${version:-0}"
}

java_home_on_path() {
  local java
  java=$(command -v java) || return 0
  java=$(readlink -f "$java" 2> /dev/null || echo "$java")
  dirname "$(dirname "$java")"
}

find_java() {
  local home version
  for home in "${SIDEFADE_JAVA_HOME:-}" "${JAVA_HOME:-}" "$(java_home_on_path)" /usr/lib/jvm/* \
    "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* /opt/*jdk* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    if [ -n "$home" ] && [ -x "$home/bin/$3" ]; then
      version=$(java_version_of "$home")
      if [ "$version" -ge "$1" ] && [ "$version" -le "$2" ]; then
        echo "$home"
        return 0
      fi
    fi
  done
  return 1
}
