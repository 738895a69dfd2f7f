package dev.sidefade.export;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.ModelCheck;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Writes exported models, whole or not at all. A model whose backbone has external data, or which
 * is too large for one file, gets {@code NAME.data} of its own beside it.
 */
public final class Export {
  private Export() {}

  /** What looks at a file before it is moved into place. */
  @FunctionalInterface
  private interface Inspection {
    void inspect(Path file) throws IOException;
  }

  /**
   * Writes a model aside, runs it on real examples, and moves it into place if it computes what was
   * trained.
   *
   * @param model the model
   * @param target the file to write
   * @param verification inputs with the outputs that are expected
   * @return the largest difference between a logit of the model and one that is expected
   * @throws IllegalStateException if the model does not run or differs too much; then nothing is
   *     written
   * @throws IOException if the file cannot be written
   */
  public static double writeVerified(OnnxModel model, Path target, Verification verification)
      throws IOException {
    ModelCheck.check(model);
    String output = model.graph().outputs().getFirst().name();
    double[] largest = new double[1];
    place(model, target, file -> largest[0] = verification.check(file, output));
    return largest[0];
  }

  /**
   * Writes a model without running it.
   *
   * @param model the model
   * @param target the file to write
   * @throws IOException if the file cannot be written
   */
  public static void write(OnnxModel model, Path target) throws IOException {
    ModelCheck.check(model);
    place(model, target, file -> {});
  }

  /**
   * Writes a variant of a model, given as it is in ONNX's format, if ONNX Runtime loads it and,
   * where there are examples, answers as the precision allows.
   *
   * @throws IllegalStateException if it does not; then nothing is written
   */
  static void writeChecked(
      OnnxModel model, ExportVariant variant, Path target, Optional<Verification> examples)
      throws IOException {
    ModelCheck.check(model);
    String output = model.graph().outputs().getFirst().name();
    Inspection inspection =
        file -> {
          if (examples.isPresent()) {
            examples.get().check(file, output, variant.tolerance());
          } else {
            OrtModel.open(file, 1).close();
          }
        };
    if (variant.ort()) {
      placeOrt(model, target, inspection);
    } else {
      place(model, target, inspection);
    }
  }

  private static void placeOrt(OnnxModel model, Path target, Inspection inspection)
      throws IOException {
    Path folder = folderOf(target);
    Path aside = partFolder(target);
    try {
      Path source = aside.resolve("model.onnx");
      model.write(source);
      Path file = aside.resolve(String.valueOf(target.getFileName()));
      OrtFormat.convert(source, file);
      inspection.inspect(file);
      move(file, folder.resolve(file.getFileName()));
    } finally {
      delete(aside);
    }
  }

  private static void place(OnnxModel model, Path target, Inspection inspection)
      throws IOException {
    Path absolute = target.toAbsolutePath().normalize();
    Path folder = folderOf(target);
    refuseSource(model, absolute);
    // the file has its final name there, for it names the data beside it
    Path aside = partFolder(absolute);
    try {
      Path file = aside.resolve(absolute.getFileName());
      if (hasExternalData(model)) {
        model.write(file, true);
      } else {
        model.write(file);
      }
      inspection.inspect(file);
      Path data = file.resolveSibling(file.getFileName() + ".data");
      if (Files.exists(data)) {
        move(data, folder.resolve(data.getFileName()));
      }
      move(file, absolute);
    } finally {
      delete(aside);
    }
  }

  /** What is read while the file is written, and what the base model still needs. */
  private static void refuseSource(OnnxModel model, Path target) throws IOException {
    Path beside = target.resolveSibling(target.getFileName() + ".data");
    for (Initializer tensor : model.graph().tensors()) {
      for (Path file : List.of(target, beside)) {
        if (tensor.liesIn(file)) {
          throw new BadInputException(
              file
                  + " holds weights of the model that "
                  + target.getFileName()
                  + " is made from and would be overwritten; choose another name");
        }
      }
    }
  }

  /** The name says whose it is, so that who is interrupted can clean up behind itself. */
  private static Path partFolder(Path target) throws IOException {
    String name = "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".part";
    Path aside = folderOf(target).resolve(name);
    if (Files.isDirectory(aside)) {
      delete(aside);
    }
    return Files.createDirectory(aside);
  }

  private static Path folderOf(Path target) {
    Path absolute = target.toAbsolutePath().normalize();
    Path folder = Objects.requireNonNullElse(absolute.getParent(), absolute);
    if (!Files.isDirectory(folder)) {
      throw new BadInputException(
          "there is no folder "
              + folder
              + " to write "
              + absolute.getFileName()
              + " into; make it first");
    }
    return folder;
  }

  private static boolean hasExternalData(OnnxModel model) {
    return model.graph().initializers().values().stream().anyMatch(Initializer::external);
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static void delete(Path folder) throws IOException {
    List<Path> left;
    try (Stream<Path> files = Files.list(folder)) {
      left = files.toList();
    }
    for (Path file : left) {
      Files.delete(file);
    }
    Files.delete(folder);
  }
}
