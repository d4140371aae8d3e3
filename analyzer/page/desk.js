// A quote is known by "start-end", its place in the pitch: marks name all quotes they belong to (data-quotes), a quote
// outside the pitch its own (data-quote). Nothing here reads or writes text of the pitch.
const NARROW = "(max-width: 60rem)";

export default function({ data, parentElement }) {
  const root = parentElement.querySelector(".pa-desk");
  const main = document.querySelector("[data-testid=stMain]");
  const page = document.documentElement;
  root.stop?.abort();
  const stop = (root.stop = new AbortController());
  const signal = stop.signal;

  const pane = () => document.querySelector(".st-key-pitch-pane");
  const text = () => pane()?.querySelector(".passages");
  const marks = () => [...(text()?.querySelectorAll("mark[data-quotes]") ?? [])];
  const quotes = () => [...main.querySelectorAll("[data-quote]")].filter((each) => !pane()?.contains(each));
  const idsOf = (element) => (element.dataset.quotes ?? element.dataset.quote ?? "").split(" ").filter(Boolean);
  const inOrder = () => [...new Set(marks().flatMap(idsOf))];
  const narrow = () => matchMedia(NARROW).matches;
  const still = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth");

  function show(kind, ids) {
    for (const element of [...marks(), ...quotes()]) {
      element.classList.toggle(kind, idsOf(element).some((id) => ids.includes(id)));
    }
  }

  function choose(id) {
    root.chosen = id;
    show("chosen", id ? [id] : []);
    const order = inOrder();
    const all = order.length === 1 ? "1 quote" : `${order.length} quotes`;
    root.querySelector(".count").textContent = id ? `Quote ${order.indexOf(id) + 1} of ${order.length}` : all;
  }

  function sheet(open) {
    const within = pane()?.contains(document.activeElement);
    const handle = root.querySelector(".handle");
    page.dataset.sheet = open ? "open" : "closed";
    handle.setAttribute("aria-expanded", String(open));
    if (open) return;
    if (root.from?.isConnected) root.from.focus({ preventScroll: true });
    else if (within) handle.focus({ preventScroll: true });
    root.from = null;
  }

  function scrollPitch(id) {
    const mark = marks().find((each) => idsOf(each).includes(id));
    const around = text();
    if (!mark || !around) return;
    const [here, frame] = [mark.getBoundingClientRect(), around.getBoundingClientRect()];
    if (here.top >= frame.top + 8 && here.bottom <= frame.bottom - 8) return;
    around.scrollBy({ top: here.top - frame.top - frame.height / 3, behavior: still() });
  }

  function scrollJudged(target) {
    for (let folded = target.closest("details:not([open])"); folded; folded = folded.parentElement.closest("details:not([open])")) folded.open = true;
    const here = target.getBoundingClientRect();
    const [top, bottom] = [main.getBoundingClientRect().top + 130, innerHeight - (narrow() ? 80 : 24)];
    if (here.top >= top && here.bottom <= bottom) return;
    main.scrollBy({ top: here.top - top - (bottom - top) / 4, behavior: still() });
  }

  function judgedBy(id, name) {
    const field = name && [...main.querySelectorAll(`[class*="st-key-set-${CSS.escape(name)}"]`)][0];
    if (field) return field;
    const row = name && document.getElementById(`signal-${name}`);
    const found = quotes().filter((each) => idsOf(each).includes(id));
    return found.find((each) => row?.contains(each)) ?? found.find((each) => each.closest(".card")) ?? found.at(-1) ?? row;
  }

  function step(by) {
    const order = inOrder();
    if (!order.length) return;
    const at = order.indexOf(root.chosen);
    const id = order[at < 0 ? (by > 0 ? 0 : order.length - 1) : (at + by + order.length) % order.length];
    choose(id);
    scrollPitch(id);
    const target = judgedBy(id, null);
    if (target && !narrow()) scrollJudged(target);
  }

  function fromPitch(element) {
    const name = element.closest("a")?.getAttribute("href")?.replace("#signal-", "");
    const mark = element.closest("mark[data-quotes]");
    const id = mark ? idsOf(mark)[0] : idsOf(element.closest("[data-quote]"))[0];
    choose(id);
    if (narrow()) sheet(false);
    const target = judgedBy(id, mark ? null : name) ?? judgedBy(id, name);
    if (target) scrollJudged(target);
  }

  function fromQuote(element) {
    const id = idsOf(element)[0];
    choose(id);
    if (narrow()) {
      sheet(true);
      root.from = element;
      setTimeout(() => scrollPitch(id), 0);
      root.querySelector(".close").focus({ preventScroll: true });
    } else {
      scrollPitch(id);
    }
  }

  const actions = {
    previous: () => step(-1),
    next: () => step(1),
    toggle: () => narrow() && sheet(page.dataset.sheet !== "open"),
    close: () => sheet(false),
  };

  document.addEventListener("click", (event) => {
    const action = event.target.closest(".pa-desk [data-do]")?.dataset.do;
    if (action) return actions[action]();
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const inside = pane()?.contains(event.target);
    const found = event.target.closest(inside ? "mark[data-quotes], a.label[data-quote]" : "a[data-quote]");
    if (!found || !main.contains(found)) return;
    event.preventDefault();
    if (inside) fromPitch(event.target);
    else fromQuote(found);
  }, { signal });

  for (const [on, off] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    document.addEventListener(on, (event) => {
      const found = event.target.closest?.("[data-quotes], [data-quote]");
      if (found) show("lit", idsOf(found).slice(0, 1));
    }, { signal });
    document.addEventListener(off, (event) => {
      if (event.target.closest?.("[data-quotes], [data-quote]")) show("lit", []);
    }, { signal });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    if (event.key === "Escape") return page.dataset.sheet === "open" ? sheet(false) : choose(null);
    if (!event.target.closest(".st-key-pitch-pane, [data-quote]")) return;
    if (event.key === "n") step(1);
    if (event.key === "p") step(-1);
  }, { signal });

  if (data.answer && root.answer !== data.answer) {
    root.answer = data.answer;
    sheet(false);
    main.scrollTo(0, 0);
    text()?.scrollTo(0, 0);
    main.querySelector(".pa.head h1")?.focus({ preventScroll: true });
  }
  choose(inOrder().includes(root.chosen) ? root.chosen : null);
  return () => stop.abort();
}
