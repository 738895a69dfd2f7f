import dev.sidefade.AdaptConfig;
import dev.sidefade.AdaptResult;
import dev.sidefade.Sidefade;
import dev.sidefade.TaskKind;
import dev.sidefade.TextPredictor;
import dev.sidefade.Tune;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Adapts a sentence encoder to classes of texts and asks what came out: BACKBONE TOKENIZER TRAIN
 * VALIDATION OUT [EPOCHS].
 */
public final class AdaptTexts {
  private AdaptTexts() {}

  public static void main(String[] arguments) throws IOException {
    Path tokenizer = Path.of(arguments[1]);
    // @start region="adapt"
    AdaptConfig config =
        AdaptConfig.builder()
            .task(TaskKind.TEXT)
            .backbone(Path.of(arguments[0]))
            .tokenizer(tokenizer)
            .train(arguments[2]) // TSV or CSV with the columns "label" and "text"
            .validation(arguments[3])
            .out(Path.of(arguments[4]))
            .tune(Tune.lowRank(4))
            .epochs(arguments.length > 5 ? Integer.parseInt(arguments[5]) : 10)
            .build();
    AdaptResult result = Sidefade.adapt(config);
    List<String> texts = List.of("a very good film", "a very bad film");
    try (TextPredictor model = TextPredictor.open(result.model().orElseThrow(), tokenizer, 0)) {
      model
          .predict(texts, List.of(), 1)
          .forEach(said -> System.out.println(said.classes().getFirst()));
    }
    // @end
  }
}
