# Sourced by build and test/build, in the project's folder, with $flavour set: compiler, flags, and compiling only what
# changed, two at a time.
compiler=${CXX:-g++}
command -v "$compiler" > /dev/null || {
  echo "native/build: there is no $compiler; install g++ or set CXX" >&2
  exit 1
}

common=(-std=c++17 -g -fPIC -fvisibility=hidden -DSIDEFADE_EMULATION -Inative -Ikernels/include -pthread
  -fno-strict-aliasing -ffp-contract=off -fno-fast-math -Wall -Wextra -Wno-unknown-pragmas -Wno-unused-parameter)
has() { grep -qw "$1" /proc/cpuinfo 2> /dev/null; }
if has avx2 && has fma && has bmi2 && has f16c; then common+=(-march=x86-64-v3); fi
# host: the runtime, the driver and whatever must not be instrumented; kernels: what is looked at
case $flavour in
  opt) host=(-O2) kernels=(-O2) link=() ;;
  asan)
    host=(-O2 -DEMULATION_ASAN)
    kernels=(-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
    link=(-fsanitize=address,undefined)
    ;;
  tsan)
    host=(-O2 -DEMULATION_TSAN)
    kernels=(-O1 -fsanitize=thread)
    link=(-fsanitize=thread)
    ;;
  *) echo "native/build: there is no flavour $flavour; it must be opt, asan or tsan" >&2 && exit 2 ;;
esac

# current OBJECT COMMAND: whether OBJECT was made by COMMAND from files that have not changed since
current() {
  local file
  [ -f "$1" ] && [ -f "$1.d" ] && [ -f "$1.command" ] && [ "$(< "$1.command")" = "$2" ] || return 1
  for file in $(sed -e 's/^[^:]*://' -e 's/\\$//' "$1.d"); do
    [ -e "$file" ] && ! [ "$file" -nt "$1" ] || return 1
  done
}

compile() {
  local source=$1 object=$2
  shift 2
  local command="$compiler $* -MMD -MF $object.d -x c++ -c $source -o $object"
  if current "$object" "$command"; then return; fi
  rm -f "$object"
  $command
  echo "$command" > "$object.command"
}

# start SOURCE OBJECT FLAG...: compiles in the background
failures=0
start() {
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || failures=1; done
  compile "$@" &
}

# finish OBJECT...: waits for all that was started
finish() {
  local object
  while [ "$(jobs -rp | wc -l)" -gt 0 ]; do wait -n || failures=1; done
  for object in "$@"; do
    [ -f "$object" ] || failures=1
  done
  [ $failures = 0 ] || { echo "native/build: a source did not compile, see above" >&2; exit 1; }
}

# link_to FILE FLAG|OBJECT...: only when an object is newer or the command is another one
link_to() {
  local file=$1
  shift
  local command="$compiler -pthread ${link[*]} -o $file $*" object stamp=$objects/$(basename "$file").link
  if [ -f "$file" ] && [ -f "$stamp" ] && [ "$(< "$stamp")" = "$command" ]; then
    local newer=0
    for object in "$@"; do
      if [ -f "$object" ] && [ "$object" -nt "$file" ]; then newer=1; fi
    done
    if [ $newer = 0 ]; then return; fi
  fi
  $command
  echo "$command" > "$stamp"
}
