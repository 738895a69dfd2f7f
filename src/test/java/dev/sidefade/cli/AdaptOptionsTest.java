package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.AdaptConfig;
import dev.sidefade.GradientMode;
import dev.sidefade.SideKind;
import dev.sidefade.SideView;
import dev.sidefade.TaskKind;
import dev.sidefade.Tune;
import dev.sidefade.distill.Direction;
import dev.sidefade.distill.MaskSchedule;
import dev.sidefade.export.Precision;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.train.KlRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Options of adapt become the configuration that they name. */
class AdaptOptionsTest {
  private static AdaptConfig config(String... options) {
    List<String> all =
        new ArrayList<>(List.of("--backbone", "b.onnx", "--train", "t", "--out", "o"));
    all.addAll(List.of(options));
    return Cli.config(all.toArray(String[]::new));
  }

  private static AdaptConfig.Builder expected() {
    return AdaptConfig.builder().backbone(Path.of("b.onnx")).train("t").out(Path.of("o"));
  }

  @Test
  void withoutOptionsTheLibrarysDefaultsHold() {
    assertEquals(expected().build(), config());
  }

  @Test
  void everyOptionReachesItsSetting() {
    AdaptConfig all =
        config(
            "--unlabelled=u,ul",
            "--val=v",
            "--test",
            "te",
            "--tune",
            "final-norm",
            "--readout",
            "cls+mean",
            "--side",
            "adapter",
            "--side-width",
            "24",
            "--taps",
            "0,2-4",
            "--side-view",
            "tuned",
            "--features",
            "backbone-to-side",
            "--shallow",
            "1-2",
            "--deep",
            "none",
            "--generation-ratio",
            "0.25",
            "--imitation-weight",
            "2",
            "--generation-weight",
            "3",
            "--rank",
            "5",
            "--logits",
            "backbone-to-side",
            "--temperature",
            "1.5",
            "--kl-weight",
            "0.75",
            "--kl-rows",
            "sure",
            "--task",
            "tokens",
            "--tokenizer",
            "t.json",
            "--max-length",
            "77",
            "--lr-low-rank",
            "4e-2",
            "--gradient-memory",
            "taps",
            "--micro-batch",
            "6",
            "--mask-ratio",
            "0.125",
            "--mask-on",
            "input",
            "--mask-schedule",
            "cosine",
            "--epochs",
            "3",
            "--batch",
            "7",
            "--lr-side",
            "1e-2",
            "--lr-head",
            "2e-2",
            "--lr-norm",
            "3e-2",
            "--weight-decay",
            "0.5",
            "--warmup",
            "9",
            "--clip",
            "0",
            "--label-smoothing",
            "0.0625",
            "--backbone-every",
            "2",
            "--patience",
            "4",
            "--mean",
            "0.1,0.2,0.3",
            "--std",
            "0.4",
            "--strict",
            "--seed",
            "-5",
            "--device",
            "cpu",
            "--threads",
            "2",
            "--precision",
            "int8,fp16",
            "--opset",
            "15",
            "--ort",
            "--resume");
    AdaptConfig wanted =
        expected()
            .unlabelled("u,ul")
            .validation("v")
            .test("te")
            .tune(Tune.FINAL_NORM)
            .readout(Pooling.CLS_MEAN)
            .side(SideKind.ADAPTER)
            .sideWidth(24)
            .taps(List.of(0, 2, 3, 4))
            .sideView(SideView.TUNED)
            .features(Direction.BACKBONE_TO_SIDE)
            .shallow(List.of(1, 2))
            .deep(List.of())
            .generationRatio(0.25)
            .imitationWeight(2)
            .generationWeight(3)
            .alignmentRank(5)
            .logits(Direction.BACKBONE_TO_SIDE)
            .temperature(1.5)
            .klWeight(0.75)
            .klAuto(false)
            .klRows(KlRows.SURE)
            .task(TaskKind.TOKENS)
            .tokenizer(Path.of("t.json"))
            .maxLength(77)
            .learningRateLowRank(4e-2)
            .gradientMode(GradientMode.TAPS)
            .microBatch(6)
            .maskRatio(0.125)
            .maskPlacement(MaskPlacement.INPUT)
            .maskSchedule(MaskSchedule.COSINE)
            .epochs(3)
            .batch(7)
            .learningRateSide(1e-2)
            .learningRateHead(2e-2)
            .learningRateNorm(3e-2)
            .weightDecay(0.5)
            .warmupSteps(9)
            .clipNorm(0)
            .labelSmoothing(0.0625)
            .backboneEvery(2)
            .patience(4)
            .mean(List.of(0.1, 0.2, 0.3))
            .std(List.of(0.4))
            .strict(true)
            .seed(-5)
            .device("cpu")
            .threads(2)
            .precision(List.of(Precision.INT8, Precision.FP16))
            .opset(15)
            .ort(true)
            .resume(true)
            .build();
    assertEquals(wanted, all);
    // of images alone
    assertEquals(expected().flip(true).shift(3).build(), config("--flip", "--shift", "3"));
  }

