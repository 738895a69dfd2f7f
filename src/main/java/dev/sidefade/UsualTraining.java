package dev.sidefade;

/**
 * How long and how fast is learned where nobody says so. A pretrained text encoder is strong and
 * its rows are short of labels, so it is changed more carefully: with the rates of the pictures,
 * batches of 16 labelled sentences end in one class.
 *
 * @param epochs passes over the training examples
 * @param learningRateSide of the side network
 * @param learningRateHead of the output layer
 * @param learningRateNorm of the backbone's layer norms and biases
 * @param learningRateLowRank of the low-rank changes of the backbone's weights
 */
record UsualTraining(
    int epochs,
    double learningRateSide,
    double learningRateHead,
    double learningRateNorm,
    double learningRateLowRank) {
  private static final UsualTraining OF_IMAGES = new UsualTraining(40, 3e-3, 3e-3, 5e-3, 5e-3);
  private static final UsualTraining OF_TEXTS = new UsualTraining(6, 3e-3, 1e-3, 2e-3, 1e-3);

  static UsualTraining of(TaskKind task) {
    return task.isText() ? OF_TEXTS : OF_IMAGES;
  }
}
