package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The system's loader of shared libraries, called directly: Java's own way in says that a library
 * could not be loaded, this one says why.
 */
final class DynamicLoader {
  private static final int LAZY = 1;
  private static final int ONLY_IF_LOADED = 4;
  private static final MemoryLayout ADDRESS_INFO =
      MemoryLayout.structLayout(ADDRESS, ADDRESS, ADDRESS, ADDRESS);

  private final MethodHandle open;
  private final MethodHandle error;
  private final MethodHandle symbol;
  private final MethodHandle locate;

  DynamicLoader() {
    open = function("dlopen", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
    error = function("dlerror", FunctionDescriptor.of(ADDRESS));
    symbol = function("dlsym", FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS));
    locate = function("dladdr", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
  }

  private static MethodHandle function(String name, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
  }

  /** A library that stays loaded until the process ends; handle 0 and a reason if there is none. */
  record Opened(MemorySegment handle, String reason) {
    boolean failed() {
      return handle.address() == 0;
    }
  }

  /** Loads a library by file or by the name that the system's search knows it under. */
  Opened open(String name) {
    return open(name, LAZY);
  }

  /** The library of that name if it was loaded before. */
  Opened loaded(String name) {
    return open(name, LAZY | ONLY_IF_LOADED);
  }

  private Opened open(String name, int mode) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(name);
      MemorySegment handle = (MemorySegment) open.invokeExact(text, mode);
      MemorySegment reason = (MemorySegment) error.invokeExact();
      String why = reason.address() == 0 ? "" : reason.reinterpret(Long.MAX_VALUE).getString(0);
      return new Opened(handle, why.isEmpty() ? name + " was not loaded" : why);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Whether the library has a function of that name. */
  boolean has(Opened library, String function) {
    return address(library, function).address() != 0;
  }

  /** The file that a function of the library came from. */
  Optional<Path> fileOf(Opened library, String function) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(ADDRESS_INFO);
      MemorySegment address = address(library, function);
      if (address.address() == 0 || (int) locate.invokeExact(address, info) == 0) {
        return Optional.empty();
      }
      String file = info.get(ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0);
      return Optional.of(Path.of(file).toAbsolutePath());
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private MemorySegment address(Opened library, String function) {
    try (Arena arena = Arena.ofConfined()) {
      return (MemorySegment) symbol.invokeExact(library.handle(), arena.allocateFrom(function));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private static RuntimeException unexpected(Throwable e) {
    if (e instanceof RuntimeException r) {
      return r;
    }
    if (e instanceof Error r) {
      throw r;
    }
    return new IllegalStateException(e);
  }
}
