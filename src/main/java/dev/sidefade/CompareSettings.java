package dev.sidefade;

/** Settings to start from. */
final class CompareSettings {
  private CompareSettings() {}

  /** A builder that would build the same configuration. */
  static AdaptConfig.Builder copyOf(AdaptConfig config) {
    AdaptConfig.Builder builder = AdaptConfig.builder();
    data(config, builder);
    method(config, builder);
    paths(config, builder);
    training(config, builder);
    config.opset().ifPresent(builder::opset);
    return builder
        .precision(config.precision())
        .ort(config.ort())
        .seed(config.seed())
        .device(config.device())
        .threads(config.threads())
        .resume(config.resume());
  }

  private static void data(AdaptConfig config, AdaptConfig.Builder builder) {
    builder
        .backbone(config.backbone())
        .task(config.task())
        .maxLength(config.maxLength())
        .train(config.train())
        .out(config.out())
        .flip(config.flip())
        .tokenDropout(config.tokenDropout())
        .shift(config.shift())
        .mean(config.mean())
        .std(config.std())
        .strict(config.strict());
    config.tokenizer().ifPresent(builder::tokenizer);
    config.unlabelled().ifPresent(builder::unlabelled);
    config.validation().ifPresent(builder::validation);
    config.test().ifPresent(builder::test);
  }

  private static void method(AdaptConfig config, AdaptConfig.Builder builder) {
    builder
        .tune(config.tune())
        .side(config.side())
        .taps(config.taps())
        .sideView(config.sideView())
        .gradientMode(config.gradientMode())
        .microBatch(config.microBatch());
    config.readout().ifPresent(builder::readout);
    config.sideWidth().ifPresent(builder::sideWidth);
  }

  private static void paths(AdaptConfig config, AdaptConfig.Builder builder) {
    builder
        .features(config.features())
        .generationRatio(config.generationRatio())
        .imitationWeight(config.imitationWeight())
        .generationWeight(config.generationWeight())
        .alignmentRank(config.alignmentRank())
        .logits(config.logits())
        .temperature(config.temperature())
        .klWeight(config.klWeight())
        .teacher(config.teacher())
        .teacherAverage(config.teacherAverage())
        .sideAhead(config.sideAhead())
        .measureUnlabelled(config.measureUnlabelled())
        .klAuto(config.klAuto())
        .klRows(config.klRows())
        .maskRatio(config.maskRatio())
        .maskPlacement(config.maskPlacement())
        .maskSchedule(config.maskSchedule());
    config.shallow().ifPresent(builder::shallow);
    config.deep().ifPresent(builder::deep);
  }

  private static void training(AdaptConfig config, AdaptConfig.Builder builder) {
    builder
        .epochs(config.epochs())
        .batch(config.batch())
        .learningRateSide(config.learningRateSide())
        .learningRateHead(config.learningRateHead())
        .learningRateNorm(config.learningRateNorm())
        .learningRateLowRank(config.learningRateLowRank())
        .weightDecay(config.weightDecay())
        .warmupSteps(config.warmupSteps())
        .clipNorm(config.clipNorm())
        .labelSmoothing(config.labelSmoothing())
        .backboneEvery(config.backboneEvery())
        .patience(config.patience());
  }
}
