package dev.sidefade.train;

import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSpec;
import dev.sidefade.tensor.CounterRandom;
import java.util.List;
import java.util.stream.IntStream;

/** Images of noise, labels going round. */
record NoiseImages(int size, int classes, long seed) implements ImageSource {
  @Override
  public int label(int i) {
    return i % classes;
  }

  @Override
  public List<String> classNames() {
    return IntStream.range(0, classes).mapToObj(c -> "class " + c).toList();
  }

  @Override
  public String name(int i) {
    return "noise " + seed + "." + i;
  }

  @Override
  public void decode(int i, ImageSpec spec, float[] out, int offset) {
    for (int k = 0; k < spec.size(); k++) {
      out[offset + k] = CounterRandom.normal(seed, i, k);
    }
  }

  @Override
  public int skipped() {
    return 0;
  }

  @Override
  public List<String> skippedReasons() {
    return List.of();
  }

  @Override
  public void close() {}
}
