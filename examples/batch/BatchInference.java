import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/**
 * Runs an exported model on a folder of grey images, many at a time, with ONNX Runtime alone: the
 * model is an ordinary one, and nothing of Sidefade is needed where it is used. It says itself how
 * images are prepared and what its classes are called. MODEL FOLDER [BATCH]
 */
public final class BatchInference {
  private BatchInference() {}

  public static void main(String[] arguments) throws IOException, OrtException {
    List<Path> files = images(Path.of(arguments[1]));
    int most = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 32;
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        OrtSession session = environment.createSession(arguments[0], options)) {
      Map<String, String> said = session.getMetadata().getCustomMetadata();
      List<String> labels = strings(said.get("sidefade.labels"));
      String input = session.getInputNames().iterator().next();
      TensorInfo wanted = (TensorInfo) session.getInputInfo().get(input).getInfo();
      Preparation preparation =
          Preparation.of(wanted.getShape(), said.get("sidefade.preprocessing"));
      for (int from = 0; from < files.size(); from += most) {
        List<Path> batch = files.subList(from, Math.min(files.size(), from + most));
        long[] shape = {batch.size(), 1, preparation.height, preparation.width};
        try (OnnxTensor pixels =
                OnnxTensor.createTensor(environment, preparation.pixels(batch), shape);
            OrtSession.Result result = session.run(Map.of(input, pixels))) {
          float[][] logits = (float[][]) result.get(0).getValue(); // [batch, classes]
          for (int i = 0; i < batch.size(); i++) {
            System.out.println(batch.get(i).getFileName() + "\t" + labels.get(largest(logits[i])));
          }
        }
      }
    }
  }

  private static List<Path> images(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(file -> file.toString().endsWith(".png")).sorted().toList();
    }
  }

  private static int largest(float[] logits) {
    int best = 0;
    for (int c = 1; c < logits.length; c++) {
      best = logits[c] > logits[best] ? c : best;
    }
    return best;
  }

  /** A JSON list of names without escapes; a program with a JSON library takes that instead. */
  private static List<String> strings(String json) {
    List<String> values = new ArrayList<>();
    for (String part : json.substring(1, json.length() - 1).split(",", -1)) {
      values.add(part.strip().replace("\"", ""));
    }
    return values;
  }

  /** What the model wants: one channel, mean and standard deviation on the scale 0 to 1. */
  private record Preparation(int height, int width, float mean, float std) {
    static Preparation of(long[] shape, String json) {
      return new Preparation(
          (int) shape[2], (int) shape[3], number(json, "mean"), number(json, "std"));
    }

    /** The number behind a name, or the first of a list. */
    private static float number(String json, String name) {
      String rest = json.substring(json.indexOf("\"" + name + "\"") + name.length() + 2);
      return Float.parseFloat(rest.replaceFirst("(?s)^\\s*:\\s*\\[?\\s*([-+.0-9eE]+).*", "$1"));
    }

    /** [batch, 1, height, width], row-major. */
    FloatBuffer pixels(List<Path> batch) throws IOException {
      FloatBuffer pixels = FloatBuffer.allocate(batch.size() * height * width);
      for (Path file : batch) {
        BufferedImage grey = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
        Graphics2D graphics = grey.createGraphics();
        graphics.setRenderingHint(
            RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.drawImage(ImageIO.read(file.toFile()), 0, 0, width, height, null);
        graphics.dispose();
        for (int level : grey.getRaster().getSamples(0, 0, width, height, 0, (int[]) null)) {
          pixels.put((level / 255f - mean) / std);
        }
      }
      return pixels.flip();
    }
  }
}
