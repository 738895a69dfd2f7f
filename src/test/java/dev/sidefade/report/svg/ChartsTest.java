package dev.sidefade.report.svg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.report.svg.BarChart.Bar;
import dev.sidefade.report.svg.HeatMap.Cell;
import dev.sidefade.report.svg.LineChart.Series;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class ChartsTest {
  private static final String NASTY = "<script>&\"'\0";

  private static LineChart lines(boolean logarithmic, double[]... values) {
    List<Series> series = new ArrayList<>();
    for (double[] y : values) {
      double[] x = IntStream.rangeClosed(1, y.length).asDoubleStream().toArray();
      series.add(new Series("line " + series.size(), x, y, series.size()));
    }
    return new LineChart("title", "epoch", "loss", logarithmic, series);
  }

  private static Document drawn(String svg) {
    assertFalse(svg.contains("NaN"), svg);
    assertFalse(svg.contains("Infinity"), svg);
    Document document = Xml.parse(svg);
    Element root = document.getDocumentElement();
    assertEquals("svg", root.getTagName());
    assertEquals("img", root.getAttribute("role"));
    assertEquals(1, childrenNamed(root, "title"));
    assertEquals(1, childrenNamed(root, "desc"));
    return document;
  }

  private static long childrenNamed(Element parent, String name) {
    return IntStream.range(0, parent.getChildNodes().getLength())
        .filter(i -> parent.getChildNodes().item(i).getNodeName().equals(name))
        .count();
  }

  @Test
  void nothingToDrawSaysSo() {
    for (String svg :
        List.of(
            lines(false).toSvg(),
            lines(false, new double[0]).toSvg(),
            lines(false, new double[] {Double.NaN, Double.POSITIVE_INFINITY}).toSvg(),
            lines(true, new double[] {0, -1}).toSvg(),
            new BarChart("title", "ms", List.of()).toSvg(),
            new HeatMap("title", "r", "c", "s", List.of(), List.of(), List.of()).toSvg())) {
      assertTrue(Xml.texts(drawn(svg), "text").contains("no data"), svg);
    }
  }

  @Test
  void onePointIsADot() {
    Document svg = drawn(lines(false, new double[] {0.5}).toSvg());
    assertEquals(1, Xml.elements(svg, "circle").size());
  }

  @Test
  void missingPointsBreakTheLine() {
    Document svg = drawn(lines(false, new double[] {1, 2, Double.NaN, 3, 4}).toSvg());
    String path = Xml.elements(svg, "path").getLast().getAttribute("d");
    assertEquals(2, path.chars().filter(c -> c == 'M').count());
    assertEquals(2, path.chars().filter(c -> c == 'L').count());
    assertEquals(4, Xml.elements(svg, "circle").size());
  }

  @Test
  void aThousandPointsAreALineWithoutMarkers() {
    double[] y = new Random(1).doubles(1000, -5, 5).toArray();
    y[500] = Double.NaN;
    y[502] = Double.NaN;
    String text = lines(false, y).toSvg();
    assertEquals(1, Xml.elements(drawn(text), "circle").size());
    assertTrue(text.length() < 40_000);
  }

  @Test
  void pointsLieInsideThePicture() {
    Random random = new Random(9);
    for (int round = 0; round < 300; round++) {
      double scale = Math.pow(10, random.nextInt(60) - 30);
      double[] y = random.doubles(1 + random.nextInt(30), -scale, scale).toArray();
      Document svg = drawn(lines(round % 3 == 0, y, y).toSvg());
      for (Element circle : Xml.elements(svg, "circle")) {
        double cx = Double.parseDouble(circle.getAttribute("cx"));
        double cy = Double.parseDouble(circle.getAttribute("cy"));
        assertTrue(cx >= 0 && cx <= 440 && cy >= 0 && cy <= 270, cx + " " + cy);
      }
    }
  }

  @Test
  void higherValuesAreDrawnHigher() {
    Document svg = drawn(lines(false, new double[] {1, 3, 2}).toSvg());
    List<Double> y =
        Xml.elements(svg, "circle").stream()
            .map(c -> Double.valueOf(c.getAttribute("cy")))
            .toList();
    assertTrue(y.get(1) < y.get(2) && y.get(2) < y.get(0), y::toString);
  }

  @Test
  void manySeriesKeepRoomForThePlot() {
    double[][] many = new double[60][];
    java.util.Arrays.setAll(many, i -> new double[] {i, i + 1});
    drawn(lines(false, many).toSvg());
  }

  @Test
  void seriesNeedsAsManyPositionsAsValues() {
    assertThrows(
        IllegalArgumentException.class, () -> new Series("a", new double[1], new double[2], 0));
  }

  @Test
  void barsStandOnZeroAndCarryWhiskers() {
    Document svg =
        drawn(
            new BarChart(
                    "title",
                    "ms",
                    List.of(
                        new Bar("a", 2, 1.5, 2.5, "2 ms", 0),
                        Bar.of("b", -1, "-1 ms", 1),
                        Bar.of("c", Double.NaN, "not measured", 2)))
                .toSvg());
    List<Element> rects = Xml.elements(svg, "rect");
    assertEquals(2, rects.size());
    double zero = Double.parseDouble(rects.get(0).getAttribute("x"));
    double negative = Double.parseDouble(rects.get(1).getAttribute("x"));
    double width = Double.parseDouble(rects.get(1).getAttribute("width"));
    assertEquals(zero, negative + width, 0.02);
    assertEquals(2 * width, Double.parseDouble(rects.get(0).getAttribute("width")), 0.03);
    assertEquals(2, Xml.elements(svg, "path").size());
    assertTrue(Xml.texts(svg, "text").contains("not measured"));
  }

  @Test
  void barsOfZeroAndOfNothing() {
    drawn(new BarChart("t", "u", List.of(Bar.of("a", 0, "0", 0))).toSvg());
    drawn(new BarChart("t", "u", List.of(Bar.of("a", Double.NaN, "–", 0))).toSvg());
    drawn(new BarChart("t", "u", List.of(new Bar("a", 1, Double.NaN, 2, "1", 0))).toSvg());
    List<Bar> many =
        IntStream.range(0, 1000).mapToObj(i -> Bar.of("bar " + i, i, "" + i, i)).toList();
    assertEquals(1000, Xml.elements(drawn(new BarChart("t", "u", many).toSvg()), "rect").size());
  }

  private static HeatMap heatMap(int rows, int columns) {
    List<String> rowLabels = IntStream.range(0, rows).mapToObj(i -> "row" + i).toList();
    List<String> columnLabels = IntStream.range(0, columns).mapToObj(i -> "column" + i).toList();
    List<List<Cell>> cells = new ArrayList<>();
    for (int r = 0; r < rows; r++) {
      int row = r;
      cells.add(
          IntStream.range(0, columns)
              .mapToObj(c -> c == row ? new Cell(0.9, "9") : new Cell(Double.NaN, ""))
              .toList());
    }
    return new HeatMap("title", "truth", "predicted", "share", rowLabels, columnLabels, cells);
  }

  @Test
  void heatMapLabelsUpToFortyClasses() {
    for (int side : new int[] {1, 2, 10, 40}) {
      List<String> texts = Xml.texts(drawn(heatMap(side, side).toSvg()), "text");
      assertTrue(texts.contains("row0"), side + ": " + texts);
    }
    for (int side : new int[] {41, 300}) {
      Document svg = drawn(heatMap(side, side).toSvg());
      assertFalse(Xml.texts(svg, "text").contains("row0"));
      assertEquals(side, Xml.elements(svg, "title").size() - 1);
    }
  }

  @Test
  void heatMapsNeedNotBeSquare() {
    for (int[] shape : new int[][] {{1, 40}, {7, 3}, {13, 40}, {200, 2}, {2, 200}}) {
      drawn(heatMap(shape[0], shape[1]).toSvg());
    }
  }

  @Test
  void heatMapRefusesRaggedCells() {
    List<List<Cell>> cells = List.of(List.of(new Cell(0, "")));
    assertThrows(
        IllegalArgumentException.class,
        () -> new HeatMap("t", "r", "c", "s", List.of("a"), List.of("a", "b"), cells));
  }

  @Test
  void namesAreEscapedEverywhere() {
    Series line = new Series(NASTY, new double[] {1, 2}, new double[] {1, 2}, 0);
    List<List<Cell>> cells = List.of(List.of(new Cell(1, NASTY)));
    for (String svg :
        List.of(
            new LineChart(NASTY, NASTY, NASTY, false, List.of(line)).toSvg(),
            new BarChart(NASTY, NASTY, List.of(Bar.of(NASTY, 1, NASTY, 0))).toSvg(),
            new HeatMap(NASTY, NASTY, NASTY, NASTY, List.of(NASTY), List.of(NASTY), cells)
                .toSvg())) {
      assertEquals(0, Xml.elements(drawn(svg), "script").size());
    }
  }

  @Test
  void coloursAreDistinct() {
    for (boolean dark : new boolean[] {false, true}) {
      String[] declarations = Palette.css(dark).split(";");
      assertEquals(Palette.size(), declarations.length);
      long colours = List.of(declarations).stream().map(d -> d.split(":")[1]).distinct().count();
      assertEquals(Palette.size(), colours);
    }
  }
}
