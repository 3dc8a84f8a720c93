// Draws a profile: time by phase, layer and kernel; roofline; memory of one step; a table that sorts and filters.
"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  window.addEventListener("error", (event) => {
    const line = document.createElement("li");
    line.textContent = String(event.message);
    at("errors").append(line);
  });

  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const svg = (tag, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const digits = (v, n = 3) => (v === 0 ? "0" : v >= 1000 ? Math.round(v).toLocaleString("en") : String(Number(v.toPrecision(n))));
  const ms = (v) => (v >= 10000 ? digits(v / 1000) + " s" : digits(v) + " ms");
  const percent = (v) => (100 * v).toFixed(v < 0.0995 ? 1 : 0) + " %";
  const bytes = (v) => (v >= 1e9 ? digits(v / 1e9) + " GB" : digits(v / 1e6) + " MB");

  const families = [
    ["conv_transpose3d", "transposed convolution", "--transposed"],
    ["conv", "convolution", "--conv"],
    ["instance_norm|norm|activation", "norm and activation", "--norm"],
    ["segloss|topk|components", "loss", "--loss"],
    [".*_step|global_norm|ema", "optimizer", "--optimizer"],
    [".*", "other kernel", "--kernel"],
  ].map(([pattern, name, colour]) => ({ pattern: new RegExp("^(" + pattern + ")"), name, colour: `var(${colour})` }));
  // global_norm is of the optimizer, not of a layer, and adamw_step begins like nothing else.
  const family = (op) => (op === "global_norm" ? families[4] : families.find((f) => f.pattern.test(op)));
  const host = { name: "outside of kernels", colour: "var(--host)" };

  // One box of text that follows the pointer.
  const tip = at("tip");
  function hover(target, text) {
    target.addEventListener("pointermove", (event) => {
      tip.hidden = false;
      tip.textContent = text();
      const right = event.clientX + 16 + tip.offsetWidth < innerWidth;
      tip.style.left = (right ? event.clientX + 16 : Math.max(4, event.clientX - 16 - tip.offsetWidth)) + "px";
      tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 4)) + "px";
    });
    target.addEventListener("pointerleave", () => (tip.hidden = true));
  }
  const describe = (row) =>
    [
      [row.layer, row.op].filter(Boolean).join(" · ") + " (" + row.phase + ")",
      row.sizes,
      ms(row.totalMs) + " in all, " + percent(row.share) + (row.host ? "" : ", " + row.calls + " calls of " + ms(row.medianMs)),
      row.host ? "" : digits(row.gflops) + " GFLOP/s, " + digits(row.gbytesPerSecond) + " GB/s, " + percent(row.roofline) + " of the " + row.bound + " roof",
      row.host ? "" : digits(row.intensity) + " operations per byte, " + bytes(row.liveBytes) + " live",
    ]
      .filter(Boolean)
      .join("\n");

  function head() {
    at("title").textContent = data.title;
    at("summary").textContent = data.summary;
    const tiles = [
      [ms(data.stepMs), "per " + data.stepName + ", median of " + data.steps],
      [digits(data.gflops) + " GFLOP/s", "all time; FMA peak " + digits(data.peakGflops)],
      [percent(data.kernelMs / data.wallMs), "of the time in kernels"],
      [bytes(data.peakLiveBytes), "of tensors at most"],
      [digits(data.copyGbytesPerSecond) + " GB/s", "copy bandwidth"],
    ];
    at("tiles").append(...tiles.map(([value, name]) => element("div", { className: "tile" }, element("b", { textContent: value }), element("span", { textContent: name }))));
    Object.entries(data.facts).forEach(([name, value]) => at("facts").append(element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value }))));
    [...families, host].forEach((f) => {
      const chip = element("span", { className: "chip" });
      chip.style.background = f.colour;
      at("families").append(element("li", {}, chip, f.name));
    });
  }

  // ---- phase, layer, kernel -----------------------------------------------------------------------------------------

  function tree() {
    const root = { name: "all", ms: 0, children: new Map() };
    const order = new Map();
    data.medianStep.forEach((c, i) => {
      [c.phase, c.phase + " " + c.layer].forEach((key) => order.has(key) || order.set(key, i));
    });
    data.rows.forEach((row) => {
      const path = [row.phase, row.host ? row.op : row.layer || "no layer"];
      if (!row.host) path.push(row.op);
      let node = root;
      root.ms += row.totalMs;
      path.forEach((name, depth) => {
        const key = row.host && depth === 1 ? "\u0000" + name : name;
        if (!node.children.has(key)) node.children.set(key, { name, ms: 0, children: new Map(), parent: node, order: order.get(path.slice(0, depth + 1).join(" ")) ?? 1e9 });
        node = node.children.get(key);
        node.ms += row.totalMs;
      });
      node.row = row;
    });
    return root;
  }

  function icicle(root) {
    const place = at("icicle");
    function show(top) {
      place.replaceChildren();
      let level = [{ node: top, from: 0 }];
      while (level.length > 0) {
        const line = element("div", { className: "level" });
        const next = [];
        level.forEach(({ node, from }) => {
          const width = node.ms / top.ms;
          if (width < 0.0008) return;
          const label = node.name.replace(/(stages|convs|blocks)\.|\.conv$/g, "") + "  " + percent(node.ms / root.ms);
          const bar = element("button", { type: "button", textContent: label });
          bar.style.left = 100 * from + "%";
          bar.style.width = `max(1px, calc(${100 * width}% - 1px))`;
          if (width < 0.02) bar.textContent = "";
          if (node.row) bar.style.background = (node.row.host ? host : family(node.row.op)).colour;
          else bar.classList.add("group");
          bar.setAttribute("aria-label", label);
          hover(bar, () => (node.row ? describe(node.row) : node.name + "\n" + ms(node.ms) + ", " + percent(node.ms / root.ms)));
          bar.addEventListener("click", () => show(node === top ? node.parent || node : node));
          line.append(bar);
          let x = from;
          [...node.children.values()]
            .sort((a, b) => a.order - b.order || b.ms - a.ms)
            .forEach((child) => {
              next.push({ node: child, from: x });
              x += child.ms / top.ms;
            });
        });
        if (line.childElementCount > 0) place.append(line);
        level = next;
      }
    }
    show(root);
  }

  // ---- roofline -----------------------------------------------------------------------------------------------------

  function roofline() {
    const points = data.rows.filter((r) => !r.host && r.gflops > 0 && r.share >= 0.0002);
    const [width, height, left, right, top, bottom] = [1160, 520, 62, 24, 18, 48];
    const ridge = data.peakGflops / data.copyGbytesPerSecond;
    const xs = [...points.map((p) => p.intensity), ridge * 3, 0.1];
    const ys = [...points.map((p) => p.gflops), data.peakGflops * 1.5];
    const x0 = Math.floor(Math.log10(Math.min(...xs)) * 2) / 2 - 0.1;
    const x1 = Math.log10(Math.max(...xs)) + 0.15;
    const y1 = Math.log10(Math.max(...ys)) + 0.08;
    const y0 = Math.log10(Math.min(...ys)) - 0.2;
    const x = (v) => left + ((Math.log10(v) - x0) / (x1 - x0)) * (width - left - right);
    const y = (v) => top + ((y1 - Math.log10(v)) / (y1 - y0)) * (height - top - bottom);
    const plot = svg("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Roofline plot" });
    const ticks = (from, to) => {
      const all = [];
      for (let e = Math.floor(from); e <= Math.ceil(to); e++) [1, 2, 5].forEach((m) => all.push(m * 10 ** e));
      return all.filter((v) => Math.log10(v) >= from && Math.log10(v) <= to);
    };
    ticks(x0, x1).forEach((v) => {
      plot.append(svg("line", { class: "grid", x1: x(v), x2: x(v), y1: top, y2: height - bottom }));
      plot.append(svg("text", { x: x(v), y: height - bottom + 18, "text-anchor": "middle" }, digits(v)));
    });
    ticks(y0, y1).forEach((v) => {
      plot.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: y(v), y2: y(v) }));
      plot.append(svg("text", { x: left - 8, y: y(v) + 4, "text-anchor": "end" }, digits(v)));
    });
    plot.append(svg("text", { x: (left + width) / 2, y: height - 8, "text-anchor": "middle" }, "operations per byte"));
    plot.append(svg("text", { x: 14, y: height / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${height / 2})` }, "GFLOP/s"));
    const start = Math.max(10 ** x0, 10 ** y0 / data.copyGbytesPerSecond);
    const roof = [start, ridge, 10 ** x1].map((v) => x(v) + "," + y(Math.min(data.peakGflops, v * data.copyGbytesPerSecond)));
    plot.append(svg("line", { class: "ridge", x1: x(ridge), x2: x(ridge), y1: y(data.peakGflops), y2: height - bottom }));
    plot.append(svg("polyline", { class: "roof", points: roof.join(" ") }));
    plot.append(svg("text", { class: "strong", x: x(ridge) + 8, y: y(data.peakGflops) - 7 }, "FMA peak " + digits(data.peakGflops) + " GFLOP/s"));
    const slope = start ** 0.8 * ridge ** 0.2;
    const angle = (Math.atan2(y(data.copyGbytesPerSecond * start) - y(data.peakGflops), x(ridge) - x(start)) * -180) / Math.PI;
    const [mx, my] = [x(slope), y(slope * data.copyGbytesPerSecond) - 8];
    plot.append(svg("text", { class: "strong", x: mx, y: my, "text-anchor": "middle", transform: `rotate(${angle} ${mx} ${my})` }, "memory " + digits(data.copyGbytesPerSecond) + " GB/s"));
    // The largest first, so that small points stay in reach.
    [...points]
      .sort((a, b) => b.share - a.share)
      .forEach((row) => {
        const colour = family(row.op).colour;
        const ring = row.phase === "backward";
        const point = svg("circle", {
          class: "point",
          cx: x(row.intensity),
          cy: y(row.gflops),
          r: 3 + 46 * Math.sqrt(Math.max(0, row.share)) / 2,
          fill: colour,
          "fill-opacity": ring ? 0.08 : 0.5,
          stroke: colour,
        });
        hover(point, () => describe(row));
        plot.append(point);
      });
    at("roofline").append(plot);
  }

  // ---- memory -------------------------------------------------------------------------------------------------------

  function memory() {
    const calls = data.medianStep;
    if (calls.length < 2) {
      at("memory").textContent = "One step has too few kernels for a curve.";
      return;
    }
    const [width, height, left, right, top, bottom] = [1160, 260, 62, 24, 14, 54];
    const end = calls[calls.length - 1].startMs + calls[calls.length - 1].ms;
    const most = Math.max(...calls.map((c) => c.liveBytes));
    const x = (t) => left + (t / end) * (width - left - right);
    const y = (b) => top + (1 - b / (most * 1.06)) * (height - top - bottom);
    const plot = svg("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Memory in one step" });
    const unit = 10 ** Math.floor(Math.log10(most));
    const step = most / unit < 2 ? unit / 4 : most / unit < 5 ? unit / 2 : unit;
    for (let b = 0; b <= most * 1.06; b += step) {
      plot.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: y(b), y2: y(b) }));
      plot.append(svg("text", { x: left - 8, y: y(b) + 4, "text-anchor": "end" }, b === 0 ? "0" : bytes(b)));
    }
    let path = `M${x(0)},${y(0)}`;
    calls.forEach((c) => (path += `L${x(c.startMs)},${y(c.liveBytes)}L${x(c.startMs + c.ms)},${y(c.liveBytes)}`));
    plot.append(svg("path", { class: "area", d: path + `L${x(end)},${y(0)}Z` }));
    const tint = { data: "--kernel", forward: "--conv", backward: "--transposed", update: "--optimizer", output: "--norm" };
    calls.forEach((c, i) => {
      const next = i + 1 < calls.length ? calls[i + 1].startMs : end;
      const cell = svg("rect", { x: x(c.startMs), width: Math.max(0.5, x(next) - x(c.startMs)), y: top, height: height - top - bottom, fill: "transparent" });
      hover(cell, () => `${c.layer ? c.layer + " · " : ""}${c.op} (${c.phase})\n${bytes(c.liveBytes)} live\n${ms(c.startMs)} after the first kernel, takes ${ms(c.ms)}`);
      plot.append(cell, svg("rect", { x: x(c.startMs), width: Math.max(0.5, x(next) - x(c.startMs)), y: height - bottom + 6, height: 8, fill: `var(${tint[c.phase]})` }));
    });
    const seen = new Set();
    calls.forEach((c) => {
      if (seen.has(c.phase)) return;
      seen.add(c.phase);
      const last = calls.findLast((other) => other.phase === c.phase);
      if (x(last.startMs + last.ms) - x(c.startMs) > 60) plot.append(svg("text", { x: x(c.startMs) + 2, y: height - bottom + 30 }, c.phase));
    });
    plot.append(svg("text", { x: width - right, y: height - 8, "text-anchor": "end" }, ms(end)));
    at("memory").append(plot);
  }

  // ---- table --------------------------------------------------------------------------------------------------------

  const columns = [
    ["phase", "phase", (r) => r.phase],
    ["layer", "layer", (r) => r.layer],
    ["op", "kernel", (r) => r.op],
    ["calls", "calls", (r) => (r.host ? "" : r.calls)],
    ["medianMs", "median ms", (r) => (r.host ? "" : digits(r.medianMs))],
    ["totalMs", "total ms", (r) => digits(r.totalMs, 4)],
    ["share", "share", (r) => percent(r.share)],
    ["gflops", "GFLOP/s", (r) => (r.gflops > 0 ? digits(r.gflops) : "")],
    ["gbytesPerSecond", "GB/s", (r) => (r.gbytesPerSecond > 0 ? digits(r.gbytesPerSecond) : "")],
    ["roofline", "of roofline", (r) => (r.roofline > 0 ? percent(r.roofline) : "")],
    ["bound", "bound", (r) => r.bound],
    ["liveBytes", "live", (r) => (r.host ? "" : bytes(r.liveBytes))],
  ];
  const words = new Set(["phase", "layer", "op", "bound"]);

  function table() {
    let rows = "rows";
    let key = "totalMs";
    let sign = -1;
    const line = element("tr", {});
    columns.forEach(([name, title]) => {
      const cell = element("th", { textContent: title, className: words.has(name) ? "word" : "" });
      cell.addEventListener("click", () => {
        sign = key === name ? -sign : words.has(name) ? 1 : -1;
        key = name;
        show();
      });
      line.append(cell);
    });
    at("table").tHead.append(line);
    function show() {
      [...line.cells].forEach((cell, i) => (columns[i][0] === key ? cell.setAttribute("aria-sort", sign < 0 ? "descending" : "ascending") : cell.removeAttribute("aria-sort")));
      const wanted = at("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
      const shown = data[rows]
        .filter((r) => wanted.every((w) => `${r.phase} ${r.layer} ${r.op}`.toLowerCase().includes(w)))
        .sort((a, b) => sign * (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0));
      const most = Math.max(...shown.map((r) => r.share), 1e-9);
      at("table").tBodies[0].replaceChildren(
        ...shown.map((r) => {
          const made = element("tr", { className: r.host ? "host" : "" });
          hover(made, () => describe(r));
          columns.forEach(([name, , text]) => {
            const cell = element("td", { textContent: text(r), className: words.has(name) ? "word" : name === "share" ? "bar" : "" });
            if (name === "share") cell.style.setProperty("--v", (r.share / most).toFixed(3));
            made.append(cell);
          });
          return made;
        }),
      );
    }
    at("grouping").addEventListener("click", (event) => {
      if (!event.target.value) return;
      rows = event.target.value;
      at("grouping").querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", String(b.value === rows)));
      show();
    });
    at("filter").addEventListener("input", show);
    show();
  }

  head();
  icicle(tree());
  roofline();
  memory();
  table();
  document.documentElement.dataset.profile = "ready";
})();
