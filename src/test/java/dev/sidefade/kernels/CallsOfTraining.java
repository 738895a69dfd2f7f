package dev.sidefade.kernels;

/** Calls of the distillation paths and of the optimiser. */
final class CallsOfTraining {
  private CallsOfTraining() {}

  static void features(Calls c) {
    int r = c.rows;
    for (boolean standardize : new boolean[] {false, true}) {
      c.in("z", r, c.side)
          .in("down", c.side, c.rank)
          .in("up", c.rank, c.base)
          .in("h", r, c.base)
          .in("v", c.keep(), r)
          .out("loss", 1)
          .inOut("dz", r, c.side)
          .out("dDown", c.side, c.rank)
          .out("dUp", c.rank, c.base)
          .call(
              "featureMatching" + (standardize ? ", standardized" : ""),
              (k, t) ->
                  k.featureMatching(
                      t[0], t[1], t[2], t[3], t[4], 0.5f, standardize, t[5], t[6], t[7], t[8]));
    }
  }

  static void masks(Calls c) {
    int r = c.rows;
    c.in("valid", c.valid(), r)
        .out("removed", r)
        .call("drawMask", (k, t) -> k.drawMask(1, 2, 0.5f, c.layout, t[0], t[1]));
    c.in("x", r, c.side)
        .in("removed", c.keep(), r)
        .in("maskToken", c.side)
        .out("y", r, c.side)
        .call("insertMaskToken", (k, t) -> k.insertMaskToken(t[0], t[1], t[2], t[3]));
    c.in("dy", r, c.side)
        .in("removed", c.keep(), r)
        .inOut("dx", r, c.side)
        .out("dMaskToken", c.side)
        .call(
            "insertMaskTokenBackward", (k, t) -> k.insertMaskTokenBackward(t[0], t[1], t[2], t[3]));
  }

  static void conv(Calls c) {
    int r = c.rows;
    c.in("x", r, c.side)
        .in("weight", 9L * c.side, c.hidden)
        .in("bias", c.hidden)
        .out("y", r, c.hidden)
        .call("conv3x3", (k, t) -> k.conv3x3(t[0], c.layout, t[1], t[2], t[3]));
    c.in("x", r, c.side)
        .in("weight", 9L * c.side, c.hidden)
        .in("dy", r, c.hidden)
        .out("dx", r, c.side)
        .out("dWeight", 9L * c.side, c.hidden)
        .out("dBias", c.hidden)
        .call(
            "conv3x3Backward",
            (k, t) -> k.conv3x3Backward(t[0], c.layout, t[1], t[2], t[3], t[4], t[5]));
  }

  static void logits(Calls c) {
    int[] labels = new int[c.batch];
    float[] targets = Data.normal(8, c.batch);
    for (int i = 0; i < labels.length; i++) {
      labels[i] = i % 3 == 2 ? -1 : i % 5 == 4 ? Kernels.PADDING : i % c.classes;
      targets[i] = i % 3 == 2 ? Float.NaN : targets[i];
    }
    c.in("student", c.batch, c.classes)
        .in("teacher", c.batch, c.classes)
        .out("losses", 2)
        .out("dStudent", c.batch, c.classes)
        .call(
            "logitDistillation",
            (k, t) ->
                k.logitDistillation(
                    t[0], t[1], labels, new Distillation(2, 0.7f, 1, 0.1f), t[2], t[3]));
    c.in("student", c.batch, 1)
        .in("teacher", c.batch, 1)
        .out("losses", 2)
        .out("dStudent", c.batch, 1)
        .call("regression", (k, t) -> k.regression(t[0], t[1], targets, 0.7f, t[2], t[3]));
  }

  static void optimizer(Calls c) {
    int count = c.rows * c.side + 1;
    float[] squares = Data.normal(9, count);
    for (int i = 0; i < count; i++) {
      squares[i] *= squares[i];
    }
    OptimizerGroup[] groups = {
      new OptimizerGroup(0, count / 2, 0.01f, 0.1f),
      new OptimizerGroup(count / 2, count - count / 2, 0.02f, 0)
    };
    c.in("any", count).out("clip", 2).call("gradientClip", (k, t) -> k.gradientClip(t[0], 1, t[1]));
    // v comes in by itself and changes: squares are not negative
    c.inOut("parameters", count)
        .in("gradient", count)
        .inOut("m", count)
        .inOut("v", squares, count)
        .in("clip", new float[] {0.5f, 2}, 2)
        .call(
            "adamw",
            (k, t) -> k.adamw(t[0], t[1], t[2], t[3], groups, 0.9f, 0.999f, 1e-8f, 3, t[4]));
  }
}
