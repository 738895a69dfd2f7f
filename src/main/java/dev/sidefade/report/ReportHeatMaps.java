package dev.sidefade.report;

import dev.sidefade.report.RunReport.TapSnapshot;
import dev.sidefade.report.svg.HeatMap;
import dev.sidefade.report.svg.HeatMap.Cell;
import dev.sidefade.report.svg.Numbers;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The heat maps of a report, thinned to what an eye can tell apart. */
final class ReportHeatMaps {
  /** More classes than this are summed into blocks of neighbours. */
  static final int MOST_CELLS_A_SIDE = 100;

  private static final int MOST_EPOCHS = 40;

  private ReportHeatMaps() {}

  /** The confusion matrix, each row as shares of its true class. */
  static Optional<String> confusion(RunReport report) {
    return report
        .confusion()
        .filter(confusion -> confusion.counts().length > 0)
        .map(confusion -> confusion(confusion.split(), confusion.counts(), report.classNames()));
  }

  private static String confusion(String split, long[][] counts, List<String> names) {
    int block = blockSize(counts.length);
    long[][] sums = block == 1 ? counts : summed(counts, block);
    List<String> labels = labels(names, block);
    List<List<Cell>> cells = new ArrayList<>();
    for (long[] row : sums) {
      double total = 0;
      for (long count : row) {
        total += count;
      }
      List<Cell> line = new ArrayList<>();
      for (long count : row) {
        double share = total == 0 ? Double.NaN : count / total;
        line.add(new Cell(share, count == 0 ? "" : Long.toString(count)));
      }
      cells.add(line);
    }
    String title = "Confusion matrix of the " + split + " rows";
    String scale = "share of the true class";
    return new HeatMap(title, "truth", "predicted", scale, labels, labels, cells).toSvg();
  }

  /** How many neighbouring classes share a row. */
  static int blockSize(int classes) {
    return Math.max(1, Math.ceilDiv(classes, MOST_CELLS_A_SIDE));
  }

  private static long[][] summed(long[][] counts, int block) {
    int side = Math.ceilDiv(counts.length, block);
    long[][] sums = new long[side][side];
    for (int r = 0; r < counts.length; r++) {
      for (int c = 0; c < counts.length; c++) {
        sums[r / block][c / block] += counts[r][c];
      }
    }
    return sums;
  }

  private static List<String> labels(List<String> names, int block) {
    List<String> labels = new ArrayList<>();
    for (int first = 0; first < names.size(); first += block) {
      int last = Math.min(first + block, names.size()) - 1;
      labels.add(last == first ? names.get(first) : names.get(first) + " … " + names.get(last));
    }
    return labels;
  }

  /**
   * Gates, a row per tap and a column per epoch; long runs are thinned, the last epoch always
   * stays.
   */
  static Optional<String> gates(RunReport report) {
    List<TapSnapshot> snapshots = thinned(report.tapSnapshots());
    if (snapshots.size() < 2 || report.tapNames().isEmpty()) {
      return Optional.empty();
    }
    List<List<Cell>> cells = new ArrayList<>();
    for (int tap = 0; tap < report.tapNames().size(); tap++) {
      List<Cell> line = new ArrayList<>();
      for (TapSnapshot snapshot : snapshots) {
        double gate = snapshot.gates().get(tap);
        line.add(new Cell(gate, Double.isFinite(gate) ? Numbers.fixed(gate, 2) : ""));
      }
      cells.add(line);
    }
    List<String> epochs = snapshots.stream().map(s -> Integer.toString(s.epoch())).toList();
    String scale = "share of the side state";
    String title = "Gate per tap and epoch";
    return Optional.of(
        new HeatMap(title, "tap", "epoch", scale, report.tapNames(), epochs, cells).toSvg());
  }

  private static List<TapSnapshot> thinned(List<TapSnapshot> all) {
    int every = Math.max(1, Math.ceilDiv(all.size(), MOST_EPOCHS));
    List<TapSnapshot> kept = new ArrayList<>();
    for (int i = (all.size() - 1) % every; i >= 0 && i < all.size(); i += every) {
      kept.add(all.get(i));
    }
    return kept;
  }
}
