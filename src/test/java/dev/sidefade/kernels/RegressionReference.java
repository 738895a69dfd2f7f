package dev.sidefade.kernels;

/** Squared errors against targets and a teacher in F64. */
final class RegressionReference {
  private RegressionReference() {}

  record Result(double labelLoss, double teacherLoss, double[] dStudent) {}

  static Result run(double[] student, double[] teacher, float[] targets, double teacherWeight) {
    int rows = student.length;
    int labelled = 0;
    for (float target : targets) {
      labelled += Float.isNaN(target) ? 0 : 1;
    }
    double labelLoss = 0;
    double teacherLoss = 0;
    double[] gradient = new double[rows];
    for (int r = 0; r < rows; r++) {
      if (!Float.isNaN(targets[r])) {
        labelLoss += Math.pow(student[r] - targets[r], 2) / labelled;
        gradient[r] += 2 * (student[r] - targets[r]) / labelled;
      }
      if (teacher != null) {
        teacherLoss += Math.pow(student[r] - teacher[r], 2) / rows;
        gradient[r] += teacherWeight * 2 * (student[r] - teacher[r]) / rows;
      }
    }
    return new Result(labelLoss, teacherLoss, gradient);
  }
}
