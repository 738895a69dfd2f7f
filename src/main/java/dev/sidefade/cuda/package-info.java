/**
 * The CUDA driver for Java programs: devices, contexts, streams, events, modules of kernels, memory
 * on the device and pinned memory on the host, stream-ordered pools, graphs and matrix products,
 * each a small class over the driver's C interface. Nothing has to be built or installed besides
 * the NVIDIA driver.
 *
 * <p>Rules that hold everywhere:
 *
 * <ul>
 *   <li>{@link dev.sidefade.cuda.CudaLibrary#unavailable()} says whether CUDA works here and why
 *       not. It never throws, and nothing native is touched before it was asked.
 *   <li>Whoever makes a resource closes it; closing twice is harmless. A context knows what is
 *       alive in it ({@link dev.sidefade.cuda.CudaAccounting}) and releases what is left when it is
 *       closed itself.
 *   <li>A context and everything in it is used by one thread at a time. Another thread takes it
 *       over with {@link dev.sidefade.cuda.CudaContext#takeOver()}; use without that is a {@link
 *       java.lang.WrongThreadException}, use after close an {@link
 *       java.lang.IllegalStateException}.
 *   <li>Device addresses are {@code long}: they cannot be read or written from Java.
 *   <li>What the driver refuses is a {@link dev.sidefade.cuda.CudaException}. Some failures lose
 *       the context; then every later call says so, and close still works.
 * </ul>
 *
 * <p>System properties: {@code dev.sidefade.cuda.driver} names a driver library to load instead of
 * the system's {@code libcuda.so.1}; {@code dev.sidefade.cublas.path} a cuBLAS library or its
 * folder; {@code dev.sidefade.cuda.kernels} a folder of kernel images instead of those in the jar;
 * {@code dev.sidefade.track=true} records where resources were made and closed.
 */
@NullMarked
package dev.sidefade.cuda;

import org.jspecify.annotations.NullMarked;
