import dev.sidefade.cuda.CudaContext;
import dev.sidefade.cuda.CudaDevice;
import dev.sidefade.cuda.CudaStream;
import dev.sidefade.cuda.DeviceBuffer;
import dev.sidefade.cuda.embed.CudaBackend;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Logit distillation and feature matching in a program of one's own: its stream, its device
 * pointers, none of Sidefade's training. Every result is held against a plain loop.
 */
public final class Embedding {
  private static final int ROWS = 37;
  private static final int CLASSES = 11;
  private static final int SIDE = 24;
  private static final int RANK = 6;
  private static final int WIDE = 72;

  private final CudaBackend sidefade;
  private final OwnProgram own;
  private final Random random = new Random(1);

  private Embedding(CudaBackend sidefade, OwnProgram own) {
    this.sidefade = sidefade;
    this.own = own;
  }

  public static void main(String[] arguments) {
    CudaBackend.unavailable()
        .ifPresent(why -> {
          throw new IllegalStateException("CUDA cannot be used here: " + why);
        });
    try (OwnProgram own = new OwnProgram();
        CudaBackend sidefade = CudaBackend.on(own.device(), own.stream())) {
      System.out.println(own.device().describe());
      Embedding example = new Embedding(sidefade, own);
      example.distillLogits();
      example.matchFeatures();
    }
  }

  /** Cross-entropy with labels and KL to a teacher: two losses and one gradient in one call. */
  private void distillLogits() {
    float[] student = normal(ROWS * CLASSES, 2);
    float[] teacher = normal(ROWS * CLASSES, 2);
    int[] labels = random.ints(ROWS, 0, CLASSES).toArray();
    labels[3] = -1; // a row without a label: only the teacher teaches it
    Distillation weights = new Distillation(2f, 0.7f, 1f, 0.1f);

    long studentPointer = own.upload(student);
    long teacherPointer = own.upload(teacher);
    long lossesPointer = own.allocate(2 * Float.BYTES);
    long gradientPointer = own.allocate(student.length * Float.BYTES);
    try (Tensor logits = sidefade.tensor(studentPointer, DType.F32, ROWS, CLASSES);
        Tensor target = sidefade.tensor(teacherPointer, DType.F32, ROWS, CLASSES);
        Tensor losses = sidefade.tensor(lossesPointer, DType.F32, 2);
        Tensor gradient = sidefade.tensor(gradientPointer, DType.F32, ROWS, CLASSES)) {
      sidefade.kernels().logitDistillation(logits, target, labels, weights, losses, gradient);
    }

    PlainLoops plain = new PlainLoops();
    plain.distill(student, teacher, labels, weights, CLASSES);
    System.out.printf("logit distillation, %d rows of %d classes in F32%n", ROWS, CLASSES);
    float[] losses = own.download(lossesPointer, 2);
    report("cross-entropy", new float[] {losses[0]}, plain.crossEntropy, 1e-5);
    report("T^2 KL", new float[] {losses[1]}, plain.divergence, 1e-5);
    report("gradient", own.download(gradientPointer, student.length), plain.gradient, 1e-5);
  }

