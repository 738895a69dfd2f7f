package dev.sidefade;

import dev.sidefade.distill.Direction;
import dev.sidefade.export.ExportPlan;
import dev.sidefade.tensor.BadInputException;
import java.nio.file.Path;
import java.util.Optional;

/** What a configuration must satisfy before anything is opened. */
final class ConfigChecks {
  private ConfigChecks() {}

  static void given(String name, Object value) {
    if (value == null) {
      throw new BadInputException("no " + name + " was given: it is needed");
    }
  }

  static void share(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new BadInputException("the " + name + " must be at least 0 and below 1, got " + value);
    }
  }

  static void positive(String name, double value) {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new BadInputException("the " + name + " must be positive, got " + value);
    }
  }

  static void notNegative(String name, double value) {
    if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
      throw new BadInputException("the " + name + " must not be negative, got " + value);
    }
  }

  static void check(
      int epochs, int batch, Tune tune, SideKind side, Direction features, Direction logits) {
    if (epochs < 1 || batch < 1) {
      throw new BadInputException(
          "epochs and batch must be at least 1, got " + epochs + " and " + batch);
    }
    if (side == SideKind.NONE && tune.kind() == Tune.Kind.NONE) {
      throw new BadInputException(
          "there is nothing to train with side none and tune none: choose --side transformer or"
              + " --tune head");
    }
    if (features == Direction.SIDE_TO_BACKBONE && !tune.lastNorm()) {
      throw new BadInputException(
          "features side-to-backbone acts on the backbone's last layer norm: it needs --tune"
              + " final-norm or more");
    }
  }

  static void checkAhead(int sideAhead, int epochs, Tune tune, SideKind side) {
    boolean waits = tune.kind() != Tune.Kind.NONE && side != SideKind.NONE;
    if (waits && sideAhead >= epochs) {
      throw new BadInputException(
          "the side network learns "
              + sideAhead
              + " epochs ahead and there are only "
              + epochs
              + ", so the backbone would never learn: give fewer with --side-ahead or more with"
              + " --epochs");
    }
  }

  static void checkTeacher(TeacherKind teacher, Tune tune, Direction logits) {
    if (teacher == TeacherKind.SIDE || logits == Direction.OFF) {
      return;
    }
    if (logits == Direction.BACKBONE_TO_SIDE) {
      throw new BadInputException(
          "with teacher self the backbone learns from itself, which --logits backbone-to-side does"
              + " not let it: leave one of them away");
    }
    if (tune.inside().isEmpty()) {
      throw new BadInputException(
          "teacher self needs a backbone that learns inside, and tune "
              + tune
              + " leaves it as it is: use --tune norms, biases or low-rank, or --teacher side");
    }
  }

  static void checkDropout(double tokenDropout, TaskKind task) {
    if (tokenDropout > 0 && !task.isText()) {
      throw new BadInputException(
          "token dropout hides words of texts, but the task is image: use --flip or --shift");
    }
  }

  static void checkChanges(boolean flip, int shift, TaskKind task) {
    if ((flip || shift > 0) && task.isText()) {
      throw new BadInputException(
          "--flip and --shift change images, but the task is a text's: leave them away, or use"
              + " --token-dropout");
    }
  }

  static void checkSmoothing(double labelSmoothing, TaskKind task) {
    if (labelSmoothing > 0 && task == TaskKind.REGRESSION) {
      throw new BadInputException(
          "label smoothing is for classes, and a regression has numbers: leave it away");
    }
  }

  static void checkGradients(GradientMode mode, int microBatch) {
    if (microBatch > 0 && mode != GradientMode.AUTO) {
      throw new BadInputException(
          "micro-batches keep nothing of the backbone's pass, so there is nothing left to choose"
              + " for --gradient-memory: leave it or --micro-batch away");
    }
  }

  static void checkExports(ExportPlan exports, Tune tune) {
    if (!exports.variants().isEmpty() && tune.kind() == Tune.Kind.NONE) {
      throw new BadInputException(
          "another precision, opset or format was asked for, but with tune none there is no model"
              + " to export: choose --tune head or more, or leave --precision, --opset and --ort"
              + " away");
    }
  }

  static void checkTask(TaskKind task, Optional<Path> tokenizer) {
    if (task.isText() && tokenizer.isEmpty()) {
      throw new BadInputException(
          "texts need the tokenizer of the backbone: give its tokenizer.json with --tokenizer");
    }
    if (!task.isText() && tokenizer.isPresent()) {
      throw new BadInputException(
          "a tokenizer was given, but the task is image: give --task text, regression or tokens");
    }
  }
}