  /** Options that are given in any number and order leave all others at their defaults. */
  @Test
  void anySubsetOfOptionsChangesJustThoseSettings() {
    Map<String, String> defaults = new TreeMap<>(AdaptDefaults.spelled(config()));
    Map<String, String> others = new TreeMap<>();
    others.put("unlabelled", "more");
    others.put("val", "v");
    others.put("test", "te");
    others.put("readout", "mean");
    others.put("side-width", "48");
    others.put("shallow", "1,2");
    others.put("deep", "5");
    others.put("mean", "0.5,0.25");
    others.put("std", "0.125");
    others.put("tune", "biases:2");
    others.put("kl-rows", "unlabelled");
    others.put("gradient-memory", "stored");
    others.put("side", "adapter");
    others.put("taps", "1,3");
    others.put("side-view", "tuned");
    others.put("logits", "off");
    others.put("mask-on", "input");
    others.put("mask-schedule", "linear");
    others.put("device", "cuda");
    others.put("precision", "fp32,int8");
    others.put("opset", "14");
    others.put("ort", "true");
    for (String number :
        List.of(
            "epochs",
            "batch",
            "micro-batch",
            "max-length",
            "rank",
            "warmup",
            "backbone-every",
            "patience",
            "shift",
            "seed",
            "threads")) {
      others.put(number, "3");
    }
    for (String share :
        List.of(
            "generation-ratio",
            "imitation-weight",
            "generation-weight",
            "temperature",
            "kl-weight",
            "mask-ratio",
            "lr-side",
            "lr-head",
            "lr-norm",
            "lr-low-rank",
            "weight-decay",
            "clip",
            "label-smoothing")) {
      others.put(share, "0.75");
    }
    Random random = new Random(1);
    for (int run = 0; run < 60; run++) {
      Map<String, String> wanted = new TreeMap<>(defaults);
      List<String> options = new ArrayList<>();
      for (String key : others.keySet()) {
        if (random.nextInt(4) == 0) {
          wanted.put(key, others.get(key));
          int at = random.nextInt(options.size() + 1);
          options.add(at, "--" + key + "=" + others.get(key));
        }
      }
      assertEquals(
          wanted, new TreeMap<>(AdaptDefaults.spelled(config(options.toArray(String[]::new)))));
    }
  }

  @Test
  void flagsCanBeTakenBack() {
    assertTrue(config("--flip").flip());
    assertFalse(config("--no-flip").flip());
    assertTrue(config("--strict").strict());
    assertFalse(config("--no-strict").strict());
    assertTrue(config("--ort").ort());
    assertFalse(config("--no-ort").ort());
    assertTrue(config("--resume").resume());
  }

  @Test
  void everyConstantOfEveryChoiceCanBeWritten() {
    for (TaskKind task : TaskKind.values()) {
      String[] tokenizer = task.isText() ? new String[] {"--tokenizer=t"} : new String[0];
      List<String> options = new ArrayList<>(List.of(tokenizer));
      options.addAll(List.of("--task", Choice.text(task)));
      assertEquals(task, config(options.toArray(String[]::new)).task());
    }
    for (GradientMode mode : GradientMode.values()) {
      assertEquals(mode, config("--gradient-memory", Choice.text(mode)).gradientMode());
    }
    for (KlRows rows : KlRows.values()) {
      assertEquals(rows, config("--kl-rows", Choice.text(rows)).klRows());
    }
    for (Pooling pooling : SidefadeCommand.READOUTS) {
      assertEquals(Optional.of(pooling), config("--readout", Choice.text(pooling)).readout());
    }
    for (Direction direction : Direction.values()) {
      assertEquals(direction, config("--features", Choice.text(direction)).features());
      assertEquals(direction, config("--logits", Choice.text(direction)).logits());
    }
    assertEquals(
        List.of("cls", "mean", "cls+mean"),
        SidefadeCommand.READOUTS.stream().map(Choice::text).toList());
    assertEquals(
        List.of("backbone-to-side", "side-to-backbone", "off"), Choice.texts(Direction.class));
    assertEquals(SideKind.NONE, config("--side", "none").side());
    assertEquals("auto", config("--device=auto").device());
  }

  @Test
  void whatToTuneIsReadByTheLibrary() {
    for (Tune tune :
        List.of(
            Tune.NONE,
            Tune.HEAD,
            Tune.FINAL_NORM,
            Tune.NORMS,
            Tune.NORMS.inLastBlocks(3),
            Tune.BIASES,
            Tune.BIASES.inLastBlocks(1),
            Tune.lowRank(8),
            Tune.lowRank(2).inLastBlocks(5))) {
      assertEquals(tune, config("--tune", tune.toString()).tune());
    }
    assertEquals(Tune.lowRank(4), config().tune());
  }

