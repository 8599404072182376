"use strict";
// Draws each figure when it comes into view for the first time, in the colours that page.css has at that moment.
const figures = JSON.parse(document.getElementById("figures").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const settings = { displayModeBar: false, responsive: true, doubleClick: false, scrollZoom: false };

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

function painted(figure) {
  const { data, layout } = structuredClone(figure);
  for (const trace of data) {
    const own = colour(trace.meta.colour);
    if (trace.type === "bar") {
      trace.marker = { color: own, line: { color: colour("card"), width: 1 } };
      if (trace.meta.striped) {
        trace.marker.pattern = { shape: "/", size: 7, solidity: 0.6, fillmode: "replace", bgcolor: colour("card"), fgcolor: own };
      }
    } else {
      trace.marker = { ...trace.marker, color: own, line: { color: colour("card"), width: 1 } };
      trace.line = { ...trace.line, color: own };
      if (trace.fill) trace.fillcolor = own + "33";
    }
  }
  layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
  layout.font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("muted") };
  layout.hoverlabel = {
    bgcolor: colour("ink"), bordercolor: colour("ink"), align: "left", font: { color: colour("card"), size: 13 },
  };
  for (const axis of [layout.xaxis, layout.yaxis]) {
    axis.gridcolor = axis.zerolinecolor = axis.linecolor = colour("rule");
    axis.zerolinewidth = 1;
  }
  return { data, layout };
}

function draw(place) {
  const { data, layout } = painted(figures[Number(place.dataset.figure)]);
  place.classList.add("drawn");
  return Plotly.react(place, data, layout, settings);
}

const watch = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (isIntersecting) {
      watch.unobserve(target);
      draw(target);
    }
  }
}, { rootMargin: "600px" });

function choose(input) {
  for (const other of document.getElementsByName(input.name)) {
    document.getElementById(other.value).hidden = other !== input;
  }
  for (const place of document.getElementById(input.value).querySelectorAll(".drawn")) {
    Plotly.Plots.resize(place);  // the window may have changed while it was hidden
  }
}

for (const input of document.querySelectorAll(".choice input")) {
  input.addEventListener("change", () => choose(input));
  if (input.checked) choose(input);
}
for (const place of document.querySelectorAll(".plot")) watch.observe(place);

dark.addEventListener("change", () => document.querySelectorAll(".drawn").forEach(draw));
window.addEventListener("beforeprint", () => {
  for (const place of document.querySelectorAll(".view:not([hidden]) .plot:not(.drawn)")) draw(place);
});
