package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.sidefade.cuda.ffi.CudaDriver;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/** A loaded image of kernels: what came out of one source file. */
public final class CudaModule extends CudaResource {
  /** Names a folder of kernel images to use instead of those in the jar. */
  public static final String KERNELS_PROPERTY = "dev.sidefade.cuda.kernels";

  private static final String FOLDER = "/dev/sidefade/cuda/kernels/";
  private static final String SUFFIX = ".fatbin";
  private static final int ALIGNMENT = 64;

  private final MemorySegment library;
  private final String name;
  private final Arena arena = Arena.ofShared();

  private CudaModule(CudaContext context, MemorySegment library, String name) {
    super(context, Kind.MODULE, 0);
    this.library = library;
    this.name = name;
  }

  /**
   * {@return whether this build (or the folder of {@value #KERNELS_PROPERTY}) has the image of a
   * file}
   *
   * @param file name without folder and suffix
   */
  public static boolean isPresent(String file) {
    String folder = System.getProperty(KERNELS_PROPERTY);
    return folder != null
        ? Files.isRegularFile(Path.of(folder, file + SUFFIX))
        : CudaModule.class.getResource(FOLDER + file + SUFFIX) != null;
  }

  /**
   * Loads the kernels of one source file of this library.
   *
   * @param context the context that it belongs to
   * @param file name without folder and suffix, for example "ladder"
   * @return the module, to be closed
   * @throws BadInputException if there is no such image
   * @throws CudaException if it has no code for the device
   */
  public static CudaModule load(CudaContext context, String file) {
    context.requireUsable();
    try {
      return load(context, file, image(file));
    } catch (IOException e) {
      throw new UncheckedIOException("the kernels of " + file + " cannot be read", e);
    }
  }

  private static byte[] image(String file) throws IOException {
    String folder = System.getProperty(KERNELS_PROPERTY);
    if (folder != null) {
      Path path = Path.of(folder, file + SUFFIX);
      if (!Files.isRegularFile(path)) {
        throw new BadInputException(
            "the folder named by " + KERNELS_PROPERTY + " has no " + path.toAbsolutePath());
      }
      return Files.readAllBytes(path);
    }
    try (InputStream in = CudaModule.class.getResourceAsStream(FOLDER + file + SUFFIX)) {
      if (in == null) {
        throw new BadInputException(
            "this build of Sidefade has no CUDA kernels ("
                + file
                + SUFFIX
                + "): build it where nvcc is on the PATH, or name a folder that has them by -D"
                + KERNELS_PROPERTY);
      }
      return in.readAllBytes();
    }
  }

  /**
   * Loads kernels of one's own.
   *
   * @param context the context that it belongs to
   * @param name for messages
   * @param image a cubin, fatbin or PTX text
   * @return the module, to be closed
   * @throws CudaException if it has no code for the device
   */
  public static CudaModule load(CudaContext context, String name, byte[] image) {
    context.requireUsable();
    try (Arena call = Arena.ofConfined()) {
      // text images end at a zero byte
      MemorySegment code = call.allocate(image.length + 1L, ALIGNMENT);
      MemorySegment.copy(image, 0, code, JAVA_BYTE, 0, image.length);
      MemorySegment none = MemorySegment.NULL;
      int status = CudaDriver.cuLibraryLoadData(context.out(), code, none, none, 0, none, none, 0);
      if (status != CudaDriver.CUDA_SUCCESS()) {
        throw context.failure(status, "cuLibraryLoadData", refusal(context, name));
      }
      return new CudaModule(context, context.outHandle(), name);
    }
  }

  private static String refusal(CudaContext context, String name) {
    CudaDevice device = context.device();
    return "kernels of "
        + name
        + " for "
        + device.name()
        + " with compute capability "
        + device.major()
        + "."
        + device.minor()
        + ", driver for CUDA "
        + CudaLibrary.versionText(CudaLibrary.driverVersion());
  }

  /**
   * {@return a kernel of this module, with an argument block of its own} Ask once and keep it.
   *
   * @param kernel its name
   * @throws CudaException if there is none of that name
   */
  public CudaKernel kernel(String kernel) {
    requireUsable();
    CudaContext context = context();
    try (Arena call = Arena.ofConfined()) {
      int code = CudaDriver.cuLibraryGetKernel(context.out(), library, call.allocateFrom(kernel));
      context.check(code, "cuLibraryGetKernel", "kernel " + kernel + " of " + name);
    }
    MemorySegment handle = context.outHandle();
    // the function of this context: found once, so that a launch need not look for it
    context.check(
        CudaDriver.cuKernelGetFunction(context.out(), handle), "cuKernelGetFunction", kernel);
    return new CudaKernel(this, kernel, handle, context.out().get(ADDRESS, 0));
  }

  /** Native memory that lives as long as the module is loaded. */
  Arena arena() {
    return arena;
  }

  @Override
  void release() {
    arena.close();
    context().checkRelease(CudaDriver.cuLibraryUnload(library), "cuLibraryUnload", name);
  }

  @Override
  public String toString() {
    return "module " + name;
  }
}