  @Test
  void theWeightOfTheDistillationFollowsOrStays() {
    assertTrue(config().klAuto());
    assertEquals(1, config().klWeight());
    assertTrue(config("--kl-weight=auto:0.5").klAuto());
    assertEquals(0.5, config("--kl-weight=auto:0.5").klWeight());
    assertFalse(config("--kl-weight=1").klAuto());
    for (String spelling : List.of("auto", "auto:0.5", "2.0", "0.0")) {
      AdaptConfig config = config("--kl-weight", spelling);
      assertEquals(spelling, AdaptDefaults.spelled(config).get("kl-weight"));
    }
  }

  @Test
  void allTapsIsTheEmptyList() {
    assertEquals(List.of(), config("--taps", "all").taps());
    assertEquals(IntStream.rangeClosed(0, 12).boxed().toList(), config("--taps", "0-12").taps());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--tune|FINAL_NORM|what to tune is 'FINAL_NORM', but one of these was expected: none, head",
        "--tune|low-rank|one of these was expected",
        "--tune|low-rank:0|a rank of 0",
        "--tune|low-rank:4:0|cannot be tuned in 0 blocks",
        "--tune|head:2|one of these was expected",
        "--tune|norms:many|one of these was expected",
        "--task|audio|expected one of image, text, regression, tokens",
        "--task|text|give its tokenizer.json with --tokenizer",
        "--tokenizer|t.json|the task is image",
        "--max-length|-1|must not be negative",
        "--kl-weight|often|expected auto, a number such as 0.5, or both as in auto:0.5",
        "--kl-weight|auto:|expected auto",
        "--kl-weight|-1|KL weight must not be negative",
        "--kl-weight|auto:NaN|expected auto",
        "--kl-rows|none|expected one of all, unlabelled, sure",
        "--lr-low-rank|-1|must not be negative",
        "--gradient-memory|some|expected one of auto, stored, taps",
        "--micro-batch|-2|micro-batch must not be negative",
        "--readout|cls_mean|expected one of cls, mean, cls+mean",
        "--side|lstm|expected one of transformer, adapter, none",
        "--side-view|both|expected one of frozen, tuned",
        "--features|on|expected one of backbone-to-side, side-to-backbone, off",
        "--logits|both|expected one of backbone-to-side",
        "--mask-on|tokens|expected one of state, input",
        "--mask-schedule|exp|expected one of constant, linear, cosine",
        "--device|tpu|expected one of cpu, cuda, auto",
        "--precision|fp8|expected one of fp32, fp16, int8",
        "--precision|int8,int8|each once",
        "--opset|12|opset 13 or later",
        "--opset|old|'old' is not an int",
        "--epochs|many|'many' is not an int",
        "--epochs|0|epochs and batch must be at least 1",
        "--seed|1.5|'1.5' is not a long",
        "--lr-side|fast|'fast' is not a double",
        "--lr-head|-1|must not be negative",
        "--lr-norm|NaN|must not be negative",
        "--temperature|0|temperature must be positive",
        "--mask-ratio|1|mask ratio must be at least 0 and below 1",
        "--generation-ratio|-0.1|generation ratio",
        "--label-smoothing|2|label smoothing",
        "--taps|1;2|expected numbers of taps such as 0,2,4 or 1-3",
        "--taps|none|--taps names no tap",
        "--taps|3-1|goes down",
        "--taps|1,1-2|named twice",
        "--shallow|all|takes numbers of taps",
        "--deep|99999|expected numbers of taps",
        "--mean|0.5;0.5|is not a double",
        "--features|side-to-backbone|"
      })
  void wrongValuesAreRefusedInOneSentence(String option, String value, String says) {
    List<String> args =
        new ArrayList<>(List.of("adapt", "--backbone=b", "--train=t", "--out=o", option, value));
    if (says == null) {
      args.add("--tune=head");
      says = "needs --tune final-norm";
    }
    String sentence = Cli.run(args.toArray(String[]::new)).refusal();
    assertTrue(sentence.contains(says), sentence);
  }

  @Test
  void missingAndUnknownOptionsAreNamed() {
    String missing = Cli.run("adapt", "--train", "t").refusal();
    assertTrue(missing.contains("--backbone") && missing.contains("--out"), missing);
    assertFalse(missing.contains("--train"), missing);
    String unknown =
        Cli.run("adapt", "--backbone=b", "--train=t", "--out=o", "--epoch=3").refusal();
    assertTrue(unknown.contains("--epoch=3") && unknown.contains("did you mean --epochs"), unknown);
    String twice =
        Cli.run("adapt", "--backbone=b", "--train=t", "--out=o", "--seed=1", "--seed=2").refusal();
    assertTrue(twice.contains("--seed"), twice);
    String both =
        Cli.run("adapt", "--backbone=b", "--train=t", "--out=o", "--flip", "--no-flip").refusal();
    assertTrue(both.contains("flip"), both);
    String surplus = Cli.run("adapt", "--backbone=b", "--train=t", "--out=o", "surplus").refusal();
    assertTrue(surplus.contains("surplus"), surplus);
  }
}
