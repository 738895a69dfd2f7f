package dev.sidefade.onnx;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;

/** A list that tells its owner of every change. */
final class TrackedList<T> extends AbstractList<T> {
  private final List<T> elements = new ArrayList<>();
  private final Runnable changed;

  TrackedList(Runnable changed) {
    this.changed = changed;
  }

  @Override
  public T get(int index) {
    return elements.get(index);
  }

  @Override
  public int size() {
    return elements.size();
  }

  @Override
  public T set(int index, T element) {
    T before = elements.set(index, element);
    changed.run();
    return before;
  }

  @Override
  public void add(int index, T element) {
    elements.add(index, element);
    modCount++;
    changed.run();
  }

  @Override
  public T remove(int index) {
    T removed = elements.remove(index);
    modCount++;
    changed.run();
    return removed;
  }

  @Override
  protected void removeRange(int from, int to) {
    elements.subList(from, to).clear();
    modCount++;
    changed.run();
  }
}