  /** f = z down up against features in F16, of which a third does not count. */
  private void matchFeatures() {
    float[] z = normal(ROWS * SIDE, 1);
    float[] down = normal(SIDE * RANK, 0.2);
    float[] up = normal(RANK * WIDE, 0.4);
    float[] features = inHalfPrecision(normal(ROWS * WIDE, 1));
    float[] counts = new float[ROWS];
    for (int row = 0; row < ROWS; row++) {
      counts[row] = row % 3 == 0 ? 0 : 1;
      if (counts[row] == 0) {
        features[row * WIDE] = Float.NaN; // rows that do not count are not read
      }
    }
    float weight = 0.5f;

    long zPointer = own.upload(z);
    long downPointer = own.upload(down);
    long upPointer = own.upload(up);
    long featuresPointer = own.uploadHalf(features);
    long countsPointer = own.upload(counts);
    long lossPointer = own.allocate(Float.BYTES);
    long dzPointer = own.upload(new float[z.length]); // added to, so it starts at 0
    long dDownPointer = own.allocate(down.length * Float.BYTES);
    long dUpPointer = own.allocate(up.length * Float.BYTES);
    sidefade
        .kernels()
        .featureMatching(
            sidefade.tensor(zPointer, DType.F32, ROWS, SIDE),
            sidefade.tensor(downPointer, DType.F32, SIDE, RANK),
            sidefade.tensor(upPointer, DType.F32, RANK, WIDE),
            sidefade.tensor(featuresPointer, DType.F16, ROWS, WIDE),
            sidefade.tensor(countsPointer, DType.F32, ROWS),
            weight,
            false,
            sidefade.tensor(lossPointer, DType.F32, 1),
            sidefade.tensor(dzPointer, DType.F32, ROWS, SIDE),
            sidefade.tensor(dDownPointer, DType.F32, SIDE, RANK),
            sidefade.tensor(dUpPointer, DType.F32, RANK, WIDE));

    PlainLoops plain = new PlainLoops();
    plain.match(z, down, up, features, counts, weight, SIDE, RANK, WIDE);
    System.out.printf(
        "feature matching, %d rows, %d -> %d -> %d, features in F16%n", ROWS, SIDE, RANK, WIDE);
    // z down, up and the residual are rounded to F16 for the tensor cores
    double rounding = 4 * 0x1p-11;
    report("loss", own.download(lossPointer, 1), plain.loss, rounding);
    report("dz", own.download(dzPointer, z.length), plain.dz, rounding);
    report("dDown", own.download(dDownPointer, down.length), plain.dDown, rounding);
    report("dUp", own.download(dUpPointer, up.length), plain.dUp, rounding);
  }

  /** Prints both and the largest difference; more than {@code most} of the scale is a failure. */
  private static void report(String what, float[] got, double[] expected, double most) {
    double difference = 0;
    double scale = 0;
    int at = 0;
    for (int i = 0; i < expected.length; i++) {
      double d = Math.abs(got[i] - expected[i]);
      difference = d <= difference ? difference : d; // NaN stays
      if (Math.abs(expected[i]) > scale) {
        scale = Math.abs(expected[i]);
        at = i;
      }
    }
    System.out.printf(
        Locale.ROOT,
        "  %-14s kernel %11.7f   plain loop %11.7f   largest difference %.1e of %d values%n",
        what,
        got[at],
        expected[at],
        difference,
        expected.length);
    if (!(difference <= most * scale)) {
      throw new IllegalStateException(what + " differs from the plain loop by " + difference);
    }
  }

