package dev.sidefade.train;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import dev.sidefade.export.Safetensors;
import dev.sidefade.layers.Parameters;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that a training needs to go on, in one safetensors file: values and moments of all
 * parameters, the history and the best epoch so far. Random numbers are counter-based and need no
 * state.
 */
public final class Checkpoint {
  private static final String FINGERPRINT = "fingerprint";
  private static final String STATE = "state";

  private final Gson gson = new GsonBuilder().serializeSpecialFloatingPointValues().create();
  private final Path file;
  private final String fingerprint;
  private final Map<String, Parameters> sets = new LinkedHashMap<>();
  private final Map<String, RunningMean> means = new LinkedHashMap<>();

  /** The part of a state that is no tensor. */
  private record Text(
      List<EpochRecord> history, int bestEpoch, double bestScore, boolean stopped) {}

  /**
   * A file that need not exist yet, for the parameters of both networks.
   *
   * @param file the file
   * @param fingerprint of everything that decides the result; a checkpoint of another one is
   *     refused
   * @param tail the tail, if it learns
   * @param side the side network, if there is one
   * @param self the backbone's own mean, if it teaches
   */
  public Checkpoint(
      Path file,
      String fingerprint,
      Optional<BackboneTail> tail,
      Optional<SidePart> side,
      Optional<SelfTeacher> self) {
    this.file = file;
    this.fingerprint = fingerprint;
    self.ifPresent(teacher -> means.put("tail.average", teacher.mean()));
    side.flatMap(SidePart::average).ifPresent(mean -> means.put("side.average", mean));
    tail.ifPresent(t -> sets.put("tail", t.parameters()));
    side.ifPresent(s -> sets.put("side", s.parameters()));
  }

  /** {@return whether there is one} */
  public boolean exists() {
    return Files.isRegularFile(file);
  }

  /**
   * Writes the state over the last checkpoint; a crash leaves one of the two whole.
   *
   * @param state how far the training is
   * @throws IOException if the file cannot be written
   */
  public void save(TrainingState state) throws IOException {
    Map<String, Safetensors.Entry> out = new LinkedHashMap<>();
    sets.forEach((name, p) -> {
      out.put(name + ".values", Safetensors.Entry.of(p.values()));
      out.put(name + ".first_moments", Safetensors.Entry.of(p.firstMoments()));
      out.put(name + ".second_moments", Safetensors.Entry.of(p.secondMoments()));
    });
    means.forEach((name, mean) -> out.put(name, Safetensors.Entry.of(mean.values())));
    state
        .best()
        .ifPresent(best -> {
          out.put("best.tail", new Safetensors.Entry(best.tail(), best.tail().length));
          out.put("best.side", new Safetensors.Entry(best.side(), best.side().length));
        });
    Text text =
        new Text(
            state.history(),
            state.best().map(TrainingState.Best::epoch).orElse(0),
            state.best().map(TrainingState.Best::score).orElse(0.0),
            state.stopped());
    Safetensors.write(file, out, Map.of(FINGERPRINT, fingerprint, STATE, gson.toJson(text)));
  }

  /**
   * Puts the parameters back and returns how far the training was.
   *
   * @return how far the training was
   * @throws BadInputException if the file is damaged or was made with other settings
   * @throws IOException if the file cannot be read
   */
  public TrainingState load() throws IOException {
    Safetensors.Content in = Safetensors.read(file);
    requireSame(file, in, fingerprint);
    sets.forEach((name, p) -> {
      put(in, name + ".values", p.values());
      put(in, name + ".first_moments", p.firstMoments());
      put(in, name + ".second_moments", p.secondMoments());
    });
    means.forEach((name, mean) -> put(in, name, mean.values()));
    Text text = text(in);
    TrainingState state = new TrainingState();
    text.history().forEach(state::add);
    if (text.bestEpoch() > 0) {
      state.setBest(
          new TrainingState.Best(
              text.bestEpoch(), text.bestScore(), best(in, "tail"), best(in, "side")));
    }
    if (text.stopped()) {
      state.stop();
    }
    return state;
  }

  /**
   * Looks at a checkpoint before anything is computed.
   *
   * @param file the file
   * @param fingerprint of everything that decides the result
   * @throws BadInputException if the file is damaged or was made with other settings
   * @throws IOException if the file cannot be read
   */
  public static void requireSame(Path file, String fingerprint) throws IOException {
    requireSame(file, Safetensors.read(file), fingerprint);
  }

  private static void requireSame(Path file, Safetensors.Content content, String fingerprint) {
    if (!fingerprint.equals(content.metadata().get(FINGERPRINT))) {
      throw new BadInputException(
          "the checkpoint "
              + file
              + " was made with other settings or examples, or another backbone: use the same ones"
              + " to resume, or another output folder");
    }
  }

  private Text text(Safetensors.Content content) {
    Text text = null;
    try {
      text = gson.fromJson(content.metadata().get(STATE), Text.class);
    } catch (JsonParseException | NumberFormatException e) {
      // as good as missing
    }
    if (text == null || text.history() == null || !isComplete(text)) {
      throw damaged(STATE);
    }
    return text;
  }

  /** JSON leaves null what it does not mention. */
  private static boolean isComplete(Text text) {
    return text.history().stream()
            .allMatch(epoch ->
                epoch != null
                    && epoch.losses() != null
                    && epoch.gates() != null
                    && !epoch.losses().containsValue(null)
                    && !epoch.gates().contains(null))
        && text.bestEpoch() >= 0
        && text.bestEpoch() <= text.history().size();
  }

  private float[] best(Safetensors.Content content, String set) {
    float[] values = floats(content, "best." + set);
    Parameters of = sets.get(set);
    if (of != null && values.length != of.values().size()) {
      throw damaged("best." + set);
    }
    return values;
  }

  private void put(Safetensors.Content content, String name, Tensor target) {
    float[] values = floats(content, name);
    if (values.length != target.size()) {
      throw damaged(name);
    }
    target.setFloats(values);
  }

  private float[] floats(Safetensors.Content content, String name) {
    Safetensors.Entry entry = content.tensors().get(name);
    if (entry == null) {
      throw damaged(name);
    }
    return entry.values();
  }

  private BadInputException damaged(String what) {
    return new BadInputException(
        "the checkpoint " + file + " lacks a usable " + what + ": delete it and start again");
  }
}
