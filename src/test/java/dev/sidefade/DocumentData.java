package dev.sidefade;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Random;
import javax.imageio.ImageIO;

/**
 * Small files under the names that commands of the documents give: images, texts, the backbones for
 * both.
 */
public final class DocumentData {
  private static final int IMAGES = 20;
  private static final int UNLABELLED = 8;

  private final Path folder;

  private DocumentData(Path folder) {
    this.folder = folder;
  }

  /** Makes all of them in a folder. */
  public static void make(Path folder) throws IOException {
    DocumentData data = new DocumentData(folder);
    data.images();
    data.texts();
    data.settings();
  }

  private void images() throws IOException {
    Path demo = Files.createDirectory(folder.resolve("demo-files"));
    Files.copy(new DemoFiles(demo).backbone(), folder.resolve("vit.onnx"));
    FlowerFiles.make(folder, IMAGES);
    ImageIO.write(FlowerFiles.flower("tulip", 3), "png", folder.resolve("tulip.png").toFile());
    Path more = Files.createDirectory(folder.resolve("more"));
    StringBuilder list = new StringBuilder("# a list file\n");
    for (int i = 0; i < IMAGES; i++) {
      list.append("flowers/train/rose/").append(i).append(".png 0\n");
      list.append("flowers/train/tulip/").append(i).append(".png 1\n");
    }
    Files.writeString(folder.resolve("train.txt"), list);
    for (int i = 0; i < UNLABELLED; i++) {
      String kind = i % 2 == 0 ? "rose" : "tulip";
      ImageIO.write(FlowerFiles.flower(kind, 2 * i + 1), "png", more.resolve(i + ".png").toFile());
    }
  }

  private void texts() throws IOException {
    TextFiles files = new TextFiles(folder);
    Path encoder = files.backbone("minilm_legacy11");
    Path minilm = Files.createDirectories(folder.resolve("target").resolve("minilm"));
    Files.copy(encoder, minilm.resolve("all-minilm-l6-v2.onnx"));
    Files.copy(files.tokenizer(), minilm.resolve("all-minilm-l6-v2-tokenizer.json"));
    Files.move(encoder, folder.resolve("minilm.onnx"));

    TextFiles.Sets reviews = files.sentiments(40, 20);
    move(reviews.train(), "train.tsv");
    move(reviews.validation(), "dev.tsv");
    move(reviews.test(), "test.tsv");
    files.file("labelled.tsv", TextFiles.sentiments(20, new Random(5)));
    move(files.unlabelled(20), "rest.tsv");
    files.file("lines.txt", "a good film\nthe play was bad\n");

    TextFiles.Sets names = files.names(40, 20);
    move(names.train(), "train.conll");
    move(names.test(), "test.conll");
    files.file("sts.tsv", similarities(40, new Random(6)));
    files.file("sts-test.tsv", similarities(20, new Random(7)));
  }

  private void move(Path file, String name) throws IOException {
    Files.move(file, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
  }

  /** Pairs of which the same sentence twice has 5, and another one less. */
  private static String similarities(int rows, Random random) {
    StringBuilder text = new StringBuilder("sentence1\tsentence2\tscore\n");
    for (int i = 0; i < rows; i++) {
      String first = TextFiles.sentiment(random.nextBoolean(), random);
      boolean same = random.nextBoolean();
      String second = same ? first : TextFiles.sentiment(random.nextBoolean(), random);
      double score = same ? 5 : 1 + random.nextInt(3);
      text.append(first).append('\t').append(second).append('\t').append(score).append('\n');
    }
    return text.toString();
  }

  /** The file of settings is the one that the guide shows. */
  private void settings() throws IOException {
    String guide = Files.readString(Path.of("docs", "guide.md"));
    int begin = guide.indexOf("```json\n") + "```json\n".length();
    Files.writeString(
        folder.resolve("settings.json"), guide.substring(begin, guide.indexOf("```", begin)));
  }
}
