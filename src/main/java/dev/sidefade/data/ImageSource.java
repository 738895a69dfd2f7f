package dev.sidefade.data;

import java.util.List;

/**
 * Images with labels or without, found once and decoded on demand. Thread-safe: several threads may
 * decode at a time.
 */
public interface ImageSource extends AutoCloseable {
  /** {@return number of images; at least one} */
  int size();

  /**
   * {@return class of image {@code i}, an index into {@link #classNames()}; -1 if it has no label}
   *
   * @param i number of the image, from 0
   */
  int label(int i);

  /** {@return names of the classes, by label; empty if no image has a label and none were given} */
  List<String> classNames();

  /**
   * {@return the file of image {@code i}, or its file and index: for messages}
   *
   * @param i number of the image, from 0
   */
  String name(int i);

  /**
   * Writes image {@code i} as {@code spec} wants it: channels x height x width floats from {@code
   * out[offset]} on. The same image and spec give the same floats every time.
   *
   * @param i number of the image, from 0
   * @param spec what is wanted
   * @param out filled
   * @param offset index of the first float
   * @throws UnreadableImageException if the image cannot be decoded (any more)
   */
  void decode(int i, ImageSpec spec, float[] out, int offset);

  /** {@return number of images that were found but left out because they cannot be decoded} */
  int skipped();

  /** {@return for every image left out: its file and what is wrong with it} */
  List<String> skippedReasons();

  /** {@return all labels, by image} */
  default int[] labels() {
    int[] labels = new int[size()];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = label(i);
    }
    return labels;
  }

  @Override
  void close();
}
