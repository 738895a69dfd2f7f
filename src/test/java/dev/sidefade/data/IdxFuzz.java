package dev.sidefade.data;

import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.Mutator;
import dev.sidefade.fuzz.ScratchFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** IDX images with labels, plain and packed; a damaged file is the images or the labels. */
public final class IdxFuzz implements FuzzTarget {
  private static final ImageSpec SPEC = TestImages.spec(3, 4, 4);

  private final ScratchFolder scratch;
  private final Path images;
  private final Path labels;
  private final Path damaged;
  private final Mutator plain;
  private final Mutator packed;

  /** Makes the folder of the files. */
  public IdxFuzz() throws IOException {
    scratch = ScratchFolder.create();
    byte[] grey = TestImages.idx(TestImages.bytes(27, 1), 3, 3, 3);
    byte[] colour = TestImages.idx(TestImages.bytes(36, 2), 3, 2, 2, 3);
    byte[] classes = TestImages.idx(new byte[] {0, 2, 1}, 3);
    images = Files.write(scratch.path().resolve("images"), grey);
    labels = Files.write(scratch.path().resolve("labels"), classes);
    damaged = scratch.path().resolve("damaged");
    List<byte[]> samples = List.of(grey, colour, classes);
    plain = new Mutator(samples, List.of("\0\0\b\3", "\0\0\b\1", "\0\0\b\4"));
    packed =
        new Mutator(
            List.of(TestImages.gzip(grey), TestImages.gzip(colour), TestImages.gzip(classes)),
            List.of());
  }

  @Override
  public String name() {
    return "idx";
  }

  /** Plain, packed after the damage, and damaged after packing. */
  @Override
  public byte[] mutant(RandomGenerator random) {
    return switch (random.nextInt(3)) {
      case 0 -> plain.mutant(random);
      case 1 -> TestImages.gzip(plain.mutant(random));
      default -> packed.mutant(random);
    };
  }

  @Override
  public void read(byte[] input) throws IOException {
    Files.write(damaged, input);
    boolean areLabels = input.length % 4 == 0;
    try (ImageSource source =
        IdxSource.open(
            areLabels ? images : damaged,
            areLabels ? Optional.of(damaged) : Optional.empty(),
            ImageSources.Options.DEFAULT)) {
      float[] pixels = new float[3 * 4 * 4];
      for (int i = 0; i < Math.min(5, source.size()); i++) {
        source.decode(i, SPEC, pixels, 0);
        source.label(i);
      }
    }
  }

  @Override
  public void close() throws IOException {
    scratch.close();
  }
}
