package dev.sidefade.train;

import dev.sidefade.data.Augmentation;
import dev.sidefade.data.BatchLoader;
import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSpec;
import java.util.Map;

/**
 * Images, decoded ahead.
 *
 * @param images where they come from
 * @param spec what the backbone wants
 * @param augmentation what is changed in training
 * @param seed of the augmentation
 * @param input name of the backbone's input
 */
public record ImageExamples(
    ImageSource images, ImageSpec spec, Augmentation augmentation, long seed, String input)
    implements ExampleSet {
  @Override
  public int size() {
    return images.size();
  }

  @Override
  public boolean labelled(int example) {
    return images.label(example) >= 0;
  }

  @Override
  public int tokens(int example) {
    return 0;
  }

  @Override
  public int paddedTokens(int longest) {
    return 0;
  }

  @Override
  public Targets targets(int[] examples, int tokens) {
    int[] labels = new int[examples.length];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = images.label(examples[i]);
    }
    return Targets.classes(labels);
  }

  @Override
  public Loader load(long epoch, int[] order, int rows) {
    BatchLoader loader = new BatchLoader(images, spec, augmentation, seed, epoch, order, rows);
    return new Loader() {
      @Override
      public Loaded next() {
        BatchLoader.Batch batch =
            loader
                .next()
                .orElseThrow(() -> new IllegalStateException("the epoch has no more batches"));
        return new Loaded(Map.of(input, batch.images()), batch.indices(), 0, null);
      }

      @Override
      public void close() {
        loader.close();
      }
    };
  }
}
