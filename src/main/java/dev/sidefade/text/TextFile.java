package dev.sidefade.text;

import dev.sidefade.data.ByteOrderMark;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Text files that must be UTF-8 to the last byte. */
final class TextFile {
  private static final long MAX_BYTES = 512L << 20;

  private TextFile() {}

  /**
   * The text of a file, without a byte order mark.
   *
   * @param what the kind of file, for messages
   * @throws BadInputException if there is no such file, or it is not UTF-8 text
   */
  static String read(String what, Path path) throws IOException {
    if (!Files.isRegularFile(path)) {
      throw new BadInputException(
          what + " " + path + (Files.exists(path) ? " is not a file" : " does not exist"));
    }
    long size = Files.size(path);
    if (size > MAX_BYTES) {
      throw new BadInputException(
          what + " " + path + " has " + size + " bytes: expected at most " + MAX_BYTES);
    }
    try {
      return decode(what + " " + path, Files.readAllBytes(path));
    } catch (AccessDeniedException e) {
      throw new BadInputException(what + " " + path + " cannot be read: permission denied", e);
    }
  }

  /**
   * Decodes UTF-8.
   *
   * @param name where the bytes come from, for messages
   * @throws BadInputException with the number of the line that holds what is not UTF-8, or a zero
   */
  static String decode(String name, byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    if (StandardCharsets.UTF_8.newDecoder().decode(in, out, true).isError()) {
      throw malformed(
          name,
          lineAt(bytes, in.position()),
          "it is not UTF-8 text, which is expected: save the file as UTF-8");
    }
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        throw malformed(
            name,
            lineAt(bytes, i),
            "it holds a zero byte, which UTF-8 text does not: save the file as UTF-8");
      }
    }
    return ByteOrderMark.strip(out.flip().toString());
  }

  /**
   * The lines of a text, which end with LF or CR LF. Other separators of Unicode occur within
   * sentences and separate nothing here.
   */
  static List<String> lines(String text) {
    List<String> lines = new ArrayList<>();
    int at = 0;
    while (at < text.length()) {
      int newline = text.indexOf('\n', at);
      int end = newline < 0 ? text.length() : newline;
      boolean carriage = end > at && text.charAt(end - 1) == '\r';
      lines.add(text.substring(at, carriage ? end - 1 : end));
      at = end + 1;
    }
    return lines;
  }

  static BadInputException malformed(String name, int line, String what) {
    return new BadInputException("line " + line + " of " + name + ": " + what);
  }

  private static int lineAt(byte[] bytes, int position) {
    int line = 1;
    for (int i = 0; i < position; i++) {
      if (bytes[i] == '\n') {
        line++;
      }
    }
    return line;
  }
}
