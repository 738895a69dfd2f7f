package dev.sidefade.report;

import dev.sidefade.report.svg.Palette;

/** The look of the report, for light and dark, for desks and phones and paper. */
final class ReportStyle {
  private ReportStyle() {}

  private static final String LIGHT =
      """
      --page:#f4f6f8;--surface:#ffffff;--ink:#1f2933;--muted:#52606d;--grid:#e4e7eb;\
      --accent:#0072b2;--good:#00694d;--bad:#a83a00;--heat:#0072b2;--on-heat:#ffffff;\
      """;

  private static final String DARK =
      """
      --page:#11161c;--surface:#1a2129;--ink:#e6ebf0;--muted:#a3adb8;--grid:#313b46;\
      --accent:#56b4e9;--good:#2fc79c;--bad:#ff8f4d;--heat:#56b4e9;--on-heat:#0b1117;\
      """;

  private static final String RULES =
      """
      *{box-sizing:border-box}
      body{margin:0;background:var(--page);color:var(--ink);line-height:1.5;
        font-family:system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
      main{max-width:1080px;margin:0 auto;padding:28px 18px 48px}
      h1{font-size:1.7rem;line-height:1.2;margin:0 0 6px;overflow-wrap:anywhere}
      h2{font-size:1.15rem;margin:34px 0 10px}
      h3{font-size:.95rem;margin:0 0 8px;font-weight:600}
      p{margin:0 0 8px}
      .facts{color:var(--muted);display:flex;flex-wrap:wrap;gap:2px 18px;margin:0 0 20px;
        font-size:.92rem;overflow-wrap:anywhere}
      .tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:14px}
      .card{background:var(--surface);border:1px solid var(--grid);border-radius:10px;
        padding:16px 18px;margin:0;min-width:0}
      .tile .name{color:var(--muted);font-size:.85rem}
      .tile .value{font-size:1.75rem;font-weight:650;line-height:1.25;
        font-variant-numeric:tabular-nums}
      .tile .aside{font-size:.85rem;color:var(--muted)}
      .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));
        gap:14px;align-items:start}
      .charts svg{display:block;width:100%;height:auto}
      figcaption{color:var(--muted);font-size:.85rem;margin-top:8px}
      table{border-collapse:collapse;width:100%;font-size:.93rem;font-variant-numeric:tabular-nums}
      caption{text-align:left;color:var(--muted);font-size:.85rem;padding:8px 0 0;
        caption-side:bottom}
      th,td{padding:8px 10px;border-bottom:1px solid var(--grid);text-align:right;
        white-space:nowrap}
      thead th{color:var(--muted);font-weight:600;font-size:.85rem}
      tbody th{font-weight:500}
      tr>:first-child{text-align:left}
      tbody tr:last-child>*{border-bottom:0}
      tr.chosen>*{font-weight:650}
      tr.chosen th{color:var(--accent)}
      .pairs th,.pairs td{text-align:left;white-space:normal;overflow-wrap:anywhere;
        vertical-align:top}
      .pairs th{width:38%;color:var(--muted);font-weight:500}
      .names tbody th,.names td:nth-child(2){white-space:normal;overflow-wrap:anywhere}
      .names td:nth-child(2),.names th:nth-child(2){text-align:left}
      .plain{margin:0;padding-left:20px}
      .plain li{margin:3px 0;overflow-wrap:anywhere}
      .gallery{list-style:none;margin:0;padding:0;display:grid;gap:12px;
        grid-template-columns:repeat(auto-fill,minmax(118px,1fr))}
      .gallery li{background:var(--surface);border:1px solid var(--grid);border-radius:10px;
        padding:10px;font-size:.85rem;overflow-wrap:anywhere}
      .gallery img,.gallery .blank{display:block;width:100%;aspect-ratio:1;object-fit:contain;
        border-radius:6px;background:var(--page);margin-bottom:8px}
      .gallery img.small{image-rendering:pixelated}
      .gallery .words{margin-bottom:6px}
      .gallery .verdict{font-weight:650}
      .right .verdict{color:var(--good)}
      .wrong .verdict{color:var(--bad)}
      .gallery .muted,.muted{color:var(--muted)}
      @media(max-width:560px){main{padding:18px 10px 32px}.card{padding:12px}
        .tiles{grid-template-columns:1fr 1fr;gap:10px}.tile .value{font-size:1.35rem}
        .models,.models tbody,.models caption{display:block}
        .models thead{position:absolute;clip-path:inset(50%)}
        .models tr{display:block;padding:8px 0;
          border-bottom:1px solid var(--grid)}
        .models tr>*{border:0;padding:1px 0}.models tbody th{display:block}
        .models td{display:flex;justify-content:space-between;white-space:normal}
        .models td::before{content:attr(data-name);color:var(--muted);font-weight:400;
          text-align:left}}
      @media print{body{background:#fff}.card,.gallery li{break-inside:avoid}}
      """;

  static String css() {
    return ":root{color-scheme:light dark;%s%s}\n@media(prefers-color-scheme:dark){:root{%s%s}}\n%s"
        .formatted(LIGHT, Palette.css(false), DARK, Palette.css(true), RULES);
  }
}
