package dev.sidefade.data;

import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.Mutator;
import dev.sidefade.fuzz.ScratchFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.random.RandomGenerator;

/** Lists of two images that are there and of some that are not. */
public final class ListFuzz implements FuzzTarget {
  private final ScratchFolder scratch;
  private final Path list;
  private final Mutator mutator;

  /** Makes the folder with the images. */
  public ListFuzz() throws IOException {
    scratch = ScratchFolder.create();
    list = scratch.path().resolve("list.txt");
    Files.write(scratch.path().resolve("a"), ImageFuzz.encoded("png", 2, 2, 1));
    Files.writeString(scratch.path().resolve("b c.png"), "no image");
    mutator =
        new Mutator(
            List.of(
                Mutator.bytes("\uFEFFa 1\r\n# comment\r\n\r\na\r\na 99\r\n"),
                Mutator.bytes("b c.png 22\n\ta\t0 \n# \u4e2d"),
                Mutator.bytes("images/a.png 1\n/abs/e.jpeg 0\n../d.png\n")),
            List.of(
                "\n",
                "\r",
                "\t",
                " ",
                "#",
                "\0",
                "\u2028",
                "\u00a0",
                "a 1\n",
                "\uFEFF",
                "+1",
                "-1",
                "\u0661",
                "/",
                "..",
                "x".repeat(300),
                "x".repeat(5000)));
  }

  @Override
  public String name() {
    return "list files";
  }

  @Override
  public byte[] mutant(RandomGenerator random) {
    return mutator.mutant(random);
  }

  @Override
  public void read(byte[] input) throws IOException {
    for (ListFile.Entry entry : ListFile.parse("x", input, ListFile.MAX_CLASSES)) {
      if (entry.label() < -1 || entry.label() >= ListFile.MAX_CLASSES || entry.path().isBlank()) {
        throw new IllegalStateException("entry " + entry);
      }
    }
    Files.write(list, input);
    ListFile.open(list, ImageSources.Options.DEFAULT).close();
  }

  @Override
  public void close() throws IOException {
    scratch.close();
  }
}
