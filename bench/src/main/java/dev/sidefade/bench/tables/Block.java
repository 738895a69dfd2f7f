package dev.sidefade.bench.tables;

import com.google.gson.JsonElement;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a marker in a Markdown file asks for: {@code <!-- table: FILE.json ... KIND WORD... }, then
 * lines of its own up to {@code -->}.
 *
 * @param files results, in the order that the kind wants
 * @param kind of table or plot
 * @param words behind the kind
 * @param lines behind the first line of the marker; empty lines left out
 */
record Block(List<Path> files, String kind, List<String> words, List<String> lines) {

  static Block parse(Path folder, String marker) {
    List<String> lines = marker.strip().lines().map(String::strip).toList();
    List<Path> files = new ArrayList<>();
    List<String> words = new ArrayList<>();
    for (String word : lines.getFirst().split("\\s+")) {
      if (words.isEmpty() && word.endsWith(".json")) {
        files.add(folder.resolve(word));
      } else {
        words.add(word);
      }
    }
    if (files.isEmpty() || words.isEmpty()) {
      throw new TableException(
          "expected <!-- table: FILE.json KIND -->, found: " + lines.getFirst());
    }
    return new Block(
        files,
        words.getFirst(),
        words.subList(1, words.size()),
        lines.subList(1, lines.size()).stream().filter(line -> !line.isEmpty()).toList());
  }

  /** The file at {@code index}. */
  JsonElement file(int index) throws IOException {
    if (index >= files.size()) {
      throw new TableException(kind + " needs " + (index + 1) + " files, got " + files.size());
    }
    return Json.read(files.get(index));
  }
}
