package dev.sidefade.report.svg;

import java.util.List;
import java.util.Locale;

/**
 * A matrix of shares in [0, 1], the higher the stronger the colour. As many rows as columns give
 * square cells. Labels are left out where there are more than {@value #MOST_LABELS}, numbers in
 * cells where they would not fit.
 *
 * @param title what is shown, for screen readers and as a tooltip
 * @param rowLabels one per row
 * @param columnLabels one per column
 * @param scaleLabel what 0 and 1 mean
 * @param cells rows of equal length
 */
public record HeatMap(
    String title,
    String rowAxis,
    String columnAxis,
    String scaleLabel,
    List<String> rowLabels,
    List<String> columnLabels,
    List<List<Cell>> cells) {
  /** Above this many rows or columns their labels are left out. */
  public static final int MOST_LABELS = 40;

  private static final double WIDTH = ChartText.WIDTH;
  private static final double LARGEST_CELL = 56;
  private static final double SMALLEST_TEXT = 8;
  private static final double SCALE_HEIGHT = 46;
  private static final int MOST_LABEL_CHARACTERS = 14;

  /**
   * One cell; where {@code share} is NaN nothing was measured and the cell stays empty.
   *
   * @param text written into the cell where there is room, and its tooltip
   */
  public record Cell(double share, String text) {}

  public HeatMap {
    rowLabels = List.copyOf(rowLabels);
    columnLabels = List.copyOf(columnLabels);
    cells = cells.stream().map(List::copyOf).toList();
    int columns = columnLabels.size();
    if (cells.size() != rowLabels.size() || cells.stream().anyMatch(r -> r.size() != columns)) {
      throw new IllegalArgumentException(
          "a heat map needs " + rowLabels.size() + " rows of " + columns + " cells, as labelled");
    }
  }

  /** The chart as one svg element. */
  public String toSvg() {
    if (cells.isEmpty() || columnLabels.isEmpty()) {
      Markup empty = ChartText.begin(title, "No data.", 80);
      ChartText.nothing(empty, 80);
      return empty.close().toString();
    }
    Grid grid = layout();
    double height = grid.bottom() + SCALE_HEIGHT;
    Markup svg = ChartText.begin(title, description(), height);
    drawLabels(svg, grid);
    drawCells(svg, grid);
    drawScale(svg, grid.bottom() + 16);
    return svg.close().toString();
  }

  /**
   * Where the cells lie; {@code columnEvery} of the column labels have room, upright ones are
   * turned.
   */
  private record Grid(
      double left,
      double top,
      double cellWidth,
      double cellHeight,
      int rows,
      int columns,
      boolean turned,
      int columnEvery) {
    double bottom() {
      return top + rows * cellHeight;
    }

    double right() {
      return left + columns * cellWidth;
    }
  }

  private Grid layout() {
    int rows = cells.size();
    int columns = columnLabels.size();
    double left = 22 + (rows <= MOST_LABELS ? widest(rowLabels) + 6 : 0);
    double cellWidth = Math.min(LARGEST_CELL, (WIDTH - left - 4) / columns);
    double cellHeight =
        rows == columns ? cellWidth : Math.clamp(240.0 / rows, Math.min(2, 240.0 / rows), 24);
    double widestColumn = widest(columnLabels);
    boolean numbers = columnLabels.stream().allMatch(l -> l.length() <= 3);
    boolean turned = !numbers && widestColumn > cellWidth - 2;
    int every =
        turned
            ? (int) Math.ceil(dense(cellWidth) / cellWidth)
            : (int) Math.ceil(widestColumn > cellWidth ? (widestColumn + 8) / cellWidth : 1);
    double labels = columns > MOST_LABELS ? 0 : turned ? widestColumn + 4 : 16;
    return new Grid(left, 20 + labels, cellWidth, cellHeight, rows, columns, turned, every);
  }

  private static String shown(String label) {
    return ChartText.shortened(label, MOST_LABEL_CHARACTERS);
  }

  private static double widest(List<String> labels) {
    return labels.stream().mapToDouble(l -> ChartText.width(shown(l))).max().orElse(0);
  }

  private String description() {
    return String.format(
        Locale.ROOT,
        "%d rows (%s) by %d columns (%s); colour: %s.",
        cells.size(),
        rowAxis,
        columnLabels.size(),
        columnAxis,
        scaleLabel);
  }

  private void drawLabels(Markup svg, Grid grid) {
    ChartText.label(svg, columnAxis, (grid.left + grid.right()) / 2, 13, "middle");
    double middle = (grid.top + grid.bottom()) / 2;
    ChartText.turned(svg, rowAxis, 13, middle, "middle", ChartText.SIZE);
    if (grid.rows <= MOST_LABELS) {
      double size = dense(grid.cellHeight);
      int every = Math.max(1, (int) Math.ceil(size / grid.cellHeight));
      for (int r = 0; r < grid.rows; r += every) {
        double y = grid.top + (r + 0.5) * grid.cellHeight + size / 3;
        ChartText.label(svg, shown(rowLabels.get(r)), grid.left - 6, y, "end", size);
      }
    }
    if (grid.columns <= MOST_LABELS) {
      for (int c = 0; c < grid.columns; c += grid.columnEvery) {
        double x = grid.left + (c + 0.5) * grid.cellWidth;
        String label = shown(columnLabels.get(c));
        if (grid.turned) {
          double size = dense(grid.cellWidth);
          ChartText.turned(svg, label, x + size / 3, grid.top - 5, "start", size);
        } else {
          ChartText.label(svg, label, x, grid.top - 5, "middle");
        }
      }
    }
  }

  /** The font size of labels that lie {@code space} apart. */
  private static double dense(double space) {
    return Math.clamp(space, SMALLEST_TEXT, ChartText.SIZE);
  }

  private void drawCells(Markup svg, Grid grid) {
    svg.leaf(
        "rect",
        "x",
        grid.left,
        "y",
        grid.top,
        "width",
        grid.right() - grid.left,
        "height",
        grid.bottom() - grid.top,
        "style",
        "fill:none;stroke:" + Palette.GRID);
    double gap = Math.min(grid.cellWidth, grid.cellHeight) >= 8 ? 1 : 0;
    svg.open("g", "style", "fill:" + Palette.HEAT);
    for (int r = 0; r < grid.rows; r++) {
      for (int c = 0; c < grid.columns; c++) {
        drawCell(svg, grid, r, c, gap);
      }
    }
    svg.close();
  }

  private void drawCell(Markup svg, Grid grid, int r, int c, double gap) {
    Cell cell = cells.get(r).get(c);
    double share = Double.isFinite(cell.share) ? Math.clamp(cell.share, 0, 1) : 0;
    if (share == 0 && cell.text.isEmpty()) {
      return;
    }
    double x = grid.left + c * grid.cellWidth;
    double y = grid.top + r * grid.cellHeight;
    svg.open(
        "rect",
        "x",
        x + gap / 2,
        "y",
        y + gap / 2,
        "width",
        grid.cellWidth - gap,
        "height",
        grid.cellHeight - gap,
        "fill-opacity",
        share);
    svg.element("title", rowLabels.get(r) + ", " + columnLabels.get(c) + ": " + cell.text).close();
    if (ChartText.width(cell.text) + 2 <= grid.cellWidth && grid.cellHeight >= ChartText.SIZE) {
      svg.element(
          "text",
          cell.text,
          "x",
          x + grid.cellWidth / 2,
          "y",
          y + grid.cellHeight / 2 + 4,
          "text-anchor",
          "middle",
          "style",
          "fill:" + (share > 0.55 ? Palette.ON_HEAT : Palette.INK));
    }
  }

  private void drawScale(Markup svg, double y) {
    double width = ChartText.width(scaleLabel);
    double x = Math.max(20, WIDTH - width - 152);
    ChartText.label(svg, "0", x - 5, y + 10, "end");
    svg.open("g", "style", "fill:" + Palette.HEAT);
    for (int i = 0; i < 10; i++) {
      svg.leaf("rect", "x", x + i * 12, "y", y, "width", 12, "height", 12, "fill-opacity", i / 9.0);
    }
    svg.close();
    ChartText.label(svg, "1", x + 125, y + 10, "start");
    ChartText.label(svg, scaleLabel, x + 140, y + 10, "start");
  }
}
