import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import java.util.Locale;

/**
 * One operation out of the library, on the processors: a student learns from labels and from a
 * teacher. Sidefade's training has no part in it.
 */
public final class LogitDistillation {
  private static final int ROWS = 4;
  private static final int CLASSES = 3;

  private LogitDistillation() {}

  public static void main(String[] arguments) {
    float[] student = new float[ROWS * CLASSES]; // knows nothing yet: all classes alike
    // @start region="kernel"
    try (Device device = Device.cpu(0); // 0 = all processors
        Tensor logits = device.allocate(ROWS, CLASSES);
        Tensor teacher = device.allocate(ROWS, CLASSES);
        Tensor losses = device.allocate(2);
        Tensor gradient = device.allocate(ROWS, CLASSES)) {
      teacher.setFloats(new float[] {3, 0, 0, 0, 3, 0, 0, 0, 3, 1, 1, 0});
      int[] labels = {0, 1, 2, -1}; // the last row has none: only the teacher teaches it
      Distillation weights = new Distillation(2f, 1f, 1f, 0f); // T, KL, cross-entropy, smoothing
      for (int step = 0; step < 200; step++) {
        logits.setFloats(student);
        device.kernels().logitDistillation(logits, teacher, labels, weights, losses, gradient);
        float[] slope = gradient.toFloats();
        for (int i = 0; i < student.length; i++) {
          student[i] -= slope[i]; // plain gradient descent
        }
        if (step % 50 == 0) {
          report(step, losses.toFloats());
        }
      }
      report(200, losses.toFloats());
    }
    // @end
    System.out.println("student: " + Arrays.toString(student));
  }

  private static void report(int step, float[] losses) {
    System.out.printf(
        Locale.ROOT, "step %3d: cross-entropy %.4f, T^2 KL %.4f%n", step, losses[0], losses[1]);
  }
}
