package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How texts become the examples of an adaptation. */
class TextDataTest {
  @TempDir Path folder;
  private TextFiles files;

  @BeforeEach
  void unpack() throws IOException {
    files = new TextFiles(Files.createDirectory(folder.resolve("data")));
  }

  private static AdaptResult quick(AdaptConfig.Builder config) throws IOException {
    return Sidefade.adapt(config.build(), ProgressListener.SILENT, Duration.ZERO);
  }

  @Test
  void withoutValidationSetSomeTextsAreHeldOut() throws IOException {
    AdaptConfig.Builder config =
        AdaptConfig.builder()
            .backbone(files.backbone("bert_legacy17"))
            .task(TaskKind.TEXT)
            .tokenizer(files.tokenizer())
            .train(files.sentiments(120, 60).train().toString())
            .out(folder.resolve("out"))
            .tune(Tune.FINAL_NORM)
            .epochs(2);
    AdaptResult result = quick(config);
    assertTrue(result.report().accuracy(RunReport.VAL, RunReport.FADED).isPresent());
    assertTrue(result.report().accuracy(RunReport.TEST, RunReport.FADED).isEmpty());
    assertTrue(
        result.report().notes().stream().anyMatch(note -> note.contains("24 of 120")),
        result.report().notes().toString());
  }

  /** A test text longer than all others, and a batch that holds the shortest beside the longest. */
  @Test
  void textsOfVeryDifferentLengthsGoTogether() throws IOException {
    Random random = new Random(12);
    StringBuilder rows = new StringBuilder("text\tlabel\n");
    for (int i = 0; i < 48; i++) {
      String word = i % 2 == 0 ? "good" : "bad";
      rows.append(word).append(" very".repeat(random.nextInt(i % 3 == 0 ? 30 : 1) + i % 2));
      rows.append('\t').append(word).append('\n');
    }
    Path train = files.file("lengths.tsv", rows.toString());
    Path longer =
        files.file("longer.tsv", "text\tlabel\ngood\tgood\nbad" + " very".repeat(70) + "\tbad\n");
    AdaptResult result =
        quick(
            files
                .config(
                    TaskKind.TEXT,
                    "distilbert_dynamo18",
                    new TextFiles.Sets(train, train, longer),
                    folder.resolve("out"))
                .maxLength(0)
                .tokenizer(longTokenizer())
                .batch(24)
                .epochs(16));
    assertTrue(
        result
            .report()
            .notes()
            .contains("1 of 2 test texts were longer than 48 tokens and were cut."),
        result.report().notes().toString());
    assertTrue(
        result.report().accuracy(RunReport.VAL, RunReport.FADED).orElseThrow() > 0.9,
        result.report().measures().toString());
  }

  @Test
  void aFixedNumberOfTokensIsRefused() throws IOException {
    OnnxModel model = OnnxModel.read(files.backbone("minilm_legacy11"));
    model
        .graph()
        .inputs()
        .replaceAll(input -> ValueInfo.of(input.name(), ElementType.INT64, "batch", 16));
    Path fixed = folder.resolve("fixed.onnx");
    model.write(fixed);
    AdaptConfig.Builder config =
        files.config(
            TaskKind.TEXT, "minilm_legacy11", files.sentiments(10, 5), folder.resolve("out"));
    String message =
        assertThrows(BadInputException.class, () -> quick(config.backbone(fixed))).getMessage();
    assertTrue(message.contains("takes exactly 16 tokens; export the model"), message);
  }

  /** One that suggests no length, so that the model's table of positions is the limit. */
  private Path longTokenizer() throws IOException {
    JsonObject root = JsonParser.parseString(Files.readString(files.tokenizer())).getAsJsonObject();
    root.remove("truncation");
    return Files.writeString(folder.resolve("long.json"), root.toString());
  }
}
