package dev.sidefade.report.svg;

/**
 * Colours after Okabe and Ito, told apart with any kind of colour vision, darkened where white
 * paper asks for it. Each is a CSS variable with its fallback, so that a page can give others for a
 * dark background and a lone SVG still has colours. Lines differ in their dashes too.
 */
public final class Palette {
  public static final int BLUE = 0;
  public static final int VERMILLION = 1;
  public static final int GREEN = 2;
  public static final int PURPLE = 3;
  public static final int AMBER = 4;
  public static final int SKY = 5;
  public static final int GREY = 6;

  static final String INK = "var(--ink,#1f2933)";
  static final String MUTED = "var(--muted,#52606d)";
  static final String GRID = "var(--grid,#e4e7eb)";
  static final String SURFACE = "var(--surface,#ffffff)";
  static final String HEAT = "var(--heat,#0072b2)";
  static final String ON_HEAT = "var(--on-heat,#ffffff)";

  private static final String[] LIGHT = {
    "#0072b2", "#d55e00", "#00805e", "#b0568b", "#9a6700", "#2f8fc4", "#6b7280"
  };
  private static final String[] DARK = {
    "#56b4e9", "#ff8f4d", "#2fc79c", "#e39ac3", "#e6b450", "#9bd3f5", "#a3adb8"
  };
  private static final String[] DASHES = {"none", "7 3", "2 3", "9 3 2 3"};

  private Palette() {}

  /** How many colours there are; indices beyond that start again. */
  public static int size() {
    return LIGHT.length;
  }

  /** Colour number {@code index} as a CSS value. */
  static String color(int index) {
    int i = Math.floorMod(index, LIGHT.length);
    return "var(--series-" + i + "," + LIGHT[i] + ")";
  }

  static String dash(int index) {
    return DASHES[Math.floorMod(index, DASHES.length)];
  }

  /** Declarations of the series variables for a light or a dark background. */
  public static String css(boolean dark) {
    String[] colors = dark ? DARK : LIGHT;
    StringBuilder css = new StringBuilder();
    for (int i = 0; i < colors.length; i++) {
      css.append("--series-").append(i).append(':').append(colors[i]).append(';');
    }
    return css.toString();
  }
}