  private float[] normal(int count, double scale) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (scale * random.nextGaussian());
    }
    return values;
  }

  /** The same, as F16 holds it. */
  private static float[] inHalfPrecision(float[] values) {
    float[] rounded = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      rounded[i] = Float.float16ToFloat(Float.floatToFloat16(values[i]));
    }
    return rounded;
  }

  /** What a program has that does not know of Sidefade: a stream, and pointers to its memory. */
  private static final class OwnProgram implements AutoCloseable {
    private final CudaContext context = CudaContext.open(CudaDevice.get(0));
    private final CudaStream stream = CudaStream.create(context);
    private final List<DeviceBuffer> memory = new ArrayList<>();

    CudaDevice device() {
      return context.device();
    }

    long stream() {
      return stream.handle();
    }

    long allocate(long bytes) {
      DeviceBuffer buffer = DeviceBuffer.allocate(context, bytes);
      memory.add(buffer);
      return buffer.address();
    }

    long upload(float[] values) {
      try (Arena arena = Arena.ofConfined()) {
        return upload(arena.allocateFrom(ValueLayout.JAVA_FLOAT, values));
      }
    }

    long uploadHalf(float[] values) {
      short[] bits = new short[values.length];
      for (int i = 0; i < values.length; i++) {
        bits[i] = Float.floatToFloat16(values[i]);
      }
      try (Arena arena = Arena.ofConfined()) {
        return upload(arena.allocateFrom(ValueLayout.JAVA_SHORT, bits));
      }
    }

    private long upload(MemorySegment values) {
      long pointer = allocate(values.byteSize());
      stream.upload(values, pointer);
      return pointer;
    }

    /** In the order of the stream: behind the operations that write there. */
    float[] download(long pointer, int count) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment values = arena.allocate(ValueLayout.JAVA_FLOAT, count);
        stream.download(pointer, values);
        return values.toArray(ValueLayout.JAVA_FLOAT);
      }
    }

    @Override
    public void close() {
      memory.forEach(DeviceBuffer::close);
      stream.close();
      context.close();
    }
  }

  /** The same in double, one number after the other. */
  private static final class PlainLoops {
    final double[] crossEntropy = new double[1];
    final double[] divergence = new double[1];
    double[] gradient;
    final double[] loss = new double[1];
    double[] dz;
    double[] dDown;
    double[] dUp;

    void distill(float[] student, float[] teacher, int[] labels, Distillation d, int classes) {
      gradient = new double[student.length];
      int rows = labels.length;
      int labelled = 0;
      for (int label : labels) {
        labelled += label >= 0 ? 1 : 0;
      }
      double t = d.temperature();
      for (int row = 0; row < rows; row++) {
        double[] plain = softmax(student, row * classes, classes, 1);
        double[] soft = softmax(student, row * classes, classes, t);
        double[] target = softmax(teacher, row * classes, classes, t);
        for (int c = 0; c < classes; c++) {
          double kl = target[c] * Math.log(target[c] / soft[c]);
          divergence[0] += t * t * kl / rows;
          double g = d.klWeight() * t * (soft[c] - target[c]) / rows;
          if (labels[row] >= 0) {
            double smoothing = d.labelSmoothing();
            double wanted = (c == labels[row] ? 1 - smoothing : 0) + smoothing / classes;
            crossEntropy[0] -= wanted * Math.log(plain[c]) / labelled;
            g += d.ceWeight() * (plain[c] - wanted) / labelled;
          }
          gradient[row * classes + c] = g;
        }
      }
    }

    private static double[] softmax(float[] logits, int from, int classes, double temperature) {
      double[] p = new double[classes];
      double sum = 0;
      for (int c = 0; c < classes; c++) {
        p[c] = Math.exp(logits[from + c] / temperature);
        sum += p[c];
      }
      for (int c = 0; c < classes; c++) {
        p[c] /= sum;
      }
      return p;
    }

    void match(
        float[] z,
        float[] down,
        float[] up,
        float[] h,
        float[] counts,
        float weight,
        int side,
        int rank,
        int wide) {
      dz = new double[z.length];
      dDown = new double[down.length];
      dUp = new double[up.length];
      double counted = 0;
      for (float one : counts) {
        counted += one;
      }
      for (int row = 0; row < counts.length; row++) {
        if (counts[row] == 0) {
          continue;
        }
        double[] e = new double[rank];
        for (int r = 0; r < rank; r++) {
          for (int s = 0; s < side; s++) {
            e[r] += (double) z[row * side + s] * down[s * rank + r];
          }
        }
        double[] de = new double[rank];
        for (int w = 0; w < wide; w++) {
          double residual = -h[row * wide + w];
          for (int r = 0; r < rank; r++) {
            residual += e[r] * up[r * wide + w];
          }
          loss[0] += weight / (wide * counted) * residual * residual;
          double g = 2 * weight / (wide * counted) * residual;
          for (int r = 0; r < rank; r++) {
            dUp[r * wide + w] += e[r] * g;
            de[r] += up[r * wide + w] * g;
          }
        }
        for (int s = 0; s < side; s++) {
          for (int r = 0; r < rank; r++) {
            dDown[s * rank + r] += z[row * side + s] * de[r];
            dz[row * side + s] += down[s * rank + r] * de[r];
          }
        }
      }
    }
  }
}
