package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Defaults of the options of {@code adapt} and {@code compare}: those of the library, and before
 * them those of a settings file.
 */
final class AdaptDefaults implements IDefaultValueProvider {
  /** What the library decides by the task when it is not told. */
  static final List<String> BY_TASK =
      List.of("epochs", "lr-side", "lr-head", "lr-norm", "lr-low-rank");

  private final Map<String, String> values;

  private AdaptDefaults(Map<String, String> values) {
    this.values = Map.copyOf(values);
  }

  /** The library's defaults below those of a file. */
  static AdaptDefaults over(Optional<ConfigFile> file) {
    AdaptConfig library =
        AdaptConfig.builder().backbone(Path.of("-")).train("-").out(Path.of("-")).build();
    Map<String, String> values = new HashMap<>(spelled(library));
    List.of("backbone", "train", "out").forEach(values::remove);
    BY_TASK.forEach(values::remove);
    file.ifPresent(f -> values.putAll(f.values()));
    return new AdaptDefaults(values);
  }

  @Override
  public String defaultValue(ArgSpec argument) {
    return argument instanceof OptionSpec option ? values.get(ConfigFile.key(option)) : null;
  }

  /**
   * A configuration as options, by name without the dashes; options that are not set are left out.
   */
  static Map<String, String> spelled(AdaptConfig config) {
    Map<String, String> values = new HashMap<>();
    files(config, values);
    method(config, values);
    paths(config, values);
    training(config, values);
    exports(config, values);
    return values;
  }

  private static void files(AdaptConfig config, Map<String, String> values) {
    values.put("backbone", config.backbone().toString());
    values.put("task", Choice.text(config.task()));
    config.tokenizer().ifPresent(file -> values.put("tokenizer", file.toString()));
    values.put("max-length", String.valueOf(config.maxLength()));
    values.put("train", config.train());
    values.put("out", config.out().toString());
    config.unlabelled().ifPresent(source -> values.put("unlabelled", source));
    config.validation().ifPresent(source -> values.put("val", source));
    config.test().ifPresent(source -> values.put("test", source));
    values.put("flip", String.valueOf(config.flip()));
    values.put("token-dropout", String.valueOf(config.tokenDropout()));
    values.put("shift", String.valueOf(config.shift()));
    if (!config.mean().isEmpty()) {
      values.put("mean", joined(config.mean()));
    }
    if (!config.std().isEmpty()) {
      values.put("std", joined(config.std()));
    }
    values.put("strict", String.valueOf(config.strict()));
    values.put("seed", String.valueOf(config.seed()));
    values.put("device", config.device());
    values.put("threads", String.valueOf(config.threads()));
    values.put("resume", String.valueOf(config.resume()));
  }

  private static void exports(AdaptConfig config, Map<String, String> values) {
    values.put(
        "precision",
        config.precision().stream().map(Choice::text).collect(Collectors.joining(",")));
    config.opset().ifPresent(opset -> values.put("opset", String.valueOf(opset)));
    values.put("ort", String.valueOf(config.ort()));
  }

  private static void method(AdaptConfig config, Map<String, String> values) {
    values.put("tune", config.tune().toString());
    config.readout().ifPresent(pooling -> values.put("readout", Choice.text(pooling)));
    values.put("side", Choice.text(config.side()));
    config.sideWidth().ifPresent(width -> values.put("side-width", String.valueOf(width)));
    values.put("side-view", Choice.text(config.sideView()));
    values.put("taps", new LayerList(config.taps().isEmpty(), config.taps()).toString());
  }

  private static void paths(AdaptConfig config, Map<String, String> values) {
    values.put("features", Choice.text(config.features()));
    config
        .shallow()
        .ifPresent(taps -> values.put("shallow", new LayerList(false, taps).toString()));
    config.deep().ifPresent(taps -> values.put("deep", new LayerList(false, taps).toString()));
    values.put("generation-ratio", String.valueOf(config.generationRatio()));
    values.put("imitation-weight", String.valueOf(config.imitationWeight()));
    values.put("generation-weight", String.valueOf(config.generationWeight()));
    values.put("rank", String.valueOf(config.alignmentRank()));
    values.put("logits", Choice.text(config.logits()));
    values.put("temperature", String.valueOf(config.temperature()));
    values.put("kl-weight", new KlChoice(config.klAuto(), config.klWeight()).toString());
    values.put("kl-rows", Choice.text(config.klRows()));
    values.put("teacher", Choice.text(config.teacher()));
    values.put("teacher-average", String.valueOf(config.teacherAverage()));
    values.put("side-ahead", String.valueOf(config.sideAhead()));
    values.put("mask-ratio", String.valueOf(config.maskRatio()));
    values.put("mask-on", Choice.text(config.maskPlacement()));
    values.put("mask-schedule", Choice.text(config.maskSchedule()));
  }

  private static void training(AdaptConfig config, Map<String, String> values) {
    values.put("epochs", String.valueOf(config.epochs()));
    values.put("batch", String.valueOf(config.batch()));
    values.put("lr-side", String.valueOf(config.learningRateSide()));
    values.put("lr-head", String.valueOf(config.learningRateHead()));
    values.put("lr-norm", String.valueOf(config.learningRateNorm()));
    values.put("lr-low-rank", String.valueOf(config.learningRateLowRank()));
    values.put("gradient-memory", Choice.text(config.gradientMode()));
    values.put("micro-batch", String.valueOf(config.microBatch()));
    values.put("weight-decay", String.valueOf(config.weightDecay()));
    values.put("warmup", String.valueOf(config.warmupSteps()));
    values.put("clip", String.valueOf(config.clipNorm()));
    values.put("label-smoothing", String.valueOf(config.labelSmoothing()));
    values.put("measure-unlabelled", String.valueOf(config.measureUnlabelled()));
    values.put("backbone-every", String.valueOf(config.backboneEvery()));
    values.put("patience", String.valueOf(config.patience()));
  }

  private static String joined(List<Double> numbers) {
    return numbers.stream().map(String::valueOf).collect(Collectors.joining(","));
  }
}
