import dev.sidefade.AdaptConfig;
import dev.sidefade.AdaptResult;
import dev.sidefade.Sidefade;
import dev.sidefade.Tune;
import java.io.IOException;
import java.nio.file.Path;

/** Adapts an image model to the classes of some images: BACKBONE TRAIN VALIDATION OUT [EPOCHS]. */
public final class AdaptImages {
  private AdaptImages() {}

  public static void main(String[] arguments) throws IOException {
    // @start region="adapt"
    AdaptConfig config =
        AdaptConfig.builder()
            .backbone(Path.of(arguments[0]))
            .train(arguments[1]) // one folder per class, a list file or an IDX file
            .validation(arguments[2])
            .out(Path.of(arguments[3]))
            .tune(Tune.NORMS)
            .epochs(arguments.length > 4 ? Integer.parseInt(arguments[4]) : 10)
            .build();
    AdaptResult result = Sidefade.adapt(config);
    System.out.println("model: " + result.model().orElseThrow());
    System.out.println("report: " + result.html());
    // @end
  }
}
