// Draws the page's figures with plotly, in the colours of the stylesheet, again when these change.
"use strict";
(() => {
  const source = document.getElementById("figures").textContent;
  const root = document.documentElement;
  const settings = { displayModeBar: false, responsive: true, staticPlot: false };

  if (typeof Plotly === "undefined") {
    document.querySelectorAll("[data-figure]").forEach((place) => {
      place.textContent = place.getAttribute("aria-label");
      place.removeAttribute("role");
      place.style.height = "auto";
    });
    document.getElementById("without-charts").hidden = false;
    root.dataset.drawn = "no";
    return;
  }

  // A figure names colours as var(--name): plotly knows no CSS, so they are looked up here.
  const figures = () => {
    const style = getComputedStyle(root);
    const colour = (key, value) => {
      const name = typeof value === "string" && /^var\((--[\w-]+)\)$/.exec(value);
      return name ? style.getPropertyValue(name[1]).trim() : value;
    };
    return JSON.parse(source, colour);
  };

  const draw = () => {
    const all = figures();
    return Promise.all(
      [...document.querySelectorAll("[data-figure]")].map((place) => {
        const { data, layout } = all[place.dataset.figure];
        return Plotly.react(place, data, { ...layout, autosize: true }, settings);
      }),
    );
  };

  const print = (on) => () => {
    root.classList.toggle("printing", on);
    draw();
    document.querySelectorAll("[data-figure]").forEach((place) => Plotly.Plots.resize(place));
  };

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("beforeprint", print(true));
  addEventListener("afterprint", print(false));
  draw().then(() => (root.dataset.drawn = "yes"));
})();
