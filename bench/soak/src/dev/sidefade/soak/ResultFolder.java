package dev.sidefade.soak;

import com.google.gson.JsonParser;
import dev.sidefade.export.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Compares what lies in the folder of a run with what an uninterrupted run wrote. */
record ResultFolder(Path folder) {
  private static final List<String> SAME_BYTES =
      List.of("model.onnx", "kept.onnx", "delta.safetensors");

  List<String> names() throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** What is wrong with files under their final names; nothing if all of them are whole. */
  List<String> broken(ResultFolder expected) throws IOException {
    List<String> wrong = new ArrayList<>();
    for (String name : names()) {
      Path file = folder.resolve(name);
      switch (name) {
        case "model.onnx", "kept.onnx", "delta.safetensors" -> {
          if (Files.mismatch(file, expected.folder.resolve(name)) >= 0) {
            wrong.add(name + " differs");
          }
        }
        case "checkpoint.safetensors" -> Safetensors.read(file);
        case "metrics.json" -> JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        case "report.html" -> {
          if (!Files.readString(file).strip().endsWith("</html>")) {
            wrong.add(name + " is cut off");
          }
        }
        default -> {
          if (!name.startsWith(".")) {
            wrong.add(name + " is unknown");
          }
        }
      }
    }
    return wrong;
  }

  /** What differs from a run that was not interrupted; nothing if it ended in the same bytes. */
  List<String> differences(ResultFolder expected) throws IOException {
    List<String> different = new ArrayList<>(broken(expected));
    for (String name : SAME_BYTES) {
      if (!Files.exists(folder.resolve(name))) {
        different.add(name + " is missing");
      }
    }
    // the texts of a checkpoint hold the seconds that each epoch took
    Map<String, Safetensors.Entry> tensors = checkpoint();
    Map<String, Safetensors.Entry> wanted = expected.checkpoint();
    if (!tensors.keySet().equals(wanted.keySet())) {
      different.add("the checkpoint holds " + tensors.keySet());
    }
    wanted.forEach((name, entry) -> {
      Safetensors.Entry own = tensors.get(name);
      if (own != null && !Arrays.equals(own.values(), entry.values())) {
        different.add(name + " of the checkpoint differs");
      }
    });
    return different;
  }

  private Map<String, Safetensors.Entry> checkpoint() throws IOException {
    return Safetensors.read(folder.resolve("checkpoint.safetensors")).tensors();
  }
}
