// Replaces the drawn curves by interactive ones and starts the volume viewers. The page is complete without this script.
"use strict";
(function () {
  const root = document.documentElement;
  const fail = (where, error) => {
    const line = document.createElement("li");
    line.textContent = where + ": " + (error && error.message ? error.message : error);
    document.getElementById("errors").append(line);
  };
  window.addEventListener("error", (event) => fail("script", event.error || event.message));
  window.addEventListener("unhandledrejection", (event) => fail("script", event.reason));

  const style = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const data = JSON.parse(document.getElementById("data").textContent);

  function plot(place) {
    const chart = data.charts[Number(place.dataset.chart)];
    const colour = (c) => (c.startsWith("var(") ? style(c.slice(4, -1)) : c);
    const axis = { stroke: style("--soft"), grid: { stroke: style("--line"), width: 1 }, ticks: { stroke: style("--line"), width: 1 } };
    const score = (u, v) => (v == null ? "–" : v.toFixed(3));
    const options = {
      width: place.clientWidth,
      height: 260,
      scales: { x: { time: false }, y: { range: (u, low, high) => [Math.min(0, low), Math.max(high * 1.04, 0.01)] } },
      axes: [axis, axis],
      series: [
        { label: "Epoch" },
        ...chart.lines.map((line) => ({ label: line.name, stroke: colour(line.colour), width: 2, value: score, spanGaps: true, points: { show: data.epochs.length < 30 } })),
      ],
    };
    place.replaceChildren();
    const made = new uPlot(options, [data.epochs, ...chart.lines.map((line) => line.values)], place);
    new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: 260 })).observe(place);
    return made;
  }

  function drawPlots() {
    document.querySelectorAll(".plot").forEach(plot);
  }
  if (typeof uPlot !== "undefined" && data.charts.length > 0) {
    drawPlots();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawPlots);
    root.dataset.curves = "ready";
  }

  function labelColours() {
    const n = data.colours.length + 1;
    const channel = (shift) => [0, ...data.colours.map((c) => (c >> shift) & 255)];
    return { R: channel(16), G: channel(8), B: channel(0), A: [0, ...data.colours.map(() => 255)], I: [...Array(n).keys()], labels: ["", ...data.classes] };
  }

  async function view(place) {
    const volumes = data.views[Number(place.dataset.view)];
    const nv = new niivue.Niivue({
      backColor: [0.043, 0.055, 0.075, 1],
      crosshairColor: [1, 1, 1, 0.5],
      crosshairWidth: 0.5,
      show3Dcrosshair: true,
      isOrientationTextVisible: true,
      isCornerOrientationText: true,
      multiplanarShowRender: 1,
      fontMinPx: 11,
      fontSizeScaling: 0.3,
      dragAndDropEnabled: false,
      loadingText: "",
      logLevel: "error",
    });
    await nv.attachToCanvas(place.querySelector("canvas"));
    const load = (base64, name, more) => niivue.NVImage.loadFromBase64({ base64, name: name + ".nii.gz", ...more });
    const image = await load(volumes.image, "image", { colormap: "gray" });
    image.cal_min = volumes.low;
    image.cal_max = volumes.high;
    nv.addVolume(image);
    for (const name of ["truth", "prediction"]) {
      const labels = await load(volumes[name], name, { opacity: 0 });
      labels.setColormapLabel(labelColours());
      nv.addVolume(labels);
    }
    nv.setSliceType(nv.sliceTypeMultiplanar);
    const opacity = place.querySelector("input.opacity");
    let shown = "prediction";
    const apply = () => {
      nv.setOpacity(1, shown === "truth" ? Number(opacity.value) : 0);
      nv.setOpacity(2, shown === "prediction" ? Number(opacity.value) : 0);
      place.querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", String(b.value === shown)));
    };
    place.querySelectorAll("button").forEach((b) =>
      b.addEventListener("click", () => {
        shown = b.value;
        apply();
      }),
    );
    opacity.addEventListener("input", apply);
    const slice = place.querySelector("input.slice");
    const size = nv.volumes[0].dims.slice(1, 4);
    const go = (voxel) => {
      nv.scene.crosshairPos = nv.vox2frac ? nv.vox2frac(voxel) : voxel.map((v, i) => (v + 0.5) / size[i]);
      nv.drawScene();
    };
    slice.max = String(size[2] - 1);
    let position = [volumes.at[2], volumes.at[1], volumes.at[0]];
    slice.value = String(position[2]);
    slice.addEventListener("input", () => {
      position = [position[0], position[1], Number(slice.value)];
      go(position);
    });
    nv.onLocationChange = (location) => {
      if (!location.vox) return;
      position = location.vox.slice(0, 3).map(Math.round);
      slice.value = String(position[2]);
    };
    apply();
    go(position);
    place.hidden = false;
    place.dataset.ready = "true";
  }

  async function startViewers() {
    if (typeof niivue === "undefined" || data.views.length === 0) return;
    if (!document.createElement("canvas").getContext("webgl2")) {
      document.querySelectorAll(".viewer").forEach((place) => place.replaceChildren("The interactive viewer needs WebGL 2, which this browser does not offer."));
      root.dataset.viewer = "no-webgl2";
      return;
    }
    for (const place of document.querySelectorAll(".viewer")) {
      await view(place).catch((error) => {
        fail("viewer", error);
        place.replaceChildren("The interactive viewer did not start.");
      });
    }
    root.dataset.viewer = "ready";
  }
  startViewers();
})();
