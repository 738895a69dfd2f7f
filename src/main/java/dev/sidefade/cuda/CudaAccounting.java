package dev.sidefade.cuda;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What is alive in a context: everything that was made in it and not closed. A program that cleans
 * up behind itself ends with {@link #isClear()}.
 *
 * <p>With {@code -Ddev.sidefade.track=true} every resource remembers where it was made and closed.
 */
public final class CudaAccounting {
  /** Set to true, it records where resources are made and closed. */
  public static final String TRACK_PROPERTY = "dev.sidefade.track";

  private final boolean tracking = Boolean.getBoolean(TRACK_PROPERTY);
  private final Map<CudaResource.Kind, Integer> counts = new EnumMap<>(CudaResource.Kind.class);
  // in the order in which they were made, so that the latest can be released first
  private final Set<CudaResource> alive = new LinkedHashSet<>();
  private long deviceBytes;
  private long peakDeviceBytes;
  private long pinnedBytes;

  CudaAccounting() {}

  void add(CudaResource resource) {
    alive.add(resource);
    count(resource, 1);
    peakDeviceBytes = Math.max(peakDeviceBytes, deviceBytes);
  }

  void remove(CudaResource resource) {
    if (alive.remove(resource)) {
      count(resource, -1);
    }
  }

  private void count(CudaResource resource, int sign) {
    counts.merge(resource.kind(), sign, Integer::sum);
    switch (resource.kind()) {
      case DEVICE_BUFFER -> deviceBytes += sign * resource.countedBytes();
      case PINNED_BUFFER -> pinnedBytes += sign * resource.countedBytes();
      case STREAM, FOREIGN_STREAM, EVENT, MODULE, GRAPH, POOL, CUBLAS -> {}
    }
  }

  boolean tracking() {
    return tracking;
  }

  List<CudaResource> latestFirst() {
    List<CudaResource> all = new ArrayList<>(alive);
    Collections.reverse(all);
    return all;
  }

  private int count(CudaResource.Kind kind) {
    return counts.getOrDefault(kind, 0);
  }

  /** {@return bytes of device memory in open buffers} */
  public long deviceBytes() {
    return deviceBytes;
  }

  /** {@return largest value of {@link #deviceBytes()} so far, or since {@link #resetPeak()}} */
  public long peakDeviceBytes() {
    return peakDeviceBytes;
  }

  /** Starts a new measurement of {@link #peakDeviceBytes()}. */
  public void resetPeak() {
    peakDeviceBytes = deviceBytes;
  }

  /** {@return bytes of pinned host memory in open buffers} */
  public long pinnedBytes() {
    return pinnedBytes;
  }

  /** {@return number of open buffers on the device} */
  public int deviceBuffers() {
    return count(CudaResource.Kind.DEVICE_BUFFER);
  }

  /** {@return number of open buffers of pinned host memory} */
  public int pinnedBuffers() {
    return count(CudaResource.Kind.PINNED_BUFFER);
  }

  /** {@return number of open streams that were made here; wrapped ones belong to somebody else} */
  public int streams() {
    return count(CudaResource.Kind.STREAM);
  }

  /** {@return number of open events} */
  public int events() {
    return count(CudaResource.Kind.EVENT);
  }

  /** {@return number of loaded modules of kernels} */
  public int modules() {
    return count(CudaResource.Kind.MODULE);
  }

  /** {@return number of open graphs} */
  public int graphs() {
    return count(CudaResource.Kind.GRAPH);
  }

  /** {@return number of open memory pools} */
  public int pools() {
    return count(CudaResource.Kind.POOL);
  }

  /** {@return number of open cuBLAS handles} */
  public int cublasHandles() {
    return count(CudaResource.Kind.CUBLAS);
  }

  /** {@return whether nothing is alive} */
  public boolean isClear() {
    return alive.isEmpty();
  }

  /**
   * {@return one entry per resource that is alive, in the order in which they were made; with
   * tracking each says where it was made}
   */
  public List<String> alive() {
    return alive.stream().map(CudaAccounting::entry).toList();
  }

  private static String entry(CudaResource resource) {
    Throwable made = resource.made();
    if (made == null) {
      return resource.toString();
    }
    StringWriter text = new StringWriter();
    made.printStackTrace(new PrintWriter(text, true));
    return resource + ", " + text;
  }

  /** All counts in one line, for people. */
  @Override
  public String toString() {
    return deviceBytes
        + " device bytes in "
        + deviceBuffers()
        + " buffers, "
        + pinnedBytes
        + " pinned bytes in "
        + pinnedBuffers()
        + " buffers, "
        + streams()
        + " streams, "
        + events()
        + " events, "
        + modules()
        + " modules, "
        + graphs()
        + " graphs, "
        + pools()
        + " pools, "
        + cublasHandles()
        + " cuBLAS handles";
  }
}
