import dev.sidefade.Prediction;
import dev.sidefade.PredictionListener;
import dev.sidefade.Predictor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

/**
 * An exported model in a service: opened and warmed up once, asked by many threads, measured, and
 * closed with the service. In Spring this class is a bean whose destroy method is {@code close}; in
 * any framework its {@link Metrics} become a counter and a timer. MODEL FOLDER
 */
public final class PredictionService implements AutoCloseable {
  // @start region="service"
  private final Metrics metrics = new Metrics();
  private final Semaphore places; // more calls at once than this wait for the processors anyway
  private final Predictor predictor;

  public PredictionService(Path model, int atOnce) throws IOException {
    places = new Semaphore(atOnce);
    predictor = Predictor.open(model, 1, metrics); // one thread each: the calls are parallel
    predictor.warmUp(); // before the service says that it is ready
  }

  /** May be called by any number of threads, virtual ones too. */
  public Prediction predict(Path image) throws IOException {
    places.acquireUninterruptibly();
    try {
      return predictor.predict(image, 1).getFirst();
    } finally {
      places.release();
    }
  }

  // @end

  public Metrics metrics() {
    return metrics;
  }

  /** Call it when no request is under way any more. */
  @Override
  public void close() {
    predictor.close();
  }

  /** Counts calls and adds up their time. */
  public static final class Metrics implements PredictionListener {
    private final LongAdder calls = new LongAdder();
    private final LongAdder nanos = new LongAdder();

    @Override
    public void predicted(int examples, Duration time) {
      calls.add(examples);
      nanos.add(time.toNanos());
    }

    public long calls() {
      return calls.sum();
    }

    public double meanMilliseconds() {
      return calls.sum() == 0 ? 0 : nanos.sum() / 1e6 / calls.sum();
    }
  }

  /** Asks for every PNG file of a folder at once, each request on a virtual thread of its own. */
  public static void main(String[] arguments)
      throws IOException, InterruptedException, ExecutionException {
    List<Path> images;
    try (Stream<Path> all = Files.list(Path.of(arguments[1]))) {
      images = all.filter(file -> file.toString().endsWith(".png")).sorted().toList();
    }
    int processors = Runtime.getRuntime().availableProcessors();
    try (PredictionService service = new PredictionService(Path.of(arguments[0]), processors);
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> answers = new ArrayList<>();
      for (Path image : images) {
        answers.add(requests.submit(() -> answer(service, image)));
      }
      for (Future<String> answer : answers) {
        System.out.println(answer.get());
      }
      System.out.printf(
          Locale.ROOT,
          "%d calls, %.2f ms each%n",
          service.metrics().calls(),
          service.metrics().meanMilliseconds());
    }
  }

  private static String answer(PredictionService service, Path image) {
    try {
      return image.getFileName() + "\t" + service.predict(image).label();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
