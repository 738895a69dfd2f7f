package dev.sidefade;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;

/**
 * The files that the documents speak of when they adapt an image model: a backbone {@code
 * vit.onnx}, and flowers in which red disks are roses and yellow bars are tulips.
 */
final class FlowerFiles {
  private FlowerFiles() {}

  /** Makes them in a folder, so many of each kind and set. */
  static void make(Path folder, int count) throws IOException {
    for (String set : List.of("train", "test")) {
      for (String name : List.of("rose", "tulip")) {
        Path type = Files.createDirectories(folder.resolve("flowers").resolve(set).resolve(name));
        for (int i = 0; i < count; i++) {
          ImageIO.write(flower(name, i), "png", type.resolve(i + ".png").toFile());
        }
      }
    }
    ImageIO.write(flower("rose", 7), "jpg", folder.resolve("rose.jpg").toFile());
  }

  /** A flower of a kind; the number says where it stands, from 0 to 19. */
  static BufferedImage flower(String name, int i) {
    BufferedImage image = new BufferedImage(48, 48, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    if (name.equals("rose")) {
      g.setColor(Color.RED);
      g.fillOval(4 + i, 10, 16, 16);
    } else {
      g.setColor(Color.YELLOW);
      g.fillRect(4 + i, 4, 8, 40);
    }
    g.dispose();
    return image;
  }
}
