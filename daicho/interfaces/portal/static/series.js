/* Draws the time series of a page with uPlot; the same numbers stand in the table below each drawing. */
(() => {
  "use strict";
  const dashes = [[], [6, 3], [2, 3], [10, 3, 2, 3], [1, 3]];
  for (const place of document.querySelectorAll("[data-series]")) {
    const given = JSON.parse(document.getElementById(place.dataset.series).textContent);
    const style = getComputedStyle(place);
    const colour = (name) => {
      const probe = document.createElement("i");
      probe.className = `series-${name}`;
      place.append(probe);
      const found = getComputedStyle(probe).color;
      probe.remove();
      return found;
    };
    const axis = { stroke: colour("text"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 }, font: `12px ${style.fontFamily}` };
    const day = new Intl.DateTimeFormat(document.documentElement.lang, { year: "numeric", month: "2-digit", day: "2-digit", timeZone: "UTC" });
    const options = {
      width: place.clientWidth, height: 240, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "UTC"),
      axes: [{ ...axis, values: (plot, splits) => splits.map((at) => day.format(at * 1e3)), space: 110 }, { ...axis, size: 64, values: (plot, splits) => splits.map((n) => n.toLocaleString("en")) }],
      series: [{ label: given.day, value: (plot, at) => (at == null ? "–" : day.format(at * 1e3)) }, ...given.series.map((one, i) => ({
        label: one.label, stroke: colour(i % 5 + 1), dash: dashes[i % 5], width: 2, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }),
      }))],
      scales: { y: { range: (plot, low, high) => [Math.min(0, low), Math.max(1, high * 1.05)] } },
    };
    const plot = new uPlot(options, [given.days, ...given.series.map((one) => one.values)], place);
    new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: 240 })).observe(place);
  }
})();
