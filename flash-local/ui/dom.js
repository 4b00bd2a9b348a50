// Draws trees of plain objects, and changes only what differs. What users sent becomes text and nothing else: there is no way
// from a string to markup in here.

const SVG = "http://www.w3.org/2000/svg";

/** A node: `h("p", { class: "note", onclick }, "text", other)`. `key` keeps its identity among its siblings;
 * `mount(element)` is called once, when it is on the page. */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children: children.flat(Infinity).filter(isShown) };
}

const isShown = (child) => child !== null && child !== undefined && child !== false && child !== true && child !== "";

let mounted = [];

/** Makes the children of `parent` be these. */
export function draw(parent, ...nodes) {
  place(parent, nodes.flat(Infinity).filter(isShown), false);
  const fresh = mounted;
  mounted = [];
  for (const [mount, element] of fresh) mount(element);
}

function place(parent, nodes, svg) {
  const keys = new Set(nodes.map(keyOf).filter((key) => key !== undefined));
  const there = new Map();
  for (const child of [...parent.childNodes]) {
    const key = child.drawn?.props.key;
    if (key === undefined) continue;
    if (keys.has(key)) there.set(key, child);
    else child.remove();
  }
  let at = parent.firstChild;
  for (const node of nodes) {
    const key = keyOf(node);
    let found = key !== undefined ? there.get(key) : next(at, node);
    if (found && !fits(found, node)) found = null;
    // What stood between was left out this time.
    if (found && key === undefined) for (; at !== found; ) at = drop(at);
    if (!found) {
      parent.insertBefore(make(node, svg), at);
      continue;
    }
    if (found === at) at = at.nextSibling;
    else parent.insertBefore(found, at);
    change(found, node);
  }
  while (at) at = drop(at);
}

/** The next one without a key that can become `node`. Whoever types or clicks in it must not lose it. */
function next(at, node) {
  while (at && at.drawn?.props.key === undefined) {
    if (fits(at, node)) return at;
    at = at.nextSibling;
  }
  return null;
}

function drop(element) {
  const after = element.nextSibling;
  element.remove();
  return after;
}

const keyOf = (node) => (typeof node === "object" ? node.props.key : undefined);

function fits(element, node) {
  if (typeof node !== "object") return element.nodeType === Node.TEXT_NODE;
  return element.drawn !== undefined && element.drawn.tag === node.tag;
}

function make(node, svg) {
  if (typeof node !== "object") return document.createTextNode(String(node));
  const inner = svg || node.tag === "svg";
  const element = inner ? document.createElementNS(SVG, node.tag) : document.createElement(node.tag);
  element.drawn = { tag: node.tag, props: {} };
  // These belong to whoever types: they are set once.
  for (const name of ["value", "checked"]) {
    if (name in node.props) element[name] = node.props[name];
  }
  change(element, node);
  if (node.props.mount) mounted.push([node.props.mount, element]);
  return element;
}

function change(element, node) {
  if (typeof node !== "object") {
    if (element.data !== String(node)) element.data = String(node);
    return;
  }
  const before = element.drawn.props;
  const after = node.props;
  for (const name of Object.keys(before)) if (!(name in after)) set(element, name, null);
  for (const [name, value] of Object.entries(after)) if (before[name] !== value) set(element, name, value);
  element.drawn.props = after;
  place(element, node.children, element.namespaceURI === SVG);
}

function set(element, name, value) {
  if (["key", "mount", "value", "checked"].includes(name)) return;
  if (name === "style") {
    for (const [property, text] of Object.entries(value ?? {})) element.style.setProperty(property, text);
  } else if (name.startsWith("on")) {
    element[name] = value;
  } else if (value === null || value === undefined || value === false) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}
