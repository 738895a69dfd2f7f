# For scripts that need no build of the benchmarks: to be sourced.

# run_from_source CLASS ARGUMENT...: replaces this process by a class of dev.sidefade.bench.tables, run from its source. It
# needs Gson, which a build of the library or of the benchmarks leaves in target/lib.
run_from_source() {
  local bench root java_home gson class=$1
  shift
  bench=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  root=$(dirname "$bench")
  . "$root/tools/java-home.sh"
  java_home=$(find_java 25 25 javac) || { echo "bench: no JDK 25 found" >&2; exit 69; }
  gson=$(ls "$root"/target/lib/gson-*.jar "$bench"/target/lib/gson-*.jar 2> /dev/null | head -n 1 || true)
  [ -n "$gson" ] || { echo "bench: there is no gson in target/lib: run ./mvnw package first" >&2; exit 69; }
  exec "$java_home/bin/java" -cp "$gson" "$bench/src/main/java/dev/sidefade/bench/tables/$class.java" "$@"
}
