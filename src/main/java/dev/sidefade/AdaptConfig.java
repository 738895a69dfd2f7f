package dev.sidefade;

import dev.sidefade.distill.Direction;
import dev.sidefade.distill.MaskSchedule;
import dev.sidefade.export.ExportPlan;
import dev.sidefade.export.Precision;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.train.KlRows;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Everything that decides what {@link Sidefade#adapt} does. Made by {@link #builder()}; a
 * configuration that cannot work is refused by {@link Builder#build()}.
 *
 * @param backbone the pretrained ONNX model
 * @param task what the examples are and what is learned of them
 * @param tokenizer the {@code tokenizer.json} that belongs to a text backbone; needed for texts
 * @param maxLength tokens after which texts are cut; 0 = the length that the tokenizer names, else
 *     512, and never more than the backbone allows
 * @param train labelled examples: a class-folder tree, an IDX images file or a list file; for texts
 *     a TSV or CSV file with a header, for {@link TaskKind#TOKENS} a CoNLL file
 * @param unlabelled more examples, whose labels are not looked at
 * @param validation examples that choose between models; split off the training examples when
 *     absent
 * @param test examples that are only measured
 * @param out folder of the results
 * @param tune which constants of the backbone are tuned
 * @param readout how tokens become one row; the backbone's own way when absent
 * @param side which side network
 * @param sideWidth D_S; a quarter of the backbone's width when absent
 * @param taps which block outputs the side network reads, 0 being the embeddings; all when empty
 * @param sideView whether the side network reads the pretrained or the tuned backbone
 * @param features direction of the feature path
 * @param shallow taps that are imitated; the first third when absent
 * @param deep taps that are generated from masked tokens; the last third when absent
 * @param generationRatio share of tokens removed for the generation
 * @param imitationWeight factor of the imitation loss
 * @param generationWeight factor of the generation loss
 * @param alignmentRank rank of the map between the two widths
 * @param logits direction of the logit path
 * @param temperature of the distillation
 * @param klWeight factor of the distillation
 * @param klAuto whether that factor goes from 0 to {@code klWeight}, the more the teacher leads on
 *     validation
 * @param klRows which rows the teacher speaks to
 * @param teacher who teaches predictions to the backbone
 * @param teacherAverage decay of the running mean of the side network that teaches instead of the
 *     present one; 0 = the present one teaches. Where the backbone teaches itself, of its own mean,
 *     and 0 stands for 0.99
 * @param sideAhead epochs that the side network learns before the backbone begins
 * @param maskRatio share of tokens masked in the ladder
 * @param maskPlacement where that mask acts
 * @param maskSchedule how the share changes over training
 * @param epochs passes over the training examples; 40, for texts 6, unless the builder was told
 * @param batch examples per step
 * @param learningRateSide of the side network; 0.003 unless the builder was told
 * @param learningRateHead of the output layer; 0.003, for texts 0.001, likewise
 * @param learningRateNorm of the backbone's layer norms and biases; 0.005, for texts 0.002,
 *     likewise
 * @param learningRateLowRank of the low-rank changes of the backbone's weights; 0.005, for texts
 *     0.001, likewise
 * @param gradientMode what is kept for gradients inside the backbone
 * @param microBatch rows that go through the backbone at once when its inside is tuned; 0 = all
 * @param weightDecay decoupled, not on biases, norms, gates and mask tokens
 * @param warmupSteps steps over which the learning rates rise, at most a quarter of all
 * @param clipNorm largest norm of a gradient; 0 = not clipped
 * @param measureUnlabelled whether the same training is also run without the unlabelled rows, as
 *     many steps over the labelled ones alone, so that the report can say what they are worth
 * @param labelSmoothing of the cross-entropy
 * @param backboneEvery the backbone's constants are updated every so many steps
 * @param patience epochs without a better validation accuracy after which training stops; 0 = never
 * @param flip whether images are flipped at random
 * @param shift largest random shift of an image in pixels
 * @param tokenDropout share of a text's tokens that are hidden from the backbone at random while
 *     its inside learns
 * @param mean of the images, instead of what stands beside the model; empty = not given
 * @param std of the images, likewise
 * @param strict whether one unreadable image ends the run
 * @param seed of all random numbers
 * @param device "cpu", "cuda" or "auto"
 * @param threads of the CPU; 0 = all
 * @param resume whether to go on from the checkpoint in {@code out}
 * @param precision of the files that are exported; {@code model.onnx} is fp32 whatever is asked,
 *     others lie beside it
 * @param opset that those files are written in, from 13; the backbone's own when absent
 * @param ort whether they are written in ONNX Runtime's own format too
 */
public record AdaptConfig(
    Path backbone,
    TaskKind task,
    Optional<Path> tokenizer,
    int maxLength,
    String train,
    Optional<String> unlabelled,
    Optional<String> validation,
    Optional<String> test,
    Path out,
    Tune tune,
    Optional<Pooling> readout,
    SideKind side,
    Optional<Integer> sideWidth,
    List<Integer> taps,
    SideView sideView,
    Direction features,
    Optional<List<Integer>> shallow,
    Optional<List<Integer>> deep,
    double generationRatio,
    double imitationWeight,
    double generationWeight,
    int alignmentRank,
    Direction logits,
    double temperature,
    double klWeight,
    boolean klAuto,
    KlRows klRows,
    TeacherKind teacher,
    double teacherAverage,
    int sideAhead,
    double maskRatio,
    MaskPlacement maskPlacement,
    MaskSchedule maskSchedule,
    int epochs,
    int batch,
    double learningRateSide,
    double learningRateHead,
    double learningRateNorm,
    double learningRateLowRank,
    GradientMode gradientMode,
    int microBatch,
    double weightDecay,
    int warmupSteps,
    double clipNorm,
    boolean measureUnlabelled,
    double labelSmoothing,
    int backboneEvery,
    int patience,
    boolean flip,
    int shift,
    double tokenDropout,
    List<Double> mean,
    List<Double> std,
    boolean strict,
    long seed,
    String device,
    int threads,
    boolean resume,
    List<Precision> precision,
    Optional<Integer> opset,
    boolean ort) {

  /** Copies the lists; refuses values that cannot work, naming them. */
  public AdaptConfig {
    taps = List.copyOf(taps);
    mean = List.copyOf(mean);
    std = List.copyOf(std);
    precision = List.copyOf(precision);
    ConfigChecks.checkExports(new ExportPlan(precision, opset, ort), tune);
    ConfigChecks.check(epochs, batch, tune, side, features, logits);
    ConfigChecks.share("generation ratio", generationRatio);
    ConfigChecks.share("mask ratio", maskRatio);
    ConfigChecks.share("decay of the teacher's mean", teacherAverage);
    ConfigChecks.checkTeacher(teacher, tune, logits);
    ConfigChecks.share("token dropout", tokenDropout);
    ConfigChecks.checkDropout(tokenDropout, task);
    ConfigChecks.checkChanges(flip, shift, task);
    ConfigChecks.checkSmoothing(labelSmoothing, task);
    ConfigChecks.notNegative("number of epochs ahead", sideAhead);
    ConfigChecks.checkAhead(sideAhead, epochs, tune, side);
    ConfigChecks.share("label smoothing", labelSmoothing);
    ConfigChecks.positive("temperature", temperature);
    ConfigChecks.notNegative("KL weight", klWeight);
    ConfigChecks.notNegative("learning rate of the side network", learningRateSide);
    ConfigChecks.notNegative("learning rate of the head", learningRateHead);
    ConfigChecks.notNegative("learning rate of the norm", learningRateNorm);
    ConfigChecks.notNegative("learning rate of the low-rank changes", learningRateLowRank);
    ConfigChecks.notNegative("micro-batch", microBatch);
    ConfigChecks.notNegative("largest length", maxLength);
    ConfigChecks.checkTask(task, tokenizer);
    ConfigChecks.notNegative("weight decay", weightDecay);
    ConfigChecks.notNegative("clip norm", clipNorm);
    ConfigChecks.notNegative("imitation weight", imitationWeight);
    ConfigChecks.notNegative("generation weight", generationWeight);
    ConfigChecks.positive("alignment rank", alignmentRank);
    ConfigChecks.positive("update interval of the backbone", backboneEvery);
    ConfigChecks.notNegative("number of threads", threads);
    ConfigChecks.notNegative("patience", patience);
    ConfigChecks.notNegative("shift", shift);
    ConfigChecks.notNegative("number of warm-up steps", warmupSteps);
  }

  /** What is exported beside {@code model.onnx}. */
  ExportPlan exports() {
    return new ExportPlan(precision, opset, ort);
  }

  /**
   * {@return a configuration with the defaults of the command line; backbone, train and out must be
   * set}
   */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects settings; each method is named as the component that it sets. */
  public static final class Builder {
    // these three are refused by build() where they are missing
    @SuppressWarnings("NullAway.Init")
    private Path backbone;

    private TaskKind task = TaskKind.IMAGE;
    private Optional<Path> tokenizer = Optional.empty();
    private int maxLength = 0;

    @SuppressWarnings("NullAway.Init")
    private String train;

    private Optional<String> unlabelled = Optional.empty();
    private Optional<String> validation = Optional.empty();
    private Optional<String> test = Optional.empty();

    @SuppressWarnings("NullAway.Init")
    private Path out;

    private Tune tune = Tune.lowRank(4);
    private Optional<Pooling> readout = Optional.empty();
    private SideKind side = SideKind.TRANSFORMER;
    private Optional<Integer> sideWidth = Optional.empty();
    private List<Integer> taps = List.of();
    private SideView sideView = SideView.FROZEN;
    private Direction features = Direction.OFF;
    private Optional<List<Integer>> shallow = Optional.empty();
    private Optional<List<Integer>> deep = Optional.empty();
    private double generationRatio = 0.5;
    private double imitationWeight = 1;
    private double generationWeight = 0.5;
    private int alignmentRank = 16;
    private Direction logits = Direction.SIDE_TO_BACKBONE;
    private double temperature = 2;
    private double klWeight = 1;
    private boolean klAuto = true;
    private KlRows klRows = KlRows.ALL;
    private TeacherKind teacher = TeacherKind.SIDE;
    private double teacherAverage = 0;
    private int sideAhead = 0;
    private double maskRatio = 0;
    private MaskPlacement maskPlacement = MaskPlacement.STATE;
    private MaskSchedule maskSchedule = MaskSchedule.CONSTANT;
    private Optional<Integer> epochs = Optional.empty();
    private int batch = 64;
    private Optional<Double> learningRateSide = Optional.empty();
    private Optional<Double> learningRateHead = Optional.empty();
    private Optional<Double> learningRateNorm = Optional.empty();
    private Optional<Double> learningRateLowRank = Optional.empty();
    private GradientMode gradientMode = GradientMode.AUTO;
    private int microBatch = 0;
    private double weightDecay = 0.01;
    private int warmupSteps = 20;
    private double clipNorm = 1;
    private boolean measureUnlabelled = true;
    private double labelSmoothing = 0;
    private int backboneEvery = 1;
    private int patience = 0;
    private boolean flip = false;
    private double tokenDropout = 0;
    private int shift = 0;
    private List<Double> mean = List.of();
    private List<Double> std = List.of();
    private boolean strict = false;
    private long seed = 0;
    private String device = "auto";
    private int threads = 0;
    private boolean resume = false;
    private List<Precision> precision = List.of(Precision.FP32);
    private Optional<Integer> opset = Optional.empty();
    private boolean ort = false;

    /**
     * See {@link AdaptConfig#backbone}.
     *
     * @param backbone the pretrained ONNX model
     * @return this builder
     */
    public Builder backbone(Path backbone) {
      this.backbone = backbone;
      return this;
    }

    /**
     * See {@link AdaptConfig#task}.
     *
     * @param task what the examples are and what is learned of them
     * @return this builder
     */
    public Builder task(TaskKind task) {
      this.task = task;
      return this;
    }

    /**
     * See {@link AdaptConfig#tokenizer}.
     *
     * @param tokenizer the {@code tokenizer.json} that belongs to a text backbone; needed for texts
     * @return this builder
     */
    public Builder tokenizer(Path tokenizer) {
      this.tokenizer = Optional.of(tokenizer);
      return this;
    }

    /**
     * See {@link AdaptConfig#maxLength}.
     *
     * @param maxLength tokens after which texts are cut; 0 = the length that the tokenizer names,
     *     else 512, and never more than the backbone allows
     * @return this builder
     */
    public Builder maxLength(int maxLength) {
      this.maxLength = maxLength;
      return this;
    }

    /**
     * See {@link AdaptConfig#train}.
     *
     * @param train labelled examples: a class-folder tree, an IDX images file or a list file; for
     *     texts a TSV or CSV file with a header, for {@link TaskKind#TOKENS} a CoNLL file
     * @return this builder
     */
    public Builder train(String train) {
      this.train = train;
      return this;
    }

    /**
     * See {@link AdaptConfig#unlabelled}.
     *
     * @param unlabelled more examples, whose labels are not looked at
     * @return this builder
     */
    public Builder unlabelled(String unlabelled) {
      this.unlabelled = Optional.of(unlabelled);
      return this;
    }

    /**
     * See {@link AdaptConfig#validation}.
     *
     * @param validation examples that choose between models; split off the training examples when
     *     absent
     * @return this builder
     */
    public Builder validation(String validation) {
      this.validation = Optional.of(validation);
      return this;
    }

    /**
     * See {@link AdaptConfig#test}.
     *
     * @param test examples that are only measured
     * @return this builder
     */
    public Builder test(String test) {
      this.test = Optional.of(test);
      return this;
    }

    /**
     * See {@link AdaptConfig#out}.
     *
     * @param out folder of the results
     * @return this builder
     */
    public Builder out(Path out) {
      this.out = out;
      return this;
    }

    /**
     * See {@link AdaptConfig#tune}.
     *
     * @param tune which constants of the backbone are tuned
     * @return this builder
     */
    public Builder tune(Tune tune) {
      this.tune = tune;
      return this;
    }

    /**
     * See {@link AdaptConfig#readout}.
     *
     * @param readout how tokens become one row; the backbone's own way when absent
     * @return this builder
     */
    public Builder readout(Pooling readout) {
      this.readout = Optional.of(readout);
      return this;
    }

    /**
     * See {@link AdaptConfig#side}.
     *
     * @param side which side network
     * @return this builder
     */
    public Builder side(SideKind side) {
      this.side = side;
      return this;
    }

    /**
     * See {@link AdaptConfig#sideWidth}.
     *
     * @param sideWidth D_S; a quarter of the backbone's width when absent
     * @return this builder
     */
    public Builder sideWidth(Integer sideWidth) {
      this.sideWidth = Optional.of(sideWidth);
      return this;
    }

    /**
     * See {@link AdaptConfig#taps}.
     *
     * @param taps which block outputs the side network reads, 0 being the embeddings; all when
     *     empty
     * @return this builder
     */
    public Builder taps(List<Integer> taps) {
      this.taps = taps;
      return this;
    }

    /**
     * See {@link AdaptConfig#sideView}.
     *
     * @param sideView whether the side network reads the pretrained or the tuned backbone
     * @return this builder
     */
    public Builder sideView(SideView sideView) {
      this.sideView = sideView;
      return this;
    }

    /**
     * See {@link AdaptConfig#features}.
     *
     * @param features direction of the feature path
     * @return this builder
     */
    public Builder features(Direction features) {
      this.features = features;
      return this;
    }

    /**
     * See {@link AdaptConfig#shallow}.
     *
     * @param shallow taps that are imitated; the first third when absent
     * @return this builder
     */
    public Builder shallow(List<Integer> shallow) {
      this.shallow = Optional.of(shallow);
      return this;
    }

    /**
     * See {@link AdaptConfig#deep}.
     *
     * @param deep taps that are generated from masked tokens; the last third when absent
     * @return this builder
     */
    public Builder deep(List<Integer> deep) {
      this.deep = Optional.of(deep);
      return this;
    }

    /**
     * See {@link AdaptConfig#generationRatio}.
     *
     * @param generationRatio share of tokens removed for the generation
     * @return this builder
     */
    public Builder generationRatio(double generationRatio) {
      this.generationRatio = generationRatio;
      return this;
    }

    /**
     * See {@link AdaptConfig#imitationWeight}.
     *
     * @param imitationWeight factor of the imitation loss
     * @return this builder
     */
    public Builder imitationWeight(double imitationWeight) {
      this.imitationWeight = imitationWeight;
      return this;
    }

    /**
     * See {@link AdaptConfig#generationWeight}.
     *
     * @param generationWeight factor of the generation loss
     * @return this builder
     */
    public Builder generationWeight(double generationWeight) {
      this.generationWeight = generationWeight;
      return this;
    }

    /**
     * See {@link AdaptConfig#alignmentRank}.
     *
     * @param alignmentRank rank of the map between the two widths
     * @return this builder
     */
    public Builder alignmentRank(int alignmentRank) {
      this.alignmentRank = alignmentRank;
      return this;
    }

    /**
     * See {@link AdaptConfig#logits}.
     *
     * @param logits direction of the logit path
     * @return this builder
     */
    public Builder logits(Direction logits) {
      this.logits = logits;
      return this;
    }

    /**
     * See {@link AdaptConfig#temperature}.
     *
     * @param temperature of the distillation
     * @return this builder
     */
    public Builder temperature(double temperature) {
      this.temperature = temperature;
      return this;
    }

    /**
     * See {@link AdaptConfig#klWeight}.
     *
     * @param klWeight factor of the distillation
     * @return this builder
     */
    public Builder klWeight(double klWeight) {
      this.klWeight = klWeight;
      return this;
    }

    /**
     * See {@link AdaptConfig#klAuto}.
     *
     * @param klAuto whether that factor is 0 while the teacher is not ahead on validation
     * @return this builder
     */
    public Builder klAuto(boolean klAuto) {
      this.klAuto = klAuto;
      return this;
    }

    /**
     * See {@link AdaptConfig#klRows}.
     *
     * @param klRows which rows the teacher speaks to
     * @return this builder
     */
    public Builder klRows(KlRows klRows) {
      this.klRows = klRows;
      return this;
    }

    /**
     * See {@link AdaptConfig#teacher}.
     *
     * @param teacher who teaches predictions to the backbone
     * @return this builder
     */
    public Builder teacher(TeacherKind teacher) {
      this.teacher = teacher;
      return this;
    }

    /**
     * See {@link AdaptConfig#teacherAverage}.
     *
     * @param teacherAverage decay of the running mean of the side network that teaches instead of
     *     the present one; 0 = the present one teaches
     * @return this builder
     */
    public Builder teacherAverage(double teacherAverage) {
      this.teacherAverage = teacherAverage;
      return this;
    }

    /**
     * See {@link AdaptConfig#sideAhead}.
     *
     * @param sideAhead epochs that the side network learns before the backbone begins
     * @return this builder
     */
    public Builder sideAhead(int sideAhead) {
      this.sideAhead = sideAhead;
      return this;
    }

    /**
     * See {@link AdaptConfig#maskRatio}.
     *
     * @param maskRatio share of tokens masked in the ladder
     * @return this builder
     */
    public Builder maskRatio(double maskRatio) {
      this.maskRatio = maskRatio;
      return this;
    }

    /**
     * See {@link AdaptConfig#maskPlacement}.
     *
     * @param maskPlacement where that mask acts
     * @return this builder
     */
    public Builder maskPlacement(MaskPlacement maskPlacement) {
      this.maskPlacement = maskPlacement;
      return this;
    }

    /**
     * See {@link AdaptConfig#maskSchedule}.
     *
     * @param maskSchedule how the share changes over training
     * @return this builder
     */
    public Builder maskSchedule(MaskSchedule maskSchedule) {
      this.maskSchedule = maskSchedule;
      return this;
    }

    /**
     * See {@link AdaptConfig#epochs}.
     *
     * @param epochs passes over the training examples
     * @return this builder
     */
    public Builder epochs(int epochs) {
      this.epochs = Optional.of(epochs);
      return this;
    }

    /**
     * See {@link AdaptConfig#batch}.
     *
     * @param batch examples per step
     * @return this builder
     */
    public Builder batch(int batch) {
      this.batch = batch;
      return this;
    }

    /**
     * See {@link AdaptConfig#learningRateSide}.
     *
     * @param learningRateSide of the side network
     * @return this builder
     */
    public Builder learningRateSide(double learningRateSide) {
      this.learningRateSide = Optional.of(learningRateSide);
      return this;
    }

    /**
     * See {@link AdaptConfig#learningRateHead}.
     *
     * @param learningRateHead of the output layer
     * @return this builder
     */
    public Builder learningRateHead(double learningRateHead) {
      this.learningRateHead = Optional.of(learningRateHead);
      return this;
    }

    /**
     * See {@link AdaptConfig#learningRateNorm}.
     *
     * @param learningRateNorm of the backbone's layer norms and biases
     * @return this builder
     */
    public Builder learningRateNorm(double learningRateNorm) {
      this.learningRateNorm = Optional.of(learningRateNorm);
      return this;
    }

    /**
     * See {@link AdaptConfig#learningRateLowRank}.
     *
     * @param learningRateLowRank of the low-rank changes of the backbone's weights
     * @return this builder
     */
    public Builder learningRateLowRank(double learningRateLowRank) {
      this.learningRateLowRank = Optional.of(learningRateLowRank);
      return this;
    }

    /**
     * See {@link AdaptConfig#gradientMode}.
     *
     * @param gradientMode what is kept for gradients inside the backbone
     * @return this builder
     */
    public Builder gradientMode(GradientMode gradientMode) {
      this.gradientMode = gradientMode;
      return this;
    }

    /**
     * See {@link AdaptConfig#microBatch}.
     *
     * @param microBatch rows that go through the backbone at once when its inside is tuned; 0 = all
     * @return this builder
     */
    public Builder microBatch(int microBatch) {
      this.microBatch = microBatch;
      return this;
    }

    /**
     * See {@link AdaptConfig#weightDecay}.
     *
     * @param weightDecay decoupled, not on biases, norms, gates and mask tokens
     * @return this builder
     */
    public Builder weightDecay(double weightDecay) {
      this.weightDecay = weightDecay;
      return this;
    }

    /**
     * See {@link AdaptConfig#warmupSteps}.
     *
     * @param warmupSteps steps over which the learning rates rise, at most a quarter of all
     * @return this builder
     */
    public Builder warmupSteps(int warmupSteps) {
      this.warmupSteps = warmupSteps;
      return this;
    }

    /**
     * See {@link AdaptConfig#clipNorm}.
     *
     * @param clipNorm largest norm of a gradient; 0 = not clipped
     * @return this builder
     */
    public Builder clipNorm(double clipNorm) {
      this.clipNorm = clipNorm;
      return this;
    }

    /**
     * See {@link AdaptConfig#measureUnlabelled}.
     *
     * @param measureUnlabelled whether the same training is also run without the unlabelled rows,
     *     as many steps over the labelled ones alone, so that the report can say what they are
     *     worth
     * @return this builder
     */
    public Builder measureUnlabelled(boolean measureUnlabelled) {
      this.measureUnlabelled = measureUnlabelled;
      return this;
    }

    /**
     * See {@link AdaptConfig#labelSmoothing}.
     *
     * @param labelSmoothing of the cross-entropy
     * @return this builder
     */
    public Builder labelSmoothing(double labelSmoothing) {
      this.labelSmoothing = labelSmoothing;
      return this;
    }

    /**
     * See {@link AdaptConfig#backboneEvery}.
     *
     * @param backboneEvery the backbone's constants are updated every so many steps
     * @return this builder
     */
    public Builder backboneEvery(int backboneEvery) {
      this.backboneEvery = backboneEvery;
      return this;
    }

    /**
     * See {@link AdaptConfig#patience}.
     *
     * @param patience epochs without a better validation accuracy after which training stops; 0 =
     *     never
     * @return this builder
     */
    public Builder patience(int patience) {
      this.patience = patience;
      return this;
    }

    /**
     * See {@link AdaptConfig#flip}.
     *
     * @param flip whether images are flipped at random
     * @return this builder
     */
    public Builder flip(boolean flip) {
      this.flip = flip;
      return this;
    }

    /**
     * See {@link AdaptConfig#tokenDropout}.
     *
     * @param tokenDropout share of a text's tokens, from 0 to below 1
     * @return this builder
     */
    public Builder tokenDropout(double tokenDropout) {
      this.tokenDropout = tokenDropout;
      return this;
    }

    /**
     * See {@link AdaptConfig#shift}.
     *
     * @param shift largest random shift of an image in pixels
     * @return this builder
     */
    public Builder shift(int shift) {
      this.shift = shift;
      return this;
    }

    /**
     * See {@link AdaptConfig#mean}.
     *
     * @param mean of the images, instead of what stands beside the model; empty = not given
     * @return this builder
     */
    public Builder mean(List<Double> mean) {
      this.mean = mean;
      return this;
    }

    /**
     * See {@link AdaptConfig#std}.
     *
     * @param std of the images, likewise
     * @return this builder
     */
    public Builder std(List<Double> std) {
      this.std = std;
      return this;
    }

    /**
     * See {@link AdaptConfig#strict}.
     *
     * @param strict whether one unreadable image ends the run
     * @return this builder
     */
    public Builder strict(boolean strict) {
      this.strict = strict;
      return this;
    }

    /**
     * See {@link AdaptConfig#seed}.
     *
     * @param seed of all random numbers
     * @return this builder
     */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * See {@link AdaptConfig#device}.
     *
     * @param device "cpu", "cuda" or "auto"
     * @return this builder
     */
    public Builder device(String device) {
      this.device = device;
      return this;
    }

    /**
     * See {@link AdaptConfig#threads}.
     *
     * @param threads of the CPU; 0 = all
     * @return this builder
     */
    public Builder threads(int threads) {
      this.threads = threads;
      return this;
    }

    /**
     * See {@link AdaptConfig#resume}.
     *
     * @param resume whether to go on from the last checkpoint
     * @return this builder
     */
    public Builder resume(boolean resume) {
      this.resume = resume;
      return this;
    }

    /**
     * See {@link AdaptConfig#precision}.
     *
     * @param precision of the weights of the files to write
     * @return this builder
     */
    public Builder precision(List<Precision> precision) {
      this.precision = precision;
      return this;
    }

    /**
     * See {@link AdaptConfig#opset}.
     *
     * @param opset the opset of further files
     * @return this builder
     */
    public Builder opset(Integer opset) {
      this.opset = Optional.of(opset);
      return this;
    }

    /**
     * See {@link AdaptConfig#ort}.
     *
     * @param ort whether to write ONNX Runtime's own format too
     * @return this builder
     */
    public Builder ort(boolean ort) {
      this.ort = ort;
      return this;
    }

    /** Nothing is exported beside {@code model.onnx}. */
    Builder withoutExports() {
      precision = List.of(Precision.FP32);
      opset = Optional.empty();
      ort = false;
      return this;
    }

    private Builder() {}

    /**
     * {@return the configuration}
     *
     * @throws dev.sidefade.tensor.BadInputException if a value cannot work, naming it
     */
    public AdaptConfig build() {
      ConfigChecks.given("backbone", backbone);
      ConfigChecks.given("train", train);
      ConfigChecks.given("out", out);
      UsualTraining usual = UsualTraining.of(task);
      return new AdaptConfig(
          backbone,
          task,
          tokenizer,
          maxLength,
          train,
          unlabelled,
          validation,
          test,
          out,
          tune,
          readout,
          side,
          sideWidth,
          taps,
          sideView,
          features,
          shallow,
          deep,
          generationRatio,
          imitationWeight,
          generationWeight,
          alignmentRank,
          logits,
          temperature,
          klWeight,
          klAuto,
          klRows,
          teacher,
          teacherAverage,
          sideAhead,
          maskRatio,
          maskPlacement,
          maskSchedule,
          epochs.orElse(usual.epochs()),
          batch,
          learningRateSide.orElse(usual.learningRateSide()),
          learningRateHead.orElse(usual.learningRateHead()),
          learningRateNorm.orElse(usual.learningRateNorm()),
          learningRateLowRank.orElse(usual.learningRateLowRank()),
          gradientMode,
          microBatch,
          weightDecay,
          warmupSteps,
          clipNorm,
          measureUnlabelled,
          labelSmoothing,
          backboneEvery,
          patience,
          flip,
          shift,
          tokenDropout,
          mean,
          std,
          strict,
          seed,
          device,
          threads,
          resume,
          precision,
          opset,
          ort);
    }
  }
}
