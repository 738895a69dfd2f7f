package dev.sidefade.bench;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.GradientMemory;
import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.backbone.TrunkSpec;
import dev.sidefade.backbone.TunableConstant;
import dev.sidefade.backbone.TunedTrunk;
import dev.sidefade.backbone.TunedTrunkSpec;
import dev.sidefade.backbone.Tuning;
import dev.sidefade.bench.tables.Workload;
import dev.sidefade.export.Export;
import dev.sidefade.export.FadedModel;
import dev.sidefade.export.ModelCard;
import dev.sidefade.export.TunedModel;
import dev.sidefade.export.TunedTail;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.train.ExampleSet;
import dev.sidefade.train.FeatureCache;
import dev.sidefade.train.FeatureFeed;
import dev.sidefade.train.FeatureSource;
import dev.sidefade.train.LiveFeatures;
import dev.sidefade.train.Targets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * The shipped backbone, 64 images: what its forward pass and its gradients cost, and its features
 * from a cache instead; and its export.
 */
public class BackboneBenchmark extends OnDevice {
  private static final int BATCH = 64;
  private static final int EXAMPLES = 8 * BATCH;

  private Path folder;
  private Backbone backbone;
  private Trunk trunk;
  private TunedTrunk norms;
  private TunedTrunk lowRank;
  private LiveFeatures live;
  private FeatureCache cache;
  private Tensor images;
  private List<Tensor> results;
  private Runnable normGradients;
  private Runnable lowRankGradients;
  private int[] order;
  private TunedModel tuned;
  private ModelCard card;

  @Override
  void prepare() {
    try {
      folder = Files.createTempDirectory("sidefade-backbone");
      backbone = Backbone.load(Shipped.backbone(folder));
      List<Integer> taps = taps();
      trunk = backbone.openTrunk(TrunkSpec.of(threads, taps));
      images = random(EXAMPLES, backbone.channels(), backbone.height(), backbone.width());
      results = results(trunk.outputs());
      norms = open(Tuning.norms());
      lowRank = open(Tuning.lowRank(GradientCase.RANK));
      normGradients = gradients(norms);
      lowRankGradients = gradients(lowRank);
      float[] head = new float[2 * backbone.width(0) * Workload.CLASSES];
      tuned = TunedModel.of(TunedTail.head(Pooling.CLS_MEAN, head, new float[Workload.CLASSES]));
      card =
          new ModelCard(
              ModelCard.Kind.FADED,
              "benchmark",
              List.of(),
              Optional.of(backbone.preprocessing()),
              backbone.hash(),
              "{}");
      order = IntStream.range(0, EXAMPLES).toArray();
      live = live();
      cache =
          FeatureCache.fill(
              live, taps.size(), BATCH, opened, Long.MAX_VALUE, folder, examples -> {});
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private List<Integer> taps() {
    return IntStream.rangeClosed(0, backbone.structure().blocks()).boxed().toList();
  }

  private TunedTrunk open(Tuning tuning) {
    return TunedTrunk.open(
        backbone, new TunedTrunkSpec(threads, taps(), tuning, GradientMemory.STORED));
  }

  private List<Tensor> results(List<TrunkOutput> outputs) {
    List<Tensor> tensors = new ArrayList<>();
    outputs.forEach(output -> tensors.add(zeros(output.shape(BATCH))));
    return tensors;
  }

  private Tensor batch() {
    long each = images.size() / EXAMPLES;
    return images.slice(
        0,
        BATCH,
        backbone.channels(),
        backbone.height(),
        each / backbone.channels() / backbone.height());
  }

  private Runnable gradients(TunedTrunk tuned) {
    Map<String, Tensor> constants = new LinkedHashMap<>();
    Map<String, Tensor> gradients = new LinkedHashMap<>();
    for (TunableConstant constant : tuned.constants()) {
      Tensor values = opened.allocateHost(DType.F32, constant.shape());
      constant.present().ifPresent(present -> values.setFloats(present.floats()));
      constants.put(constant.name(), owned(values));
      gradients.put(constant.name(), owned(opened.allocateHost(DType.F32, constant.shape())));
    }
    List<Tensor> outputs = results(tuned.outputs());
    Tensor seed = random(tuned.outputs().get(tuned.finalInput()).shape(BATCH));
    Map<String, Tensor> inputs = Map.of(backbone.inputName(), batch());
    return () -> {
      tuned.forwardForGradient(inputs, constants, BATCH, outputs);
      tuned.backward(seed, gradients);
    };
  }

  private LiveFeatures live() {
    return new LiveFeatures(
        new Images(images, backbone.inputName(), (int) images.dim(0)),
        FeatureSource.of(trunk),
        taps().size(),
        BATCH,
        opened);
  }

  /** Images that lie in memory: decoding is not what is measured. */
  private record Images(Tensor all, String input, int size) implements ExampleSet {
    @Override
    public boolean labelled(int example) {
      return true;
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
      return Targets.classes(new int[examples.length]);
    }

    @Override
    public Loader load(long epoch, int[] order, int rows) {
      long each = all.size() / size;
      return new Loader() {
        private int position;

        @Override
        public Loaded next() {
          int[] batch = java.util.Arrays.copyOfRange(order, position, position + rows);
          position += rows;
          Tensor images = all.slice(batch[0] * each, rows, all.dim(1), all.dim(2), all.dim(3));
          return new Loaded(Map.of(input, images), batch, 0, null);
        }

        @Override
        public void close() {}
      };
    }
  }

  /** All taps of a batch. */
  @Benchmark
  public void forward() {
    trunk.run(batch(), BATCH, results);
  }

  /** Forward and backward with the gradients of all norms. */
  @Benchmark
  public void gradientsOfNorms() {
    normGradients.run();
  }

  /** Forward and backward with those of rank-4 changes too. */
  @Benchmark
  public void gradientsOfLowRank() {
    lowRankGradients.run();
  }

  /** A batch of features, computed. */
  @Benchmark
  public int featuresLive() {
    return next(live);
  }

  /** A batch of features out of the cache. */
  @Benchmark
  public int featuresCached() {
    return next(cache);
  }

  /** The faded model with a new head, built and written. */
  @Benchmark
  public void export() throws IOException {
    Export.write(FadedModel.build(backbone, tuned, card), folder.resolve("exported.onnx"));
  }

  private int next(FeatureFeed feed) {
    feed.start(0, order, BATCH);
    return feed.next().size();
  }

  @Override
  void finish() {
    cache.close();
    live.close();
    norms.close();
    lowRank.close();
    trunk.close();
    backbone.close();
    try {
      Shipped.delete(folder);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
