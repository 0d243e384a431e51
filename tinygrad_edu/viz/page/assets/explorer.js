"use strict";
// Shows what Python has told: steps, sums and paths are text here, and are never computed with.
(() => {
const $ = (id) => document.getElementById(id);
const SVG = document.querySelector("#picture svg");
const data = JSON.parse($("data").textContent);
const unpack = ({fields, rows}) => rows.map((row) => Object.fromEntries(fields.map((field, i) => [field, row[i]])));
const phases = new Map(Object.entries(data.phases).map(([name, phase]) => [name, {...phase, steps: unpack(phase.steps)}]));
const boxes = new Map(unpack(data.boxes).map((box) => [box.id, box]));
const leaves = unpack(data.leaves);
const images = new Map(Object.entries(data.images));
const parts = new Map(SVG ? [...SVG.querySelectorAll("g[id]")].map((g) => [g.id, g]) : []);
const still = matchMedia("(prefers-reduced-motion: reduce)"), wide = matchMedia("(min-width: 60rem)");
const STATES = ["now", "from", "to", "past", "ahead", "lit", "dim", "found"];
let phase = "backward", at = 0, leaf = null, path = 0, timer = 0;

const make = (tag, text = "", ...classes) => {
  const element = document.createElement(tag);
  element.textContent = text;
  element.classList.add(...classes);
  return element;
};
const press = (text, action, label = "") => {
  const button = make("button", text);
  if (label) button.setAttribute("aria-label", label);
  button.addEventListener("click", action);
  return button;
};
const fill = (id, ...children) => $(id).replaceChildren(...children);
const heads = (names) => {
  const row = make("tr");
  row.append(...names.map((name) => {
    const head = make("th", name);
    head.setAttribute("scope", "col");
    return head;
  }));
  const top = make("thead");
  top.append(row);
  return top;
};
const line = (first, ...texts) => {
  const row = make("tr"), head = make("th");
  head.setAttribute("scope", "row");
  head.append(first);
  row.append(head, ...texts.map((text) => make("td", text)));
  return row;
};
const mark = (id, ...states) => { if (parts.has(id)) parts.get(id).classList.add(...states); };
// the edge from an operation to its result has the operation's number
const made = (id) => id.startsWith("o") ? `r${id.slice(1)}` : "";

// the lines of a box that change: its data and its gradient
const words = (id, what, text) => {
  const found = [...parts.get(id)?.querySelectorAll("text") ?? []].filter((t) => t.textContent === `${what} ${text}`);
  return found[found.length - 1];
};
const live = new Map([...boxes.values()].filter((box) => ["root", "result", "variable"].includes(box.kind)).map((box) =>
  [box.id, {data: words(box.id, "data", box.data), grad: words(box.id, "grad", box.grad)}]));
const write = (id, what, text) => {
  const target = live.get(id)?.[what];
  if (target) target.textContent = `${what} ${text}`;
};

const current = () => phases.get(phase);
const drawSteps = () => {
  const {steps, opening} = current(), step = steps[at - 1];
  SVG?.classList.toggle("forward", phase === "forward");
  for (const part of parts.values()) part.classList.remove(...STATES);
  for (const [id, box] of boxes) {
    write(id, "data", box.data);
    write(id, "grad", phase === "update" || (phase === "backward" && box.kind === "root") ? box.grad : "-");
  }
  steps.forEach((other, i) => {
    const state = i < at ? "past" : "ahead";
    if (phase === "forward") {
      for (const id of [other.step, other.result, made(other.step), ...other.edges]) mark(id, state);
      if (i >= at) write(other.result, "data", "-");
    } else if (phase === "backward") {
      mark(other.edge, state);
      if (i < at) {
        write(other.operand, "grad", other.after);
        mark(made(other.step), "past");
      } else if (parts.has(made(other.step)) && !parts.get(made(other.step)).classList.contains("past")) mark(made(other.step), "ahead");
    } else if (i < at) {
      write(other.result, "data", other.data);
      mark(other.result, "past");
    }
  });
  if (step) {
    mark(step.step || step.result, "now");
    mark(step.result, phase === "backward" ? "from" : "to");
    mark(step.operand, "to");
    for (const id of [step.edge, ...step.edges ?? [], phase === "forward" ? made(step.step) : ""]) mark(id, "now");
  }
  $("say").textContent = step ? step.say : opening;
};
const drawCard = () => {
  const {card, steps} = current(), step = steps[at - 1];
  fill("facts", ...(step ? card : []).filter(([, field]) => step[field]).flatMap(([label, field]) =>
    [make("dt", label), make("dd", step[field], field)]));
  const shown = new Set(step ? [step.result, step.operand].filter((id) => images.has(id)) : []);
  fill("images", ...[...shown].flatMap((id) => images.get(id).map((source, i) => {
    if (phase === (i ? "forward" : "backward")) return "";
    const figure = make("figure"), image = make("img"), name = boxes.get(id).name;
    image.setAttribute("src", source);
    image.setAttribute("alt", "");
    figure.append(image, make("figcaption", i ? `${name}.grad, complete` : name));
    return figure;
  })));
};
const drawLedger = () => {
  const {columns, steps, more} = current();
  const body = make("tbody");
  steps.forEach((step, i) => body.append(line(
    press(`${i + 1}`, () => go(i + 1), `Step ${i + 1}`), ...columns.map(([, field]) => step[field]))));
  fill("ledger", heads(["Step", ...columns.map(([head]) => head)]), body);
  $("left").textContent = more;
  $("slider").setAttribute("max", steps.length);
  for (const button of $("phases").children) button.setAttribute("aria-pressed", button.textContent === phase);
};
const drawTimeline = () => {
  const {steps} = current(), rows = $("ledger").tBodies[0].rows;
  [...rows].forEach((row, i) => {
    row.hidden = i >= at;
    row.classList.toggle("now", i === at - 1);
  });
  $("book").scrollTop = $("book").scrollHeight;
  $("slider").value = at;
  $("slider").setAttribute("aria-valuetext", `step ${at} of ${steps.length}`);
  $("count").textContent = `${at} / ${steps.length}`;
};
const drawLeaf = () => {
  const routes = leaf ? leaf.routes : [];
  SVG?.classList.toggle("paths", Boolean(leaf));
  for (const part of parts.values()) part.classList.remove("lit");
  routes.forEach(([ids], i) => {
    if (!path || path === i + 1) for (const id of ids) mark(id, "lit"), mark(made(id), "lit");
  });
  [...$("leaves").tBodies[0].rows].forEach((row, i) => {
    row.classList.toggle("now", leaves[i] === leaf);
    row.querySelector("button").setAttribute("aria-pressed", leaves[i] === leaf);
  });
  $("sum").hidden = !leaf;
  if (!leaf) return;
  $("sum-title").textContent = leaf.sum;
  const body = make("tbody");
  routes.forEach(([, text, product], i) => {
    const button = press(`${i + 1}`, () => pick(i + 1), `Path ${i + 1}`), row = line(button, text, product);
    button.setAttribute("aria-pressed", path === i + 1);
    row.classList.toggle("now", path === i + 1);
    row.addEventListener("click", (event) => { if (event.target !== button) pick(i + 1); });
    body.append(row);
  });
  fill("routes", heads(["Path", "Product along it", "Adds"]), body);
  $("rest").textContent = leaf.rest;
  $("earlier").textContent = leaf.earlier;
};
const draw = () => { drawSteps(); drawCard(); drawTimeline(); drawLeaf(); follow(); link(); };

const go = (step) => {
  at = Math.max(0, Math.min(step, current().steps.length));
  if (at === current().steps.length) stop();
  draw();
};
const turn = (name, step = 0) => { phase = name; stop(); drawLedger(); go(step); };
const choose = (chosen, only = 0) => {
  leaf = chosen;
  path = only;
  draw();
  if (leaf && wide.matches) $("sum").scrollIntoView({block: "nearest"});
};
const pick = (k) => { if (leaf && k <= leaf.routes.length) choose(leaf, path === k ? 0 : k); };
const stop = () => { clearInterval(timer); timer = 0; drawPlay(); };
const drawPlay = () => {
  $("play").textContent = timer ? "\u23F8\uFE0E" : "\u25B6\uFE0E";
  $("play").setAttribute("aria-label", timer ? "Pause" : "Play");
};
const play = () => {
  if (timer) return stop();
  if (at >= current().steps.length) go(0);
  timer = setInterval(() => go(at + 1), 1400);
  go(at + 1);
  drawPlay();
};
const neighbour = (way) => {
  if (!leaves.length) return;
  const i = leaf ? leaves.indexOf(leaf) + way : way > 0 ? 0 : -1;
  choose(leaves.at(i % leaves.length));
  (parts.get(leaf.box) ?? $("leaves").querySelector("[aria-pressed=true]")).focus();
};

// the address: #s=7&leaf=v1, with t=forward or t=update, and path=2
const link = () => {
  const address = new URLSearchParams(phase === "backward" ? {s: at} : {t: phase, s: at});
  if (leaf) address.set("leaf", leaf.key);
  if (leaf && path) address.set("path", path);
  try { history.replaceState(null, "", `#${address}`); } catch { /* a sandboxed frame has no address */ }
};
const read = () => {
  const address = new URLSearchParams(location.hash.slice(1)), named = address.get("t");
  leaf = leaves.find((one) => one.key === address.get("leaf")) ?? null;
  path = leaf?.routes[address.get("path") - 1] ? Number(address.get("path")) : 0;
  turn(phases.has(named) ? named : "backward", Math.trunc(address.get("s")) || 0);
};

// the picture: what of it is seen, as x, y, width, height
const whole = SVG ? SVG.getAttribute("viewBox").split(/[ ,]+/).map(Number) : [];
let view = whole, frame = 0;
const show = (wanted) => {
  cancelAnimationFrame(frame);
  const start = view, began = performance.now(), time = still.matches ? 1 : 260;
  const tick = (now) => {
    const share = Math.min(1, Math.max(0, now - began) / time), eased = share * (2 - share);
    view = start.map((from, i) => from + (wanted[i] - from) * eased);
    SVG.setAttribute("viewBox", view.join(" "));
    if (share < 1) frame = requestAnimationFrame(tick);
  };
  frame = requestAnimationFrame(tick);
};
// units of the picture per pixel of the screen
const scale = ([, , w, h] = view) => Math.max(w / SVG.clientWidth, h / SVG.clientHeight);
const zoom = (factor, x = 0.5, y = 0.5) => {
  if (!SVG) return;
  const [a, b, w, h] = view, width = Math.min(whole[2], Math.max(60, w * factor)), ratio = width / w;
  show(width === whole[2] ? whole : [a + w * x * (1 - ratio), b + h * y * (1 - ratio), width, h * ratio]);
};
// a big picture begins at a size that can be read, and follows the step
const begin = () => {
  if (!SVG || scale(whole) < 1.5) return;
  const size = [SVG.clientWidth * 1.25, SVG.clientHeight * 1.25];
  view = [whole[0] + (whole[2] - size[0]) / 2, whole[1], ...size];
  SVG.setAttribute("viewBox", view.join(" "));
};
const follow = () => {
  if (!SVG || view[2] >= whole[2] && view[3] >= whole[3]) return;
  const seen = SVG.getBoundingClientRect(), spots = [...SVG.querySelectorAll(".node.now, .node.to, .node.from, .node:focus")].map((g) => g.getBoundingClientRect());
  if (!spots.length) return;
  const left = Math.min(...spots.map((r) => r.left)), right = Math.max(...spots.map((r) => r.right));
  const top = Math.min(...spots.map((r) => r.top)), bottom = Math.max(...spots.map((r) => r.bottom));
  if (left >= seen.left && right <= seen.right && top >= seen.top && bottom <= seen.bottom) return;
  const x = (left + right - seen.left - seen.right) / 2, y = (top + bottom - seen.top - seen.bottom) / 2;
  show([view[0] + x * scale(), view[1] + y * scale(), view[2], view[3]]);
};

const search = (next) => {
  const wanted = $("search").value.trim().toLowerCase();
  const hits = wanted ? [...boxes.values()].filter((box) => parts.has(box.id) && box.name.toLowerCase().includes(wanted)) : [];
  for (const part of parts.values()) part.classList.remove("found");
  for (const hit of hits) mark(hit.id, "found");
  $("say").textContent = wanted ? `${hits.length} found: ${hits.slice(0, 6).map((hit) => hit.name).join(", ")}` : "";
  if (next && hits.length) {
    const i = hits.findIndex((hit) => hit.id === search.last);
    search.last = hits[(i + 1) % hits.length].id;
    parts.get(search.last).focus();
    follow();
  }
};
const escape = () => {
  if (document.activeElement === $("search")) {
    $("search").value = "";
    search();
    $("search").blur();
    draw();
  } else if (path) choose(leaf);
  else choose(null);
};
const KEYS = {
  ArrowLeft: () => go(at - 1), ArrowRight: () => go(at + 1), Home: () => go(0), End: () => go(current().steps.length),
  " ": play, n: () => neighbour(1), p: () => neighbour(-1), "/": () => $("search").focus(), "?": () => $("help").showModal(),
  f: () => turn("forward"), b: () => turn("backward"), u: () => turn("update"), Escape: escape,
  "+": () => zoom(0.7), "-": () => zoom(1.4), 0: () => SVG && show(whole),
};
for (const k of "123456789") KEYS[k] = () => pick(Number(k));
addEventListener("keydown", (event) => {
  const {key, target} = event;
  if (event.ctrlKey || event.altKey || event.metaKey || $("help").open || !Object.hasOwn(KEYS, key)) return;
  if (target.matches("input") && key !== "Escape" && !(target.type === "range" && /^[a-z0-9/?]$/.test(key))) return;
  if (key === " " && target.matches("button, summary, [role=button]")) return;
  event.preventDefault();
  KEYS[key]();
});

// what can be pressed, and what is read out for it
for (const [id, box] of boxes) {
  const part = parts.get(id), own = leaves.find((one) => one.box === (box.original || id));
  if (!part) continue;
  part.setAttribute("tabindex", own && !box.original ? "0" : "-1");
  part.setAttribute("role", own ? "button" : "img");
  part.setAttribute("aria-label", `${box.name}, ${box.kind}, ${[box.words, `data ${box.data}`, box.grad && `gradient ${box.grad}`, box.remarks].filter(Boolean).join(", ")}`);
  if (!own) continue;
  const toggle = () => { if (!dragged) choose(leaf === own ? null : own); };
  part.classList.add("leaf");
  part.addEventListener("click", toggle);
  part.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") event.preventDefault(), toggle(); });
}
SVG?.setAttribute("role", "group");
SVG?.setAttribute("aria-label", `Graph of ${data.root}; the same as a table is below`);
for (const [id, part] of parts) if (/^[er]/.test(id)) part.setAttribute("aria-hidden", "true");
fill("phases", ...[...phases.keys()].map((name) => press(name, () => turn(name))));
const list = make("tbody"), stale = leaves.some((one) => one.left);
list.append(...leaves.map((one) => line(press(one.name, () => choose(leaf === one ? null : one)), one.gradient, one.count, ...stale ? [one.left] : [])));
fill("leaves", heads(["Variable", "Gradient", "Paths", ...stale ? ["Left over"] : []]), list);
const rows = make("tbody");
rows.append(...[...boxes.values()].map((box) => line(box.name, box.kind, box.words, box.data, box.grad, box.remarks)));
fill("boxes", heads(["Name", "Kind", "Computed as", "Data", "Gradient", "Remarks"]), rows);
$("more").textContent = data.more;
$("play").addEventListener("click", play);
$("back").addEventListener("click", () => go(at - 1));
$("next").addEventListener("click", () => go(at + 1));
$("slider").addEventListener("input", () => { stop(); go(Number($("slider").value)); });
$("search").addEventListener("input", () => search());
$("search").addEventListener("keydown", (event) => { if (event.key === "Enter") search(true); });
$("ask").addEventListener("click", () => $("help").showModal());
$("close").addEventListener("click", () => $("help").close());
$("in").addEventListener("click", KEYS["+"]);
$("out").addEventListener("click", KEYS["-"]);
$("fit").addEventListener("click", KEYS[0]);
let held = null, dragged = false;
SVG?.addEventListener("wheel", (event) => {
  if (event.deltaY > 0 && view[2] >= whole[2]) return;
  event.preventDefault();
  const {left, top, width, height} = SVG.getBoundingClientRect();
  zoom(event.deltaY < 0 ? 0.8 : 1.25, (event.clientX - left) / width, (event.clientY - top) / height);
}, {passive: false});
SVG?.addEventListener("pointerdown", (event) => { held = event, dragged = false; });
addEventListener("pointermove", (event) => {
  if (!held || !dragged && Math.hypot(event.clientX - held.clientX, event.clientY - held.clientY) < 5) return;
  cancelAnimationFrame(frame);
  view = [view[0] - (event.clientX - held.clientX) * scale(), view[1] - (event.clientY - held.clientY) * scale(), view[2], view[3]];
  SVG.setAttribute("viewBox", view.join(" "));
  held = event, dragged = true;
});
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { held = null; });
addEventListener("hashchange", read);
read();
// inside a frame that is not laid out yet there is no size to begin with
const laid = SVG && new ResizeObserver(() => {
  if (!SVG.clientWidth) return;
  laid.disconnect();
  begin();
  follow();
});
laid?.observe(SVG);
})();
