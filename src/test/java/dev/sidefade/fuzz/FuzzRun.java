package dev.sidefade.fuzz;

import com.sun.management.ThreadMXBean;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.SplittableRandom;

/**
 * Gives inputs to one parser and counts what becomes of them. Input {@code i} of seed {@code s} is
 * the same in every run.
 */
public final class FuzzRun {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final FuzzTarget target;
  private final long seed;

  // read by a watchdog
  private volatile long current = -1;
  private volatile long begun = System.nanoTime();

  private long read;
  private long refused;
  private long failedToRead;
  private long worstNanos;
  private long worstTimeAt = -1;
  private long worstBytes;
  private long worstBytesAt = -1;

  /** A run of one parser. */
  public FuzzRun(FuzzTarget target, long seed) {
    this.target = target;
    this.seed = seed;
  }

  /** An input, to be looked at. */
  public byte[] input(long iteration) {
    return target.mutant(new SplittableRandom(seed * 0x9E3779B97F4A7C15L + iteration));
  }

  /**
   * Gives one input to the parser.
   *
   * @throws FuzzFailure if that is answered in another way than by a result or one sentence
   */
  public void one(long iteration) {
    byte[] input = input(iteration);
    long bytesBefore = THREADS.getCurrentThreadAllocatedBytes();
    begun = System.nanoTime();
    current = iteration;
    try {
      target.read(input);
      read++;
    } catch (BadInputException e) {
      requireSentence(e, iteration, input);
      refused++;
    } catch (IOException e) {
      requireSentence(e, iteration, input);
      failedToRead++;
    } catch (RuntimeException | Error e) {
      throw new FuzzFailure(target, seed, iteration, input, "it threw " + e, e);
    }
    long nanos = System.nanoTime() - begun;
    current = -1;
    long bytes = THREADS.getCurrentThreadAllocatedBytes() - bytesBefore;
    if (nanos > worstNanos) {
      worstNanos = nanos;
      worstTimeAt = iteration;
    }
    if (bytes > worstBytes) {
      worstBytes = bytes;
      worstBytesAt = iteration;
    }
    if (bytes > target.mostBytes()) {
      throw new FuzzFailure(
          target, seed, iteration, input, "it had " + bytes + " bytes allocated", null);
    }
  }

  private void requireSentence(Exception e, long iteration, byte[] input) {
    String message = e.getMessage();
    if (message == null || message.isBlank() || message.lines().count() != 1) {
      throw new FuzzFailure(
          target, seed, iteration, input, "its message is not one line: '" + message + "'", e);
    }
    if (holdsControls(message)) {
      throw new FuzzFailure(
          target, seed, iteration, input, "its message holds control characters", e);
    }
    if (message.length() > 2000) {
      throw new FuzzFailure(
          target, seed, iteration, input, "its message has " + message.length() + " letters", e);
    }
  }

  /** All controls are single chars. */
  private static boolean holdsControls(String message) {
    for (int at = 0; at < message.length(); at++) {
      if (Character.getType(message.charAt(at)) == Character.CONTROL) {
        return true;
      }
    }
    return false;
  }

  /** The iteration that is being read now; -1 between inputs. */
  public long current() {
    return current;
  }

  /** Nanoseconds since the current input was begun. */
  public long nanosInCurrent() {
    return System.nanoTime() - begun;
  }

  /** How many inputs were taken for good. */
  public long read() {
    return read;
  }

  /** How many were refused with a {@link BadInputException}. */
  public long refused() {
    return refused;
  }

  /** How many ended with an {@link IOException}. */
  public long failedToRead() {
    return failedToRead;
  }

  /** The longest time that an input took. */
  public long worstNanos() {
    return worstNanos;
  }

  /** The iteration that took longest. */
  public long worstTimeAt() {
    return worstTimeAt;
  }

  /** The most bytes that an input had allocated. */
  public long worstBytes() {
    return worstBytes;
  }

  /** The iteration that had most bytes allocated. */
  public long worstBytesAt() {
    return worstBytesAt;
  }
}
